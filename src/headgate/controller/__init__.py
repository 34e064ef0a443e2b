"""The loop that keeps an installation as it was declared.

Read `reconcile.py` first: observe, decide, apply. It publishes traffic, seals segments and enforces retention.
"""
