"""What people tell the facade in files and words, read: endpoint files, contracts, names, who is at the keyboard."""

import getpass
from pathlib import Path

from headgate.contracts.contract import Contract
from headgate.contracts.yaml_text import load_yaml
from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.traffic.endpoint import EndpointSpec, load_endpoint
from headgate.vocabulary import NAME, NAME_RULE


def project_of(name: str) -> str:
    """`name`, if a project may be called so. Raises BadInput."""
    if not NAME.fullmatch(name):
        raise BadInput("project", "name", f"must match {NAME_RULE}")
    return name


def contract_of(contract: Contract | Path | None) -> Contract | None:
    """A contract given as a value or as a file. Raises NotFound or BadConfiguration naming the file."""
    return load_yaml(text_of(contract), str(contract)) if isinstance(contract, Path) else contract


def spec_of(spec: EndpointSpec | str | Path) -> EndpointSpec:
    """An endpoint given as a value, as YAML or as a file. Raises NotFound or BadConfiguration naming the key."""
    if isinstance(spec, EndpointSpec):
        return spec
    if isinstance(spec, Path):
        return load_endpoint(text_of(spec), str(spec))
    return load_endpoint(spec, "endpoint")


def model_of(version: str) -> str:
    """The model's name in ``model``, ``model:3`` or ``model@champion``.

    >>> model_of("late:3"), model_of("late@champion"), model_of("late")
    ('late', 'late', 'late')
    """
    return version.replace("@", ":").partition(":")[0]


def actor() -> str:
    """Who is at the keyboard, for the history."""
    return getpass.getuser()


def text_of(path: Path) -> str:
    """What an operator's file says. Raises NotFound, or BadConfiguration naming the file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("file", str(path)) from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(str(path), "is not UTF-8 text") from error
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be read: {(error.strerror or '').lower()}") from error
