"""Versions are proved by real models on real rows, and what came of it is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import headgate
from headgate.app.facade import Headgate
from headgate.app.proving import Proving
from headgate.clock import HeldClock
from headgate.errors import BadInput, Conflict, NotFound
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import from_json
from headgate.events import EventKind
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.retraining.proof.probation import Probated, Probation
from headgate.retraining.proof.terms import Terms
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Role

FIELDS = ["a", "b"]
PUBLIC = tuple(SchemaField(each, "number", "public") for each in FIELDS)
SCHEMA = Schema("default", "late", "sha256:1", PUBLIC, "binary", "integer", (0, 1))
BEGUN = Micros(20_000 * DAY)


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = pd.DataFrame(random.normal(size=(rows, 2)), columns=FIELDS)
    return found.assign(y=(found.a + found.b + random.normal(scale=0.5, size=rows) > 0).astype(int))


@pytest.fixture
def hg(tmp_path: Path) -> Headgate:
    """Two versions: one that was taught nothing about `b`, one that knows all there is."""
    known = frame(600, 1)
    opened = headgate.open(tmp_path / "h")
    for taught in (known.assign(b=known.b.sample(frac=1, random_state=1).to_numpy()), known):
        opened.register("delay", LogisticRegression().fit(taught[FIELDS], known.y), reference=known, label="y")
    opened.alias("delay:1", "champion")
    return opened


def test_a_proof_is_kept_as_the_latest_evaluation(hg: Headgate, tmp_path: Path) -> None:
    frame(300, 3).to_parquet(tmp_path / "golden.parquet")
    terms = Terms(golden=(str(tmp_path / "golden.parquet"),))
    proof = hg.proving.prove("delay:2", rows=frame(2000, 2), terms=terms)
    names = {each.name: each.outcome for each in proof.checks}
    assert (proof.champion, proof.anchor, proof.superior) == ("delay:1", "delay:1", True)
    assert {"contract", "latency", "size", "robust", "golden golden.parquet"} <= names.keys()
    assert (set(names.values()), proof.may_promote) == ({Outcome.PASSED}, True)
    version = hg.registry.resolve("delay:2")
    kept = from_json(hg.registry.evaluations(version)[-1].report)
    assert (kept.verdict, kept.rows, hg.registry.proved(version)) == (Outcome.PASSED, 2000, True)
    assert [each.gate for each in kept.gates] == [each.name for each in proof.checks if each.decides]
    event = hg.registry.history(version)[0]
    assert (event.kind, event.details["champion"], event.details["passed"]) == (EventKind.EVALUATED, "delay:1", True)
    back = hg.proving.prove("delay:1", against="delay:2", rows=frame(2000, 2), keep=False)
    assert back.outcome is Outcome.FAILED
    assert hg.registry.evaluations(hg.registry.resolve("delay:1")) == []
    hg.close()


def test_the_anchor_is_an_alias_that_moves_once(hg: Headgate) -> None:
    proof = hg.proving.prove("delay:2", rows=frame(2000, 2))
    for _ in range(2):
        assert hg.proving.settle(proof, promoted=True).version == "delay:2"
    assert hg.aliases("delay")["anchor"] == 2
    assert len([each for each in hg.events("delay:2") if each.kind is EventKind.ALIASED]) == 1
    hg.close()


def test_what_cannot_be_proved_is_refused_by_name(hg: Headgate) -> None:
    with pytest.raises(Conflict, match="champion itself"):
        hg.proving.prove("delay:1", rows=frame(300, 2))
    with pytest.raises(BadInput, match="say on which rows"):
        hg.proving.prove("delay:2")
    with pytest.raises(BadInput, match="where the truth is expected"):
        hg.proving.prove("delay:2", rows=frame(300, 2)[FIELDS])
    with pytest.raises(NotFound):
        hg.proving.prove("delay:9", rows=frame(300, 2))
    words = frame(600, 1).assign(y=lambda rows: rows.y.map({0: "on time", 1: "late"}))
    hg.register("delay", LogisticRegression().fit(words[FIELDS], words.y), reference=words, label="y")
    with pytest.raises(Conflict, match="answers another question"):
        hg.proving.prove("delay:3", rows=words)
    hg.close()


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def journalled(hg: Headgate, folder: Path, rows: pd.DataFrame) -> Proving:
    """The same with a journal: a row a second, answered by the second version, the first one as its shadow."""
    block, segments = Block([], [], []), MemorySegments()
    chances = [1 / (1 + np.exp(-each)) for each in (3 * (rows.a + rows.b), 3 * rows.a)]
    for number, (a, b, y, *said) in enumerate(zip(rows.a, rows.b, rows.y, *chances, strict=True)):
        at = BEGUN + number * SECOND
        block.inputs.append(Input(ident(number), at, (a, b), f"r{number}", 0))
        for version, role, chance in zip(("delay:2", "delay:1"), (Role.LIVE, Role.SHADOW), said, strict=True):
            block.answers.append(
                Answer(ident(number), version, version, role, 1.0, int(chance > 0.5), [1 - chance, chance], 100, 200)
            )
        told = at + 60 * SECOND
        block.labels.append(Label(ident(10**6 + number), told, told, int(y), input_id=ident(number)))
    segments.write("here-0", 1, [(SCHEMA, block)], closed=False)
    return replace(hg.proving, reader=Reader(Lake(folder), segments), clock=HeldClock(Micros(BEGUN + HOUR)))


def test_rows_of_the_journal_are_those_whose_labels_are_due(hg: Headgate, tmp_path: Path) -> None:
    hg.apply("endpoint: late\nmodel: delay:1\nlabel_maturity: 30m\n", force=True)
    proving = journalled(hg, tmp_path / "lake", frame(3000, 7))
    rows = proving.recent("late", "y")
    assert (len(rows), rows.column_names) == (1800, ["a", "b", "y", "at", "input_id"])
    proof = proving.prove("delay:2", endpoint="late")
    assert (proof.champion, proof.rows, proof.superior) == ("delay:1", 1800, True)
    assert proof.window == (BEGUN, BEGUN + 1799 * SECOND)
    learned = rows["input_id"].to_pylist()[:7]
    with pytest.raises(BadInput, match="learned from 7 of these"):
        proving.prove("delay:2", endpoint="late", learned=learned)
    with pytest.raises(BadInput, match="no row of late"):
        proving.prove("delay:2", endpoint="late", since=Micros(BEGUN + HOUR))
    hg.close()


def test_a_probation_reads_the_journal(hg: Headgate, tmp_path: Path) -> None:
    hg.apply("endpoint: late\nmodel: delay:2\n", force=True)
    proving = journalled(hg, tmp_path / "lake", frame(2000, 8))
    proof = proving.prove("delay:2", against="delay:1", rows=frame(500, 9), keep=False)
    found = {}
    for new, old in (("delay:2", "delay:1"), ("delay:1", "delay:2")):
        probation = Probation(new=new, old=old, since=BEGUN, until=Micros(BEGUN + HOUR))
        found[new] = proving.probe("late", probation, proof, Micros(BEGUN + 2 * HOUR))
    assert (found["delay:2"].verdict, found["delay:1"].verdict) == (Probated.KEEP, Probated.TAKE_BACK)
    assert found["delay:1"].pairs == 2000
    hg.close()
