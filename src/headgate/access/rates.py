"""How fast a caller may send: a token bucket, refilled by time, that may go into debt for one large request."""

from headgate.errors import RateExceeded


class Bucket:
    """So many rows per second over the long run, so many at once after a pause.

    >>> bucket = Bucket(10.0, 20.0, now=0.0)
    >>> bucket.take(20, 0.0)
    >>> bucket.take(1, 0.05)
    Traceback (most recent call last):
    headgate.errors.RateExceeded: more rows than the 10 a second this key allows here; come back in 0.1 s
    >>> bucket.take(1, 0.15)
    """

    __slots__ = ("_at", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float, *, now: float) -> None:
        """`rate` rows per second, `burst` rows at once; times are seconds on any scale that never goes back."""
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at = now

    def take(self, rows: int, now: float) -> None:
        """Take `rows`. Raises RateExceeded, and takes nothing, when they are not there.

        A request larger than the whole burst passes when the bucket is full, and those after it wait longer.
        """
        left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at, self._left = now, left
        wanted = min(float(rows), self.burst)
        if left < wanted:
            wait = (wanted - left) / self.rate
            said = f"more rows than the {self.rate:g} a second this key allows here; come back in {wait:.1f} s"
            raise RateExceeded(said, retry_after=wait)
        self._left = left - rows
