"""A detector is fitted when an endpoint first asks for it, once; what cannot be fitted is told by whoever applies."""

import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate.app import screens
from headgate.app.facade import Headgate
from headgate.contracts.contract import Contract, Field, Kind, Output, Sensitivity
from headgate.errors import BadConfiguration
from headgate.monitors.outliers.shapes import EmbeddingShape, TabularShape
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, REFERENCE, PackageStore
from headgate.registry.ports import Version
from headgate.store.detectors import FileDetectors
from headgate.store.home import create_home
from headgate.testing.scripted import write_contract
from headgate.vocabulary import DEFAULT_PROJECT, Micros, Task

FIELDS = (
    Field("fare", Kind.NUMBER),
    Field("zone", Kind.CATEGORY, domain=("1", "2")),
    Field("name", Kind.CATEGORY, sensitivity=Sensitivity.PERSONAL),
    Field("since", Kind.TIMESTAMP),
)
SPEC = "endpoint: late\nmodel: m:1\noutliers:\n  flag: 1 in 100\n"


def reference(rows: int) -> pa.Table:
    draw = np.random.default_rng(3)
    return pa.table(
        {
            "fare": draw.lognormal(size=rows),
            "zone": draw.integers(1, 3, rows),
            "name": ["somebody"] * rows,
            "since": pa.array(np.arange(rows), pa.timestamp("us", tz="UTC")),
            "pixels": pa.array(draw.normal(size=(rows, 2, 2)).tolist()),
        }
    )


@pytest.fixture
def hg(tmp_path: Path) -> Any:
    with Headgate(create_home(tmp_path / "home")) as opened:
        yield opened


def registered(hg: Headgate, rows: int | None, fields: tuple[Field, ...] = FIELDS) -> str:
    """A version whose model nobody asks."""

    def build(folder: Path) -> Manifest:
        (folder / "model.onnx").write_bytes(b"not asked")
        write_contract(folder, Contract(fields, Output(Task.BINARY, classes=(0, 1))))
        if rows is not None:
            pq.write_table(reference(rows), folder / REFERENCE)
        inputs = [ModelInput("X", "float32", [each.name for each in fields], [len(fields)])]
        return Manifest(
            FORMAT, Engine.ONNX, "model.onnx", Signature(inputs, [ModelOutput("p", "float32", [])], "p"), {}, {}
        )

    digest = PackageStore(hg.home.packages).put(build)
    version = Version(DEFAULT_PROJECT, "m", 0, digest, Micros(0), "onnx", "binary")
    return hg.registry.records.add_version(version).ref


def kept(hg: Headgate) -> list[Path]:
    return sorted(hg.home.detectors.glob("*.json"))


def test_it_is_there_before_a_gateway_reads_of_it_and_looks_at_public_fields(hg: Headgate) -> None:
    registered(hg, 400)
    traffic = hg.apply(SPEC, force=True)
    assert traffic.screen is not None
    detector = FileDetectors(hg.home.detectors).open(traffic.screen.detector)
    assert isinstance(detector.shape, TabularShape)
    assert [each.name for each in detector.shape.encoder.fields] == ["fare", "zone"]
    assert set(detector.shape.encoder.fields[1].categories or ()) == {"1", "2"}
    assert (detector.flag.rate, detector.reject) == (0.01, None)
    assert "somebody" not in kept(hg)[0].read_text()


def test_nothing_is_fitted_twice(hg: Headgate, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(hg, 400)
    hg.apply(SPEC, force=True)
    monkeypatch.setattr(screens, "tabular_detector", lambda *_, **__: pytest.fail("fitted again"))
    hg.apply(SPEC + "why: another word\n", force=True)
    with Headgate(hg.home) as again:
        assert again.controller().reconcile() == ()
        again.apply(SPEC + "deadline_ms: 500\n", force=True)
    assert len(kept(hg)) == 1


def test_another_rate_or_none_is_another_revision(hg: Headgate) -> None:
    registered(hg, 400)
    first = hg.apply(SPEC, force=True)
    second = hg.apply(SPEC.replace("100", "150"), force=True)
    third = hg.apply("endpoint: late\nmodel: m:1\n", force=True)
    assert [each.revision for each in (first, second, third)] == [1, 2, 3]
    assert third.screen is None
    assert len(kept(hg)) == 2


def test_refusing_alone_is_a_detector_that_flags_nothing_else(hg: Headgate) -> None:
    registered(hg, 400)
    traffic = hg.apply("endpoint: late\nmodel: m:1\noutliers: {reject: 1 in 100}\n", force=True)
    assert traffic.screen is not None
    detector = FileDetectors(hg.home.detectors).open(traffic.screen.detector)
    assert detector.reject is not None
    assert detector.flag.score == detector.reject.score


NOTHING = (Field("since", Kind.TIMESTAMP), FIELDS[2])


@pytest.mark.parametrize(
    ("rows", "fields", "words", "says"),
    [
        (150, FIELDS, "flag: 1 in 100", "has 150 rows and 1 in 100 needs 200"),
        (400, FIELDS, "flag: 1 in 1000", "has 400 rows and 1 in 1000 needs 1,997"),
        (400, FIELDS, "flag: 1 in 100, reject: 1 in 9999", "1 in 9999 needs 19,995: state a rate that is less rare"),
        (None, FIELDS, "flag: 1 in 100", "m:1 has no reference to compare with"),
        (400, NOTHING, "flag: 1 in 100", "m:1 has no public field of numbers"),
    ],
)
def test_what_cannot_be_fitted_is_told_and_changes_nothing(
    hg: Headgate, rows: int | None, fields: tuple[Field, ...], words: str, says: str
) -> None:
    registered(hg, rows, fields)
    with pytest.raises(BadConfiguration) as refused:
        hg.apply(f"endpoint: late\nmodel: m:1\noutliers: {{{words}}}\n", force=True)
    assert says in str(refused.value)
    assert refused.value.where.startswith("outliers")
    assert (hg.endpoints(), kept(hg), hg.traffic.read()) == ([], [], {})


def test_a_version_that_takes_over_with_too_few_rows_takes_over_all_the_same(
    hg: Headgate, caplog: pytest.LogCaptureFixture
) -> None:
    registered(hg, 400)
    first = hg.apply(SPEC.replace("m:1", "m"), force=True)
    second = registered(hg, 50)
    spec = hg.apply(SPEC, force=True)
    assert spec.live == first.live
    moved = msgspec.structs.replace(
        spec, live=second, members=[msgspec.structs.replace(spec.members[0], version=second)]
    )
    package = hg.registry.package(hg.registry.resolve(second))
    moved.members[0] = msgspec.structs.replace(moved.members[0], digest=package.digest)
    assert moved.screen is not None
    moved = msgspec.structs.replace(moved, screen=msgspec.structs.replace(moved.screen, detector="0" * 64))
    with caplog.at_level(logging.ERROR):
        screens.Screens.of(hg.home).prepare(moved)
    assert "default/late: rows are not looked at for outliers" in caplog.text
    assert "has 50 rows" in caplog.text
    assert not FileDetectors(hg.home.detectors).has("0" * 64)


def test_traffic_says_what_people_can_read(hg: Headgate) -> None:
    registered(hg, 400)
    hg.apply(SPEC, force=True)
    written = json.loads((hg.home.traffic / "default" / "late.json").read_text())
    assert written["screen"]["flag"] == 0.01


def test_a_model_of_one_tensor_is_looked_at_by_its_distance_from_the_references(hg: Headgate) -> None:
    registered(hg, 400, (Field("pixels", Kind.TENSOR, shape=(2, 2)),))
    traffic = hg.apply(SPEC, force=True)
    assert traffic.screen is not None
    detector = FileDetectors(hg.home.detectors).open(traffic.screen.detector)
    assert isinstance(detector.shape, EmbeddingShape)
    assert (detector.shape.field, len(detector.shape.centres[0])) == ("pixels", 4)
