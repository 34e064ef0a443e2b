"""Endpoints whose truth is known: a life is the same again with the same seed, and what changes in it is found."""

from benchmarks.monitors.endpoints import Change, alarms

MOVED = Change(20.0, shift=2.0, features=1)
WORDS = "at most one per 90 days"


def test_what_changes_is_found_and_named_and_a_life_is_the_same_again() -> None:
    found = alarms(WORDS, 40, 3, MOVED)
    assert found
    assert {what for _, what in found} <= {
        "input of north: f0",
        "input of north: whole row",
        "score of north: score",
    }
    assert found[0][0] > 20.0
    assert alarms(WORDS, 40, 3, MOVED) == found
