"""Runs the load balancers: `python -m samhost.elb --config FILE`."""

import argparse
import json
import logging
import sys
from pathlib import Path

import uvloop

from samhost.elb.server import serve
from samhost.gateway.errors import ConfigurationError


def main() -> int:
    """Serve until told to stop; returns the exit status, 1 with one line on stderr where it cannot start."""
    parser = argparse.ArgumentParser(prog="samhost.elb", description="Serves the listeners of load balancers")
    parser.add_argument("--config", type=Path, required=True, help="JSON: engine, region, listeners")
    file = parser.parse_args().config
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(serve(json.loads(file.read_text())))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
