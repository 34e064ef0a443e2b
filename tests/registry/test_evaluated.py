"""Rows of an evaluation are kept beside the package, without what is not public, and read back as they were."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Field, Kind, Output, Sensitivity
from headgate.evaluation.rows import Rows
from headgate.registry.evaluated import evaluated_bytes, kept_evaluated
from headgate.registry.packages import PackageStore
from headgate.registry.reference import SAMPLE_ROWS
from headgate.vocabulary import Digest, Task

CONTRACT = Contract(
    (
        Field("truth", Kind.NUMBER),
        Field("kind", Kind.CATEGORY),
        Field("name", Kind.CATEGORY, sensitivity=Sensitivity.PERSONAL),
        Field("text", Kind.TEXT),
        Field("absent", Kind.NUMBER, nullable=True),
    ),
    Output(Task.BINARY, classes=("no", "yes"), probability=True),
)
DIGEST = Digest("sha256:" + "0" * 64)


def made(rows: int) -> tuple[pa.Table, Rows]:
    column = np.arange(float(rows))
    texts = [f"k{each % 3}" for each in range(rows)]
    table = pa.table({"truth": column, "kind": texts, "name": texts, "text": texts, "other": column})
    truth = np.arange(rows) % 2
    chance = np.linspace(0.1, 0.9, rows)
    return table, Rows(Task.BINARY, truth, 1 - truth, np.column_stack((1 - chance, chance)), ("no", "yes"))


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    store, (table, rows) = PackageStore(tmp_path), made(50)
    assert kept_evaluated(store.evaluated(DIGEST), CONTRACT) is None
    store.keep_evaluated(DIGEST, evaluated_bytes(CONTRACT, table, rows))
    found = kept_evaluated(store.evaluated(DIGEST), CONTRACT)
    assert found is not None
    assert found[1].column_names == ["truth", "kind"]
    assert found[1]["truth"].to_pylist() == table["truth"].to_pylist()
    assert found[0].truth.tolist() == rows.truth.tolist()
    assert found[0].predicted is not None
    assert found[0].predicted.tolist() == (1 - rows.truth).tolist()
    assert found[0].scores is not None
    assert rows.scores is not None
    assert np.array_equal(found[0].scores, rows.scores)
    assert store.digests() == []
    assert store.sweep() == 0


def test_of_many_rows_a_sample_is_kept_and_the_newest_counts(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    for count in (10, SAMPLE_ROWS + 1000):
        table, rows = made(count)
        store.keep_evaluated(DIGEST, evaluated_bytes(CONTRACT, table, rows))
    found = kept_evaluated(store.evaluated(DIGEST), CONTRACT)
    assert found is not None
    assert len(found[0]) == found[1].num_rows == SAMPLE_ROWS
    places = found[1]["truth"].to_numpy().astype(int)
    assert found[0].truth.tolist() == (places % 2).tolist()


def test_numbers_and_answers_without_scores_are_kept_too(tmp_path: Path) -> None:
    store, (table, rows) = PackageStore(tmp_path), made(20)
    plain = Contract(CONTRACT.fields, Output(Task.REGRESSION))
    store.keep_evaluated(DIGEST, evaluated_bytes(plain, table, Rows(Task.REGRESSION, rows.truth / 2, None, None)))
    found = kept_evaluated(store.evaluated(DIGEST), plain)
    assert found is not None
    assert found[0].scores is None
    assert found[0].truth.tolist() == (rows.truth / 2).tolist()
    store.keep_evaluated(DIGEST, evaluated_bytes(CONTRACT, table, rows))
    three = Contract(CONTRACT.fields, Output(Task.MULTICLASS, classes=("a", "b", "c")))
    assert kept_evaluated(store.evaluated(DIGEST), three) is None, "scores of other classes say nothing of these"
