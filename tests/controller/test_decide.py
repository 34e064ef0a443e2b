"""Decisions: what is published, and when the journal's chores are due."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headgate.controller.decide import (
    COMPACT_EVERY,
    Compact,
    Done,
    Publish,
    Retain,
    Seal,
    Seen,
    chores,
    publications,
)
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import DAY, Micros


def traffic(endpoint: str = "late", live: str = "m:1", revision: int = 0) -> Traffic:
    return Traffic(
        project="default",
        endpoint=endpoint,
        revision=revision,
        live=live,
        members=[Member(version=live, digest="sha256:0", weight=1.0, proved=True)],
        salt="s",
    )


def test_a_new_endpoint_is_published_as_revision_one() -> None:
    assert publications([traffic()], {}) == (Publish(traffic(revision=1), 0),)


def test_what_is_there_already_is_not_published_again() -> None:
    assert publications([traffic()], {("default", "late"): traffic(revision=7)}) == ()


def test_a_change_gets_the_next_revision() -> None:
    decided = publications([traffic(live="m:2")], {("default", "late"): traffic(revision=7)})
    assert decided == (Publish(traffic(live="m:2", revision=8), 7),)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["m:1", "m:2"])), unique_by=lambda x: x[0]))
def test_publishing_what_was_decided_leaves_nothing_to_decide(declared: list[tuple[str, str]]) -> None:
    desired = [traffic(endpoint, live) for endpoint, live in declared]
    published = {("default", "a"): traffic("a", "m:1", 3)}
    for each in publications(desired, published):
        published[each.traffic.project, each.traffic.endpoint] = each.traffic
    assert publications(desired, published) == ()


def seen(**changed: object) -> Seen:
    values = {"now": Micros(10 * DAY + 5), "running_s": 100.0, "closed_segments": 0, "retention_days": {}}
    return Seen(**{**values, **changed})  # type: ignore[arg-type]  # the test names fields by keyword


def test_nothing_closed_means_nothing_to_seal() -> None:
    assert chores(seen(), Done(), seal_interval=10.0) == ()


def test_closed_segments_are_sealed_once_per_interval() -> None:
    assert chores(seen(closed_segments=2), Done(), seal_interval=10.0) == (Seal(),)
    assert chores(seen(closed_segments=2), Done(sealed_s=95.0), seal_interval=10.0) == ()
    assert chores(seen(closed_segments=2), Done(sealed_s=90.0), seal_interval=10.0) == (Seal(),)


def test_every_so_many_sealings_small_files_are_joined() -> None:
    due = chores(seen(closed_segments=1), Done(sealings=COMPACT_EVERY - 1), seal_interval=10.0)
    assert due == (Seal(), Compact())


def test_retention_runs_once_per_day_of_event_time() -> None:
    key = ("default", "late")
    due = chores(seen(retention_days={key: 3}), Done(), seal_interval=10.0)
    assert due == (Retain("default", "late", Micros(7 * DAY)),)
    assert chores(seen(retention_days={key: 3}), Done(retained_day={key: 10}), seal_interval=10.0) == ()
    assert chores(seen(retention_days={key: 3}), Done(retained_day={key: 9}), seal_interval=10.0) == due


def test_a_revision_in_the_declaration_means_nothing() -> None:
    stale = msgspec.structs.replace(traffic(), revision=99)
    assert publications([stale], {("default", "late"): traffic(revision=7)}) == ()
