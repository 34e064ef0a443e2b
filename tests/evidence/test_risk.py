"""A threshold of confidence that holds the risk it was chosen for."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.risk import least_confidence


def cases(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and losses of a model that knows how sure it may be."""
    confidences = generator.uniform(0.5, 1.0, count)
    return confidences, (generator.random(count) > confidences).astype(np.float64)


def risk_above(confidence: float) -> float:
    """The true risk of all cases above a confidence, in `cases`."""
    return 1.0 - (1.0 + confidence) / 2


def test_the_risk_is_held_as_often_as_promised() -> None:
    generator = np.random.default_rng(3)
    missed = found = 0
    for _ in range(300):
        threshold = least_confidence(*cases(generator, 1500), risk=0.1, alpha=0.1)
        if threshold is not None:
            found += 1
            missed += risk_above(threshold.confidence) > 0.1
    assert found > 250, "and it is useful: something is found nearly always"
    assert missed / 300 <= 0.1 + 3 * (0.1 * 0.9 / 300) ** 0.5


def test_more_cases_let_the_model_decide_more() -> None:
    few, many = (
        least_confidence(*cases(np.random.default_rng(5), count), risk=0.15, alpha=0.05) for count in (800, 40_000)
    )
    assert few is not None
    assert many is not None
    assert many.share > few.share


def test_a_model_that_is_too_often_wrong_decides_nothing() -> None:
    confidences = np.linspace(0.5, 1.0, 5000)
    assert least_confidence(confidences, np.ones(5000), risk=0.05, alpha=0.05) is None
    assert least_confidence(np.zeros(0), np.zeros(0), risk=0.05, alpha=0.05) is None


def test_one_that_is_never_wrong_decides_everything() -> None:
    found = least_confidence(np.linspace(0.5, 1.0, 5000), np.zeros(5000), risk=0.05, alpha=0.05)
    assert found is not None
    assert (found.share, found.confidence, found.risk) == (1.0, 0.5, 0.0)


@pytest.mark.parametrize(
    ("risk", "alpha", "losses", "says"),
    [
        (0.0, 0.1, [0.0, 1.0], "risk"),
        (1.0, 0.1, [0.0, 1.0], "risk"),
        (0.1, 0.0, [0.0, 1.0], "alpha"),
        (0.1, 0.1, [0.0, 2.0], "values"),
        (0.1, 0.1, [0.0], "losses"),
    ],
)
def test_what_is_no_risk_is_refused(risk: float, alpha: float, losses: list[float], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        least_confidence(np.array([0.5, 0.9]), np.array(losses), risk=risk, alpha=alpha)
