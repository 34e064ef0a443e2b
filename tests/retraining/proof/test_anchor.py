"""Margins cannot be given away one by one: the anchor stays until something better is proved."""

import numpy as np
from tests.retraining.proof.made import World

from headgate.retraining.proof.anchor import Anchored, after
from headgate.retraining.proof.prove import prove
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Proof

TERMS = Terms(margin=0.01, margin_share=0.0)
STEP = 0.006
"""How much more every challenger loses than the one before it: less than the margin."""


def decline(turns: int, *, anchored: bool) -> float:
    """Challengers in a row, each a little worse than the champion; how much more the last champion loses."""
    grid, known = np.linspace(0.0, 6.0, 61), World(1, 50_000)
    curve = np.array([((known.scores(each) - known.truth) ** 2).mean() for each in grid])
    champion = anchor = first = 0.2
    for turn in range(turns):
        world = World(1000 + turn, 4000)
        worse = float(np.interp(np.interp(champion, grid, curve) + STEP, curve, grid))
        sides = [world.side(name, noise, seed=turn) for name, noise in (("c", worse), ("b", champion), ("a", anchor))]
        proof = prove(world.compared(sides[0], sides[1], sides[2] if anchored else None), TERMS)
        champion = worse if proof.may_promote else champion
        anchor = worse if after(proof, promoted=proof.may_promote).version == "c" else anchor
    return float(np.interp(champion, grid, curve) - np.interp(first, grid, curve))


def test_fifty_challengers_in_a_row_do_not_give_margins_away() -> None:
    lost = decline(50, anchored=True)
    assert 0 < lost <= TERMS.margin + STEP, "a margin, and what one wrong verdict may add"
    assert decline(12, anchored=False) > 3 * TERMS.margin, "without an anchor a dozen would: the case is a hard one"


def proof_of(challenger: float, anchor: float) -> Proof:
    world = World(3)
    return prove(world.compared(world.side("m:3", challenger), world.side("m:2", 1.0), world.side("m:1", anchor)))


def test_the_anchor_moves_to_what_was_promoted_and_is_better() -> None:
    better = proof_of(0.1, 2.0)
    assert after(better, promoted=True) == Anchored("m:3", "proved to be better than m:1", moved=True)
    assert after(better, promoted=False).version == "m:1"
    assert after(proof_of(0.1, 0.1), promoted=True).version == "m:1"


def test_before_there_is_one_the_champion_is_the_anchor() -> None:
    world = World(4)
    alike = prove(world.compared(world.side("m:2", 0.5), world.side("m:1", 0.5)))
    assert after(alike, promoted=True) == Anchored(
        "m:1", "m:2 does not take its place: it was not proved to be better", moved=False
    )
    first = prove(world.compared(world.side("m:1", 0.5), None))
    assert after(first, promoted=True).version == "m:1"
