"""Every name a user can meet is in the documentation, once the page that lists its kind is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import click
import msgspec

from headgate import errors, events, settings
from headgate.alerts import channels
from headgate.alerts.alert import Notice
from headgate.alerts.finding import Severity
from headgate.cli.main import headgate_command
from headgate.pipelines.export.targets import TARGETS
from headgate.pipelines.pipelinefile import Pipeline, SourceWords, TransformWords
from headgate.rollouts import planfile
from headgate.rollouts.guards import Measure
from headgate.rollouts.plan import Step
from headgate.rollouts.strategies import Strategy
from headgate.tracking.trackingfile import Tracking
from headgate.traffic.endpoint import EndpointSpec

ROOT = Path(__file__).parent.parent.parent


def _metrics() -> set[str]:
    pattern = re.compile(r'"(headgate_[a-z0-9_]+)"')
    sources = (ROOT / "src" / "headgate" / "gateway" / "metrics").rglob("*.py")
    return {name for source in sources for name in pattern.findall(source.read_text())}


def _verbs() -> set[str]:
    return {f"headgate {name}" for name in headgate_command.list_commands(click.Context(headgate_command))}


def _keys(kind: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """Every key of a file that a struct reads, those of the structs within it by their whole path."""
    for each in msgspec.structs.fields(kind):
        yield before + each.encode_name
        for suffix, within in _structs(each.type):
            yield from _keys(within, f"{before}{each.encode_name}{suffix}.")


def _structs(hint: object, suffix: str = "") -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The structs that a key may hold, each with how its keys are marked where there may be several."""
    if get_origin(hint) is None and isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield suffix, hint
    for each in get_args(hint):
        yield from _structs(each, "[]" if get_origin(hint) is list else suffix)


def _words_of_plans() -> set[str]:
    steps = {str(each.__struct_config__.tag) for each in get_args(Step)} | {"ramp"}
    return {*_keys(planfile._PlanText), *steps, *Strategy, *Measure} - {Measure.RISK}


def _channel_keys() -> set[str]:
    """Every key of a channel, and the words that say which kind it is."""
    return {key for kind in channels.KINDS.values() for key in _keys(kind)} | {"kind", *channels.KINDS}


def _words_of_pipelines() -> set[str]:
    """Every key of a pipeline's file but those of its recipe, which is an endpoint's too."""
    names = {
        each.encode_name for kind in (Pipeline, SourceWords, TransformWords) for each in msgspec.structs.fields(kind)
    }
    return {*names, *TARGETS}


KINDS = {
    "alerts": {*_channel_keys(), *Notice, *Severity},
    "cli": _verbs(),
    "errors": {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)},
    "events": {kind.value for kind in events.EventKind},
    "metrics": _metrics(),
    "mlflow": set(_keys(Tracking)),
    "pipelines": _words_of_pipelines(),
    "plan": _words_of_plans(),
    "settings": set(settings.Settings.__dataclass_fields__) - {"home"} | set(_keys(EndpointSpec)),
}
PAGES = {path.stem: path for path in (ROOT / "docs").rglob("*.md") if path.stem in KINDS}


def test_every_name_is_on_its_page() -> None:
    missing = {}
    for kind, path in PAGES.items():
        page = path.read_text()
        assert KINDS[kind], f"nothing was found to document as {kind}"
        absent = {name for name in KINDS[kind] if not re.search(rf"`{re.escape(name)}\b", page)}
        if absent:
            missing[path.name] = absent
    assert missing == {}


def test_the_keys_of_a_file_are_found_with_those_within() -> None:
    assert {"steps", "guards", "guards[].worth", "alpha.promote", "schedule.zone"} <= KINDS["plan"]
    assert {"model", "review.confidence", "review.suggest", "traffic.split[].weight"} <= KINDS["settings"]


def test_every_kind_of_event_has_its_details() -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    rows = re.findall(r"^\| (.+?) \|", page.partition("| kind | details |")[2], re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)`", " ".join(rows))) == KINDS["events"]


def test_every_glossary_word_is_a_name_in_the_code() -> None:
    words = re.findall(r"^\| \*\*([a-z-]+)\*\* \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert len(words) >= 18
    code = "\n".join(path.read_text() for path in (ROOT / "src" / "headgate").rglob("*.py")).lower()
    assert {word for word in words if not re.search(rf"\b{word}s?\b", code)} == set()


def test_every_make_target_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE)) == set(phony[1].split())


def test_constraints_name_versions_and_no_host() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 50
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []


def test_every_dependency_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[\[<>=!~]", each)[0].lower().replace("_", "-") for each in wanted}
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    # xgboost itself brings several hundred MB for GPUs; xgboost-cpu is the same library and is what is tested.
    assert names - pinned == {"xgboost"}


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
