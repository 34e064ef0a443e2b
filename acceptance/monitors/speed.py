"""Speed and judgement: every line of the issue, from the reports that `make bench-monitors` writes."""

from typing import Any, Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
COLUMNS: Final = "python -m benchmarks.monitors.columns --peers"
ESTIMATES: Final = "python -m benchmarks.monitors.estimates --peers"
AGREEMENT: Final = "python -m benchmarks.monitors.agreement"
CALIBRATION: Final = "python -m benchmarks.monitors.calibration"
FALSE_ALARMS: Final = "python -m benchmarks.monitors.false_alarms"
DIAGNOSIS: Final = "python -m benchmarks.monitors.diagnosis"
TICKS: Final = "python -m benchmarks.monitors.ticks"
METRICS: Final = ("accuracy", "log_loss", "auc")
TWENTY: Final = "20 columns"


def columns(bench: Bench) -> dict[str, Any]:
    """Columns of a million rows, beside the peers."""
    return report(bench, "monitors.columns", "columns.json", "--peers")


def estimates(bench: Bench) -> dict[str, Any]:
    """CBPE of a million rows, beside NannyML."""
    return report(bench, "monitors.estimates", "estimates.json", "--peers")


def agreement(bench: Bench) -> dict[str, Any]:
    """Figures of the peers beside ours."""
    return report(bench, "monitors.agreement", "agreement.json")


def calibration(bench: Bench) -> dict[str, Any]:
    """Rules on windows without drift, and with it."""
    return report(bench, "monitors.calibration", "calibration.json")


def false_alarms(bench: Bench) -> dict[str, Any]:
    """Lives of endpoints."""
    return report(bench, "monitors.false_alarms", "false_alarms.json")


def diagnosis(bench: Bench) -> dict[str, Any]:
    """Planted drift."""
    return report(bench, "monitors.diagnosis", "diagnosis.json")


def worst(found: dict[str, Any], *words: str, count: int, at_least: float) -> Measured:
    """The smallest value of the gates whose sentence holds all `words`, of which there must be `count`."""
    values = [each["value"] for each in found["gates"] if all(word in each["says"] for word in words)]
    if len(values) != count:
        raise Red(f"{len(values)} gates speak of {' and '.join(words)}")
    return Measured(min(values), at_least, at_least=True)


@SUITE.row("speed-sketched", "a million rows x 50 columns from sketches, one core, s", COLUMNS)
def sketched(bench: Bench) -> Measured:
    return gate(columns(bench), "sketched: seconds", limit=1.0)


@SUITE.row("speed-bound", "with a printed error bound: of Kolmogorov-Smirnov's statistic, the largest", COLUMNS)
def bound(bench: Bench) -> Measured:
    row = next(each for each in columns(bench)["rows"] if each["who"] == "headgate, sketched")
    if not row["Wasserstein/sd error at most"] > 0:
        raise Red("Wasserstein has no bound")
    return Measured(row["KS error at most"], 0.01)


@SUITE.row("speed-exact", "the same exactly, s", COLUMNS)
def exact(bench: Bench) -> Measured:
    return gate(columns(bench), "exact: seconds", limit=5.0)


@SUITE.row("speed-scipy", "exact is SciPy's KS, p and Wasserstein: relative difference / 1e-9", COLUMNS)
def scipy(bench: Bench) -> Measured:
    return gate(columns(bench), "SciPy", limit=1.0)


@SUITE.row("speed-memory", "peak memory over the imports, either way, MB", COLUMNS)
def memory(bench: Bench) -> Measured:
    found = columns(bench)
    ways = [gate(found, f"{way}: MB over imports", limit=600.0) for way in ("sketched", "exact")]
    return max(ways, key=lambda each: each.value)


@SUITE.row("speed-evidently", "from sketches, times as fast as Evidently's drift preset in the same run", COLUMNS)
def evidently(bench: Bench) -> Measured:
    return gate(columns(bench), "sketched: times as fast as evidently", limit=100.0, at_least=True)


@SUITE.row("speed-evidently-exact", "and exactly", COLUMNS)
def evidently_exact(bench: Bench) -> Measured:
    return gate(columns(bench), "exact: times as fast as evidently", limit=20.0, at_least=True)


@SUITE.row("speed-nannyml", "from sketches, times as fast as NannyML's univariate drift in the same run", COLUMNS)
def nannyml(bench: Bench) -> Measured:
    return gate(columns(bench), "times as fast as nannyml", limit=4.0, at_least=True)


@SUITE.row("speed-cbpe", "CBPE of a million rows, times as fast as NannyML's in the same run", ESTIMATES)
def cbpe(bench: Bench) -> Measured:
    return gate(estimates(bench), "times as fast as nannyml", limit=4.0, at_least=True)


@SUITE.row(
    "speed-calibration",
    "the calibration table: our false alarms under no drift in every row, as a share of what chance makes of the "
    "nominal rate, the largest",
    CALIBRATION,
)
def calibrated(bench: Bench) -> Measured:
    gates = calibration(bench)["gates"]
    if len(gates) < 20:
        raise Red(f"{len(gates)} rows")
    return Measured(max(each["value"] for each in gates), 1.0)


@SUITE.row("speed-twenty", "the rows of 20 features: our share of windows that alarm on any, the largest", CALIBRATION)
def twenty(bench: Bench) -> Measured:
    rows = [each for each in calibration(bench)["rows"] if TWENTY in each["setting"]]
    if len(rows) != 3:
        raise Red(f"{len(rows)} rows of {TWENTY}")
    return Measured(max(each["ours"] for each in rows), 0.05 + 3 * (0.05 * 0.95 / rows[0]["runs"]) ** 0.5)


@SUITE.row(
    "speed-power",
    "the power curve beside it: how often we find the largest planted shift in windows of 200 rows or more, the least",
    CALIBRATION,
)
def power(bench: Bench) -> Measured:
    rows = calibration(bench)["rows"]
    if not all({"ours at 0.1", "ours at 0.25", "ours at 0.5"} <= set(each) for each in rows):
        raise Red("no power curve")
    large = [each for each in rows if not each["setting"].endswith(("/50", "/100"))]
    return Measured(min(each["ours at 0.5"] for each in large), 0.9, at_least=True)


@SUITE.row("speed-stream", "the streaming monitors' false alarms per 90 days where one is allowed", FALSE_ALARMS)
def stream(bench: Bench) -> Measured:
    return gate(false_alarms(bench), "alarms per 90 days", limit=1.0)


@SUITE.row(
    "speed-delays",
    "detection delays of e-detectors: median / that of the reference rows with three standard errors, the largest",
    FALSE_ALARMS,
)
def delays(bench: Bench) -> Measured:
    return slowest(bench, "e-detector", 6)


@SUITE.row(
    "speed-delays-input",
    "and of conformal tests, whose scores are counted in bins: median / 1.15 times that of keeping every score, on the "
    "same scores, the largest",
    FALSE_ALARMS,
)
def delays_input(bench: Bench) -> Measured:
    return slowest(bench, "conformal", 3)


def slowest(bench: Bench, detector: str, count: int) -> Measured:
    rows = [each for each in false_alarms(bench)["tables"]["delays"] if each["detector"] == detector]
    if len(rows) != count:
        raise Red(f"{len(rows)} delays of {detector}")
    return Measured(round(max(each["median"] / each["at_most"] for each in rows), 3), 1.0)


@SUITE.row(
    "speed-named",
    "planted drift of 0.5 deviations or 5 points on: the right kind named, for accuracy, log loss and AUC, the least",
    DIAGNOSIS,
)
def named(bench: Bench) -> Measured:
    return worst(diagnosis(bench), "right kind named", count=len(METRICS), at_least=0.9)


@SUITE.row("speed-lower", "the lower levels are reported beside them: cells of the table", DIAGNOSIS)
def lower(bench: Bench) -> Measured:
    cells = {(each["shift"], each["points"]) for each in diagnosis(bench)["tables"]["named"]}
    if missing := [each for each in ((0.25, 0.0), (0.0, 2.0), (0.25, 2.0), (0.0, 0.0)) if each not in cells]:
        raise Red(f"no cell of {missing}")
    return Measured(len(cells), 16, at_least=True)


@SUITE.row("speed-covered", "intervals of 95 % that hold the true part, of every part and metric, the least", DIAGNOSIS)
def covered(bench: Bench) -> Measured:
    return worst(diagnosis(bench), "intervals of 95 % that hold the true", count=4 * len(METRICS), at_least=0.9)


@SUITE.row("speed-tick", "a controller's turn over 100 endpoints with nothing new, the slowest, ms", TICKS)
def tick(bench: Bench) -> Measured:
    return gate(report(bench, "monitors.ticks", "ticks.json"), "100 endpoints with nothing new", limit=100.0)


SUITE.tests(
    "speed-equal-scipy",
    "our KS, chi-square, Wasserstein and Jensen-Shannon are SciPy's; PSI in every convention is its formula",
    "tests/monitors/test_two_samples.py",
    "tests/monitors/comparison/test_contingency.py::test_chi_square_is_scipys",
    "tests/monitors/comparison/test_distances.py",
)


@SUITE.row(
    "speed-equal-nannyml",
    "our KS, chi-square, Wasserstein, Jensen-Shannon, Hellinger and L-infinity are NannyML's over its bins, on data "
    "that it ships with: largest relative difference / 1e-9",
    AGREEMENT,
)
def equal_nannyml(bench: Bench) -> Measured:
    return gate(agreement(bench), "univariate drift", limit=1.0)


@SUITE.row("speed-equal-cbpe", "our CBPE is NannyML's, on the same data: largest relative difference / 1e-6", AGREEMENT)
def equal_cbpe(bench: Bench) -> Measured:
    return gate(agreement(bench), "CBPE", limit=1.0)


@SUITE.row("speed-equal-pca", "our PCA reconstruction is NannyML's: relative difference / 1e-6", AGREEMENT)
def equal_pca(bench: Bench) -> Measured:
    return gate(agreement(bench), "reconstruction", limit=1.0)


@SUITE.row("speed-equal-fairlearn", "our gaps are Fairlearn's: largest relative difference / 1e-9", AGREEMENT)
def equal_fairlearn(bench: Bench) -> Measured:
    return gate(agreement(bench), "fairness", limit=1.0)


SUITE.tests(
    "speed-equal-tests",
    "the same in tests, each peer in an environment of its own",
    "tests/benchmarks/test_agreement.py",
    alone=True,
)
