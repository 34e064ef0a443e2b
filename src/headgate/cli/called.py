"""How to call this command line again; the demos say so where they tell what to look at next."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "headgate"


def called() -> str:
    """The word by which a shell finds this very program: its name, or its path where the name finds another or none."""
    mine = sys.argv[0]
    if Path(mine).name != _NAME:  # `python -m headgate.cli.main`: its script lies beside the interpreter
        mine = str(Path(sys.executable).with_name(_NAME))
    found = shutil.which(_NAME)
    is_on_path = found is not None and Path(found).resolve() == Path(mine).resolve()
    return _NAME if is_on_path or not Path(mine).is_file() else shlex.quote(mine)
