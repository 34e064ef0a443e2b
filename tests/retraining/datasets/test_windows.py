"""The window is chosen by what happened: since the change to the row, weighed where rows moved, or all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.retraining.datasets.worlds import CONTRACT, OUTPUT, journalled, wanted, world

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.journal.reader import View
from headgate.journal.tables import Table
from headgate.journal.truths import truths
from headgate.retraining.datasets.columns import schema_of
from headgate.retraining.datasets.cut import cut_dataset
from headgate.retraining.datasets.dataset import Dataset, WindowChoice
from headgate.retraining.datasets.labelled import Labelled
from headgate.retraining.datasets.learners import Densities, losses_of
from headgate.retraining.datasets.losses import answer_losses
from headgate.retraining.datasets.opened import open_dataset
from headgate.retraining.datasets.wanted import Known
from headgate.retraining.datasets.windows import Windows
from headgate.vocabulary import DAY, HOUR, Micros, Task

AUTO = WindowChoice.AUTO


def table_of(dataset: Dataset, folder: Path) -> pa.Table:
    return open_dataset(folder / dataset.digest.removeprefix("sha256:")).table()


def test_after_a_change_rows_since_it_are_learned_from_to_the_row(tmp_path: Path) -> None:
    made = world(3000, changed=2000)
    named = Micros(int(made.at[2000]) // DAY * DAY)
    assert named < made.at[1980], "a diagnosis names the midnight before"
    found = cut_dataset(
        journalled(tmp_path, made), wanted(made, window=AUTO, change=named, champion="late:1"), tmp_path / "datasets"
    )
    assert found.cut.choice is WindowChoice.SINCE_CHANGE
    assert found.cut.change == found.cut.start
    rows = table_of(found, tmp_path / "datasets")["at"].cast(pa.int64()).to_numpy()
    assert rows[0] >= made.at[1990]
    assert abs(len(rows) - 1000) <= 10
    assert {each.choice for each in found.cut.tried} >= {WindowChoice.EVERYTHING, WindowChoice.REWEIGHTED}
    value = {each.choice: each.value for each in found.cut.tried if each.value is not None}
    assert value[WindowChoice.SINCE_CHANGE] < value[WindowChoice.EVERYTHING] - 0.1


def test_without_a_change_all_rows_are_learned_from_the_original_ones_too(tmp_path: Path) -> None:
    made = world(1500)
    old = world(400, seed=9)
    original = pa.table({"late": old.truth, "x": old.x, "y": old.y, "carrier": ["UA"] * 400})
    found = cut_dataset(journalled(tmp_path, made), wanted(made, window=AUTO), tmp_path / "datasets", original)
    assert (found.cut.choice, found.rows, found.original_rows) == (WindowChoice.EVERYTHING, 1900, 400)
    assert found.cut.change is None
    assert "no change is known" in " ".join(each.words for each in found.cut.tried)


def test_a_moment_that_losses_do_not_show_is_taken_as_it_was_named(tmp_path: Path) -> None:
    made = world(1500)
    named = Micros(int(made.at[900]))
    found = cut_dataset(journalled(tmp_path, made), wanted(made, window=AUTO, change=named), tmp_path / "datasets")
    assert found.cut.change == named


def test_too_few_rows_since_a_change_that_losses_show_are_not_made_up_for_with_older_ones(tmp_path: Path) -> None:
    made = world(2000, changed=1850)
    words = wanted(made, window=AUTO, change=Micros(int(made.at[1850])))
    with pytest.raises(BadInput, match=r"since the change there are 1[45]\d labelled rows; at least 200 are needed"):
        cut_dataset(journalled(tmp_path, made), words, tmp_path / "datasets")
    by_hand = wanted(made, window=WindowChoice.EVERYTHING, change=Micros(int(made.at[1850])))
    assert cut_dataset(journalled(tmp_path, made), by_hand, tmp_path / "datasets").rows == 2000


def test_windows_that_a_person_asks_for(tmp_path: Path) -> None:
    made = world(1200, days=420.0)
    reader, folder = journalled(tmp_path, made, sealed=0), tmp_path / "datasets"
    end = int(made.at[-1]) + DAY
    for choice, days, first, last in (
        (WindowChoice.RECENT, None, end - 90 * DAY, end),
        (WindowChoice.RECENT, 300, end - 300 * DAY, end),
        (WindowChoice.SAME_SEASON, None, end - 410 * DAY, end - 320 * DAY),
    ):
        found = cut_dataset(reader, wanted(made, window=choice, recent_days=days), folder)
        rows = table_of(found, folder)["at"].cast(pa.int64()).to_numpy()
        assert rows.tolist() == made.at[(made.at >= first) & (made.at < last)].tolist()
        assert "as asked" in found.cut.why
    with pytest.raises(BadInput, match="no change is known"):
        cut_dataset(reader, wanted(made, window=WindowChoice.SINCE_CHANGE), folder)


def test_rows_are_weighed_by_how_frequent_their_like_is_now(tmp_path: Path) -> None:
    made = world(2400, changed=1600, shift=1.5)
    words = wanted(made, window=WindowChoice.REWEIGHTED, change=Micros(int(made.at[1600])))
    found = cut_dataset(journalled(tmp_path, made), words, tmp_path / "datasets")
    rows = table_of(found, tmp_path / "datasets")
    x, weight = rows["x"].to_numpy()[:1600], rows["weight"].to_numpy()
    assert set(weight[1600:]) == {1.0}
    assert abs(np.average(x, weights=weight[:1600]) - 1.5) < 0.25, "they come to look like those of now"
    assert (weight >= 0).all()
    again = cut_dataset(journalled(tmp_path / "2", made), words, tmp_path / "others")
    assert again.digest == found.digest


def test_densities_are_one_where_nothing_moved() -> None:
    random = np.random.default_rng(0)
    earlier, now = (pa.table({"x": random.normal(size=2000)}) for _ in range(2))
    assert abs(float(Densities.of(earlier, now, 0).weights(earlier).mean()) - 1) < 0.1


def test_numbers_are_foretold_with_the_absolute_error_and_classes_with_a_bounded_log_loss() -> None:
    x = np.linspace(-1, 1, 600)
    rows = pa.table({"x": x, "label": 2 * x})
    found = losses_of(rows, None, rows, Output(Task.REGRESSION), 0)
    assert not isinstance(found, str)
    assert found.mean() < 0.05
    one_class = pa.table({"x": x, "label": [True] * 600})
    assert losses_of(one_class, None, one_class, OUTPUT, 0) == "all its rows are of one class"
    wrong = pa.table({"x": x, "label": x > 0})
    other = pa.table({"x": x, "label": x <= 0})
    lost = losses_of(wrong, None, other, OUTPUT, 0)
    assert not isinstance(lost, str)
    assert lost.max() < 6.91
    nothing = pa.table({"x": [[1]] * 600, "label": x > 0})
    assert "no feature" in str(losses_of(nothing, None, nothing, OUTPUT, 0))


def test_losses_of_answers() -> None:
    none = pa.nulls(3, pa.list_(pa.float64()))
    rows = pa.table({"prediction": [3.0, 1.0, None], "label": [2.0, 1.0, 5.0], "scores": none})
    lost = answer_losses(rows, Output(Task.REGRESSION))
    assert lost[0] == pytest.approx(1.0, abs=0.02)
    assert lost[1] == 0
    assert np.isnan(lost[2])
    scored = pa.table(
        {"prediction": [True, False, True], "label": [True, True, None], "scores": [[0.2, 0.8], None, [0.5, 0.5]]}
    )
    lost = answer_losses(scored, OUTPUT)
    assert lost[:2].tolist() == pytest.approx([0.04, 1.0])
    assert np.isnan(lost[2])


def test_a_version_that_took_over_lately_tells_nothing_of_the_row(tmp_path: Path) -> None:
    made = world(2400, changed=1600)
    named = Micros(int(made.at[1600]) + 5 * HOUR)
    words = wanted(made, window=WindowChoice.SINCE_CHANGE, change=named, champion="late:2")
    assert cut_dataset(journalled(tmp_path, made), words, tmp_path / "datasets").cut.change == named


def test_a_row_that_an_earlier_cut_found_is_not_looked_for_again(tmp_path: Path) -> None:
    made = world(3000, changed=2000)
    earlier = Micros(int(made.at[1400]))
    reader = journalled(tmp_path, made)
    for known, first in ((Known.DIAGNOSED, made.at[1990]), (Known.LOCATED, earlier)):
        words = wanted(made, window=WindowChoice.SINCE_CHANGE, change=earlier, champion="late:1", known=known)
        found = cut_dataset(reader, words, tmp_path / "datasets").cut
        assert found.change is not None
        assert first <= found.change <= first + DAY, known


def test_all_rows_since_a_change_are_judged_on_and_none_by_who_learned_from_it(tmp_path: Path) -> None:
    made = world(3000, changed=2000)
    reader, words = journalled(tmp_path, made), wanted(made, change=Micros(int(made.at[2000])))

    def look(view: View) -> None:
        known = truths(view, tmp_path / "spill", start=None, end=words.until(), as_of=words.as_of)
        windows = Windows(Labelled(view, known, schema_of(CONTRACT), OUTPUT), None, words, words.until(), words.change)
        assert windows.judged == (range(2000, 2500), range(2500, 3000))
        for candidate in windows.candidates():
            for part in windows.judged:
                learned, rows = windows._sample(candidate, part)[0], windows.labelled.rows(part.start, part.stop)
                assert not set(learned["x"].to_pylist()) & set(rows["x"].to_pylist()), candidate.choice
        calm = replace(windows, change=None)
        assert calm.judged == (range(2250, 3000),)

    reader.looked(words.project, words.endpoint, (Table.INPUTS, Table.LABELS), look)


def test_rows_are_learned_from_in_proportion_to_their_weights() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=2000)
    turned = np.arange(2000) >= 1000
    learned = pa.table({"x": x, "label": (x > 0) ^ turned})
    judged = pa.table({"x": x[:500], "label": x[:500] > 0})
    for other, least, most in ((0.0, 0.0, 0.1), (0.25, 0.1, 0.4), (1.0, 0.6, 0.8)):
        found = losses_of(learned, np.where(turned, other, 1.0), judged, OUTPUT, 0)
        assert not isinstance(found, str)
        assert least <= found.mean() <= most, other
