"""A runtime's outputs as journal answers, row by row; called by `answer.py` for every share, and for shadows."""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from headgate.gateway.ask import Share
from headgate.gateway.view import Seat
from headgate.journal.records import Answer
from headgate.runtimes.ports import Array, Outputs
from headgate.vocabulary import Task


def speak(share: Share, outputs: Outputs) -> list[Answer]:
    """One answer per row of `share`, also left with its request for the door to read."""
    now = perf_counter_ns()
    predictions, scores = told(share.seat, outputs, len(share.rows))
    if share.seat.served.contract.output.task is Task.TENSOR:
        _hand_out(share, outputs)
    assigned, spoke = share.assigned.version, share.seat.version
    role, probability, fallback, compute_us = share.role, share.probability, share.fallback, outputs.compute_us
    answers = []
    for ask, record, prediction, score in zip(share.asks, share.inputs, predictions, scores, strict=True):
        latency_us = (now - ask.arrived) // 1000
        answer = Answer(
            record.id, assigned, spoke, role, probability, prediction, score, compute_us, latency_us, fallback
        )
        ask.outcomes[record.row] = answer
        answers.append(answer)
    return answers


def told(seat: Seat, outputs: Outputs, rows: int) -> tuple[list[Any], list[Any]]:
    """Of each row the prediction and the scores as the journal keeps them; tensors are flattened."""
    if seat.served.contract.output.task is Task.TENSOR:
        predictions = _flattened(outputs, rows)
    else:
        predictions = outputs.prediction.tolist()
    return predictions, [None] * len(predictions) if outputs.scores is None else outputs.scores.tolist()


def pick(outputs: Outputs, places: Sequence[int]) -> Outputs:
    """The outputs of the rows at `places`."""
    at = list(places)
    return Outputs(
        outputs.prediction[at] if len(outputs.prediction) else outputs.prediction,
        None if outputs.scores is None else outputs.scores[at],
        {name: array[at] for name, array in outputs.arrays.items()},
        outputs.compute_us,
    )


def _flattened(outputs: Outputs, rows: int) -> list[list[float]]:
    """Each row's first output."""
    first: Array | None = next(iter(outputs.arrays.values()), None)
    if first is None:
        return [[] for _ in range(rows)]
    flat: list[list[float]] = first.reshape(rows, -1).tolist()
    return flat


def _hand_out(share: Share, outputs: Outputs) -> None:
    """Leave every output of each row with its request: the doors get all of them whole."""
    for name, array in outputs.arrays.items():
        for place, (ask, record) in enumerate(zip(share.asks, share.inputs, strict=True)):
            if ask.arrays is None:
                ask.arrays = {}
            ask.arrays.setdefault(record.row, {})[name] = array[place]
