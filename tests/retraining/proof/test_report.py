"""A report carries everything a reviewer asks, and nothing of it can break the page it stands on."""

import msgspec
import numpy as np
from tests.retraining.proof.made import World

from headgate.retraining.proof.prove import prove
from headgate.retraining.proof.report import as_markdown, as_page, as_text
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Proof


def proof_of(noise: float = 0.1) -> Proof:
    world = World(5)
    field = np.array(["<b>a|b</b>\n`x`", "plain"] * 1500, dtype=object)
    sides = world.side("m:2", noise, row_us=100.0), world.side("m:1", 0.8, seed=1)
    at = np.arange(3000, dtype=np.int64) * 86_400_000
    return prove(world.compared(*sides, at=at, slices={"f": field}), Terms(slices=("f",), gates=("auc >= 0.5",)))


def test_markdown_has_all_checks_in_tables_that_hold() -> None:
    proof = proof_of()
    text = as_markdown(proof)
    assert text.startswith("## ✅ m:2 passed against m:1 and may take its place without anybody being asked\n")
    for each in proof.checks:
        assert f" | {each.name} | " in text.replace("&lt;", "<")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {5, 7}
    assert "<b>" not in text
    assert proof.error_rate in text
    assert "1970-01-03 23:58 UTC" in text


def test_a_failure_is_an_outcome_that_is_explained() -> None:
    proof = proof_of(3.0)
    for text in (as_text(proof), as_markdown(proof), as_page(proof)):
        assert "m:2 failed against m:1; m:1 stays" in text
    assert proof.why in as_text(proof)


def test_the_page_escapes_and_fetches_nothing() -> None:
    page = as_page(proof_of())
    assert "<b>a|b" not in page
    assert "&lt;b&gt;a|b" in page
    assert "src=" not in page


def test_a_proof_is_kept_as_json() -> None:
    proof = proof_of()
    assert msgspec.json.decode(msgspec.json.encode(proof), type=Proof) == proof
