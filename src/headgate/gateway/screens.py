"""Rows unlike the reference are flagged or refused, all of a tick at once, before any version is asked.

`answer.py` has the rows of a view looked at where its endpoint's file asks for it; of the others it looks at one None a
tick. What is found is written into what a door read, as if the contract had said so: flags and refusals then go the way
of every other flag and refusal. A screen that fails leaves rows as they are.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from headgate.contracts.contract import Contract
from headgate.errors import HeadgateError
from headgate.gateway.metrics.counting import EndpointCount
from headgate.gateway.reading import Reading
from headgate.gateway.screening import RowScreen, row_screen
from headgate.monitors.outliers.screen import Detector, OutlierScreen
from headgate.traffic.traffic import Traffic

_LOG: Final = logging.getLogger(__name__)


class Detectors(Protocol):
    """Where detectors come from; store.detectors.FileDetectors is one."""

    def open(self, name: str) -> Detector:
        """The detector of that name. Raises HeadgateError where there is none that can be read."""
        ...


class Chosen(Protocol):
    """A version that a caller named."""

    @property
    def version(self) -> str:
        """``model:number``."""
        ...


class Asked(Protocol):
    """A request that was read; `ask.Ask` is one."""

    @property
    def reading(self) -> Reading:
        """What its door read."""
        ...

    @property
    def pinned(self) -> Chosen | None:
        """The version the caller named, by whose contract the rows are ordered then."""
        ...


class Screens:
    """What the rows of one view are held against, in the order of each version's contract."""

    def __init__(
        self, screen: OutlierScreen | None, contracts: Mapping[str, Contract], live: str, count: EndpointCount
    ) -> None:
        """None screens nothing and counts every row: there should be a screen, and there is none."""
        self._screens: dict[str, RowScreen | None] = {}
        if screen is not None:
            self._screens = {name: row_screen(screen, each) for name, each in contracts.items()}
        self._live = live
        self._count = count
        count.outlying(0, 0)  # from zero, for an alert that looks for growth cannot see a first one else
        count.unscreened(0)
        self._has_failed = False

    def look(self, asks: Iterable[Asked]) -> None:
        """Write into these requests which of their rows are unlike the reference; raises nothing."""
        read: dict[str, list[Reading]] = {}
        for ask in asks:
            read.setdefault(self._live if ask.pinned is None else ask.pinned.version, []).append(ask.reading)
        for version, readings in read.items():
            self._judge(self._screens.get(version), readings)

    def _judge(self, screen: RowScreen | None, readings: Sequence[Reading]) -> None:
        if screen is None:
            self._count.unscreened(sum([len(each.rows) for each in readings]))
            return
        try:
            flagged, refused = screen.mark(readings)
        except Exception:  # whatever it is: a caller's answer must not depend on what only looks at the row
            self._judge_apart(screen, readings)
        else:
            if flagged or refused:
                self._count.outlying(flagged, refused)

    def _judge_apart(self, screen: RowScreen, readings: Sequence[Reading]) -> None:
        """One by one, for a request that cannot be judged must not hide those that came in the same turn."""
        if len(readings) > 1:
            for each in readings:
                self._judge(screen, [each])
            return
        self._count.unscreened(len(readings[0].rows))
        if not self._has_failed:
            _LOG.exception("rows could not be looked at for outliers, and are answered (this is not repeated)")
        self._has_failed = True


class Shelf:
    """The detectors that traffic names, each read once, beside the event loop."""

    def __init__(self, detectors: Detectors | None) -> None:
        """Without any, what is named is not there."""
        self._detectors = detectors
        self._read: dict[str, OutlierScreen | None] = {}

    async def read(self, traffic: Iterable[Traffic]) -> None:
        """Have what these name and forget everything else; one that cannot be read is told, and is not there."""
        named = {each.screen.detector for each in traffic if each.screen is not None}
        self._read = {name: screen for name, screen in self._read.items() if name in named}
        for name in named - self._read.keys():
            self._read[name] = await asyncio.get_running_loop().run_in_executor(None, self._open, name)

    def of(self, traffic: Traffic) -> OutlierScreen | None:
        """What the rows of an endpoint are held against; None where there is none, or none could be read."""
        return None if traffic.screen is None else self._read.get(traffic.screen.detector)

    def _open(self, name: str) -> OutlierScreen | None:
        if self._detectors is None:
            return None
        try:
            return OutlierScreen(self._detectors.open(name))
        except HeadgateError as error:
            _LOG.error("rows are not looked at for outliers: %s", error)
        except Exception:  # a detector that was tampered with must not keep an endpoint from its newest revision
            _LOG.exception("rows are not looked at for outliers: the detector %s means nothing", name[:12])
        return None


def screens_of(
    traffic: Traffic, screen: OutlierScreen | None, contracts: Mapping[str, Contract], count: EndpointCount
) -> Screens | None:
    """What is to look at the rows of `traffic`, by version and contract; None where nothing is."""
    return None if traffic.screen is None else Screens(screen, contracts, traffic.live, count)
