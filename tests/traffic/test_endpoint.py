"""The endpoint file: read, refused by key and rule, written back, drafted."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.alerts.finding import Severity
from headgate.alerts.rule import Rule
from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadConfiguration
from headgate.traffic.endpoint import (
    EndpointSpec,
    JournalWords,
    Share,
    Slo,
    Split,
    draft_endpoint,
    dump_endpoint,
    load_endpoint,
)
from headgate.traffic.retrained import Automl, RecipeWords, RetrainingWords
from headgate.traffic.traffic import Capture, Member, Policy, Resources, Traffic
from headgate.vocabulary import DAY, SECOND, Ack, Micros, OnFailure, Task

CONTRACT = Contract((Field("distance", Kind.NUMBER, unit="miles"),), Output(Task.BINARY, "late", (False, True), True))
FULL = """\
endpoint: flight-delay
project: airline
model: flight-delay@champion
why: desks rebook earlier
slo: {latency_p99_ms: 50, requests_per_second: 200.5}
resources: {memory_mb: 512, call_seconds: 1.5}
journal: {ack: buffered, on_failure: answer}
capture: {sampling_percent: 50, redact: [distance]}
deadline_ms: 500
label_maturity: 2d
retention: 400d
traffic:
  split:
  - {version: flight-delay:1, weight: 0.9}
  - {version: flight-delay:2, weight: 0.1}
  sticky_key: customer
contract:
  fields:
  - {name: distance, kind: number, unit: miles}
  output: {task: binary, label: late, classes: [false, true], probability: true}
"""
SPEC = EndpointSpec(
    endpoint="flight-delay",
    model="flight-delay@champion",
    project="airline",
    why="desks rebook earlier",
    slo=Slo(50.0, 200.5),
    resources=Resources(512, 1.5),
    journal=JournalWords(Ack.BUFFERED, OnFailure.ANSWER),
    capture=Capture(50.0, None, ["distance"]),
    deadline_ms=500,
    label_maturity="2d",
    retention="400d",
    traffic=Split([Share("flight-delay:1", 0.9), Share("flight-delay:2", 0.1)], "customer"),
    contract=CONTRACT,
)
SHORT = "endpoint: late\nmodel: flight-delay\n"


def test_every_key_is_read() -> None:
    spec = load_endpoint(FULL, "endpoint.yaml")
    assert spec == SPEC
    assert spec.retention_days == 400
    assert spec.policy == Policy(
        Ack.BUFFERED,
        OnFailure.ANSWER,
        500,
        Capture(50.0, None, ["distance"]),
        label_maturity_s=172800.0,
        latency_p99_ms=50.0,
    )


def test_two_keys_are_enough() -> None:
    spec = load_endpoint(SHORT, "endpoint.yaml")
    assert spec == EndpointSpec(endpoint="late", model="flight-delay")
    assert (spec.project, spec.retention_days, spec.policy) == ("default", None, Policy())


def test_a_file_is_written_back_without_defaults() -> None:
    assert dump_endpoint(load_endpoint(SHORT, "x")) == SHORT
    assert load_endpoint(dump_endpoint(SPEC), "x") == SPEC
    assert "journal" not in dump_endpoint(EndpointSpec(endpoint="late", model="m", retention="1d"))


@given(
    st.builds(
        EndpointSpec,
        endpoint=st.from_regex("[a-z0-9-]{1,63}", fullmatch=True),
        model=st.sampled_from(["m", "m:3", "m@champion", "1", "no", "0x1f"]),
        why=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
        slo=st.builds(Slo, st.none() | st.floats(1e-6, 1e9), st.none() | st.integers(1, 10).map(float)),
        capture=st.builds(Capture, st.floats(0, 100), st.none() | st.just(["distance"]), st.just([])),
        retention=st.sampled_from([None, "1d", "48h"]),
        contract=st.sampled_from([None, CONTRACT]),
    )
)
def test_what_is_written_is_read_back(spec: EndpointSpec) -> None:
    assert load_endpoint(dump_endpoint(spec), "x") == spec


@pytest.mark.parametrize("model", ["m", "flight-delay:3", "flight-delay@champion", "1"])
def test_models_are_named_in_three_ways(model: str) -> None:
    assert load_endpoint(f"endpoint: late\nmodel: '{model}'\n", "x").model == model


def test_retention_none_keeps_everything() -> None:
    assert load_endpoint(SHORT + "retention: none\n", "x").retention_days is None
    assert load_endpoint(SHORT + "retention: 48h\n", "x").retention_days == 2


NAME = "must match [a-z0-9-]{1,63}: small letters, digits and hyphens, at most 63"
MODEL = "must be a name, name:number or name@alias of small letters, digits and hyphens"
BAD: dict[str, tuple[str, str, str]] = {
    "not a mapping": ("- a\n", "", "holds no mapping of keys; begin with endpoint: and model:"),
    "empty": ("", "", "holds no mapping of keys; begin with endpoint: and model:"),
    "no model": ("endpoint: late\n", "", "object missing required field `model`"),
    "unknown key": (SHORT + "modell: x\n", "", "object contains unknown field `modell`"),
    "unknown inside": (SHORT + "slo: {latency: 3}\n", ": slo", "object contains unknown field `latency`"),
    "wrong type": (
        SHORT + "slo: {latency_p99_ms: fast}\n",
        ": slo.latency_p99_ms",
        "expected `float | null`, got `str`",
    ),
    "unknown word": (SHORT + "journal: {ack: maybe}\n", ": journal.ack", "invalid enum value 'maybe'"),
    "replicated": (SHORT + "journal: {ack: replicated}\n", ": journal.ack", "invalid enum value 'replicated'"),
    "endpoint name": ("endpoint: Late\nmodel: m\n", ": endpoint", NAME),
    "long name": (f"endpoint: {'x' * 64}\nmodel: m\n", ": endpoint", NAME),
    "newline in a name": ('endpoint: "late\\n"\nmodel: m\n', ": endpoint", NAME),
    "project name": (SHORT + "project: a_b\n", ": project", NAME),
    "version zero": ("endpoint: late\nmodel: m:0\n", ": model", MODEL),
    "empty alias": ("endpoint: late\nmodel: m@\n", ": model", MODEL),
    "too long": (SHORT + "deadline_ms: 86400001\n", ": deadline_ms", "must be at most 86400000, a day"),
    "no time": (SHORT + "deadline_ms: 0\n", ": deadline_ms", "must be above 0"),
    "no rate": (SHORT + "slo: {requests_per_second: -1}\n", ": slo.requests_per_second", "must be above 0"),
    "no memory": (SHORT + "resources: {memory_mb: 0}\n", ": resources.memory_mb", "must be above 0"),
    "no time for a call": (SHORT + "resources: {call_seconds: 0}\n", ": resources.call_seconds", "must be above 0"),
    "another limit": (
        SHORT + "resources: {seconds: 1}\n",
        ": resources",
        "object contains unknown field `seconds`",
    ),
    "share of requests": (
        SHORT + "capture: {sampling_percent: 101}\n",
        ": capture.sampling_percent",
        "must lie between 0 and 100",
    ),
    "maturity": (
        SHORT + "label_maturity: 2 days\n",
        ": label_maturity",
        "is no duration; write a whole number and s, m, h or d, such as 30s, 10m or 2d",
    ),
    "maturity as number": (SHORT + "label_maturity: 2\n", ": label_maturity", "expected `str`, got `int`"),
    "retention": (
        SHORT + "retention: long\n",
        ": retention",
        "is no duration; write a whole number and s, m, h or d, such as 30s, 10m or 2d, or none",
    ),
    "part of a day": (
        SHORT + "retention: 36h\n",
        ": retention",
        "must be whole days, at least one, such as 400d, or none",
    ),
    "no day": (SHORT + "retention: 0d\n", ": retention", "must be whole days, at least one, such as 400d, or none"),
    "weights": (
        SHORT + "traffic: {split: [{version: m:1, weight: 0.9}]}\n",
        ": traffic.split",
        "weights must sum to 1",
    ),
    "no members": (SHORT + "traffic: {split: []}\n", ": traffic.split", "weights must sum to 1"),
    "weight": (
        SHORT + "traffic: {split: [{version: m:1, weight: 1.5}, {version: m:2, weight: -0.5}]}\n",
        ": traffic.split[0].weight",
        "must lie between 0 and 1",
    ),
    "weight missing": (
        SHORT + "traffic: {split: [{version: m:1}]}\n",
        ": traffic.split[0]",
        "object missing required field `weight`",
    ),
    "version": (
        SHORT + "traffic: {split: [{version: m@champion, weight: 1}]}\n",
        ": traffic.split[0].version",
        "must be a model's name, a colon and a version number, such as name:3",
    ),
    "twice": (
        SHORT + "traffic: {split: [{version: m:1, weight: 0.5}, {version: m:1, weight: 0.5}]}\n",
        ": traffic.split[1].version",
        "'m:1' stands in the split already",
    ),
    "empty key": (
        SHORT + "traffic: {split: [{version: m:1, weight: 1}], sticky_key: ''}\n",
        ": traffic.sticky_key",
        "must name a field or request key, or be null",
    ),
    "forced": (
        SHORT + "forced: [m]\n",
        ": forced[0]",
        "must be a model's name, a colon and a version number, such as name:3",
    ),
    "contract": (
        SHORT + "contract: {fields: [{name: x, kind: float}]}\n",
        ": contract: fields[0].kind",
        "invalid enum value 'float'",
    ),
    "captured field": (
        SHORT + "contract: {fields: [{name: x, kind: number}]}\ncapture: {redact: [y]}\n",
        ": capture.redact[0]",
        "'y' is no field of the contract",
    ),
    "key twice": (SHORT + "model: other\n", " line 3", "'model' stands here twice"),
}


@pytest.mark.parametrize(("text", "key", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_by_key_and_rule(text: str, key: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(text, "endpoint.yaml")
    assert refused.value.where == f"endpoint.yaml{key}"
    assert str(refused.value) == f"endpoint.yaml{key}: {message}"


def test_ten_tenths_are_one() -> None:
    shares = "".join(f"  - {{version: m:{i + 1}, weight: 0.1}}\n" for i in range(10))
    spec = load_endpoint(f"{SHORT}traffic:\n  split:\n{shares}", "x")
    assert spec.traffic is not None
    assert len(spec.traffic.split) == 10


def test_a_draft_is_a_legal_file_with_a_word_on_every_key() -> None:
    draft = draft_endpoint(CONTRACT, endpoint="late", model="flight-delay", reference_name="flights {2013}.csv")
    spec = load_endpoint(draft, "endpoint.yaml")
    assert (spec.endpoint, spec.model, spec.contract) == ("late", "flight-delay", CONTRACT)
    assert spec.slo == Slo(50.0, 100.0)
    assert spec.policy == Policy(latency_p99_ms=50.0)
    assert all(
        f"\n{name}:" in f"\n{draft}"
        for name in EndpointSpec.__struct_fields__
        if name not in ("project", "retraining", "traffic", "forced")
    )
    assert "# Inferred from flights {2013}.csv;" in draft
    assert "  # What the model expects of each row." in draft


def test_the_split_suggested_in_a_draft_is_legal_too() -> None:
    draft = draft_endpoint(CONTRACT, endpoint="late", model="m", reference_name="x")
    lines = draft.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("# traffic:"))
    lines[begin : begin + 6] = [line.removeprefix("# ") for line in lines[begin : begin + 6]]
    spec = load_endpoint("\n".join(lines), "x")
    assert spec.traffic == Split([Share("name:1", 0.9), Share("name:2", 0.1)])


def test_the_retraining_suggested_in_a_draft_is_what_its_defaults_are() -> None:
    draft = draft_endpoint(CONTRACT, endpoint="late", model="m", reference_name="x")
    lines = draft.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("# retraining:"))
    lines[begin : begin + 7] = [line.removeprefix("# ") for line in lines[begin : begin + 7]]
    spec = load_endpoint("\n".join(lines), "x")
    assert spec.retraining == RetrainingWords(recipe=RecipeWords(automl=Automl()))


def test_a_draft_for_a_bad_name_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="endpoint: must match"):
        draft_endpoint(CONTRACT, endpoint="Late", model="m", reference_name="x")


LIMITS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "deadline_ms": ("deadline_ms: 86400000\n", lambda spec: spec.deadline_ms == 86_400_000),
    "all of it": (
        "traffic: {split: [{version: m:1, weight: 1.0}, {version: m:2, weight: 0.0}]}\n",
        lambda spec: [each.weight for each in spec.traffic.split] == [1.0, 0.0],
    ),
    "nothing kept": ("capture: {sampling_percent: 0}\n", lambda spec: spec.capture.sampling_percent == 0),
    "everything kept": ("capture: {sampling_percent: 100}\n", lambda spec: spec.capture.sampling_percent == 100),
    "shortest": ("deadline_ms: 1\nresources: {memory_mb: 1}\n", lambda spec: spec.deadline_ms == 1),
    "a day": ("retention: 1d\n", lambda spec: spec.retention_days == 1),
    "forced": ("forced: ['m:1', 'other-model:12']\n", lambda spec: spec.forced == ["m:1", "other-model:12"]),
    "nearly one": (
        "traffic: {split: [{version: m:1, weight: 0.3333333333}, {version: m:2, weight: 0.6666666667}]}\n",
        lambda spec: len(spec.traffic.split) == 2,
    ),
}


@pytest.mark.parametrize(("more", "holds"), LIMITS.values(), ids=LIMITS)
def test_the_edge_of_a_rule_is_legal(more: str, holds: Callable[[Any], bool]) -> None:
    assert holds(load_endpoint(SHORT + more, "x"))


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("slo: {latency_p99_ms: 0}\n", "slo.latency_p99_ms"),
        ("slo: {latency_p99_ms: .inf}\n", "slo.latency_p99_ms"),
        ("slo: {requests_per_second: .nan}\n", "slo.requests_per_second"),
        ("capture: {sampling_percent: .nan}\n", "capture.sampling_percent"),
        ("capture: {sampling_percent: -1}\n", "capture.sampling_percent"),
        ("traffic: {split: [{version: m:1, weight: .nan}]}\n", "traffic.split[0].weight"),
        ("traffic: {split: [{version: m:1, weight: 0.999999}]}\n", "traffic.split"),
        ("forced: ['m:1', 'm:0']\n", "forced[1]"),
        ("contract: {fields: [{name: x, kind: number}]}\ncapture: {fields: [x, y]}\n", "capture.fields[1]"),
        ("retention: 25h\n", "retention"),
        ("retention: 23h\n", "retention"),
    ],
)
def test_just_beyond_it_is_not(more: str, key: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(SHORT + more, "x")
    assert refused.value.where == f"x: {key}"


def test_a_draft_keeps_the_empty_lines_between_what_it_explains() -> None:
    draft = draft_endpoint(CONTRACT, endpoint="late", model="m", reference_name="x")
    assert not any(line != line.rstrip() for line in draft.splitlines())
    assert "\n\n\n" not in draft


@pytest.mark.parametrize(("endpoint", "model"), [("Late", "m"), ("late", "m:0"), ("", "m")])
def test_a_draft_for_an_illegal_name_is_refused_before_anybody_edits_it(endpoint: str, model: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        draft_endpoint(CONTRACT, endpoint=endpoint, model=model, reference_name="x")
    assert refused.value.where in ("endpoint", "model")


def test_a_member_is_found_by_its_version() -> None:
    members = [Member("m:1", "sha256:1", 0.5), Member("m:2", "sha256:2", 0.5)]
    traffic = Traffic("default", "e", 1, "m:1", members, "salt")
    assert traffic.member("m:2") is members[1]
    assert traffic.member("m:3") is None


def test_what_a_file_says_of_alerts() -> None:
    assert load_endpoint(SHORT, "endpoint.yaml").alert_rule == Rule()
    words = "alerts: {channels: [ops], least: critical, cooldown: 30m, over_after: 2d}\n"
    spec = load_endpoint(SHORT + words, "endpoint.yaml")
    assert spec.alert_rule == Rule(("ops",), Severity.CRITICAL, Micros(1800 * SECOND), Micros(2 * DAY))
    assert load_endpoint(dump_endpoint(spec), "endpoint.yaml") == spec
    nobody = load_endpoint(f"{SHORT}alerts: {{channels: []}}\n", "endpoint.yaml")
    assert nobody.alert_rule.channels == ()


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("channels: [Ops]", ": alerts.channels[0]"),
        ("channels: ops", ": alerts.channels"),
        ("least: loud", ": alerts.least"),
        ("cooldown: 30s", ": alerts.cooldown"),
        ("cooldown: often", ": alerts.cooldown"),
        ("over_after: 0d", ": alerts.over_after"),
        ("secret: hunter2", ": alerts"),
    ],
)
def test_what_a_file_may_not_say_of_alerts(words: str, where: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(f"{SHORT}alerts: {{{words}}}\n", "endpoint.yaml")
    assert refused.value.where == f"endpoint.yaml{where}"
    assert "hunter2" not in str(refused.value)
