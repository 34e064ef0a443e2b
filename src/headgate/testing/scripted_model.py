"""The model inside a scripted package: it reads ``script.json`` beside it and does what that says.

Copied into packages by scripted.py; runs in a runtime host and knows nothing of Headgate.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np


class Model:
    """A model that misbehaves on demand."""

    def __init__(self, folder: Path) -> None:
        self._script = json.loads((folder / "script.json").read_text())
        self._hoard: list[bytearray] = []

    def predict(self, rows: Any) -> Any:
        """The scripted answer for rows of numbers: one value per row, ``value + the first field`` when well."""
        match self._script["behaviour"]:
            case "failing":
                raise ValueError("scripted to fail")
            case "failing_on_negative" if (rows[:, 0] < 0).any():
                raise ValueError("scripted to fail on a negative first field")
            case "slow":
                time.sleep(self._script["seconds"])
            case "hanging":
                while True:
                    time.sleep(1.0)
            case "dying":
                os._exit(3)
            case "leaking":
                self._hoard.append(bytearray(self._script["leak_bytes"]))
            case "wrong_rows":
                rows = rows[:-1]
            case "not_finite":
                return np.full(len(rows), np.nan)
            case "huge":
                return np.zeros((len(rows), 1_250_000))
        if self._script["behaviour"] == "fixed":
            return np.full(len(rows), self._script["value"])
        return rows[:, 0] + self._script["value"]
