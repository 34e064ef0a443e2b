"""Evidently-style presets: what they become here, option by option; and what is no such file."""

from typing import Any

import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadConfiguration
from headgate.traffic.takeover.presets import PRESETS, take_presets
from headgate.traffic.watched import Compared, MonitorWords
from headgate.vocabulary import Task

CLASSES = Contract((Field("fee", Kind.NUMBER),), Output(Task.BINARY, classes=("no", "yes")))
NUMBERS = Contract((Field("fee", Kind.NUMBER),), Output(Task.REGRESSION))


def became(document: object, contract: Contract = CLASSES) -> dict[str, str]:
    return {each.key: each.became.value for each in take_presets(document, contract).entries}


def test_drift_compares_inputs_and_every_option_is_accounted_for() -> None:
    options = {
        "columns": ["fee", "age"],
        "drift_share": 0.3,
        "num_method": "psi",
        "cat_stattest": "jensenshannon",
        "per_column_threshold": {"fee": 0.2},
        "stattest_threshold": 0.1,
        "embeddings": None,
        "include_tests": True,
        "colour": "red",
    }
    found = take_presets([{"DataDriftPreset": options}], CLASSES)
    assert found.monitors == MonitorWords(reference=Compared.PACKAGE)
    assert {each.key.removeprefix("presets[0]"): each.became.value for each in found.entries} == {
        "": "taken",
        ".columns[0]": "already so",
        ".columns[1]": "not taken",
        ".drift_share": "not taken",
        ".num_method": "not taken",
        ".cat_stattest": "not taken",
        ".per_column_threshold": "not taken",
        ".stattest_threshold": "not taken",
        ".embeddings": "not taken",
        ".include_tests": "already so",
        ".colour": "not taken",
    }
    says = {each.key: each.says for each in found.entries}
    assert "false_alarms" in says["presets[0].num_method"]
    assert "no option that is known" in says["presets[0].colour"]
    assert all(says.values())


def test_quality_and_the_metrics_of_the_models_task_are_watched_already() -> None:
    document = ["DataSummaryPreset", "DataQualityPreset", "ClassificationPreset", "RegressionPreset"]
    assert list(became(document).values()) == ["already so", "already so", "already so", "not taken"]
    assert list(became(document, NUMBERS).values()) == ["already so", "already so", "not taken", "already so"]


def test_a_bound_on_a_figure_is_pointed_to_the_gates() -> None:
    options = {"accuracy_tests": [{"gte": 0.8}], "probas_threshold": 0.4, "classification_name": "x"}
    found = take_presets({"ClassificationPreset": options}, CLASSES)
    says = {each.key: each.says for each in found.entries}
    assert "--gate" in says["ClassificationPreset.accuracy_tests"]
    assert "no option" not in " ".join(says.values())
    assert found.contract == CLASSES


@pytest.mark.parametrize(
    "document",
    [
        ["DataDriftPreset", {"RegressionPreset": None}],
        {"DataDriftPreset": None, "RegressionPreset": {}},
        {"presets": ["DataDriftPreset", {"RegressionPreset": {}}]},
    ],
)
def test_presets_are_a_list_or_a_mapping(document: object) -> None:
    assert list(became(document).values()) == ["taken", "not taken"]


def test_all_columns_are_meant_where_none_is_named() -> None:
    assert became([{"DataDriftPreset": {"columns": None}}])["presets[0].columns"] == "already so"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_that_is_known_has_an_account(name: str) -> None:
    for contract in (CLASSES, NUMBERS):
        [entry] = take_presets([name], contract).entries
        assert entry.says


@pytest.mark.parametrize(
    ("document", "key", "rule"),
    [
        ("DataDriftPreset", "presets", "must be a list"),
        ([7], "presets[0]", "must be an object"),
        ([{"DataDriftPreset": {}, "RegressionPreset": {}}], "presets[0]", "one name with its options"),
        ([{}], "presets[0]", "one name with its options"),
        (["DataDrftPreset"], "presets[0]", "is no preset that is known"),
        ({"Drift": {}}, "Drift", "is no preset that is known"),
        ([{"DataDriftPreset": [1]}], "presets[0].DataDriftPreset", "must be an object"),
        ([{"DataDriftPreset": {"columns": "fee"}}], "presets[0].columns", "must be a list"),
        ([{"DataDriftPreset": {"columns": [3]}}], "presets[0].columns[0]", "must be a text"),
        ([{"DataDriftPreset": {"include_tests": "yes"}}], "presets[0].include_tests", "true or false"),
    ],
)
def test_what_is_wrong_is_named_by_key_and_rule(document: Any, key: str, rule: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        take_presets(document, CLASSES, where="p.yaml")
    assert caught.value.where == f"p.yaml: {key}"
    assert rule in caught.value.message
