"""The one parent of all processes on a machine: starts them, restarts what dies, ends them in order."""
