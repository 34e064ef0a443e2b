"""The transform step: all kept rows become one table, and what serving does too is tried on rows that come alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate.errors import BadInput
from headgate.pipelines.pipelinefile import ROWS, PipelineFile
from headgate.pipelines.serving import ServingTransform, bundle_of, tried
from headgate.pipelines.state import Kept, State
from headgate.pipelines.transforms import Tables, Transform, kept_rows, read_transforms
from headgate.pipelines.whole import write_whole

TABLE: Final = "made.parquet"
"""What the transforms made, in the run's folder."""
BUNDLE: Final = "transform.json"
"""What serving needs, in the run's folder."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the transforms made."""

    rows: int
    unlabelled: int
    """Rows left out because they have no label yet."""
    alone: int
    """Rows that went through alone and came out the same; 0 where serving does nothing."""


def make(file: PipelineFile, kept: Kept, state: State, folder: Path) -> Made:
    """Run the transforms over all kept rows, into ``made.parquet`` and ``transform.json`` of the run's `folder`.

    Raises BadInput naming the transform that fails, or that gives a row that comes alone other features.
    """
    said = file.said
    transforms = read_transforms(file)
    serving = [each for each, words in zip(transforms, said.transforms, strict=True) if words.serving]
    work = folder / "work.duckdb"
    work.unlink(missing_ok=True)
    try:
        with Tables(work, reads=kept.root) as tables:
            for name, words in said.sources.items():
                files = [kept.source(name) / each.file for each in state.sources[name].parts]
                tables.add(name, kept_rows(files, words.key))
            tables.add(ROWS, f'FROM "{next(iter(said.sources))}"')
            for each in transforms[: len(transforms) - len(serving)]:
                tables.run(each)
            _see(file, tables.names(), serving)
            tables.order([each for each in (said.at, *said.key) if each])
            table = tables.rows()
    finally:
        for leftover in folder.glob("work.duckdb*"):
            leftover.unlink(missing_ok=True)
    labelled = table.filter(pc.is_valid(table[said.label])).combine_chunks()
    alone = _finish(file, serving, labelled, folder)
    return Made(labelled.num_rows, table.num_rows - labelled.num_rows, alone)


def _see(file: PipelineFile, names: Sequence[str], serving: Sequence[Transform]) -> None:
    said = file.said
    for key, name in (
        ("label", said.label),
        ("at", said.at),
        ("weight", said.weight),
        *(("key", each) for each in said.key),
    ):
        if name is not None and name not in names:
            where = "before those with serving: true, " if serving else ""
            raise BadInput(key, "schema", f"{where}there is no column '{name}'; there are {', '.join(names)}")


def _finish(file: PipelineFile, serving: Sequence[Transform], table: pa.Table, folder: Path) -> int:
    """The serving transforms over `table`, tried and kept; how many rows they were tried on."""
    said = file.said
    hidden = [each for each in (said.label, said.weight) if each]
    before = table.drop_columns(hidden)
    after = before
    with Tables() as tables:
        for each in serving:
            tables.put(ROWS, after)
            after = tables.made(each)
    bundle = bundle_of(said, serving, before.schema, after.schema)
    if serving and not table.num_rows:
        raise BadInput("rows", "few", "no row has a label; nothing can be tried")
    rows = 0
    if serving:
        with ServingTransform(bundle, trust=True) as transform:  # it is the operator's own file, which ran just now
            rows = tried(transform, before, after).rows
    features = after.select([each.name for each in bundle.features])
    made = pa.table(
        [*features.columns, *(table[each] for each in said.apart)], names=[*features.column_names, *said.apart]
    )
    write_whole(folder / BUNDLE, lambda path: path.write_bytes(msgspec.json.format(msgspec.json.encode(bundle))))
    write_whole(folder / TABLE, lambda path: pq.write_table(made, path))
    return rows
