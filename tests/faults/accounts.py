"""Compares what callers were promised with what the journal holds."""

from collections import Counter
from math import exp
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from headgate.app.facade import Headgate
from headgate.journal.disk import LocalDisk
from headgate.journal.segments import DiskSegmentSource
from headgate.testing.callers import Acknowledged, Callers
from headgate.testing.installation import Installation

BIASES = {"linear:1": 0.0, "linear:2": 1.0}
"""The two versions of `given_two_versions`, told apart by every single score they give."""


def given_two_versions(installation: Installation, endpoint: str = "late") -> None:
    """A live version inside the gateways and one in a runtime host, half of the callers each."""
    versions = [installation.linear(bias=bias) for bias in BIASES.values()]
    assert versions == list(BIASES)
    installation.serve(endpoint, dict.fromkeys(versions, 0.5))


def assert_each_promise_is_kept_once(hg: Headgate, promised: Acknowledged, endpoint: str = "late") -> None:
    """Every acknowledged prediction and label is in the journal, as it was said, and nothing is there twice."""
    assert promised.problems == []
    counts = hg.counts(endpoint)
    assert counts.repeated == 0
    assert counts.answers == counts.answered
    assert counts.unmatched == 0
    rows = hg.reader.joined("default", endpoint)
    assert _twice(rows) == []
    found = {row["input_id"]: row for row in rows.to_pylist()}
    features = {each["input_id"]: each["features"] for each in hg.reader.features("default", endpoint).to_pylist()}
    for input_id, said in promised.predictions.items():
        assert input_id in found, "an acknowledged prediction is lost"
        row = found[input_id]
        assert row["answered"] == said.version
        assert features[input_id] == Callers.row(said.number)
        score = 1 / (1 + exp(-features[input_id]["f0"] - BIASES[said.version]))
        assert said.score == pytest.approx(score, abs=1e-6), "an answer belongs to another row or version"
        assert row["scores"][-1] == pytest.approx(score, abs=1e-6)
    for input_id, label in promised.labels.items():
        assert _same(found[input_id]["label"], label), "an acknowledged label is lost"


def assert_the_lake_holds_each_row_once(installation: Installation, endpoint: str = "late") -> None:
    """Seal what a stopped installation closed; then no table has a row twice, and no segment is left over."""
    with installation.open() as hg:
        hg.chores(seal_interval=0.0).turn()
    assert DiskSegmentSource(LocalDisk(installation.home.root)).segments() == []
    for table, key in (("inputs", ["input_id"]), ("answers", ["input_id", "role"]), ("labels", ["label_id"])):
        for folder in sorted((installation.home.lake / "default" / endpoint / table).glob("g*")):
            assert _twice(deltalake.DeltaTable(folder).to_pyarrow_table(columns=key)) == []


def _twice(rows: pa.Table) -> list[Any]:
    keys = rows.select([each for each in ("input_id", "role", "label_id") if each in rows.column_names])
    return [key for key, count in Counter(tuple(row.values()) for row in keys.to_pylist()).items() if count > 1]


def _same(truth: object, label: int) -> bool:
    return truth is not None and int(str(truth).strip('"')) == label
