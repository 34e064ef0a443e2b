"""What is remembered of the diagnoses of an episode of alarms, and when it is looked at again.

An episode begins with the first alarm and goes on as long as any of its alerts stands. It is looked at when it begins,
and again whenever twice as many days have their labels: so what is said settles soon, and costs little; after four
weeks it is looked at every four weeks, the last four of them.
"""

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.vocabulary import DAY, Micros, readable

LONGEST: Final = 28
"""Days with labels that a diagnosis looks back at most."""
_NOTHING: Final = Estimate("", None, None, None, 0, "there was nothing to divide")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one diagnosis said, in short."""

    known: Micros
    """What was known at this moment was looked at."""
    start: Micros
    end: Micros
    inputs: int
    labelled: int
    metric: str
    drift: Drift
    remedy: Remedy
    drop: Estimate
    data: Estimate
    concept: Estimate


@readable
class Diagnosed(msgspec.Struct, frozen=True, kw_only=True):
    """The diagnoses of one episode of an endpoint.

    >>> first = Diagnosed(project="default", endpoint="late", began=Micros(0))
    >>> [first.due(Micros(each * DAY)) for each in (0, 1)]
    [True, True]
    >>> span = {"start": Micros(0), "end": Micros(3 * DAY), "known": Micros(3 * DAY)}
    >>> found = Diagnosis(version="late:1", matured=Micros(3 * DAY), inputs=0, labelled=0, **span)
    >>> after = first.after(found)
    >>> [after.due(Micros(each * DAY)) for each in (5, 6)], len(after.said)
    ([False, True], 1)
    """

    project: str
    endpoint: str
    began: Micros
    """Start of the day of the first alarm; of labels, of the day whose labels raised it."""
    alerts: tuple[str, ...] = ()
    """The alerts that were part of it."""
    said: tuple[Said, ...] = ()
    """What each diagnosis said, the first one first."""
    last: Diagnosis | None = None

    @property
    def end(self) -> Micros:
        """Before which moment it was looked at."""
        return self.began if self.last is None else self.last.end

    def due(self, matured: Micros) -> bool:
        """Whether to look at it, now that labels of days before `matured` are due."""
        if self.last is None:
            return True
        days, seen = (matured - self.began) // DAY, (self.last.matured - self.began) // DAY
        return days > 0 and days >= max(1, min(2 * seen, seen + LONGEST))

    def after(self, found: Diagnosis) -> "Diagnosed":
        """Once it was looked at again."""
        return msgspec.structs.replace(self, said=(*self.said, in_short(found)), last=found)

    def joined(self, alerts: Iterable[str]) -> "Diagnosed":
        """With alerts that stand meanwhile."""
        return msgspec.structs.replace(self, alerts=tuple(dict.fromkeys((*self.alerts, *alerts))))


class DiagnosisStore(Protocol):
    """Where diagnoses are kept; every call is one transaction."""

    def keep_diagnosis(self, diagnosed: Diagnosed) -> None:
        """Keep it, in place of what there is of the episode."""
        ...

    def diagnoses(self, project: str, endpoint: str) -> list[Diagnosed]:
        """Every episode of an endpoint, the last one last."""
        ...


def in_short(found: Diagnosis) -> Said:
    """What it said."""
    main = found.main
    return Said(
        known=found.known,
        start=found.start,
        end=found.end,
        inputs=found.inputs,
        labelled=found.labelled,
        metric=found.metric,
        drift=found.drift,
        remedy=found.remedy,
        drop=_NOTHING if main is None else main.drop,
        data=_NOTHING if main is None else main.data,
        concept=_NOTHING if main is None else main.concept,
    )
