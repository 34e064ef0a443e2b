"""The versions a model was fitted with, as its package remembers them. Called by `register` and ``doctor``."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version


def environment(distributions: Iterable[str]) -> dict[str, str]:
    """Python's version, the machine's architecture, and the versions of those of `distributions` that are installed.

    >>> sorted(environment(["numpy", "no-such-thing"]))
    ['machine', 'numpy', 'python']
    """
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in sorted(set(distributions)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def differences(recorded: Mapping[str, str]) -> list[str]:
    """What is not here as it was when the package was made, one sentence each; empty when all is the same.

    >>> differences({"numpy": "0.1"})[0].startswith("numpy is ")
    True
    """
    present = environment(recorded)
    return [
        f"{name} is {present.get(name, 'not installed')}, the package was made with {was}"
        for name, was in sorted(recorded.items())
        if present.get(name) != was
    ]
