"""Decisions: what is published, and when the journal's chores are due."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.controller.decide import (
    COLLECT_EVERY,
    COMPACT_EVERY,
    Collect,
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


KEY = ("default", "late")


def test_retention_runs_once_per_day_of_event_time() -> None:
    due = chores(seen(retention_days={KEY: 3}), Done(), seal_interval=10.0)
    assert due == (Retain("default", "late", Micros(7 * DAY)),)
    assert chores(seen(retention_days={KEY: 3}), Done(retained={KEY: 7}), seal_interval=10.0) == ()
    assert chores(seen(retention_days={KEY: 3}), Done(retained={KEY: 6}), seal_interval=10.0) == due


def test_a_shorter_retention_is_obeyed_at_once() -> None:
    due = chores(seen(retention_days={KEY: 2}), Done(retained={KEY: 7}), seal_interval=10.0)
    assert due == (Retain("default", "late", Micros(8 * DAY)),)


@pytest.mark.parametrize(("sealed", "again"), [(0, True), (6, True), (7, False), (10, False)])
def test_retention_runs_again_for_rows_that_were_sealed_after_it(sealed: int, again: bool) -> None:
    done = Done(retained={KEY: 7}, sealed_since={KEY: sealed, ("default", "other"): 0})
    due = chores(seen(retention_days={KEY: 3}), done, seal_interval=10.0)
    assert due == ((Retain("default", "late", Micros(7 * DAY)),) if again else ())


def test_blobs_are_collected_once_per_day_of_event_time_after_retention() -> None:
    everything = seen(retention_days={KEY: 3}, any_blobs=True)
    assert chores(everything, Done(), seal_interval=10.0)[-1] == Collect()
    done = Done(retained={KEY: 7}, collected_day=10, collected_s=0.0)
    assert chores(seen(any_blobs=True, running_s=COLLECT_EVERY), done, seal_interval=10.0) == ()
    yesterday = replace(done, collected_day=9)
    assert chores(seen(any_blobs=True, running_s=COLLECT_EVERY), yesterday, seal_interval=10.0) == (Collect(),)


def test_blobs_are_collected_once_more_for_what_was_set_aside() -> None:
    done = Done(collected_day=10, collected_s=50.0, aside=1)
    assert chores(seen(any_blobs=True, running_s=50.0 + COLLECT_EVERY), done, seal_interval=10.0) == (Collect(),)


def test_days_that_fly_by_do_not_make_blobs_be_collected_more_often() -> None:
    done = Done(collected_day=9, collected_s=50.0, aside=1)
    assert chores(seen(any_blobs=True, running_s=49.9 + COLLECT_EVERY), done, seal_interval=10.0) == ()


def test_where_no_blob_was_ever_kept_none_is_collected() -> None:
    assert chores(seen(any_blobs=False), Done(), seal_interval=10.0) == ()


def test_a_revision_in_the_declaration_means_nothing() -> None:
    stale = msgspec.structs.replace(traffic(), revision=99)
    assert publications([stale], {("default", "late"): traffic(revision=7)}) == ()
