"""``pipeline.yaml`` as a person writes it, and the pipeline it means.

Called by ``headgate pipeline`` before anything is read or written. Every complaint names file, line and key.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from headgate.contracts.contract import Contract
from headgate.contracts.text import from_document, read_document
from headgate.contracts.yaml_lines import line_of
from headgate.contracts.yaml_text import load_yaml, read_yaml
from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.traffic.cron import read_cron
from headgate.traffic.durations import seconds
from headgate.traffic.retrained import RecipeWords, RetrainingWords, retraining_faults
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, Task, readable

_TABLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SHARE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FUNCTION: Final = re.compile(r"[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*")
ROWS: Final = "rows"
"""The name under which a transform finds what the one before it made."""
KINDS: Final = ("csv", "parquet", "delta", "sql", "http", "kafka", "nats")


def _share(text: str) -> float:
    """A share with its sign, 0 to 1; NaN for what is none."""
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else float("nan")


class StepName(StrEnum):
    """What is done, in this order."""

    LOAD = "load"
    """New rows of every source are read and put down as they came."""
    CHECK = "check"
    """They are held against the contract; rows that break it are set aside."""
    TRANSFORM = "transform"
    """All rows that were kept become one table; what serving does too is tried row by row."""
    DATASET = "dataset"
    """The table becomes a training set under its digest."""
    LEARN = "learn"
    """The recipe learns from it, and what it learned is registered."""
    GATE = "gate"
    """The new version is proved against the one that is live."""
    ROLL_OUT = "rollout"
    """It begins to take traffic."""


@readable
class SourceWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where rows come from. Exactly one of csv, parquet, delta, sql, http, kafka and nats says of which kind it is."""

    csv: str | None = None
    """A file, or several by a pattern such as ``flights/*.csv``; each is read once it is new or has changed."""
    parquet: str | None = None
    """The same for Parquet files."""
    delta: str | None = None
    """The folder or address of a Delta table."""
    sql: str | None = None
    """A SELECT, asked of the database at `url`."""
    http: str | None = None
    """An address that answers CSV, Parquet or JSON; where it says that nothing changed, nothing is read."""
    kafka: str | None = None
    """A topic whose messages are JSON objects, from `servers`."""
    nats: str | None = None
    """A subject of a JetStream stream whose messages are JSON objects, from `servers`."""
    url: str | None = None
    """The database of `sql`, as SQLAlchemy spells it. ``${NAME}`` stands for a variable of the environment."""
    servers: str | None = None
    """Where the topic or subject is, such as ``localhost:9092`` or ``nats://localhost:4222``."""
    headers: dict[str, str] = {}
    """Sent with `http`; ``${NAME}`` stands for a variable of the environment."""
    watermark: str | None = None
    """A column that grows; only rows beyond the highest value seen are read. None reads what files, tables and streams
    say is new, and of a database or an address everything."""
    overlap: str = "0s"
    """Rows of so long before the highest moment seen are read again, since some come late; they need a `key`."""
    key: list[str] = []
    """Columns that name a row; a row that comes again replaces the one before."""
    contract: str | dict[str, Any] | None = None
    """What rows must keep: a contract's file, or its ``fields:`` here; None takes any row of the first load's types."""
    quarantine: str = "5%"
    """How many of the new rows at most may break it; beyond that nothing is kept, and the step fails."""
    fresh: str | None = None
    """How old the newest moment of `watermark` may be before the report calls it stale."""

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(each for each in KINDS if getattr(self, each) is not None)

    @property
    def overlap_s(self) -> int:
        """Seconds read again."""
        return seconds(self.overlap)

    @property
    def fresh_s(self) -> int | None:
        """Seconds after which it is stale; None where nothing is promised."""
        return None if self.fresh is None else seconds(self.fresh)

    @property
    def tolerated(self) -> float:
        """The largest share of rows set aside, 0 to 1."""
        return _share(self.quarantine)


class TransformWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is made of rows. One of sql and python."""

    sql: str | None = None
    """A SELECT over the sources by name, and over ``rows``, which the transform before it made."""
    python: str | None = None
    """``file.py:function``, which takes an Arrow table of ``rows`` and returns a table."""
    serving: bool = False
    """Whether serving does the same with each row that comes alone; those stand last, and see no label."""


@readable
class Pipeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pipeline as ``pipeline.yaml`` holds it; ``read_pipeline`` has checked every rule."""

    pipeline: str
    """Its name: small letters, digits and hyphens."""
    label: str
    """The column that holds the truth."""
    task: Task
    """What the model is asked for."""
    sources: dict[str, SourceWords]
    """Where rows come from, by the name that SQL knows them under."""
    project: str = DEFAULT_PROJECT
    """Who owns the endpoint."""
    endpoint: str | None = None
    """The endpoint whose model learns; None stops at the training set."""
    model: str | None = None
    """The model of which a new version is registered; None means it is called like the endpoint."""
    at: str | None = None
    """The column that says when a row was; the newest rows prove what was learned from the others."""
    key: list[str] = []
    """Columns that name a row of the training set; they are no features."""
    weight: str | None = None
    """A column of weights; None weighs all rows alike."""
    transforms: list[TransformWords] = []
    """What is made of the rows, one after the other; without any they are taken as they are."""
    recipe: RecipeWords | None = None
    """How to learn, in the words of an endpoint's ``retraining.recipe``; None stops at the training set."""
    held_out: str = "20%"
    """How many of the rows, the newest ones, are kept from the recipe and prove what it learned."""
    gates: list[str] = []
    """Sentences that the new version must fulfil beside the usual proof."""
    rollout: dict[str, Any] | None = None
    """How a proved version takes traffic, in the words of a plan file; None stops after the gates."""
    schedule: str | None = None
    """When it runs, as cron's five fields; for `headgate pipeline export`."""

    @property
    def steps(self) -> tuple[StepName, ...]:
        """What it does, in order."""
        names = [StepName.LOAD, StepName.CHECK, StepName.TRANSFORM, StepName.DATASET]
        if self.recipe is not None:
            names += [StepName.LEARN, StepName.GATE]
        if self.rollout is not None:
            names.append(StepName.ROLL_OUT)
        return tuple(names)

    @property
    def held_share(self) -> float:
        """Share of the rows that prove what was learned, 0 to 1; 0 where nothing is learned."""
        return 0.0 if self.recipe is None else _share(self.held_out)

    @property
    def serving(self) -> tuple[TransformWords, ...]:
        """The transforms that serving does too."""
        return tuple(each for each in self.transforms if each.serving)

    @property
    def apart(self) -> tuple[str, ...]:
        """Columns of the training set that are no features: label, weight, moment and key."""
        return tuple(dict.fromkeys(each for each in (self.label, self.weight, self.at, *self.key) if each))


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """A pipeline with the file it stands in."""

    path: Path
    """Where it stands; names of files in it are meant from its folder."""
    text: str
    said: Pipeline
    contracts: Mapping[str, Contract]
    """Each source's contract, of those that have one."""

    @property
    def folder(self) -> Path:
        """The folder that relative names are meant from."""
        return self.path.parent

    @property
    def digest(self) -> str:
        """Of the file and of every file it names: another one means that another run begins."""
        seen = hashlib.sha256(self.text.encode())
        for name in _named(self.said):
            path = self.folder / name
            seen.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"-")
        return seen.hexdigest()

    def wrong(self, key: str, message: str) -> BadConfiguration:
        """The complaint about the key at `key`, with its line."""
        return BadConfiguration(f"{self.path.name} line {line_of(self.text, key)}: {key}", message)


def _named(said: Pipeline) -> Iterator[str]:
    """The files of code and contracts that a pipeline's file names, and words of a command that may be files."""
    yield from (each.contract for each in said.sources.values() if isinstance(each.contract, str))
    yield from ((each.python or "").partition(":")[0] for each in said.transforms)
    if said.recipe is not None:
        yield (said.recipe.python or "").partition(":")[0]
        yield said.recipe.notebook or ""
        yield from (said.recipe.command or "").split()


def open_pipeline(path: Path) -> PipelineFile:
    """The pipeline in the file at `path`. Raises NotFound, and BadConfiguration as `read_pipeline` does."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("file", str(path), "it names pipeline:, sources: and label:") from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(str(path), "is not UTF-8 text") from error
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be read: {(error.strerror or '').lower()}") from error
    return read_pipeline(text, path)


def read_pipeline(text: str, path: Path) -> PipelineFile:
    r"""The pipeline that the YAML in `text` describes; `path` is where it stands.

    Raises BadConfiguration naming the line and the key, NotFound for a contract's file that is not there.

    >>> text = "pipeline: late\nlabel: late\ntask: binary\nsources:\n  flights: {csv: flights.csv}\n"
    >>> [each.value for each in read_pipeline(text, Path("pipeline.yaml")).said.steps]
    ['load', 'check', 'transform', 'dataset']
    """
    where = path.name
    document = read_yaml(text, where)
    if not isinstance(document, dict):
        raise BadConfiguration(where, "holds no mapping of keys; begin with pipeline:, sources: and label:")
    try:
        _read_sources(document, where)
        said = read_document(document, Pipeline, where)
    except BadConfiguration as error:
        key = error.where.removeprefix(where).removeprefix(": ").replace(": ", ".")
        line = f"{where} line {line_of(text, key)}"
        raise BadConfiguration(f"{line}: {key}" if key else line, error.message) from error
    file = PipelineFile(path, text, said, {})
    for key, message in _faults(said):
        raise file.wrong(key, message)
    return PipelineFile(path, text, said, dict(_contracts(file)))


def _read_sources(document: dict[str, Any], where: str) -> None:
    """Each source by itself first: of a mapping's values nobody is told which one is wrong."""
    sources = document.get("sources")
    for name, words in sources.items() if isinstance(sources, dict) else ():
        read_document(words, SourceWords, f"{where}: sources.{name}")


def _contracts(file: PipelineFile) -> Iterator[tuple[str, Contract]]:
    for name, source in file.said.sources.items():
        where = f"{file.path.name}: sources.{name}.contract"
        if isinstance(source.contract, dict):
            yield name, from_document(source.contract, where)
        elif source.contract is not None:
            path = file.folder / source.contract
            if not path.is_file():
                raise NotFound("file", str(path), f"{where} names it")
            yield name, load_yaml(path.read_text(encoding="utf-8"), str(path))


def revealed(text: str, where: str) -> str:
    """`text` with every ``${NAME}`` replaced by what the environment says; it may be a secret from here on.

    Raises BadConfiguration naming the variable that is not set.
    """
    for name in _VARIABLE.findall(text):
        if name not in os.environ:
            raise BadConfiguration(where, f"the environment has no variable {name}; set it")
    return _VARIABLE.sub(lambda found: os.environ[found[1]], text)


def _faults(said: Pipeline) -> Iterator[tuple[str, str]]:
    for key in ("pipeline", "project", "endpoint", "model"):
        name = getattr(said, key)
        if name is not None and not NAME.fullmatch(name):
            yield key, f"must match {NAME_RULE}: small letters, digits and hyphens, at most 63"
    if not said.sources:
        yield "sources", "names no source"
    if said.task is Task.TENSOR:
        yield "task", "must be binary, multiclass or regression: tensors have no label to learn from"
    if said.recipe is not None and said.endpoint is None and said.model is None:
        yield "recipe", "learns for nobody; name an endpoint: or a model:"
    if said.rollout is not None and (said.recipe is None or said.endpoint is None):
        yield "rollout", "needs a recipe: that learns and an endpoint: that serves"
    if said.gates and said.recipe is None:
        yield "gates", "judge nothing; name a recipe:"
    if not 0 < _share(said.held_out) < 1:
        yield "held_out", "must lie between 0% and 100%, neither of them included, such as 20%"
    words = RetrainingWords(recipe=said.recipe or RecipeWords(), gates=said.gates, rollout=said.rollout or {})
    yield from ((key.removeprefix("retraining."), message) for key, message in retraining_faults(words))
    yield from _schedule_faults(said)
    for name, source in said.sources.items():
        for key, message in _source_faults(name, source):
            yield f"sources.{name}{key}", message
    yield from _transform_faults(said)


def _schedule_faults(said: Pipeline) -> Iterator[tuple[str, str]]:
    try:
        if said.schedule is not None:
            read_cron(said.schedule)
    except BadInput as error:
        yield "schedule", error.message


def _source_faults(name: str, source: SourceWords) -> Iterator[tuple[str, str]]:
    kinds = [each for each in KINDS if getattr(source, each) is not None]
    if not _TABLE.fullmatch(name) or name == ROWS:
        yield "", f"is no name for a table: small letters, digits and underscores, and not '{ROWS}'"
    if len(kinds) != 1:
        yield "", f"must have exactly one of {', '.join(KINDS)}"
        return
    needs = {"sql": "url", "kafka": "servers", "nats": "servers"}
    for kind, key in needs.items():
        if kinds == [kind] and getattr(source, key) is None:
            yield f".{kind}", f"needs {key}:"
    for key in ("url", "servers"):
        if getattr(source, key) is not None and needs.get(kinds[0]) != key:
            yield f".{key}", f"means nothing for {kinds[0]}:"
    for key, rule in (("overlap", seconds), ("fresh", seconds)):
        message = _broken(rule, getattr(source, key))
        if message is not None:
            yield f".{key}", message
    if source.overlap != "0s" and not (source.key and source.watermark):
        yield ".overlap", "reads rows again, so it needs a watermark:, and a key: by which they are told apart"
    if source.fresh is not None and source.watermark is None:
        yield ".fresh", "needs the watermark: whose newest moment it is about"
    if not 0 <= source.tolerated <= 1:
        yield ".quarantine", "must be a share of the new rows with its sign, such as 5%"


def _broken(rule: Callable[[str], object], text: str | None) -> str | None:
    try:
        if text is not None:
            rule(text)
    except ValueError as error:
        return str(error)
    return None


def _transform_faults(said: Pipeline) -> Iterator[tuple[str, str]]:
    serving = False
    for place, each in enumerate(said.transforms):
        if (each.sql is None) == (each.python is None):
            yield f"transforms[{place}]", "must have either sql or python"
        if each.python is not None and not _FUNCTION.fullmatch(each.python):
            yield f"transforms[{place}].python", "must be a file and a function in it, such as features.py:make"
        if serving and not each.serving:
            yield f"transforms[{place}]", "stands after one with serving: true; what serving cannot do comes first"
        serving = serving or each.serving
    if len(said.sources) > 1 and not (said.transforms and said.transforms[0].sql and not said.transforms[0].serving):
        yield "transforms", "must begin with sql: that says how several sources become one table"
