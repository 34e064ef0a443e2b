"""A photograph as callers send it."""

import io

from PIL import Image

from headgate.demo.inspection.light import Photo


def as_png(photo: Photo) -> bytes:
    r"""The bytes of a PNG file.

    >>> import numpy as np
    >>> as_png(np.zeros((64, 64), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    data = io.BytesIO()
    Image.fromarray(photo).save(data, "PNG", compress_level=1)
    return data.getvalue()
