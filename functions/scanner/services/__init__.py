"""Use cases: what the handlers call."""
