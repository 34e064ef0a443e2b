"""A training set holds what was known at its moment and nothing later, once, under a name of its own."""

import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.retraining.datasets.worlds import (
    CONTRACT,
    FIELDS,
    LATE,
    START,
    World,
    block,
    ident,
    journal,
    journalled,
    wanted,
    world,
)

from headgate.clock import HeldClock
from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadInput, IntegrityError, NotFound
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Label
from headgate.retraining.datasets.cut import cut_dataset
from headgate.retraining.datasets.dataset import RESERVED, Dataset, WindowChoice
from headgate.retraining.datasets.forgotten import GRACE, forget
from headgate.retraining.datasets.labelled import labelled_rows
from headgate.retraining.datasets.opened import folder_of, open_dataset
from headgate.retraining.datasets.wanted import Least, Wanted
from headgate.retraining.datasets.written import ASIDE, keep_table
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, Digest, Micros, Task

ANY = Least(0, 0)


def rows_of(dataset: Dataset, folder: Path) -> list[dict[str, object]]:
    table = open_dataset(folder / dataset.digest.removeprefix("sha256:")).table()
    assert tuple(table.column_names[-len(RESERVED) :]) == RESERVED
    return table.to_pylist()  # type: ignore[no-any-return]  # pyarrow has no types


def moment(row: dict[str, object]) -> int:
    assert isinstance(row["at"], datetime)
    return round(row["at"].timestamp() * 1e6)


def test_each_labelled_input_is_there_once_in_order_with_what_was_journalled(tmp_path: Path) -> None:
    made = world(600)
    found = cut_dataset(journalled(tmp_path, made), wanted(made), tmp_path / "datasets")
    rows = rows_of(found, tmp_path / "datasets")
    assert [moment(each) for each in rows] == made.at.tolist()
    assert [(each["x"], each["y"], each["label"]) for each in rows] == list(
        zip(made.x.tolist(), made.y.tolist(), made.truth.tolist(), strict=True)
    )
    assert {each["weight"] for each in rows} == {1.0}
    assert {each["source"] for each in rows} == {"journal"}
    assert (found.rows, found.original_rows, found.leaked) == (600, 0, 0)
    assert found.features == ("x", "y", "carrier"), "what is personal is not learned from"
    assert found.classes == {"False": 600 - int(made.truth.sum()), "True": int(made.truth.sum())}
    assert (found.label, found.task, found.cut.choice) == ("late", Task.BINARY, WindowChoice.EVERYTHING)


def test_nothing_later_than_its_moment_is_known(tmp_path: Path) -> None:
    made = world(600)
    first = block(made, 0, 300)
    first.labels.append(
        Label(ident(0, 2), int(made.at[0]) + 40 * DAY, int(made.at[0]) + 2 * HOUR, True, input_id=ident(0))
    )
    reader, folder = journal(tmp_path, [first, block(made, 300, 600)]), tmp_path / "datasets"
    as_of = Micros(int(made.at[400]))
    found = cut_dataset(reader, wanted(as_of=as_of), folder)
    assert found.rows == int((made.at + LATE <= as_of).sum())
    ripe = cut_dataset(reader, wanted(as_of=as_of, maturity_s=3 * 3600), folder)
    assert ripe.rows == int((made.at < as_of - 3 * HOUR).sum())
    later = cut_dataset(reader, wanted(as_of=Micros(int(made.at[0]) + 41 * DAY)), folder)
    assert rows_of(later, folder)[0]["label"] is True
    sooner = cut_dataset(reader, wanted(as_of=Micros(int(made.at[0]) + 39 * DAY)), folder)
    assert rows_of(sooner, folder)[0]["label"] is bool(made.truth[0])
    assert len({found.digest, ripe.digest, later.digest, sooner.digest}) == 4
    assert cut_dataset(reader, wanted(as_of=as_of), folder).digest == found.digest
    with pytest.raises(BadInput, match="not all due"):
        cut_dataset(reader, wanted(as_of=as_of, maturity_s=3600, end=as_of), folder)


def test_the_digest_is_the_same_before_and_after_a_seal(tmp_path: Path) -> None:
    made = world(500)
    cuts = [block(made, first, first + 100) for first in range(0, 500, 100)]
    digests = {
        cut_dataset(journal(tmp_path / str(sealed), cuts, sealed=sealed), wanted(made), tmp_path / "all").digest
        for sealed in (0, 3, 5)
    }
    assert len(digests) == 1
    assert [each.name for each in (tmp_path / "all").iterdir()] == [digests.pop().removeprefix("sha256:")]


def test_truths_observed_before_their_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    made = world(400)
    whole = block(made, 0, 400)
    for each in whole.labels[:30]:
        each.observed_at -= 2 * LATE
    found = cut_dataset(journal(tmp_path, [whole], sealed=1), wanted(made), tmp_path / "datasets")
    assert (found.rows, found.leaked) == (370, 30)


def test_rows_whose_features_were_not_kept_or_whose_truth_is_no_class_are_left_out(tmp_path: Path) -> None:
    made = world(400)
    whole = block(made, 0, 400)
    for each in whole.inputs[:50]:
        each.features = None
    found = cut_dataset(journal(tmp_path, [whole]), wanted(made), tmp_path / "datasets")
    assert found.rows == 350
    other = Contract(FIELDS, Output(Task.MULTICLASS, "late", ("no", "yes", "maybe")))
    words = Wanted("default", "flights", other, Micros(int(made.at[-1]) + DAY), least=ANY)
    assert cut_dataset(journal(tmp_path / "2", [whole]), words, tmp_path / "datasets").rows == 0


@pytest.mark.parametrize(
    ("truth", "rows", "says"),
    [
        (None, 199, "there are 199 labelled rows; at least 200 are needed"),
        (np.zeros(300, bool), 300, "all 300 labelled rows are of one class, False; two are needed"),
        (np.arange(300) < 19, 300, "class True has 19 of 300 labelled rows; at least 20 of each class are needed"),
        (None, 0, "there are 0 labelled rows"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_by_count_and_rule(
    truth: np.ndarray | None, rows: int, says: str, tmp_path: Path
) -> None:
    made = world(max(rows, 1))
    made = made if truth is None else World(made.at, made.x, made.y, truth, made.chance)
    reader = journal(tmp_path, [block(made, 0, rows)]) if rows else Reader(Lake(tmp_path), MemorySegments())
    for window in (WindowChoice.EVERYTHING, WindowChoice.RECENT):
        with pytest.raises(BadInput, match=says) as refused:
            cut_dataset(reader, wanted(made, window=window), tmp_path / "datasets")
        assert refused.value.rule == "too_few"
    assert list((tmp_path / "datasets").iterdir()) == [], "nothing half-made is left"


def test_a_label_among_the_features_is_refused_by_name(tmp_path: Path) -> None:
    made = world(300)
    copied = World(made.at, made.truth.astype(float), made.y, made.truth, made.chance)
    with pytest.raises(BadInput, match="is the label itself in all 300 rows") as refused:
        cut_dataset(journalled(tmp_path, copied), wanted(made), tmp_path / "datasets")
    assert (refused.value.field, refused.value.rule) == ("features.x", "leakage")
    for name, rule in (("late", "leakage"), ("label", "unique"), ("weight", "unique")):
        contract = Contract((*FIELDS, Field(name, Kind.NUMBER)), CONTRACT.output)
        with pytest.raises(BadInput) as refused:
            cut_dataset(journalled(tmp_path, made), Wanted("default", "flights", contract, Micros(1)), tmp_path)
        assert refused.value.rule == rule


def test_a_feature_that_was_never_kept_is_refused_by_name(tmp_path: Path) -> None:
    made = world(300)
    contract = Contract((*FIELDS, Field("weather", Kind.NUMBER)), CONTRACT.output)
    with pytest.raises(BadInput, match="never kept") as refused:
        cut_dataset(
            journalled(tmp_path, made),
            Wanted("default", "flights", contract, Micros(int(made.at[-1]) + DAY)),
            tmp_path / "datasets",
        )
    assert refused.value.field == "features.weather"


def test_original_rows_stand_before_all_others(tmp_path: Path) -> None:
    made = world(300)
    original = pa.table({"late": [1, 0, None], "x": [1, 2, 3], "y": [0.5, None, 0.5], "carrier": ["UA", "AA", "AA"]})
    reader, folder = journalled(tmp_path, made), tmp_path / "datasets"
    found = cut_dataset(reader, wanted(made), folder, original)
    rows = rows_of(found, folder)
    assert (found.rows, found.original_rows) == (302, 2)
    assert [(r["x"], r["label"], r["at"], r["input_id"], r["source"]) for r in rows[:3]] == [
        (1.0, True, None, None, "original"),
        (2.0, False, None, None, "original"),
        (made.x[0], bool(made.truth[0]), rows[2]["at"], rows[2]["input_id"], "journal"),
    ]
    other = original.set_column(1, "x", pa.array([1, 7, 3]))
    assert cut_dataset(reader, wanted(made), folder, other).digest != found.digest
    recent = cut_dataset(reader, wanted(made, window=WindowChoice.RECENT, recent_days=15), folder, original)
    assert (recent.original_rows, recent.cut.recent_days) == (0, 15)
    assert recent.rows == int((made.at >= recent.cut.start).sum())
    with pytest.raises(BadInput, match=r"original\.y: the original rows have no such column"):
        cut_dataset(reader, wanted(made), folder, original.drop_columns(["y"]))
    with pytest.raises(BadInput, match=r"original\.x: is string"):
        cut_dataset(reader, wanted(made), folder, original.set_column(1, "x", pa.array(["a", "b", "c"])))


def test_newest_rows_may_be_held_out_for_a_proof(tmp_path: Path) -> None:
    made = world(500)
    reader, folder = journalled(tmp_path, made), tmp_path / "datasets"
    found = cut_dataset(reader, wanted(made, held_out=0.2), folder)
    assert found.rows == 400
    assert found.cut.end == made.at[400]
    assert cut_dataset(reader, wanted(made, held_out=0.2, held_out_most=50), folder).rows == 450


def test_rows_for_a_proof_are_those_the_model_did_not_learn_from(tmp_path: Path) -> None:
    made = world(500)
    reader, folder = journalled(tmp_path, made), tmp_path / "datasets"
    learned = cut_dataset(reader, wanted(made, held_out=0.2), folder)
    rows = labelled_rows(reader, wanted(made, start=learned.cut.end))
    assert rows.column_names == ["x", "y", "carrier", "label", "at", "input_id"]
    assert rows["x"].to_pylist() == made.x[400:].tolist()
    opened = open_dataset(folder / learned.digest.removeprefix("sha256:"))
    assert set(rows["input_id"].to_pylist()).isdisjoint(opened.input_ids())
    assert labelled_rows(reader, wanted(made), most=30)["x"].to_pylist() == made.x[470:].tolist()
    assert labelled_rows(reader, wanted(made, start=wanted(made).as_of)).num_rows == 0


def test_the_same_set_is_never_written_again(tmp_path: Path) -> None:
    made = world(300)
    reader, folder = journalled(tmp_path, made), tmp_path / "datasets"
    found = cut_dataset(reader, wanted(made), folder)
    opened = open_dataset(folder / found.digest.removeprefix("sha256:"))
    before = opened.rows_file.stat()
    assert cut_dataset(reader, wanted(made, maturity_s=1.0), folder) == found, "what is there says how it came to be"
    assert opened.rows_file.stat() == before
    opened.verify()
    assert sum(len(each) for each in opened.batches(100)) == 300
    assert len(opened.input_ids()) == 300
    assert opened.dataset.bytes == before.st_size


def test_rows_that_somebody_else_made_are_kept_alike(tmp_path: Path) -> None:
    made = world(300)
    one, other = tmp_path / "one", tmp_path / "other"
    found = cut_dataset(journalled(tmp_path, made), wanted(made), one)
    table = open_dataset(folder_of(one, found.digest)).table()
    again = keep_table(table, msgspec.structs.replace(found, digest=Digest(""), bytes=0), other)
    assert again == found
    open_dataset(folder_of(other, again.digest)).verify()


def test_a_set_that_was_changed_or_is_not_there_is_told(tmp_path: Path) -> None:
    made = world(300)
    folder = tmp_path / "datasets"
    found = cut_dataset(journalled(tmp_path, made), wanted(made), folder)
    opened = open_dataset(folder / found.digest.removeprefix("sha256:"))
    other = opened.table().slice(1)
    pa.parquet.write_table(other, opened.rows_file)
    with pytest.raises(IntegrityError, match="cut it again"):
        opened.verify()
    (opened.folder / "dataset.json").write_text("{}")
    with pytest.raises(IntegrityError, match="no training set"):
        open_dataset(opened.folder)
    with pytest.raises(NotFound):
        open_dataset(folder / "0123")


def test_what_a_killed_process_left_is_removed_and_what_another_makes_is_not(tmp_path: Path) -> None:
    made, folder = world(300), tmp_path / "datasets"
    left, others = folder / f"{ASIDE}left", folder / f"{ASIDE}others"
    for each in (left, others):
        each.mkdir(parents=True)
    (left / "lock").touch()
    found = cut_dataset(journalled(tmp_path, made), wanted(made), folder)
    assert sorted(each.name for each in folder.iterdir()) == sorted([others.name, found.digest.removeprefix("sha256:")])
    shutil.rmtree(others)


def test_an_endpoint_nobody_asked_gives_an_empty_set_to_who_wants_that(tmp_path: Path) -> None:
    words = Wanted("default", "flights", CONTRACT, Micros(START), least=ANY)
    found = cut_dataset(Reader(Lake(tmp_path), MemorySegments()), words, tmp_path / "datasets")
    assert (found.rows, rows_of(found, tmp_path / "datasets")) == (0, [])


def test_rows_past_their_retention_are_forgotten_once_a_run_has_had_its_time(tmp_path: Path) -> None:
    made, folder = world(500), tmp_path / "datasets"
    reader = journalled(tmp_path, made)
    whole = cut_dataset(reader, wanted(made), folder)
    newer = cut_dataset(reader, wanted(made, start=Micros(START + 10 * DAY)), folder)
    opened = open_dataset(folder_of(folder, whole.digest))
    was = Micros(opened.rows_file.stat().st_mtime_ns // 1000)
    soon, later = HeldClock(Micros(was + GRACE - HOUR)), HeldClock(Micros(was + GRACE + HOUR))
    before = Micros(START + 5 * DAY)
    assert forget(folder, soon, "default", "flights", before) == 0
    assert forget(folder, later, "default", "others", before) == 0
    assert forget(folder, later, "default", "flights", Micros(START + HOUR)) == 0, "its first day is not over"
    assert forget(folder, later, "default", "flights", before) == 1
    assert forget(folder, later, "default", "flights", before) == 0
    for read in (opened.table, opened.input_ids, opened.verify):
        with pytest.raises(NotFound, match="retention"):
            read()
    assert open_dataset(opened.folder).dataset == whole
    assert open_dataset(folder_of(folder, newer.digest)).table().num_rows == newer.rows
