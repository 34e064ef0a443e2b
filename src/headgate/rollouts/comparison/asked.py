"""Which answers of a rollout compare its two sides, step by step of it. `app` is the only caller."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.rollouts.answers import spoke, spoken_by
from headgate.vocabulary import Role

Roles = tuple[Role, ...]
OF_VERSIONS: Final[tuple[Roles, Roles]] = (Role.LIVE, Role.SHADOW), (Role.SHADOW, Role.CANARY)
"""Roles of the live version and of a candidate: which of them answers callers changes when the candidate gets all."""
BESIDE_PEOPLE: Final[tuple[Roles, Roles]] = (Role.HUMAN,), (Role.SHADOW,)
"""Roles of people and of a candidate."""


def asked_of_both(joined: pa.Table, live: str, candidate: str) -> pa.Table:
    """A rollout's rows without what the candidate answered callers of its own while callers were divided.

    Those inputs compare nobody with anybody. Once the candidate has all callers the live version answers them unseen.

    >>> names = ("input_id", "assigned", "role")
    >>> rows = (["a", "m:2", "canary"], ["b", "m:2", "canary"], ["b", "m:1", "shadow"], ["c", "m:1", "live"])
    >>> table = pa.table(dict(zip(names, map(list, zip(*rows)))))
    >>> asked_of_both(table, "m:1", "m:2")["input_id"].to_pylist()
    ['b', 'b', 'c']
    """
    beside = spoken_by(joined, live, Role.SHADOW)["input_id"].combine_chunks()
    both = pc.is_in(joined["input_id"], value_set=beside)
    return joined.filter(pc.or_(both, pa.array(~spoke(joined, candidate, Role.CANARY))))
