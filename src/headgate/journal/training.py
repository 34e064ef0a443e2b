"""Training sets cut point-in-time: what a model could have learned from at a stated moment, and nothing later.

Retraining calls this. The ids and the digest go into the new version's lineage, so that the same set can be
asked for again and an erasure can tell which versions learned from a row.
"""

import hashlib
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput
from headgate.journal.reader import Reader
from headgate.journal.tables import FEATURES
from headgate.vocabulary import SECOND, Digest, Micros

LABEL = "label"
"""Name of the label's column in a training set."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Rows to learn from."""

    table: pa.Table
    """One column per public feature, then ``label``; by event time."""
    input_ids: tuple[str, ...]
    """The input each row is, in the table's order."""
    digest: Digest
    """Of ids and labels in order, and of the columns' names: the same digest means the same set."""
    leaked: int
    """Rows left out because their truth was observed before their features were: they would teach the answer."""


def training_set(
    reader: Reader,
    project: str,
    endpoint: str,
    *,
    as_of: Micros,
    start: Micros | None = None,
    end: Micros | None = None,
    maturity_s: float = 0,
) -> TrainingSet:
    """The labelled inputs of [start, end) as they were known at `as_of`.

    Only labels received by `as_of` count, in the revision known then, and only inputs more than `maturity_s`
    seconds older than `as_of`, so that quick labels are not over-represented. `end` defaults to that moment.
    Raises BadInput when `end` lies after it, or when a feature has the label's name.
    """
    mature = Micros(as_of - round(maturity_s * SECOND))
    if end is not None and end > mature:
        raise BadInput("end", "leakage", "lies after as_of less maturity_s; labels of those inputs are not all due")
    until = mature if end is None else end
    joined = reader.joined(project, endpoint, start=start, end=until, as_of=as_of)
    known = joined.filter(pc.and_(pc.is_valid(joined.column(LABEL)), pc.is_valid(joined.column("answered"))))
    known = known.take(_first_of_each(known.column("input_id")))
    fair = known.filter(pc.greater_equal(known.column("label_observed_at"), known.column("at")))
    features = reader.features(project, endpoint, start=start, end=until)
    places = pc.index_in(fair.column("input_id"), value_set=features.column("input_id"))
    leaked = len(known) - len(fair)
    fair = fair.filter(pc.is_valid(places))
    table = _flat(features.take(places.drop_null()).column(FEATURES), fair.column(LABEL))
    ids = tuple(fair.column("input_id").to_pylist())
    return TrainingSet(table, ids, _digest(table, ids), leaked)


def _first_of_each(ids: pa.ChunkedArray) -> pa.Array:
    """Positions of the first row of each id: an input answered by two versions is learned from once."""
    numbered = pa.table({"id": ids, "place": pa.array(range(len(ids)), pa.int64())})
    return numbered.group_by("id").aggregate([("place", "min")]).column("place_min").sort()


def _flat(features: pa.ChunkedArray, label: pa.ChunkedArray) -> pa.Table:
    members = [each.name for each in features.type]
    if LABEL in members:
        raise BadInput("label", "unique", "is also the name of a feature; rename the feature")
    columns = {name: pc.struct_field(features, [at]) for at, name in enumerate(members)}
    return pa.table({**columns, LABEL: label})


def _digest(table: pa.Table, ids: tuple[str, ...]) -> Digest:
    rows = list(zip(ids, table.column(LABEL).to_pylist(), strict=True))
    said = msgspec.json.encode((table.column_names, rows))
    return Digest(f"sha256:{hashlib.sha256(said).hexdigest()}")
