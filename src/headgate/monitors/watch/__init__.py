"""One endpoint watched for as long as it serves, at the cost of what is new.

Read `tick.py` first: what is new is handed to monitors, portion by portion, and they say what they found. `monitor.py`
is their port, `feed.py` and `mature.py` read the journal, `state.py` is all that is remembered between two ticks, and
`days.py` what a year of history is made of. Each other file is one monitor, or how all of it is shown.
"""
