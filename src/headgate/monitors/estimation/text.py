"""A window's figures for a terminal, with what has to hold for them in plain words."""

from typing import Final

from headgate.evaluation.table import digits, shown, table
from headgate.monitors.estimation.figure import Figure, Performance

_WORDS: Final = {True: "holds", False: "does not hold", None: "nobody knows"}


def as_text(found: Performance) -> str:
    """The figures in a table, why others have no value, and every limit.

    >>> from headgate.evaluation.estimate import Estimate
    >>> from headgate.monitors.bands import Band
    >>> from headgate.monitors.estimation.expectations import Source
    >>> from headgate.monitors.estimation.figure import Limit
    >>> from headgate.monitors.standing import Standing
    >>> auc = Estimate("auc", 0.71, 0.69, 0.73, 2000)
    >>> figure = Figure(estimate=auc, source=Source.ESTIMATED, standing=Standing.MEASURED, band=Band(0.74, 0.8, 10))
    >>> limit = Limit("size", True, "on 2,000 rows chance alone moves auc by 0.010 (one standard error)")
    >>> print(as_text(Performance(rows=2000, labelled=0, confidence=0.95, figures={"auc": figure}, limits=(limit,))))
    2,000 rows, 0 labelled (0 %), 95 % intervals
    <BLANKLINE>
    metric                      value  from       band
    auc     0.7100 (0.6900 to 0.7300)  estimated  0.7400 to 0.8000, outside
    <BLANKLINE>
    size holds: on 2,000 rows chance alone moves auc by 0.010 (one standard error)
    """
    share = f" ({found.coverage * 100:.0f} %)" if found.coverage is not None else ""
    head = f"{found.rows:,} rows, {found.labelled:,} labelled{share}, {found.confidence * 100:g} % intervals"
    lines = [head, ""]
    known = [each for each in found.figures.values() if each.estimate.value is not None]
    if known:
        lines.append(_figures(known))
    lines.extend(each.sentence for each in found.figures.values() if each.estimate.value is None)
    if found.limits:
        lines.append("")
    lines.extend(f"{each.name} {_WORDS[each.holds]}: {each.sentence}" for each in found.limits)
    return "\n".join(lines)


def _figures(known: list[Figure]) -> str:
    """Columns of a table; the last two are words, so they stand to the left."""
    values = [shown(each.estimate) for each in known]
    width = max(len(each) for each in [*values, "value"])
    rows = [
        [each.estimate.name, value.rjust(width), str(each.source), _band(each)]
        for each, value in zip(known, values, strict=True)
    ]
    return table(["metric", "value".rjust(width), "from", "band"], rows, left=4)


def _band(figure: Figure) -> str:
    if figure.band is None:
        return "-"
    said = f"{digits(figure.band.low)} to {digits(figure.band.high)}"
    return f"{said}, outside" if figure.outside else said
