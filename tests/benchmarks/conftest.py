"""The benchmarks stand at the root of the repository, where not every way of starting pytest looks."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parent.parent.parent)
if ROOT not in sys.path:
    sys.path.append(ROOT)
