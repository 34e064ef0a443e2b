"""Fits the detectors that traffic names, once each, and keeps them where gateways read them."""

import json
import logging
from dataclasses import dataclass
from typing import Final, NoReturn

import pyarrow as pa

from headgate.app.references import (
    LARGEST_VECTOR,
    comparable,
    reference_rows,
    reference_vectors,
    vector_fields,
)
from headgate.contracts.text import from_document
from headgate.errors import BadConfiguration, HeadgateError
from headgate.evaluation.estimate import Floats
from headgate.monitors.outliers.fits import embedding_detector, rows_needed, tabular_detector
from headgate.monitors.outliers.screen import Detector
from headgate.monitors.standing import Shortfall
from headgate.registry.packages import Package, PackageStore
from headgate.registry.reference import SAMPLE_ROWS
from headgate.settings import Home
from headgate.store.detectors import FileDetectors
from headgate.traffic.outliers import Screen, words_of
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import Digest

log: Final = logging.getLogger("headgate.app")


@dataclass(frozen=True, slots=True)
class Screens:
    """The detectors of an installation."""

    packages: PackageStore
    kept: FileDetectors

    @classmethod
    def of(cls, home: Home) -> "Screens":
        """Those of a home."""
        return cls(PackageStore(home.packages), FileDetectors(home.detectors))

    def check(self, traffic: Traffic) -> None:
        """Have the detector that `traffic` names: fitted now, or long ago, and then nothing is done.

        Raises BadConfiguration, naming the key of the endpoint's file, where it cannot be fitted.
        """
        screen, live = traffic.screen, traffic.member(traffic.live)
        if screen is None or live is None or self.kept.has(screen.detector):
            return
        package = self.packages.open(Digest(live.digest))
        self.kept.keep(screen.detector, _fitted(package, traffic, screen))

    def prepare(self, traffic: Traffic) -> None:
        """The same for a version that took an endpoint over: where it has none, rows are answered and not looked at."""
        try:
            self.check(traffic)
        except (HeadgateError, OSError) as error:
            where = f"{traffic.project}/{traffic.endpoint}"
            log.error("%s: rows are not looked at for outliers: %s", where, error)


def _fitted(package: Package, traffic: Traffic, screen: Screen) -> Detector:
    rows, field = _reference(package, traffic, screen)
    rarest = min(each for each in (screen.flag, screen.reject) if each is not None)
    needed = rows_needed(rarest)
    if len(rows) < needed:
        has = f"the reference of {traffic.live} has {len(rows):,} rows and {words_of(rarest)} needs {needed:,}"
        _refuse(
            screen, f"{has}: state a rate that is less rare, or register it with more (a package keeps {SAMPLE_ROWS:,})"
        )
    # Where nothing is flagged, what is refused is all there is: a row beyond both is refused.
    flag = screen.flag or rarest
    if isinstance(rows, pa.Table):
        detector = tabular_detector(rows, flag=flag, reject=screen.reject)
    else:
        detector = embedding_detector(rows, flag=flag, reject=screen.reject, field=field)
    if isinstance(detector, Shortfall):
        _refuse(screen, f"{traffic.live}: {detector.reason}")
    return detector


def _reference(package: Package, traffic: Traffic, screen: Screen) -> tuple[pa.Table | Floats, str]:
    """The rows to fit on: fields by name, or the vectors of one field and its name."""
    contract = package.contract
    if traffic.contract is not None:
        contract = from_document(json.loads(traffic.contract), "the endpoint's contract")
    fields, vectors = comparable(package, contract), vector_fields(package, contract)
    if not fields and len(vectors) != 1:
        _refuse(
            screen,
            f"{traffic.live} has no public field of numbers, truth values or categories to look at, "
            f"and not one tensor of a fixed shape of at most {LARGEST_VECTOR:,} numbers",
        )
    rows = reference_rows(package, fields) if fields else reference_vectors(package, vectors[0])
    if rows is None:
        _refuse(screen, f"{traffic.live} has no reference to compare with: it was taken away, or registered without")
    return rows, "" if fields else vectors[0].name


def _refuse(screen: Screen, why: str) -> NoReturn:
    raise BadConfiguration("outliers.flag" if screen.reject is None else "outliers", why)
