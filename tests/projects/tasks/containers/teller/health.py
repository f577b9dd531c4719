"""Exits with 0 where the service says that it is healthy."""

import os
import urllib.request

urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/health", timeout=2)
