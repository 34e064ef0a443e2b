"""The registry as its readers see it: versions, aliases, evaluations, history. App, CLI and controller call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from headgate.clock import Clock
from headgate.errors import BadInput, NotFound
from headgate.events import Event, EventKind
from headgate.registry.packages import Package, PackageStore
from headgate.registry.ports import Evaluation, EventLog, RegistryStore, Version
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, Digest, readable

CHAMPION = "champion"
"""The alias of the version newcomers are measured against."""


class Records(RegistryStore, EventLog, Protocol):
    """What the registry needs of a store: versions, and the history of the installation."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Which versions of which models exist, where they came from, and what was proved about them."""

    records: Records
    packages: PackageStore
    clock: Clock

    def versions(self, model: str | None = None, *, project: str = DEFAULT_PROJECT) -> list[Version]:
        """Every version of `model`, or of all models, by model and number."""
        return self.records.versions(project, model)

    def resolve(self, ref: str, *, project: str = DEFAULT_PROJECT) -> Version:
        """The version that ``model`` (its newest), ``model:3`` or ``model@champion`` speaks of.

        Raises BadInput for another spelling, NotFound saying what there is.
        """
        model, sign, rest = _split(ref)
        versions = self._of(project, model)
        if not sign:
            return versions[-1]
        if sign == "@":
            aliases = self.records.aliases(project, model)
            if rest not in aliases:
                raise NotFound(
                    "alias", ref, _there("Aliases", [f"{model}@{each}" for each in sorted(aliases)], "alias")
                )
            rest = str(aliases[rest])
        for version in versions:
            if version.number == int(rest):
                return version
        raise NotFound("version", ref, _there("Versions", [each.ref for each in versions]))

    def package(self, version: Version) -> Package:
        """The package of a version, checked. Raises NotFound or IntegrityError."""
        return self.packages.open(Digest(version.digest))

    def set_alias(self, ref: str, alias: str, *, actor: str, why: str = "", project: str = DEFAULT_PROJECT) -> Version:
        """Point ``model@alias`` at the version `ref` speaks of, and remember who did it.

        Raises BadInput for an alias that is no name, NotFound for a version there is not.
        """
        if not NAME.fullmatch(alias) or alias.isdigit():
            raise BadInput("alias", "domain", f"must match {NAME_RULE} and not be a number alone")
        version = self.resolve(ref, project=project)
        before = self.records.aliases(project, version.model).get(alias)
        self.records.set_alias(project, version.model, alias, version.number)
        was = "" if before is None else f"{version.model}:{before}"
        self.note(EventKind.ALIASED, version, actor=actor, why=why, details={"alias": alias}, change=(was, version.ref))
        return version

    def aliases(self, model: str, *, project: str = DEFAULT_PROJECT) -> dict[str, int]:
        """Version numbers of `model` by alias."""
        return self.records.aliases(project, model)

    def champion(self, model: str, *, project: str = DEFAULT_PROJECT) -> Version | None:
        """The version ``model@champion`` speaks of, if anyone set it."""
        number = self.records.aliases(project, model).get(CHAMPION)
        return next((each for each in self.records.versions(project, model) if each.number == number), None)

    def evaluations(self, version: Version) -> list[Evaluation]:
        """Every measurement of a version, oldest first."""
        return self.records.evaluations(version.project, version.ref)

    def proved(self, version: Version) -> bool:
        """Whether the latest evaluation of a version that had gates passed them; False when there is none.

        One without gates only looks: it must not take a version that answers callers away from them.
        """
        judged = (each.passed for each in reversed(self.evaluations(version)) if each.passed or _has_gates(each))
        return next(judged, False)

    def lineage(self, version: Version) -> list[Version]:
        """A version and its ancestors, youngest first; it ends where a parent is not here."""
        line = [version]
        known = {each.ref: each for each in self.records.versions(version.project)}
        while (parent := known.get(line[-1].parent or "")) is not None and parent not in line:
            line.append(parent)
        return line

    def history(self, version: Version, limit: int = 100) -> list[Event]:
        """What happened to a version, newest first."""
        return self.records.events(version.project, version.ref, limit)

    def note(
        self,
        kind: EventKind,
        version: Version,
        *,
        actor: str,
        why: str = "",
        details: dict[str, str | int | float | bool | None] | None = None,
        change: tuple[str, str] = ("", ""),
    ) -> Event:
        """Remember that something happened to a version, and return what was written; `change` is before and after."""
        event = Event(self.clock.now(), kind, version.project, version.ref, actor, why, details or {}, *change)
        self.records.add_event(event)
        return event

    def _of(self, project: str, model: str) -> list[Version]:
        versions = self.records.versions(project, model)
        if not versions:
            models = sorted({each.model for each in self.records.versions(project)})
            raise NotFound("model", model, _there("Models", models))
        return versions


@readable
class _Asked(msgspec.Struct):
    gates: list[msgspec.Raw] = []


def _has_gates(evaluation: Evaluation) -> bool:
    return bool(msgspec.json.decode(evaluation.report, type=_Asked).gates)


def _split(ref: str) -> tuple[str, str, str]:
    for sign in (":", "@"):
        model, found, rest = ref.partition(sign)
        if found:
            break
    good = NAME.fullmatch(model) and (not found or (rest.isascii() and rest.isdigit() if sign == ":" else rest))
    if not good:
        raise BadInput("version", "type", "must be 'model', 'model:3' or 'model@alias'")
    return model, found, rest


def _there(what: str, names: Sequence[str], verb: str = "register") -> str:
    shown = ", ".join(names[-10:])
    return f"{what} here: {shown}" if names else f"There is none yet; run: headgate {verb}"
