"""What is registered is what was taught: a picture comes through the contract, the package answers like the model."""

from pathlib import Path

import numpy as np

import headgate
from headgate.contracts.contract import Kind
from headgate.demo.inspection.learn import PICTURE, SHIFT, TRUTH, contract_of, photograph, teach, write_model
from headgate.demo.inspection.light import Shift
from headgate.demo.inspection.network import scores
from headgate.demo.inspection.plans import GATE
from headgate.demo.inspection.surfaces import CLASSES, drawn
from headgate.vocabulary import Task

BOTH = (Shift.DAY, Shift.NIGHT)


def test_shifts_take_turns_and_the_rows_are_the_contracts() -> None:
    archive = photograph(drawn(3), 5, BOTH, 1)
    assert archive.shifts == (Shift.DAY, Shift.NIGHT) * 2 + (Shift.DAY,)
    assert archive.table.column_names == [PICTURE, SHIFT, TRUTH]
    assert archive.table[SHIFT].to_pylist() == ["day", "night", "day", "night", "day"]
    assert archive.shades.shape == (5, 64, 64)
    contract = contract_of(CLASSES)
    assert [each.kind for each in contract.fields] == [Kind.IMAGE, Kind.CATEGORY]
    assert contract.output.task is Task.MULTICLASS
    assert contract_of(("a", "b")).output.task is Task.BINARY


def test_a_network_is_registered_proved_and_answers_as_it_did(tmp_path: Path) -> None:
    archive, aside = photograph(drawn(4), 400, BOTH, 1), photograph(drawn(5), 200, BOTH, 2)
    network = teach(archive, CLASSES, knows_light=True)
    with headgate.open(tmp_path / "home") as hg:
        registered = hg.register(
            "surface",
            write_model(network, tmp_path / "model"),
            reference=archive.table,
            contract=contract_of(CLASSES),
            trust=True,
        )
        assert registered.parity.exact
        report = hg.evaluate("surface:1", aside.table, gates=[GATE]).report
        assert report.passed
        right = np.array(CLASSES)[scores(network, aside.shades).argmax(axis=1)] == np.array(aside.truths)
        assert report.estimates["accuracy"].value == np.mean(right)
