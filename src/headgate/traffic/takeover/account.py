"""What became of a file that was taken over, entry by entry."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from headgate.contracts.contract import Contract, Field
from headgate.errors import BadConfiguration
from headgate.traffic.watched import Compared, MonitorWords

DEFAULTS: Final = MonitorWords()
"""What an endpoint's file says of its monitors where nobody wrote anything."""


class Became(StrEnum):
    """What became of one entry."""

    TAKEN = "taken"
    """The contract or the words say it from now on."""
    ALREADY = "already so"
    """Nothing had to be changed."""
    NOT = "not taken"
    """There is no counterpart, or it would contradict what is known; `says` has the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the file."""

    key: str
    """Its path in the file, such as ``features[0].completeness``."""
    became: Became
    says: str
    """What stands for it here, or why nothing does."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """What an endpoint's file says after another monitor's file was taken over."""

    contract: Contract
    monitors: MonitorWords = DEFAULTS
    entries: tuple[Entry, ...] = ()
    """Every entry of the file, in its order."""


@dataclass(slots=True)
class Ledger:
    """A takeover under way; `where` names the file in errors."""

    where: str
    contract: Contract
    monitors: MonitorWords
    entries: list[Entry] = field(default_factory=list)

    def note(self, key: str, became: Became, says: str) -> None:
        """What became of an entry."""
        self.entries.append(Entry(key, became, says))

    def leave(self, items: Iterable[tuple[str, Any]], before: str, says: str) -> None:
        """Entries without a counterpart, all for one reason."""
        for name, _ in items:
            self.note(f"{before}{name}", Became.NOT, says)

    def put(self, changed: Field) -> None:
        """A field of the contract says something else from now on."""
        fields = tuple(changed if each.name == changed.name else each for each in self.contract.fields)
        self.contract = Contract(fields, self.contract.output)

    def compare(self, key: str, *, wanted: bool) -> None:
        """Whether inputs are compared with the reference."""
        word = Compared.PACKAGE if wanted else Compared.NONE
        if self.monitors.reference is word:
            self.note(key, Became.ALREADY, f"monitors.reference: {word}")
            return
        self.monitors = msgspec.structs.replace(self.monitors, reference=word)
        says = "inputs are compared with the rows the model was registered with" if wanted else "they are not compared"
        self.note(key, Became.TAKEN, f"monitors.reference: {word}: {says}")

    @property
    def done(self) -> Takeover:
        """What it has come to."""
        return Takeover(self.contract, self.monitors, tuple(self.entries))

    # Reading, with errors that name the key and its rule

    def mapping(self, value: object, key: str) -> dict[str, Any]:
        """`value`, which must be an object."""
        if not isinstance(value, dict):
            raise self.wrong(key, "must be an object of keys and values")
        return value

    def items(self, value: object, key: str) -> Iterator[tuple[str, Any]]:
        """The entries of `value`, which must be a list, each with its key."""
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list")
        for number, each in enumerate(value):
            yield f"{key}[{number}]", each

    def text(self, value: object, key: str, among: tuple[str, ...] = ()) -> str:
        """`value`, which must be a text, and one of these where there are any."""
        if not isinstance(value, str) or (among and value not in among):
            raise self.wrong(key, f"must be one of {', '.join(among)}" if among else "must be a text")
        return value

    def share(self, value: object, key: str) -> float:
        """`value`, which must be a number from 0 to 1."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.wrong(key, "must be a number from 0 to 1")
        return float(value)

    def truth(self, value: object, key: str) -> bool:
        """`value`, which must be true or false."""
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def wrong(self, key: str, rule: str) -> BadConfiguration:
        """The error of a key that breaks a rule."""
        return BadConfiguration(f"{self.where}: {key}", rule)
