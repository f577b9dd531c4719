"""Runs a store: `SERVICE` says of what (foods or pets), `TABLE` in which table; AWS's own variables name the rest."""

import os

import boto3
from botocore.config import Config
from serving import serve

from store.app import create
from store.collection import COLLECTIONS
from store.table import Table


def main() -> None:
    """Serve until told to stop."""
    # Short enough for an answer within API Gateway's 30 s, whatever happens; as many connections as there are threads.
    retries = {"mode": "standard", "max_attempts": 3}
    config = Config(connect_timeout=2, read_timeout=5, retries=retries, max_pool_connections=40)
    table = Table(boto3.client("dynamodb", config=config), os.environ["TABLE"])
    serve(create(COLLECTIONS[os.environ["SERVICE"]], table))


if __name__ == "__main__":
    main()
