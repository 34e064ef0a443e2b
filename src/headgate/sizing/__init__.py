"""What a package needs on this machine: measured in a process of its own, planned with a named queueing model."""
