"""The spine: a model from file to answered, remembered, labelled and measured; one file per part of it."""

from acceptance.rows import Suite
from acceptance.spine import (
    badinput,
    commands,
    contracts,
    firsts,
    flights,
    gateway,
    journal,
    measured,
    registry,
    repository,
    shows,
    speed,
)

# The firsts come first: their clones are built with nothing else on the machine's mind.
SUITE = Suite().join(
    firsts.SUITE,
    repository.SUITE,
    contracts.SUITE,
    registry.SUITE,
    gateway.SUITE,
    journal.SUITE,
    measured.SUITE,
    commands.SUITE,
    flights.SUITE,
    badinput.SUITE,
    shows.SUITE,
    speed.SUITE,
)
