"""Every name a user can meet is in the documentation, once the page that lists its kind is there."""

import re
from pathlib import Path

import click

from headgate import errors, events, settings
from headgate.cli.main import headgate_command

ROOT = Path(__file__).parent.parent.parent


def _metrics() -> set[str]:
    pattern = re.compile(r'"(headgate_[a-z0-9_]+)"')
    sources = (ROOT / "src" / "headgate" / "gateway" / "metrics").rglob("*.py")
    return {name for source in sources for name in pattern.findall(source.read_text())}


def _verbs() -> set[str]:
    return {f"headgate {name}" for name in headgate_command.list_commands(click.Context(headgate_command))}


KINDS = {
    "cli": _verbs(),
    "errors": {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)},
    "events": {kind.value for kind in events.EventKind},
    "metrics": _metrics(),
    "settings": set(settings.Settings.__dataclass_fields__) - {"home"},
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
