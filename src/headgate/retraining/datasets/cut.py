"""Cuts a training set: the one call of this room that reads a journal. Retraining and the Python API make it.

Labels and moments of all inputs fit into memory at some 50 bytes each; features pass through it a few hundred thousand
rows at a time.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from headgate import durability
from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.journal.reader import Reader, View
from headgate.journal.tables import MOMENT, Table
from headgate.journal.truths import truths
from headgate.retraining.datasets.columns import feature_names, original_rows, schema_of
from headgate.retraining.datasets.dataset import (
    AT,
    INPUT_ID,
    ROWS_FILE,
    SOURCE,
    WEIGHT,
    Cut,
    Dataset,
    RowSource,
    WindowChoice,
)
from headgate.retraining.datasets.labelled import Labelled, too_few
from headgate.retraining.datasets.losses import changed_at
from headgate.retraining.datasets.wanted import Known, Wanted
from headgate.retraining.datasets.windows import Windows, asked_for, is_whole
from headgate.retraining.datasets.written import PIECE, Rows, aside, keep
from headgate.vocabulary import Micros, Task

Progress = Callable[[float, str], None]
"""How much is done, 0 to 1, and what is being done."""


def cut_dataset(
    reader: Reader,
    wanted: Wanted,
    folder: Path,
    original: pa.Table | None = None,
    *,
    progress: Progress = lambda _done, _text: None,
    enough: Callable[[], None] = lambda: None,
) -> Dataset:
    """The training set that is wanted, in a folder of its own in `folder`, named by its digest.

    Each labelled input counts once, with the truth that was known at ``wanted.as_of``, if it is older than that by more
    than the label maturity. Rows whose truth was observed before they were asked about are left out and counted.
    `original` are rows that the model was first learned from; windows that go back to the beginning have them too. The
    same set that is there already is not written again, and nothing half-made is ever seen in `folder`. `enough` is
    called where there are rows enough and windows are to be tried: from then on it takes as long as that.

    Raises BadInput naming the count and the rule: too few rows or too few of a class, an end beyond what is mature, a
    feature that is the label or was never kept. Raises OSError where the disk is full.
    """
    schema = schema_of(wanted.contract)
    first = None if original is None else original_rows(as_table(original), schema, wanted.contract.output)
    end = wanted.until()
    with aside(folder) as work:

        def look(view: View) -> Dataset:
            progress(0.0, "reading labels")
            spill = work / "spill"
            known = truths(view, spill, start=wanted.start, end=end, as_of=wanted.as_of)
            labelled = Labelled(view, known, schema, wanted.contract.output)
            progress(0.4, "choosing the window")
            windows = _windows(reader, wanted, labelled, first, end)
            cut = _chosen(windows, enough)
            made = work / "made"
            durability.make_folder(made)
            dataset = _written(windows, cut, made, progress)
            return keep(made, dataset, folder)

        return reader.looked(wanted.project, wanted.endpoint, (Table.INPUTS, Table.LABELS), look)


def _windows(reader: Reader, wanted: Wanted, labelled: Labelled, original: pa.Table | None, end: Micros) -> Windows:
    """The windows there are, the change found to the row where losses show it."""
    exact = wanted.change if wanted.known is Known.LOCATED else changed_at(reader, wanted, labelled)
    change = exact if exact is not None or wanted.known is Known.SUSPECTED else wanted.change
    return Windows(labelled, original, wanted, end, change)


def _chosen(windows: Windows, enough: Callable[[], None]) -> Cut:
    """Which rows, those left out that are held out for a proof."""
    wanted = windows.wanted
    asked = Cut(
        wanted.as_of,
        wanted.start,
        windows.end,
        wanted.maturity_s,
        wanted.window,
        "",
        windows.change,
        wanted.recent_days,
    )
    if wanted.window is WindowChoice.AUTO:
        _refuse_few_since_change(windows)
        if any(not each.short for each in windows.candidates()):
            enough()
        cut = windows.chosen(asked)
    else:
        cut = asked_for(windows, asked)
        if short := windows.candidate(cut.choice, cut.recent_days).short:
            raise BadInput("window", "change", f"{cut.choice}: {short}; name the moment, or choose another window")
    first, last = _places(windows.labelled, cut)
    left = last if cut.choice is WindowChoice.SAME_SEASON else last - wanted.left_out(last - first)
    if windows.original is None or not is_whole(cut.choice):
        _refuse(windows, first, left, "")
    return cut if left == last else msgspec.structs.replace(cut, end=Micros(int(windows.labelled.at[left])))


def _refuse_few_since_change(windows: Windows) -> None:
    """A change that losses show leaves nothing else to learn from: older rows are of another world."""
    wanted = windows.wanted
    if windows.change is None or (windows.change == wanted.change and wanted.known is not Known.LOCATED):
        return
    first, rows = windows.labelled.place(windows.change, 0), len(windows.labelled)
    _refuse(windows, first, rows - wanted.left_out(rows - first), "since the change ")


def _refuse(windows: Windows, first: int, last: int, when: str) -> None:
    """Raises BadInput where the rows from `first` to before `last` are too few, before any of them is read."""
    if short := windows.labelled.short(first, last, windows.wanted.least):
        raise BadInput("rows", "too_few", f"{when}there are {short}{_gone(windows.labelled)}")


def _places(labelled: Labelled, cut: Cut) -> tuple[int, int]:
    return labelled.place(cut.start, 0), labelled.place(cut.end, len(labelled))


def _written(windows: Windows, cut: Cut, made: Path, progress: Progress) -> Dataset:
    """The rows of a cut as a file in `made`, and what is to be said of them."""
    labelled, wanted, contract = windows.labelled, windows.wanted, windows.wanted.contract
    first, last = _places(labelled, cut)
    original = windows.original if is_whole(cut.choice) else None
    with Rows(made / ROWS_FILE, labelled.schema) as rows:
        if original is not None:
            rows.add(_completed(original, _weights(windows, cut, original, 0), RowSource.ORIGINAL))
        originals = rows.count
        for begin in range(first, last, PIECE):
            stop = min(begin + PIECE, last)
            piece = labelled.rows(begin, stop)
            rows.add(_completed(piece, _weights(windows, cut, piece, begin), RowSource.JOURNAL))
            progress(0.5 + 0.5 * (stop - first) / (last - first), "writing rows")
        digest = rows.digest()
    classes = {each: rows.classes.get(each, 0) for each in contract.output.classes}
    _refuse_written(rows, classes, labelled, wanted)
    return Dataset(
        digest=digest,
        project=wanted.project,
        endpoint=wanted.endpoint,
        task=contract.output.task,
        label=contract.output.label,
        features=tuple(feature_names(labelled.schema)),
        cut=cut,
        rows=rows.count,
        original_rows=originals,
        classes={str(each): count for each, count in classes.items()},
        leaked=labelled.truths.leaked,
        bytes=(made / ROWS_FILE).stat().st_size,
    )


def _gone(labelled: Labelled) -> str:
    rows = labelled.truths.leaked
    return f"; {rows:,} were left out because their truth was observed before they were asked about" if rows else ""


def _refuse_written(rows: Rows, classes: dict[str | int | bool, int], labelled: Labelled, wanted: Wanted) -> None:
    """Raises BadInput where nothing can be learned from these rows: features of some may not have been kept."""
    of_classes = {} if wanted.contract.output.task is Task.REGRESSION else classes
    if short := too_few(dict(of_classes), rows.count, wanted.least):
        raise BadInput("rows", "too_few", f"there are {short}{_gone(labelled)}")
    if rows.copies and wanted.least.rows and rows.count:
        copy = min(rows.copies)
        raise BadInput(f"features.{copy}", "leakage", f"is the label itself in all {rows.count:,} rows; leave it out")


def _weights(windows: Windows, cut: Cut, rows: pa.Table, begin: int) -> Floats:
    """1 for each row; where rows are weighed, how frequent the like of those before now are."""
    weights = np.ones(len(rows))
    if cut.choice is not WindowChoice.REWEIGHTED or not windows.since:
        return weights
    now = windows.labelled.at[windows.since]
    old = np.ones(len(rows), np.bool_) if AT not in rows.column_names else rows[AT].cast(pa.int64()).to_numpy() < now
    if old.any():
        features = rows.select(feature_names(windows.labelled.schema)).filter(pa.array(old))
        weights[old] = windows.densities.weights(features)
    return weights


def _completed(rows: pa.Table, weights: Floats, source: RowSource) -> pa.Table:
    """The rows with the columns that every set has."""
    count = len(rows)
    more = {
        WEIGHT: pa.array(weights),
        AT: rows[AT] if AT in rows.column_names else pa.nulls(count, MOMENT),
        INPUT_ID: rows[INPUT_ID] if INPUT_ID in rows.column_names else pa.nulls(count, pa.string()),
        SOURCE: pa.repeat(pa.scalar(source.value), count),
    }
    kept = [each for each in rows.column_names if each not in more]
    return pa.table({**{each: rows[each] for each in kept}, **more})
