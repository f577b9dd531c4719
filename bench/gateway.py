"""What the local gateway costs: requests through it, beside the same calls sent straight to the engine.

    .venv/bin/python bench/gateway.py [--runs N]

JWT and SQS-SendMessage against SendMessage as the same role; JWT and a Lambda route against Invoke with the same event,
once for a function that counts in a table, as functions behind an API do, and once for one that answers at once.
The client is the same for both: connections that are kept, on each of them one request after another, always the same
bytes. The system is tests/service_integrations on free ports, with a data directory that is deleted again; where
SERVICE_INTEGRATIONS_DATA_DIR names one that is running, it is that.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import quote, urlencode, urlsplit

import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from report import ratio, spread, table, title

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from local_system import System, access_token, service_integrations

LEAST_RATIO, MOST_ADDED_MS, LEAST_LAMBDA = 0.5, 3.0, 0.95
FUNCTIONS = {"Count": "Invoke, one that counts", "Echo": "Invoke, one that does nothing"}
REQUESTS = {1: 300, 8: 1600, 64: 4000}  # of a run, by the number of connections
INVOCATIONS = 800


def request_bytes(url: str, headers: dict[str, str], body: bytes, method: str = "POST") -> bytes:
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in {"host", "content-length"}]
    return "\r\n".join([*lines, "", ""]).encode() + body


def signed(url: str, service: str, credentials: Credentials, content_type: str, body: bytes) -> bytes:
    request = AWSRequest("POST", url, {"Content-Type": content_type}, body)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return request_bytes(url, dict(request.headers.items()), body)


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    if b"\r\ncontent-length:" in head:
        return await reader.readexactly(int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]))
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):  # chunked
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return content


async def send(url: str, request: bytes, count: int, concurrency: int) -> tuple[float, float]:
    """Requests a second, and the median of a request's milliseconds."""
    parts, left, times = urlsplit(url), iter(range(count)), []
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(concurrency)]

    async def one_after_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in left:
            start = perf_counter()
            writer.write(request)
            await answer_of(reader)
            times.append(1000 * (perf_counter() - start))

    start = perf_counter()
    await asyncio.gather(*(one_after_another(*connection) for connection in connections))
    seconds = perf_counter() - start
    for _, writer in connections:
        writer.close()
    return count / seconds, median(times)


def send_message_requests(system: System, token: str) -> dict[str, tuple[str, bytes]]:
    """The same message straight to the engine, as the integration's role, and through the gateway."""
    engine, queue = system.addresses["engine"], system.output("MessagesUrl")
    role = system.client("sts").assume_role(RoleArn=system.output("MessagesRoleArn"), RoleSessionName="bench")
    key = role["Credentials"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    message = json.dumps({"command": "recognise", "pageIds": ["0123456789abcdef"] * 10})
    form = {"Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": queue, "MessageBody": message}
    form["MessageGroupId"] = "0123456789abcdef0123456789abcdef0123"
    content_type = "application/x-www-form-urlencoded"
    url = f"{system.addresses['apis']['Api']}/secured/messages"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return {
        "direct": (engine, signed(f"{engine}/", "sqs", credentials, content_type, urlencode(form).encode())),
        "gateway": (url, request_bytes(url, headers, message.encode())),
    }


async def invocation_requests(system: System, token: str, function: str) -> dict[str, tuple[str, bytes]]:
    """The same event by Invoke, as root as the gateway does, and through the gateway."""
    engine, url = system.addresses["engine"], f"{system.addresses['apis']['Api']}/{function.lower()}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = request_bytes(url, headers, b'{"name": "Tom"}')
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    event = await answer_of(reader)  # the function answers with the event that it got
    writer.close()
    invoke = f"{engine}/2015-03-31/functions/{quote(system.output(f'{function}Arn'), safe='')}/invocations"
    root = Credentials("test", "test")
    return {"direct": (engine, signed(invoke, "lambda", root, "application/json", event)), "gateway": (url, request)}


async def measure(system: System, runs: int) -> None:
    token = access_token(system, system.output("ClientId"))
    queue, sqs = system.output("MessagesUrl"), system.client("sqs")
    rows = []
    for concurrency, count in REQUESTS.items():
        requests = send_message_requests(system, token)
        rows.append(await compare("SendMessage", requests, concurrency, count, runs))
        sqs.purge_queue(QueueUrl=queue)
    wanted = {("SendMessage", 64): (f"at least {LEAST_RATIO}", "")}
    for function, name in FUNCTIONS.items():
        requests = await invocation_requests(system, token, function)
        rows.append(await compare(name, requests, 8, INVOCATIONS, runs))
        wanted[name, 8] = f"at least {LEAST_LAMBDA}", ""
    wanted |= {("SendMessage", concurrency): ("", f"at most {MOST_ADDED_MS:.0f}") for concurrency in (1, 8)}
    header = (
        "",
        "at once",
        "engine, requests/s",
        "through the gateway",
        "ratio",
        "wanted",
        "ms added, median",
        "wanted",
    )
    table(header, [(*row[:5], wanted[row[:2]][0], row[5], wanted[row[:2]][1]) for row in rows])


async def compare(
    name: str, requests: dict[str, tuple[str, bytes]], concurrency: int, count: int, runs: int
) -> tuple[str, int, str, str, str, str]:
    """The figures of a request that is sent `direct` and through the `gateway`, in turns."""
    for url, request in requests.values():
        await send(url, request, max(count // 4, concurrency), concurrency)  # connections, credentials, processes
    speeds: dict[str, list[float]] = {side: [] for side in requests}
    times: dict[str, list[float]] = {side: [] for side in requests}
    for _ in range(runs):
        for side, (url, request) in requests.items():
            speed, time = await send(url, request, count, concurrency)
            speeds[side].append(speed)
            times[side].append(time)
    added = [ours - theirs for ours, theirs in zip(times["gateway"], times["direct"], strict=True)]
    return (
        name,
        concurrency,
        spread(speeds["direct"], 0),
        spread(speeds["gateway"], 0),
        ratio(speeds["gateway"], speeds["direct"]),
        spread(added),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    title("The gateway beside the engine")
    with tempfile.TemporaryDirectory() as folder, service_integrations(Path(folder)) as system:
        uvloop.run(measure(system, runs))
    print(f"Median (least–most) of {runs} runs in turns; client, gateway and engine share the cores.")


if __name__ == "__main__":
    main()
