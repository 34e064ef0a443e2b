"""From figures to cores, replicas and memory: exact arithmetic on made-up measurements."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.sizing.figures import Memory, ModelTime, Objective, Requests
from headgate.sizing.plan import JSON, Measured, model_ms, plan

GATEWAY = Memory(80.0, 10.0, 100.0)
HOST = Memory(60.0, 20.0, 150.0)


def asked(rows: int = 1, callers: int = 1, *, p99: float = 1.0, gateway: float = 0.1, host: float = 0.0) -> Requests:
    return Requests(JSON, rows, callers, 1000, 0, 100.0, p99 / 2, p99, gateway, host, 0.0)


def model(rows: int, mean: float) -> ModelTime:
    return ModelTime(rows, 100, mean, mean, mean, 0.0, mean, 1.0, 50.0)


def objective(latency: float | None = None, rate: float | None = None, rows: int = 1) -> Objective:
    return Objective("late", latency, rate, rows=rows, ceiling=0.5)


INSIDE = Measured([asked(), asked(8, p99=4.0, gateway=0.2)], [model(1, 0.01), model(8, 0.02)], False, 4, GATEWAY)


def test_a_rate_needs_so_many_cores_replicas_and_memory() -> None:
    found = plan(objective(50.0, 60_000.0), INSIDE)
    # A core bears 0.5 / 0.1 ms = 5,000 a second, a machine of 4 cores 20,000; 60,000 take 12 cores on 3 machines.
    assert (found.met, found.per_core, found.per_replica) == (True, 5_000.0, 20_000.0)
    assert (found.cores, found.replicas, found.spare, found.workers, found.memory_mb) == (12, 3, 1, 4, 400.0)
    assert (found.bound, found.utilisation, found.largest_rows) == ("cores", 0.5, 8)


def test_a_small_rate_needs_one_gateway_on_one_machine() -> None:
    found = plan(objective(50.0, 100.0), INSIDE)
    assert (found.cores, found.replicas, found.workers, found.memory_mb) == (1, 1, 1, 100.0)


def test_without_a_rate_nothing_is_counted() -> None:
    found = plan(objective(50.0), INSIDE)
    assert (found.cores, found.replicas, found.per_replica) == (None, None, 20_000.0)


def test_no_number_of_cores_makes_one_request_quicker() -> None:
    found = plan(objective(0.9, 10.0), INSIDE)
    assert (found.met, found.largest_rows, found.replicas, found.utilisation) == (False, 0, None, 0.0)


def test_the_largest_request_in_time_is_named() -> None:
    assert plan(objective(3.9), INSIDE).largest_rows == 1
    assert plan(objective(4.0), INSIDE).largest_rows == 8


def test_a_tight_latency_costs_utilisation() -> None:
    tight = plan(objective(1.05, 1000.0), INSIDE)
    assert 0.0 < tight.utilisation < 0.5
    assert tight.per_core < 5_000.0


def test_one_runtime_host_is_the_limit_of_a_machine() -> None:
    calls = [asked(gateway=0.1, host=10.0, p99=11.0)]
    found = plan(objective(100.0, 200.0), Measured(calls, [model(1, 10.0)], True, 4, GATEWAY, HOST))
    # The host is held 10 ms by each request: 50 a second at half its time, whatever cores there are.
    assert (found.bound, found.per_replica, found.replicas) == ("runtime host", 50.0, 4)
    assert found.per_core == pytest.approx(5_000.0)
    assert found.workers == 1
    assert found.memory_mb == 100.0 + 150.0
    assert found.cores == 5  # 200 times 10.1 ms of processor at half use: 4.04


def test_a_model_that_sleeps_takes_machines_and_no_cores() -> None:
    calls = [asked(gateway=0.1, host=0.1, p99=11.0)]
    found = plan(objective(100.0, 200.0), Measured(calls, [model(1, 10.0)], True, 4, GATEWAY, HOST))
    assert (found.replicas, found.cores) == (4, 4), "each machine has at least one"


def test_batches_are_taken_where_they_bear_more() -> None:
    calls = [asked(gateway=0.1, host=10.0, p99=11.0), asked(1, 8, gateway=0.1, host=1.5, p99=13.0)]
    measured = Measured(calls, [model(1, 10.0), model(8, 12.0)], True, 4, GATEWAY, HOST)
    found = plan(objective(1000.0, 200.0), measured)
    assert found.together == 8
    assert found.per_replica == pytest.approx(0.5 / (0.012 / 8))
    assert plan(objective(11.5, 200.0), measured).together == 1, "where 13 ms are too long"


def test_failures_are_no_way_to_serve() -> None:
    failed = msgspec.structs.replace(asked(1, 64, gateway=0.001), failed=3)
    measured = with_requests(INSIDE, [*INSIDE.requests, failed])
    assert plan(objective(50.0, 100.0), measured).together == 1
    alone = with_requests(INSIDE, [msgspec.structs.replace(asked(), failed=1)])
    with pytest.raises(ValueError, match="no single request"):
        plan(objective(50.0), alone)


def with_requests(measured: Measured, requests: list[Requests]) -> Measured:
    return Measured(requests, measured.model, measured.hosted, measured.cores, measured.gateway, measured.host)


def test_rows_that_were_not_measured_cannot_be_planned_for() -> None:
    with pytest.raises(ValueError, match="3 rows"):
        plan(objective(50.0, rows=3), INSIDE)


@given(st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.floats(1.2, 1000.0))
def test_more_asked_never_needs_less(one: float, other: float, latency: float) -> None:
    low, high = (plan(objective(latency, each), INSIDE) for each in sorted((one, other)))
    assert (low.cores or 0) <= (high.cores or 0)
    assert (low.replicas or 0) <= (high.replicas or 0)
    for each, rate in ((low, min(one, other)), (high, max(one, other))):
        assert each.replicas is not None
        assert each.per_replica * each.replicas >= rate * (1 - 1e-9)
        assert each.workers * each.replicas * each.per_core >= rate * (1 - 1e-9)


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0.01, 100.0)), min_size=1, max_size=6), st.floats(1, 2000))
def test_a_models_time_lies_between_those_measured(known: list[tuple[int, float]], rows: float) -> None:
    times = [model(each, mean) for each, mean in dict(known).items()]
    found, largest = model_ms(times, rows), max(times, key=lambda each: each.rows)
    if rows <= largest.rows:
        assert min(each.mean_ms for each in times) - 1e-9 <= found <= max(each.mean_ms for each in times) + 1e-9
    else:
        assert found == pytest.approx(largest.mean_ms * rows / largest.rows)
