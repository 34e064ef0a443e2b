"""What is printed and said, however much or whatever it is."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from headgate.retraining.recipes.said import HEAD_BYTES, Printed, Progress


def test_little_is_kept_as_it_is(tmp_path: Path) -> None:
    printed = Printed(tmp_path / "log", tmp_path / "end")
    for chunk in (b"one\n", b"two\n"):
        printed.take(chunk)
    printed.put_down()
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"
    assert not (tmp_path / "end").exists()


def test_of_much_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    printed = Printed(tmp_path / "log", tmp_path / "end")
    printed.take(b"first\n")
    for _ in range(100):
        printed.take(b"x" * 65536)
    printed.take(b"last\n")
    printed.put_down()
    head, end = (tmp_path / "log").read_bytes(), (tmp_path / "end").read_bytes()
    assert head.startswith(b"first\n")
    assert len(head) == HEAD_BYTES
    assert end.endswith(b"x\nlast\n".removeprefix(b"x\n"))
    said = 6 + 100 * 65536 + 5
    assert f"... {said - 2 * HEAD_BYTES:,} bytes left out ...".encode() in end
    assert len(printed.tail) <= 2 * HEAD_BYTES


def test_a_program_says_how_far_it_is_in_its_own_way(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    progress = Progress(path)
    progress.read()
    assert (progress.done, progress.step) == (0.0, "starting")
    path.write_text('{"done": 0.25, "step": "reading"}\n0.5 half way\n{"metric": "auc", "value": 0.7}\n{"done": 0.')
    progress.read()
    assert (progress.done, progress.step, progress.metrics) == (0.5, "half way", {"auc": 0.7})
    with path.open("a") as file:
        file.write('75, "step": ""}\n9\nnan what\n{"metric": "auc", "value": "0.8"}\n{"metric": 3}\n[]\n')
    progress.read()
    assert (progress.done, progress.step, progress.metrics) == (1.0, "half way", {"auc": 0.8})


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_nothing_that_is_said_does_harm(lines: list[bytes]) -> None:
    progress = Progress(Path("nowhere"))
    for line in lines:
        progress._hear(line)
    assert 0.0 <= progress.done <= 1.0
    assert all(isinstance(each, float) for each in progress.metrics.values())
