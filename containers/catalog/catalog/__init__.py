"""Lists what it has on file, books or authors, and nothing else."""
