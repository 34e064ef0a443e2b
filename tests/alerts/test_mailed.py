"""Notices as mail over real SMTP: written as mail is, encrypted, refused and late; never a secret in what is said."""

import base64
import email
import email.policy
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from tests.access.pems import Authority
from tests.alerts.mailbox import Mailbox
from tests.alerts.samples import T0, delivery, finding, full

from headgate.alerts.alert import Notice
from headgate.alerts.channels import Email, Secret
from headgate.alerts.couriers.mailed import MailCourier, message
from headgate.alerts.delivery import Answer
from headgate.alerts.told import text

NONE = "localhost takes mail for none of the addresses"


def channel(port: int, **words: Any) -> Email:
    given: dict[str, Any] = {"host": "localhost", "tls": "none"}
    return Email(
        sender="headgate@example.com", to=["ops@example.com", "b@example.com"], port=port, **{**given, **words}
    )


def carried(mailbox: Mailbox, seconds: float = 30.0, **words: Any) -> Answer:
    return MailCourier(channel(mailbox.port, **words), seconds).carry(delivery(full()), T0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pems"))


@pytest.fixture(scope="module")
def server_side(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("server"))
    return context


def test_a_mail_arrives_with_everything() -> None:
    with Mailbox() as mailbox:
        assert carried(mailbox) == Answer(True, "taken by localhost")
        [content] = mailbox.mails
        commands = mailbox.commands
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert mail["Subject"] == "[critical] late: the scores of late moved"
    assert mail["From"] == "headgate@example.com"
    assert mail["To"] == "ops@example.com, b@example.com"
    assert mail["Date"] == "Mon, 01 Jul 2013 00:00:00 -0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == text(delivery(full()))
    told = [each.upper() for each in commands if each.upper().startswith("RCPT")]
    assert told == ["RCPT TO:<OPS@EXAMPLE.COM>", "RCPT TO:<B@EXAMPLE.COM>"]


def test_a_repeat_has_the_same_id_and_an_alerts_mails_are_one_thread() -> None:
    words = channel(25)
    first, again, over = (message(words, delivery(full(), each), T0) for each in (Notice.RAISED,) * 2 + (Notice.OVER,))
    assert first["Message-ID"] == again["Message-ID"]
    assert first["References"] == over["References"]
    assert first["Message-ID"].endswith("@example.com>")


def test_no_word_of_a_finding_becomes_a_header() -> None:
    mail = message(channel(25), delivery(finding(what="moved\r\nBcc: all@example.com\r\n\r\nhello é")), T0)
    sent = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert sent["Bcc"] is None
    assert sent["Subject"] == "[warning] late: moved Bcc: all@example.com hello é"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_and_password_go_encrypted_to_whoever_shows_a_certificate(
    tls: str, authority: Authority, server_side: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    words: dict[str, Any] = {"tls": tls, "user": "headgate", "password": Secret(file=str(tmp_path / "password"))}
    with Mailbox(tls=server_side, from_first=tls == "tls") as mailbox:
        stranger = carried(mailbox, **words)
        assert stranger.said.startswith("the certificate of localhost was not accepted: ")
        assert not any(each.upper().startswith(("AUTH", "MAIL")) for each in mailbox.commands)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
        assert carried(mailbox, **words).taken
        [login] = [each for each in mailbox.commands if each.upper().startswith("AUTH")]
    assert base64.b64decode(login.split()[-1]) == b"\0headgate\0hunter2"


def test_a_server_that_offers_no_encryption_gets_nothing() -> None:
    with Mailbox() as mailbox:
        answer = carried(mailbox, tls="starttls")
        assert not any(each.upper().startswith("MAIL") for each in mailbox.commands)
    assert answer == Answer(False, "localhost hung up, or speaks another protocol (SMTPNotSupportedError)")


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        (
            {"RCPT": "550 no such user"},
            Answer(False, "localhost takes mail for none of the addresses: 550", final=True),
        ),
        ({"RCPT": "450 later"}, Answer(False, "localhost takes mail for none of the addresses: 450")),
        ({"": "554 no"}, Answer(False, "localhost answered 554 (SMTPConnectError)")),
        ({"MAIL": "451 later"}, Answer(False, "localhost answered 451 (SMTPSenderRefused)")),
        ({"DATA": "451 later"}, Answer(False, "localhost answered 451 (SMTPDataError)")),
        ({"QUIT": "500 stay"}, Answer(True, "taken by localhost")),
    ],
)
def test_what_a_reply_means(replies: dict[str, str], expected: Answer) -> None:
    with Mailbox(replies) as mailbox:
        assert carried(mailbox) == expected


def test_a_wrong_password_is_a_failure_that_does_not_repeat_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2")
    words: dict[str, Any] = {"user": "headgate", "password": Secret(file=str(tmp_path / "password"))}
    with Mailbox({"AUTH": "535 hunter2 is wrong"}) as mailbox:
        assert carried(mailbox, **words) == Answer(False, "localhost answered 535 (SMTPAuthenticationError)")
    missing: dict[str, Any] = {"user": "headgate", "password": Secret(file=str(tmp_path / "none"))}
    with Mailbox() as mailbox:
        assert "cannot be read: no such file" in carried(mailbox, **missing).said
        assert mailbox.commands == []


def test_who_greets_nobody_is_left_after_the_deadline() -> None:
    with Mailbox(silent=True) as mailbox:
        began = time.monotonic()
        answer = carried(mailbox, seconds=0.3)
        assert time.monotonic() - began < 5
    assert answer == Answer(False, "localhost did not answer within 0.3 s")


def test_nobody_listens() -> None:
    with Mailbox() as mailbox:
        port = mailbox.port
    answer = MailCourier(channel(port)).carry(delivery(), T0)
    assert answer == Answer(False, "localhost could not be reached: connection refused")
