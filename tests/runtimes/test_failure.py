"""What is done about a failure follows from its kind; no message, whoever worded it, is taken for another kind."""

import pytest

from headgate.errors import FailureKind, RuntimeFailed
from headgate.runtimes.failure import died, failed, is_of_rows, is_prompt, not_there, unquoted

MESSAGES = (str(failed(ValueError("row 7"))), str(not_there()), str(died()), "it was late")
PROMPT = {FailureKind.RAISED, FailureKind.NOT_THERE}
LOST = {FailureKind.NOT_THERE, FailureKind.DIED}


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("kind", FailureKind)
def test_the_kind_alone_decides(kind: FailureKind, message: str) -> None:
    error = RuntimeFailed(message, kind=kind)
    assert is_prompt(error) == (kind in PROMPT)
    assert is_of_rows(error) == (kind not in LOST)
    assert (unquoted(error) is error) == (kind is not FailureKind.RAISED)


@pytest.mark.parametrize("message", MESSAGES)
def test_faults_of_ours_are_neither_prompt_nor_a_lost_process(message: str) -> None:
    assert (is_prompt(ValueError(message)), is_of_rows(ValueError(message))) == (False, True)


def test_what_is_left_of_a_models_words_is_still_its_own_kind() -> None:
    error = RuntimeFailed("the model raised KeyError: 'secret: 7'", 3.0, kind=FailureKind.RAISED)
    told = unquoted(error)
    assert (str(told), told.retry_after, told.kind) == ("the model raised KeyError", 3.0, FailureKind.RAISED)
