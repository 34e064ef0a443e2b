"""Every client works unchanged, and the gateway cannot be knocked over; one file per part of it."""

from acceptance.clients import access, badinput, doors, pressure, shows, speed, watching
from acceptance.rows import Suite

SUITE = Suite().join(
    doors.SUITE, access.SUITE, pressure.SUITE, watching.SUITE, badinput.SUITE, shows.SUITE, speed.SUITE
)
