"""A source made of the words in ``pipeline.yaml``."""

from pathlib import Path
from urllib.parse import urlsplit

from headgate.errors import BadConfiguration
from headgate.pipelines.pipelinefile import SourceWords, revealed
from headgate.pipelines.sources.delta import DeltaSource
from headgate.pipelines.sources.files import FileSource
from headgate.pipelines.sources.http import HttpSource
from headgate.pipelines.sources.kafka import KafkaSource
from headgate.pipelines.sources.nats import NatsSource
from headgate.pipelines.sources.ports import Source
from headgate.pipelines.sources.sql import SqlSource
from headgate.pipelines.sources.watermark import Watermark


def open_source(name: str, words: SourceWords, folder: Path) -> Source:
    """The source of that name; files are meant from `folder`. Nothing is read yet.

    Raises BadConfiguration for a variable the environment does not have and for an address that is none.
    """
    mark = None if words.watermark is None else Watermark(name, words.watermark, words.overlap_s)
    said = revealed(getattr(words, words.kind), f"sources.{name}.{words.kind}") if words.kind != "sql" else ""
    where = {key: revealed(getattr(words, key) or "", f"sources.{name}.{key}") for key in ("url", "servers")}
    match words.kind:
        case "csv" | "parquet":
            return FileSource(name, folder / said, words.kind == "csv", mark)
        case "delta":
            return DeltaSource(name, said if "://" in said else str(folder / said), mark)
        case "sql":
            return SqlSource(name, where["url"], words.sql or "", mark)
        case "http":
            if urlsplit(said).scheme not in ("http", "https"):
                raise BadConfiguration(f"sources.{name}.http", "must begin with http:// or https://")
            headers = {key: revealed(text, f"sources.{name}.headers.{key}") for key, text in words.headers.items()}
            return HttpSource(name, said, headers, mark)
        case "kafka":
            return KafkaSource(name, said, where["servers"])
    return NatsSource(name, said, where["servers"])
