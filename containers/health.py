"""The health check of a task: exits with 0 where `GET /health` of this very container is answered with 200.

ECS runs it inside the container every few seconds, so it starts as quickly as Python can (`python3.13 -S`).
"""

import os
import socket
import sys

SECONDS = 4  # less than ECS's default, after which it would end the check itself
REQUEST = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


def main() -> None:
    """Ask, and exit with 0 or with 1."""
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=SECONDS) as connection:
            connection.sendall(REQUEST)
            status = connection.makefile("rb").readline().split()
    except OSError as error:
        sys.exit(f"No answer: {error}")
    if status[1:2] != [b"200"]:
        sys.exit(f"The answer was {status}")


if __name__ == "__main__":
    main()
