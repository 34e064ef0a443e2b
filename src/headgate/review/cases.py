"""Which inputs wait for a person, found in the journal: what people decide, what is decided twice, what is audited.

Draws are by input id, as for traffic: the same inputs are drawn whoever asks and however often, and by nothing that
either of the two said of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.identifiers import parse_id
from headgate.monitors.columns import Bools, Ints, integers, named, text, texts
from headgate.traffic.assignment import WHOLE, draw
from headgate.vocabulary import Micros, Role

NEEDED: Final = ("input_id", "at", "role", "answered", "refusal_rule")
"""Columns of the joined table that are read."""
ROLES: Final = (Role.LIVE, Role.CANARY, Role.SHADOW, Role.SUGGESTION, Role.HUMAN, Role.PINNED)
"""Whose rows that table must have."""
_ANSWERED: Final = (Role.LIVE, Role.CANARY, Role.PINNED)


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of what is put before people, each from 0 to 1."""

    twice: float
    """Of what the model did not decide, all of which is for people: what two of them are to decide."""
    audited: float
    """Of what the model decided."""
    salt: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An input that lacks people."""

    input_id: str
    at: Micros
    people: int
    """How many have to decide it, 1 or 2."""
    by: frozenset[str]
    """Who did already, fewer than `people`."""
    audit: bool
    """Whether the model decided it, so that what it said must not be seen."""


def waiting(joined: pa.Table, shares: Shares) -> list[Waiting]:
    """The inputs of a joined table that lack people, oldest first.

    What no version answered though nothing was wrong with it was left to people, whoever decides by now: its caller was
    told so.

    >>> rows = {"input_id": ["01890a5d-ac96-774b-bcce-b302099a8057"], "at": [0], "role": ["shadow"],
    ...         "answered": ["m:1"], "refusal_rule": [None]}
    >>> table = pa.table(rows).set_column(1, "at", pa.array([0]).cast(pa.timestamp("us", tz="UTC")))
    >>> [each.people for each in waiting(table, Shares(1.0, 0.0, "salt"))]
    [2]
    """
    codes, inputs = named(joined["input_id"])
    ours = _of_inputs(codes, _is(joined["role"], *_ANSWERED) & (named(joined["answered"])[0] >= 0), len(inputs))
    human = _is(joined["role"], Role.HUMAN)
    # A decision is no answer of the gateway's, and says nothing of whether there was one.
    refused = _of_inputs(codes, named(joined["refusal_rule"])[0] >= 0, len(inputs))
    moments = np.zeros(len(inputs), np.int64)
    moments[codes] = integers(joined["at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    by: dict[int, set[str]] = {}
    deciders = joined.filter(pa.array(human))["answered"].to_pylist()
    for code, who in zip(codes[human].tolist(), deciders, strict=True):
        by.setdefault(code, set()).add(who or "")
    asked = (~ours | (shares.audited > 0)) & ~refused
    order = np.argsort(moments, kind="stable")
    cases = (
        Waiting(
            inputs[place], Micros(int(moments[place])), people, frozenset(by.get(place, ())), audit=bool(ours[place])
        )
        for place in order[asked[order]].tolist()
        if (people := _people(inputs[place], bool(ours[place]), shares))
    )
    return [each for each in cases if len(each.by) < each.people]


def _people(input_id: str, audit: bool, shares: Shares) -> int:
    """How many are to decide an input."""
    if audit:
        return int(_drawn("audit", input_id, shares.audited, shares.salt))
    return 1 + _drawn("twice", input_id, shares.twice, shares.salt)


def _drawn(what: str, input_id: str, share: float, salt: str) -> bool:
    if share >= 1.0:
        return True
    return share > 0.0 and draw(salt, what, parse_id(input_id)) < int(share * WHOLE)


def _of_inputs(codes: Ints, rows: Bools, inputs: int) -> Bools:
    found: Bools = np.zeros(inputs, np.bool_)
    found[codes[rows]] = True
    return found


def _is(column: pa.ChunkedArray, *roles: Role) -> Bools:
    found: Bools = pc.fill_null(pc.is_in(text(column), value_set=texts(roles)), False).to_numpy().astype(bool)
    return found
