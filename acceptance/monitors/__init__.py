"""Monitors that cry wolf at a stated rate, and say which kind of drift it is; one file per part of it."""

from acceptance.monitors import (
    alarms,
    alerts,
    badinput,
    diagnosis,
    estimates,
    flights,
    people,
    quality,
    reports,
    shows,
    speed,
    watching,
)
from acceptance.rows import Suite

SUITE = Suite().join(
    alarms.SUITE,
    diagnosis.SUITE,
    quality.SUITE,
    estimates.SUITE,
    watching.SUITE,
    people.SUITE,
    alerts.SUITE,
    reports.SUITE,
    speed.SUITE,
    badinput.SUITE,
    shows.SUITE,
    flights.SUITE,
)
