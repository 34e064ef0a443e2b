"""What people are to decide, a case at a time: which inputs wait for somebody, and who has which.

`cases.py` finds what waits, purely; `leases.py` is who has what. Decisions themselves are records of the journal.
"""
