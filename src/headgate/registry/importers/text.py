"""Text models: an ONNX graph that reads token ids, and the tokeniser that makes them, both in the package."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput, MissingExtra
from headgate.registry import native
from headgate.registry.importers import graph, onnxfile
from headgate.registry.importers.importer import Candidate, Imported, Traits
from headgate.registry.package import Engine, ModelInput, ModelOutput, Signature
from headgate.registry.ports import Predicted

TOKENIZER: Final = "tokenizer.json"
_KNOWN: Final = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True, slots=True)
class TextModel:
    """A folder's ``model.onnx`` and ``tokenizer.json``, and how long a text may be in tokens."""

    folder: Path
    max_length: int = 512


def recognises(model: Any) -> bool:
    """Whether it is a text model."""
    return isinstance(model, TextModel)


def is_folder(path: Path) -> bool:
    """Whether a folder holds a text model."""
    return (path / graph.ARTEFACT).is_file() and (path / TOKENIZER).is_file()


def traits(model: TextModel) -> Traits:
    """Nothing: the contract and the labels say what it answers."""
    return Traits()


def build(model: TextModel, contract: Contract, reference: pa.Table, *, trust: bool) -> Imported:
    """Graph and tokeniser together, as the truth and as the only candidate."""
    field = _text_field(contract)
    content = (model.folder / graph.ARTEFACT).read_bytes()
    onnxfile.check(content)
    proto = graph.tidy(onnxfile.parse(content))
    wanted = [each.name for each in proto.graph.input]
    for each in wanted:
        if each not in _KNOWN:
            raise BadInput(f"model.{each}", "missing", f"a text model's inputs are {', '.join(_KNOWN)}")
    tokenizer = read_tokenizer(model.folder / TOKENIZER)
    if model.max_length:
        tokenizer.enable_truncation(model.max_length)
    padding = (tokenizer.padding or {}).get("pad_id", 0)
    tokenizer.no_padding()
    options = {
        "tokenizer": TOKENIZER,
        "max_length": str(model.max_length),
        "pad_id": str(padding),
        "inputs": json.dumps(wanted),
    }
    truth = Native(proto.SerializeToString(), tokenizer, contract, field, options)
    options["decode"] = truth.decode(reference)
    name = "scores" if contract.output.classes else "prediction"
    output = ModelOutput(name, "float32", [len(contract.output.classes) or 1])
    classifier = bool(contract.output.classes)
    signature = Signature(
        [ModelInput(field, "string", [field], [1])],
        [output],
        None if classifier else name,
        name if classifier else None,
    )

    def write(folder: Path) -> None:
        (folder / graph.ARTEFACT).write_bytes(proto.SerializeToString())
        shutil.copyfile(model.folder / TOKENIZER, folder / TOKENIZER)

    name = "tokeniser and ONNX, in the runtime host"
    candidate = Candidate(name, Engine.TEXT, graph.ARTEFACT, signature, write, options)
    return Imported("text", truth, (candidate,), ("tokenizers", "onnx", "onnxruntime", "numpy"))


def _text_field(contract: Contract) -> str:
    texts = [each.name for each in contract.fields if each.kind in (Kind.TEXT, Kind.CATEGORY)]
    if len(contract.fields) != 1 or len(texts) != 1:
        raise BadInput("contract.fields", "shape", "a text model reads exactly one text field")
    return texts[0]


def read_tokenizer(path: Path) -> Any:
    """The tokeniser in a file. Raises BadInput for another file, MissingExtra without ``tokenizers``."""
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a text model", "text") from error
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise BadInput("model.tokenizer", "type", "is not a tokenizer.json of the tokenizers library") from error


class Native:
    """Tokeniser and graph answering tables."""

    def __init__(self, model: bytes, tokenizer: Any, contract: Contract, field: str, options: dict[str, str]) -> None:
        self._session = graph.session(model)
        self._tokenizer = tokenizer
        self._contract = contract
        self._field = field
        self._wanted = json.loads(options["inputs"])
        self._padding = int(options["pad_id"])
        self._decode = "number"

    def predict(self, table: pa.Table) -> Predicted:
        """Answer every row."""
        said = graph.as_probabilities(self._raw(table), self._decode)
        if self._contract.output.classes:
            return native.predicted(None, said, self._contract)
        return native.predicted(said, None, self._contract)

    def decode(self, reference: pa.Table) -> str:
        """How its answers become probabilities, by what it says of reference rows; remembered for `predict`."""
        if self._contract.output.classes:
            self._decode = graph.decoding(self._raw(reference))
        return self._decode

    def _raw(self, table: pa.Table) -> Any:
        rows = self._tokenizer.encode_batch(native.texts(table, self._field, "").tolist())
        longest = max(1, *(len(each.ids) for each in rows)) if rows else 1
        given = {
            "input_ids": self._padded([each.ids for each in rows], longest, self._padding),
            "attention_mask": self._padded([each.attention_mask for each in rows], longest, 0),
            "token_type_ids": self._padded([each.type_ids for each in rows], longest, 0),
        }
        return self._session.run(None, {each: given[each] for each in self._wanted})[0]

    @staticmethod
    def _padded(rows: list[list[int]], longest: int, padding: int) -> Any:
        return np.array([[*row, *[padding] * (longest - len(row))] for row in rows], np.int64)
