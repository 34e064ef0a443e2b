"""SageMaker's constraints: what is taken, what was so already, what is not taken and why; and what is no such file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadConfiguration
from headgate.traffic.takeover.account import Became, Takeover
from headgate.traffic.takeover.constraints import take_constraints
from headgate.traffic.watched import Compared, MonitorWords, faults
from headgate.vocabulary import Task

CONTRACT = Contract(
    (
        Field("fee", Kind.NUMBER, nullable=True, expected_missing=0.1),
        Field("age", Kind.INTEGER, minimum=18, maximum=99),
        Field("plan", Kind.CATEGORY, domain=("basic", "family")),
        Field("note", Kind.TEXT),
        Field("debt", Kind.NUMBER, maximum=-1),
    ),
    Output(Task.BINARY, classes=("no", "yes")),
)
WHOLE: dict[str, Any] = {
    "version": 0.0,
    "features": [
        {
            "name": "fee",
            "inferred_type": "Fractional",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        },
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
            "monitoringConfigOverrides": {"datatype_check_threshold": 0.5},
        },
        {
            "name": "plan",
            "inferred_type": "String",
            "completeness": 0.9,
            "string_constraints": {"domains": ["family", "business", "basic"]},
        },
        {"name": "churned", "inferred_type": "Integral", "completeness": 1.0},
    ],
    "monitoring_config": {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Disabled",
        "datatype_check_threshold": 0.1,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
            "categorical_comparison_threshold": 0.1,
            "categorical_drift_method": "LInfinity",
        },
    },
}


def feature(**words: Any) -> Takeover:
    return take_constraints({"features": [words]}, CONTRACT)


def became(found: Takeover) -> dict[str, str]:
    return {each.key: each.became.value for each in found.entries}


def test_a_whole_file_is_accounted_for_entry_by_entry() -> None:
    found = take_constraints(WHOLE, CONTRACT)
    assert became(found) == {
        "version": "already so",
        "features[0].inferred_type": "already so",
        "features[0].completeness": "taken",
        "features[0].num_constraints.is_non_negative": "taken",
        "features[1].inferred_type": "already so",
        "features[1].completeness": "already so",
        "features[1].num_constraints.is_non_negative": "already so",
        "features[1].monitoringConfigOverrides.datatype_check_threshold": "not taken",
        "features[2].inferred_type": "already so",
        "features[2].completeness": "not taken",
        "features[2].string_constraints.domains": "taken",
        "features[3].inferred_type": "not taken",
        "features[3].completeness": "not taken",
        "monitoring_config.evaluate_constraints": "already so",
        "monitoring_config.emit_metrics": "not taken",
        "monitoring_config.datatype_check_threshold": "taken",
        "monitoring_config.domain_content_threshold": "not taken",
        "monitoring_config.distribution_constraints.perform_comparison": "taken",
        "monitoring_config.distribution_constraints.comparison_threshold": "not taken",
        "monitoring_config.distribution_constraints.comparison_method": "not taken",
        "monitoring_config.distribution_constraints.categorical_comparison_threshold": "not taken",
        "monitoring_config.distribution_constraints.categorical_drift_method": "not taken",
    }
    fee, age, plan, *_ = found.contract.fields
    assert (fee.nullable, fee.expected_missing, fee.minimum) == (False, 0.0, 0)
    assert age == CONTRACT.fields[1]
    assert plan.domain == ("basic", "business", "family")
    assert found.contract.output == CONTRACT.output
    assert (found.monitors.reference, found.monitors.refusals_percent) == (Compared.PACKAGE, 10.0)
    assert list(faults(found.monitors)) == []
    assert all(each.says for each in found.entries)


def test_what_was_taken_over_once_is_so_already() -> None:
    once = take_constraints(WHOLE, CONTRACT)
    again = take_constraints(WHOLE, once.contract, once.monitors)
    assert "taken" not in became(again).values()
    assert (again.contract, again.monitors) == (once.contract, once.monitors)


@pytest.mark.parametrize(
    ("words", "expected", "says"),
    [
        ({"name": "fee", "inferred_type": "Integral"}, Became.ALREADY, "kind: number"),
        ({"name": "age", "inferred_type": "Fractional"}, Became.NOT, "the model reads integer"),
        ({"name": "note", "inferred_type": "Unknown"}, Became.NOT, "the model reads text"),
        ({"name": "fee", "completeness": 0.9}, Became.ALREADY, "expected_missing: 0.1"),
        ({"name": "fee", "completeness": 0.75}, Became.TAKEN, "expected_missing: 0.25"),
        ({"name": "note", "num_constraints": {"is_non_negative": True}}, Became.NOT, "no least value"),
        ({"name": "debt", "num_constraints": {"is_non_negative": True}}, Became.NOT, "no value would be left"),
        ({"name": "fee", "num_constraints": {"is_non_negative": False}}, Became.ALREADY, "nothing is asked"),
        ({"name": "fee", "num_constraints": {"is_even": True}}, Became.NOT, "no key of the format"),
        ({"name": "note", "string_constraints": {"domains": ["x"]}}, Became.NOT, "no set of values"),
        ({"name": "plan", "string_constraints": {"domains": []}}, Became.ALREADY, "nothing is asked"),
        ({"name": "plan", "string_constraints": {"domains": ["family", "basic"]}}, Became.ALREADY, "the same 2"),
        ({"name": "plan", "string_constraints": {"lengths": 3}}, Became.NOT, "no key of the format"),
        ({"name": "fee", "monitoringConfigOverrides": {}}, Became.ALREADY, "nothing is asked"),
        ({"name": "fee", "colour": "red"}, Became.NOT, "no key of the format"),
        ({"name": "nobody"}, Became.NOT, "no field 'nobody'"),
    ],
)
def test_each_entry_says_what_became_of_it(words: dict[str, Any], expected: Became, says: str) -> None:
    [entry] = feature(**words).entries
    assert (entry.became, says in entry.says) == (expected, True)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"evaluate_constraints": "Disabled"}, Became.NOT),
        ({"emit_metrics": "Enabled"}, Became.ALREADY),
        ({"datatype_check_threshold": 1.0}, Became.NOT),
        ({"datatype_check_threshold": 0}, Became.NOT),
        ({"datatype_check_threshold": 0.05}, Became.ALREADY),
        ({"distribution_constraints": {"perform_comparison": "Disabled"}}, Became.ALREADY),
        ({"distribution_constraints": {"colour": 1}}, Became.NOT),
        ({"colour": 1}, Became.NOT),
    ],
)
def test_each_word_for_all_features_says_what_became_of_it(config: dict[str, Any], expected: Became) -> None:
    [entry] = take_constraints({"monitoring_config": config}, CONTRACT).entries
    assert entry.became is expected


def test_a_comparison_that_is_switched_off_is_switched_off() -> None:
    config = {"distribution_constraints": {"perform_comparison": "Disabled"}}
    found = take_constraints({"monitoring_config": config}, CONTRACT, MonitorWords(reference=Compared.PACKAGE))
    assert found.monitors.reference is Compared.NONE


@pytest.mark.parametrize(
    ("document", "key", "rule"),
    [
        ([], "the file", "must be an object"),
        ({"version": 1}, "version", "must be 0"),
        ({"version": False}, "version", "must be 0"),
        ({"features": {}}, "features", "must be a list"),
        ({"features": ["x"]}, "features[0]", "must be an object"),
        ({"features": [{"completeness": 1}]}, "features[0].name", "must be there"),
        ({"features": [{"name": 7}]}, "features[0].name", "must be a text"),
        (
            {"features": [{"name": "fee", "inferred_type": "Float"}]},
            "features[0].inferred_type",
            "must be one of Integral",
        ),
        ({"features": [{"name": "fee", "completeness": 1.5}]}, "features[0].completeness", "from 0 to 1"),
        ({"features": [{"name": "fee", "completeness": float("nan")}]}, "features[0].completeness", "from 0 to 1"),
        (
            {"features": [{"name": "fee", "num_constraints": {"is_non_negative": 1}}]},
            "features[0].num_constraints.is_non_negative",
            "true or false",
        ),
        ({"features": [{"name": "fee", "num_constraints": []}]}, "features[0].num_constraints", "must be an object"),
        (
            {"features": [{"name": "plan", "string_constraints": {"domains": ["a", 3]}}]},
            "features[0].string_constraints.domains[1]",
            "must be a text",
        ),
        ({"monitoring_config": {"emit_metrics": True}}, "monitoring_config.emit_metrics", "must be one of Enabled"),
        (
            {"monitoring_config": {"domain_content_threshold": -1}},
            "monitoring_config.domain_content_threshold",
            "from 0 to 1",
        ),
        (
            {"monitoring_config": {"distribution_constraints": {"comparison_method": "KS"}}},
            "monitoring_config.distribution_constraints.comparison_method",
            "must be one of Simple",
        ),
    ],
)
def test_what_is_wrong_is_named_by_key_and_rule(document: object, key: str, rule: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        take_constraints(document, CONTRACT, where="c.json")
    assert caught.value.where == f"c.json: {key}"
    assert rule in caught.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE["features"][1], "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def outcome(document: dict[str, Any]) -> Takeover | BadConfiguration:
    try:
        return take_constraints(document, CONTRACT)
    except BadConfiguration as error:
        return error


@given(st.dictionaries(st.sampled_from(["version", "features", "monitoring_config", "x"]), JSON))
def test_whatever_the_file_holds_it_is_accounted_for_or_named(document: dict[str, Any]) -> None:
    found = outcome(document)
    if isinstance(found, BadConfiguration):
        assert found.where.startswith("constraints.json: ")
    else:
        assert {each.key.partition("[")[0].partition(".")[0] for each in found.entries} <= document.keys()
