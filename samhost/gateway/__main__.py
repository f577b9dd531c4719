"""Runs the gateway: `python -m samhost.gateway --config FILE`."""

import argparse
import json
import logging
import sys
from pathlib import Path

import uvloop

from samhost.gateway.errors import ConfigurationError
from samhost.gateway.server import serve

_KEYS = {"engine", "region", "accountId", "apis"}
_API_KEYS = {"name", "apiId", "host", "port", "document", "stage"}


def main() -> int:
    """Serve until told to stop; returns the exit status, 1 with one line on stderr where it cannot start."""
    parser = argparse.ArgumentParser(prog="samhost.gateway", description="Serves HTTP APIs from their documents")
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: engine, region, accountId, apis, loadBalancers"
    )
    file = parser.parse_args().config
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(serve(_read(file)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read(file: Path) -> dict:
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    missing = _KEYS - config.keys()
    for api in config.get("apis", []):
        missing |= _API_KEYS - api.keys()
    if missing:
        raise ConfigurationError(f"{file} lacks {', '.join(sorted(missing))}")
    return config


if __name__ == "__main__":
    sys.exit(main())
