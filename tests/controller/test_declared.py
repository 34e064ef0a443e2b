"""What a file declares is resolved, checked against what is registered, and never another file's hindrance."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headgate.clock import HeldClock
from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import from_document
from headgate.controller import declared
from headgate.controller.declared import Declared
from headgate.controller.reconcile import Controller
from headgate.errors import BadConfiguration, NotFound
from headgate.events import Event, EventKind
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore
from headgate.registry.ports import Evaluation, Version
from headgate.registry.registry import Registry
from headgate.rollouts.plan import Approve, Plan, SetWeight, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move
from headgate.testing.memory import MemoryStore, MemoryTraffic
from headgate.testing.scripted import write_contract
from headgate.traffic.endpoint import EndpointSpec, load_endpoint
from headgate.traffic.outliers import OutlierWords, screen_of
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import Micros, Task

BINARY = Output(Task.BINARY, classes=(0, 1), probability=True)
LABELS = (ModelOutput("p", "float32", []),)
PLAIN = Contract((Field("a", Kind.NUMBER), Field("b", Kind.NUMBER)), BINARY)


class Office:
    """A registry whose versions differ in their contracts alone."""

    def __init__(self, root: Path) -> None:
        self.store, self.packages = MemoryStore(), PackageStore(root / "packages")
        clock = HeldClock(Micros(1))
        self.registry = Registry(self.store, self.packages, clock)
        self.secret = b"s" * 32
        self.declared = Declared(self.store, self.registry, lambda: self.secret, self.store)
        self.traffic = MemoryTraffic()
        self.controller = Controller(declared=self.declared, traffic=self.traffic, events=self.store, clock=clock)

    def register(
        self, contract: Contract, *, proved: bool = True, model: str = "m", outputs: Sequence[ModelOutput] = LABELS
    ) -> str:
        """Its version; an output called scores is one."""

        def build(folder: Path) -> Manifest:
            (folder / "model.onnx").write_bytes(b"not asked")
            write_contract(folder, contract)
            inputs = [ModelInput("X", "float32", list(contract.names), [len(contract.fields)])]
            scores = next((each.name for each in outputs if each.name == "scores"), None)
            signature = Signature(inputs, list(outputs), outputs[0].name, scores)
            return Manifest(
                FORMAT, Engine.ONNX, "model.onnx", signature, {}, {"n": str(len(self.store.versions("default")))}
            )

        digest = self.packages.put(build)
        version = self.store.add_version(Version("default", model, 0, digest, Micros(0), "onnx", "binary"))
        if proved:
            self.store.add_evaluation(Evaluation("default", version.ref, Micros(0), True, b"{}"))
        return version.ref


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def split(*shares: tuple[str, float], **more: Any) -> EndpointSpec:
    listed = "".join(f"\n  - {{version: {version}, weight: {weight}}}" for version, weight in shares)
    text = f"endpoint: late\nmodel: {shares[0][0]}\ntraffic:\n  split:{listed}\n"
    return msgspec.structs.replace(load_endpoint(text, "test"), **more)


def test_versions_that_ask_the_same_fields_may_stand_beside_each_other(office: Office) -> None:
    turned = Contract(tuple(reversed(PLAIN.fields)), BINARY)
    narrow = Contract(PLAIN.fields[:1], BINARY)
    refs = [office.register(each) for each in (PLAIN, turned, narrow)]
    office.declared.check(split((refs[0], 0.5), (refs[1], 0.25), (refs[2], 0.25)))


OTHERS = {
    "another field": (
        Contract((*PLAIN.fields, Field("c", Kind.NUMBER)), BINARY),
        "m:2 reads the field 'c' as number, m:1 does not have it",
    ),
    "another kind": (
        Contract((Field("a", Kind.INTEGER), PLAIN.fields[1]), BINARY),
        "m:2 reads the field 'a' as integer, m:1 has it as number",
    ),
    "other classes": (
        Contract(PLAIN.fields, Output(Task.BINARY, classes=(1, 0))),
        "m:2 answers another question than m:1: tasks and classes must be the same",
    ),
    "another task": (
        Contract(PLAIN.fields, Output(Task.REGRESSION)),
        "m:2 answers another question than m:1: tasks and classes must be the same",
    ),
}


@pytest.mark.parametrize(("other", "says"), OTHERS.values(), ids=OTHERS)
def test_a_version_that_cannot_stand_beside_the_live_one_is_refused_by_key(
    office: Office, other: Contract, says: str
) -> None:
    refs = [office.register(PLAIN), office.register(other)]
    with pytest.raises(BadConfiguration) as refused:
        office.declared.check(split((refs[0], 0.5), (refs[1], 0.5)))
    assert (refused.value.where, str(refused.value)) == (
        "traffic.split[1].version",
        f"traffic.split[1].version: {says}",
    )


MIXED = {
    "no scores": (
        BINARY,
        ((ModelOutput("p", "int64", []), ModelOutput("scores", "float32", [2])), LABELS),
        "m:2 answers with classes alone, m:1 with classes and scores: they must be the same",
    ),
    "another output": (
        Output(Task.TENSOR),
        ((ModelOutput("y", "float32", [2]),), (ModelOutput("z", "float32", [2]),)),
        "m:2 answers with z (float32), m:1 with y (float32): they must be the same",
    ),
    "another dtype": (
        Output(Task.TENSOR),
        ((ModelOutput("y", "float32", [2]),), (ModelOutput("y", "float64", [2]),)),
        "m:2 answers with y (float64), m:1 with y (float32): they must be the same",
    ),
}


@pytest.mark.parametrize(("output", "outputs", "says"), MIXED.values(), ids=MIXED)
def test_versions_of_one_endpoint_answer_with_the_same_outputs(
    office: Office, output: Output, outputs: tuple[Sequence[ModelOutput], ...], says: str
) -> None:
    contract = Contract(PLAIN.fields, output)
    live, other = (office.register(contract, outputs=each) for each in outputs)
    with pytest.raises(BadConfiguration) as refused:
        office.declared.check(split((live, 0.5), (other, 0.5)))
    assert (refused.value.where, refused.value.message) == ("traffic.split[1].version", says)
    same = office.register(contract, outputs=outputs[0])
    office.declared.check(split((live, 0.5), (same, 0.5)))


def test_outputs_may_be_called_otherwise_where_callers_do_not_see_their_names(office: Office) -> None:
    refs = [office.register(PLAIN), office.register(PLAIN, outputs=(ModelOutput("label", "int64", []),))]
    office.declared.check(split((refs[0], 0.5), (refs[1], 0.5)))


def test_a_successor_may_not_break_the_contract_of_the_live_version(office: Office) -> None:
    narrow = Contract(PLAIN.fields[:1], BINARY)
    live, other = (office.registry.resolve(office.register(each)) for each in (PLAIN, narrow))
    spec = EndpointSpec(endpoint="late", model=live.ref)
    office.declared.check_successor(spec, live, live)
    with pytest.raises(BadConfiguration, match=r"m:2 breaks the contract of m:1 \(b: is gone, so rows that have"):
        office.declared.check_successor(spec, live, other)
    office.declared.check_successor(msgspec.structs.replace(spec, contract=PLAIN), live, other)
    bare = Contract(PLAIN.fields, Output(Task.BINARY, classes=(0, 1)))
    unsure = office.registry.resolve(office.register(bare))
    with pytest.raises(BadConfiguration, match=r"\(output: scores are no longer probabilities\)"):
        office.declared.check_successor(msgspec.structs.replace(spec, contract=PLAIN), live, unsure)


def test_an_own_contract_must_offer_what_the_model_reads_and_ask_the_same(office: Office) -> None:
    ref = office.register(PLAIN)
    wide = Contract((*PLAIN.fields, Field("c", Kind.TEXT)), BINARY)
    office.declared.check(load_endpoint(f"endpoint: late\nmodel: {ref}\n", "t"))
    office.declared.check(EndpointSpec(endpoint="late", model=ref, contract=wide))
    narrow = Contract(PLAIN.fields[:1], BINARY)
    with pytest.raises(BadConfiguration, match="reads the field 'b' as number, the contract does not have it"):
        office.declared.check(EndpointSpec(endpoint="late", model=ref, contract=narrow))
    with pytest.raises(BadConfiguration, match="the contract answers another question"):
        office.declared.check(
            EndpointSpec(endpoint="late", model=ref, contract=Contract(PLAIN.fields, Output(Task.REGRESSION)))
        )


def test_a_file_nobody_can_read_holds_up_no_other(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Such as one that a newer Headgate left behind."""
    ref = office.register(PLAIN)
    broken = "endpoint: broken\nmodel: m\nfrom_the_future: 1\n"
    office.store.put_endpoint("default", "broken", broken)
    office.store.put_endpoint("default", "late", f"endpoint: late\nmodel: {ref}\nretention: 3d\n")
    for _ in range(3):
        office.controller.reconcile()
    assert list(office.traffic.read()) == [("default", "late")]
    assert office.declared.retention_days() == {("default", "late"): 3}
    assert caplog.text.count("endpoint default/broken") == 1, "said once, not several times a second"
    with pytest.raises(BadConfiguration, match="from_the_future"):
        office.declared.spec("default", "broken")
    office.store.put_endpoint("default", "broken", f"endpoint: broken\nmodel: {ref}\n", broken)
    office.controller.reconcile()
    assert sorted(office.traffic.read()) == [("default", "broken"), ("default", "late")]


def test_everything_a_file_says_reaches_the_traffic(office: Office) -> None:
    first, second = office.register(PLAIN), office.register(PLAIN, proved=False)
    office.store.set_alias("default", "m", "champion", 1)
    own = Contract((*PLAIN.fields, Field("c", Kind.TEXT)), BINARY)
    spec = msgspec.structs.replace(
        load_endpoint(
            "endpoint: late\nmodel: m@champion\ndeadline_ms: 700\nlabel_maturity: 2d\n"
            "resources: {memory_mb: 64, call_seconds: 2}\njournal: {ack: buffered, on_failure: answer}\n"
            "traffic: {split: [{version: m:2, weight: 1.0}], sticky_key: a}\nforced: ['m:2']\n",
            "t",
        ),
        contract=own,
    )
    traffic = office.declared.resolve(spec)
    assert (traffic.live, traffic.revision, traffic.sticky_key, traffic.shadows) == (first, 0, "a", [])
    assert [(each.version, each.weight, each.proved, each.forced) for each in traffic.members] == [
        (first, 0.0, True, False),
        (second, 1.0, False, True),
    ]
    assert traffic.policy == spec.policy
    assert (traffic.resources.memory_mb, traffic.resources.call_seconds) == (64, 2)
    assert traffic.contract is not None
    assert from_document(msgspec.json.decode(traffic.contract), "t") == own
    assert office.declared.resolve(load_endpoint("endpoint: late\nmodel: m\n", "t")).contract is None


def test_a_salt_is_fixed_for_one_endpoint_of_one_home(office: Office) -> None:
    office.register(PLAIN)
    late, early = (load_endpoint(f"endpoint: {name}\nmodel: m\n", "t") for name in ("late", "early"))
    salt = office.declared.resolve(late).salt
    assert office.declared.resolve(late).salt == salt
    assert office.declared.resolve(early).salt != salt
    office.secret = b"t" * 32
    assert office.declared.resolve(late).salt != salt


def test_forcing_writes_down_what_is_unproved_and_forgets_nothing(office: Office) -> None:
    refs = [office.register(PLAIN), office.register(PLAIN, proved=False), office.register(PLAIN, proved=False)]
    spec = split((refs[0], 0.5), (refs[1], 0.5), (refs[2], 0.0), forced=["old:9"])
    assert office.declared.unproved(spec) == [refs[1]], "what takes no traffic needs no proof"
    assert office.declared.forced(spec).forced == [refs[1], "old:9"]


@pytest.mark.parametrize(
    ("model", "says"), [("x", "x"), ("m:7", "m:7"), ("m@nobody", "m@nobody"), ("m", None), ("m:1", None)]
)
def test_a_version_that_is_not_registered_is_named(office: Office, model: str, says: str | None) -> None:
    office.register(PLAIN)
    spec = load_endpoint(f"endpoint: late\nmodel: '{model}'\n", "t")
    if says is None:
        assert office.declared.members(spec)[0] == "m:1"
        return
    with pytest.raises(NotFound, match=says):
        office.declared.members(spec)


def test_threads_look_while_a_file_changes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is half way through its look when the file it has read already is another, and another thread looks."""
    ref = office.register(PLAIN)
    first = f"endpoint: early\nmodel: {ref}\nretention: 3d\n"
    office.store.put_endpoint("default", "early", first)
    office.store.put_endpoint("default", "late", f"endpoint: late\nmodel: {ref}\n")
    read = declared._readable
    seen: list[object] = []

    def slowly(text: str, where: str) -> EndpointSpec | None:
        if where == "endpoint default/late" and not seen:
            seen.append(where)
            office.store.put_endpoint("default", "early", first.replace("3d", "5d"), first)
            with ThreadPoolExecutor(1) as other:
                seen.append(other.submit(office.declared.retention_days).result())
        return read(text, where)

    monkeypatch.setattr(declared, "_readable", slowly)
    assert office.declared.retention_days() == {("default", "early"): 3}, "what it has begun to read"
    assert seen[1] == {("default", "early"): 5}
    assert office.declared.retention_days() == {("default", "early"): 5}


def test_every_publication_is_an_event_with_its_shares(office: Office) -> None:
    refs = [office.register(PLAIN), office.register(PLAIN)]
    plain = f"endpoint: late\nmodel: {refs[0]}\n"
    office.store.put_endpoint("default", "late", plain)
    office.controller.reconcile()
    shares = f"traffic: {{split: [{{version: '{refs[0]}', weight: 0.75}}, {{version: '{refs[1]}', weight: 0.25}}]}}\n"
    office.store.put_endpoint("default", "late", plain + shares, plain)
    office.controller.reconcile()
    office.controller.reconcile()
    newest, first = office.store.events("default", "late")
    assert first.details == {"revision": 1, refs[0]: 1.0}
    assert newest.details == {"revision": 2, refs[0]: 0.75, refs[1]: 0.25}
    assert (newest.actor, newest.kind) == ("controller", "traffic")
    assert (first.before, first.after) == ("", f"revision 1: {refs[0]} live; {refs[0]} 1")
    assert (newest.before, newest.after) == (first.after, f"revision 2: {refs[0]} live; {refs[0]} 0.75, {refs[1]} 0.25")


def test_during_a_rollout_the_endpoint_has_what_its_state_asks_for(office: Office) -> None:
    live, candidate = office.register(PLAIN), office.register(PLAIN)
    office.store.put_endpoint("default", "late", "endpoint: late\nmodel: m\n")
    steps = (Shadow(0.5), SetWeight(0.25), SetWeight(1.0), Approve())
    plan = Plan(endpoint="late", candidate=candidate, steps=steps, sticky_key="customer")
    rollout = Rollout(plan=plan, live=live, started=Micros(1))
    begun = Event(Micros(1), EventKind.ROLLOUT, "default", "late", "ann")
    rollout = office.store.add_rollout(rollout, begun)

    def published() -> Traffic:
        office.controller.reconcile()
        return office.traffic.read()["default", "late"]

    first = published()
    assert (first.live, first.sticky_key) == (live, "customer"), "whatever `m`, the newest, means by now"
    assert {each.version: each.weight for each in first.members} == {live: 1.0, candidate: 0.0}
    assert [(each.version, each.share) for each in first.shadows] == [(candidate, 0.5)]
    rollout = office.store.move_rollout(rollout, Move(Action.STEP, Micros(2), ""), begun)
    split = published()
    assert {each.version: each.weight for each in split.members} == {live: 0.75, candidate: 0.25}
    assert [(each.version, each.share) for each in split.shadows] == [(candidate, 0.5)]
    rollout = office.store.move_rollout(rollout, Move(Action.STEP, Micros(2), ""), begun)
    switched = published()
    assert {each.version: each.weight for each in switched.members} == {live: 0.0, candidate: 1.0}
    assert (switched.live, switched.shadows[0].version) == (live, live), "they change places"
    rollout = office.store.move_rollout(rollout, Move(Action.ABORT, Micros(3), ""), begun)
    office.store.put_endpoint("default", "late", f"endpoint: late\nmodel: {live}\n", "endpoint: late\nmodel: m\n")
    last = published()
    assert ([each.version for each in last.members], last.shadows, last.sticky_key) == ([live], [], None)


def test_rows_are_held_against_the_reference_of_the_live_version_whoever_else_has_callers(office: Office) -> None:
    refs = [office.register(PLAIN) for _ in range(2)]
    words = OutlierWords(flag="1 in 100")
    found = [
        office.declared.resolve(split((one, 0.5), (other, 0.5), outliers=words)) for one, other in (refs, refs[::-1])
    ]
    for traffic in found:
        live = traffic.member(traffic.live)
        assert live is not None
        assert traffic.screen == screen_of(words, live.digest, None)
    assert found[0].screen != found[1].screen
    assert office.declared.resolve(split((refs[0], 0.5), (refs[1], 0.5))).screen is None
