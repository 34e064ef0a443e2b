"""No data leaves the machine: while it searches, the search opens no connection and asks for no address."""

import subprocess
import sys

import pytest

PROBE = """
import sys

import numpy as np
import pandas as pd

from headgate.retraining.search.learnable import Learning
from headgate.retraining.search.search import search
from headgate.vocabulary import DAY, Task

asked = []
sys.addaudithook(lambda event, _: asked.append(event) if event.startswith("socket.") else None)
random = np.random.default_rng(1)
frame = pd.DataFrame(random.normal(size=(400, 2)), columns=["a", "b"])
late = (frame.a + random.normal(size=400) > 0).astype(int).to_numpy()
at = 1_600_000_000_000_000 + np.sort(random.integers(0, 20 * DAY, 400))
found = search(Learning(X=frame, y=late, task=Task.BINARY, at=at), budget_s=1.0, most=4)
print(len(found.leaderboard), asked)
import socket
socket.socket().close()
print(asked)
"""


@pytest.mark.full
def test_a_search_speaks_to_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=120, check=True)
    searched, control = done.stdout.splitlines()
    entries, asked = searched.split(" ", 1)
    assert int(entries) >= 2
    assert asked == "[]"
    assert "socket.__new__" in control, "the hook hears of sockets"
