"""Whether inputs and outputs are what they were: named by member, warned of, never broken for the others, never NaN."""

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Measurement
from headgate.monitors.alarms.drift import InputDrift, ScoreDrift
from headgate.monitors.alarms.references import LEAST
from headgate.monitors.alarms.scores import ScoresState
from headgate.monitors.alarms.seasons import Season
from headgate.monitors.alarms.strangeness import ROW
from headgate.monitors.alarms.terms import INPUT, SCORE, Budget, Terms
from headgate.monitors.standing import Standing
from headgate.vocabulary import DAY, HOUR, Micros

WORDS = "at most one per 90 days"
INPUTS, OUTPUTS = Terms(Budget.of(WORDS, (INPUT,))), Terms(Budget.of(WORDS, (SCORE,)))
BEGAN = Micros(1000 * DAY)
SENTENCES = ["at most one per 9 days", "at most 90 % per 2 days", "at most 90 % ever"]


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


MONITOR = InputDrift.of(table(2000, 0), INPUTS)
ALL_STEADY = dict.fromkeys(("km", "kind", "age", ROW), Standing.STEADY)


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
        (table(800, 4, spread=4.0), ROW),
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


@settings(max_examples=8)
@given(st.lists(st.integers(0, 1500), max_size=4), st.sampled_from(SENTENCES))
def test_looked_at_at_any_speed_it_says_the_same(cuts: list[int], words: str) -> None:
    monitor = InputDrift.of(table(1000, 0), Terms(Budget.of(words)))
    at, rows = moments(1500), pa.concat_tables([table(1000, 5), table(500, 6, shift=0.8)])
    whole, expected = monitor.observe(monitor.start(BEGAN), at, rows)
    state = monitor.start(BEGAN)
    alarms: list[tuple[Micros, ...]] = [()] * 4
    for part in np.split(np.arange(1500), sorted(cuts)):
        state = msgspec.json.decode(msgspec.json.encode(state), type=ScoresState)
        state, found = monitor.observe(state, at[part], rows.take(pa.array(part)))
        alarms = [(*one, *other.alarms) for one, other in zip(alarms, found, strict=True)]
    assert alarms == [each.alarms for each in expected]
    assert alarms[0]
    assert [each.counts for each in state.lanes] == [each.counts for each in whole.lanes]
    assert [each.held for each in state.lanes] == pytest.approx([each.held for each in whole.lanes], rel=1e-9)


def test_a_monitor_comes_back_from_where_it_was_kept() -> None:
    for each in (MONITOR, InputDrift.of(table(5, 0), INPUTS), InputDrift.of(np.ones((500, 2)), INPUTS)):
        assert msgspec.json.decode(msgspec.json.encode(each), type=InputDrift) == each


@pytest.mark.parametrize(
    ("rows", "field", "reason"),
    [
        (table(400, 7).drop_columns(["kind"]), "kind", "is not among the fields"),
        (table(400, 7).set_column(2, "age", pa.array(["old"] * 400)), "age", "was a number in the reference"),
    ],
)
def test_a_field_that_cannot_be_measured_is_told_and_the_others_go_on(rows: pa.Table, field: str, reason: str) -> None:
    state, _ = MONITOR.observe(MONITOR.start(BEGAN), moments(50), table(50, 8))
    shifted = rows.set_column(0, "km", table(400, 7, shift=1.0)["km"])
    after, found = MONITOR.observe(state, moments(450)[50:], shifted)
    assert {each for each, standing in standings(found).items() if standing is Standing.BROKEN} == {field, ROW}
    assert standings(found)["km"] is Standing.ALARM
    assert [reason in each.reason for each in found if each.member == field] == [True]
    for place, each in enumerate(MONITOR.scores.members):
        unchanged = (after.lanes[place], after.serial[place]) == (state.lanes[place], state.serial[place])
        assert unchanged == (each in (field, ROW))


def test_what_was_broken_goes_on_when_it_is_mended_and_begins_anew_with_its_period() -> None:
    monitor = InputDrift.of(table(1000, 0), Terms(Budget.of("at most 90 % per 2 days")))
    at, changed = moments(720), table(720, 9, shift=0.4)
    state, _ = monitor.observe(monitor.start(BEGAN), at[:400], changed.slice(0, 400))
    assert state.lanes[0].held > 0
    state, found = monitor.observe(state, at[500:501], table(1, 9).drop_columns(["km"]))
    # A period went by while it could not be watched, and what was held is that period's.
    assert (found[0].standing, state.lanes[0].held) == (Standing.BROKEN, 0.0)
    _, found = monitor.observe(state, at[501:], changed.slice(501))
    assert found[0].standing is not Standing.BROKEN


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (moments(9), "there are 9 moments of 10 observations"),
        (moments(10).astype(float), "moments are not whole microseconds"),
    ],
)
def test_without_moments_nothing_is_measured_and_nothing_changes(at: Ints, reason: str) -> None:
    state = MONITOR.start(BEGAN)
    after, found = MONITOR.observe(state, at, table(10, 8))
    assert after == state
    assert {(each.standing, each.reason) for each in found} == {(Standing.BROKEN, reason)}


def test_the_state_of_another_monitor_is_told() -> None:
    other = InputDrift.of(table(2000, 0).select(["km"]), INPUTS)
    after, found = MONITOR.observe(other.start(BEGAN), moments(10), table(10, 8))
    assert after == other.start(BEGAN)
    assert {each.reason for each in found} == {"the state is of another monitor; start this one anew"}


@pytest.mark.parametrize("rows", [0, 1, LEAST - 1])
def test_too_small_a_reference_is_undecided_and_says_why(rows: int) -> None:
    monitor = InputDrift.of(table(rows, 9), INPUTS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(10), table(10, 9))
    assert standings(found) == dict.fromkeys(ALL_STEADY, Standing.UNDECIDED)
    assert {each.reason for each in found} == {f"the reference has {rows} rows; at least 200 are needed"}
    assert state == monitor.start(BEGAN)


def test_what_of_a_reference_cannot_be_watched_is_told_beside_what_can() -> None:
    lists = pa.array([[1]] * 1000)
    monitor = InputDrift.of(table(1000, 9).append_column("list", lists), INPUTS)
    _, found = monitor.observe(monitor.start(BEGAN), moments(10), table(10, 9))
    assert standings(found) == {**ALL_STEADY, "list": Standing.UNDECIDED}
    assert found[-1].reason == "its values are neither numbers nor names"
    assert found[0].limit == 360.0
    none = InputDrift.of(pa.table({"list": lists}), INPUTS)
    _, found = none.observe(none.start(BEGAN), moments(10), pa.table({"list": lists[:10]}))
    assert standings(found) == {"list": Standing.UNDECIDED}


def test_a_single_row_is_a_look_and_so_is_none() -> None:
    state, found = MONITOR.observe(MONITOR.start(BEGAN), moments(1), table(1, 10))
    assert standings(found) == ALL_STEADY
    after, found = MONITOR.observe(state, moments(0), table(0, 10))
    assert standings(found) == ALL_STEADY
    assert after == state


def test_a_reference_smaller_than_the_window_will_do() -> None:
    monitor = InputDrift.of(table(300, 11), INPUTS)
    _, found = monitor.observe(monitor.start(BEGAN), moments(5000), table(5000, 12))
    assert standings(found) == ALL_STEADY


def test_embeddings_are_watched_alike() -> None:
    random = np.random.default_rng(13)
    terms = Terms(Budget.of(WORDS, (INPUT,), ("pictures",)))
    monitor = InputDrift.of(random.normal(size=(1000, 8)), terms, name="input of pictures")
    state, found = monitor.observe(monitor.start(BEGAN), moments(500), random.normal(size=(500, 8)))
    assert standings(found) == {"distance": Standing.STEADY, "kind": Standing.STEADY}
    _, found = monitor.observe(state, moments(700)[500:], random.normal(2.0, size=(200, 8)))
    assert standings(found)["distance"] is Standing.ALARM
    assert found[0].monitor == "input of pictures"
    after, found = monitor.observe(state, moments(1), np.full((1, 8), np.nan))
    assert (after, set(standings(found).values())) == (state, {Standing.BROKEN})


def test_texts_of_another_kind_are_seen_though_none_of_them_is_new() -> None:
    random = np.random.default_rng(14)
    places = 10.0 * np.eye(4, 16)
    kinds = random.choice(4, 1500, p=[0.4, 0.3, 0.2, 0.1])
    monitor = InputDrift.of(places[kinds[:1000]] + random.normal(size=(1000, 16)), INPUTS)
    same = places[kinds[1000:]] + random.normal(size=(500, 16))
    other = places[random.choice(4, 500, p=[0.1, 0.2, 0.3, 0.4])] + random.normal(size=(500, 16))
    _, found = monitor.observe(monitor.start(BEGAN), moments(500), same)
    assert standings(found)["kind"] is Standing.STEADY
    _, found = monitor.observe(monitor.start(BEGAN), moments(500), other)
    assert standings(found)["kind"] is Standing.ALARM


def test_embeddings_that_are_none_are_no_reference() -> None:
    monitor = InputDrift.of(np.full((500, 3), np.nan), INPUTS)
    _, found = monitor.observe(monitor.start(BEGAN), moments(2), np.ones((2, 3)))
    assert standings(found) == {"distance": Standing.BROKEN, "kind": Standing.BROKEN}
    assert "in the reference 125 of 125 vectors have parts that are no numbers" in found[0].reason


def scores(rows: int, seed: int, power: float = 1.0) -> dict[str, Floats]:
    score = np.random.default_rng(seed).random(rows) ** power
    return {"score": score, "confidence": np.maximum(score, 1 - score)}


def test_outputs_are_watched_alike() -> None:
    monitor = ScoreDrift.of(scores(2000, 115), OUTPUTS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(1000), scores(1000, 116))
    assert standings(found) == {"score": Standing.STEADY, "confidence": Standing.STEADY}
    _, found = monitor.observe(state, moments(1300)[1000:], scores(300, 117, power=3.0))
    assert standings(found)["score"] is Standing.ALARM
    assert msgspec.json.decode(msgspec.json.encode(monitor), type=ScoreDrift) == monitor


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "is not among the outputs that were handed over"),
        (np.ones(4), "has the shape (4,); there are 3 rows"),
        (np.array(["no", "yes", "no"]), "is not of numbers"),
        (np.array([0.5, np.nan, 0.5]), "1 of 3 scores are no numbers"),
    ],
)
def test_an_output_that_is_none_is_told_and_the_others_go_on(bad: NDArray[Any] | None, reason: str) -> None:
    monitor = ScoreDrift.of(scores(2000, 18), OUTPUTS)
    handed: dict[str, NDArray[Any]] = {"confidence": np.ones(3)} | ({} if bad is None else {"score": bad})
    state, found = monitor.observe(monitor.start(BEGAN), moments(3), handed)
    assert standings(found) == {"score": Standing.BROKEN, "confidence": Standing.STEADY}
    assert found[0].reason == reason
    assert [each.seen for each in state.lanes] == [0, 3]


def test_outputs_that_are_none_in_the_reference_are_told_and_the_others_are_watched() -> None:
    reference: dict[str, NDArray[Any]] = {"score": np.full(1000, np.nan), "name": np.array(["a"] * 1000)}
    monitor = ScoreDrift.of({"confidence": np.random.default_rng(0).random(1000), **reference}, OUTPUTS)
    _, found = monitor.observe(monitor.start(BEGAN), moments(3), scores(3, 19))
    assert standings(found) == {
        "confidence": Standing.STEADY,
        "score": Standing.BROKEN,
        "name": Standing.BROKEN,
    }
    assert {each.member: each.reason for each in found}["name"] == "in the reference it is not of numbers"
    assert found[0].limit == 90.0


def test_a_constant_output_says_nothing_until_it_is_another() -> None:
    monitor = ScoreDrift.of({"score": np.full(1000, 0.5)}, OUTPUTS)
    state, found = monitor.observe(monitor.start(BEGAN), moments(2000), {"score": np.full(2000, 0.5)})
    assert standings(found) == {"score": Standing.STEADY}
    _, found = monitor.observe(state, moments(2100)[2000:], {"score": np.full(100, 0.4)})
    assert standings(found) == {"score": Standing.ALARM}


def commuters(at: Ints, seed: int) -> dict[str, Floats]:
    """A score that goes up and down with the hour of the day."""
    return {"score": np.random.default_rng(seed).normal(size=len(at)) + 2.0 * np.sin(at // HOUR * (math.pi / 12))}


def test_what_comes_and_goes_with_the_hour_is_no_change_where_that_is_known() -> None:
    then, at = moments(20 * 240), moments(40 * 240)[20 * 240 :]
    found: dict[Season, Measurement] = {}
    for season in (Season.NONE, Season.HOUR_OF_DAY):
        monitor = ScoreDrift.of(commuters(then, 20), Terms(OUTPUTS.budget, season), at=then)
        found[season] = monitor.observe(monitor.start(Micros(int(then[-1]))), at, commuters(at, 21))[1][0]
    assert found[Season.HOUR_OF_DAY].standing is Standing.STEADY
    assert found[Season.HOUR_OF_DAY].warnings == ()
    assert found[Season.NONE].standing is Standing.ALARM
    assert "follow each other are alike" in found[Season.NONE].warnings[0]


def test_with_a_season_a_change_is_found_all_the_same() -> None:
    then, at = moments(20 * 240), moments(25 * 240)[20 * 240 :]
    monitor = ScoreDrift.of(commuters(then, 22), Terms(OUTPUTS.budget, Season.HOUR_OF_DAY, "Europe/Berlin"), at=then)
    moved = {"score": commuters(at, 23)["score"] + 1.0}
    assert monitor.observe(monitor.start(Micros(int(then[-1]))), at, moved)[1][0].standing is Standing.ALARM


def test_neighbours_that_are_alike_are_warned_of_before_anybody_relies_on_the_rate() -> None:
    random = np.random.default_rng(24)
    alike = np.repeat(random.normal(size=400), 5)
    then = moments(2000)
    warned = ScoreDrift.of({"score": alike, "other": random.normal(size=2000)}, OUTPUTS, at=then).scores.warnings
    assert [len(each) for each in warned] == [1, 0]
    blind = ScoreDrift.of({"score": alike}, OUTPUTS)
    _, found = blind.observe(blind.start(BEGAN), then, {"score": np.repeat(random.normal(size=400), 5)})
    assert "follow each other were alike" in found[0].warnings[0]


def test_seasons_with_few_rows_are_told() -> None:
    then = moments(1000)
    monitor = ScoreDrift.of(scores(1000, 25), Terms(OUTPUTS.budget, Season.HOUR_OF_WEEK), at=then)
    assert "fewer than 20 rows in 168 of 168 seasons" in monitor.scores.warnings[0][0]


def test_moments_of_a_reference_that_are_none_are_told() -> None:
    monitor = ScoreDrift.of(scores(1000, 26), OUTPUTS, at=moments(3))
    _, found = monitor.observe(monitor.start(BEGAN), moments(2), scores(2, 26))
    assert set(standings(found).values()) == {Standing.BROKEN}
    assert found[0].reason == "in the reference there are 3 moments of 1,000 observations"


def test_what_a_person_got_wrong_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="outputs"):
        ScoreDrift.of({}, OUTPUTS)
    with pytest.raises(BadInput, match="at: a season needs the moment"):
        ScoreDrift.of(scores(1000, 27), Terms(OUTPUTS.budget, Season.HOUR_OF_DAY))
    with pytest.raises(BadInput, match="zone"):
        InputDrift.of(table(1000, 27), Terms(INPUTS.budget, zone="Nowhere"))
    with pytest.raises(BadInput, match="no part in the budget"):
        InputDrift.of(table(1000, 27), OUTPUTS)


def test_members_of_one_monitor_break_ties_differently() -> None:
    same = np.repeat([0.0, 1.0], 500)
    monitor = ScoreDrift.of({"one": same, "other": same}, OUTPUTS)
    state, _ = monitor.observe(monitor.start(BEGAN), moments(1), {"one": np.zeros(1), "other": np.zeros(1)})
    assert state.lanes[0].capital != state.lanes[1].capital
