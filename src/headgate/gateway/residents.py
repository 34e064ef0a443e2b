"""What was live a moment ago stays loaded for a while: a swap that turns out wrong is taken back without loading.

`follow.py` asks before it gives memory back. One version per endpoint is kept, the one that was live last, so that a
day of swaps costs the memory of one model.
"""

from typing import Final

from headgate.registry.package import Engine, Manifest

RESIDENT_SECONDS: Final = 600.0
"""How long; most swaps that are regretted are regretted sooner."""

Key = tuple[str, str]
"""Project and endpoint."""
Part = tuple[str, str]
"""A package's digest and the contract it serves under, as JSON: empty for the package's own."""


class Residents:
    """The parts nobody names any more that are kept all the same. Times are seconds on any scale.

    >>> residents = Residents(60.0)
    >>> residents.left(("default", "delays"), ("sha256:1", ""), 0.0)
    >>> residents.kept(59.0), residents.kept(61.0)
    ({('sha256:1', '')}, set())
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[Key, tuple[Part, float]] = {}

    def left(self, key: Key, part: Part, now: float) -> None:
        """`part` is what the endpoint's live version no longer is."""
        self._last[key] = part, now + self._seconds

    def forget(self, key: Key) -> None:
        """The endpoint is gone."""
        self._last.pop(key, None)

    def kept(self, now: float) -> set[Part]:
        """Those whose time has not come."""
        self._last = {key: each for key, each in self._last.items() if now < each[1]}
        return {part for part, _ in self._last.values()}


def runs_here(manifest: Manifest, live: bool) -> bool:
    """Whether a version runs in the gateway's own process; every other ends with its host, whoever keeps it."""
    return live and manifest.engine is Engine.ONNX
