"""Which features of which share of requests the journal keeps, compiled once per revision of an endpoint's policy.

A gateway asks once per row. Ids, arms and outputs are always kept: capture decides about features only.
"""

from collections.abc import Collection, Sequence
from typing import Final
from zlib import crc32

from headgate.errors import BadConfiguration

_WHOLE: Final = 1 << 32


class Capture:
    """A compiled capture policy.

    >>> capture = Capture(["distance", "carrier", "passenger"], redact=["passenger"])
    >>> capture.names
    ('distance', 'carrier')
    >>> capture.keep(bytes(16), (1400.0, "UA", "Anna"))
    (1400.0, 'UA')
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        sampling_percent: float = 100.0,
        fields: Collection[str] | None = None,
        redact: Collection[str] = (),
    ) -> None:
        """Compile for a contract's field `names`; `fields` None keeps all, `redact` is never kept.

        Raises BadConfiguration if the percentage is outside 0..100 or a name is not one of `names`.
        """
        if not 0 <= sampling_percent <= 100:  # a NaN is not between them either
            raise BadConfiguration("capture.sampling_percent", "must be a number from 0 to 100")
        for setting, chosen in (("fields", fields or ()), ("redact", redact)):
            for name in chosen:
                if name not in names:
                    raise BadConfiguration(f"capture.{setting}", f"the contract has no field '{name}'")
        kept = [at for at, name in enumerate(names) if (fields is None or name in fields) and name not in redact]
        self.names = tuple(names[at] for at in kept)
        """The kept fields in the contract's order: those and no others belong into the journal's Schema."""
        self.everything = len(kept) == len(names) and sampling_percent == 100
        """Whether every row keeps every feature; then `keep` may be left out."""
        self._kept = None if len(kept) == len(names) else tuple(kept)
        self._below = round(sampling_percent / 100 * _WHOLE)

    def takes(self, input_id: bytes) -> bool:
        """Whether `keep` would keep any feature of this input.

        >>> Capture(["distance"]).takes(bytes(16)), Capture(["distance"], fields=[]).takes(bytes(16))
        (True, False)
        """
        return bool(self.names) and (self.everything or crc32(input_id) < self._below)

    def keep(self, input_id: bytes, features: tuple[object, ...]) -> tuple[object, ...] | None:
        """The features to journal for this input, or None where sampling leaves the row out.

        The choice is a function of the id: every worker, retry and replay makes the same one.
        """
        if self.everything:
            return features
        if crc32(input_id) >= self._below:
            return None
        if self._kept is None:
            return features
        return tuple([features[at] for at in self._kept])
