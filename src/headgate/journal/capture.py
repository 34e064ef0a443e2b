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
    >>> capture.samples(bytes(16)), capture.kept((1400.0, "UA", "Anna"))
    (True, (1400.0, 'UA'))
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
        self.everybody = sampling_percent == 100
        """Whether every row is sampled; then no id need be hashed."""
        self.everything = len(kept) == len(names) and self.everybody
        """Whether every row keeps every feature."""
        self._kept = None if len(kept) == len(names) else tuple(kept)
        self._below = round(sampling_percent / 100 * _WHOLE)

    def samples(self, input_id: bytes) -> bool:
        """Whether features of this input are kept.

        The choice is a function of the id: every worker, retry and replay makes the same one.
        """
        return crc32(input_id) < self._below

    def kept(self, features: tuple[object, ...]) -> tuple[object, ...]:
        """Those of the features that are journalled for an input that is sampled, as `names` has them."""
        return features if self._kept is None else tuple([features[at] for at in self._kept])
