"""Whole tables are answered in chunks, in order, with what a package's own contract says."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from headgate.errors import ContractViolation, IntegrityError, RuntimeFailed, TrustRequired
from headgate.registry.packages import open_package
from headgate.runtimes.hosted import HostedRuntime
from headgate.runtimes.open import open_runtime
from headgate.runtimes.predictor import PackagePredictor, predict_with
from headgate.testing.scripted import scripted_package

from .conftest import Host, linear_feeds


def table(rows: int) -> pa.Table:
    matrix = linear_feeds(rows)["X"]
    return pa.table({"other": ["x"] * rows, **{f"f{place}": matrix[:, place] for place in range(20)}})


@pytest.mark.parametrize("chunk_rows", [1, 7, 50, 1000])
def test_chunks_do_not_show_in_the_answer(linear: Path, chunk_rows: int) -> None:
    package = open_package(linear)
    runtime = open_runtime(package.path, package.manifest, package.contract)
    whole = runtime.run(linear_feeds(50))
    found = PackagePredictor(runtime, package.manifest, package.contract, chunk_rows).predict(table(50))
    assert whole.scores is not None
    assert found.scores is not None
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-6)
    assert found.prediction.tolist() == whole.prediction.tolist()


def test_a_hosted_package_answers_tables_too(linear: Path, linear_host: Host) -> None:
    package = open_package(linear)
    predictor = PackagePredictor(HostedRuntime(linear_host.socket), package.manifest, package.contract)
    found, expected = predictor.predict(table(9)), predict_with(linear).predict(table(9))
    predictor.close()
    assert found.prediction.tolist() == expected.prediction.tolist()


def test_a_column_that_is_missing_is_named(linear: Path) -> None:
    with pytest.raises(ContractViolation, match="f19: the table has no such column"):
        predict_with(linear).predict(table(3).drop_columns(["f19"]))


def test_a_table_without_rows_has_no_answers(linear: Path) -> None:
    with pytest.raises(RuntimeFailed, match="without rows"):
        predict_with(linear).predict(table(0))


def test_a_package_that_changed_is_not_opened(tmp_path: Path) -> None:
    package = scripted_package(tmp_path, "echo")
    (package / "model" / "script.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"script\.json changed"):
        predict_with(package)


def test_source_nobody_vouched_for_does_not_run(tmp_path: Path) -> None:
    import msgspec

    package = open_package(scripted_package(tmp_path, "echo"))
    manifest = msgspec.structs.replace(package.manifest, trusted=False)
    with pytest.raises(TrustRequired, match="--trust"):
        open_runtime(package.path, manifest, package.contract)
