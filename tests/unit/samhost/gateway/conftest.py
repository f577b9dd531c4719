"""The gateway in process: no sockets, and fakes at its seams: the function invoker, the engine, the issuers' keys."""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from samhost.gateway import loading
from samhost.gateway.application import Gateway
from samhost.gateway.authorizers import authorizers
from samhost.gateway.cloud_map import CloudMap
from samhost.gateway.document import load
from samhost.gateway.engine import Reply
from samhost.gateway.integrations import integrations
from samhost.gateway.integrations.functions import Invocation
from samhost.gateway.integrations.http_proxy import HttpProxy
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.roles import Roles
from samhost.gateway.integrations.services.integration import ServiceIntegration
from samhost.gateway.messages import Response
from samhost.gateway.signing import Credentials

REGION, ACCOUNT, API_ID = "us-east-1", "000000000000", "a1b2c3d4e5"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/caller"
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
    answers: list[Invocation] = field(default_factory=list)  # before that one, in turn
    resource_policy: dict = field(default_factory=lambda: ALLOWED)
    events: list[dict] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)
    credentials: Credentials | None = None  # of the last invocation

    async def invoke(self, arn, event, credentials=None):
        self.invoked.append(arn)
        self.credentials = credentials
        self.events.append(json.loads(event))
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        if self.answers:
            return self.answers.pop(0)
        payload = self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()
        return Invocation(self.status, self.function_error, payload)

    async def policy(self, arn):
        return self.resource_policy


@dataclass(frozen=True)
class Call:
    """A call that the engine got."""

    service: str
    method: str
    target: str
    body: bytes
    headers: dict[str, str]
    credentials: Credentials | None
    region: str | None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the query protocol."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def action(self) -> str:
        target = self.headers.get("x-amz-target")
        return target or self.form.get("Action", "")


@dataclass
class FakeEngine:
    """Has one role, answers each other call with what a test says, and keeps the calls."""

    reply: Reply = field(default_factory=lambda: Reply(200, {"content-type": "text/x-test"}, b"done"))
    replies: list[Reply] = field(default_factory=list)  # before that one, in turn
    failure: Exception | None = None
    seconds: float = 0
    trusted: object = "apigateway.amazonaws.com"
    session_seconds: float = 3600
    calls: list[Call] = field(default_factory=list)
    assumed: int = 0

    async def call(self, service, method, target, body=b"", *, headers=None, credentials=None, region=None):
        call = Call(service, method, target, body, dict(headers or {}), credentials, region)
        await asyncio.sleep(0)
        if service == "iam" and call.action == "GetRole":
            return self._trust_policy()
        if service == "sts":
            return self._session()
        self.calls.append(call)
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        return self.replies.pop(0) if self.replies else self.reply

    def _trust_policy(self):
        statement = {"Effect": "Allow", "Principal": {"Service": self.trusted}, "Action": "sts:AssumeRole"}
        policy = quote(json.dumps({"Statement": [statement]}))
        return Reply(200, {}, f"<AssumeRolePolicyDocument>{policy}</AssumeRolePolicyDocument>".encode())

    def _session(self):
        self.assumed += 1
        ends = datetime.fromtimestamp(time.time() + self.session_seconds, UTC).isoformat()
        members = {
            "AccessKeyId": f"ASIA{self.assumed}",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": ends,
        }
        return Reply(200, {}, "".join(f"<{name}>{text}</{name}>" for name, text in members.items()).encode())


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

    async def send(self, origin, method, target, headers, body):
        url = f"{'https' if origin.is_tls else 'http'}://{origin.authority}{target}"
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
    engine: FakeEngine
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
    def call(self) -> Call:
        """What the engine got last."""
        return self.engine.calls[-1]

    @property
    def last_log(self) -> dict:
        return json.loads(self.log[-1])


def integration(**changes) -> dict:
    """An operation that a function answers."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    definition = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": uri} | changes
    return {"x-amazon-apigateway-integration": {k: v for k, v in definition.items() if v is not None}}


def service_integration(subtype, parameters, **changes) -> dict:
    """An operation that an AWS service answers."""
    definition = {
        "type": "aws_proxy",
        "integrationSubtype": subtype,
        "payloadFormatVersion": "1.0",
        "credentials": ROLE,
        "requestParameters": parameters,
    } | changes
    return {"x-amazon-apigateway-integration": {k: v for k, v in definition.items() if v is not None}}


@pytest.fixture
def service_operation():
    return service_integration


@pytest.fixture
def service(serve, engine):
    """An API with one route that a service answers: `service("SQS-PurgeQueue", {"QueueUrl": …})`."""

    def build(subtype, parameters, route="POST /calls", changes=None, **options):
        method, _, path = route.partition(" ")
        paths = {path: {method.lower(): service_integration(subtype, parameters, **(changes or {}))}}
        return serve(paths=paths, engine=engine, **options)

    return build


@pytest.fixture
def engine():
    return FakeEngine()


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
def gateway(signing_key):
    """Serve an API as each of its stages has it: `gateway(apis, functions=None, engine=None, backend=None)`."""

    def build(apis, functions=None, engine=None, backend=None):
        functions, engine, log = functions or FakeFunctions(), engine or FakeEngine(), []
        keys, backend = FakeKeys(signing_key.public_key()), backend or FakeBackend()
        roles = Roles(engine)
        invoker = Invoker(functions, roles)
        by_type = (
            authorizers(keys, invoker),
            integrations(invoker, ServiceIntegration(engine, roles), HttpProxy(backend.send, CloudMap(engine))),
        )
        return Served(apis[0], functions, Gateway(apis, *by_type, log.append), log, keys, engine, backend)

    return build


@pytest.fixture
def serve(definition, gateway):
    """Serve paths, or route keys that one function answers: `serve("GET /pets", "ANY /{proxy+}")`."""

    def build(*keys, paths=None, functions=None, engine=None, backend=None, load_balancers=(), **options):
        paths = dict(paths or {})
        for key in keys:
            method, _, path = key.partition(" ")
            name = {"ANY": "x-amazon-apigateway-any-method"}.get(method, method.lower())
            if key == "$default":
                name, path = "x-amazon-apigateway-any-method", "/$default"
            paths.setdefault(path, {})[name] = integration()
        api = load(definition(paths, **options), REGION, ACCOUNT, load_balancers)
        return gateway([api], functions, engine, backend)

    return build


@pytest.fixture
def rest_definition(definition):
    """An entry of the configuration for a REST API: `rest_definition(paths, stage="dev", **as_definition)`."""

    def build(paths, *, stage="dev", **options):
        return definition(paths, stage=stage, **options) | {"type": "REST"}

    return build


@pytest.fixture
def serve_rest(rest_definition, gateway):
    """Serve a REST API: `serve_rest(paths, stages={"dev": {"variable": "value"}})`."""

    def build(paths, *, stages=None, functions=None, engine=None, backend=None, load_balancers=(), **options):
        stages = stages or {"dev": {}}
        definitions = [rest_definition(paths, stage=name, variables=stages[name], **options) for name in stages]
        apis = [loading.load(each, REGION, ACCOUNT, load_balancers) for each in definitions]
        return gateway(apis, functions, engine, backend)

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
