"""Text models: a tokeniser and an ONNX graph that reads its ids."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import MissingExtra
from headgate.registry.package import Manifest
from headgate.runtimes.engines.decode import decoded
from headgate.runtimes.engines.native import Answer
from headgate.runtimes.onnx import open_session
from headgate.runtimes.ports import Array, Feeds
from headgate.vocabulary import Task


def load(package: Path, manifest: Manifest, contract: Contract, threads: int) -> Answer:
    """Tokeniser and graph, from files in the package alone. Raises MissingExtra without tokenizers."""
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - adapter
    except ImportError as error:
        raise MissingExtra("a text package", "text") from error
    options = manifest.options
    tokenizer = Tokenizer.from_file(str(package / options["tokenizer"]))
    if limit := int(options.get("max_length", "0")):
        tokenizer.enable_truncation(limit)
    tokenizer.no_padding()
    session = open_session(package / manifest.artefact, threads)
    wanted = json.loads(options.get("inputs", '["input_ids", "attention_mask"]'))
    padding = int(options.get("pad_id", "0"))
    text = manifest.signature.inputs[0].name
    how = None if contract.output.task is Task.TENSOR else options.get("decode", "number")

    def answer(feeds: Feeds) -> list[Any]:
        rows = tokenizer.encode_batch([each or "" for each in feeds[text].reshape(-1).tolist()])
        said = session.run(None, tokens(rows, wanted, padding))
        return list(said) if how is None else [decoded(how, said[0])]

    return answer


def tokens(rows: list[Any], wanted: list[str], padding: int) -> dict[str, Array]:
    """Ids, mask and segments of a batch, each (rows, longest row), padded at the end."""
    width = max(1, *(len(each.ids) for each in rows))
    ids = np.full((len(rows), width), padding, np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    kinds = np.zeros((len(rows), width), np.int64)
    for place, each in enumerate(rows):
        length = len(each.ids)
        ids[place, :length] = each.ids
        mask[place, :length] = each.attention_mask
        kinds[place, :length] = each.type_ids
    given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
    return {name: given[name] for name in wanted}
