"""Whether gateways have come to rest: a question for all, an answer of each that lives."""

import subprocess
import sys
from pathlib import Path

from headgate.store.stillness import FileStillness


def test_a_question_is_seen_by_all_and_answered_by_each(tmp_path: Path) -> None:
    controller, *gateways = (FileStillness(tmp_path / "run" / "stillness") for _ in range(3))
    assert (controller.asked(), controller.heard()) == (0, {})
    assert controller.ask() == 1
    gateways[0].tell("w0", gateways[0].asked())
    assert controller.heard() == {"w0": 1}
    assert controller.ask() == 2
    assert [each.asked() for each in gateways] == [2, 2]
    gateways[1].tell("w1", 2)
    assert controller.heard() == {"w0": 1, "w1": 2}


def test_whoever_asks_after_a_restart_asks_something_new(tmp_path: Path) -> None:
    FileStillness(tmp_path).ask()
    assert FileStillness(tmp_path).ask() == 2


def test_an_answer_dies_with_who_gave_it(tmp_path: Path) -> None:
    says = "import sys; from pathlib import Path; from headgate.store.stillness import FileStillness; "
    says += "FileStillness(Path(sys.argv[1])).tell('w0', 1)"
    subprocess.run([sys.executable, "-c", says, str(tmp_path)], check=True)
    assert (tmp_path / "w0.json").exists()
    assert FileStillness(tmp_path).heard() == {}
