"""Where people decide: callers hear that they do and nothing else, and the model answers unseen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.test_matrices import INFER
from tests.gateway.test_metrics import value
from tests.gateway.test_shadow import TENSOR, beside, of, settled, some_rows, until
from tests.gateway.test_standing import die
from tests.gateway.test_versions import PREDICT, ROW, Scripted, fail, hang, nothing

from headgate.traffic.assignment import draw
from headgate.traffic.traffic import Member, People, Policy, Shadow
from headgate.vocabulary import Ack, Role


def by_people(placement: Scripted, people: People, *, proved: bool = True, **more: Any) -> Callable[[Any], None]:
    """An endpoint whose people decide as `people` says, beside a model of that placement."""

    def prepare(town: Any) -> None:
        digest = town.linear(bias=placement.bias)
        town.placements[digest] = placement
        members = [Member("m:1", digest, 1.0, proved=proved)]
        town.publish(members, shadows=[Shadow("m:1", 1.0)], people=people, **more)

    return prepare


@pytest.mark.parametrize("policy", [Policy(), Policy(ack=Ack.BUFFERED)])
def test_a_caller_gets_an_id_and_no_hint(play: Any, policy: Policy, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": some_rows(20)})
        assert (reply.status, reply.headers["headgate-version"]) == (200, "human")
        told = reply.json["predictions"]
        assert {tuple(each) for each in told} == {("id", "version", "decides")}
        assert {(each["version"], each["decides"]) for each in told} == {("human", "human")}
        found = await settled(town, 20)
        assert {(each.assigned, each.answered, each.probability) for each in found} == {("m:1", "m:1", 1.0)}
        assert {each.input_id for each in found} == {each.id for each in town.journal.inputs}
        assert len(town.journal.answers) == 20, "and nothing else is said of them"
        assert value(tmp_path / "metrics", "headgate_left_to_people_total") == 20

    play(by_people(Scripted(nothing, 2.0), People(), proved=False, policy=policy), scene)


@pytest.mark.parametrize("act", [fail, die, hang])
def test_what_becomes_of_the_model_is_no_concern_of_callers(play: Any, act: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for _ in range(3):
            reply = await caller.post(PREDICT, {"rows": [ROW]})
            assert (reply.status, reply.json["predictions"][0]["decides"]) == (200, "human")

    play(by_people(Scripted(act, 2.0), People()), scene)


def test_a_suggestion_is_told_and_remembered_as_one(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": some_rows(3)})
        assert reply.headers["headgate-version"] == "m:1"
        for told, answer in zip(reply.json["predictions"], of(town, Role.SUGGESTION), strict=True):
            assert told["decides"] == "human"
            assert "prediction" not in told
            assert (told["suggestion"], told["scores"]) == (answer.prediction, answer.scores)
        assert beside(town) == []

    play(by_people(Scripted(nothing, 2.0), People(suggests=True)), scene)


@pytest.mark.parametrize(("act", "why"), [(fail, "failed"), (hang, "late")])
def test_a_suggestion_that_does_not_come_keeps_nobody(play: Any, act: Any, why: str) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW], "deadline_ms": 400})
        assert reply.status == 200
        assert set(reply.json["predictions"][0]) == {"id", "version", "decides"}
        (answer,) = town.journal.answers
        assert (answer.assigned, answer.answered, answer.role, answer.fallback) == ("m:1", "", "shadow", why)

    play(by_people(Scripted(act, 2.0), People(suggests=True)), scene)


def test_nobody_hears_an_unproved_model(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW]})
        assert reply.status == 503

    play(by_people(Scripted(nothing, 2.0), People(suggests=True), proved=False), scene)
    play(by_people(Scripted(nothing, 2.0), People(0.5), proved=False), scene)


def test_a_share_of_the_inputs_is_the_models(play: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": some_rows(400)})
        theirs = {each.id for each in town.journal.inputs if draw("salt", "human", each.id) < int(0.75 * 2**64)}
        assert 250 < len(theirs) < 350
        found = await settled(town, len(theirs))
        assert {each.input_id for each in found} == theirs
        lives = of(town, Role.LIVE)
        assert {each.probability for each in lives} == {0.25}
        assert len(lives) == 400 - len(theirs)
        decided = [each for each in reply.json["predictions"] if "prediction" in each]
        assert len(decided) == len(lives)
        assert {each["version"] for each in decided} == {"m:1"}
        assert all("decides" not in each for each in decided)
        assert value(tmp_path / "metrics", "headgate_traffic_weight", version="m:1") == 0.25

    play(by_people(Scripted(nothing, 2.0), People(0.75)), scene)


def test_the_model_decides_where_it_is_sure_and_says_nothing_else(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": some_rows(200)})
        answers = {each.input_id: each for each in town.journal.answers}
        assert len(answers) == 200, "every row was asked once"
        sure = {id_ for id_, each in answers.items() if max(each.scores or [0.0]) >= 0.9}
        assert 0 < len(sure) < 200
        assert {each.role for id_, each in answers.items() if id_ in sure} == {"live"}
        assert {each.role for id_, each in answers.items() if id_ not in sure} == {"shadow"}
        told = {each["id"]: set(each) for each in reply.json["predictions"]}
        assert sorted(map(len, told.values())) == sorted([4] * len(sure) + [3] * (200 - len(sure)))

    play(by_people(Scripted(nothing, 0.0), People(0.0, 0.9)), scene)


@pytest.mark.parametrize("act", [fail, hang])
def test_people_decide_what_the_model_cannot(play: Any, act: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW], "deadline_ms": 400})
        assert (reply.status, reply.json["predictions"][0]["decides"]) == (200, "human")
        (record,) = town.journal.inputs
        assert record.refusal is None

    play(by_people(Scripted(act, 0.0), People(0.0, 0.5)), scene)


def test_doors_that_cannot_say_who_decides_stay_shut(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(INFER, {"inputs": [TENSOR]})
        assert reply.status == 400
        assert "is decided by people" in str(reply.json)
        assert town.journal.answers == []

    play(by_people(Scripted(nothing, 0.0), People()), scene)


def test_rows_that_break_the_contract_are_refused_all_the_same(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW, {"f0": "x", "f1": 0.0, "f2": 0.0}]})
        first, second = reply.json["predictions"]
        assert (first["decides"], second["error"]["rule"]) == ("human", "type")
        await until(lambda: len(beside(town)) == 1)

    play(by_people(Scripted(nothing, 0.0), People()), scene)
