"""The transforms that serving does too: on rows that come one at a time, without their label, the same as in training.

An application opens what a run left behind (``transform.json``) and asks it before it asks an endpoint. That both do
the same is tried at every run: a sample goes through one row at a time, and must come out as it did among all others.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from headgate.errors import BadInput, IntegrityError, NotFound, TrustRequired
from headgate.monitors.quality.skew import Skew, skew
from headgate.pipelines.pipelinefile import ROWS, Pipeline
from headgate.pipelines.shaping import columns_of, conformed
from headgate.pipelines.state import Column
from headgate.pipelines.transforms import Tables, Transform, function_in
from headgate.vocabulary import readable

TRIED: Final = 64
"""Rows that go through alone: a transform that looks at other rows rarely gives the same for all of so many."""
_PLACE: Final = "_place_"


class Step(msgspec.Struct, frozen=True):
    """One transform with everything it needs."""

    key: str
    code: str
    function: str = ""
    """The Python function's name; empty where the code is SQL."""


@readable
class Bundle(msgspec.Struct, frozen=True):
    """What serving needs to do as training did."""

    pipeline: str
    steps: tuple[Step, ...]
    columns: tuple[Column, ...]
    """What a row has before the transforms."""
    features: tuple[Column, ...]
    """What it has after them, in the order the model knows."""


class ServingTransform:
    """The transforms of one bundle, for rows. It holds a database in memory; close it, or use it as a context."""

    def __init__(self, bundle: Bundle, *, trust: bool = False) -> None:
        """`trust` lets Python in the bundle run. Raises TrustRequired without it."""
        if any(each.function for each in bundle.steps) and not trust:
            raise TrustRequired("this transform has Python in it, which would run; say trust=True where you trust it")
        self.bundle = bundle
        self._steps = [
            Transform(each.key, sql=None, make=function_in(each.code, each.key, each.function), code=each.code)
            if each.function
            else Transform(each.key, sql=each.code.strip().rstrip(";"), code=each.code)
            for each in bundle.steps
        ]
        self._tables = Tables()

    def __enter__(self) -> "ServingTransform":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give its database back."""
        self._tables.__exit__()

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows as the model knows them, each made alone. Raises BadInput for a value that cannot be read.

        >>> steps = (Step("transforms[0]", "SELECT distance / 500 AS hours FROM rows"),)
        >>> columns = (Column("distance", "double"),), (Column("hours", "double"),)
        >>> with ServingTransform(Bundle("late", steps, *columns)) as transform:
        ...     transform.rows([{"distance": 1000}])
        [{'hours': 2.0}]
        """
        made: list[dict[str, Any]] = []
        for each in rows:
            table = pa.table({name.name: pa.array([each.get(name.name)]) for name in self.bundle.columns})
            made += self.table(table).to_pylist()
        return made

    def table(self, table: pa.Table) -> pa.Table:
        """All rows of `table` at once. Raises BadInput for a value that cannot be read."""
        shaped, broken = conformed(table, self.bundle.columns)
        if broken:
            raise next(iter(broken.values())).as_error()
        for each in self._steps:
            self._tables.put(ROWS, shaped)
            shaped = self._tables.made(each)
        found, _ = conformed(shaped, self.bundle.features)
        return found


def open_transform(path: str | Path, *, trust: bool = False) -> ServingTransform:
    """The transforms that a run left in ``transform.json``. Raises NotFound, IntegrityError and TrustRequired."""
    try:
        bundle = msgspec.json.decode(Path(path).read_bytes(), type=Bundle)
    except FileNotFoundError as error:
        raise NotFound("file", str(path), "a pipeline's run leaves it behind") from error
    except msgspec.DecodeError as error:
        raise IntegrityError(f"{path} is not what a pipeline's run left behind") from error
    return ServingTransform(bundle, trust=trust)


def bundle_of(said: Pipeline, transforms: Sequence[Transform], before: pa.Schema, after: pa.Schema) -> Bundle:
    """What serving needs, by what the transforms were given and made."""
    steps = [
        Step(each.key, each.code, (words.python or "").partition(":")[2])
        for each, words in zip(transforms, said.serving, strict=True)
    ]
    unseen = {said.label, said.weight}
    columns = tuple(each for each in columns_of(before) if each.name not in unseen)
    features = tuple(each for each in columns_of(after) if each.name not in said.apart)
    return Bundle(said.pipeline, tuple(steps), columns, features)


def tried(transform: ServingTransform, before: pa.Table, after: pa.Table) -> Skew:
    """Up to 64 rows, spread over all, alone through the transforms beside what they became among all others.

    Raises BadInput naming the fields that differ: something in the transforms looks at other rows, at the label, at the
    clock or at chance.
    """
    if before.num_rows != after.num_rows:
        raise BadInput(
            "transforms", "skew",
            f"with serving: true make {after.num_rows:,} rows of {before.num_rows:,}; a row that comes alone must stay "
            "one, so filters and joins stand before them",
        )  # fmt: skip
    places = (
        sorted({round(each * (before.num_rows - 1) / (TRIED - 1)) for each in range(TRIED)}) if before.num_rows else []
    )
    taken = pa.array(places, pa.int64())
    features = [each.name for each in transform.bundle.features]
    batch = after.select(features).take(taken).append_column(_PLACE, taken)
    alone = [
        transform.table(before.select([each.name for each in transform.bundle.columns]).slice(place, 1))
        for place in places
    ]
    if not alone:
        return skew(batch, batch, [_PLACE])
    if any(each.num_rows != 1 for each in alone):
        raise BadInput("transforms", "skew", "with serving: true make another number of rows of one that comes alone")
    found = skew(batch, pa.concat_tables(alone).append_column(_PLACE, taken), [_PLACE])
    differing = [each for each in found.fields if each.differing.value]
    if differing:
        said = ", ".join(f"{each.field} in {(each.differing.value or 0):.0%} of them" for each in differing[:5])
        raise BadInput(
            "transforms", "skew",
            f"give other features when a row comes alone, of {len(places)} tried: {said}. They look at other rows, at "
            "the clock or at chance; let them stand before those with serving: true",
        )  # fmt: skip
    return found
