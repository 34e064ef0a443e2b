"""Rollouts that may be trusted, decided with a stated error rate; one file per part of it."""

from acceptance.rollouts import badinput, demos, evidence, guards, people, plans, report, shows, speed, taking
from acceptance.rows import Suite

SUITE = Suite().join(
    evidence.SUITE,
    plans.SUITE,
    guards.SUITE,
    report.SUITE,
    taking.SUITE,
    people.SUITE,
    demos.SUITE,
    speed.SUITE,
    badinput.SUITE,
    shows.SUITE,
)
