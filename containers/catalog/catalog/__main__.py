"""Runs a catalog: `SERVICE` says of what, books or authors."""

import os

from serving import serve

from catalog.app import create

if __name__ == "__main__":
    serve(create(os.environ["SERVICE"]))
