"""skops files, looked at before they are opened: what is in them, and by which road each part would be made.

skops compares names alone: a type that is trusted may then be called with whatever arguments the file holds, and a
booster so called reads any file it is told to. So the types below are let in only the way skops itself writes them.
"""

import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from headgate.errors import BadInput, TrustRequired
from headgate.registry.importers.libraries import import_skops

_OBJECT: Final = frozenset({"ObjectNode"})
"""Made without a call of its constructor, then given its attributes, by ``__setstate__`` where it has one."""
_LET_IN: Final[dict[str, frozenset[str]]] = {
    # Mappings and their type, as LightGBM keeps scores in them: they hold, and call nothing.
    "collections.OrderedDict": frozenset({"DictNode", "TypeNode"}),
    # That of an array in the file, as imputers keep one: a description of bytes.
    "numpy.dtype": frozenset({"DTypeNode"}),
    # Calls what it holds when it is called, and can hold nothing callable but NumPy's and SciPy's ufuncs, plain types,
    # and the next one: histogram boosting prepares its numeric columns with a partial of it. It copies and compares.
    "functools.partial": frozenset({"PartialNode"}),
    "sklearn.utils.validation.check_array": frozenset({"FunctionNode"}),
    # Arrays. Predicting follows the indices in them unchecked, so a file made to harm can crash this process or have it
    # read beyond the array; it writes into its own result alone.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _OBJECT,
    # The same of trees, forests and older boosting. skops hands its own constructor three figures of the shape and then
    # the arrays, whose types and shapes scikit-learn checks; nothing else is called.
    "sklearn.tree._tree.Tree": frozenset({"TreeNode"}),
    # Their `__setstate__` hands the text or buffer of a model to the reader that opens a booster's own .txt, .ubj and
    # .json files too. It opens no other file and runs nothing of it, but believes its indices: a file made to harm can
    # damage this process's memory, here as there. Refused here it would be opened with --trust, which lets in anything.
    "lightgbm.basic.Booster": _OBJECT,
    "xgboost.core.Booster": _OBJECT,
    # Settings, labels and a booster; attributes are set and nothing else happens before somebody predicts.
    **dict.fromkeys(("lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor"), _OBJECT),
    **dict.fromkeys(("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor"), _OBJECT),
    **dict.fromkeys(("xgboost.sklearn.XGBRFClassifier", "xgboost.sklearn.XGBRFRegressor"), _OBJECT),
}
"""Types skops does not know that are opened without anybody's word, each by the loaders skops writes it with."""
_PROTOCOL: Final = 2
"""Of the loaders named above; in an older one a name stands elsewhere, in a newer one who knows."""


def read(path: Path, *, trust: bool) -> Any:
    """The model in a skops file. Raises TrustRequired naming what it would make, BadInput for another file."""
    skops = import_skops()
    raw = path.read_bytes()  # once: what is looked at is what is opened
    try:
        types = skops.get_untrusted_types(data=raw)
        strange = _strange(raw, types)
    except Exception as error:  # a zip, JSON or schema that is not one: many classes
        raise BadInput("model", "type", "is not a skops file") from error
    if strange and not trust:
        raise TrustRequired(
            f"the skops file would construct what skops does not know: {', '.join(strange)}; if you trust it: --trust"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return skops.loads(raw, trusted=types)
    except Exception as error:  # whatever a type makes of a state that is not its own
        raise BadInput("model", "type", f"the file cannot be opened here: {type(error).__name__}") from error


def _strange(raw: bytes, types: list[str]) -> list[str]:
    """Of the `types` skops does not know: those not let in, and how others would be made that are; sorted."""
    if not types:
        return []
    schema = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read("schema.json"))
    if schema["protocol"] != _PROTOCOL:
        return [f"{each} (in protocol {schema['protocol']} of skops)" for each in types]
    unknown = {each for each in types if each not in _LET_IN}
    bent = {f"{name} (by {loader})" for name, loader in _nodes(schema) if loader not in _LET_IN.get(name, {loader})}
    return sorted(unknown | bent)


def _nodes(schema: Any) -> Iterator[tuple[str, str]]:
    """The type and the loader of every part of a file, wherever in it they stand."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.values())
            if isinstance(part.get("__loader__"), str):
                yield f"{part.get('__module__')}.{part.get('__class__')}", part["__loader__"]
        elif isinstance(part, list):
            waiting.extend(part)
