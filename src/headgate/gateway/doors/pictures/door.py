"""One row whose picture comes as it is: the whole body, or a part of a form beside the other fields."""

from functools import partial
from typing import Any, Final

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadInput, HeadgateError
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import make_ask
from headgate.gateway.doors.cells import cell
from headgate.gateway.doors.dialect import deadline_of
from headgate.gateway.doors.native import PredictDoor
from headgate.gateway.doors.pictures.multipart import Part, boundary_of, parts_of
from headgate.gateway.http.exchange import CONTENT_TYPE, Exchange
from headgate.gateway.view import View

FORM: Final = b"multipart/form-data"
OCTETS: Final = b"application/octet-stream"
PICTURES: Final = (b"image/png", b"image/jpeg")
_ADVICE: Final = "send multipart/form-data with a part per field, or JSON"


class PictureDoor:
    """Has a row with pictures answered."""

    def __init__(self, answerer: Answerer, native: PredictDoor) -> None:
        self._answerer = answerer
        self._native = native

    def open(self, exchange: Exchange, view: View) -> None:
        """Have the row in `exchange` answered under `view`."""
        contract = view.live.served.contract
        kind = exchange.head.media_type()
        if kind == OCTETS and not _pictures(contract):
            self._native.open(exchange, view)  # many clients call whatever they send that
            return
        try:
            self._answerer.room.knock(exchange.caller)
            row = _form(exchange, contract) if kind == FORM else {_only_picture(contract): exchange.body}
            reading = view.live.served.reader.read_objects([row])
            reading.deadline_ms = deadline_of(exchange)
            finish = partial(self._native.reply, exchange)
            self._answerer.admit(make_ask(view, reading, finish, None, exchange.caller, hears_people=True))
        except HeadgateError as error:
            self._native.refuse(exchange, view, error)


def _pictures(contract: Contract) -> list[Field]:
    return [each for each in contract.fields if each.kind is Kind.IMAGE]


def _only_picture(contract: Contract) -> str:
    """The field that a body without names fills. Raises BadInput where the contract has no such field."""
    pictures = _pictures(contract)
    if not pictures:
        raise BadInput("content-type", "media", "is that of a picture, and no field of this contract is one; send JSON")
    if len(pictures) > 1:
        raise BadInput("content-type", "media", f"leaves open which of {len(pictures)} pictures this is; {_ADVICE}")
    needed = next((each for each in contract.fields if not each.nullable and each is not pictures[0]), None)
    if needed is not None:
        raise BadInput("content-type", "media", f"leaves out fields that are required; {_ADVICE}")
    return pictures[0].name


def _form(exchange: Exchange, contract: Contract) -> dict[str, Any]:
    """The row of a form: pictures as they are, everything else as text of its kind."""
    fields = {each.name: each for each in contract.fields}
    row: dict[str, Any] = {}
    for part in parts_of(exchange.body, boundary_of(exchange.head.headers.get(CONTENT_TYPE, b""))):
        if part.name in row:
            raise BadInput(
                part.name[:64], "duplicate", "is sent twice; a form is one row, send several as JSON or Arrow"
            )
        row[part.name] = _value(part, fields.get(part.name))
    return row


def _value(part: Part, field: Field | None) -> Any:
    if field is not None and field.kind is Kind.IMAGE:
        return part.content
    try:
        return cell(part.content.decode(), field)
    except UnicodeDecodeError as error:
        raise BadInput(part.name[:64], "utf8", "is not UTF-8 text") from error
