"""Plain tables for a terminal: columns aligned, numbers to the right, nothing wider than it must be."""

from collections.abc import Sequence

from headgate.evaluation.estimate import Estimate


def digits(value: float, sign: str = "") -> str:
    """A number to four digits, with its sign if `sign` is ``+``; nothing that is only rounding error.

    >>> digits(0.5), digits(-0.0123456), digits(1e-17), digits(12345.6), digits(0.25, "+")
    ('0.5000', '-0.01235', '0', '12,346', '+0.2500')
    """
    if abs(value) < 1e-12:
        return "0"
    if abs(value) >= 1e15:
        return f"{value:{sign}.3e}"
    return f"{value:{sign},.0f}" if abs(value) >= 9999.5 else f"{value:{sign}#.4g}".rstrip(".")


def shown(figure: Estimate | None, sign: str = "") -> str:
    """A figure with its interval, or a dash.

    >>> shown(Estimate("auc", 0.71234, 0.69, 0.73, 2000)), shown(None)
    ('0.7123 (0.6900 to 0.7300)', '-')
    """
    if figure is None or figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return digits(figure.value, sign)
    return f"{digits(figure.value, sign)} ({digits(figure.low, sign)} to {digits(figure.high, sign)})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, gap: str = "  ") -> str:
    """The rows under their heads, the first `left` columns flush left and the others flush right.

    >>> print(table(["month", "rows"], [["March", "27902"], ["April", "9"]]))
    month   rows
    March  27902
    April      9
    """
    everything = [head, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return gap.join(cells).rstrip()

    return "\n".join(line(row) for row in everything)
