"""Where windows do not overlap is said by slice, and which field parts them by name."""

import numpy as np
from tests.monitors.attribution.windows_of import CURRENT, ROWS, normal

from headgate.monitors.attribution.basis import basis
from headgate.monitors.attribution.gaps import SHOWN, gaps, telling
from headgate.monitors.attribution.overlap import overlap
from headgate.monitors.attribution.pooled import Field


def test_a_category_that_the_reference_never_had_is_a_gap() -> None:
    choice = np.random.default_rng(1).random(2 * ROWS)
    fields = [Field("kind", np.where(CURRENT & (choice < 0.2), "new", "old")), Field("x", normal(2))]
    found = gaps(fields, overlap(basis(fields).matrix, CURRENT, 0))
    assert [(each.field, each.value, each.unshared) for each in found] == [("kind", "new", 1.0)]
    assert found[0].rows == int((CURRENT & (choice < 0.2)).sum())


def test_where_all_rows_are_shared_there_is_no_gap() -> None:
    fields = [Field("x", normal(3))]
    assert gaps(fields, overlap(basis(fields).matrix, CURRENT, 0)) == ()


def test_of_many_gaps_few_are_named() -> None:
    fields = [Field(str(place), normal(place, shift=9.0)) for place in range(3)]
    found = gaps(fields, overlap(basis(fields).matrix, CURRENT, 0))
    assert len(found) == SHOWN
    assert {each.unshared for each in found} == {1.0}


def test_fields_that_part_the_windows_alone_are_counters_clocks_and_new_names() -> None:
    fields = [
        Field("counter", np.arange(2.0 * ROWS)),
        Field("clock", np.arange(2 * ROWS).astype("datetime64[s]").astype("datetime64[us]")),
        Field("release", np.where(CURRENT, "b", "a")),
        Field("gone", np.where(CURRENT, np.nan, normal(1))),
        Field("shifted", normal(2, shift=1.0)),
        Field("person", np.array([f"person {place}" for place in range(2 * ROWS)])),
    ]
    assert telling(fields, CURRENT) == ("counter", "clock", "release")
