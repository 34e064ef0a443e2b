"""Measurements of what an endpoint did, window by window, and alarms where it is no longer what it was.

Volume, latency, refusals, label coverage and every metric of the task with its interval (`windows`); whether losses
have grown (`risk`), and whether inputs and outputs have changed (`drift`), with a stated rate of false `alarms`.
"""
