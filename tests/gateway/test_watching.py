"""Alerts and the dashboard speak of metrics that exist, are what Prometheus takes, and ring when they should."""

import json
import re
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from headgate.cli.metrics import command
from headgate.gateway.metrics.alerts import ALERTS, rule_file
from headgate.gateway.metrics.dashboard import dashboard, shown
from headgate.gateway.metrics.families import FAMILIES, Kind
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation, exchange, free_ports

OF_PROMETHEUS = {"instance", "job", "le"}
LABELS = {label for each in FAMILIES.values() for label in each.labels} | OF_PROMETHEUS


def printed(what: str) -> str:
    done = CliRunner().invoke(command, [what])
    assert done.exit_code == 0
    return done.output


def queries() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]


def test_every_metric_of_an_alert_or_a_panel_exists() -> None:
    for each in [*(alert.when for alert in ALERTS), *queries()]:
        assert shown(each), each
        assert shown(each) <= FAMILIES.keys()
    variables = json.dumps(dashboard()["templating"])
    assert shown(variables) <= FAMILIES.keys()


def test_every_metric_is_on_the_dashboard() -> None:
    assert shown(" ".join(queries())) == FAMILIES.keys()


def test_every_label_of_a_query_exists() -> None:
    for each in [*(alert.when for alert in ALERTS), *queries()]:
        grouped = re.findall(r"\b(?:by|on) \(([a-z, ]+)\)", each)
        matched = re.findall(r"([a-z_]+)=~?[\"']", each)
        assert {label.strip() for group in grouped for label in group.split(",")} | set(matched) <= LABELS, each


def test_only_counters_are_asked_how_they_grow() -> None:
    for each in [*(alert.when for alert in ALERTS), *queries()]:
        for grows in re.findall(r"(?:rate|increase)\((headgate_[a-z0-9_]+)", each):
            (name,) = shown(grows)
            assert FAMILIES[name].kind in (Kind.COUNTER, Kind.HISTOGRAM), each


def test_alerts_say_what_is_wrong_and_what_to_do() -> None:
    assert len({each.name for each in ALERTS}) == len(ALERTS)
    for each in ALERTS:
        assert each.severity in ("critical", "warning")
        assert each.summary.endswith(".")
        assert each.todo.endswith(".")
        marks = re.findall(r"\$labels\.([a-z]+)", each.summary + each.todo)
        by = re.search(r"\b(?:by|on) \(([a-z, ]+)\)", each.when)
        assert set(marks) <= ({"instance"} if by is None else {label.strip() for label in by[1].split(",")})


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))


def test_the_verb_prints_both() -> None:
    assert yaml.safe_load(printed("rules")) == rule_file()
    assert json.loads(printed("dashboard")) == json.loads(json.dumps(dashboard()))


# --- with Prometheus' own programs

WHERE = 'project="default",endpoint="e",instance="i"'
CASES: dict[str, dict[str, str]] = {
    "HeadgateAbsent": {},
    "HeadgateErrors": {
        f'headgate_requests_total{{{WHERE},code="200"}}': "0+100x60",
        f'headgate_requests_total{{{WHERE},code="503"}}': "0+5x60",
    },
    "HeadgateSlow": {
        f"headgate_slo_latency_seconds{{{WHERE}}}": "0.05x60",
        f'headgate_request_duration_seconds_bucket{{{WHERE},le="0.05"}}': "0+90x60",
        f'headgate_request_duration_seconds_bucket{{{WHERE},le="0.1"}}': "0+100x60",
        f'headgate_request_duration_seconds_bucket{{{WHERE},le="+Inf"}}': "0+100x60",
    },
    "HeadgateJournalUnwritable": {'headgate_journal_unwritable{instance="i"}': "1x60"},
    "HeadgateJournalSlow": {
        'headgate_journal_commit_seconds_bucket{instance="i",le="0.1"}': "0+1x60",
        'headgate_journal_commit_seconds_bucket{instance="i",le="0.5"}': "0+9x60",
        'headgate_journal_commit_seconds_bucket{instance="i",le="+Inf"}': "0+9x60",
    },
    "HeadgateUnremembered": {f"headgate_unjournalled_total{{{WHERE}}}": "0x30 1x30"},
    "HeadgateRowsRefused": {f'headgate_contract_violations_total{{{WHERE},field="a",rule="type"}}': "0+7x60"},
    "HeadgateFallbacks": {
        f'headgate_fallbacks_total{{{WHERE},version="m:2",reason="late"}}': "0+5x60",
        f'headgate_predictions_total{{{WHERE},version="m:1",role="live"}}': "0+100x60",
    },
    "HeadgateQueueNearLimit": {
        f"headgate_in_flight{{{WHERE}}}": "15x60",
        'headgate_queue_limit{instance="i"}': "16x60",
    },
    "HeadgateOverloaded": {f'headgate_rejected_total{{{WHERE},reason="Overloaded"}}': "0+1x60"},
    "HeadgateProcessDied": {'headgate_process_deaths_total{instance="i",process="host"}': "0x30 1x30"},
    "HeadgateProcessKeepsDying": {'headgate_process_deaths_total{instance="i",process="host"}': "0x30 0+1x30"},
    "HeadgateDiskFilling": {
        'headgate_disk_free_bytes{instance="i"}': "9x60",
        'headgate_disk_size_bytes{instance="i"}': "100x60",
    },
    "HeadgateDiskFull": {
        'headgate_disk_free_bytes{instance="i"}': "1x60",
        'headgate_disk_size_bytes{instance="i"}': "100x60",
    },
    "HeadgateRevisionsDiffer": {
        f"headgate_traffic_revision{{{WHERE}}}": "3x60",
        'headgate_traffic_revision{project="default",endpoint="e",instance="j"}': "4x60",
    },
    "HeadgateAlertStands": {f'headgate_alerts_standing{{{WHERE},severity="critical"}}': "1x60"},
    "HeadgateMonitorAlarms": {f'headgate_monitor_standing{{{WHERE},monitor="risk",standing="alarm"}}': "1x60"},
    "HeadgateMonitorBroken": {f'headgate_monitor_standing{{{WHERE},monitor="risk",standing="broken"}}': "1x60"},
    "HeadgateAlertUndelivered": {
        'headgate_alert_deliveries_total{instance="i",channel="ops",outcome="given_up"}': "0x30 1x30"
    },
    "HeadgateMetricsDropped": {'headgate_metrics_dropped_total{instance="i"}': "0x30 2x30"},
}
"""What rings each alert after three quarters of an hour, a sample a minute."""
WELL = {
    'headgate_build_info{instance="i"}': "1x60",
    f'headgate_requests_total{{{WHERE},code="200"}}': "0+1000x60",
    f'headgate_requests_total{{{WHERE},code="503"}}': "0+1x60",
    f"headgate_slo_latency_seconds{{{WHERE}}}": "0.1x60",
    f'headgate_request_duration_seconds_bucket{{{WHERE},le="0.05"}}': "0+100x60",
    f'headgate_request_duration_seconds_bucket{{{WHERE},le="+Inf"}}': "0+100x60",
    'headgate_slo_latency_seconds{project="default",endpoint="slow",instance="i"}': "0x60",
    'headgate_request_duration_seconds_bucket{project="default",endpoint="slow",instance="i",le="0.05"}': "0x60",
    'headgate_request_duration_seconds_bucket{project="default",endpoint="slow",instance="i",le="+Inf"}': "0+100x60",
    'headgate_journal_unwritable{instance="i"}': "0x60",
    f"headgate_unjournalled_total{{{WHERE}}}": "4x60",
    f'headgate_predictions_total{{{WHERE},version="m:1",role="live"}}': "0+100x60",
    f'headgate_contract_violations_total{{{WHERE},field="a",rule="type"}}': "0+1x60",
    f'headgate_fallbacks_total{{{WHERE},version="m:2",reason="late"}}': "0x60",
    f"headgate_in_flight{{{WHERE}}}": "8x60",
    'headgate_queue_limit{instance="i"}': "16x60",
    f'headgate_rejected_total{{{WHERE},reason="Overloaded"}}': "7x60",
    'headgate_process_deaths_total{instance="i",process="host"}': "2x60",
    'headgate_disk_free_bytes{instance="i"}': "50x60",
    'headgate_disk_size_bytes{instance="i"}': "100x60",
    f"headgate_traffic_revision{{{WHERE}}}": "3x60",
    'headgate_traffic_revision{project="default",endpoint="e",instance="j"}': "3x60",
    f'headgate_alerts_standing{{{WHERE},severity="critical"}}': "0x60",
    f'headgate_alerts_standing{{{WHERE},severity="warning"}}': "3x60",
    f'headgate_monitor_standing{{{WHERE},monitor="risk",standing="alarm"}}': "0x60",
    f'headgate_monitor_standing{{{WHERE},monitor="risk",standing="broken"}}': "0x60",
    'headgate_alert_deliveries_total{instance="i",channel="ops",outcome="given_up"}': "0x60",
    'headgate_alert_deliveries_total{instance="i",channel="ops",outcome="waiting"}': "0+1x60",
    'headgate_metrics_dropped_total{instance="i"}': "0x60",
}
"""An installation with nothing wrong, an endpoint without an objective included."""


@pytest.mark.full
def test_promtool_finds_nothing_wrong_with_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(printed("rules"))
    done = subprocess.run(
        ["promtool", "check", "rules", str(tmp_path / "rules.yml")],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


@contextmanager
def asked_of_two(home: Path) -> Iterator[Installation]:
    """Two gateways that answered some callers."""
    with Installation(home, workers=2) as served:
        served.serve("e", {served.linear(): 1.0}, more="slo: {latency_p99_ms: 50}")
        served.start()
        with Callers(served.port, "e", connections=2, requests=200) as callers:
            callers.finish()
        yield served


@pytest.mark.full
def test_promtool_finds_nothing_wrong_with_a_scrape(tmp_path: Path) -> None:
    """Base units in names, counters that end in ``_total``, help for each, as Prometheus' own conventions have it."""
    with asked_of_two(tmp_path / "home") as served:
        status, page = exchange(served.metrics_port, "GET", "/metrics")
    assert status == 200
    done = subprocess.run(["promtool", "check", "metrics"], input=page, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    assert {name for name in FAMILIES if f"# TYPE {name}".encode() in page} >= {
        "headgate_requests_total",
        "headgate_in_flight",
    }


@pytest.mark.full
def test_each_alert_rings_when_it_should_and_none_when_all_is_well(tmp_path: Path) -> None:
    assert CASES.keys() == {each.name for each in ALERTS}
    (tmp_path / "rules.yml").write_text(printed("rules"))
    tests = []
    for name, series in CASES.items():
        tests.append(
            {"name": name, "interval": "1m", "input_series": _series(series), "promql_expr_test": [_rings(name)]}
        )
    quiet = {"expr": 'count(ALERTS{alertstate="firing"})', "eval_time": "45m", "exp_samples": []}
    tests.append({"name": "well", "interval": "1m", "input_series": _series(WELL), "promql_expr_test": [quiet]})
    (tmp_path / "tests.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _series(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in given.items()]


def _rings(name: str) -> dict[str, Any]:
    # `for: 0m` alerts look back a quarter of an hour, so ten minutes after the thirtieth they still ring.
    query = f'count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}})'
    return {"expr": query, "eval_time": "40m", "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}]}


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[int]:
    """A real Prometheus that scrapes `target` every second and evaluates the rules; its port."""
    (port,) = free_ports(1)
    (folder / "rules.yml").write_text(printed("rules"))
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "headgate", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    words = [
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *words], cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def asked(port: int, path: str, **words: str) -> Any:
    status, body = exchange(port, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(words)}")
    return json.loads(body) if status in (200, 400, 422) else {"status": f"{status}"}


@pytest.mark.full
def test_a_real_prometheus_scrapes_evaluates_and_rings(tmp_path: Path) -> None:
    with asked_of_two(tmp_path / "home") as served, prometheus(tmp_path, served.metrics_port) as port:

        def told(query: str) -> Any:
            return asked(port, "query", query=query).get("data", {}).get("result", [])

        served.until(lambda: bool(told("headgate_build_info == 1")), "Prometheus has scraped")
        for query in queries():
            for mark, value in {
                "$project": ".*",
                "$endpoint": ".*",
                "$instance": ".*",
                "$__rate_interval": "5m",
            }.items():
                query = query.replace(mark, value)  # noqa: PLW2901
            answer = asked(port, "query", query=query)
            assert answer["status"] == "success", (query, answer)
        for name in (
            "headgate_slo_latency_seconds == 0.05",
            "headgate_disk_free_bytes > 0",
            "headgate_queue_limit > 0",
        ):
            assert told(name), name
        served.kill("gateway 0")
        ringing = 'ALERTS{alertname="HeadgateProcessDied",alertstate="firing",process="gateway"}'
        served.until(lambda: bool(told(ringing)), "the death of a gateway rings")
        rules = [rule for group in asked(port, "rules")["data"]["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in rules} == {each.name for each in ALERTS}
        assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
        firing = {rule["name"] for rule in rules if rule["state"] == "firing"}
        assert firing - {"HeadgateDiskFilling", "HeadgateDiskFull"} == {"HeadgateProcessDied"}
