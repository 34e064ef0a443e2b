"""MLflow both ways, against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.tracking.mlflow_server import MlflowServer

from headgate.app.facade import Headgate
from headgate.app.following import Following
from headgate.app.telling import telling_of
from headgate.errors import NotFound, TrustRequired
from headgate.events import EventKind
from headgate.rollouts.state import Action
from headgate.runtimes.predictor import predict_with
from headgate.testing.installation import Installation
from headgate.tracking.entries import Ending, Ran
from headgate.tracking.sending import VERSION_TAG
from headgate.vocabulary import Micros

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LEARN = """
import json, sys
import mlflow, numpy as np
from sklearn.linear_model import LogisticRegression
name, alias, slope, kind = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
draw = np.random.default_rng(0)
X = draw.normal(size=(500, 2))
y = (draw.random(500) < 1 / (1 + np.exp(-slope * X[:, 0]))).astype(int)
model = LogisticRegression().fit(X, y)
mlflow.set_experiment("theirs")
with mlflow.start_run() as run:
    info = mlflow.sklearn.log_model(model, name="model", registered_model_name=name, serialization_format=kind)
client = mlflow.MlflowClient()
version = max(client.search_model_versions(f"name='{name}'"), key=lambda each: int(each.version)).version
client.set_registered_model_alias(name, alias, version)
print(json.dumps({"version": version, "scores": model.predict_proba(np.array([[0.5, 1.0], [-1.0, 0.0]])).tolist()}))
"""
MOVE = """
import sys
import mlflow
mlflow.MlflowClient().set_registered_model_alias(*sys.argv[1:4])
"""
LOOK = """
import json, sys
import mlflow
client = mlflow.MlflowClient()
found = client.get_model_version_by_alias(sys.argv[1], sys.argv[2])
model = mlflow.models.Model.load(f"models:/{found.name}/{found.version}")
print(json.dumps({"version": found.version, "tags": found.tags, "flavors": list(model.flavors),
                  "inputs": model.signature.inputs.input_names()}))
"""
RUNS = """
import json, sys
import mlflow
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name(sys.argv[1])
runs = client.search_runs([experiment.experiment_id], filter_string=f"tags.`headgate.id` = '{sys.argv[2]}'")
print(json.dumps([{**run.data.to_dictionary(), "status": run.info.status, "name": run.info.run_name,
                   "files": {each.path: mlflow.artifacts.load_text(run.info.artifact_uri + "/" + each.path)
                             for each in client.list_artifacts(run.info.run_id) if not each.is_dir}} for run in runs]))
"""


def reference(slope: float = 2.0) -> pa.Table:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(1000, 2))
    label = (draw.random(1000) < 1 / (1 + np.exp(-slope * rows[:, 0]))).astype(int)
    return pa.table({"a": rows[:, 0], "b": rows[:, 1], "late": label})


@pytest.fixture
def hg(tmp_path: Path, mlflow: MlflowServer) -> Iterator[Headgate]:
    installation = Installation(tmp_path / "h")
    (installation.home.tracking_file).write_text(f"url: {mlflow.url}\nexperiment: ours\n")
    with installation.open() as opened:
        yield opened


def learned(mlflow: MlflowServer, name: str, alias: str, slope: float, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mlflow.run(LEARN, name, alias, str(slope), kind).splitlines()[-1])
    return found


def test_a_model_behind_an_alias_is_registered(hg: Headgate, mlflow: MlflowServer) -> None:
    theirs = learned(mlflow, "taken", "champion", 2.0, "skops")
    made = hg.register("taken", "models:/taken@champion", reference=reference(), label="late")
    asked = pa.table({"a": [0.5, -1.0], "b": [1.0, 0.0]})
    said = predict_with(made.package.path).predict(asked)
    assert said.scores is not None
    assert np.allclose(said.scores, theirs["scores"], atol=1e-5)
    assert (made.version.code or "").startswith(f"mlflow:models:/taken/{theirs['version']} (run ")
    assert not hg.register("taken", "models:/taken/1", reference=reference(), label="late").events
    with pytest.raises(NotFound):
        hg.register("taken", "models:/taken@nobody", reference=reference(), label="late")
    with pytest.raises(NotFound):
        hg.register("taken", "models:/nobody", reference=reference(), label="late")


def test_a_pickle_needs_trust(hg: Headgate, mlflow: MlflowServer) -> None:
    learned(mlflow, "pickled", "champion", 2.0, "cloudpickle")
    with pytest.raises(TrustRequired):
        hg.register("pickled", "models:/pickled@champion", reference=reference(), label="late")
    assert hg.versions("pickled") == []
    made = hg.register("pickled", "models:/pickled@champion", reference=reference(), label="late", trust=True)
    assert made.version.ref == "pickled:1"


def test_a_run_is_logged_once_however_often_it_is_sent(hg: Headgate, mlflow: MlflowServer) -> None:
    entry = Ran(
        id="default.late.1",
        name="late 1",
        experiment="ours",
        started=Micros(1_700_000_000_000_000),
        ended=Micros(1_700_000_060_000_000),
        ending=Ending.FINISHED,
        parameters={f"p{each}": str(each) for each in range(130)},
        metrics={"gate: auc in every slice of 'x'": 0.7, "nothing": float("nan")},
        tags={"headgate.outcome": "promoted"},
        files={"proof.md": "# It passed\n"},
        note="**why**",
    )
    hg.tracking.send(entry)
    hg.tracking.send(entry)
    [run] = json.loads(mlflow.run(RUNS, "ours", "default.late.1").splitlines()[-1])
    assert (len(run["params"]), run["status"], run["name"]) == (130, "FINISHED", "late 1")
    assert run["metrics"] == {"gate: auc in every slice of _x_": 0.7}
    assert (run["tags"]["headgate.outcome"], run["tags"]["mlflow.note.content"]) == ("promoted", "**why**")
    assert run["files"] == {"proof.md": "# It passed\n"}


def test_a_promotion_sets_alias_and_tags_also_of_a_version_the_server_never_saw(
    hg: Headgate, mlflow: MlflowServer
) -> None:
    data = reference()
    from sklearn.linear_model import LogisticRegression

    features, label = data.select(["a", "b"]).to_pandas(), data["late"].to_numpy()
    for strength in (1.0, 0.1):
        hg.register("own", LogisticRegression(C=strength).fit(features, label), reference=data, label="late")
    hg.apply("endpoint: own\nmodel: own:1\n", force=True)
    telling = telling_of(hg)
    telling.turn()
    mlflow.stop()
    hg.deploy("endpoint: own\ncandidate: own:2\nsteps: [approve]\nguards: []\n", force=True)
    hg.rollouts.order("own", Action.PROMOTE)
    [left] = telling.turn()
    assert (left.refused, left.tries) == (False, 1)
    mlflow.start()
    hg.tracking.send_all()
    found = json.loads(mlflow.run(LOOK, "own", "champion").splitlines()[-1])
    assert (found["tags"][VERSION_TAG], found["tags"]["headgate.endpoint"]) == ("own:2", "default/own")
    assert (found["flavors"], found["inputs"]) == (["onnx"], ["a", "b"])
    assert hg.tracking.status().waiting == ()
    # Who follows the alias that was moved from here has the version already.
    file = hg.home.tracking_file
    file.write_text(file.read_text() + "follow: {own: {model: models:/own@champion}}\n")
    [reached] = Following(hg).turn()
    assert (reached.became, reached.said) == ("own:2", "it is in charge already")
    # What was put there can be taken from there.
    again = hg.register("back", "models:/own@champion", reference=data, label="late")
    assert again.version.engine == "onnx"


def test_a_moved_alias_is_taken_proved_and_rolled_out_once(hg: Headgate, mlflow: MlflowServer) -> None:
    learned(mlflow, "followed", "champion", 2.0, "skops")
    hg.register("followed", "models:/followed@champion", reference=reference(), label="late")
    hg.apply("endpoint: shop\nmodel: followed:1\n", force=True)
    path = hg.home.tracking_file
    path.write_text(path.read_text() + "follow: {shop: {model: models:/followed@champion}}\n")
    following = Following(hg)
    [first] = following.turn()
    assert (first.became, first.said) == ("followed:1", "it is in charge already")
    learned(mlflow, "followed", "champion", 2.1, "skops")
    [second] = following.turn(at_once=True)
    assert (second.became, second.said) == ("followed:2", "its rollout has begun")
    assert hg.rollouts.history("shop")[-1].plan.candidate == "followed:2"
    assert following.turn(at_once=True) == []
    learned(mlflow, "followed", "champion", -3.0, "skops")
    assert following.turn(at_once=True) == []  # a rollout is under way
    hg.rollouts.order("shop", Action.ABORT)
    [third] = Following(hg).turn(at_once=True)
    assert third.said.startswith("not proved: ")
    assert next(each.why for each in hg.events("shop") if each.kind is EventKind.FOLLOWED) == third.said
    assert following.turn(at_once=True) == []
    assert hg.rollouts.history("shop")[-1].plan.candidate == "followed:2"
    # The alias goes back to one that had its rollout: that is another move, and another rollout.
    mlflow.run(MOVE, "followed", "champion", "2")
    [fourth] = following.turn(at_once=True)
    assert (fourth.became, fourth.said, len(hg.rollouts.history("shop"))) == ("followed:2", "its rollout has begun", 2)


def test_a_webhook_of_the_server_is_heard_and_no_other(tmp_path: Path, mlflow: MlflowServer) -> None:
    secret = tmp_path / "secret"
    secret.write_text("between us alone, and long enough\n")
    with Installation(tmp_path / "h") as installation:
        file = installation.home.tracking_file
        file.write_text(f"url: {mlflow.url}\nwebhook: {{file: {secret}}}\n")
        installation.linear()
        installation.serve("late", {"linear:1": 1.0})
        installation.start()
        with installation.open() as hg:
            hg.tracking.listen(f"http://127.0.0.1:{installation.control_port}/v1/mlflow/webhook")
            learned(mlflow, "told", "champion", 2.0, "skops")
            installation.until(lambda: hg.tracking.last_heard() is not None, "the webhook is heard")
            found = hg.tracking.last_heard()
            assert found is not None
            assert (found.what, found.name) == ("model_version_alias.created", "told")
        status, _ = installation.post("/v1/mlflow/webhook", b"{}", port=installation.control_port)
        assert status == 401
