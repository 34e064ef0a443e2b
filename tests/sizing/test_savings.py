"""Every change is told with both figures and where they come from; one that gains nothing is told too."""

from headgate.sizing.figures import How, Memory, ModelTime, Plan, Requests, Saving
from headgate.sizing.plan import JSON
from headgate.sizing.savings import BINARY, BUFFERED, Form, savings

ONE = Requests(JSON, 1, 1, 1000, 0, 100.0, 0.5, 1.0, 0.10, 0.40, 0.0)
MANY = Requests(JSON, 64, 1, 1000, 0, 10.0, 5.0, 9.0, 0.64, 0.64, 0.0)


def model(rows: int, p50: float, cpu: float | None = None) -> ModelTime:
    return ModelTime(rows, 100, p50, p50, p50, 0.0, p50 if cpu is None else cpu, 1.0, 50.0)


def only(found: tuple[Saving, ...]) -> Saving:
    assert len(found) == 1
    return found[0]


def test_larger_requests_share_their_cost() -> None:
    found = only(savings([ONE, MANY], [], rows=1))
    assert (found.before, found.after, found.how) == (500.0, 20.0, How.MEASURED)
    assert found.change == "64 rows in one request instead of 1"
    assert "5 ms instead of 0.5 ms" in found.cost


def test_binary_bodies_are_compared_with_json_of_as_many_rows() -> None:
    binary = Requests(BINARY, 64, 1, 1000, 0, 20.0, 2.0, 4.0, 0.32, 0.0, 0.0)
    found = [each for each in savings([ONE, MANY, binary], [], rows=1) if "binary" in each.change]
    assert [(each.before, each.after, each.factor) for each in found] == [(20.0, 5.0, 4.0)]
    assert not any("binary" in each.change for each in savings([ONE, binary], [], rows=1))


def test_a_buffered_journal_is_compared_with_the_durable_one() -> None:
    buffered = Requests(BUFFERED, 1, 1, 1000, 0, 200.0, 0.25, 0.3, 0.10, 0.40, 0.0)
    found = only(savings([ONE, buffered], [], rows=1))
    assert (found.before, found.after, found.unit) == (0.5, 0.25, "ms, p50")
    assert "lose" in found.cost


def test_another_form_saves_the_model_and_the_hop() -> None:
    form = Form("ONNX", "2 labels flip", [model(1, 0.01)])
    found = only(savings([ONE], [model(1, 0.4)], rows=1, forms=[form]))
    assert (found.before, found.how, found.cost) == (500.0, How.COMPUTED, "2 labels flip")
    assert round(found.after, 6) == 110.0
    inside = Requests(JSON, 1, 1, 1000, 0, 100.0, 0.5, 1.0, 0.50, 0.0, 0.0)
    assert round(only(savings([inside], [model(1, 0.4)], rows=1, forms=[form])).after, 6) == 110.0


def test_a_form_that_could_not_be_run_says_why_and_comes_last() -> None:
    found = savings([ONE, MANY], [], rows=1, forms=[Form("ONNX", "2 labels flip", why="no original is kept")])
    assert (found[-1].how, found[-1].says, found[-1].factor) == (How.UNKNOWN, "no original is kept", 0.0)


def test_threads_that_gain_nothing_are_told() -> None:
    found = only(savings([], [model(1, 1.0), model(64, 10.0)], rows=1, threaded=[model(1, 1.0), model(64, 10.0, 15.0)]))
    assert (found.before, found.after, found.factor) == (10.0, 10.0, 1.0)
    assert "+50%" in found.cost
    assert "at 64 rows" in found.change


def test_workers_nobody_needs_cost_memory() -> None:
    plan = Plan(True, 1.0, 8, 1, 0.7, "cores", 100.0, 400.0, 1, 1, 1, 1, 90.0)
    found = only(savings([], [], rows=1, plan=plan, cores=4, gateway=Memory(80.0, 5.0, 90.0)))
    assert (found.before, found.after, found.how) == (360.0, 90.0, How.COMPUTED)
    assert savings([], [], rows=1, plan=plan, cores=1, gateway=Memory(80.0, 5.0, 90.0)) == ()


def test_what_saves_most_comes_first() -> None:
    buffered = Requests(BUFFERED, 1, 1, 1000, 0, 200.0, 0.25, 0.3, 0.10, 0.40, 0.0)
    assert [round(each.factor) for each in savings([ONE, MANY, buffered], [], rows=1)] == [25, 2]


def test_failed_requests_prove_nothing() -> None:
    failed = Requests(JSON, 64, 1, 1000, 1, 10.0, 5.0, 9.0, 0.64, 0.64, 0.0, "x")
    assert savings([ONE, failed], [], rows=1) == ()
