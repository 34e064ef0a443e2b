"""Two simpler ways to keep a model, beside the replay: the first one for ever, and always the latest.

Worked out in a process of its own, at low priority: a machine that serves does not learn on the side.
"""

import multiprocessing
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headgate.demo.flights import FEATURES, Flights, load_flights
from headgate.demo.train import AGAIN, FIRST, LAST_TRAINING_MONTH, fit, split, training_flights, with_label
from headgate.errors import Unavailable
from headgate.processor import step_back
from headgate.vocabulary import DAY

WEEK: Final = 7 * DAY
NICE: Final = 19
"""How far it stands back for the installation that serves."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What each flight of the file would have been told; NaN where none was asked. By line of the file."""

    static: NDArray[np.float64]
    """By the model of January and February."""
    latest: NDArray[np.float64]
    """By the one that was learned last."""
    learned: int
    """How often another one took over."""


def beside(every: int, rows: NDArray[np.int64]) -> Beside:
    """The policies on the flights of these lines, with a model learned `every` so many microseconds."""
    flights = load_flights()
    labelled = flights.select(~np.isnan(flights.late))
    asked = flights.select(np.isin(flights.row, rows) & (flights.month > LAST_TRAINING_MONTH))
    with threadpool_limits(1):
        static = _scores(split(training_flights(flights))[0], asked, FIRST)
        latest, learned = static.copy(), 0
        for moment in range(int(asked.at[0]) // DAY * DAY + every, int(asked.at[-1]), every):
            later = (asked.at >= moment) & (asked.at < moment + every)
            latest[later] = _scores(labelled.select(labelled.landed_at < moment), asked.select(later), AGAIN)
            learned += 1
    return Beside(_by_row(static, asked, len(flights)), _by_row(latest, asked, len(flights)), learned)


def _scores(known: Flights, asked: Flights, words: Mapping[str, Any]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = fit(with_label(known), words).predict_proba(asked.features[list(FEATURES)])[:, 1]
    return found


def _by_row(scores: NDArray[np.float64], asked: Flights, count: int) -> NDArray[np.float64]:
    whole = np.full(count, np.nan)
    whole[asked.row] = scores
    return whole


class InTheBackground(AbstractContextManager["InTheBackground"]):
    """The policies, at work from the first moment; a context, so that nothing goes on working when it is left."""

    def __init__(self, every: int, rows: NDArray[np.int64]) -> None:
        """See `beside`."""
        # A new interpreter: a fork would take the threads of this one's libraries with it, asleep.
        fresh = multiprocessing.get_context("spawn")
        self._answer, there = fresh.Pipe(duplex=False)
        self._process = fresh.Process(target=_work, args=(there, every, rows), daemon=True)
        self._process.start()
        there.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def found(self) -> Beside:
        """What they came to, once they have. Raises Unavailable when their process has ended without saying."""
        try:
            found: Beside = self._answer.recv()
        except EOFError as error:
            raise Unavailable("what other policies would have said was not worked out: their process ended") from error
        return found


def _work(answer: Connection, every: int, rows: NDArray[np.int64]) -> None:
    os.setsid()  # one of its own: it is sessions that share a processor first, and the replay's is not to step back
    step_back(0, NICE)
    answer.send(beside(every, rows))
