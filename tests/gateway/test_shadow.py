"""A shadow answers beside the live version: every row it takes is remembered, and no caller ever notices."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gateway.test_matrices import INFER, MANY, binary, scores_of
from tests.gateway.test_metrics import value
from tests.gateway.test_standing import die
from tests.gateway.test_versions import PREDICT, ROW, Scripted, fail, hang, nothing, with_canary

from headgate.gateway import shadow, standing
from headgate.gateway.divide import BULK
from headgate.gateway.follow import Manners
from headgate.gateway.shadow import TRIES
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer
from headgate.journal.sealer import Sealer
from headgate.runtimes.failure import failed
from headgate.runtimes.ports import Feeds, Outputs
from headgate.testing.scripted import linear_weights
from headgate.testing.segments import MemorySegments
from headgate.traffic.assignment import draw
from headgate.traffic.traffic import Member, Policy, Shadow
from headgate.vocabulary import Ack, Role

TENSOR = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}


def with_shadow(
    placement: Scripted, share: float = 1.0, *, weight: float = 0.0, proved: bool = False, **more: Any
) -> Callable[[Any], None]:
    """A live version of bias 0 and a shadow, unproved and without weight unless told otherwise."""

    def prepare(town: Any) -> None:
        digest = town.linear(bias=placement.bias)
        town.placements[digest] = placement
        members = [
            Member("m:1", town.linear(), 1.0 - weight, proved=True),
            Member("m:2", digest, weight, proved=proved),
        ]
        town.publish(members, shadows=[Shadow("m:2", share)], **more)

    return prepare


def some_rows(count: int, first: float = 0.0) -> list[dict[str, float]]:
    return [{"f0": first + place / 8, "f1": 0.5, "f2": -place / 16} for place in range(count)]


def of(town: Any, role: Role) -> list[Answer]:
    return [each for each in town.journal.answers if each.role == role]


def beside(town: Any) -> list[Answer]:
    return of(town, Role.SHADOW)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


async def keeping_busy(town: Any, placement: Scripted, rows: int = 1) -> Any:
    """A caller whose rows the shadow is asked, and nothing has come of it yet."""
    await town.obeyed(1)
    caller = await town.call()
    await caller.post(PREDICT, {"rows": [ROW] * rows})
    await until(lambda: placement.sizes == [rows])
    return caller


async def settled(town: Any, rows: int) -> list[Answer]:
    """The shadow's answers, once there are as many, and a little later still no more."""
    await until(lambda: len(beside(town)) >= rows)
    await asyncio.sleep(0.02)
    found = beside(town)
    assert len(found) == rows
    return found


def shed(folder: Path) -> float:
    return value(folder / "metrics", "headgate_shadow_shed_total", version="m:2")


def failures(folder: Path, reason: str) -> float:
    return value(folder / "metrics", "headgate_shadow_failures_total", version="m:2", reason=reason)


def expected_score(features: Any, bias: float) -> float:
    return float(1 / (1 + np.exp(-(np.array(features, float) @ linear_weights(3).astype(float) + bias))))


async def asked_everything(town: Any, *, sizes: tuple[int, ...] = (1, 3, 70, 200)) -> list[Any]:
    """What callers hear who ask in rows and in matrices, and what is remembered of it, without ids and times."""
    caller, heard = await town.call(), list[Any]()
    for size in sizes:
        reply = await caller.post(PREDICT, {"rows": some_rows(size)})
        told = [(each["version"], each["prediction"], each["scores"]) for each in reply.json["predictions"]]
        heard.append((reply.status, reply.headers["headgate-version"], told))
        reply = await caller.ask("POST", INFER, *binary(MANY[:size], outputs=False))
        heard.append((reply.status, reply.headers["headgate-version"], scores_of(reply).tolist()))
    features = {each.id: each.features for each in town.journal.inputs}
    for each in of(town, Role.LIVE):
        heard.append((features[each.input_id], each.assigned, each.answered, each.prediction, each.scores))
    return heard


@pytest.mark.parametrize("act", [nothing, fail, die, hang])
def test_callers_hear_the_same_with_a_shadow_and_without(play: Any, act: Any) -> None:
    heard: list[list[Any]] = []

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        heard.append(await asked_everything(town))

    play(lambda town: town.serve_one(), scene)
    play(with_shadow(Scripted(act, 2.0)), scene)
    assert heard[0] == heard[1]


@pytest.mark.parametrize("policy", [Policy(), Policy(ack=Ack.BUFFERED)])
def test_every_row_the_live_version_answers_has_a_shadows_answer_too(play: Any, policy: Policy, tmp_path: Path) -> None:
    placement = Scripted(nothing, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        await asked_everything(town)
        found = await settled(town, 548)
        lives = {each.input_id: each for each in of(town, Role.LIVE)}
        assert sorted(each.input_id for each in found) == sorted(lives)
        features = {each.id: each.features for each in town.journal.inputs}
        for each in found:
            assert (each.assigned, each.answered, each.role) == ("m:2", "m:2", "shadow")
            assert (each.probability, each.fallback, each.compute_us) == (1.0, "", 5)
            assert each.scores is not None
            assert abs(each.scores[1] - expected_score(features[each.input_id], 2.0)) < 1e-5
            assert each.scores != lives[each.input_id].scores
            assert each.latency_us >= 0
        assert value(tmp_path / "metrics", "headgate_shadow_predictions_total", version="m:2") == 548
        assert value(tmp_path / "metrics", "headgate_shadow_share", version="m:2") == 1.0
        assert value(tmp_path / "metrics", "headgate_batch_size_sum", version="m:2") == 548
        assert value(tmp_path / "metrics", "headgate_predictions_total", version="m:2") == 0
        assert (shed(tmp_path), sum(placement.sizes)) == (0, 548)
        assert town.gateway._router.views["default", "e"].shadowing == 0

    play(with_shadow(placement, policy=policy), scene)


def test_inputs_are_written_before_what_shadows_say_of_them(play: Any) -> None:
    """Also where replies do not wait for the disk: readers then know the day of an answer."""

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        await asked_everything(town, sizes=(1, 1, 20))
        await settled(town, 44)
        known: set[bytes] = set()
        for _, block in town.journal.blocks:
            known.update(each.id for each in block.inputs)
            assert {each.input_id for each in block.answers} <= known

    play(with_shadow(Scripted(nothing, 2.0), policy=Policy(ack=Ack.BUFFERED)), scene)


def test_a_share_takes_the_rows_its_draw_says(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        await asked_everything(town)
        lives = {each.input_id for each in of(town, Role.LIVE)}
        expected = {each for each in lives if draw("salt", "shadow:m:2", each) < int(0.3 * 2**64)}
        assert 100 < len(expected) < 230
        found = await settled(town, len(expected))
        assert {each.input_id for each in found} == expected
        assert {each.probability for each in found} == {0.3}

    play(with_shadow(Scripted(nothing, 2.0), share=0.3), scene)


def test_two_shadows_answer_side_by_side(play: Any) -> None:
    one, other = Scripted(nothing, 2.0), Scripted(nothing, 3.0)

    def prepare(town: Any) -> None:
        members = [Member("m:1", town.linear(), 1.0, proved=True)]
        for number, placement in ((2, one), (3, other)):
            digest = town.linear(bias=placement.bias)
            town.placements[digest] = placement
            members.append(Member(f"m:{number}", digest))
        town.publish(members, shadows=[Shadow("m:2", 1.0), Shadow("m:3", 1.0), Shadow("m:9", 1.0)])

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        await asked_everything(town, sizes=(20,))
        found = await settled(town, 80)
        assert sorted(each.answered for each in found) == ["m:2"] * 40 + ["m:3"] * 40

    play(prepare, scene)


@pytest.mark.parametrize(("act", "reasons"), [(hang, {"late", "resting"}), (fail, {"failed"}), (die, {"failed"})])
def test_what_goes_wrong_is_a_record_of_the_shadow_and_nobody_elses_business(
    play: Any, act: Any, reasons: set[str], tmp_path: Path
) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for place in range(30):
            reply = await caller.post(PREDICT, {"rows": some_rows(4, float(place)), "deadline_ms": 2000})
            assert (reply.status, {each["version"] for each in reply.json["predictions"]}) == (200, {"m:1"})
        found = await settled(town, 120)
        assert {each.fallback for each in found} <= reasons | {"resting"}
        assert {each.fallback for each in found} & reasons
        assert {(each.assigned, each.answered, each.prediction, each.scores) for each in found} == {
            ("m:2", "", None, None)
        }
        assert {each.input_id for each in found} == {each.input_id for each in of(town, Role.LIVE)}
        counted = sum(failures(tmp_path, each) for each in ("failed", "late", "resting"))
        assert (counted, shed(tmp_path)) == (120, 0)
        assert value(tmp_path / "metrics", "headgate_fallbacks_total") == 0

    play(with_shadow(Scripted(act, 2.0), policy=Policy(deadline_ms=100)), scene)


def test_a_shadow_that_hangs_is_late_after_the_endpoints_deadline(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        (found,) = await settled(town, 1)
        assert (found.fallback, 100_000 <= found.latency_us < 1_000_000) == ("late", True)

    play(with_shadow(Scripted(hang, 2.0), policy=Policy(deadline_ms=100)), scene)


def test_one_that_costs_time_again_and_again_rests_and_is_asked_again(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "FIRST_REST", 0.05)
    placement = Scripted(die, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for place in range(12):
            await caller.post(PREDICT, {"rows": [ROW]})
            await until(lambda place=place: len(beside(town)) == place + 1)  # type: ignore[misc] # mypy takes no default here
        reasons = [each.fallback for each in beside(town)]
        assert reasons[:5] == ["failed"] * 5
        assert "resting" in reasons[5:]
        placement.act = nothing
        async with asyncio.timeout(5):
            while beside(town)[-1].fallback:
                await caller.post(PREDICT, {"rows": [ROW]})
                await asyncio.sleep(0.01)

    play(with_shadow(placement), scene)


def test_many_rows_do_not_wait_for_more(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(shadow, "QUEUE_ROWS", 200)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for rows in (199, 1, 150, 50):
            await caller.post(PREDICT, {"rows": some_rows(rows)})
        await settled(town, 400)

    play(with_shadow(Scripted(nothing, 2.0)), scene)


def test_what_still_gathers_when_the_gateway_ends_is_shed(
    play: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shadow, "GATHER_SECONDS", 60.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for rows in (1, 70):
            await caller.post(PREDICT, {"rows": some_rows(rows)})
        assert (beside(town), shed(tmp_path)) == ([], 0)
        await town.gateway.drain(0.1)
        assert (beside(town), shed(tmp_path)) == ([], 71)

    play(with_shadow(Scripted(nothing, 2.0)), scene)


def test_a_row_that_a_shadow_fails_on_is_its_only_failure(play: Any) -> None:
    def poison(feeds: Feeds) -> None:
        if (feeds["X"][:, 0] < 0).any():
            raise failed(ValueError("negative"))

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        rows = [{**ROW, "f0": -1.0 if place in (5, 170) else float(place)} for place in range(300)]
        assert (await caller.post(PREDICT, {"rows": rows})).status == 200
        found = {each.input_id: each.fallback for each in await settled(town, 300)}
        features = {each.id: each.features for each in town.journal.inputs}
        assert sorted(each for each, reason in found.items() if reason) == sorted(
            each for each, (first, *_) in features.items() if first < 0
        )

    play(with_shadow(Scripted(poison, 2.0)), scene)


def test_one_that_fails_on_every_row_costs_few_calls(play: Any) -> None:
    placement = Scripted(fail, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": some_rows(600)})).status == 200
        assert {each.fallback for each in await settled(town, 600)} == {"failed"}
        assert TRIES <= len(placement.sizes) < TRIES + 20

    play(with_shadow(placement), scene)


class Short(Scripted):
    """Says nothing of the last row."""

    async def run(self, feeds: Feeds) -> Outputs:
        whole = await super().run(feeds)
        return Outputs(whole.prediction[:-1], whole.scores, {}, 5)


def test_broken_outputs_are_failures(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        heard = await asked_everything(town, sizes=(1, 5))
        assert {each[0] for each in heard[:4]} == {200}
        found = await settled(town, 12)
        assert {(each.fallback, each.prediction) for each in found} <= {("failed", None), ("resting", None)}

    play(with_shadow(Short(nothing, 2.0)), scene)


def test_a_fault_of_ours_costs_the_shadows_rows_alone(play: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        write = town.journal.write

        def broken(schema: Any, block: Any, done: Any) -> Any:
            if done is None:
                raise TypeError("scripted")
            return write(schema, block, done)

        town.journal.write = broken
        assert {each[0] for each in (await asked_everything(town, sizes=(1, 5)))[:4]} == {200}
        await until(lambda: shed(tmp_path) == 12)
        town.journal.write = write
        await (await town.call()).post(PREDICT, {"rows": [ROW]})
        await settled(town, 1)

    play(with_shadow(Scripted(nothing, 2.0)), scene)


def test_what_does_not_fit_is_shed_and_the_oldest_stay(
    play: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shadow, "QUEUE_ROWS", 10)
    gate = asyncio.Event()
    placement = Scripted(lambda _: gate.wait(), 2.0)

    async def scene(town: Any) -> None:
        caller = await keeping_busy(town, placement)
        for place in range(5):
            assert (await caller.post(PREDICT, {"rows": some_rows(4, float(place))})).status == 200
        await until(lambda: shed(tmp_path) == 10)
        await until(lambda: value(tmp_path / "metrics", "headgate_queue_depth", version="m:2") == 10)
        gate.set()
        found = await settled(town, 11)
        oldest = sorted(each.input_id for each in of(town, Role.LIVE))[:11]
        assert sorted(each.input_id for each in found) == oldest
        assert placement.sizes == [1, 10]

    play(with_shadow(placement), scene)


def test_a_journal_that_falls_behind_sheds_shadows(play: Any, tmp_path: Path) -> None:
    placement = Scripted(nothing, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        town.journal.pressed = True
        for _ in range(3):
            assert (await caller.post(PREDICT, {"rows": [ROW, ROW]})).status == 200
        await until(lambda: shed(tmp_path) == 6)
        assert (placement.sizes, beside(town)) == ([], [])
        town.journal.pressed = False
        await caller.post(PREDICT, {"rows": [ROW]})
        await settled(town, 1)

    play(with_shadow(placement), scene)


def test_a_journal_that_falls_behind_meanwhile_is_not_written_to(play: Any, tmp_path: Path) -> None:
    gate = asyncio.Event()
    placement = Scripted(lambda _: gate.wait(), 2.0)

    async def scene(town: Any) -> None:
        await keeping_busy(town, placement, 2)
        town.journal.pressed = True
        gate.set()
        await until(lambda: shed(tmp_path) == 2)
        assert beside(town) == []

    play(with_shadow(placement), scene)


def test_a_gateway_that_is_more_than_half_full_sheds_shadows(play: Any, tmp_path: Path) -> None:
    placement = Scripted(nothing, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller, other = await town.call(), await town.call()
        town.journal.held = True
        caller.send("POST", PREDICT, b'{"rows":[%s]}' % b",".join([b'{"f0":1,"f1":1,"f2":1}'] * 33))
        await until(lambda: shed(tmp_path) == 33)
        other.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1}]}')
        await until(lambda: shed(tmp_path) == 34)
        assert placement.sizes == []
        town.journal.held = False
        town.journal.release()
        assert [(await each.reply()).status for each in (caller, other)] == [200, 200]
        await other.post(PREDICT, {"rows": [ROW] * 30})
        await settled(town, 30)

    play(with_shadow(placement), scene, queue_rows=64)


def test_only_what_the_live_version_was_assigned_is_shadowed(play: Any) -> None:
    """Not whom a caller pinned, not whom a canary answered, and not those for whom the live version stepped in."""
    placement = Scripted(nothing, 2.0)
    canary = Scripted(fail, 5.0)

    def prepare(town: Any) -> None:
        digests = {name: town.linear(bias=each.bias) for name, each in (("m:2", placement), ("m:3", canary))}
        town.placements |= {digests["m:2"]: placement, digests["m:3"]: canary}
        members = [
            Member("m:1", town.linear(), 0.5, proved=True),
            Member("m:2", digests["m:2"], 0.0, proved=True),
            Member("m:3", digests["m:3"], 0.5, proved=True),
        ]
        town.publish(members, shadows=[Shadow("m:2", 1.0)])

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for version in (1, 2):
            reply = await caller.post(f"/v2/models/e/versions/{version}/infer", {"inputs": [TENSOR]})
            assert reply.status == 200
        assert (await caller.post(PREDICT, {"rows": some_rows(60)})).status == 200
        lives = {each.input_id for each in of(town, Role.LIVE)}
        assert 10 < len(lives) < 50
        assert len(of(town, Role.PINNED)) == 2
        assert {each.fallback for each in of(town, Role.CANARY)} == {"failed"}
        assert {each.input_id for each in await settled(town, len(lives))} == lives

    play(prepare, scene)


@pytest.mark.parametrize(("act", "reason"), [(nothing, ""), (fail, "failed")])
def test_where_a_candidate_has_all_callers_the_live_version_answers_beside_it(
    play: Any, act: Any, reason: str, tmp_path: Path
) -> None:
    """Also those rows for which it had to step in, so that each has an answer of both."""
    placement = Scripted(act, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": some_rows(20)})).status == 200
        assert (await caller.ask("POST", INFER, *binary(MANY[:20], outputs=False))).status == 200
        found = await settled(town, 40)
        heard = of(town, Role.CANARY)
        assert {(each.assigned, each.fallback) for each in heard} == {("m:2", reason)}
        assert sorted(each.input_id for each in found) == sorted(each.input_id for each in heard)
        assert {(each.assigned, each.answered, each.fallback) for each in found} == {("m:1", "m:1", "")}
        features = {each.id: each.features for each in town.journal.inputs}
        for each in found:
            assert each.scores is not None
            assert abs(each.scores[1] - expected_score(features[each.input_id], 0.0)) < 1e-5
        assert value(tmp_path / "metrics", "headgate_shadow_share", version="m:1") == 1.0
        assert value(tmp_path / "metrics", "headgate_shadow_predictions_total", version="m:1") == 40

    play(with_canary(placement, shadows=[Shadow("m:1", 1.0)]), scene)


def test_a_request_asked_again_is_shadowed_again_under_its_new_ids(play: Any) -> None:
    """A gateway remembers no request; the journal's join counts a retry once, whoever answered it."""

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for _ in range(2):
            await caller.post(PREDICT, {"id": "once", "rows": [ROW, ROW]})
        found = await settled(town, 4)
        assert {each.input_id for each in found} == {each.id for each in town.journal.inputs}
        assert {each.request_id for each in town.journal.inputs} == {"once"}

    play(with_shadow(Scripted(nothing, 2.0)), scene)


def test_rows_the_live_version_failed_on_are_shadowed_and_refused_ones_are_not(play: Any) -> None:
    placement = Scripted(nothing, 2.0)

    def prepare(town: Any) -> None:
        with_shadow(placement)(town)
        town.placements[town.linear()] = Scripted(fail, 0.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW, {"f0": 1}]})).status == 503
        await asyncio.sleep(0.02)
        assert (placement.sizes, len(beside(town))) == ([1], 1)

    play(prepare, scene)


def test_rows_the_live_version_was_too_late_for_are_shadowed(play: Any) -> None:
    gate = asyncio.Event()

    def prepare(town: Any) -> None:
        with_shadow(Scripted(nothing, 2.0))(town)
        town.placements[town.linear()] = Scripted(lambda _: gate.wait(), 0.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW, ROW], "deadline_ms": 50})).status == 504
        gate.set()
        found = await settled(town, 2)
        late = {each.id: each.refusal.rule for each in town.journal.inputs}
        assert {each.input_id: "deadline" for each in found} == late
        assert ({each.fallback for each in found}, of(town, Role.LIVE)) == ({""}, [])

    play(prepare, scene)


def test_a_shadow_steps_aside_for_callers_of_the_same_version(play: Any) -> None:
    gate = asyncio.Event()
    placement = Scripted(nothing, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        placement.act = lambda _: gate.wait()
        caller.send("POST", "/v2/models/e/versions/2/infer", json.dumps({"inputs": [TENSOR]}).encode())
        await until(lambda: placement.sizes == [1])
        other = await town.call()
        assert (await other.post("/v2/models/e/versions/1/infer", {"inputs": [TENSOR]})).status == 200
        while not of(town, Role.LIVE):
            assert (await other.post(PREDICT, {"rows": some_rows(100), "deadline_ms": 50})).status in (200, 504)
        await asyncio.sleep(0.05)
        assert placement.sizes == [1], "nobody else is asked while a caller waits for it"
        gate.set()
        placement.act = nothing
        assert (await caller.reply()).status == 200
        lives = len(of(town, Role.LIVE))
        await settled(town, lives)
        assert max(placement.sizes) <= BULK, "callers of the same version do not wait for long"

    play(with_shadow(placement, weight=1e-6, proved=True), scene)


def test_a_shadow_that_fails_takes_no_callers_from_the_same_version(play: Any) -> None:
    """It is asked on by those it was assigned: a rest of the one is none of the other."""
    placement = Scripted(die, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        while len([each for each in beside(town) if each.fallback == "resting"]) < 3:
            assert (await caller.post("/v2/models/e/versions/1/infer", {"inputs": [TENSOR]})).status == 200
            assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
            await asyncio.sleep(0.001)
        view = town.gateway._router.views["default", "e"]
        assert view.seats["m:2"].served.standing.may_be_asked(0.0)

    play(with_shadow(placement, weight=1e-6, proved=True), scene)


def test_a_call_under_way_ends_before_its_model_is_given_back(play: Any, tmp_path: Path) -> None:
    gate = asyncio.Event()
    placement = Scripted(lambda _: gate.wait(), 2.0)

    async def scene(town: Any) -> None:
        caller = await keeping_busy(town, placement, 2)
        await caller.post(PREDICT, {"rows": [ROW] * 3})
        old = town.gateway._router.views["default", "e"]
        await until(lambda: old.shadowing == 5)
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)])
        await town.obeyed(2)
        await asyncio.sleep(0.3)
        assert not placement.closed
        gate.set()
        await until(lambda: placement.closed)
        assert [each.fallback for each in beside(town)] == ["", ""]
        assert (shed(tmp_path), old.shadowing, placement.sizes) == (3, 0, [2])
        assert value(tmp_path / "metrics", "headgate_shadow_share", version="m:2") == 0

    play(with_shadow(placement), scene, manners=Manners(resident_seconds=0.0))


def test_what_waits_outlives_a_revision_that_still_has_the_shadow(play: Any) -> None:
    gate = asyncio.Event()
    placement = Scripted(lambda _: gate.wait(), 2.0)

    async def scene(town: Any) -> None:
        caller = await keeping_busy(town, placement)
        await caller.post(PREDICT, {"rows": [ROW, ROW]})
        members = town.traffic.read()["default", "e"].members
        town.publish(members, shadows=[Shadow("m:2", 1.0)], canary_lease_s=60.0)
        await town.obeyed(2)
        await caller.post(PREDICT, {"rows": [ROW] * 4})
        gate.set()
        await settled(town, 7)
        assert placement.sizes == [1, 2, 4], "one call is of one revision"

    play(with_shadow(placement), scene)


def test_a_gateway_that_ends_waits_for_no_shadow(play: Any, tmp_path: Path) -> None:
    placement = Scripted(hang, 2.0)
    towns: list[Any] = []

    async def scene(town: Any) -> None:
        towns.append(town)
        caller = await keeping_busy(town, placement)
        await caller.post(PREDICT, {"rows": [ROW, ROW]})

    play(with_shadow(placement), scene)
    assert placement.closed
    assert beside(towns[0]) == [], "to be interrupted is no failure"
    assert shed(tmp_path) == 3


def test_an_endpoint_without_shadows_hands_nothing_over(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.gateway._answerer._shadows.offer = None
        heard = await asked_everything(town)
        assert {each[0] for each in heard[:8]} == {200}

    play(lambda town: town.serve_one(), scene)


def test_the_journal_joins_both_answers_before_and_after_a_seal(play: Any, tmp_path: Path) -> None:
    placement = Scripted(nothing, 2.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        await asked_everything(town, sizes=(1, 20))
        await settled(town, 42)
        placement.act = fail
        await (await town.call()).post(PREDICT, {"rows": [ROW]})
        await settled(town, 43)
        segments, lake = MemorySegments(), Lake(tmp_path / "lake")
        half = len(town.journal.blocks) // 2
        segments.write("here-0", 1, town.journal.blocks[:half])
        segments.write("here-0", 2, town.journal.blocks[half:])
        reader = Reader(lake, segments)
        expected = {each.input_id: each for each in of(town, Role.LIVE)}
        for is_sealed in (False, True):
            if is_sealed:
                assert Sealer(segments, lake).seal().segments == 2
            rows = reader.joined("default", "e", roles=[Role.LIVE, Role.SHADOW]).to_pylist()
            assert len(rows) == 2 * len(expected) == 86
            by_role = {role: {each["input_id"]: each for each in rows if each["role"] == role} for role in Role}
            assert by_role[Role.LIVE].keys() == by_role[Role.SHADOW].keys()
            (failed,) = [each for each in by_role[Role.SHADOW].values() if each["fallback"]]
            assert (failed["prediction"], failed["scores"], failed["assigned"]) == (None, None, "m:2")
            assert {each["answered"] for each in by_role[Role.SHADOW].values() if not each["fallback"]} == {"m:2"}
            assert len(reader.joined("default", "e")) == len(expected), "by default callers' answers alone"

    play(with_shadow(placement), scene)
