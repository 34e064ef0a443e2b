"""Measurements of what an endpoint did, window by window.

Volume, latency, refusals, label coverage and every metric of the task with its interval.
"""
