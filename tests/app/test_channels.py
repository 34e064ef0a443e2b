"""The channels of a home: followed while they change, and their secrets kept from whoever need not have them."""

import logging
import os
from pathlib import Path

import pytest

from headgate.alerts.couriers.logged import LogCourier
from headgate.alerts.couriers.posted import SlackCourier
from headgate.alerts.finding import Severity
from headgate.app import up
from headgate.app.channels import FileChannels, take_secrets
from headgate.errors import BadConfiguration
from headgate.runtimes.open import THREAD_VARIABLES
from headgate.settings import Home, Settings

CHAT = "channels: {chat: {kind: slack, url: {file: /run/chat}, least: critical}}\n"


def test_a_file_is_followed_and_a_wrong_one_leaves_what_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "channels.yaml"
    channels = FileChannels(path)
    assert channels.least() == {}
    with pytest.raises(BadConfiguration, match="has no channel 'chat'"):
        channels.courier("chat")
    path.write_text(CHAT)
    assert channels.least() == {"chat": Severity.CRITICAL}
    assert isinstance(channels.courier("chat"), SlackCourier)
    assert isinstance(channels.courier("log"), LogCourier)
    with caplog.at_level(logging.ERROR):
        path.write_text("channels: {chat: {kind: pigeon}}\n")
        for _ in range(3):
            assert list(channels.read()) == ["chat"]
    assert len(caplog.messages) == 1
    assert "channels.chat.kind" in caplog.text
    with pytest.raises(BadConfiguration, match=r"channels\.chat\.kind"):
        channels.load()
    path.unlink()
    assert channels.least() == {}


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfiguration, match="cannot be read as text"):
        FileChannels(path).load()


def test_secrets_leave_the_environment_for_the_controller_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_SECRET_OPS", "hunter2")
    monkeypatch.setenv("HEADGATE_SECRET_CHAT", "https://hooks.example.com/x")
    monkeypatch.setenv("HEADGATE_HOME", "h")
    taken = take_secrets()
    assert taken == (("HEADGATE_SECRET_CHAT", "https://hooks.example.com/x"), ("HEADGATE_SECRET_OPS", "hunter2"))
    assert not any(each.startswith("HEADGATE_SECRET_") for each in os.environ)
    assert os.environ["HEADGATE_HOME"] == "h"
    controller, *others = up._fixed_children(Settings(Home(tmp_path), workers=2), None, taken)
    assert controller.name == "controller"
    one_thread = tuple((name, "1") for name in THREAD_VARIABLES)
    assert controller.environment == (*one_thread, *taken)
    assert others
    assert all(each.environment == () for each in others)
    assert not any("hunter2" in word for each in (controller, *others) for word in each.argv)


def test_nothing_is_served_with_channels_that_break_a_rule(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "channels.yaml").write_text("channels: {log: {}}\n")
    with pytest.raises(BadConfiguration, match="'log'"):
        up.up(Settings(Home(tmp_path / "h"), grpc_port=0), said=lambda _: None)
