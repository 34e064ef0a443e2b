"""What is said on the command line of a serving verb reaches it as one value of settings."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headgate.settings import Home, Settings

SHARED = ("--home", "h", "--host", "::1", "--seal-interval", "0.5", "--replay")
EXPECTED = {"home": Home(Path("h")), "host": "::1", "seal_interval": 0.5, "replay": True}
GATEWAY = ("--port", "1", "--commit-interval", "0.25", "--segment-bytes", "65536", "--body-limit", "2048")
NUMBERS = {"port": 1, "commit_interval": 0.25, "segment_bytes": 65536, "body_limit": 2048}


CASES: dict[str, tuple[str, tuple[str, ...], dict[str, Any], list[Any]]] = {
    "up": (
        "up",
        (*GATEWAY, "--control-port", "2", "--metrics-port", "3", "--workers", "4", "--store", "s"),
        {**NUMBERS, "control_port": 2, "metrics_port": 3, "workers": 4},
        ["s"],
    ),
    "gateway": (
        "run_gateway",
        (*GATEWAY, "--queue-rows", "9", "--index", "5", "--workers", "4"),
        {**NUMBERS, "queue_rows": 9, "workers": 4},
        [5],
    ),
    "controller": ("run_controller", ("--control-port", "2", "--store", "s"), {"control_port": 2}, ["s"]),
}
"""By verb: what it calls, words of its command line, the settings they make, and what it is told beside them."""


@pytest.mark.parametrize("verb", CASES)
def test_every_setting_reaches_the_verb(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    called, words, expected, others = CASES[verb]
    told: list[Any] = []
    module = importlib.import_module(f"headgate.cli.{verb}")
    monkeypatch.setattr(module, called, lambda *values, **named: told.extend([*values, *named.values()]))
    done = CliRunner().invoke(module.command, [*SHARED, *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert told[0] == Settings(**{**EXPECTED, **expected})
    assert [each for each in told[1:] if not callable(each)] == others


@pytest.mark.parametrize("verb", CASES)
def test_what_is_not_said_has_the_default_of_its_setting(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    told: list[Any] = []
    module = importlib.import_module(f"headgate.cli.{verb}")
    monkeypatch.setattr(module, CASES[verb][0], lambda settings, *_values, **_named: told.append(settings))
    done = CliRunner().invoke(module.command, ["--home", "h"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    alone: dict[str, Any] = (
        {"workers": 1} if verb == "gateway" else {}
    )  # `up` counts the cores; one process is one gateway
    assert told == [Settings(Home(Path("h")), **alone)]
