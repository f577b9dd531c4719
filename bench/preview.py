"""Previews: time as a ratio to Pillow alone, decoding in draft mode, resizing and encoding the same images; and hits.

    [DOCSCAN_TEST_PAGES=FOLDER] .venv/bin/python bench/preview.py [--width N] [--runs N]

The service runs as a process of its own and is asked over HTTP. DynamoDB and S3 are one small server here, which
answers at once: what the service's calls to them cost is in its time, but not how long they take to answer. Every page
is asked for twice: the second answer comes from the service's cache, and reads no image.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

import httpx
from PIL import Image
from report import ratio, spread, table, title
from searchable_pdf import MEGAPIXELS, ROOT, jpeg, photograph
from true_pages import true_pages

sys.path[:0] = [str(ROOT / "tests")]
from gateway_process import reply, server
from local_system import free_ports

MOST = 1.5
KINDS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}
QUALITY = 80
CALLER = {"x-user": "bench"}
PAGE = {
    "projectId": "project", "owner": "bench", "position": 1, "contentType": "image/jpeg", "status": "recognising",
    "imageId": "image", "imageVersion": "1", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
}  # fmt: skip
PROJECT = {
    "projectId": "project", "owner": "bench", "name": "Bench", "nextPosition": 2, "pageCount": 1,
    "awaiting-upload": 0, "recognising": 1, "ready": 0, "failed": 0,
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
}  # fmt: skip


class Store:
    """The tables, in which every page is, and the bucket, in which page `N-…` has image N."""

    def __init__(self, images: list[bytes]) -> None:
        self._images, self.reads = images, 0

    async def answer(self, path: str, request: dict, writer) -> None:
        if "/images/" in path:
            self.reads += 1
            number = path.partition("/images/project/")[2].partition("-")[0]
            reply(writer, self._images[int(number)], "Content-Type: image/jpeg", 'ETag: "0"')
            return
        key = json.loads(request["body"])["Key"]
        found = PAGE | {"pageId": key["pageId"]["S"]} if "pageId" in key else PROJECT
        item = {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in found.items()}
        reply(writer, json.dumps({"Item": item}).encode(), "Content-Type: application/x-amz-json-1.0")


@contextmanager
def service(engine: str) -> Iterator[str]:
    """Run the service as its image does; yields its address."""
    [port] = free_ports(1)
    folders = ("containers/preview", "containers", "functions")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in folders),
        "PORT": str(port), "HOST": "127.0.0.1", "AWS_ENDPOINT_URL": engine,
        "PROJECTS_TABLE": "projects", "PAGES_TABLE": "pages", "BUCKET": "bucket",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "preview"], env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/health").raise_for_status()
                break
            except httpx.TransportError:
                sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def alone(data: bytes, width: int, kind: str) -> float:
    """Return the seconds that Pillow takes for the picture."""
    start = perf_counter()
    image = Image.open(io.BytesIO(data))
    size = width, round(image.height * width / image.width)
    image.draft("RGB", size)
    image.resize(size).save(io.BytesIO(), KINDS[kind], quality=QUALITY)
    return perf_counter() - start


def asked(client: httpx.Client, path: str, kind: str) -> float:
    """Return the seconds that the service takes for the picture."""
    start = perf_counter()
    answer = client.get(path, headers={"accept": kind} | CALLER)
    seconds = perf_counter() - start
    if answer.status_code != 200 or answer.headers["content-type"] != kind:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text}")
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        what, found = true_pages(Path(folder))
        images = [jpeg(photograph(page.image)) for page in found[:4]]
    title(f"Previews of {arguments.width} pixels")
    sizes = f"{min(map(len, images)) / 1e6:.1f} to {max(map(len, images)) / 1e6:.1f} MB"
    print(f"{len(images)} of {what} as JPEGs of {MEGAPIXELS} megapixels, {sizes}.\n")
    store, rows, decoded_again = Store(images), [], 0
    with server(store.answer) as engine, service(engine) as address, httpx.Client(base_url=address) as client:
        for kind in KINDS:
            ours, theirs, hits = [], [], []
            for run in range(arguments.runs + 1):  # the first makes the clients
                times = [[], [], []]
                for number, data in enumerate(images):
                    path = f"/previews/project/{number}-{run}?width={arguments.width}"
                    times[0].append(asked(client, path, kind))
                    times[1].append(alone(data, arguments.width, kind))
                    before = store.reads
                    times[2].append(asked(client, path, kind))
                    decoded_again += store.reads - before
                if run:
                    for values, measured in zip((ours, theirs, hits), times, strict=True):
                        values.append(1000 * sum(measured) / len(measured))
            rows += [
                (f"{KINDS[kind]}: Pillow alone", f"{spread(theirs, 1)} ms", ""),
                (f"{KINDS[kind]}: the service", f"{spread(ours, 1)} ms", ""),
                (f"{KINDS[kind]}: ratio to Pillow alone", ratio(ours, theirs), f"{MOST}"),
                (f"{KINDS[kind]}: the service, from its cache", f"{spread(hits, 1)} ms", ""),
                (f"{KINDS[kind]}: ratio of that to the first time", ratio(hits, ours), ""),
            ]
    table(("", "median (least–most)", "at most"), rows)
    print(f"{arguments.runs} runs over all images, in turns, one request after another.")
    print(f"Of the answers from the cache, {decoded_again} read the image again.")
    return 1 if decoded_again else 0


if __name__ == "__main__":
    sys.exit(main())
