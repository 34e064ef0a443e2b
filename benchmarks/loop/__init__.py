"""What the closed loop promises: on real flights beside a judge of its own, and in worlds whose truth is known."""
