"""Doors translate between a wire format and the one thing that answers; they decide nothing."""
