"""The gateway's memory over many requests, each with a path, a token or a key of its own.

    .venv/bin/python bench/gateway_memory.py [--requests N]

A quarter each: a function behind a JWT, a function behind a Lambda authorizer whose decisions are kept, an HTTP proxy,
and paths that no route takes. Engine, issuer and backend are one small server here, so nothing else is measured.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import jwt
import psutil
import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa
from report import table, title

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from gateway_process import gateway, reply, server

MOST_GROWTH = 1.05  # from a fifth of the requests to the last; before that, caches fill and pools grow
CONCURRENCY, SAMPLES, TOKENS = 16, 10, 2000
KEY = rsa.generate_private_key(65537, 2048)
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:any"
POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/*"}},
        }
    ]
}


async def answer(path: str, request: dict, writer: asyncio.StreamWriter) -> None:
    """Lambda's API, an issuer's documents, and a backend."""
    if path.endswith("/policy"):
        body: object = {"Policy": json.dumps(POLICY)}
    elif path.endswith("/invocations"):
        event = json.loads(request["body"])
        body = {"statusCode": 200, "body": "x" * 500}
        if event.get("type") == "REQUEST":
            statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["routeArn"]}
            body = {"principalId": "any", "policyDocument": {"Statement": [statement]}, "context": {"a": "x" * 500}}
    elif path.endswith("/openid-configuration"):
        body = {"jwks_uri": f"http://{dict(request['headers'])['Host']}/keys"}
    elif path.endswith("/keys"):
        body = {"keys": [jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "key"}]}
    else:
        body = "x" * 500
    reply(writer, json.dumps(body).encode(), "Content-Type: application/json")


def document(backend: str) -> dict:
    function = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": FUNCTION}
    proxy = {"type": "http_proxy", "httpMethod": "ANY", "payloadFormatVersion": "1.0", "uri": f"{backend}/b/{{id}}"}
    users = {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": backend, "audience": ["bench"]},
    }
    guard = {
        "type": "request",
        "authorizerUri": FUNCTION,
        "authorizerPayloadFormatVersion": "2.0",
        "identitySource": "$request.querystring.key",
        "authorizerResultTtlInSeconds": 3600,
    }

    def route(integration: dict, *schemes: str) -> dict:
        security = [{scheme: []} for scheme in schemes]
        return {"get": {"x-amazon-apigateway-integration": integration, "security": security}}

    return {
        "paths": {
            "/users/{id}": route(function, "users"),
            "/guarded/{id}": route(function, "guard"),
            "/proxied/{id}": route(proxy),
        },
        "components": {
            "securitySchemes": {
                name: {"type": "apiKey", "name": "-", "in": "header", "x-amazon-apigateway-authorizer": settings}
                for name, settings in {"users": users, "guard": guard}.items()
            }
        },
    }


def tokens(issuer: str) -> list[str]:
    claims = {"iss": issuer, "aud": "bench", "exp": int(time.time()) + 7200}
    return [jwt.encode(claims | {"sub": f"user-{number}"}, KEY, "RS256", {"kid": "key"}) for number in range(TOKENS)]


async def load(url: str, bearer: list[str], numbers: range) -> None:
    """Send requests, some at once; raises RuntimeError where one is not answered as it must be."""
    left = iter(numbers)

    async def one_after_another(client: aiohttp.ClientSession) -> None:
        for number in left:
            kind = number % 4
            path = (f"/users/{number}", f"/guarded/1?key={number}", f"/proxied/{number}", f"/nowhere/{number}")[kind]
            headers = {"Authorization": bearer[number % len(bearer)]} if kind == 0 else {}
            async with client.get(path, headers=headers) as got:
                await got.read()
                if got.status != (404 if kind == 3 else 200):
                    raise RuntimeError(f"{path} answered {got.status}")

    async with aiohttp.ClientSession(url) as client:
        await asyncio.gather(*(one_after_another(client) for _ in range(CONCURRENCY)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    requests = parser.parse_args().requests
    title("The gateway's memory")
    with (
        tempfile.TemporaryDirectory() as folder,
        server(answer) as backend,
        gateway(Path(folder), document(backend), engine=backend) as process,
    ):
        memory, bearer = psutil.Process(process.pid).memory_info, tokens(backend)
        measured = [(0, memory().rss)]
        step = requests // SAMPLES
        for begin in range(0, step * SAMPLES, step):
            uvloop.run(load(process.url, bearer, range(begin, begin + step)))
            measured.append((begin + step, memory().rss))
    growth = measured[-1][1] / measured[SAMPLES // 5][1]
    table(("requests", "resident set, MB"), [(f"{count:,}", f"{size / 1e6:.1f}") for count, size in measured])
    print(f"From {measured[SAMPLES // 5][0]:,} requests to the last: times {growth:.3f} (at most {MOST_GROWTH}).")
    return 1 if growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
