"""``channels.yaml``: read as written, refused by key and rule, and no value of it repeated."""

import pytest

from headgate.alerts.channels import Email, Secret, Slack, Webhook, load_channels, secret_of, url_fault
from headgate.alerts.couriers.mailed import MailCourier
from headgate.alerts.couriers.opened import courier_of
from headgate.alerts.couriers.posted import SlackCourier, WebhookCourier
from headgate.alerts.finding import Severity
from headgate.errors import BadConfiguration

FULL = """\
channels:
  ops:
    kind: webhook
    url: https://hooks.example.com/headgate
    secret: {file: /run/secrets/ops}
  chat:
    kind: slack
    url: {env: HEADGATE_SECRET_CHAT}
    least: warning
  oncall:
    kind: email
    host: smtp.example.com
    from: headgate@example.com
    to: [oncall@example.com]
    user: headgate
    password: {file: /run/secrets/mail}
    least: critical
"""


def test_every_kind_is_read() -> None:
    found = load_channels(FULL, "channels.yaml")
    assert found == {
        "ops": Webhook("https://hooks.example.com/headgate", Secret(file="/run/secrets/ops")),
        "chat": Slack(Secret(env="HEADGATE_SECRET_CHAT"), Severity.WARNING),
        "oncall": Email(
            host="smtp.example.com",
            sender="headgate@example.com",
            to=["oncall@example.com"],
            user="headgate",
            password=Secret(file="/run/secrets/mail"),
            least=Severity.CRITICAL,
        ),
    }
    kinds = [type(courier_of(each)) for each in found.values()]
    assert kinds == [WebhookCourier, SlackCourier, MailCourier]
    assert [secret_of(each) is not None for each in found.values()] == [True, True, True]
    assert load_channels("channels: {}\n", "channels.yaml") == {}


MAIL = "kind: email, host: localhost, from: a@example.com, to: [b@example.com]"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("{kind: pigeon}", "x.kind"),
        ("{url: https://a/}", "x.kind"),
        ("[]", "x.kind"),
        ("{kind: webhook, url: https://a/hook}", "x"),
        ("{kind: webhook, url: http://a/xyzzy, secret: {file: /a}}", "x.url"),
        ("{kind: webhook, url: https://u:xyzzy@a/, secret: {file: /a}}", "x.url"),
        ("{kind: webhook, url: xyzzy, secret: {file: /a}}", "x.url"),
        ("{kind: webhook, url: https://a/hook, secret: xyzzy}", "x.secret"),
        ("{kind: webhook, url: https://a/hook, secret: {}}", "x.secret"),
        ("{kind: webhook, url: https://a/hook, secret: {file: /a, env: HEADGATE_SECRET_A}}", "x.secret"),
        ("{kind: webhook, url: https://a/hook, secret: {file: secret}}", "x.secret.file"),
        ("{kind: webhook, url: https://a/hook, secret: {env: PATH}}", "x.secret.env"),
        ("{kind: webhook, url: https://a/hook, secret: {text: xyzzy}}", "x: secret"),
        ("{kind: webhook, url: https://a/hook, secret: {file: /a}, least: loud}", "x: least"),
        ("{kind: webhook, url: https://a/hook, secret: {file: /a}, method: PUT}", "x"),
        ("{kind: slack, url: https://hooks.example.com/T0/xyzzy}", "x.url"),
        ("{kind: slack, url: {env: SLACK}}", "x.url.env"),
        ("{kind: email, host: localhost}", "x"),
        (f"{{{MAIL}, port: 0}}", "x.port"),
        (f"{{{MAIL}, tls: ssl}}", "x.tls"),
        ("{kind: email, host: mail.example.com, from: a@example.com, to: [b@example.com], tls: none}", "x.tls"),
        ("{kind: email, host: 'a b', from: a@example.com, to: [b@example.com]}", "x.host"),
        ("{kind: email, host: localhost, from: a, to: [b@example.com]}", "x.from"),
        ("{kind: email, host: localhost, from: a@example.com, to: []}", "x.to"),
        ('{kind: email, host: localhost, from: a@example.com, to: ["b@example.com\\r\\nBcc: c@d"]}', "x.to[0]"),
        (f"{{{MAIL}, user: a}}", "x.password"),
        (f"{{{MAIL}, password: {{file: /a}}}}", "x.password"),
        (f"{{{MAIL}, user: a, password: xyzzy}}", "x.password"),
        (f"{{{MAIL}, user: a, password: {{env: A}}}}", "x.password.env"),
    ],
)
def test_what_is_wrong_is_named_by_its_key_and_not_repeated(words: str, where: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_channels(f"channels: {{x: {words}}}\n", "channels.yaml")
    assert refused.value.where == f"channels.yaml: channels.{where}"
    assert "xyzzy" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "ops: {}", "channels: []", "channels: {}\nmore: 1", "channels: {a"])
def test_what_is_no_file_of_channels(text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"channels\.yaml"):
        load_channels(text, "channels.yaml")


@pytest.mark.parametrize("name", ["log", "Ops", "a b", "x" * 64])
def test_a_name_that_is_none_or_taken(name: str) -> None:
    with pytest.raises(BadConfiguration, match="name must match"):
        load_channels(f"channels: {{'{name}': {{kind: slack, url: {{file: /a}}}}}}\n", "channels.yaml")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a?b=c",
        "http://localhost:1/",
        "http://[::1]:9/",
        "https://1.2.3.4/",
    ],
)
def test_addresses_that_may_be_used(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com", "https://", "https://:80/", "http://10.0.0.1/", "https://a:x/",
        "https://a:99999/", "https://a:0/", "https://é/", "https://.a/", "https://a/\n", "https://[::1/", "//a/",
    ],
)  # fmt: skip
def test_addresses_that_may_not(url: str) -> None:
    assert url_fault(url) is not None
