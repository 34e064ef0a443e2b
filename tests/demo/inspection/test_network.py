"""The network: its graph computes what its NumPy twin does, and a brightness of its own is what the night needs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.demo.inspection import eye
from headgate.demo.inspection.eye import INPUT, SIDE, Eye
from headgate.demo.inspection.graph import OPSET, graph
from headgate.demo.inspection.learn import PICTURE, Archive, photograph, teach, write_model
from headgate.demo.inspection.light import Shift
from headgate.demo.inspection.network import FILTERS, GROUPS, Floats32, Network, features, scores
from headgate.demo.inspection.photos import as_png
from headgate.demo.inspection.surfaces import CLASSES, drawn

BOTH = (Shift.DAY, Shift.NIGHT)


@pytest.fixture(scope="module")
def archive() -> Archive:
    return photograph(drawn(21), 600, BOTH, 1)


@pytest.fixture(scope="module")
def network(archive: Archive) -> Network:
    return teach(archive, CLASSES, knows_light=True)


def some_network(brightness: float | None, classes: int) -> Network:
    chance = np.random.default_rng(5)
    weights = chance.normal(size=(4 * len(GROUPS), classes)).astype(np.float32)
    return Network(brightness, weights, chance.normal(size=classes).astype(np.float32))


def served(network: Network, pictures: Floats32) -> Any:
    session = onnxruntime.InferenceSession(graph(network), providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT: pictures})[0]


@pytest.mark.parametrize("brightness", [None, 0.55])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_graph_equals_its_twin(brightness: float | None, classes: int) -> None:
    made = some_network(brightness, classes)
    pictures = np.random.default_rng(6).random((5, SIDE, SIDE)).astype(np.float32)
    said = served(made, pictures)
    assert said.shape == (5, classes)
    np.testing.assert_allclose(said, scores(made, pictures), atol=1e-5)
    np.testing.assert_allclose(served(made, pictures[:1]), said[:1], atol=1e-6)


@given(
    seed=st.integers(0, 2**32), light=st.floats(0, 1), spread=st.floats(0, 1), brightness=st.sampled_from([None, 0.3])
)
def test_they_are_equal_on_any_picture(seed: int, light: float, spread: float, brightness: float | None) -> None:
    noise = np.random.default_rng(seed).normal(size=(1, SIDE, SIDE))
    picture = (light + spread * noise).clip(0, 1).astype(np.float32)
    made = some_network(brightness, 4)
    said = served(made, picture)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said, scores(made, picture), atol=1e-4)


def test_the_graph_is_one_that_the_oldest_runtime_reads() -> None:
    model = onnx.load_model_from_string(graph(some_network(None, 4)))
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    assert model.ir_version <= 8


def test_filters_are_blind_to_an_even_surface_and_measure_a_spot_in_its_own_light() -> None:
    assert np.abs(FILTERS.sum(axis=(1, 2))).max() < 1e-6
    np.testing.assert_allclose(np.abs(FILTERS).sum(axis=(1, 2)), 2.0, rtol=1e-5)
    assert len(FILTERS) == sum(GROUPS)


def test_features_do_not_change_with_the_brightness_only_where_it_is_the_pictures_own() -> None:
    picture = np.random.default_rng(7).uniform(0.4, 0.6, (1, SIDE, SIDE)).astype(np.float32)
    own, fixed = (
        [features(shade * picture, it)[0] for shade in (np.float32(1), np.float32(0.45))] for it in (None, 0.5)
    )
    np.testing.assert_allclose(own[0], own[1], atol=0.02)
    assert (fixed[0] - fixed[1]).min() > 0.5


def right(network: Network, shift: Shift) -> float:
    asked = photograph(drawn(99), 400, (shift,), 2)
    said = scores(network, asked.shades).argmax(axis=1)
    return float(np.mean([CLASSES[each] == truth for each, truth in zip(said, asked.truths, strict=True)]))


def test_a_network_that_saw_both_shifts_is_right_in_both(network: Network) -> None:
    assert right(network, Shift.DAY) > 0.93
    assert right(network, Shift.NIGHT) > 0.91


def test_one_that_saw_the_day_alone_is_as_right_by_day_and_lost_at_night(network: Network) -> None:
    bad = teach(photograph(drawn(21), 600, (Shift.DAY,), 1), CLASSES, knows_light=False)
    assert bad.brightness is not None
    assert right(bad, Shift.DAY) > right(network, Shift.DAY) - 0.03
    assert right(bad, Shift.NIGHT) < right(network, Shift.NIGHT) - 0.1


def test_teaching_twice_gives_the_same_network(archive: Archive, network: Network) -> None:
    again = teach(archive, CLASSES, knows_light=True)
    np.testing.assert_array_equal(again.weights, network.weights)


def test_two_classes_are_two_columns(archive: Archive) -> None:
    binary = Archive(
        archive.photos, archive.shifts, tuple("ok" if each == "ok" else "flawed" for each in archive.truths)
    )
    said = scores(teach(binary, ("flawed", "ok"), knows_light=True), archive.shades)
    found = np.mean(
        [("flawed", "ok")[each] == truth for each, truth in zip(said.argmax(axis=1), binary.truths, strict=True)]
    )
    assert said.shape == (600, 2)
    assert found > 0.9


def test_what_is_packaged_opens_pictures_and_asks_the_network(
    archive: Archive, network: Network, tmp_path: Path
) -> None:
    folder = write_model(network, tmp_path / "model")
    assert sorted(each.name for each in folder.iterdir()) == ["model.py", eye.NETWORK]
    said = Eye(folder).predict([{PICTURE: as_png(each)} for each in archive.photos[:7]])
    np.testing.assert_allclose(said, scores(network, archive.shades[:7]), atol=1e-5)
    with pytest.raises(OSError, match="cannot identify"):
        Eye(folder).predict([{PICTURE: b"no picture"}])
