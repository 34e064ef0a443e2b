"""The queueing model: exact where the textbook is, monotone, and on the safe side of what gateways do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.sizing.queueing import Service, delay_quantile, highest_utilisation, mean_wait, wait_quantile

SERVICES = st.builds(Service, st.floats(1e-6, 10.0), st.floats(0.0, 4.0))
UTILISATIONS = st.floats(0.0, 0.99)


@pytest.mark.parametrize("utilisation", [0.1, 0.5, 0.9])
def test_an_exponential_server_waits_as_the_textbook_says(utilisation: float) -> None:
    service = Service(0.02, variation=1.0)
    rate = (1 - utilisation) / 0.02  # P(W > t) = u exp(-(1 - u) t / S)
    assert mean_wait(service, utilisation) == pytest.approx(utilisation / rate)
    expected = max(0.0, math.log(utilisation / 0.01) / rate)
    assert wait_quantile(service, utilisation) == pytest.approx(expected)


def test_a_constant_server_waits_half_as_long_on_average() -> None:
    assert mean_wait(Service(1.0), 0.5) == mean_wait(Service(1.0, 1.0), 0.5) / 2 == 0.5


@given(SERVICES, UTILISATIONS, UTILISATIONS)
def test_busier_servers_let_callers_wait_longer(service: Service, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert wait_quantile(service, low) <= wait_quantile(service, high)
    assert mean_wait(service, low) <= mean_wait(service, high)


@given(SERVICES, st.floats(0.0, 100.0), st.floats(0.0, 0.95))
def test_the_highest_utilisation_keeps_the_wait(service: Service, allowed: float, ceiling: float) -> None:
    found = highest_utilisation(service, allowed, ceiling)
    assert 0.0 <= found <= ceiling
    assert delay_quantile(service, found) <= allowed
    if found < ceiling:
        assert delay_quantile(service, min(ceiling, found + 1e-6)) >= allowed * (1 - 1e-3)


@given(SERVICES, st.floats(max_value=0.0, exclude_max=True, allow_nan=False))
def test_nothing_can_be_planned_where_the_answer_alone_is_late(service: Service, allowed: float) -> None:
    assert highest_utilisation(service, allowed, 0.7) == 0.0


@pytest.mark.parametrize("utilisation", [-0.1, 1.0, 2.0])
def test_a_server_is_busy_for_a_share_of_the_time(utilisation: float) -> None:
    with pytest.raises(ValueError, match="less than 1"):
        wait_quantile(Service(1.0), utilisation)


@pytest.mark.parametrize("utilisation", [0.3, 0.5, 0.7, 0.9])
def test_a_simulated_queue_waits_a_little_less_long(utilisation: float) -> None:
    """M/D/1 one customer after the other (Lindley's recursion), 400,000 of them."""
    draw = np.random.default_rng(7)
    between = draw.exponential(1.0 / utilisation, 400_000)
    waits = np.empty(len(between))
    wait = 0.0
    for place, gap in enumerate(between):
        wait = max(0.0, wait + 1.0 - gap)
        waits[place] = wait
    assert mean_wait(Service(1.0), utilisation) == pytest.approx(waits.mean(), rel=0.08)
    simulated = float(np.quantile(waits, 0.99))
    assert simulated * 0.95 <= wait_quantile(Service(1.0), utilisation) <= simulated * 1.35


@pytest.mark.parametrize(("fixed", "each"), [(1.0, 0.0), (1.0, 0.1), (0.2, 0.2), (0.0, 0.5)])
@pytest.mark.parametrize("together", [1, 8, 64])
@pytest.mark.parametrize("patience", [2.0, 3.0, 6.0, 12.0])
def test_a_gateway_that_batches_what_waits_is_no_slower_than_planned(
    fixed: float, each: float, together: int, patience: float
) -> None:
    """What a plan promises holds in a simulated gateway, which answers everything that waits in one batch."""
    service_s = fixed + each * together
    latency_s = patience * service_s
    utilisation = highest_utilisation(Service(service_s), latency_s - service_s, 0.95)
    arrivals = np.cumsum(np.random.default_rng(11).exponential(service_s / (utilisation * together), 20_000))
    latencies, now, place = [], 0.0, 0
    while place < len(arrivals):
        now = max(now, float(arrivals[place]))
        end = int(np.searchsorted(arrivals, now, side="right"))
        now += fixed + each * (end - place)
        latencies.append(now - arrivals[place:end])
        place = end
    assert float(np.quantile(np.concatenate(latencies), 0.99)) <= latency_s * 1.02, "2% are the draw's"
