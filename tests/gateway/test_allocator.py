"""Memory a large request gave back is there for the next one, without a fault for each of its pages."""

import platform
import subprocess
import sys
from typing import Final

import pytest

PIECE: Final = 8 * 1024 * 1024
TIMES: Final = 20
SCRIPT: Final = f"""
import resource, sys
from headgate.gateway.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def used():
    pieces = [bytearray({PIECE}) for _ in range(2)]
    for piece in pieces:
        piece[:] = bytes(1) * {PIECE}
used()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({TIMES}):
    used()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages that had to be faulted in while the same memory was taken and given back again and again."""
    asked = [sys.executable, "-c", SCRIPT, how]
    return int(subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="nothing is promised of other C libraries")
def test_what_was_given_back_is_used_again() -> None:
    assert faults("kept") < faults("as it is") / 5
