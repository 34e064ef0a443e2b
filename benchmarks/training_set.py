"""A training set of ten million journalled rows: `python benchmarks/training_set.py`; ``--quick`` takes a tenth.

Lays down a lake of 100 days as the sealer would (12 numbers, 3 categories, an answer each, a label two hours later for
all but one in 60, one label in 200 revised), then has a process of its own cut a set of all of it, and one by back-test
since a change. Prints one JSON object; the exit code says whether both took at most 60 s and less than 2 GB.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Schema, SchemaField
from headgate.journal.tables import FEATURES, MOMENT, Table, arrow_schema, conform, id_texts
from headgate.retraining.datasets.cut import cut_dataset
from headgate.retraining.datasets.dataset import WindowChoice
from headgate.retraining.datasets.wanted import Wanted
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, Micros, Task

PROJECT, ENDPOINT = "default", "flights"
NUMBERS, CATEGORIES = 12, 3
FIELDS = tuple(
    SchemaField(f"f{each}", "number" if each < NUMBERS else "category", "public")
    for each in range(NUMBERS + CATEGORIES)
)
SCHEMA = Schema(PROJECT, ENDPOINT, "sha256:" + "0" * 64, FIELDS, "binary", "boolean", (False, True))
CONTRACT = Contract(
    tuple(Field(each.name, Kind(each.kind)) for each in FIELDS), Output(Task.BINARY, "late", (False, True), True)
)
START, DAYS = 1_362_096_000_000_000, 100
CHANGED = Micros(START + 90 * DAY + 7 * HOUR)
LIMITS = {"seconds": 60.0, "peak_mb": 2000.0}


def ids(moments: np.ndarray, kind: int, random: np.random.Generator) -> pa.Array:
    """Identifiers as gateways draw them: the moment, then what nobody can guess."""
    raw = np.zeros((len(moments), 16), np.uint8)
    raw[:, :6] = (moments // 1000).astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    raw[:, 6:] = random.integers(0, 256, (len(moments), 10), dtype=np.uint8)
    raw[:, 6], raw[:, 8] = 0x70 | kind, 0x80 | raw[:, 8] & 0x3F
    return id_texts([each.tobytes() for each in raw])


def day_of(number: int, rows: int) -> dict[Table, pa.Table]:
    """What the journal has of one day."""
    random = np.random.default_rng(number)
    at = np.sort(START + number * DAY + random.integers(0, DAY, rows))
    columns = random.normal(size=(NUMBERS, rows))
    slope = np.where(at >= CHANGED, -1.0, 1.0)
    truth = random.random(rows) < 1 / (1 + np.exp(-2 * (columns[0] * slope + columns[1])))
    chance = 1 / (1 + np.exp(-2 * (columns[0] + columns[1])))
    named = [pa.array(np.array(["AA", "B6", "DL", "EV", "UA"])[random.integers(0, 5, rows)]) for _ in range(CATEGORIES)]
    members = [pa.array(each) for each in columns] + named
    input_id, moments = ids(at, 0, random), pa.array(at).cast(MOMENT)
    features = pa.StructArray.from_arrays(members, names=[each.name for each in FIELDS])
    request = pa.array([f"r{number:03d}{each:08d}" for each in range(rows)])
    shared = {"input_id": input_id, "at": moments, "date": moments.cast(pa.date32())}
    inputs = {**shared, "request_id": request, "row": pa.array(np.zeros(rows, np.int32)), FEATURES: features}
    scores = pa.ListArray.from_arrays(
        np.arange(0, 2 * rows + 1, 2, dtype=np.int32), pa.array(np.column_stack((1 - chance, chance)).reshape(-1))
    )
    version, live = pa.array(["late:1"] * rows), pa.array(["live"] * rows)
    said = {"assigned": version, "answered": version, "role": live, "prediction": pa.array(chance > 0.5)}
    answers = {**shared, **said, "scores": scores, "probability": pa.array(np.ones(rows))}
    told = np.flatnonzero(np.arange(rows) % 60 != 0)
    again = np.concatenate([told, told[::200]])
    late = at[again] + 2 * HOUR + np.where(np.arange(len(again)) < len(told), 0, DAY)
    truth[told[::200]] = ~truth[told[::200]]
    value = truth[again] ^ (np.isin(again, told[::200]) & (np.arange(len(again)) < len(told)))
    received = pa.array(late).cast(MOMENT)
    labels = {"label_id": ids(late, 1, random), "received_at": received, "observed_at": received}
    labels |= {"input_id": input_id.take(pa.array(again)), "value": pa.array(value)}
    labels["source"] = pa.array(["label"] * len(again))
    made = {Table.INPUTS: inputs, Table.ANSWERS: answers, Table.LABELS: labels}
    return {table: conform(pa.table(each), arrow_schema(table, SCHEMA)) for table, each in made.items()}


def lay_down(root: Path, rows: int) -> None:
    """The lake, one commit a day."""
    lake = Lake(root)
    for number in range(DAYS):
        for table, made in day_of(number, rows // DAYS).items():
            lake.append(lake.place(PROJECT, ENDPOINT, table, arrow_schema(table, SCHEMA)), made, {})


def measured(lake: Path, window: str, folder: Path) -> dict[str, object]:
    """Seconds and megabytes of one cut, in a process of its own."""
    command = [sys.executable, __file__, "--cut", window, "--lake", str(lake), "--datasets", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def cut(lake: Path, window: str, folder: Path) -> None:
    """Cut one set and print what it cost."""
    wanted = Wanted(
        PROJECT, ENDPOINT, CONTRACT, Micros(START + (DAYS + 1) * DAY), maturity_s=86_400, window=WindowChoice(window),
        change=None if window == "everything" else Micros(START + 90 * DAY),
    )  # fmt: skip
    begun = time.perf_counter()
    made = cut_dataset(Reader(Lake(lake), MemorySegments()), wanted, folder)
    seconds, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, object] = {
        "rows": made.rows,
        "seconds": round(seconds, 1),
        "cpu_s": round(time.process_time(), 1),
    }
    figures |= {"peak_mb": round(used.ru_maxrss / 1024), "file_mb": made.bytes >> 20}
    late = None if made.cut.change is None else (made.cut.change - CHANGED) / 1e6
    print(json.dumps({**figures, "choice": made.cut.choice, "change_off_s": late, "digest": made.digest[:15]}))


def main() -> int:
    """Lay down, cut, print; 1 where a limit was not kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--lake", type=Path, help="keep the lake there, and take it from there if it is")
    parser.add_argument("--datasets", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cut", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cut:
        cut(options.lake, options.cut, options.datasets)
        return 0
    rows = options.rows // 10 if options.quick else options.rows
    if options.lake and options.lake.exists():
        files = [each.files() for each in Lake(options.lake).generations(PROJECT, ENDPOINT, Table.INPUTS)]
        rows = sum(ds.dataset(each, format="parquet").count_rows() for each in files)
    with tempfile.TemporaryDirectory() as folder:
        lake = options.lake or Path(folder) / "lake"
        if not lake.exists():
            lay_down(lake, rows)
        found = {each: measured(lake, each, Path(folder) / "datasets") for each in ("everything", "auto")}
    kept = all(float(str(each[name])) <= limit for each in found.values() for name, limit in LIMITS.items())
    print(json.dumps({"journalled": rows, **found, "limits": LIMITS, "ok": kept}, indent=1))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
