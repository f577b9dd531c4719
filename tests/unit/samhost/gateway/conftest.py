"""The gateway in process: no sockets, and fakes at its two seams, the function invoker and the issuers' keys."""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from samhost.gateway.application import Gateway
from samhost.gateway.document import load
from samhost.gateway.integrations.functions import Invocation
from samhost.gateway.messages import Response

REGION, ACCOUNT, API_ID = "us-east-1", "000000000000", "a1b2c3d4e5"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"
ALLOWED = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": {"ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/*"}},
        }
    ]
}


@dataclass
class FakeFunctions:
    """Answers invocations with what a test says, and keeps the events."""

    value: object = field(default_factory=lambda: {"statusCode": 200, "body": "done"})
    status: int = 200
    function_error: str | None = None
    failure: Exception | None = None
    seconds: float = 0
    resource_policy: dict = field(default_factory=lambda: ALLOWED)
    events: list[dict] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)

    async def invoke(self, arn, event):
        self.invoked.append(arn)
        self.events.append(json.loads(event))
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        payload = self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()
        return Invocation(self.status, self.function_error, payload)

    async def policy(self, arn):
        return self.resource_policy


@dataclass
class FakeKeys:
    """Knows one issuer's one key."""

    key: rsa.RSAPublicKey
    asked: int = 0

    async def find(self, issuer, key_id):
        self.asked += 1
        return self.key if (issuer, key_id) == (ISSUER, "key-1") else None


@dataclass
class FakeBackend:
    """Another server, as an HTTP proxy integration sees it: answers with what a test says, and keeps the requests."""

    response: Response = field(default_factory=lambda: Response(200, [("content-type", "text/plain")], b"done"))
    failure: Exception | None = None
    seconds: float = 0
    requests: list[SimpleNamespace] = field(default_factory=list)

    async def send(self, method, url, headers, body):
        self.requests.append(SimpleNamespace(method=method, url=url, headers=headers, body=body))
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        return replace(self.response, headers=list(self.response.headers))


@dataclass
class Served:
    """An API in process."""

    api: object
    functions: FakeFunctions
    application: Gateway
    log: list[str]
    keys: FakeKeys
    backend: FakeBackend

    def request(self, method, url, **options) -> httpx.Response:
        async def send():
            transport = httpx.ASGITransport(self.application, raise_app_exceptions=True, client=("192.0.2.1", 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def get(self, url, **options) -> httpx.Response:
        return self.request("GET", url, **options)

    @property
    def event(self) -> dict:
        """What the function got last."""
        return self.functions.events[-1]

    @property
    def last_log(self) -> dict:
        return json.loads(self.log[-1])


def integration(**changes) -> dict:
    """An operation that a function answers."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    definition = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": uri} | changes
    return {"x-amazon-apigateway-integration": {k: v for k, v in definition.items() if v is not None}}


@pytest.fixture
def operation():
    return integration


@pytest.fixture
def definition():
    """An entry of the configuration: `definition(paths, **root_members_of_the_document)`."""

    def build(paths, *, stage="$default", variables=None, settings=None, **document):
        return {
            "name": "TestApi",
            "apiId": API_ID,
            "stage": {"name": stage, "variables": variables or {}} | (settings or {}),
            "document": {"openapi": "3.0.3", "info": {"title": "Test", "version": "1"}, "paths": paths} | document,
        }

    return build


@pytest.fixture
def serve(definition, signing_key):
    """Serve paths, or route keys that one function answers: `serve("GET /pets", "ANY /{proxy+}")`."""

    def build(*keys, paths=None, functions=None, backend=None, **options):
        paths = dict(paths or {})
        for key in keys:
            method, _, path = key.partition(" ")
            name = {"ANY": "x-amazon-apigateway-any-method"}.get(method, method.lower())
            if key == "$default":
                name, path = "x-amazon-apigateway-any-method", "/$default"
            paths.setdefault(path, {})[name] = integration()
        api = load(definition(paths, **options), REGION, ACCOUNT)
        functions, log = functions or FakeFunctions(), []
        keys, backend = FakeKeys(signing_key.public_key()), backend or FakeBackend()
        application = Gateway(api, functions, backend.send, keys, log.append)
        return Served(api, functions, application, log, keys, backend)

    return build


@pytest.fixture
def functions():
    return FakeFunctions()


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture(scope="session")
def signing_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def token(signing_key):
    """A good token; members given change it, `None` takes a claim away."""

    def build(*, key=signing_key, algorithm="RS256", header=None, **changes):
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "user-1", "client_id": "client-1", "iat": now, "exp": now + 60} | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, algorithm, headers={"kid": "key-1"} if header is None else header)

    return build


@pytest.fixture
def secured():
    """Members of a document with a JWT authorizer named `users`."""
    authorizer = {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "authorizerPayloadFormatVersion": "2.0",
        "jwtConfiguration": {"issuer": ISSUER, "audience": ["client-1", "client-2"]},
    }
    scheme = {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}
    return {"components": {"securitySchemes": {"users": scheme}}, "security": [{"users": []}]}
