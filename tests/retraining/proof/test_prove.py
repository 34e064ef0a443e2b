"""A proof says what its figures say: better, no worse, worse, or that there is no telling."""

from typing import Any

import numpy as np
import pytest
from tests.retraining.proof.made import World, said

from headgate.contracts.compare import compare
from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadInput
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import Answers
from headgate.retraining.proof.compared import Compared, Side
from headgate.retraining.proof.prove import prove
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Check, Proof
from headgate.vocabulary import Task

WORLD = World(5)
CHAMPION = WORLD.side("m:1", 0.8, seed=1)


def proved(noise: float, terms: Terms = Terms(), **more: Any) -> Proof:  # noqa: B008 - a frozen value
    return prove(WORLD.compared(WORLD.side("m:2", noise, seed=2), CHAMPION, **more), terms)


def check(proof: Proof, name: str) -> Check:
    found = proof.check(name)
    assert found is not None, [each.name for each in proof.checks]
    return found


def test_a_better_version_may_be_promoted_and_is_the_next_anchor() -> None:
    proof = proved(0.1, anchor=CHAMPION)
    assert (proof.outcome, proof.superior, proof.moves_anchor, proof.may_promote) == (Outcome.PASSED, True, True, True)
    assert proof.why.startswith("proved to be better")
    assert (proof.challenger, proof.champion, proof.metric, proof.rows) == ("m:2", "m:1", "brier", 3000)


def test_a_version_that_is_alike_passes_and_moves_no_anchor() -> None:
    alike = prove(WORLD.compared(CHAMPION, WORLD.side("m:1", 0.8, seed=1), CHAMPION))
    assert (alike.may_promote, alike.superior, alike.moves_anchor) == (True, False, False)
    beside = check(alike, "not worse than champion")
    assert beside.value == 0.0
    assert beside.high is not None
    assert beside.limit is not None
    assert beside.high < beside.limit / 10


def test_a_worse_version_fails_in_a_sentence_with_figures() -> None:
    proof = proved(2.5)
    assert (proof.outcome, proof.may_promote) == (Outcome.FAILED, False)
    worse = check(proof, "not worse than champion")
    assert worse.low is not None
    assert worse.limit is not None
    assert worse.low > worse.limit > 0
    assert "brier is" in worse.sentence
    assert "that of m:1" in worse.sentence
    assert worse.sentence in proof.why


def test_between_passed_and_failed_nobody_guesses() -> None:
    proof = prove(World(6, 400).compared(*(World(6, 400).side(f"m:{each}", 0.9, seed=each) for each in (2, 1))))
    assert (proof.outcome, proof.may_promote) == (Outcome.UNDECIDED, False)


def test_the_anchor_binds_whoever_promotes_by_itself() -> None:
    anchor = WORLD.side("m:0", 0.1, seed=3)
    proof = prove(WORLD.compared(CHAMPION, WORLD.side("m:1", 0.8, seed=1), anchor))
    assert (proof.not_worse_than_champion, proof.not_worse_than_anchor) == (True, False)
    assert (proof.outcome, proof.may_promote) == (Outcome.PASSED, False)
    assert "a person" in proof.why


def test_rows_the_challenger_learned_from_prove_nothing() -> None:
    ids = [f"i{each}" for each in range(3000)]
    with pytest.raises(BadInput, match=r"learned from 2 of these 3,000 rows") as refused:
        proved(0.1, ids=ids, learned={"i7", "i2999", "elsewhere"})
    assert refused.value.rule == "leakage"


def test_few_rows_and_labels_of_one_class_decide_nothing() -> None:
    few = World(7, 150)
    proof = prove(few.compared(few.side("m:2", 0.0), few.side("m:1", 3.0)))
    assert (proof.outcome, check(proof, "rows").sentence[:17]) == (Outcome.UNDECIDED, "150 labelled rows")
    world = World(8, 500)
    world.truth[:] = False
    one = prove(world.compared(world.side("m:2", 0.0), world.side("m:1", 3.0)))
    assert one.outcome is not Outcome.PASSED
    assert "all 500 labels are False" in check(one, "rows").sentence
    silent = [Side(each, said(np.zeros(9))) for each in ("m:2", "m:1")]
    nothing = Compared(Task.BINARY, (False, True), [None] * 9, silent[0], silent[1])
    assert (prove(nothing).outcome, prove(nothing).rows) == (Outcome.UNDECIDED, 0)


def test_the_first_version_has_to_beat_an_answer_that_looks_at_nothing() -> None:
    good, bad = (prove(WORLD.compared(WORLD.side("m:1", noise), None)) for noise in (0.1, 6.0))
    assert (good.may_promote, good.champion, good.moves_anchor) == (True, None, True)
    assert bad.outcome is Outcome.FAILED


def test_rows_come_in_the_order_of_time_and_unlabelled_ones_are_left_out() -> None:
    world = World(9, 600, days=30)
    order = np.random.default_rng(1).permutation(600)
    at = np.arange(600, dtype=np.int64) * 1_000_000
    sides = world.side("m:2", 0.2, seed=1), world.side("m:1", 0.4, seed=2)
    straight = prove(world.compared(*sides, at=at))
    labels = [*world.truth[order].tolist(), None]
    mixed = [Side(each.version, said(np.append(np.asarray(each.recent.scores)[order], 0.5))) for each in sides]
    turned = prove(
        Compared(Task.BINARY, (False, True), labels, mixed[0], mixed[1], at=np.append(at[order], np.int64(0)))
    )
    one, two = (check(each, "not worse than champion") for each in (straight, turned))
    assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))
    assert straight.window == turned.window == (0, 599_000_000)


def test_harm_in_a_slice_fails_though_the_whole_is_better() -> None:
    field = np.array(["big"] * 2850 + ["small"] * 150, dtype=object)
    scores = WORLD.scores(0.1, seed=2)
    scores[2850:] = 1 - scores[2850:]
    sides = Side("m:2", said(scores)), WORLD.side("m:1", 1.5, seed=1)
    proof = prove(WORLD.compared(*sides, slices={"region": field}), Terms(slices=("region",)))
    assert (proof.outcome, proof.superior) == (Outcome.FAILED, True)
    assert "region = small" in check(proof, "slice region").sentence
    fine = proved(0.1, Terms(slices=("region",)), slices={"region": field})
    assert check(fine, "slice region").outcome is Outcome.PASSED
    rare = proved(0.1, Terms(slices=("id",)), slices={"id": np.arange(3000).astype(str).astype(object)})
    assert check(rare, "slice id").outcome is Outcome.PASSED, "the rarer values share a slice"


def test_slices_that_do_no_harm_seldom_fail() -> None:
    failed = 0
    for seed in range(40):
        world = World(100 + seed, 1500)
        field = np.random.default_rng(seed).choice(list("abcdefgh"), 1500).astype(object)
        sides = (world.side("m:2", 0.5, seed=2 * seed), world.side("m:1", 0.5, seed=2 * seed + 1))
        terms = Terms(slices=("f",), slice_share=0.0)
        failed += check(prove(world.compared(*sides, slices={"f": field}), terms), "slice f").outcome is Outcome.FAILED
    assert failed <= 40 * 0.01 + 3 * np.sqrt(40 * 0.01 * 0.99)


def test_probabilities_that_are_less_true_fail() -> None:
    proof = prove(WORLD.compared(WORLD.side("m:2", 0.1, shift=1.2), WORLD.side("m:1", 0.1)), Terms(metric="auc"))
    assert check(proof, "not worse than champion").outcome is Outcome.PASSED, "the order of the answers is as good"
    assert (check(proof, "calibration").outcome, proof.outcome) == (Outcome.FAILED, Outcome.FAILED)


def test_a_golden_set_is_an_exam_without_chance() -> None:
    truth = [True, False] * 10
    right, wrong = said(np.array([0.9, 0.1] * 10)), said(np.array([0.9, 0.1] * 9 + [0.2, 0.1]))
    sides = [Side(name, CHAMPION.recent, golden={"exam": each}) for name, each in (("m:2", wrong), ("m:1", right))]
    proof = prove(WORLD.compared(*sides, golden={"exam": truth}))
    assert (check(proof, "golden exam").outcome, proof.outcome) == (Outcome.FAILED, Outcome.FAILED)
    turned = prove(WORLD.compared(*reversed(sides), golden={"exam": truth}))
    assert check(turned, "golden exam").outcome is Outcome.PASSED
    silent = prove(WORLD.compared(WORLD.side("m:2", 0.1), sides[1], golden={"exam": truth}))
    assert check(silent, "golden exam").sentence == "the challenger could not answer it"
    assert silent.outcome is Outcome.FAILED


def test_latency_size_and_contract() -> None:
    def judged(**more: Any) -> Proof:
        champion = Side("m:1", CHAMPION.recent, row_us=1500.0, bytes=20_000_000)
        return prove(WORLD.compared(Side("m:2", CHAMPION.recent, **more), champion))

    assert check(judged(row_us=2900.0, bytes=79_000_000), "latency").outcome is Outcome.PASSED
    assert check(judged(row_us=3100.0), "latency").outcome is Outcome.FAILED
    assert check(judged(bytes=81_000_000), "size").outcome is Outcome.FAILED
    assert judged().check("latency") is None
    old, new = Contract((Field("a", Kind.NUMBER),)), Contract((Field("a", Kind.NUMBER), Field("b", Kind.NUMBER)))
    broken = proved(0.1, contracts=compare(old, new))
    assert (check(broken, "contract").outcome, broken.may_promote) == (Outcome.FAILED, False)
    assert "b is new and required" in broken.why
    assert check(proved(0.1, contracts=compare(old, old)), "contract").outcome is Outcome.PASSED


def test_groups_that_are_treated_apart_fail_and_few_people_leave_it_open() -> None:
    sex = np.random.default_rng(4).choice(["f", "m"], 3000).astype(object)
    scores = np.where(sex == "m", np.clip(WORLD.scores(0.1) + 0.35, 0, 1), WORLD.scores(0.1))
    terms = Terms(fairness=("sex",), fairness_measure="demographic_parity_difference", fairness_gap=0.1)
    unfair = prove(WORLD.compared(Side("m:2", said(scores)), CHAMPION, groups={"sex": sex}), terms)
    assert check(unfair, "fairness sex").outcome is Outcome.FAILED
    assert check(proved(0.1, terms, groups={"sex": sex}), "fairness sex").outcome is Outcome.PASSED
    nobody = proved(0.1, terms, groups={"sex": np.array(["f"] * 2990 + ["m"] * 10, dtype=object)})
    assert (check(nobody, "fairness sex").outcome, nobody.may_promote) == (Outcome.UNDECIDED, False)


def test_a_version_that_does_not_bear_what_is_missing_fails() -> None:
    places, exact = np.arange(0, 3000, 2), WORLD.scores(0.1)

    def judged(disturbed: Any) -> Proof:
        champion = Side("m:1", CHAMPION.recent, disturbed={"without a": said(WORLD.scores(0.8, seed=1)[places])})
        challenger = Side("m:2", said(exact), disturbed={"without a": disturbed})
        return prove(WORLD.compared(challenger, champion, disturbed=places))

    assert judged(said(exact[places])).may_promote
    for bad in (said(1 - exact[places]), said(np.full(len(places), np.nan)), "the model erred"):
        proof = judged(bad)
        assert (check(proof, "robust").outcome, proof.may_promote) == (Outcome.FAILED, False)
        assert "without a" in proof.why


def test_a_challenger_without_probabilities_does_not_choose_the_exam() -> None:
    broken = WORLD.scores(0.1)
    broken[5] = np.nan
    for scores in (broken, None):
        side = Side("m:2", Answers(WORLD.scores(0.1) > 0.5, scores))
        proof = prove(WORLD.compared(side, CHAMPION))
        assert (proof.metric, proof.outcome) == ("brier", Outcome.UNDECIDED)


def test_sentences_are_gates_as_well() -> None:
    proof = proved(0.1, Terms(gates=("auc >= 0.99", "brier better than dummy")))
    assert [each.outcome.value for each in proof.checks if each.name.startswith("gate")] == ["failed", "passed"]
    assert proof.outcome is Outcome.FAILED
    with pytest.raises(BadInput, match="no slices of region"):
        proved(0.1, Terms(gates=("auc >= 0.5 in every slice of region",)))


def test_numbers_are_proved_by_how_far_they_are_off() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=2000)
    off = [truth + random.normal(0, spread, 2000) for spread in (0.1, 0.5)]
    new, old = (Side(f"m:{2 - place}", Answers(each)) for place, each in enumerate(off))
    proof = prove(Compared(Task.REGRESSION, (), truth, new, old))
    assert (proof.metric, proof.superior, proof.may_promote) == ("mae", True, True)
    assert proof.cap == pytest.approx(1.29, abs=0.1)


def test_terms_out_of_their_range_are_refused_by_name() -> None:
    for wrong, field in (
        (Terms(alpha=0.0), "alpha"),
        (Terms(margin=-1.0), "margin"),
        (Terms(margin_share=float("nan")), "margin_share"),
        (Terms(metric="mae"), "metric"),
        (Terms(metric="good"), "metric"),
        (Terms(fairness_measure="equalized_odds_ratio"), "fairness_measure"),
    ):
        with pytest.raises(BadInput) as refused:
            proved(0.1, wrong)
        assert refused.value.field == field
    with pytest.raises(BadInput, match="tensor"):
        prove(Compared(Task.TENSOR, (), [1.0], Side("m:2", said(np.zeros(1)))))


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(BadInput) as refused:
        proved(0.1, slices={"region": np.array(["a"], dtype=object)})
    assert refused.value.field == "region"
