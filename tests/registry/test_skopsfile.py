"""skops files are opened without anybody's word only where skops itself would have written them so."""

import io
import json
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from headgate.errors import BadInput, TrustRequired
from headgate.registry.importers import skopsfile

ROWS = np.random.default_rng(0).normal(size=(120, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
MIXED = pd.DataFrame(ROWS, columns=["a", "b", "c"]).assign(
    k=pd.Categorical(np.where(ROWS[:, 1] > 0, "high", "low"), categories=["high", "low"])
)
QUIET = {"n_estimators": 2, "verbosity": -1}
MODELS: dict[str, Callable[[], Any]] = {
    "trees": lambda: HistGradientBoostingRegressor(max_iter=2).fit(ROWS, ROWS[:, 0]),
    "trees of categories": lambda: HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(
        MIXED, LABELS
    ),
    "forest": lambda: RandomForestClassifier(n_estimators=2, random_state=0).fit(ROWS, LABELS),
    "tree": lambda: DecisionTreeRegressor(max_depth=2).fit(ROWS, ROWS[:, 0]),
    "older boosting": lambda: GradientBoostingClassifier(n_estimators=2).fit(ROWS, LABELS),
    "imputer": lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(ROWS, LABELS),
    "LightGBM": lambda: lightgbm.LGBMClassifier(**QUIET).fit(ROWS, LABELS, eval_X=ROWS, eval_y=LABELS),
    "LightGBM numbers": lambda: lightgbm.LGBMRegressor(**QUIET).fit(ROWS, ROWS[:, 0]),
    "XGBoost": lambda: xgboost.XGBClassifier(n_estimators=2).fit(ROWS, LABELS),
    "XGBoost numbers": lambda: xgboost.XGBRegressor(n_estimators=2).fit(ROWS, ROWS[:, 0]),
    "XGBoost forest": lambda: xgboost.XGBRFClassifier(n_estimators=2).fit(ROWS, LABELS),
    "XGBoost forest of numbers": lambda: xgboost.XGBRFRegressor(n_estimators=2).fit(ROWS, ROWS[:, 0]),
}


def written(folder: Path, schema: dict[str, Any], files: dict[str, bytes] | None = None) -> Path:
    """A skops file of that schema."""
    path = folder / "model.skops"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", json.dumps({"protocol": 2, "_skops_version": "0.16.0"} | schema))
        for name, content in (files or {}).items():
            file.writestr(name, content)
    return path


def changed(folder: Path, model: Any, **schema: Any) -> Path:
    """`model` as skops writes it, but for these words at the root of its schema."""
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    files = {each: source.read(each) for each in source.namelist() if each != "schema.json"}
    return written(folder, json.loads(source.read("schema.json")) | schema, files)


def node(loader: str, name: str, **more: Any) -> dict[str, Any]:
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


def plain(value: object) -> dict[str, Any]:
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def several(*parts: dict[str, Any], loader: str = "TupleNode", name: str = "builtins.tuple") -> dict[str, Any]:
    return node(loader, name, content=list(parts))


@pytest.mark.parametrize("kind", MODELS)
def test_what_skops_writes_of_known_models_needs_no_word(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind]()
    skops.io.dump(model, tmp_path / "model.skops")
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops"), "skops alone would not open it"
    rows = MIXED if kind == "trees of categories" else ROWS
    opened = skopsfile.read(tmp_path / "model.skops", trust=False)
    assert np.array_equal(opened.predict(rows), model.predict(rows))


def test_every_type_let_in_is_needed() -> None:
    met = set()
    for make in MODELS.values():
        met |= set(skops.io.get_untrusted_types(data=skops.io.dumps(make())))
    assert met == set(skopsfile._LET_IN)


def reading(path: Path) -> dict[str, dict[str, Any]]:
    """Roads by which a file could have a booster read `path`, or be called at all, and how each would be named."""
    booster = "xgboost.core.Booster"
    call = node("PartialNode", "functools.partial")
    call["content"] = {
        "func": node("FunctionNode", booster),
        "args": several(plain(None), plain(None)),
        "kwds": node(
            "DictNode", "builtins.dict", key_types=several(loader="ListNode", name="builtins.list"), content={}
        ),
        "namespace": plain(None),
    }
    held = node("ObjectNode", booster, content=plain(None))
    return {
        f"{booster} (by ConstructorFromReduceNode)": node(
            "ConstructorFromReduceNode", booster, content=several(plain(None), plain(None), plain(str(path)))
        ),
        "lightgbm.basic.Booster (by ConstructorFromReduceNode)": node(
            "ConstructorFromReduceNode",
            "lightgbm.basic.Booster",
            content=several(plain(None), plain(None), plain(str(path))),
        ),
        f"{booster} (by FunctionNode)": node(
            "DictNode",
            "builtins.dict",
            key_types=several(call, loader="ListNode", name="builtins.list"),
            content={str(path): plain(0)},
        ),
        f"{booster} (by TypeNode)": several(node("TypeNode", booster)),
        f"{booster} (by ListNode)": several(plain("x"), loader="ListNode", name=booster),
        f"{booster} (by DictNode)": node(
            "DictNode", booster, key_types=several(loader="ListNode", name="builtins.list"), content={}
        ),
        f"{booster}.load_model": node("MethodNode", booster, content={"func": "load_model", "obj": held}),
        "operator.methodcaller": node("OperatorFuncNode", "operator.methodcaller", attrs=several(plain("load_model"))),
        "builtins.eval": several(node("FunctionNode", "builtins.eval")),
        "sklearn.tree._tree.Tree (by TypeNode)": several(node("TypeNode", "sklearn.tree._tree.Tree")),
        "sklearn.tree._tree.DepthFirstTreeBuilder": several(
            node("TypeNode", "sklearn.tree._tree.DepthFirstTreeBuilder")
        ),
    }


@pytest.mark.parametrize("named", reading(Path()))
def test_another_road_to_a_known_type_is_refused_and_named(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(skops.io, "loads", opened)
    with pytest.raises(TrustRequired, match=re.escape(named)):
        skopsfile.read(written(tmp_path, reading(tmp_path / "any")[named]), trust=False)


def test_such_a_road_would_read_files(tmp_path: Path) -> None:
    """What is refused above is no fancy: with trust, a file named in the file is opened."""
    secret = tmp_path / "elsewhere.ubj"
    MODELS["XGBoost"]().get_booster().save_model(secret)
    roads = reading(secret)
    for road in ("ConstructorFromReduceNode", "FunctionNode"):
        path = written(tmp_path, roads[f"xgboost.core.Booster (by {road})"])
        made = skopsfile.read(path, trust=True)
        [booster] = made.keys() if isinstance(made, dict) else [made]
        assert booster.num_features() == ROWS.shape[1]


@pytest.mark.parametrize("protocol", [0, 1])
def test_another_protocol_is_read_by_other_rules(protocol: int, tmp_path: Path) -> None:
    with pytest.raises(TrustRequired, match=f"Booster \\(in protocol {protocol} of skops\\)"):
        skopsfile.read(changed(tmp_path, MODELS["XGBoost"](), protocol=protocol), trust=False)
    # A name of protocol 0 stands where nobody else looks for one.
    hidden = node("FunctionNode", "builtins.function")
    hidden["content"] = {"module_path": "xgboost.core", "function": "Booster"}
    with pytest.raises(TrustRequired, match=r"Booster \(in protocol 0"):
        skopsfile.read(written(tmp_path, several(hidden) | {"protocol": 0}), trust=False)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("lightgbm.basic.Booster", {"_handle": "tree\nno"}), ("lightgbm.basic.Booster", {"_handle": 7})],
    ids=["text", "number"],
)
def test_a_booster_of_another_state_is_bad_input(kind: str, state: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, node("ObjectNode", kind, content=plain(state)))
    with pytest.raises(BadInput, match="cannot be opened here"):
        skopsfile.read(path, trust=False)


def test_plain_things_pass_and_no_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(OrderedDict(a=1), path)
    assert skopsfile.read(path, trust=False) == OrderedDict(a=1)
    for content in (b"", b"PK no", skops.io.dumps([1])[:60]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="is not a skops file"):
            skopsfile.read(path, trust=False)
