"""Answers that are kept from look to look: columns that grow at their end, of which a look gets views, not copies."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Ints
from headgate.rollouts.answers import PLACE, Answers, Arms, Pairs

_LEAST: Final = 1024
"""Rows for which there is room from the beginning."""
_MORE: Final = "more."
"""What the names of columns begin with that guards look at beside the answers."""


class Grown:
    """Named columns with as many rows each; rows from some place on may be put anew, those before stay as they are."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {}
        self.count = 0
        """Rows of each."""

    def fits(self, columns: Mapping[str, NDArray[Any]]) -> bool:
        """Whether `columns` have the types of those that are here."""
        return all(
            name not in self._columns or self._columns[name].dtype == each.dtype for name, each in columns.items()
        )

    def put(self, start: int, columns: Mapping[str, NDArray[Any]]) -> None:
        """Have these rows from `start` on, and nothing behind them."""
        for name, values in columns.items():
            held = _with_room(self._columns.get(name, values[:0]), start + len(values))
            held[start : start + len(values)] = values
            self._columns[name] = held
            self.count = start + len(values)

    def view(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows of a column; they change when rows are put there."""
        return self._columns[name][start : self.count if stop is None else stop]

    def names(self, beginning: str) -> list[str]:
        """Columns whose names begin so."""
        return [each for each in self._columns if each.startswith(beginning)]


class GrownAnswers:
    """Inputs of one source in the order of event time: of each what was said, `sides` of it, and its number.

    >>> grown = GrownAnswers(("answers",), classes=2)
    >>> len(grown)
    0
    """

    def __init__(self, sides: tuple[str, ...], classes: int) -> None:
        self._rows = Grown()
        self._sides = sides
        self._classes = classes

    def __len__(self) -> int:
        return self._rows.count

    def fits(self, rows: Pairs | Arms) -> bool:
        """Whether `rows` have columns of the types that are here."""
        return self._rows.fits(self._flat(rows))

    def put(self, start: int, rows: Pairs | Arms) -> None:
        """Have `rows` from `start` on; their truth is not known yet."""
        self._rows.put(start, self._flat(rows))

    def at(self, start: int = 0, stop: int | None = None) -> Ints:
        """Event times."""
        return self._column("at", start, stop)

    def numbers(self, start: int, stop: int) -> Ints:
        """Of inputs."""
        return self._column(PLACE, start, stop)

    def learn(self, start: int, truth: NDArray[Any], labelled: NDArray[np.bool_]) -> None:
        """What turned out to be true of the rows from `start` on."""
        for side in self._sides:
            self._rows.view(f"{side}.truth", start, start + len(truth))[:] = truth
            self._rows.view(f"{side}.labelled", start, start + len(truth))[:] = labelled

    def pairs(self, start: int, stop: int) -> Pairs:
        """Inputs that both versions were asked."""
        return Pairs(*(self._answers(side, start, stop) for side in self._sides))

    def arms(self, start: int, stop: int) -> Arms:
        """Inputs that were divided between them."""
        answers = self._answers(self._sides[0], start, stop)
        return Arms(answers, self._column("candidate", start, stop), self._column("shares", start, stop))

    def _column(self, name: str, start: int, stop: int | None) -> NDArray[Any]:
        return self._rows.view(name, start, stop)

    def _flat(self, rows: Pairs | Arms) -> dict[str, NDArray[Any]]:
        if isinstance(rows, Pairs):
            said = dict(zip(self._sides, (rows.live, rows.candidate), strict=True))
            flat: dict[str, NDArray[Any]] = {}
        else:
            said = {self._sides[0]: rows.answers}
            flat = {"candidate": rows.candidate, "shares": rows.shares}
        first = next(iter(said.values()))
        flat |= {"at": first.at, PLACE: first.more[PLACE].astype(np.int64)}
        for side, each in said.items():
            flat |= {f"{side}.{name}": getattr(each, name) for name in _PLAIN}
            if self._classes:
                flat[f"{side}.scores"] = self._scores(each)
            flat |= {f"{side}.{_MORE}{name}": column for name, column in each.more.items() if name != PLACE}
        return flat

    def _scores(self, answers: Answers) -> Floats:
        nothing = np.full((len(answers), self._classes), np.nan)
        return nothing if answers.scores is None else answers.scores

    def _answers(self, side: str, start: int, stop: int) -> Answers:
        more = f"{side}.{_MORE}"
        plain = {name: self._column(f"{side}.{name}", start, stop) for name in _PLAIN}
        return Answers(
            at=self._column("at", start, stop),
            scores=self._column(f"{side}.scores", start, stop) if self._classes else None,
            more={name.removeprefix(more): self._column(name, start, stop) for name in self._rows.names(more)},
            **plain,
        )


_PLAIN: Final = ("predicted", "compute_us", "failed", "truth", "labelled")


def _with_room(held: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array itself, or twice as long as needed, so that a row is copied once or twice however many come."""
    if rows <= len(held):
        return held
    longer = np.empty((max(_LEAST, 2 * rows), *held.shape[1:]), held.dtype)
    longer[: len(held)] = held
    return longer
