"""ECS services as processes of this machine: the engine keeps what is wanted, and this does it."""
