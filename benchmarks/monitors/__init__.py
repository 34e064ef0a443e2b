"""What monitors of columns cost and how often they cry wolf, beside other tools: `columns.py` and `calibration.py`."""
