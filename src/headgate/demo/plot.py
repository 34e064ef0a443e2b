"""One picture of the demo: the model's AUC month by month, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # before pyplot is imported: a server has no screen

from matplotlib import pyplot as plt


@dataclass(frozen=True, slots=True)
class Point:
    """One month of a metric; None where it was undefined."""

    month: str
    value: float | None
    low: float | None
    high: float | None


def plot_months(points: Sequence[Point], reference: float | None, path: Path) -> None:
    """Write the picture to `path` as SVG: points with intervals, the evaluation's figure as a dashed line."""
    known = [(i, p.value, p.low, p.high) for i, p in enumerate(points) if p.value is not None]
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    xs = [i for i, *_ in known]
    ys = [value for _, value, *_ in known]
    below = [value - (low if low is not None else value) for _, value, low, _ in known]
    above = [(high if high is not None else value) - value for _, value, _, high in known]
    axes.errorbar(xs, ys, yerr=[below, above], fmt="o-", capsize=4, color="#1f5a7a", label="served, with 95 % interval")
    if reference is not None:
        axes.axhline(reference, linestyle="--", color="#8a8a8a", label=f"held out before serving: {reference:.3f}")
    axes.axhline(0.5, linestyle=":", color="#c0392b", label="a coin")
    axes.set_xticks(range(len(points)), [p.month for p in points], rotation=30, ha="right")
    axes.set_ylabel("ROC AUC")
    axes.set_ylim(0.48, 0.78)
    axes.set_title("Late arrivals from New York, 2013: a model trained on January and February")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower left", frameon=False)
    figure.savefig(path)
    plt.close(figure)


@dataclass(frozen=True, slots=True)
class Line:
    """A policy, month by month; None where its AUC was undefined."""

    name: str
    values: tuple[float | None, ...]


def plot_policies(months: Sequence[str], lines: Sequence[Line], path: Path) -> None:
    """Write the picture to `path` as SVG: a line for each policy."""
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for line, style, colour in zip(lines, ("--", ":", "-"), ("#8a8a8a", "#b8860b", "#1f5a7a"), strict=True):
        known = [(place, value) for place, value in enumerate(line.values) if value is not None]
        axes.plot([x for x, _ in known], [y for _, y in known], f"o{style}", color=colour, label=line.name)
    axes.set_xticks(range(len(months)), list(months), rotation=30, ha="right")
    axes.set_ylabel("ROC AUC")
    axes.set_title("Late arrivals from New York, 2013: three ways to keep a model")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower left", frameon=False)
    figure.savefig(path)
    plt.close(figure)
