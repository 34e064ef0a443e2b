"""Ten months of real flights go through a served model, one HTTP request each.

The flights of 2013 from New York's three airports and the weather of their hours; called by ``headgate demo``.
"""
