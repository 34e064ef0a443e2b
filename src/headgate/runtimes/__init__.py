"""A package made callable.

One `run(batch)` in two placements: inside the gateway, earned by being live, or in a host process with limits,
reached over a Unix socket.
"""
