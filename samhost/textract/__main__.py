"""`python -m samhost.textract`: serve Textract's DetectDocumentText on this machine."""

import argparse
import logging
import signal
import sys

import uvicorn

from samhost.textract.app import TextractApp


def main() -> None:
    """Load the models, then open the port and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m samhost.textract", description=__doc__)
    parser.add_argument("--port", type=int, default=4567)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # uvicorn finishes what is under way, then raises the signal again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from samhost.textract.engine import RapidOcrEngine  # half a second, which --help can do without

    engine = RapidOcrEngine()
    logging.getLogger("samhost.textract").info("engine: %s", engine.name)
    app = TextractApp(engine)
    try:
        uvicorn.run(
            app, host=options.host, port=options.port, lifespan="off", access_log=False, timeout_graceful_shutdown=30
        )
    finally:
        app.close()


if __name__ == "__main__":
    main()
