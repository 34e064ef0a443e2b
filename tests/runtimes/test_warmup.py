"""What placements are warmed up with is what a caller might send: legal, whatever the contract."""

from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.drawn import contracts

from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.contracts.decode import compile_contract
from headgate.contracts.explain import EPOCH, MICROSECOND
from headgate.errors import Violation
from headgate.runtimes.warmup import likely_row


def legal(contract: Contract, row: tuple[object, ...]) -> bool:
    """Whether the contract takes the row, moments and all, without a flag."""
    decoder = compile_contract(contract)
    named = {
        each.name: EPOCH + value * MICROSECOND if each.kind is Kind.TIMESTAMP and isinstance(value, int) else value
        for each, value in zip(contract.fields, row, strict=True)
    }
    checked = decoder.check_object(named, "row")
    return not isinstance(checked, Violation) and decoder.flags([row]) is None


def satisfiable(contract: Contract) -> bool:
    """Whether any value keeps every rule: whole numbers have none between 0.1 and 0.9, a tensor has its size."""
    for each in contract.fields:
        low, high = each.minimum, each.maximum
        if each.kind is Kind.INTEGER and low is not None and high is not None and int(high // 1) < -int(-low // 1):
            return False
        numbers = 1
        for length in each.shape or ():
            numbers *= length or 1
        if each.kind is Kind.TENSOR and each.max_bytes is not None and numbers * 8 > each.max_bytes:
            return False
    return True


@given(contracts(most=4).filter(satisfiable))
def test_a_likely_row_is_legal(contract: Contract) -> None:
    assert legal(contract, likely_row(contract))


bound = st.none() | st.sampled_from([-3.5, -1.0, 0.0, 0.5, 2.0, 2.25, 1e9])


@given(st.sampled_from([Kind.NUMBER, Kind.INTEGER]), bound, bound)
def test_a_likely_number_keeps_its_bounds(kind: Kind, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    contract = Contract((Field("n", kind, minimum=low, maximum=high, on_range=OnBreak.REJECT),))
    if satisfiable(contract):
        assert legal(contract, likely_row(contract))


def test_every_kind_has_a_likely_value() -> None:
    fields = [
        Field("n", Kind.NUMBER, minimum=10.0),
        Field("i", Kind.INTEGER, maximum=3),
        Field("b", Kind.BOOLEAN),
        Field("c", Kind.CATEGORY, domain=("x", "y")),
        Field("any", Kind.CATEGORY),
        Field("t", Kind.TEXT),
        Field("short", Kind.TEXT, max_bytes=3),
        Field("w", Kind.TIMESTAMP, minimum=0.0, maximum=10.0),
        Field("a", Kind.TENSOR, shape=(2, None)),
        Field("p", Kind.IMAGE),
    ]
    assert likely_row(Contract(tuple(fields))) == (
        10.0, 3, False, "x", "", "some text", "som", 5, [[0.0], [0.0]], b"",
    )  # fmt: skip
