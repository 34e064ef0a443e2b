import json
import re
from pathlib import Path

import pytest
from benchmarks.load import Row
from benchmarks.memory import Sample, growth
from benchmarks.peers import report, servers
from benchmarks.peers.environment import PINS, pins
from benchmarks.size import packages

from benchmarks import __main__ as bench

KIND = "boosting"


def figure(server: str, rate: float, *, share: float = 1.0, generator: float = 0.3, errors: int = 0) -> report.Figure:
    row = Row(rate, 1.0, 2.0, errors, share, generator)
    return report.figure(KIND, "mlserver", server, 64, [(row, 1024)])


def judged(*figures: report.Figure, failed: dict[str, str] | None = None) -> dict[str, report.Gate]:
    found = list(report.ratios(list(figures)))
    every = report.gates("mlserver", list(figures), found, failed or {})
    return {each.says.split()[1]: each for each in every}


def test_promises_are_kept_when_both_ratios_are_large_enough() -> None:
    gates = judged(figure("mlserver", 1000), figure("buffered", 15_000), figure("durable", 8_000))
    assert {name: (gate.value, gate.ok) for name, gate in gates.items()} == {
        "buffered": (15.0, True),
        "durable": (8.0, True),
    }
    assert not judged(figure("mlserver", 1000), figure("buffered", 14_990), figure("durable", 1))["buffered"].ok


def test_a_peer_that_was_partly_idle_is_credited_with_the_rest_of_its_core() -> None:
    gates = judged(figure("mlserver", 1000, share=0.5), figure("buffered", 20_000), figure("durable", 20_000))
    assert gates["buffered"].value == 10.0
    assert (gates["buffered"].ok, gates["durable"].ok) == (False, True)


@pytest.mark.parametrize(
    ("theirs", "ours", "why"),
    [
        (figure("mlserver", 10, generator=0.9), figure("buffered", 9000), "wrk held mlserver back"),
        (figure("mlserver", 10, errors=1), figure("buffered", 9000), "mlserver answered with errors"),
        (figure("mlserver", 10), figure("buffered", 9000, errors=2), "Headgate answered with errors"),
    ],
)
def test_a_figure_that_is_not_the_servers_own_keeps_no_promise(
    theirs: report.Figure, ours: report.Figure, why: str
) -> None:
    gate = judged(theirs, ours, figure("durable", 1))["buffered"]
    assert (gate.ok, gate.why) == (False, why)


def test_a_peer_that_failed_keeps_no_promise_and_is_named() -> None:
    gates = judged(failed={"mlserver": "pip install failed"})
    assert [(each.value, each.ok, each.why) for each in gates.values()] == [(None, False, "pip install failed")] * 2
    whole = {"failed": {"mlserver": "pip install failed"}, "peers": {}, "machine": {}}
    text = report.markdown(whole, [], [], list(gates.values()))
    assert "**Not measured:** mlserver: pip install failed" in text
    assert text.count("MISSED") == 2


def test_rows_are_medians_and_say_what_limited_them() -> None:
    runs = [(Row(rate, rate, 9.0, 0, share, 0.1), 2048) for rate, share in ((3.0, 0.99), (1.0, 0.2), (2.0, 0.96))]
    found = report.figure(KIND, "mlserver", "mlserver", 1, runs)
    assert (found.rate, found.p50_ms, found.server_share, found.limit) == (2.0, 2.0, 0.96, "server")
    assert (found.runs, found.resident_mb) == (3, 2.0)
    assert figure("x", 1, share=0.5).limit == "waiting"
    assert figure("x", 1, share=0.99, generator=0.81).limit == "generator"
    assert figure("x", 1, errors=1).limit == "errors"


@pytest.mark.parametrize("peer", servers.PEERS, ids=lambda each: str(each.name))
def test_pins_are_names_and_versions_and_name_no_host(peer: servers.Peer) -> None:
    lines = (PINS / f"{peer.package}.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+", line) for line in lines)
    assert {peer.package, "scikit-learn", "numpy"} <= pins(peer.package).keys()


def test_mlserver_is_pinned_below_the_uvloop_it_breaks_on() -> None:
    assert tuple(map(int, pins("mlserver")["uvloop"].split(".")[:2])) < (0, 22)


@pytest.mark.parametrize("peer", servers.PEERS, ids=lambda each: str(each.name))
def test_every_peer_is_sent_every_value_of_every_row(peer: servers.Peer) -> None:
    rows = [[0.5, 1.25], [2.5, 3.75]]
    text = json.dumps(peer.body(rows))
    assert [float(each) for each in re.findall(r"\d+\.\d+", text)] == [0.5, 1.25, 2.5, 3.75]


def test_growth_is_a_slope_after_the_warm_up_whatever_the_last_sample_says() -> None:
    steady = [Sample(at * 1_000_000, 80.0 + at, 1.0) for at in range(1, 6)]
    assert growth([Sample(1000, 500.0, 1.0), *steady], 500_000) == 1.0
    with pytest.raises(RuntimeError, match="let it run longer"):
        growth(steady, 4_500_000)


def test_sizes_count_a_file_with_two_names_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(bytes(8192))
    (tmp_path / "b").hardlink_to(tmp_path / "a" / "one")
    assert sum(packages(tmp_path).values()) == 8192


def test_the_printed_table_of_the_journal_becomes_rows() -> None:
    said = "append 16 kB alone\nack callers\ndurable   1  2678  332  627  17.84  1.0\n"
    (row,), gates = bench.journal_rows(said)
    assert (row["ack"], row["callers"], row["records_per_s"], row["records_per_commit"], gates) == (
        "durable", 1.0, 2678.0, 1.0, [],
    )  # fmt: skip


def test_join_and_months_are_judged_together(tmp_path: Path) -> None:
    join = [{"what": "sealed_join_s", "value": 1.5}, {"what": "compacted_join_s", "value": 1.2}]
    months = [{"what": "windows of ten months", "median_s": 0.6}]
    (tmp_path / "join.json").write_text(json.dumps({"rows": join, "gates": []}))
    (tmp_path / "windows.json").write_text(json.dumps({"rows": months, "gates": []}))
    parts = [each for each in bench.PARTS if each.name in ("join", "windows")]
    (gate,) = bench.gather(tmp_path, parts)
    assert (gate["value"], gate["ok"]) == (2.1, False)


def test_a_benchmark_that_measured_nothing_keeps_no_promise(tmp_path: Path) -> None:
    (tmp_path / "serving.json").write_text(json.dumps({"ungated": "wrk is not installed"}))
    (gate,) = bench.gather(tmp_path, [each for each in bench.PARTS if each.name == "serving"])
    assert (gate["ok"], "wrk" in gate["says"]) == (False, True)
