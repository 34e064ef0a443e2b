"""A pipeline's definition for whoever else runs steps. Each is made of the same plain commands, and of nothing else."""
