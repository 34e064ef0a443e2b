"""Acceptance: one suite per capability, run on a fresh clone by ``make accept SUITE=name``.

A suite is a module here whose functions are registered as rows. Nothing is green by default: a row that raises,
times out, or measures beyond its limit is red, and so is a suite without rows.
"""
