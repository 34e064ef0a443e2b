"""How rollouts would be decided, in simulated traffic whose truth is known; see `__main__`."""
