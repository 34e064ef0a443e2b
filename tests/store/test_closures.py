"""Endpoints out of service: seen by every holder of the folder, undone without a trace, foreign files passed over."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.store.closures import FileClosures

KEYS = st.tuples(st.sampled_from(["default", "p1"]), st.sampled_from(["late", "price-2"]))


@given(steps=st.lists(st.tuples(st.booleans(), KEYS), max_size=12))
def test_it_is_a_set_two_holders_share(
    steps: list[tuple[bool, tuple[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("closures") / "closed"
    one, two = FileClosures(folder), FileClosures(folder)
    model: set[tuple[str, str]] = set()
    for number, (is_closed, key) in enumerate(steps):
        holder = (one, two)[number % 2]
        if is_closed:
            holder.close(key)
            model.add(key)
        else:
            holder.open(key)
            model.discard(key)
        assert one.read() == two.read() == model


def test_where_nothing_ever_was_closed_nothing_is(tmp_path: Path) -> None:
    closures = FileClosures(tmp_path / "none")
    assert closures.read() == frozenset()
    closures.open(("default", "late"))
    assert not (tmp_path / "none").exists()


def test_foreign_files_close_nothing(tmp_path: Path) -> None:
    for name in (".DS_Store", "default", "a.b.c", "Default.late", "default.", ".late", "default.späť"):
        (tmp_path / name).touch()
    closures = FileClosures(tmp_path)
    closures.close(("default", "late"))
    assert closures.read() == {("default", "late")}
