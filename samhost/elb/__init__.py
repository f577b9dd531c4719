"""Stands in for the template's load balancers: a local port for each listener, in front of healthy targets.

Its listeners, rules and targets are those of the engine, read by its public API.
"""
