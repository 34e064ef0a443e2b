"""The bar that demos of flights show while they replay; shared by their commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from headgate.demo.replay import Progress as Told

_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@contextmanager
def watched(console: Console) -> Iterator[tuple[Told, Callable[[str], None]]]:
    """What is told of the replay's progress and of its parts, shown while the context lasts."""
    with _bar(console) as bar:
        task = bar.add_task("", total=None, month="")

        def progress(done: int, total: int, month: int) -> None:
            bar.update(task, completed=done, total=total, month=_MONTHS[month], visible=True)

        def said(line: str) -> None:
            bar.console.print(f"[bold]•[/] {line}", highlight=False)

        yield progress, said


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.fields[month]:>3}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
