"""What monitors say of simulated windows whose truth is known."""
