"""What the closed loop promises, measured: on real flights beside a judge of its own, and in worlds whose truth is known."""
