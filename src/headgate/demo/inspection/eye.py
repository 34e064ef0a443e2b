"""The model as it is packaged: opens each picture, brings it to one size, and asks the network in the file beside it.

`learn.py` copies this file into the package as ``model.py``, where a runtime host runs it; so it imports nothing of
Headgate.
"""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

SIDE: Final = 64
"""Pixels of a picture's side, as the network reads it."""
NETWORK: Final = "network.onnx"
INPUT: Final = "pictures"


class Eye:
    """The network in `folder`, for rows with a field ``picture``."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            (folder / NETWORK).read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def predict(self, rows: list[dict[str, Any]]) -> Any:
        """Probabilities of shape (rows, classes); an error where a picture is none."""
        pictures = np.stack([opened(row["picture"]) for row in rows])
        return self._session.run(None, {INPUT: pictures})[0]


def opened(data: bytes) -> NDArray[np.float32]:
    """A PNG or JPEG as shades of grey from 0 (black) to 1, of shape (SIDE, SIDE)."""
    with Image.open(io.BytesIO(data)) as picture:
        grey = picture.convert("L")
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(grey, np.float32) / np.float32(255)
