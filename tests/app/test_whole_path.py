"""The whole path on a real installation, from Python: register, prove, serve, label, measure, forget."""

import base64
import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import headgate
from headgate.app.doctor import Health, examine
from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadInput, GateFailed, NotFound
from headgate.journal.blobs import LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation
from headgate.vocabulary import Micros, Task

FAR = Micros(4_000_000_000_000_000)
ENDPOINT = "endpoint: late\nmodel: delay@champion\nwhy: a test\nlabel_maturity: 0s\n"


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    found["y"] = (found.a + random.normal(scale=0.5, size=rows) > found.b).astype(int)
    return found


def test_a_model_from_object_to_windows(tmp_path: Path) -> None:
    known, aside, asked = frame(400, 1), frame(300, 2), frame(60, 3)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known[["a", "b"]], known.y)
    with Installation(tmp_path / "h") as installation, headgate.open(tmp_path / "h") as hg:
        registered = hg.register("delay", model, reference=known, label="y", why="a test")
        assert registered.version.ref == "delay:1"
        hg.alias("delay:1", "champion")
        with pytest.raises(GateFailed, match="headgate evaluate"):
            hg.apply(ENDPOINT)
        evaluated = hg.evaluate("delay:1", aside, gates=["auc >= 0.8"])
        assert evaluated.evaluation.passed
        assert hg.apply(ENDPOINT).live == "delay:1"
        assert hg.endpoints() == ["late"]
        installation.start()
        rows = [{"a": float(a), "b": float(b)} for a, b in zip(asked.a, asked.b, strict=True)]
        answers = hg.predict("late", rows)
        expected = model.predict_proba(asked[["a", "b"]])
        np.testing.assert_allclose([each["scores"] for each in answers], expected, atol=1e-6)
        with headgate.connect(installation.url) as client:
            again = client.predict("late", rows[:1], request_id="mine")
            assert again[0]["prediction"] == answers[0]["prediction"]
            with pytest.raises(BadInput):
                client.label("late", [{"id": answers[0]["id"], "label": "yes"}])
            with pytest.raises(NotFound):
                client.predict("nobody", rows[:1])
        labels = [{"id": each["id"], "label": int(y)} for each, y in zip(answers, asked.y, strict=True)]
        assert hg.label("late", labels) == 60
        (window,) = hg.windows("late", every="month")
        assert (window.volume, window.answered, window.errors, window.labelled) == (61, 61, 0, 60)
        assert window.coverage == pytest.approx(60 / 61)
        assert window.latency_ms is not None
        assert 0 < window.latency_ms.p50 <= window.latency_ms.p99
        right = [each["prediction"] == y for each, y in zip(answers, asked.y, strict=True)]
        accuracy = window.metrics["accuracy"]
        assert accuracy.value == pytest.approx(np.mean(right))
        assert accuracy.low is not None
        assert accuracy.high is not None
        assert accuracy.low < np.mean(right) < accuracy.high
        status = hg.status("late")
        assert [each.version for each in status.versions] == ["delay:1"]
        assert status.reference is not None
        training = hg.training_set("late", as_of=FAR, least=50)
        assert training.table().num_rows == training.dataset.rows == 60
        asked.to_parquet(tmp_path / "asked.parquet")
        assert hg.score("delay:1", str(tmp_path / "asked.parquet"), str(tmp_path / "scored.parquet")).answered == 60


def test_gateways_stand_alone(tmp_path: Path) -> None:
    """Controller stopped and database gone: predictions and labels are answered and journalled as before."""
    with Installation(tmp_path / "h") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        controller = installation.processes()["controller"]
        store = installation.home.database
        os.kill(controller, signal.SIGSTOP)
        try:
            away = Path(f"{store}.away")
            Path(str(store)).rename(away)
            with Callers(installation.port, "late", connections=4, requests=100) as callers:
                promised = callers.finish()
            away.rename(Path(str(store)))
        finally:
            os.kill(controller, signal.SIGCONT)
        assert promised.problems == []
        assert promised.statuses == {200: 100}
        with installation.open() as hg:
            found = set(hg.reader.joined("default", "late")["input_id"].to_pylist())
            assert promised.predictions.keys() <= found
            assert hg.counts("late").labelled == len(promised.labels) == 100


SIZE_MODEL = """
class Size:
    def predict(self, rows):
        return [float(len(row["signal"])) for row in rows]
"""


def served(installation: Installation, folder: Path, field: Field, reference: pd.DataFrame) -> None:
    """`headgate up` with a Python class that answers how long the value of its one field is."""
    (folder / "model.py").write_text(SIZE_MODEL)
    contract = Contract((field,), Output(Task.REGRESSION, "y", minimum=0.0, maximum=1e9))
    with installation.open() as hg:
        hg.register("size", folder / "model.py", reference=reference, label="y", contract=contract, trust=True)
    installation.serve("sizes", {"size:1": 1.0})
    installation.start()


def kept_value(installation: Installation) -> bytes:
    """The one blob there is, read back by the digest that the journal names."""
    with installation.open() as hg:
        (named,) = set(hg.reader.features("default", "sizes")["features"].combine_chunks().field("signal").to_pylist())
    _, digest, size, media_type = json.loads(named)
    data = LocalBlobs(LocalDisk(installation.home.root)).get(digest)
    assert (len(data), media_type in {"application/json", "application/octet-stream"}) == (size, True)
    return data


def test_a_tensor_becomes_a_blob(tmp_path: Path) -> None:
    signal_of_a_caller = [float(each) for each in range(20_000)]
    reference = pd.DataFrame({"signal": [[0.0] * 20_000, [1.0] * 20_000] * 5, "y": [20_000.0] * 10})
    with Installation(tmp_path / "h") as installation:
        served(installation, tmp_path, Field("signal", Kind.TENSOR, shape=(None,)), reference)
        body = json.dumps({"rows": [{"signal": signal_of_a_caller}]}).encode()
        installation.until(lambda: installation.post("/v1/endpoints/sizes/predict", body)[0] == 200, "it answers")
        blobs = [each for each in installation.home.blobs.rglob("*") if each.is_file()]
        assert len(blobs) == 1, "acknowledged means the blob is there"
        assert json.loads(kept_value(installation)) == signal_of_a_caller


def test_an_image_is_answered(tmp_path: Path) -> None:
    picture = bytes(range(256)) * 40
    reference = pd.DataFrame({"signal": [picture, picture[:1000]] * 5, "y": [10240.0, 1000.0] * 5})
    with Installation(tmp_path / "h") as installation:
        served(installation, tmp_path, Field("signal", Kind.IMAGE, max_bytes=1 << 20), reference)
        body = json.dumps({"rows": [{"signal": base64.b64encode(picture).decode()}]}).encode()
        installation.until(lambda: installation.post("/v1/endpoints/sizes/predict", body)[0] == 200, "it answers")
        said = json.loads(installation.post("/v1/endpoints/sizes/predict", body)[1])
        assert said["predictions"][0]["prediction"] == len(picture)
        assert kept_value(installation) == picture


def test_the_controller_seals_and_forgets(tmp_path: Path) -> None:
    """Sealing and retention are done by the controller of `up`, on the clock of the replay."""
    with Installation(tmp_path / "h", seal_interval=0.5, replay=True) as installation:
        installation.serve("late", {installation.linear(): 1.0}, more="retention: 2d")
        installation.start()
        for day in ("01", "09"):
            body = {"rows": [{"f0": 1.0, "f1": 2.0}] * 3, "at": [f"2013-03-{day}T12:00:00Z"] * 3}
            status, said = installation.post("/v1/endpoints/late/predict", json.dumps(body).encode())
            assert status == 200, said

        def sealed() -> list[str]:
            """Days of the rows in the lake."""
            from deltalake import DeltaTable

            tables = sorted((installation.home.lake / "default" / "late" / "inputs").glob("g*"))
            # Until its first commit a table is a directory and nothing more.
            begun = [DeltaTable(each) for each in tables if DeltaTable.is_deltatable(each)]
            moments = [at for each in begun for at in each.to_pyarrow_table(columns=["at"])["at"].to_pylist()]
            return sorted(f"{at:%d}" for at in moments)

        installation.until(lambda: sealed() == ["01"] * 3 + ["09"] * 3, "all rows are in the lake")
        to = json.dumps({"to": "2013-03-10T00:00:00Z"}).encode()
        status, said = installation.post("/v1/replay/advance", to, port=installation.control_port)
        assert status == 200, said
        installation.until(lambda: sealed() == ["09"] * 3, "what is older than two days is forgotten")


def test_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        hg.register(
            "delay",
            LogisticRegression().fit(frame(50, 1)[["a", "b"]], frame(50, 1).y),
            reference=frame(50, 1),
            label="y",
        )
        hg.apply("endpoint: late\nmodel: delay\n", force=True, why="a test")
    good = examine(tmp_path / "h")
    assert Health.BAD not in {each.health for each in good}
    assert any("unproved" in each.what and each.advice for each in good if each.health is Health.NOTE)
    with headgate.open(tmp_path / "h") as hg:
        newer = LogisticRegression().fit(frame(50, 2)[["a", "b"]], frame(50, 2).y)
        hg.register("delay", newer, reference=frame(50, 2), label="y")
        assert hg.controller().reconcile() == (), "registering alone gives nobody another version"
    (awaited,) = [each for each in examine(tmp_path / "h") if "so delay:1 stays" in each.what]
    assert "means delay:2" in awaited.what
    assert awaited.advice == "headgate evaluate delay:2"
    (tmp_path / "h" / "secret").chmod(0o644)
    (bad,) = [each for each in examine(tmp_path / "h") if each.health is Health.BAD]
    assert "secret" in bad.what
    assert "chmod 600" in bad.advice
    (nowhere,) = [each for each in examine(tmp_path / "nowhere") if each.health is Health.BAD]
    assert "nowhere" in nowhere.what
    assert nowhere.advice


def test_a_blob_nobody_names_is_set_aside_and_doctor_says_so(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        blobs = LocalBlobs(LocalDisk(hg.home.root))
        reference = blobs.put(b"a picture", "image/png")
        assert [each.what for each in examine(hg.home.root) if "blobs" in each.what] == ["blobs: 1, 0.0 MB in all"]
        hg.chores(seal_interval=10.0).turn()
        assert blobs.get(reference.digest) == b"a picture"
        [said] = [each.what for each in examine(hg.home.root) if "blobs" in each.what]
        assert said == "blobs: 0, 0.0 MB in all; set aside because no record named them: 1, 0.0 MB of it"
