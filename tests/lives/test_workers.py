"""Two workers are one gateway: the same key gets the same version from both, and their counters are one account."""

import json
from pathlib import Path
from typing import Final

from headgate.testing.callers import Acknowledged, Callers
from headgate.testing.installation import Installation

KEYS: Final = [f"caller-{number}" for number in range(300)]
CONNECTIONS: Final = 12
"""Each is given to a worker by the kernel: that all go to one has a chance of one in 2048."""
Arms = dict[str, str]
"""The version that answers each key."""


def given_a_split(installation: Installation, weight: float) -> None:
    """`weight` of the callers go to the second version, and keep their version by their key."""
    installation.serve("late", {"linear:1": 1 - weight, "linear:2": weight}, more="  sticky_key: caller\n")


def arms(installation: Installation) -> Arms:
    """Who answers whom, asked on many connections; the test fails when two answers differ."""
    body = json.dumps({"rows": [Callers.row(number) for number in range(len(KEYS))], "keys": KEYS}).encode()
    found: list[Arms] = []
    for _ in range(CONNECTIONS):
        status, said = installation.post("/v1/endpoints/late/predict", body)
        assert status == 200, said
        versions = [each["version"] for each in json.loads(said)["predictions"]]
        found.append(dict(zip(KEYS, versions, strict=True)))
    assert all(each == found[0] for each in found)
    return found[0]


def of(found: Arms, version: str) -> set[str]:
    return {key for key, each in found.items() if each == version}


def test_a_caller_keeps_its_version_on_every_worker_after_a_restart_and_when_the_share_grows(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        for bias in (0.0, 1.0):
            installation.linear(bias=bias)
        given_a_split(installation, 0.3)
        installation.start()
        first = arms(installation)
        with installation.open() as hg:
            assert len({each.stream for each in hg.segments() if each.size}) == 2, "both workers were asked"
        share = len(of(first, "linear:2")) / len(KEYS)
        assert 0.2 < share < 0.4, "3.8 standard deviations around 0.3"
        assert installation.stop() == 0
        installation.start()
        assert arms(installation) == first
        given_a_split(installation, 0.6)
        installation.settled()
        grown = arms(installation)
        with installation.open() as hg:
            rows = hg.reader.joined("default", "late").select(["entity", "assigned", "probability"]).to_pylist()
    assert of(first, "linear:2") < of(grown, "linear:2")
    assert 0.49 < len(of(grown, "linear:2")) / len(KEYS) < 0.71
    # The journal says whose row it was, who was meant to answer and with what chance.
    assert len(rows) == 3 * CONNECTIONS * len(KEYS)
    chances = {(row["assigned"], round(row["probability"], 9)) for row in rows}
    assert chances == {("linear:1", 0.7), ("linear:2", 0.3), ("linear:1", 0.4), ("linear:2", 0.6)}
    assert {row["entity"] for row in rows} == set(KEYS)


def asked(installation: Installation, requests: int) -> Acknowledged:
    with Callers(installation.port, "late", connections=16, requests=requests) as callers:
        promised = callers.finish()
    assert promised.problems == []
    assert promised.statuses == {200: requests}
    return promised


def counted(installation: Installation) -> list[float]:
    """Good replies, rows answered and labels accepted, as ``/metrics`` has them."""
    replies = installation.metric("headgate_requests_total")
    return [
        sum(value for labels, value in replies.items() if 'code="200"' in labels),
        sum(installation.metric("headgate_predictions_total").values()),
        sum(installation.metric("headgate_labels_total").values()),
    ]


def test_metrics_are_one_exact_account_also_after_a_worker_was_killed(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        told = len(asked(installation, 300).labels)
        before = [300.0 + told, 300.0, float(told)]
        # A reply may be read a moment before its gateway comes to counting it.
        installation.until(lambda: counted(installation) == before, "all is counted")
        for victim in ("gateway 0", "gateway 1"):
            installation.kill(victim)
            installation.settled()
            assert counted(installation) == before, "what a dead worker counted still counts"
        told += len(asked(installation, 200).labels)
        after = [500.0 + told, 500.0, float(told)]
        installation.until(lambda: counted(installation) == after, "all is counted once")
