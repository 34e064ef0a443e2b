"""Doubles and conformance suites, public for third parties: an unkind disk, an in-memory store, scripted models."""
