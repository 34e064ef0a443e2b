"""What is read of the journal: inputs side by side, and inputs divided, each once."""

import numpy as np
from tests.rollouts.tables import CANDIDATE, LIVE, answer, joined, unanswered

from headgate.contracts.contract import Output
from headgate.rollouts.answers import arms_of, pairs_of, routed_of
from headgate.vocabulary import SECOND, Micros, Role, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)


def nobody(input_id: str, entity: str | None, at: Micros) -> str:
    raise AssertionError("every input of this test says whose it was")


def test_pairs_are_the_inputs_that_both_were_asked() -> None:
    table = joined(
        [
            answer(0, Role.LIVE, "yes", "no"),
            answer(0, Role.SHADOW, "no", "no"),
            answer(1, Role.LIVE, "no"),
            answer(2, Role.LIVE, "yes"),
            answer(2, Role.SHADOW, "yes", assigned="late:9"),
        ]
    )
    pairs = pairs_of(table, OUTPUT, LIVE, CANDIDATE)
    assert (pairs.live.predicted.tolist(), pairs.candidate.predicted.tolist()) == ([1], [0])
    assert (pairs.live.truth.tolist(), pairs.live.labelled.tolist()) == ([0], [True])
    assert pairs.candidate.scores is not None
    assert pairs.candidate.scores.tolist() == [[0.8, 0.2]]


def test_a_shadow_that_fails_is_a_failure_of_the_candidate_alone() -> None:
    rows = [answer(0, Role.LIVE, "yes"), answer(0, Role.SHADOW, None, fallback="failed", compute_us=None)]
    pairs = pairs_of(joined(rows), OUTPUT, LIVE, CANDIDATE)
    assert (pairs.live.failed.tolist(), pairs.candidate.failed.tolist()) == ([False], [True])


def test_once_the_candidate_has_all_callers_the_live_version_answers_beside_it() -> None:
    rows = [answer(0, Role.LIVE, "yes", "yes"), answer(0, Role.SHADOW, "yes", "yes")]
    for place, said, more in ((1, "no", {}), (2, "yes", {"fallback": "failed"})):
        rows.append(answer(place, Role.CANARY, said, "yes", probability=1.0, **more))
        rows.append(answer(place, Role.SHADOW, "yes", "yes", assigned=LIVE))
    rows.append(answer(3, Role.CANARY, "yes", "yes", probability=1.0))
    pairs = pairs_of(joined(rows), OUTPUT, LIVE, CANDIDATE)
    assert (pairs.live.predicted.tolist(), pairs.live.failed.tolist()) == ([1, 1, 1], [False, False, False])
    assert pairs.candidate.predicted[:2].tolist() == [1, 0]
    assert pairs.candidate.failed.tolist() == [False, False, True], "the live version stepped in"
    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody)
    assert arms.candidate.tolist() == [False, True, True, True], "what a shadow says is no arm's"


def test_once_the_candidate_has_all_callers_those_it_leaves_unanswered_are_its_failures() -> None:
    rows = [answer(3, Role.SHADOW, None, assigned=LIVE, fallback="failed", compute_us=None, refusal_rule="runtime")]
    for place in (0, 5):
        rows.append(answer(place, Role.CANARY, "yes", "yes", probability=1.0))
        rows.append(answer(place, Role.SHADOW, "yes", "yes", assigned=LIVE))
    rows.append(answer(2, Role.SHADOW, "no", "yes", assigned=LIVE, refusal_rule="deadline"))
    rows += [unanswered(4), answer(1, Role.SHADOW, "no", assigned=LIVE, refusal_rule="range")]
    pairs = pairs_of(joined(rows), OUTPUT, LIVE, CANDIDATE)
    assert (pairs.live.at // SECOND).tolist() == (pairs.candidate.at // SECOND).tolist() == [1, 3, 4, 6]
    assert pairs.live.failed.tolist() == [False, False, True, False]
    assert pairs.candidate.failed.tolist() == [False, True, True, False]
    assert pairs.candidate.labelled.tolist() == pairs.live.labelled.tolist() == [True, True, False, True]
    assert pairs.candidate.truth[:2].tolist() == [1, 1]


def test_a_live_version_that_fails_is_compared_with_what_the_shadow_said() -> None:
    rows = [answer(0, Role.SHADOW, "yes", "yes", refusal_rule="runtime"), answer(1, Role.LIVE, "no")]
    pairs = pairs_of(joined(rows), OUTPUT, LIVE, CANDIDATE)
    assert (pairs.live.failed.tolist(), pairs.candidate.failed.tolist()) == ([True], [False])
    assert pairs.live.labelled.tolist() == [True]
    assert np.array_equal(pairs.live.at, pairs.candidate.at)


def test_arms_have_the_share_the_candidate_had() -> None:
    rows = [
        answer(0, Role.LIVE, "yes", probability=0.9),
        answer(1, Role.CANARY, "no", probability=0.1),
        answer(2, Role.PINNED, "no", assigned=CANDIDATE),
        answer(3, Role.SHADOW, "no"),
    ]
    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody)
    assert arms.candidate.tolist() == [False, True]
    assert arms.shares.tolist() == [0.1, 0.1], "exactly: a block ends where the share changes"


def test_a_fallback_is_an_error_of_the_arm_it_was_assigned_to() -> None:
    rows = [answer(0, Role.CANARY, "yes", fallback="failed"), answer(1, Role.LIVE, "yes")]
    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody)
    assert (arms.candidate.tolist(), arms.answers.failed.tolist()) == ([True, False], [True, False])


def test_of_an_input_nobody_answered_assignment_says_whose_it_was() -> None:
    rows = [
        answer(0, Role.CANARY, "yes", probability=0.25),
        unanswered(1),
        unanswered(2, role=Role.SHADOW.value, assigned=CANDIDATE, probability=1.0, prediction="yes"),
        unanswered(3, refusal_rule="range"),
    ]
    asked: list[tuple[str | None, int]] = []

    def whose(input_id: str, entity: str | None, at: Micros) -> str:
        asked.append((entity, at))
        return CANDIDATE if len(asked) == 1 else LIVE

    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, whose)
    assert asked == [(None, 2_000_000), (None, 3_000_000)]
    assert arms.candidate.tolist() == [True, True, False]
    assert arms.answers.failed.tolist() == [False, True, True]
    assert arms.shares.tolist() == [0.25, 0.25, 0.25]


def test_an_input_nobody_answered_before_a_step_took_effect_is_the_live_versions() -> None:
    rows = [answer(0, Role.LIVE, "yes"), unanswered(1), answer(2, Role.CANARY, "yes", probability=0.5), unanswered(3)]
    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, lambda *_: CANDIDATE)
    assert arms.candidate.tolist() == [False, False, True, True]
    assert arms.shares.tolist() == [0.0, 0.0, 0.5, 0.5]


def test_a_table_goes_on_where_another_ended() -> None:
    said = [answer(place, Role.LIVE, "yes", entity=who, probability=0.5) for place, who in ((1, "ann"), (2, "bob"))]
    routed = routed_of(joined([unanswered(0), *said]), LIVE, CANDIDATE, lambda *_: CANDIDATE, earlier=0.25)
    assert routed.entities() == {None, "ann", "bob"}
    assert routed.until(3 * SECOND).shares.tolist() == [0.25, 0.5]
    arms = routed.firsts({"bob"}).arms(OUTPUT)
    assert arms.candidate.tolist() == [True, False]
    assert arms.shares.tolist() == [0.25, 0.5]


def test_where_callers_stick_only_the_first_input_of_each_counts() -> None:
    callers = ["ann", "bob", "ann", None, None]
    rows = [answer(place, Role.LIVE, "yes", entity=who, probability=0.5) for place, who in enumerate(callers)]
    assert len(arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody, sticks=True)) == 4
    assert len(arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody)) == 5


def test_who_asked_before_callers_were_divided_counts_once_they_are() -> None:
    said = ((Role.LIVE, 1.0), (Role.LIVE, 1.0), (Role.CANARY, 0.5), (Role.CANARY, 0.5), (Role.CANARY, 1.0))
    rows = [answer(at, role, "yes", entity="ann", probability=share) for at, (role, share) in enumerate(said)]
    arms = arms_of(joined(rows), OUTPUT, LIVE, CANDIDATE, nobody, sticks=True)
    assert arms.shares.tolist() == [0.0, 0.0, 0.5, 1.0]


def test_an_empty_journal_is_an_empty_sample() -> None:
    assert len(pairs_of(joined([]), OUTPUT, LIVE, CANDIDATE)) == 0
    assert len(arms_of(joined([]), OUTPUT, LIVE, CANDIDATE, nobody)) == 0
