"""Runs the previews: `PROJECTS_TABLE`, `PAGES_TABLE`, `BUCKET` are the scanner's, `CACHE_BYTES` is the cache's size."""

import os

from serving import serve

from preview.app import create

if __name__ == "__main__":
    serve(create(int(os.environ.get("CACHE_BYTES", str(64 << 20)))))
