"""Tables as numbers: every kind of column, one row as its table, and what trees can read."""

import numpy as np
import pyarrow as pa

from headgate.monitors.encoder import Encoder
from headgate.monitors.matrices import CATEGORIES, encoder_of, for_trees, matrix

KINDS = pa.table(
    {
        "whole": pa.array([2**62, None], pa.int64()),
        "money": pa.array([1, 2], pa.int32()).cast(pa.decimal128(12, 2)),
        "truth": [True, None],
        "day": pa.array([0, 1], pa.date32()),
        "moment": pa.array([1, 2], pa.timestamp("ns", "UTC")),
        "word": pa.array(["a", None]).dictionary_encode(),
        "nothing": pa.nulls(2),
    }
)


def test_every_kind_of_column_becomes_numbers() -> None:
    encoder = encoder_of(KINDS)
    assert isinstance(encoder, Encoder)
    assert encoder.left_out == ("nothing",)
    found = matrix(encoder, KINDS)
    assert found[0].tolist() == [float(2**62), 1.0, 1.0, 0.0, 0.0, 0.0]
    assert np.isnan(found[1, [0, 2, 5]]).all()
    assert found[1, 3] == 86_400_000_000.0


def test_a_row_is_read_as_its_table_is() -> None:
    encoder = encoder_of(pa.table({"x": [1.0, 2.0], "name": ["a", "b"]}))
    later = pa.table({"x": [None, 3.5, float("inf")], "name": ["b", "z", None]})
    one_by_one = [encoder.row(each) for each in zip(*(later[name].to_pylist() for name in ("x", "name")), strict=True)]
    np.testing.assert_array_equal(np.array(one_by_one), matrix(encoder, later))
    assert np.isnan(encoder.row([10**400, "a"])[0])


def test_columns_of_another_type_than_the_reference_had() -> None:
    encoder = encoder_of(pa.table({"x": [1.0, 2.0], "name": ["1", "2"]}))
    turned = matrix(encoder, pa.table({"x": ["1", "2"], "name": [1, None]}))
    np.testing.assert_array_equal(turned, [[np.nan, -1.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(encoder.row(["1", 1]), turned[0])


def test_trees_are_given_no_more_categories_and_no_larger_numbers_than_they_can_read() -> None:
    codes = np.arange(1000.0)
    rows = np.column_stack([codes, np.full(1000, 1.7e308), np.full(1000, np.nan)])
    read = for_trees(rows, np.array([True, False, False]))
    assert read[:, 0].max() == CATEGORIES
    assert (read[:CATEGORIES, 0] == codes[:CATEGORIES]).all()
    assert np.isfinite(read[:, 1] + read[:, 1]).all()
    assert (read[:, 2] == 0).all()
    assert rows[0, 1] == 1.7e308
