"""Which home a container serves; called by ``headgate serve``.

A platform unpacks the model's archive into a directory of its own, often without the right to write there. A home
must be written, for the journal is in it.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from headgate.settings import Home, default_home

MODEL: Final = Path("/opt/ml/model")
"""Where SageMaker unpacks a model's archive."""


def container_home(model: Path = MODEL) -> Path:
    """``$HEADGATE_HOME`` if it is set, else `model` when that holds a home, else what every verb takes.

    A home that cannot be written is served from a copy in the temporary directory, which lasts as long as the
    container does.
    """
    if "HEADGATE_HOME" in os.environ or not Home(model).mark.is_file():
        return default_home()
    return model if os.access(model, os.W_OK) else lean_copy(Home(model), Path(tempfile.mkdtemp(prefix="headgate-")))


def lean_copy(home: Home, target: Path) -> Path:
    """A home in `target` that serves what `home` serves, with a journal of its own; packages are shared."""
    copy = Home(target)
    for file in (home.mark, home.secret, home.database, home.channels):
        if file.exists():
            shutil.copy(file, target / file.name)  # mode and all: the secret is its owner's alone
    shutil.copytree(home.traffic, copy.traffic)
    copy.packages.symlink_to(home.packages.absolute(), target_is_directory=True)
    return target
