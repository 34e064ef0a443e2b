"""Which file it is, is seen by what it holds, in JSON and in YAML."""

import json

import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadConfiguration
from headgate.traffic.takeover.files import take_over
from headgate.traffic.watched import Compared
from headgate.vocabulary import Task

CONTRACT = Contract((Field("fee", Kind.NUMBER),), Output(Task.REGRESSION))
FILE = {"features": [{"name": "fee", "num_constraints": {"is_non_negative": True}}]}


@pytest.mark.parametrize("text", [json.dumps(FILE), json.dumps(FILE, indent="\t"), "\ufeff " + json.dumps(FILE)])
def test_constraints_are_json(text: str) -> None:
    assert take_over(text, CONTRACT).contract.fields[0].minimum == 0


def test_they_may_be_yaml() -> None:
    assert (
        take_over("features:\n- name: fee\n  completeness: 1.0\n", CONTRACT).entries[0].key
        == "features[0].completeness"
    )


@pytest.mark.parametrize(
    "text", ["- DataDriftPreset\n", "[DataDriftPreset]", '["DataDriftPreset"]', "DataDriftPreset:\n"]
)
def test_presets_are_a_list_or_a_mapping_in_either(text: str) -> None:
    assert take_over(text, CONTRACT).monitors.reference is Compared.PACKAGE


@pytest.mark.parametrize("text", ["", "7", "DataDriftPreset", "null"])
def test_what_holds_neither_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match="neither constraints nor presets"):
        take_over(text, CONTRACT, where="x.yaml")


@pytest.mark.parametrize("text", ["{", "[1,", "- a: b: c", "{'a': 1, 'a': 2}"])
def test_what_cannot_be_read_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        take_over(text, CONTRACT, where="x.yaml")
    assert caught.value.where.startswith("x.yaml")
