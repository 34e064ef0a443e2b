"""What was observed of a rollout so far, read from the journal: the sample its guards judge.

Read whole, for whoever looks once; `following.py` looks again and again, and says the same.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.evaluation.rows import spelled
from headgate.evidence.exceedance import frozen_quantiles
from headgate.journal.identifiers import parse_id
from headgate.journal.labels import ask_locked
from headgate.journal.reader import Reader
from headgate.journal.tables import FEATURES
from headgate.monitors.columns import floats, text
from headgate.rollouts.answers import (
    COLUMNS,
    FEATURE,
    LOSS,
    Arms,
    arms_of,
    decided_by,
    decisions_of,
    pairs_of,
    undivided,
)
from headgate.rollouts.automation import Automation, by_people
from headgate.rollouts.judge import Sample
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import State, begin, moved, weights
from headgate.traffic.assignment import Assignment, assign
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import DAY, SECOND, Micros, Role

SETTLED: Final = Micros(SECOND // 2)
"""Age at which all records of a moment are readable: each look then adds to the end of what the one before saw."""
TIMED: Final = 200
"""Answers of the live version that make its quantiles, where there were none before the rollout."""
BEFORE: Final = Micros(7 * DAY)
"""How far back before a rollout the live version's computing time is looked at."""
ROLES: Final = (Role.LIVE, Role.CANARY, Role.SHADOW)
"""Whose answers a rollout is judged by."""
_PEOPLES_ROLES: Final = (Role.LIVE, Role.SHADOW, Role.HUMAN)
_GIVEN: Final = {"input_id": pa.string(), "version": pa.string(), "loss": pa.float64()}
"""Columns that a guard's query has to give."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What of an endpoint must be known to read a rollout's answers."""

    output: Output
    maturity_s: float
    traffic: Traffic
    """As gateways obey it: its salt and sticky key say whose an input was that nobody answered."""
    replayed: bool = False
    """Whether its clock stands still until somebody moves it: then everything is readable at once."""

    def settled(self, now: Micros) -> Micros:
        """Before which moment everything is readable."""
        return Micros(now + 1 if self.replayed else now - SETTLED)

    def due(self, now: Micros) -> Micros:
        """Of inputs before which moment the labels are due."""
        return Micros(now - round(self.maturity_s * SECOND) + 1)

    def setting(self, thresholds: tuple[float, ...], since: int = 0) -> Setting:
        """What its guards know; computing times are compared with `thresholds` from the moment `since` on."""
        return Setting(thresholds, tuple(map(spelled, self.output.classes)), since)


def observe(rollout: Rollout, reader: Reader, scene: Scene, now: Micros) -> Sample:
    """What was answered since `rollout` began, as far as it is readable by `now`."""
    plan, end = rollout.plan, scene.settled(now)
    where, start = (plan.project, plan.endpoint), rollout.started
    table = reader.joined(*where, start=start, end=end, as_of=now, roles=roles_of(plan), columns=COLUMNS)
    features = reader.features(*where, start=start, end=end) if needs_features(plan) else None
    return sample_of(rollout, table, features, scene, now)


def roles_of(plan: Plan) -> tuple[Role, ...]:
    """Whose answers the rollout of a plan is judged by."""
    return _PEOPLES_ROLES if plan.people else ROLES


def needs_features(plan: Plan) -> bool:
    """Whether its guards look at what was asked, beside what was answered."""
    return any(guard.query or guard.fields for guard in plan.guards)


def sample_of(rollout: Rollout, table: pa.Table, features: pa.Table | None, scene: Scene, now: Micros) -> Sample:
    """What the guards of `rollout` judge, of the joined table since it began.

    `features` are those of its inputs, None where no guard looks at them.
    """
    broken = dict[str, str]()
    if features is not None:
        table, broken = _with_more(table, rollout.plan, features)
    seen = _beside_people if rollout.plan.people else _beside_live
    return replace(seen(rollout, table, scene, now), broken=broken)


def _beside_live(rollout: Rollout, table: pa.Table, scene: Scene, now: Micros) -> Sample:
    """What a candidate said beside the live version, and in its place."""
    plan, due = rollout.plan, scene.due(now)
    pairs = pairs_of(table, scene.output, rollout.live, plan.candidate)
    whose, sticks = Routing(rollout, scene.traffic), plan.sticky_key is not None
    arms = arms_of(table, scene.output, rollout.live, plan.candidate, whose, sticks=sticks)
    thresholds, since = (rollout.thresholds, 0) if rollout.thresholds else first_thresholds(arms)
    return Sample(pairs, arms, pairs.within(0, due), arms.within(0, due), scene.setting(thresholds, since))


def _beside_people(rollout: Rollout, table: pa.Table, scene: Scene, now: Micros) -> Sample:
    """What a candidate said beside people.

    Once it decides by itself where it is sure, people decide the rest, and that rest compares nobody with anybody: so
    the comparison ends there, and only the risk it was promised to hold is looked at from then on.
    """
    candidate, output, due, end = rollout.plan.candidate, scene.output, scene.due(now), scene.settled(now)
    alone = next((move.at for move in rollout.moves if move.confidence is not None), end)
    pairs = decisions_of(table, output, candidate, (Role.SHADOW, Role.LIVE)).within(rollout.started, alone)
    if scene.maturity_s > 0:
        own = decided_by(table, output, candidate).within(alone, due)
        automation = Automation(pairs.within(0, due).candidate, own)
    else:
        audited = decisions_of(table, output, candidate, (Role.LIVE,)).within(alone, end)
        automation = Automation(by_people(pairs), by_people(audited))
    arms = undivided(table, output)
    return Sample(pairs, arms, pairs.within(0, due), arms, scene.setting(()), automation)


def thresholds_before(reader: Reader, project: str, endpoint: str, live: str, start: Micros) -> tuple[float, ...]:
    """Quantiles of what the live version's answers took to compute in the week before `start`, in microseconds.

    Empty where there are too few of them to say.
    """
    columns = ("assigned", "role", "fallback", "compute_us")
    before = Micros(start - BEFORE)
    table = reader.joined(project, endpoint, start=before, end=start, roles=(Role.LIVE,), columns=columns)
    own = pc.and_(pc.equal(text(table["assigned"]), live), pc.equal(pc.fill_null(text(table["fallback"]), ""), ""))
    took = floats(table.filter(pc.fill_null(own, False))["compute_us"])
    took = took[~np.isnan(took)]
    return frozen_quantiles(took) if len(took) >= TIMED else ()


def _with_more(table: pa.Table, plan: Plan, features: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """The table with a column for every field and every query of the plan's guards, and why a query gives none."""
    broken = dict[str, str]()
    names = dict.fromkeys(name for guard in plan.guards for name in guard.fields)
    queries = dict.fromkeys(guard.query for guard in plan.guards if guard.query)
    places = pc.index_in(table["input_id"], value_set=features["input_id"].combine_chunks())
    for name in names:
        table = table.append_column(FEATURE + name, feature_of(features, name).take(places))
    asked = {"joined": table.select(COLUMNS), "features": features}
    for query in queries:
        try:
            table = table.append_column(LOSS + query, _of_each(table, ask_locked(query, asked)))
        except BadInput as error:
            broken[query] = error.message
    return table, broken


def feature_of(inputs: pa.Table, name: str) -> pa.ChunkedArray:
    """A public field of each of the reader's inputs; null where a row has none."""
    features = inputs[FEATURES]
    if features.type.get_field_index(name) < 0:
        return pa.chunked_array([pa.nulls(len(inputs), pa.string())])
    return pc.struct_field(features, name)


def _of_each(table: pa.Table, found: pa.Table) -> pa.Array:
    """The loss that a query gave each row; null where it gave none."""
    if wrong := [name for name in _GIVEN if found.column_names.count(name) != 1]:
        trouble = "comes twice" if wrong[0] in found.column_names else "is missing"
        raise BadInput("query", "columns", f"must give input_id, version and loss; {wrong[0]} {trouble}")
    ids, versions, losses = (_given(found, name, kind) for name, kind in _GIVEN.items())
    lost = dict(zip(zip(ids, versions, strict=True), losses, strict=True))
    rows = zip(table["input_id"].to_pylist(), table["assigned"].to_pylist(), strict=True)
    return pa.array([lost.get(each) for each in rows], pa.float64())


def _given(found: pa.Table, name: str, kind: pa.DataType) -> list[Any]:
    """A column of what a query gave, as `kind`."""
    try:
        values: list[Any] = pc.cast(found[name], kind).to_pylist()
    except pa.ArrowException as error:
        raise BadInput("query", "columns", f"must give {name} as {kind}, and gives {found[name].type}") from error
    return values


class Routing:
    """To which version an input was assigned that nobody answered: assignment is a function."""

    def __init__(self, rollout: Rollout, traffic: Traffic) -> None:
        self._sticks = traffic.sticky_key is not None
        state = begin(rollout.plan, rollout.started)
        self._since = [(rollout.started, _assigned(rollout, traffic, state))]
        for each in rollout.moves:
            state = moved(rollout.plan, state, each)
            self._since.append((each.at, _assigned(rollout, traffic, state)))

    def __call__(self, input_id: str, entity: str | None, at: Micros) -> str:
        """The version to which it was assigned."""
        key = entity.encode() if self._sticks and entity is not None else parse_id(input_id)
        assignment = next((each for since, each in reversed(self._since) if since <= at), self._since[0][1])
        return assignment.version(key)[0]


def _assigned(rollout: Rollout, traffic: Traffic, state: State) -> Assignment:
    """Who answers which key in a state of a rollout."""
    shares = weights(state, rollout.live, rollout.plan.candidate)
    members = [Member(version, "", weight, forced=True) for version, weight in shares.items()]
    return assign(msgspec.structs.replace(traffic, live=rollout.live, members=members))


def first_thresholds(arms: Arms) -> tuple[tuple[float, ...], int]:
    """Quantiles of the first answers of the live version, and the moment from which on answers may be compared."""
    timed = np.flatnonzero(~arms.candidate & ~arms.answers.failed & ~np.isnan(arms.answers.compute_us))
    if len(timed) < TIMED:
        return (), 0
    first = timed[:TIMED]
    return frozen_quantiles(arms.answers.compute_us[first]), int(arms.answers.at[first[-1]]) + 1
