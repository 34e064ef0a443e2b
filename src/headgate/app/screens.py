"""Fits the detectors that traffic names, once each, and keeps them where gateways read them."""

import json
import logging
from dataclasses import dataclass
from typing import Final, NoReturn

from headgate.app.references import comparable, reference_rows
from headgate.contracts.text import from_document
from headgate.errors import BadConfiguration, HeadgateError
from headgate.monitors.outliers.fits import rows_needed, tabular_detector
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
    contract = package.contract
    if traffic.contract is not None:
        contract = from_document(json.loads(traffic.contract), "the endpoint's contract")
    fields = comparable(package, contract)
    if not fields:
        _refuse(screen, f"{traffic.live} has no public field of numbers, truth values or categories to look at")
    rows = reference_rows(package, fields)
    if rows is None:
        _refuse(screen, f"{traffic.live} has no reference to compare with: it was taken away, or registered without")
    rarest = min(each for each in (screen.flag, screen.reject) if each is not None)
    needed = rows_needed(rarest)
    if rows.num_rows < needed:
        has = f"the reference of {traffic.live} has {rows.num_rows:,} rows and {words_of(rarest)} needs {needed:,}"
        _refuse(screen, f"{has}: state a rate that is less rare, or register it with more (a package keeps at most {SAMPLE_ROWS:,})")
    # Where nothing is flagged, what is refused is all there is: a row beyond both is refused.
    detector = tabular_detector(rows, flag=screen.flag or rarest, reject=screen.reject)
    if isinstance(detector, Shortfall):
        _refuse(screen, f"{traffic.live}: {detector.reason}")
    return detector


def _refuse(screen: Screen, why: str) -> NoReturn:
    raise BadConfiguration("outliers.flag" if screen.reject is None else "outliers", why)
