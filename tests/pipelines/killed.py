"""A program that runs a pipeline and is killed before the so-manieth change of a file, as a machine's end would."""

import os
import signal
import sys
from pathlib import Path

from tests.pipelines.worlds import World

_CHANGES = {"os.rename", "os.replace", "os.mkdir", "os.remove", "shutil.rmtree", "os.link"}


def main() -> None:
    """Arguments: the world's folder, and how many changes of files in its home are let through."""
    root, left = Path(sys.argv[1]), int(sys.argv[2])
    home = str(root / "home")

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _CHANGES and any(str(each).startswith(home) for each in arguments):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    world = World(root)
    sys.addaudithook(hook)
    world.runner().run()


if __name__ == "__main__":
    main()
