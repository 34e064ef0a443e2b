"""What the C library does with memory that a request gave back; called once by every gateway, first thing.

A large request takes megabytes and gives them back when its reply has left. By default glibc hands such pieces to the
kernel at once, and the next request faults them in anew, page by page: a good part of what a table of ten thousand
rows costs beside its model.
"""

import ctypes
from typing import Final

KEPT_BYTES: Final = 64 * 1024 * 1024
"""Free memory at the end of a heap that stays with the process; threads beside the main one share a second heap."""
_LARGEST_PIECE: Final = 32 * 1024 * 1024
"""Pieces larger than this are the kernel's all the same; it is the most glibc takes."""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_HEAPS: Final = 2


def keep_freed_memory() -> bool:
    """Have freed memory used again by the next request; False, and nothing changed, where the C library is not glibc.

    Parameters as in mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # By default each thread has a heap of its own, and each would keep as much.
    wanted = ((_M_MMAP_THRESHOLD, _LARGEST_PIECE), (_M_TRIM_THRESHOLD, KEPT_BYTES), (_M_ARENA_MAX, _HEAPS))
    return all(mallopt(parameter, value) == 1 for parameter, value in wanted)
