"""What is said of an endpoint after an alarm: what has changed since, of which kind, from when, and what it costs.

Read `diagnosis.py` first: two sides and a series of days in, one value out. `sides` makes a side of the journal's rows;
`words` says in sentences what an alert tells of it, `text` shows all of it. `kept` is what is remembered of an episode
of alarms, and when it is looked at again.
"""
