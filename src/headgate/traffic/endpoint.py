"""The endpoint file a person writes: which model answers under which name, how well, and why.

Called by ``headgate init`` and ``headgate apply``. One file holds from a laptop to a cluster, so it names no host,
no path and no process.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from headgate.alerts.rule import AlertWords, Rule
from headgate.contracts.contract import Contract
from headgate.contracts.text import from_document, read_document, to_document
from headgate.contracts.yaml_text import dump_yaml, read_yaml, write_yaml
from headgate.errors import BadConfiguration
from headgate.traffic.draft import DRAFT
from headgate.traffic.durations import seconds
from headgate.traffic.outliers import OutlierWords, outlier_faults
from headgate.traffic.retrained import RetrainingWords, retraining_faults
from headgate.traffic.traffic import Capture, People, Policy, Resources
from headgate.traffic.watched import MonitorWords, faults
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, PEOPLE, SECOND, Ack, Micros, OnFailure, readable

_MODEL: Final = re.compile(rf"{NAME_RULE}(:[1-9][0-9]{{0,8}}|@{NAME_RULE})?")
_VERSION: Final = re.compile(rf"{NAME_RULE}:[1-9][0-9]{{0,8}}")
_VERSION_RULE: Final = "must be a model's name, a colon and a version number, such as name:3"
_DAY: Final = 86400
_MINUTE: Final = 60
_LONGEST_DEADLINE_MS: Final = 86_400_000
_ROUNDING: Final = 1e-9
"""Sums of weights this near to 1 are 1: ten weights of 0.1 are not exactly."""


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How well the endpoint should answer."""

    latency_p99_ms: float | None = None
    """Milliseconds in which 99 of 100 answers should leave; None promises nothing."""
    requests_per_second: float | None = None
    """The rate it should bear; None promises nothing."""


class JournalWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the journal promises callers."""

    ack: Ack = Ack.DURABLE
    on_failure: OnFailure = OnFailure.REFUSE


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version's part of a manual split."""

    version: str
    """``model:number``."""
    weight: float
    """0 to 1; the weights of a split sum to 1."""


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which versions share the callers, set by hand."""

    split: list[Share]
    sticky_key: str | None = None
    """Field or request key by which callers keep their version; None draws per request."""


class Live(StrEnum):
    """Who decides."""

    MODEL = "model"
    HUMAN = "human"


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people decide beside the model."""

    confidence: float | None = None
    """Where `live` is human: the model decides by itself where it is at least so sure, 0 to 1; None means nowhere."""
    suggest: bool = False
    """Whether who asks for what people decide hears what the model says of it."""
    audit_percent: float = 5.0
    """Of what the model decides by itself, so much is put before people all the same."""
    double_percent: float = 10.0
    """Of what people decide, so much is put before two of them."""
    lease: str = "10m"
    """How long a reviewer keeps a case before it goes to the next."""

    @property
    def lease_s(self) -> int:
        """Seconds a reviewer keeps a case."""
        return seconds(self.lease)


class RolloutBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an endpoint's rollouts may risk in a year, all together."""

    alpha_per_year: float = 0.2
    """With which probability any version that is worse than its margin may be promoted in a year."""
    worse_per_year: float = 3.0
    """How much worse all promotions of a year may make it: points of the largest loss, by any guard on labels."""


@readable
class EndpointSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One endpoint as ``endpoint.yaml`` holds it; ``load_endpoint`` has checked every rule."""

    endpoint: str
    model: str
    """``name`` (the newest version), ``name:3`` or ``name@alias``; one that nobody proved waits until somebody does."""
    project: str = DEFAULT_PROJECT
    why: str = ""
    """Why this is deployed, for whoever reads it in a year."""
    live: Live = Live.MODEL
    """Who decides: the model, or people, beside whom the model answers unseen."""
    slo: Slo = Slo()
    resources: Resources = Resources()
    journal: JournalWords = JournalWords()
    capture: Capture = Capture()
    deadline_ms: int = 10_000
    """Longest a caller waits when it states no deadline of its own; at most a day."""
    label_maturity: str = "0s"
    """How long after a prediction its label counts as due, such as 2d."""
    retention: str | None = None
    """How long journal rows are kept, in whole days such as 400d; None keeps them all."""
    review: Review | None = None
    """How people decide; without it they do by the defaults where `live` is human, and nowhere else."""
    rollouts: RolloutBudget = RolloutBudget()
    monitors: MonitorWords = MonitorWords()
    outliers: OutlierWords = OutlierWords()
    alerts: AlertWords = AlertWords()
    retraining: RetrainingWords | None = None
    """How its model learns again; None where nothing does by itself."""
    traffic: Split | None = None
    """A manual split; None sends everything to `model`."""
    contract: Contract | None = None
    """What the endpoint holds its model to; None takes the package's own contract."""
    forced: list[str] = []
    """Versions an operator let take traffic without a passing evaluation; ``apply --force`` writes them here."""

    @property
    def label_maturity_s(self) -> float:
        """Seconds after a prediction at which its label counts as due."""
        return float(seconds(self.label_maturity))

    @property
    def retention_days(self) -> int | None:
        """Whole days journal rows are kept; None keeps them all."""
        return None if self.retention is None else seconds(self.retention) // _DAY

    @property
    def people(self) -> People | None:
        """Whose the inputs are, as gateways obey it; None where people decide none."""
        if self.live is Live.MODEL:
            return None
        review = self.review or Review()
        if review.confidence is None:
            return People(suggests=review.suggest)
        return People(0.0, review.confidence, review.suggest)

    @property
    def alert_rule(self) -> Rule:
        """Who hears of its alerts, and how often."""
        words = self.alerts
        cooldown, over_after = (Micros(seconds(each) * SECOND) for each in (words.cooldown, words.over_after))
        return Rule(None if words.channels is None else tuple(words.channels), words.least, cooldown, over_after)

    @property
    def policy(self) -> Policy:
        """The words gateways obey."""
        return Policy(
            ack=self.journal.ack,
            on_failure=self.journal.on_failure,
            deadline_ms=self.deadline_ms,
            capture=self.capture,
            label_maturity_s=self.label_maturity_s,
            latency_p99_ms=self.slo.latency_p99_ms,
        )


def load_endpoint(text: str, where: str) -> EndpointSpec:
    r"""The endpoint that the YAML in `text` describes.

    Raises BadConfiguration whose ``where`` is the given one and the key, and whose message is the rule it broke.

    >>> spec = load_endpoint("endpoint: late\nmodel: flight-delay@champion\nlabel_maturity: 2d\n", "endpoint.yaml")
    >>> spec.policy.label_maturity_s, spec.policy.ack.value
    (172800.0, 'durable')
    """
    document = read_yaml(text, where)
    if not isinstance(document, dict):
        raise BadConfiguration(where, "holds no mapping of keys; begin with endpoint: and model:")
    contract = document.pop("contract", None)
    if document.get("retention") == "none":
        document["retention"] = None
    spec = read_document(document, EndpointSpec, where)
    if contract is not None:
        spec = msgspec.structs.replace(spec, contract=from_document(contract, f"{where}: contract"))
    for key, message in _faults(spec):
        raise BadConfiguration(f"{where}: {key}", message)
    return spec


def dump_endpoint(spec: EndpointSpec) -> str:
    """`spec` as YAML with everything that has its default left out; ``load_endpoint`` reads it back."""
    document = _plain(msgspec.structs.replace(spec, contract=None))
    if spec.contract is not None:
        document["contract"] = to_document(spec.contract)
    return write_yaml(document)


def draft_endpoint(contract: Contract, *, endpoint: str, model: str, reference_name: str) -> str:
    """A commented ``endpoint.yaml`` for a person to edit, which ``load_endpoint`` takes as it is.

    Raises BadConfiguration when `endpoint` or `model` is no legal name.
    """
    for key, message in _faults(EndpointSpec(endpoint=endpoint, model=model)):
        raise BadConfiguration(key, message)
    inline = "".join(f"  {line}\n" if line else "\n" for line in dump_yaml(contract).splitlines())
    named = write_yaml({"endpoint": endpoint, "model": model})
    return DRAFT.format(named=named, reference=" ".join(reference_name.split()), contract=inline)


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for each in msgspec.structs.fields(struct):
        value = getattr(struct, each.name)
        default = each.default_factory() if callable(each.default_factory) else each.default
        if value != default:
            document[each.name] = _plain(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
    return document


def _faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    for key in ("endpoint", "project"):
        if not NAME.fullmatch(getattr(spec, key)):
            yield key, f"must match {NAME_RULE}: small letters, digits and hyphens, at most 63"
    if not _MODEL.fullmatch(spec.model):
        yield "model", "must be a name, name:number or name@alias of small letters, digits and hyphens"
    yield from _number_faults(spec)
    yield from _duration_faults(spec)
    yield from _capture_faults(spec)
    yield from _review_faults(spec)
    yield from faults(spec.monitors)
    yield from outlier_faults(spec.outliers)
    yield from _group_faults(spec)
    yield from _alert_faults(spec.alerts)
    yield from retraining_faults(spec.retraining)
    if spec.retraining is not None and spec.live is Live.HUMAN:
        yield "retraining", "means nothing yet where people decide; a rollout lets a model take over from them first"
    if not 0 < spec.rollouts.alpha_per_year < 1:
        yield "rollouts.alpha_per_year", "must lie between 0 and 1, neither of them included"
    if not 0 <= spec.rollouts.worse_per_year <= 100:
        yield "rollouts.worse_per_year", "must lie between 0 and 100 points"
    if spec.traffic is not None:
        yield from _split_faults(spec.traffic)
    for i, version in enumerate(spec.forced):
        if not _VERSION.fullmatch(version):
            yield f"forced[{i}]", _VERSION_RULE


def _number_faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    positive = {
        "slo.latency_p99_ms": spec.slo.latency_p99_ms,
        "slo.requests_per_second": spec.slo.requests_per_second,
        "resources.memory_mb": spec.resources.memory_mb,
        "resources.call_seconds": spec.resources.call_seconds,
        "deadline_ms": spec.deadline_ms,
    }
    for key, value in positive.items():
        if value is not None and not 0 < value < float("inf"):
            yield key, "must be above 0"
    if spec.deadline_ms > _LONGEST_DEADLINE_MS:
        yield "deadline_ms", f"must be at most {_LONGEST_DEADLINE_MS}, a day"


def _duration_faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    try:
        seconds(spec.label_maturity)
    except ValueError as error:
        yield "label_maturity", str(error)
    if spec.retention is None:
        return
    try:
        kept = seconds(spec.retention)
    except ValueError as error:
        yield "retention", f"{error}, or none"
    else:
        if kept < _DAY or kept % _DAY:
            yield "retention", "must be whole days, at least one, such as 400d, or none"


def _capture_faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    if not 0.0 <= spec.capture.sampling_percent <= 100.0:
        yield "capture.sampling_percent", "must lie between 0 and 100"
    if spec.contract is None:
        return
    for key, names in (("fields", spec.capture.fields or []), ("redact", spec.capture.redact)):
        for i, name in enumerate(names):
            if name not in spec.contract.names:
                yield f"capture.{key}[{i}]", f"'{name}' is no field of the contract"


def _group_faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    """Groups are read from the journal, so their fields must be in it."""
    kept, hidden = spec.capture.fields, spec.capture.redact
    for i, name in enumerate(spec.monitors.groups):
        if spec.contract is not None and name not in spec.contract.names:
            yield f"monitors.groups[{i}]", f"'{name}' is no field of the contract"
        elif name in hidden or (kept is not None and name not in kept):
            yield f"monitors.groups[{i}]", f"'{name}' is not kept in the journal; see capture"


def _review_faults(spec: EndpointSpec) -> Iterator[tuple[str, str]]:
    if spec.live is Live.HUMAN and spec.traffic is not None:
        yield "traffic", "cannot be split by hand where people decide; a rollout takes it from them step by step"
    review = spec.review
    if review is None:
        return
    if review.confidence is not None and not 0.0 <= review.confidence <= 1.0:
        yield "review.confidence", "must lie between 0 and 1"
    if spec.live is Live.MODEL and (review.confidence is not None or review.suggest):
        key = "suggest" if review.confidence is None else "confidence"
        yield f"review.{key}", f"means nothing where the model decides; write live: {PEOPLE} too"
    for key in ("audit_percent", "double_percent"):
        if not 0.0 <= getattr(review, key) <= 100.0:
            yield f"review.{key}", "must lie between 0 and 100"
    try:
        if not review.lease_s:
            yield "review.lease", "must be longer than 0"
    except ValueError as error:
        yield "review.lease", str(error)


def _alert_faults(words: AlertWords) -> Iterator[tuple[str, str]]:
    for i, name in enumerate(words.channels or ()):
        if not NAME.fullmatch(name):
            yield f"alerts.channels[{i}]", f"must be the name of a channel in channels.yaml, {NAME_RULE}"
    for key in ("cooldown", "over_after"):
        try:
            if seconds(getattr(words, key)) < _MINUTE:
                yield f"alerts.{key}", "must be at least 1m: people are not told more often than that"
        except ValueError as error:
            yield f"alerts.{key}", str(error)


def _split_faults(traffic: Split) -> Iterator[tuple[str, str]]:
    for i, share in enumerate(traffic.split):
        if not _VERSION.fullmatch(share.version):
            yield f"traffic.split[{i}].version", _VERSION_RULE
        if not 0.0 <= share.weight <= 1.0:
            yield f"traffic.split[{i}].weight", "must lie between 0 and 1"
        if any(share.version == earlier.version for earlier in traffic.split[:i]):
            yield f"traffic.split[{i}].version", f"'{share.version}' stands in the split already"
    if abs(sum(share.weight for share in traffic.split) - 1.0) > _ROUNDING:
        yield "traffic.split", "weights must sum to 1"
    if traffic.sticky_key is not None and not traffic.sticky_key:
        yield "traffic.sticky_key", "must name a field or request key, or be null"
