"""What a gateway obeys at one revision: who may answer, for whom, and what is written down about it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gateway.scenery import BINARY, PLAIN, a_reading, a_view, served

from headgate.contracts.contract import Contract, Field, Kind, Output, Sensitivity
from headgate.contracts.text import digest
from headgate.errors import BadConfiguration, BadInput, NotFound, Unavailable
from headgate.gateway.columns import LazyRows, Matrix
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import EndpointCount
from headgate.gateway.view import make_view
from headgate.registry.package import ModelInput
from headgate.traffic.traffic import Capture, Member, Policy, Shadow, Traffic
from headgate.vocabulary import Ack, OnFailure, Role, Task


@pytest.fixture(scope="module")
def slab() -> Iterator[Slab]:
    with tempfile.TemporaryDirectory() as folder:
        slab = Slab(Path(folder) / "w0.slab")
        yield slab
        slab.close()


def view_of(slab: Slab, members: list[Member], *, live: str = "m:1", missing: str = "", **more: Any) -> Any:
    part = served()
    parts = {each.digest: part for each in members if each.version != missing}
    return make_view(
        Traffic("default", "e", 1, live, members, "salt", **more), parts, EndpointCount(slab, "default", "e")
    )


def test_only_the_live_version_is_live(slab: Slab) -> None:
    view = a_view(slab, {"m:1": 0.5, "m:2": 0.5})
    assert [(name, seat.is_live, seat.role) for name, seat in view.seats.items()] == [
        ("m:1", True, Role.LIVE),
        ("m:2", False, Role.CANARY),
    ]
    assert view.live is view.seats["m:1"]


def test_a_live_version_that_is_no_member_is_obeyed_by_nobody(slab: Slab) -> None:
    with pytest.raises(Unavailable, match="no member"):
        view_of(slab, [Member("m:2", "sha256:2", 1.0, proved=True)])


def test_what_is_not_loaded_takes_nothing(slab: Slab) -> None:
    members = [Member("m:1", "sha256:1", 0.2, proved=True), Member("m:2", "sha256:2", 0.8, proved=True)]
    assert [each.version for each in view_of(slab, members).assignment.arms] == ["m:2"]
    view = view_of(slab, members, missing="m:2")
    assert view.assignment.arms == ()
    assert view.assignment.live_probability == 1.0
    with pytest.raises(Unavailable, match="not loaded"):
        view.seat("m:2")


@pytest.mark.parametrize(
    "other",
    [
        Contract((*PLAIN.fields, Field("c", Kind.NUMBER)), BINARY),
        Contract((Field("a", Kind.INTEGER), PLAIN.fields[1]), BINARY),
    ],
)
def test_what_reads_other_fields_than_the_live_one_has_takes_nothing(slab: Slab, other: Contract) -> None:
    view = a_view(slab, {"m:1": 0.2, "m:2": 0.8}, by={"m:2": served(other)})
    assert view.assignment.arms == ()
    assert view.assignment.version(b"anybody") == ("m:1", 1.0)


def test_the_same_fields_in_another_order_are_put_in_order(slab: Slab) -> None:
    turned = served(Contract(tuple(reversed(PLAIN.fields)), BINARY))
    view = a_view(slab, {"m:1": 0.5, "m:2": 0.5}, by={"m:2": turned})
    assert [each.version for each in view.assignment.arms] == ["m:2"]
    assert view.seats["m:2"].convert([(1.0, 2.0), (3.0, 4.0)]) == [(2.0, 1.0), (4.0, 3.0)]
    rows = [(1.0, 2.0)]
    assert view.live.convert(rows) is rows


@pytest.mark.parametrize(
    ("asked", "kind"),
    [("m:1", None), ("1", None), ("m:2", None), ("m:3", BadInput), ("3", BadInput), ("m:9", NotFound), ("", NotFound)],
)
def test_a_version_is_named_whole_or_by_its_number(slab: Slab, asked: str, kind: type[Exception] | None) -> None:
    members = [
        Member("m:1", "sha256:1", 1.0, proved=True),
        Member("m:2", "sha256:2", 0.0, forced=True),
        Member("m:3", "sha256:3", 0.0),
    ]
    view = view_of(slab, members)
    if kind is None:
        assert view.seat(asked).version == (asked if ":" in asked else f"m:{asked}")
        return
    with pytest.raises(kind):
        view.seat(asked)


def test_a_name_nobody_has_is_answered_with_those_there_are(slab: Slab) -> None:
    with pytest.raises(NotFound, match=r"This endpoint has m:1, m:2") as missing:
        a_view(slab, {"m:1": 1.0, "m:2": 0.0}).seat("z" * 500)
    assert len(str(missing.value)) < 200


def test_shadows_are_those_that_are_there_and_read_what_the_live_one_reads(slab: Slab) -> None:
    wide = served(Contract((*PLAIN.fields, Field("c", Kind.NUMBER)), BINARY))
    names = ("m:1", "m:2", "m:3", "m:4", "m:9")
    shadows = [Shadow(name, share) for name, share in zip(names, (1.0, 0.25, 0.0, 1.0, 1.0), strict=True)]
    weights = {"m:1": 1.0, "m:2": 0.0, "m:3": 0.0, "m:4": 0.0}
    view = a_view(slab, weights, by={"m:4": wide}, shadows=shadows)
    assert [(seat.version, share.share) for seat, share in view.shadows] == [("m:2", 0.25)]
    assert a_view(slab, weights).shadows == ()


def test_a_shadow_needs_no_proof_and_nobody_may_name_it_without(slab: Slab) -> None:
    members = [Member("m:1", "sha256:1", 1.0, proved=True), Member("m:2", "sha256:2", 0.5)]
    view = view_of(slab, members, shadows=[Shadow("m:2", 1.0)])
    assert [seat.version for seat, _ in view.shadows] == ["m:2"]
    assert view.assignment.arms == ()
    with pytest.raises(BadInput, match="no passing evaluation"):
        view.seat("m:2")
    assert view_of(slab, members, missing="m:2", shadows=[Shadow("m:2", 1.0)]).shadows == ()


@pytest.mark.parametrize(("proved", "forced", "may"), [(True, False, True), (False, True, True), (False, False, False)])
def test_an_unproved_live_version_answers_nobody(slab: Slab, proved: bool, forced: bool, may: bool) -> None:
    view = view_of(slab, [Member("m:1", "sha256:1", 1.0, proved=proved, forced=forced)])
    assert view.proved is may


def test_the_policy_is_read_once(slab: Slab) -> None:
    view = a_view(slab, policy=Policy(deadline_ms=1500))
    assert (view.is_durable, view.must_remember, view.deadline_ns) == (True, True, 1_500_000_000)
    view = a_view(slab, policy=Policy(ack=Ack.BUFFERED, on_failure=OnFailure.ANSWER))
    assert (view.is_durable, view.must_remember) == (False, False)


WIDE = Contract(
    (
        Field("who", Kind.TEXT, sensitivity=Sensitivity.PERSONAL),
        Field("face", Kind.IMAGE),
        Field("wave", Kind.TENSOR, shape=(None,)),
        Field("n", Kind.NUMBER),
    ),
    BINARY,
)


@pytest.mark.parametrize(
    ("key", "reads"), [("who", "ada"), ("n", 3.0), ("face", None), ("wave", None), ("other", None)]
)
def test_callers_stick_by_a_field_that_can_be_a_key(slab: Slab, key: str, reads: object) -> None:
    view = a_view(slab, by={"m:1": served(WIDE)}, sticky_key=key)
    assert view.sticks
    if reads is None:
        assert view.sticky is None, "then the key comes with the request"
    else:
        assert view.sticky is not None
        assert view.sticky(("ada", b"", [1.0], 3.0)) == reads


@pytest.mark.parametrize(
    ("capture", "kept"),
    [
        (Capture(), ["who", "face", "wave", "n"]),
        (Capture(redact=["face", "nobody"]), ["who", "wave", "n"]),
        (Capture(fields=["n", "who", "nobody"]), ["who", "n"]),
        (Capture(fields=["n", "who"], redact=["n"]), ["who"]),
        (Capture(fields=[]), []),
    ],
)
def test_the_journals_schema_has_the_captured_fields_in_the_contracts_order(
    slab: Slab, capture: Capture, kept: list[str]
) -> None:
    seat = a_view(slab, by={"m:1": served(WIDE)}, policy=Policy(capture=capture)).live
    assert [each.name for each in seat.schema.fields] == kept
    assert (seat.schema.project, seat.schema.endpoint, seat.schema.contract) == ("default", "e", digest(WIDE))
    assert {each.name: each.sensitivity for each in seat.schema.fields if each.name == "who"} in (
        {},
        {"who": "personal"},
    )
    assert (seat.large is None) == (not {"face", "wave"} & set(kept) and "who" not in kept)


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (Output(Task.BINARY, classes=(False, True)), "boolean"),
        (Output(Task.BINARY, classes=(0, 1)), "integer"),
        (Output(Task.MULTICLASS, classes=("a", "b", "c")), "text"),
        (Output(Task.REGRESSION), "number"),
        (Output(Task.TENSOR), "number"),
    ],
)
def test_labels_are_journalled_in_the_type_of_the_classes(slab: Slab, output: Output, kind: str) -> None:
    schema = a_view(slab, by={"m:1": served(Contract(PLAIN.fields, output))}).live.schema
    assert (schema.label_kind, schema.task, schema.classes) == (kind, output.task, tuple(output.classes))


def test_a_contract_that_lacks_a_field_the_model_reads_cannot_be_served() -> None:
    with pytest.raises(BadConfiguration, match="'c'"):
        served(PLAIN, inputs=[ModelInput("X", "float32", ["a", "c"], [2])])


def test_rows_asked_lately_are_in_another_contracts_order_or_not_at_all(slab: Slab) -> None:
    view = a_view(slab)
    view.recent.extend([(1.0, 2.0), (3.0, 4.0)])
    assert view.recorded(PLAIN) == [(1.0, 2.0), (3.0, 4.0)]
    a, b = PLAIN.fields
    assert view.recorded(Contract((b, a), BINARY)) == [(2.0, 1.0), (4.0, 3.0)]
    assert view.recorded(Contract((a,), BINARY)) == [(1.0,), (3.0,)]
    assert view.recorded(Contract((a, Field("c", Kind.NUMBER)), BINARY)) == []


def test_a_reading_shows_one_of_its_rows_where_all_are_plain() -> None:
    assert a_reading([(1.0, 2.0), (3.0, 4.0)]).sample() == [(1.0, 2.0)]
    assert a_reading([(1.0, 2.0)], clean=False).sample() == []
    matrix = Matrix(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert a_reading(LazyRows(matrix), clean=True, columns=matrix).sample() == [(1.0, 2.0)]
