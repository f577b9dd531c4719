"""Runs a site: `SERVICE` says which, helloworld, blog or webpage."""

import os

from serving import serve

from sites.app import create

if __name__ == "__main__":
    serve(create(os.environ["SERVICE"]))
