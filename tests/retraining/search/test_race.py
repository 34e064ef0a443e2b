"""Halving as a rule: who goes on, who is dropped and why, and that the budget holds."""

from dataclasses import replace
from itertools import islice

from headgate.retraining.search.families import BOOSTING, FOREST, LINEAR, families
from headgate.retraining.search.race import NO_TIME, Entrant, Race, entrants, shares
from headgate.retraining.search.trial import Trial

KINDS = (LINEAR, BOOSTING, FOREST)


class World:
    """Trials that take a second per row share, of which setting `number` has the loss it is given."""

    def __init__(self, losses: dict[int, float], cost: float = 1.0) -> None:
        self.losses, self.cost, self.now = losses, cost, 0.0
        self.tried: list[tuple[int, float]] = []

    def attempt(self, entrant: Entrant, share: float) -> Trial:
        self.tried.append((entrant.number, round(share, 2)))
        self.now += self.cost * share
        loss = self.losses.get(entrant.number, 1.0)
        why = "it could not learn" if loss == float("inf") else ""
        given = entrant.parameters
        return Trial(entrant.number, entrant.family, given, given, share, loss, self.cost * share, why)

    def run(self, budget: float, most: int = 60, rounds: tuple[float, ...] = (1 / 9, 1 / 3, 1.0)) -> tuple[Trial, ...]:
        race = Race(self.attempt, lambda: self.now, budget, rounds, most)
        return race.run(entrants(KINDS, 0), len(KINDS))


def test_settings_are_the_same_for_a_seed_and_every_family_has_its_turn() -> None:
    some = list(islice(entrants(families(), 5), 20))
    assert some == list(islice(entrants(families(), 5), 20))
    assert some != list(islice(entrants(families(), 6), 20))
    assert {each.family.name for each in some[: len(families())]} == {each.name for each in families()}
    assert [each.number for each in some] == list(range(20))


def test_the_better_third_goes_on_and_the_best_of_every_family() -> None:
    losses = {
        number: 0.5 + number / 100 for number in range(9)
    }  # 0, 3, 6 are linear; 1, 4, 7 boosting; 2, 5, 8 forests
    world = World(losses)
    found = world.run(1000.0, most=9)
    assert [number for number, share in world.tried if share == 0.33] == [0, 1, 2]
    assert [number for number, share in world.tried if share == 1.0] == [0, 1, 2]
    assert [each.number for each in found if not each.out] == [0, 1, 2]
    assert {each.out for each in found if each.out} == {"others were better on 11% of the rows"}
    assert len(found) == 9


def test_a_worse_family_keeps_one_setting() -> None:
    losses = {number: 0.1 if number % 3 == 0 else 0.9 for number in range(30)}
    found = World(losses).run(1000.0, most=30)
    assert {each.family.name for each in found if not each.out} == {each.name for each in KINDS}


def test_the_budget_ends_the_race() -> None:
    world = World({}, cost=9.0)
    found = world.run(60.0)
    assert world.now <= 60.0 * 0.8 + 9.0
    assert any(each.share == 1.0 and not each.out for each in found)
    dropped = [each for each in found if each.out]
    assert NO_TIME in {each.out for each in dropped}


def test_one_setting_reaches_all_rows_whatever_it_takes() -> None:
    world = World({}, cost=500.0)
    found = world.run(1.0)
    assert [each.share for each in found if not each.out] == [1.0]
    assert world.tried == [(0, 0.11), (0, 0.33), (0, 1.0)]


def test_who_cannot_learn_is_out_with_the_reason() -> None:
    found = World({0: float("inf"), 1: 0.4}).run(1000.0, most=2)
    assert [(each.number, each.out) for each in found] == [(1, ""), (0, "it could not learn")]
    assert all(each.out for each in World({0: float("inf")}).run(1000.0, most=1))


def test_rounds_follow_those_that_were_best_on_fewer_rows() -> None:
    rounds: list[object] = []

    class Boosted(World):
        def attempt(self, entrant: Entrant, share: float) -> Trial:
            found = super().attempt(entrant, share)
            if entrant.family is not BOOSTING:
                return found
            rounds.append(entrant.parameters["max_iter"])
            return replace(found, parameters={**found.parameters, "max_iter": 40 if share < 0.2 else 90})

    Boosted({}).run(1000.0, most=3)
    assert rounds == [120, 100, 225]
    rounds.clear()
    Boosted({}).run(1000.0, most=3, rounds=(1.0,))
    assert rounds == [300], "small tables see all of them at once"


def test_small_tables_are_not_shared() -> None:
    assert shares(4_000) == (1.0,)
    assert len(shares(5_000)) == 2
    assert len(shares(10_000_000)) == 3
