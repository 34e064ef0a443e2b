"""Portions as monitors are handed them, written row by row."""

from collections.abc import Sequence

from tests.monitors.joined import Row, table

from headgate.contracts.contract import Output
from headgate.evaluation.report import Report
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.monitor import Portion
from headgate.monitors.watch.scene import Scene
from headgate.vocabulary import HOUR, Micros, Role, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
VERSION = "flight:1"
SOURCE = Source("default", "flights", (Role.LIVE,))


def hour_of(rows: Sequence[Row], start: int, *, requests: Sequence[str] = ()) -> Portion:
    """An hour's rows, of one request each unless these are named."""
    scene = Scene(SOURCE, VERSION, OUTPUT)
    named = table(rows).append_column("request_id", [list(requests) or [f"r{place}" for place in range(len(rows))]])
    [portion, _] = [each for each in scene.hours(named, Micros(start), Micros(start + HOUR)) if len(each)]
    return portion


def day_of(rows: Sequence[Row], start: int, reference: Report | None = None) -> Portion:
    """A day's rows with their labels."""
    scene = Scene(SOURCE, VERSION, OUTPUT, reference=reference)
    return scene.day(table(rows), Micros(start))
