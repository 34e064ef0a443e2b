"""What an operator's tracking.yaml may say, and that what is wrong is named."""

import pytest

from headgate.errors import BadConfiguration
from headgate.tracking.trackingfile import load_tracking

GOOD = """
url: https://mlflow.example.com
user: headgate
password: {env: HEADGATE_SECRET_MLFLOW}
webhook: {file: /run/secrets/hook}
follow:
  late: {model: models:/late@champion, gates: ["auc >= 0.6"]}
"""


def test_a_whole_file_is_read() -> None:
    said = load_tracking(GOOD, "t")
    assert (said.experiment, said.alias, said.push) == ("headgate", "champion", True)
    assert said.follow["late"].gates == ("auc >= 0.6",)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("experiment: a", "t", "url"),
        ("url: http://mlflow.example.com", "t: url", "insecure: true"),
        ("url: ftp://x", "t: url", "https://HOST"),
        ("url: https://a:b@x", "t: url", "no password"),
        ("url: https://x\nuser: ann", "t: password", "goes with user"),
        ("url: https://x\ntoken: {}", "t: token", "file or env"),
        ("url: https://x\ntoken: {env: HOME}", "t: token.env", "HEADGATE_SECRET_"),
        ("url: https://x\nwebhook: {file: hook}", "t: webhook.file", "absolute"),
        ("url: https://x\nexperiment: ' '", "t: experiment", "name"),
        ("url: https://x\nfollow: {late: {model: models:/late/3}}", "t: follow.late.model", "never moves"),
        ("url: https://x\nfollow: {late: {model: late}}", "t: follow.late.model", "models:/NAME"),
        ("url: https://x\nfollow: {La te: {model: models:/a@b}}", "t: follow.La te", "match"),
        ("url: https://x\nsecret: s", "t", "secret"),
    ],
)
def test_what_is_wrong_is_named(text: str, key: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        load_tracking(text, "t")
    assert caught.value.where.startswith(key)
    assert message in str(caught.value)


def test_http_to_another_machine_has_to_be_said() -> None:
    assert load_tracking("url: http://mlflow:5000\ninsecure: true", "t").url == "http://mlflow:5000"
