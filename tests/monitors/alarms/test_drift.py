"""Whether inputs and outputs are what they were: named by member, warned of, never broken for the others, never NaN."""

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Measurement, Standing
from headgate.monitors.alarms.drift import InputDrift, ScoreDrift
from headgate.monitors.alarms.scores import LEAST, ScoresState, Terms
from headgate.monitors.alarms.seasons import Season
from headgate.vocabulary import DAY, HOUR, Micros

TERMS = Terms(FalseAlarms.read("at most one per 90 days"))
BEGAN = Micros(1000 * DAY)
SENTENCES = ["at most one per 9 days", "at most 90 % per 2 days"]


def moments(rows: int, a_day: int = 240) -> Ints:
    return BEGAN + np.arange(1, rows + 1, dtype=np.int64) * (DAY // a_day)


def table(rows: int, seed: int, shift: float = 0.0, spread: float = 1.0) -> pa.Table:
    random = np.random.default_rng(seed)
    km = random.normal(shift, spread, rows)
    return pa.table(
        {
            "km": pa.array(np.where(random.random(rows) < 0.1, np.nan, km), from_pandas=True),
            "kind": random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
            "age": random.integers(18, 90, rows),
        }
    )


MONITOR = InputDrift.of(table(2000, 0), TERMS)
ALL_STEADY = dict.fromkeys(("km", "kind", "age", "row"), Standing.STEADY)


def standings(found: tuple[Measurement, ...]) -> dict[str, Standing]:
    return {each.member: each.standing for each in found}


def test_without_a_change_all_is_steady() -> None:
    _, found = MONITOR.observe(MONITOR.start(BEGAN), moments(4000), table(4000, 1))
    assert standings(found) == ALL_STEADY
    assert [(each.limit, each.observations, each.warnings) for each in found] == [(360.0, 4000, ())] * 4


def test_the_field_that_changed_is_named_soon_after() -> None:
    at = moments(1400)
    state, _ = MONITOR.observe(MONITOR.start(BEGAN), at[:1000], table(1000, 2))
    state, found = MONITOR.observe(state, at[1000:], table(400, 3, shift=1.0))
    assert standings(found)["km"] is Standing.ALARM
    assert (standings(found)["kind"], standings(found)["age"]) == (Standing.STEADY, Standing.STEADY)
    assert at[1000] < found[0].alarms[0] < at[1100]


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        (table(800, 4, spread=4.0), "row"),
        (table(800, 4).set_column(1, "kind", pa.array(["new"] * 800)), "kind"),
        (table(800, 4).set_column(0, "km", pa.array([None] * 800, pa.float64())), "km"),
        (table(800, 4).set_column(2, "age", pa.array([2**62] * 800)), "age"),
    ],
    ids=["wider", "new category", "all missing", "huge"],
)
def test_other_changes_are_found_too(changed: pa.Table, member: str) -> None:
    _, found = MONITOR.observe(MONITOR.start(BEGAN), moments(800), changed)
    assert standings(found)[member] is Standing.ALARM
    assert all(math.isfinite(each.level) for each in found)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1500), max_size=4), st.sampled_from(SENTENCES))
def test_looked_at_at_any_speed_it_says_the_same(cuts: list[int], words: str) -> None:
    monitor = InputDrift.of(table(1000, 0), Terms(FalseAlarms.read(words)))
    at, rows = moments(1500), pa.concat_tables([table(1000, 5), table(500, 6, shift=0.8)])
    whole, expected = monitor.observe(monitor.start(BEGAN), at, rows)
    state = monitor.start(BEGAN)
    alarms: list[tuple[Micros, ...]] = [()] * 4
    for part in np.split(np.arange(1500), sorted(cuts)):
        state = msgspec.json.decode(msgspec.json.encode(state), type=ScoresState)
        state, found = monitor.observe(state, at[part], rows.take(pa.array(part)))
        alarms = [(*one, *other.alarms) for one, other in zip(alarms, found, strict=True)]
    assert alarms == [each.alarms for each in expected]
    assert len(alarms[0]) > 1
    assert [each.counts for each in state.lanes] == [each.counts for each in whole.lanes]
    assert [each.held for each in state.lanes] == pytest.approx([each.held for each in whole.lanes], rel=1e-9)


def test_a_monitor_comes_back_from_where_it_was_kept() -> None:
    assert msgspec.json.decode(msgspec.json.encode(MONITOR), type=InputDrift) == MONITOR


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (table(5, 7).drop_columns(["kind"]), "kind: is not among the fields"),
        (table(5, 7).set_column(0, "km", pa.array(["far"] * 5)), "km: was a number"),
    ],
)
def test_what_cannot_be_measured_is_told_and_changes_nothing(rows: pa.Table, reason: str) -> None:
    state, _ = MONITOR.observe(MONITOR.start(BEGAN), moments(50), table(50, 8))
    after, found = MONITOR.observe(state, moments(55)[50:], rows)
    assert after == state
    assert set(standings(found).values()) == {Standing.BROKEN}
    assert all(reason in each.reason for each in found)


@pytest.mark.parametrize("rows", [0, 1, LEAST - 1])
def test_too_small_a_reference_is_undecided_and_says_why(rows: int) -> None:
    monitor = InputDrift.of(table(rows, 9), TERMS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(10), table(10, 9))
    assert standings(found) == {"row": Standing.UNDECIDED}
    assert "fewer than 200 rows" in found[0].reason
    assert state == monitor.start(BEGAN)


def test_a_single_row_is_a_look_and_so_is_none() -> None:
    state, found = MONITOR.observe(MONITOR.start(BEGAN), moments(1), table(1, 10))
    assert standings(found) == ALL_STEADY
    after, found = MONITOR.observe(state, moments(0), table(0, 10))
    assert standings(found) == ALL_STEADY
    assert after == state


def test_a_reference_smaller_than_the_window_will_do() -> None:
    monitor = InputDrift.of(table(300, 11), TERMS)
    _, found = monitor.observe(monitor.start(BEGAN), moments(5000), table(5000, 12))
    assert standings(found) == ALL_STEADY


def test_embeddings_are_watched_alike() -> None:
    random = np.random.default_rng(13)
    monitor = InputDrift.of(random.normal(size=(1000, 8)), TERMS, name="input of pictures")
    state, found = monitor.observe(monitor.start(BEGAN), moments(500), random.normal(size=(500, 8)))
    assert standings(found) == {"distance": Standing.STEADY, "kind": Standing.STEADY}
    _, found = monitor.observe(state, moments(700)[500:], random.normal(2.0, size=(200, 8)))
    assert standings(found)["distance"] is Standing.ALARM
    assert found[0].monitor == "input of pictures"
    after, found = monitor.observe(state, moments(1), np.full((1, 8), np.nan))
    assert (after, set(standings(found).values())) == (state, {Standing.BROKEN})


def scores(rows: int, seed: int, power: float = 1.0) -> dict[str, Floats]:
    score = np.random.default_rng(seed).random(rows) ** power
    return {"score": score, "confidence": np.maximum(score, 1 - score)}


def test_outputs_are_watched_alike() -> None:
    monitor = ScoreDrift.of(scores(2000, 14), TERMS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(1000), scores(1000, 15))
    assert standings(found) == {"score": Standing.STEADY, "confidence": Standing.STEADY}
    _, found = monitor.observe(state, moments(1300)[1000:], scores(300, 16, power=3.0))
    assert standings(found)["score"] is Standing.ALARM
    assert msgspec.json.decode(msgspec.json.encode(monitor), type=ScoreDrift) == monitor


@pytest.mark.parametrize("bad", [{"score": np.ones(3)}, {"score": np.full(3, np.nan), "confidence": np.ones(3)}])
def test_outputs_that_are_none_are_told_and_change_nothing(bad: dict[str, Floats]) -> None:
    monitor = ScoreDrift.of(scores(2000, 17), TERMS)
    state = monitor.start(BEGAN)
    after, found = monitor.observe(state, moments(3), bad)
    assert (after, set(standings(found).values())) == (state, {Standing.BROKEN})


def test_a_constant_output_says_nothing_until_it_is_another() -> None:
    monitor = ScoreDrift.of({"score": np.full(1000, 0.5)}, TERMS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(2000), {"score": np.full(2000, 0.5)})
    assert standings(found) == {"score": Standing.STEADY}
    _, found = monitor.observe(state, moments(2100)[2000:], {"score": np.full(100, 0.4)})
    assert standings(found) == {"score": Standing.ALARM}


def commuters(at: Ints, seed: int) -> dict[str, Floats]:
    """A score that goes up and down with the hour of the day."""
    return {"score": np.random.default_rng(seed).normal(size=len(at)) + 2.0 * np.sin(at // HOUR * (math.pi / 12))}


def test_what_comes_and_goes_with_the_hour_is_no_change_where_that_is_known() -> None:
    then, at = moments(20 * 240), moments(40 * 240)[20 * 240 :]
    found: dict[Season, Any] = {}
    for season in (Season.NONE, Season.HOUR_OF_DAY):
        terms = msgspec.structs.replace(TERMS, season=season)
        monitor = ScoreDrift.of(commuters(then, 18), terms, at=then)
        found[season] = monitor.observe(monitor.start(Micros(int(then[-1]))), at, commuters(at, 19))[1][0]
    assert found[Season.HOUR_OF_DAY].standing is Standing.STEADY
    assert found[Season.HOUR_OF_DAY].warnings == ()
    assert found[Season.NONE].standing is Standing.ALARM
    assert "follow each other are alike" in found[Season.NONE].warnings[0]


def test_with_a_season_a_change_is_found_all_the_same() -> None:
    then, at = moments(20 * 240), moments(25 * 240)[20 * 240 :]
    terms = msgspec.structs.replace(TERMS, season=Season.HOUR_OF_DAY, zone="Europe/Berlin")
    monitor = ScoreDrift.of(commuters(then, 20), terms, at=then)
    moved = {"score": commuters(at, 21)["score"] + 1.0}
    assert monitor.observe(monitor.start(Micros(int(then[-1]))), at, moved)[1][0].standing is Standing.ALARM


def test_neighbours_that_are_alike_are_warned_of_before_anybody_relies_on_the_rate() -> None:
    random = np.random.default_rng(22)
    alike = np.repeat(random.normal(size=400), 5)
    then = moments(2000)
    warned = ScoreDrift.of({"score": alike, "other": random.normal(size=2000)}, TERMS, at=then).scores.warnings
    assert [len(each) for each in warned] == [1, 0]
    blind = ScoreDrift.of({"score": alike}, TERMS)
    _, found = blind.observe(blind.start(BEGAN), then, {"score": np.repeat(random.normal(size=400), 5)})
    assert "follow each other are alike" in found[0].warnings[0]


def test_seasons_with_few_rows_are_told() -> None:
    then = moments(1000)
    terms = msgspec.structs.replace(TERMS, season=Season.HOUR_OF_WEEK)
    monitor = ScoreDrift.of(scores(1000, 23), terms, at=then)
    assert "fewer than 20 rows in 168 of 168 seasons" in monitor.scores.warnings[0][0]


def test_what_a_person_got_wrong_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="outputs"):
        ScoreDrift.of({}, TERMS)
    with pytest.raises(BadInput, match="at: a season needs the moment"):
        ScoreDrift.of(scores(1000, 24), Terms(FalseAlarms(), season=Season.HOUR_OF_DAY))
    with pytest.raises(BadInput, match="zone"):
        ScoreDrift.of(scores(1000, 24), Terms(FalseAlarms(), zone="Nowhere"))
    with pytest.raises(BadInput, match="part"):
        ScoreDrift.of(scores(1000, 24), Terms(FalseAlarms(), part=0.0))
    with pytest.raises(BadInput, match="at: must be one"):
        MONITOR.observe(MONITOR.start(BEGAN), moments(2), table(3, 25))


def test_members_of_one_monitor_break_ties_differently() -> None:
    same = np.repeat([0.0, 1.0], 500)
    monitor = ScoreDrift.of({"one": same, "other": same}, TERMS)
    state, _ = monitor.observe(monitor.start(BEGAN), moments(1), {"one": np.zeros(1), "other": np.zeros(1)})
    assert state.lanes[0].capital != state.lanes[1].capital
