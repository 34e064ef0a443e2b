"""The label join and the monthly figures over a journal as large as the demo's: `python benchmarks/join.py`.

Builds 285,000 predictions of 15 features with about 280,000 labels over ten months, most of it sealed in a
hundred rounds and the rest in an open segment, then times a fresh reader. Prints one JSON object; seconds.
"""

import argparse
import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.testing.segments import MemorySegments

PROJECT, ENDPOINT = "default", "flights"
FIELDS = tuple(SchemaField(f"f{each}", "number" if each < 12 else "category", "public") for each in range(15))
SCHEMA = Schema(PROJECT, ENDPOINT, "sha256:" + "0" * 64, FIELDS, "binary", "boolean", (False, True))
START = 1_362_096_000_000_000
SPAN = 306 * 86_400_000_000


def blocks(first: int, last: int, total: int, random: np.random.Generator) -> list[tuple[Schema, Block]]:
    """Predictions `first` to `last` of `total`, one block of 20 at a time, with their labels."""
    found = []
    for begin in range(first, last, 20):
        block = Block([], [], [])
        for number in range(begin, min(begin + 20, last)):
            at = START + SPAN * number // total
            ident = (at // 1000).to_bytes(6, "big") + b"\x70\x00\x80" + number.to_bytes(7, "big")
            cells = (*random.normal(size=12).tolist(), "UA", "EWR", "IAH")
            block.inputs.append(Input(ident, at, cells, f"r{number:08d}", 0))
            block.answers.append(Answer(ident, "m:1", "m:1", "live", 1.0, False, [0.7, 0.3], 12, 340))
            if number % 60:
                later = at + 7_200_000_000
                label = (later // 1000).to_bytes(6, "big") + b"\x70\x01\x80" + number.to_bytes(7, "big")
                block.labels.append(Label(label, later, later, number % 4 == 0, input_id=ident))
        found.append((SCHEMA, block))
    return found


def main() -> None:
    """Build, seal, compact, read; print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=285_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--unsealed", type=int, default=10_000, help="rows left in an open segment")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        lake, source = Lake(Path(folder)), MemorySegments()
        sealer, sealing, size = Sealer(source, lake), 0.0, 0
        edges = np.linspace(0, options.rows - options.unsealed, options.rounds + 1).astype(int).tolist()
        for number, (first, last) in enumerate(pairwise(edges)):
            source.write("bench-0", number, blocks(first, last, options.rows, random))
            size += sum(each.size for each in source.segments())
            begun = time.process_time()
            sealer.seal()
            sealing += time.process_time() - begun
        tail = blocks(edges[-1], options.rows, options.rows, random)
        source.write("bench-0", options.rounds, tail, closed=False)
        figures = {"rows": options.rows, "segment_bytes": size, "seal_cpu_s": round(sealing, 2)}
        figures |= {f"sealed_{name}": value for name, value in measured(lake, source).items()}
        begun = time.perf_counter()
        sealer.compact(grace_hours=0)
        figures["compact_s"] = round(time.perf_counter() - begun, 2)
        figures |= {f"compacted_{name}": value for name, value in measured(lake, source).items()}
        print(json.dumps(figures, indent=1))


def measured(lake: Lake, source: MemorySegments) -> dict[str, float]:
    """Seconds of a fresh reader's join and of the monthly report, tables opened anew each time."""
    begun, cpu = time.perf_counter(), time.process_time()
    joined = Reader(lake, source).joined(PROJECT, ENDPOINT)
    join, cpu = time.perf_counter() - begun, time.process_time() - cpu
    begun = time.perf_counter()
    months = Reader(lake, source).query("volume", PROJECT, ENDPOINT, bucket="month")
    report = time.perf_counter() - begun
    labelled = len(joined) - joined.column("label").null_count
    spent = {"join_s": round(join, 3), "join_cpu_s": round(cpu, 3), "monthly_s": round(report, 3)}
    return {**spent, "labelled": labelled, "months": len(months)}


if __name__ == "__main__":
    main()
