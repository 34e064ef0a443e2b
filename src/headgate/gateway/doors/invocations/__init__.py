"""``/invocations`` and ``/ping``: MLflow's scoring server and SageMaker's container contract, which share their paths.

Read `score.py` first: the four JSON shapes and CSV. `table.py` reads and writes CSV, `health.py` answers ``/ping``.
"""
