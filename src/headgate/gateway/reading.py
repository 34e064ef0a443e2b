"""A predict body read: legal rows in one pass of msgspec, everything else once more, slowly, to say what is wrong.

Doors call `Reader.read`; one is compiled per contract. A row that breaks the contract is a Violation in its place and
no concern of the other rows; what is wrong with the request as a whole is raised.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import numpy.typing as npt

from headgate.contracts.contract import Contract
from headgate.contracts.decode import Decoder, Values, parse_json
from headgate.contracts.explain import class_of, micros, off_calendar
from headgate.contracts.matrix import MatrixScreen
from headgate.errors import BadInput, Violation
from headgate.gateway.columns import LazyRows, Matrix, Table, are_numbers
from headgate.vocabulary import readable

LONGEST_ID: Final = 128
"""Characters of a caller's request id."""
LONGEST_KEY: Final = 256
"""Characters of one sticky key."""
LONGEST_DEADLINE_MS: Final = 600_000.0
_FEWEST: Final = 16
"""Rows from which a matrix is kept as one: where several come in a turn that is quicker, alone it takes the same."""
_REFUSALS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Reading(msgspec.Struct, eq=False):
    """What a predict body asks; a Struct because making one is quicker than a dataclass."""

    rows: Sequence[Values | Violation]
    clean: bool
    """Whether no row is a Violation and none is flagged."""
    flags: Sequence[tuple[str, ...]] | None
    id: str | None
    keys: list[str] | None
    at: list[int] | None
    """Event times in microseconds."""
    deadline_ms: float | None
    columns: Table | None = None
    """The rows once more, where they came as columns of numbers and none is refused."""

    def sample(self) -> list[Values]:
        """One of the rows, where none is refused or flagged; else none."""
        if not self.clean:
            return []
        return self.rows[:1] if self.columns is None else self.columns.part(0, 1).rows()  # type: ignore[return-value]


@readable
class Rest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What stands beside the rows."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)] | None = None
    keys: list[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]] | None = None
    at: list[Annotated[datetime, msgspec.Meta(tz=True)]] | None = None
    deadline_ms: Annotated[float, msgspec.Meta(gt=0.0, le=LONGEST_DEADLINE_MS)] | None = None


class Reader:
    """Reads the predict bodies of one contract."""

    def __init__(self, decoder: Decoder, *, rows_limit: int, replay: bool) -> None:
        """`rows_limit` bounds the rows of one request; `replay` says whether `at` may be stated."""
        self._decoder = decoder
        self._values = decoder.values
        self.rows_limit = rows_limit
        """Rows of one request."""
        self._replay = replay
        self._screen = MatrixScreen(decoder.contract)
        self._keeps_matrices = are_numbers(decoder.contract)
        self._parsed = decoder.clean_type
        self._clean = _envelope(decoder.clean_type, rows_limit)
        self._legal = _envelope(decoder.row_type, rows_limit) if decoder.row_type is not decoder.clean_type else None

    @property
    def contract(self) -> Contract:
        """What rows are held to."""
        return self._decoder.contract

    def read(self, body: bytes) -> Reading:
        """What `body` asks. Raises BodyRefused or BadInput when it is no predict request at all."""
        try:
            found = self._clean(body)
        except _REFUSALS:
            return self._read_slowly(body)
        rows = list(map(self._values, found.rows))
        if found.keys is None and found.at is None:
            return Reading(rows, True, None, found.id, None, None, found.deadline_ms)
        return self._complete(rows, None, found)

    def read_objects(self, rows: Sequence[object], places: str = "rows", rest: Any = None) -> Reading:
        """The same for rows already parsed, mappings of field to value; `places` names them in refusals.

        `rest` is what `read_rest` found beside them.
        """
        self.check_count(len(rows))
        found, flags = self._check(rows, places)
        return self._complete(found, flags, rest or Rest())

    def read_parsed(self, rows: list[Any], rest: Any = None) -> Reading | None:
        """The same for rows parsed from JSON without NaN or infinity; None when they must be read one by one."""
        self.check_count(len(rows))
        try:
            # Row by row: msgspec looks through a list's type anew at every call, a struct's once.
            found = [msgspec.convert(row, self._parsed) for row in rows]
        except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):
            return None
        return self._complete(list(map(self._values, found)), None, rest or Rest())

    def read_matrix(self, matrix: npt.NDArray[Any]) -> Reading | None:
        """The same for a matrix of floats, (rows, fields) in contract order; None when it must be read row by row."""
        self.check_count(len(matrix))
        kept = self.screened(matrix)
        if kept is None:
            return None
        if len(kept) < _FEWEST or not self._keeps_matrices:
            return Reading(kept.rows(), True, None, None, None, None, None)
        return Reading(LazyRows(kept), True, None, None, None, None, None, kept)

    def screened(self, matrix: npt.NDArray[Any]) -> Matrix | None:
        """A matrix of floats, (rows, fields) in contract order, where all rows are legal and unflagged; else None."""
        numbers = self._screen.passed(matrix)
        return None if numbers is None else Matrix(numbers)

    def gathered(self, columns: Sequence[npt.NDArray[Any]]) -> Matrix | None:
        """The same for columns of floats, one per field."""
        numbers = self._screen.gathered(columns)
        return None if numbers is None else Matrix(numbers)

    def read_checked(
        self,
        rows: Sequence[Values | Violation] | Table,
        flags: Sequence[tuple[str, ...]] | None = None,
        rest: Any = None,
    ) -> Reading:
        """The same for rows that were held to the contract already, or for columns, which have their own flags."""
        if not isinstance(rows, Table):
            return self._complete(rows, flags, rest or Rest())
        flags = rows.flags()
        found = self._complete(LazyRows(rows), flags, rest or Rest(), clean=flags is None)
        found.columns = rows
        return found

    def _read_slowly(self, body: bytes) -> Reading:
        if self._legal is not None:
            try:
                found = self._legal(body)
            except _REFUSALS:
                pass
            else:
                rows = list(map(self._values, found.rows))
                return self._complete(rows, self._decoder.flags(rows), found)
        return self._explain(body)

    def _explain(self, body: bytes) -> Reading:
        document = parse_json(body, "body")
        if not isinstance(document, dict):
            raise BadInput("body", "type", f"expected an object with 'rows', got {class_of(document)}")
        rest = read_rest({name: value for name, value in document.items() if name != "rows"})
        rows = document.get("rows")
        if not isinstance(rows, list):
            rule = "type" if "rows" in document else "missing"
            raise BadInput("rows", rule, "expected a list of rows, each an object of fields")
        self.check_count(len(rows))
        found, flags = self._check(rows, "rows")
        return self._complete(found, flags, rest)

    def check_count(self, rows: int) -> None:
        """Raises BadInput where a request may not have that many; asked before anything is made of them."""
        if not 1 <= rows <= self.rows_limit:
            raise BadInput("rows", "size", f"a request has 1 to {self.rows_limit} rows")

    def _check(
        self, rows: Sequence[object], places: str
    ) -> tuple[list[Values | Violation], list[tuple[str, ...]] | None]:
        found: list[Values | Violation] = []
        for position, row in enumerate(rows):
            checked = self._decoder.check_object(row, f"{places}[{position}]")
            found.append(checked if isinstance(checked, Violation) else self._values(checked))
        legal = [(position, row) for position, row in enumerate(found) if not isinstance(row, Violation)]
        flagged = self._decoder.flags([row for _, row in legal])
        if flagged is None:
            return found, None
        flags: list[tuple[str, ...]] = [()] * len(found)
        for (position, _), names in zip(legal, flagged, strict=True):
            flags[position] = names
        return found, flags

    def _complete(
        self,
        rows: Sequence[Values | Violation],
        flags: Sequence[tuple[str, ...]] | None,
        rest: Any,
        clean: bool | None = None,
    ) -> Reading:
        for name, each in (("keys", rest.keys), ("at", rest.at)):
            if each is not None and len(each) != len(rows):
                raise BadInput(name, "shape", f"must have one entry per row, {len(rows)} in this request")
        if rest.at is not None and not self._replay:
            raise BadInput("at", "replay", "event times may be stated only where replay is switched on; leave it out")
        if rest.at is not None and any(map(off_calendar, rest.at)):
            raise BadInput("at", "type", "expected moments within the years 1 to 9999")
        at = None if rest.at is None else [micros(each) for each in rest.at]
        if clean is None:
            clean = flags is None and not any(isinstance(row, Violation) for row in rows)
        return Reading(rows, clean, flags, rest.id, rest.keys, at, rest.deadline_ms)


def read_rest(document: dict[str, Any]) -> Rest:
    """What stands beside the rows, checked. Raises BadInput naming the field."""
    for name, value in document.items():
        if name not in Rest.__struct_fields__:
            raise BadInput(name[:64], "unknown", "is no part of a predict request: id, rows, keys, at, deadline_ms are")
        try:
            # Encoded too, because half a surrogate pair is a legal str that no journal and no reply can hold.
            msgspec.json.encode(msgspec.convert({name: value}, Rest))
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            raise BadInput(name, "type", _HINTS[name]) from error
    return msgspec.convert(document, Rest)


_HINTS: Final = {
    "id": f"expected text of 1 to {LONGEST_ID} characters",
    "keys": f"expected a list of texts of 1 to {LONGEST_KEY} characters, one per row",
    "at": "expected a list of RFC 3339 moments with an offset, one per row",
    "deadline_ms": f"expected a number over 0 and at most {LONGEST_DEADLINE_MS:.0f}",
}


def _envelope(row_type: type[msgspec.Struct], rows_limit: int) -> Any:
    rows: Any = Annotated[list[row_type], msgspec.Meta(min_length=1, max_length=rows_limit)]  # type: ignore[valid-type] # built at run time
    struct = msgspec.defstruct(
        "Predict", [("rows", rows)], bases=(Rest,), kw_only=True, forbid_unknown_fields=True, gc=False
    )
    return msgspec.json.Decoder(struct).decode
