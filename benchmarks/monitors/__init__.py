"""Benchmarks of the monitors."""
