"""Measurements of what an endpoint did, window by window, and alarms where it is no longer what it was.

Volume, latency, refusals, label coverage and every metric of the task with its interval (`windows`, shown by `status`);
whether losses have grown, and whether inputs and outputs have changed, with a stated rate of false alarms (`alarms`).
"""
