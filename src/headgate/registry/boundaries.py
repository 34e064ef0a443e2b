"""Rows beside the places where a model's answer jumps: what a float32 cast gets wrong, a reference row rarely shows.

For a field, two rows that differ in it alone and are answered differently enclose a jump; cutting the interval into
parts, again and again, finds it. The two rows kept lie a trillionth apart on either side: the same float32, but not
the same answer. Parity compares models there; any model is treated as a black box, so pipelines need no special care.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.registry import native
from headgate.registry.parity import TOLERANCE, Origin
from headgate.registry.ports import Predicted, Predictor

Floats = npt.NDArray[np.float64]

PAIRS: Final = 256
"""Intervals searched at once, over all fields."""
PER_FIELD: Final = 12
PARTS: Final = 4
"""Into which an interval is cut at a time: two would be asked about twice as often, and asking costs more than rows."""
ROUNDS: Final = 40
APART: Final = 1e-12
"""Distance kept from a jump, relative to the value: far above float64's rounding, far below float32's."""
_KINDS: Final = (Kind.NUMBER, Kind.INTEGER)


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows beside jumps, and which reference row and field each was made from."""

    table: pa.Table
    origins: tuple[Origin, ...]


def beside_jumps(model: Predictor, sample: pa.Table, contract: Contract, *, seed: int = 0) -> Beside:
    """Pairs of rows on either side of jumps in the model's answer; no rows for a model without any."""
    fields = [each.name for each in contract.fields if each.kind in _KINDS]
    whole = {each.name for each in contract.fields if each.kind is Kind.INTEGER}
    plan = _Plan.draw(sample, fields, np.random.default_rng(seed))
    if not plan.rows.size:
        return Beside(sample.slice(0, 0), ())
    exact = np.array([name in whole for name in plan.names])
    low, high = plan.low, plan.high
    at_low, at_high = plan.ask(model, sample, low, high)
    for _ in range(ROUNDS):
        inner = [_between(low, high, place / PARTS, exact) for place in range(1, PARTS)]
        # An interval whose ends are answered alike holds no jump: smooth models are done after a few rounds.
        wide = np.abs(high / 2 - low / 2) > APART / 2 * np.maximum(np.abs(low), np.abs(high))
        parted = np.any([(each != low) & (each != high) for each in inner], axis=0)
        if not (wide & parted & (_gap(at_low, at_high) > TOLERANCE)).any():
            break
        places = np.stack([low, *inner, high])
        said = np.stack([at_low, *plan.ask(model, sample, *inner), at_high])
        first = np.argmax([_gap(one, other) for one, other in pairwise(said)], axis=0)
        rows = np.arange(len(first))
        low, high = places[first, rows], places[first + 1, rows]
        at_low, at_high = said[first, rows], said[first + 1, rows]
    jumps = _gap(at_low, at_high) > TOLERANCE
    left = np.where(exact, low, low - _sign(low, high) * np.abs(low) * APART)
    right = np.where(exact, high, high + _sign(low, high) * np.abs(high) * APART)
    tables = [plan.table(sample, values).filter(pa.array(jumps)) for values in (left, right)]
    origins = [Origin(int(row), name) for row, name, jump in zip(plan.rows, plan.names, jumps, strict=True) if jump]
    return Beside(pa.concat_tables(tables), tuple(origins * 2))


def _between(low: Floats, high: Floats, share: float, exact: npt.NDArray[np.bool_]) -> Floats:
    """The place so far from `low` to `high`, a whole number where it has to be one."""
    place = low * (1 - share) + high * share
    found: Floats = np.clip(np.where(exact, np.floor(place), place), np.minimum(low, high), np.maximum(low, high))
    return found


def _sign(low: Floats, high: Floats) -> Floats:
    return np.where(high >= low, 1.0, -1.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which rows are moved in which fields, between which values."""

    rows: npt.NDArray[np.intp]
    names: tuple[str, ...]
    low: Floats
    high: Floats

    @classmethod
    def draw(cls, sample: pa.Table, fields: Sequence[str], random: np.random.Generator) -> "_Plan":
        """Intervals between values the reference really has, every field in turn."""
        each_field = max(1, min(PER_FIELD, PAIRS // max(1, len(fields))))
        rows, names, low, high = [], [], [], []
        for name in fields[:PAIRS]:
            values = native.numbers(sample, name)
            there = np.flatnonzero(np.isfinite(values))
            if len(there) < 2:
                continue
            for _ in range(each_field):
                one, other = random.choice(there, 2)
                if values[one] != values[other]:
                    rows.append(int(one))
                    names.append(name)
                    low.append(float(values[one]))
                    high.append(float(values[other]))
        return cls(np.array(rows, np.intp), tuple(names), np.array(low), np.array(high))

    def table(self, sample: pa.Table, values: Floats) -> pa.Table:
        """The chosen rows, each with its own field moved to its value."""
        taken = sample.take(pa.array(self.rows))
        for name in dict.fromkeys(self.names):
            place = taken.schema.get_field_index(name)
            mask = np.array([each == name for each in self.names])
            column = native.column(taken, name)
            if pa.types.is_integer(column.type):
                held = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
                moved = np.where(mask, np.where(mask, values, 0).astype(np.int64), held)
            else:
                moved = np.where(mask, values, native.numbers(taken, name))
            nulls = np.asarray(column.is_null()) & ~mask
            taken = taken.set_column(place, name, pa.array(moved, mask=nulls))
        return taken

    def ask(self, model: Predictor, sample: pa.Table, *places: Floats) -> list[Floats]:
        """The model's answers with the fields at each of these places, as numbers: scores, numbers or coded labels."""
        said = as_numbers(model.predict(pa.concat_tables([self.table(sample, each) for each in places])))
        return np.split(said, len(places))


def as_numbers(said: Predicted) -> Floats:
    """Answers as (rows, k) numbers whose distance means something: scores, or the number, or a one-hot label."""
    if said.scores is not None:
        return said.scores
    if said.prediction.dtype.kind == "f":
        return np.asarray(said.prediction, np.float64).reshape(-1, 1)
    codes = np.array([hash(each) % 1_000_003 for each in said.prediction.tolist()], np.float64)
    return codes.reshape(-1, 1)


def _gap(one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        gap: Floats = np.nan_to_num(np.abs(one - other)).max(axis=1)
    return gap
