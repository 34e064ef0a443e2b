"""Secrets, read where the operator said that they are, at the moment they are needed."""

import os
import stat
from pathlib import Path
from typing import Final

from headgate.alerts.channels import Secret
from headgate.errors import BadConfiguration

_MOST: Final = 4096
"""Bytes of a secret at most: a path that names a large file by mistake is not read whole."""


def reveal(secret: Secret) -> str:
    """The secret, without white space around it. Raises BadConfiguration, which names the place and not the secret."""
    if secret.env is not None:
        text = os.environ.get(secret.env, "").strip()
        if not text:
            raise BadConfiguration(secret.env, "is not set where the controller runs")
        return text
    path = Path(secret.file or "")
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # it would keep its reader for as long as nobody writes
            raise BadConfiguration(str(path), "is a pipe, and must be a file")
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be read: {(error.strerror or 'no reason given').lower()}") from error
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadConfiguration(str(path), "holds no UTF-8 text") from error
    if not text or len(content) > _MOST:
        raise BadConfiguration(str(path), f"must hold a secret of 1 to {_MOST} bytes")
    return text
