"""Hosts a SAM template on one machine: engine, deployment, gateway, Textract endpoint.

It serves any template: nothing in here knows what the application is about.
"""
