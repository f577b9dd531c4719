"""Keeps items of one kind, foods or pets: free JSON objects under an id, with optimistic locking."""
