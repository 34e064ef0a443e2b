"""Notices as mail, handed to the operator's server over SMTP."""

import contextlib
import email.policy
import email.utils
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from headgate.alerts.channels import Email
from headgate.alerts.couriers.deadline import Deadline
from headgate.alerts.couriers.hidden import reveal
from headgate.alerts.delivery import Answer, Delivery
from headgate.alerts.told import text, title
from headgate.errors import BadConfiguration
from headgate.vocabulary import SECOND, Micros

SECONDS: Final = 30.0
"""How long one try may take: mail servers greet slowly on purpose."""
_FOR_EVER: Final = 500
"""From this code on a server means that the same again would be told the same (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True)
class MailCourier:
    """Sends a notice to everybody the channel names."""

    channel: Email
    seconds: float = SECONDS

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        """Try once."""
        host = self.channel.host
        with Deadline(self.seconds) as deadline:
            try:
                password = None if self.channel.password is None else reveal(self.channel.password)
                return self._sent(message(self.channel, delivery, now), password, deadline)
            except BadConfiguration as error:
                return Answer(False, str(error))
            except smtplib.SMTPRecipientsRefused as error:
                codes = sorted({code for code, _ in error.recipients.values()})
                said = f"{host} takes mail for none of the addresses: {', '.join(map(str, codes))}"
                return Answer(False, said, final=bool(codes) and codes[0] >= _FOR_EVER)
            except smtplib.SMTPResponseException as error:
                return Answer(False, f"{host} answered {error.smtp_code} ({type(error).__name__})")
            except OSError as error:
                return Answer(False, deadline.failure(host, error))

    def _sent(self, mail: EmailMessage, password: str | None, deadline: Deadline) -> Answer:
        channel = self.channel
        tls = ssl.create_default_context()
        client = _Client(channel.host, channel.port, deadline, tls if channel.tls == "tls" else None)
        try:
            if channel.tls == "starttls":
                client.starttls(context=tls)
                if client.sock is not None:
                    deadline.watch(client.sock)
            if channel.user is not None and password is not None:
                client.login(channel.user, password)
            refused = client.send_message(mail, channel.sender, channel.to)
        finally:
            with contextlib.suppress(OSError):  # how the farewell goes changes nothing about what was taken
                client.quit()
        if refused:  # those who were not refused have it, and would have it twice
            return Answer(True, f"taken by {channel.host}, which refused {len(refused)} of {len(channel.to)} addresses")
        return Answer(True, f"taken by {channel.host}")


def message(channel: Email, delivery: Delivery, now: Micros) -> EmailMessage:
    """The mail of a delivery: its id is the delivery's, so that a repeat is seen as one; an alert's are a thread."""
    mail = EmailMessage(policy=email.policy.SMTP)
    domain = channel.sender.partition("@")[2]
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Subject"] = title(delivery)
    mail["Date"] = email.utils.formatdate(now / SECOND)
    mail["Message-ID"] = f"<{delivery.id}@{domain}>"
    mail["References"] = f"<{delivery.alert.id}.{delivery.project}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(delivery))
    return mail


class _Client(smtplib.SMTP):
    """A client whose connection the deadline watches from its first byte on."""

    def __init__(self, host: str, port: int, deadline: Deadline, tls: ssl.SSLContext | None) -> None:
        self._deadline, self._tls = deadline, tls
        # The name it greets with is asked of nobody: a name server may take longer than the deadline.
        super().__init__(host, port, local_hostname=socket.gethostname(), timeout=deadline.seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._deadline.connected(host, port, self._tls)
