"""After a promotion the old version's shadow may take the new one back, whenever the labels say so."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.retraining.proof.probation import Probated, Probation, Shadowed, probation_of, weigh
from headgate.retraining.proof.shadowed import NEEDED, shadowed
from headgate.retraining.run import Firing, Run, Source
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, Micros, Task

TERMS = Probation(new="m:2", old="m:1", since=Micros(0), until=Micros(1000), maturity_s=0.0001)


def rows(count: int, worse: float, seed: int = 0, **more: Any) -> Shadowed:
    random = np.random.default_rng(seed)
    old, new = np.clip(random.normal(0.3, 0.1, (2, count)), 0, 1)
    at = np.arange(count, dtype=np.int64) * 1000 // max(count, 1)
    plain = {"ids": [f"i{each}" for each in range(count)], "at": at, "told": at + 50}
    return Shadowed(**{**plain, "new": np.clip(new + worse, 0, 1), "old": old, **more})


def test_a_version_that_loses_more_is_taken_back_before_the_end() -> None:
    found = weigh(TERMS, rows(2000, 0.05), Micros(700))
    assert (found.verdict, found.reopened) == (Probated.TAKE_BACK, False)
    assert 1290 <= found.pairs <= 1310
    assert found.low is not None
    assert found.low > 0
    assert "m:2 is proved to lose more than m:1" in found.why


def test_one_that_does_not_is_kept_at_the_end_and_not_before() -> None:
    better = rows(2000, -0.05)
    assert weigh(TERMS, better, Micros(1099)).verdict is Probated.UNDECIDED
    assert weigh(TERMS, better, Micros(1100)).verdict is Probated.KEEP
    none = weigh(TERMS, rows(0, 0.0), Micros(5000))
    assert (none.verdict, none.pairs, none.new) == (Probated.UNDECIDED, 0, None)


def test_versions_that_are_alike_are_seldom_taken_back_however_often_somebody_looks() -> None:
    taken = sum(weigh(TERMS, rows(1000, 0.0, seed), Micros(9999)).verdict is Probated.TAKE_BACK for seed in range(120))
    assert taken <= 120 * 0.01 + 3 * np.sqrt(120 * 0.01 * 0.99)


def test_one_bad_day_is_no_proof_and_days_that_say_the_same_are() -> None:
    """On the third of ten days the new version loses a quarter more: 5,000 rows that know of each other."""
    week = Probation(new="m:2", old="m:1", since=Micros(0), until=Micros(10 * DAY))
    at = np.sort(np.random.default_rng(3).integers(0, 10 * DAY, 5000))
    bad = np.where(at // DAY == 2, 0.25, 0.0)
    alike = rows(5000, 0.0)
    moved: dict[str, Any] = {"at": at, "told": at, "old": alike.old}
    assert weigh(week, rows(5000, 0.0, **moved, new=alike.old + bad), Micros(9 * DAY)).verdict is Probated.UNDECIDED
    found = [weigh(week, rows(5000, 0.03, **moved), Micros(each * DAY)).verdict for each in (1, 4)]
    assert found == [Probated.UNDECIDED, Probated.TAKE_BACK]


def test_labels_that_come_later_reopen_the_question() -> None:
    late = rows(2000, 0.05)
    late.told[20:] = 5000
    assert weigh(TERMS, late, Micros(4999)).verdict is Probated.KEEP
    found = weigh(TERMS, late, Micros(5000))
    assert (found.verdict, found.reopened) == (Probated.TAKE_BACK, True)
    assert found.why.endswith("by labels that came after the probation")


def test_an_input_counts_once_and_rows_in_any_order_say_the_same() -> None:
    plain = rows(600, 0.03)
    order = np.random.default_rng(2).permutation(600)
    twice = np.concatenate((order, order))
    again = Shadowed(
        ids=[plain.ids[each] for each in twice],
        at=plain.at[twice],
        told=plain.told[twice],
        new=plain.new[twice],
        old=plain.old[twice],
    )
    assert weigh(TERMS, again, Micros(900)) == weigh(TERMS, plain, Micros(900))


def test_rows_outside_the_probation_count_for_nothing() -> None:
    before = rows(2000, 0.5, at=np.full(2000, -1, dtype=np.int64))
    assert weigh(TERMS, before, Micros(900)).pairs == 0
    assert weigh(TERMS, rows(2000, 0.5, at=np.full(2000, 1000, dtype=np.int64)), Micros(900)).pairs == 0


def test_a_margin_is_borne() -> None:
    terms = Probation(new="m:2", old="m:1", since=Micros(0), until=Micros(1000), margin=0.1)
    assert weigh(terms, rows(2000, 0.05), Micros(1000)).verdict is Probated.KEEP
    wrongs: list[dict[str, Any]] = [{"alpha": 0.0}, {"margin": 1.0}, {"until": Micros(-1)}]
    for wrong in wrongs:
        with pytest.raises(BadInput):
            msgspec.structs.replace(TERMS, **wrong)


def joined(cells: list[list[Any]]) -> pa.Table:
    columns = dict(zip(NEEDED, map(list, zip(*cells, strict=True)), strict=True))
    table = pa.table(columns)
    for name in ("at", "label_received_at"):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.timestamp("us", tz="UTC")))
    return table


def test_pairs_are_read_from_the_joined_table() -> None:
    def spoke(name: str, version: str, role: str, score: float, label: bool | None, *, answered: str = "") -> list[Any]:
        return [name, 5, version, answered or version, role, score > 0.5, [1 - score, score], label, 9]

    table = joined([
        spoke("a", "m:2", "live", 0.9, True),
        spoke("a", "m:1", "shadow", 0.5, True),
        spoke("b", "m:2", "live", 0.9, True),
        spoke("c", "m:2", "live", 0.9, None),
        spoke("c", "m:1", "shadow", 0.9, None),
        spoke("d", "m:2", "live", 0.9, True, answered="m:1"),
        spoke("d", "m:1", "shadow", 0.9, True),
        spoke("e", "m:2", "pinned", 0.9, True),
        spoke("e", "m:1", "shadow", 0.9, True),
    ])  # fmt: skip
    output = Output(Task.BINARY, classes=(False, True), probability=True)
    found = shadowed(table, output, TERMS, "brier")
    assert (list(found.ids), found.at.tolist(), found.told.tolist()) == (["a"], [5], [9])
    assert (found.new.tolist(), found.old.tolist()) == (pytest.approx([0.01]), pytest.approx([0.25]))
    assert shadowed(table, output, TERMS, "accuracy").old.tolist() == [1.0]
    with pytest.raises(BadInput, match="no mean"):
        shadowed(table, output, TERMS, "auc")


def a_run(promoted: Micros | None) -> Run:
    fired = Firing(at=Micros(5), source=Source.PERSON, why="", who="ann")
    run = Run(endpoint="late", fired=Micros(5), firings=(fired,), champion="m:1", challenger="m:2")
    return msgspec.structs.replace(run, promoted=promoted)


def test_its_terms_are_those_of_the_endpoint_at_the_promotion() -> None:
    words = RetrainingWords(probation="14d")
    spec = EndpointSpec(endpoint="late", model="m", retraining=words, label_maturity="1h")
    found = probation_of(a_run(Micros(DAY)), spec)
    assert (found.new, found.old, found.since, found.until) == ("m:2", "m:1", DAY, 15 * DAY)
    assert found.due == 15 * DAY + 3600 * 1_000_000
    with pytest.raises(BadInput, match="promoted nothing"):
        probation_of(a_run(None), spec)


def test_it_is_looked_at_again_a_day_later_and_once_all_labels_are_due() -> None:
    long = msgspec.structs.replace(TERMS, until=Micros(14 * DAY), maturity_s=3600.0)
    assert long.next_look(Micros(3 * DAY)) == 4 * DAY
    assert long.next_look(Micros(long.due - 5)) == long.due
    assert long.next_look(long.due) == long.due + DAY
    short = msgspec.structs.replace(TERMS, until=Micros(7000))
    assert short.next_look(Micros(2000)) == 3000
