"""The role of an integration: who may assume it, how long its credentials are kept, and what a lost session does."""

import asyncio
import json

import pytest

from samhost.gateway.engine import Reply
from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.integrations.roles import MARGIN_SECONDS, Roles

PARAMETERS = {"QueueUrl": "http://127.0.0.1/000000000000/queue"}
ROLE, SOURCE, ACCOUNT = "arn:aws:iam::000000000000:role/path/caller", "arn:aws:execute-api:::a/$default/GET/x", "0"
INTERNAL = (500, {"message": "Internal Server Error"})


@pytest.fixture
def api(service):
    return service("SQS-PurgeQueue", PARAMETERS)


def test_a_service_is_called_with_the_roles_credentials(api):
    assert api.request("POST", "/calls").status_code == 200
    assert api.call.credentials == ("ASIA1", "s", "t")


@pytest.mark.parametrize("trusted", ["lambda.amazonaws.com", ["states.amazonaws.com"], []])
def test_a_role_that_trusts_others_is_refused_with_500(api, engine, trusted):
    engine.trusted = trusted
    answer = api.request("POST", "/calls")
    assert (answer.status_code, answer.json()) == INTERNAL
    assert engine.calls == []
    assert engine.assumed == 0
    assert "does not let apigateway.amazonaws.com assume it" in api.last_log["error"]


@pytest.mark.parametrize("trusted", ["apigateway.amazonaws.com", ["lambda.amazonaws.com", "apigateway.amazonaws.com"]])
def test_a_role_may_trust_others_besides(api, engine, trusted):
    engine.trusted = trusted
    assert api.request("POST", "/calls").status_code == 200


def test_credentials_are_kept(api, engine):
    for _ in range(3):
        api.request("POST", "/calls")
    assert engine.assumed == 1


@pytest.mark.parametrize(("left", "assumed"), [(MARGIN_SECONDS - 1, 2), (MARGIN_SECONDS + 60, 1)])
def test_credentials_are_fetched_anew_shortly_before_their_end(api, engine, left, assumed):
    engine.session_seconds = left
    for _ in range(2):
        api.request("POST", "/calls")
    assert engine.assumed == assumed


def test_requests_that_come_together_assume_a_role_once(engine):
    roles = Roles(engine)

    async def together():
        return await asyncio.gather(*(roles.credentials(ROLE, SOURCE, ACCOUNT) for _ in range(8)))

    assert len(set(asyncio.run(together()))) == 1
    assert engine.assumed == 1


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "ExpiredTokenException"])
def test_where_the_engine_has_lost_the_session_the_role_is_assumed_again(api, engine, code):
    api.request("POST", "/calls")
    engine.replies = [Reply(403, {}, json.dumps({"__type": code}).encode())]
    assert api.request("POST", "/calls").status_code == 200
    assert api.call.credentials == ("ASIA2", "s", "t")


def test_a_session_that_is_lost_again_and_again_is_the_services_answer(api, engine):
    engine.reply = Reply(403, {}, b"InvalidClientTokenId")
    assert api.request("POST", "/calls").status_code == 403
    assert engine.assumed == 2


def test_what_the_role_may_not_do_is_the_services_answer_and_not_tried_again(api, engine):
    engine.reply = Reply(403, {"content-type": "text/xml"}, b"<Code>AccessDenied</Code>")
    answer = api.request("POST", "/calls")
    assert (answer.status_code, answer.content) == (403, b"<Code>AccessDenied</Code>")
    assert len(engine.calls) == 1


class Refusing:
    """An engine whose STS or IAM does not give what is asked for."""

    def __init__(self, service, reply):
        self.service, self.reply = service, reply

    async def call(self, service, *arguments, **options):
        if service == self.service:
            return self.reply
        trust = '{"Statement":{"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:*"}}'
        return Reply(200, {}, f"<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>".encode())


@pytest.mark.parametrize(
    ("service", "reply", "error"),
    [
        ("iam", Reply(404, {}, b"<Code>NoSuchEntity</Code>"), IntegrationFailedError),
        ("iam", Reply(500, {}, b""), ConnectionError),
        ("sts", Reply(403, {}, b"<Code>AccessDenied</Code>"), IntegrationFailedError),
        ("sts", Reply(200, {}, b"garbage"), IntegrationFailedError),
        ("sts", Reply(503, {}, b""), ConnectionError),
    ],
)
def test_a_role_that_cannot_be_assumed_fails_and_is_tried_again(service, reply, error):
    engine = Refusing(service, reply)
    roles = Roles(engine)

    async def twice():
        for _ in range(2):
            with pytest.raises(error):
                await roles.credentials(ROLE, SOURCE, ACCOUNT)

    asyncio.run(twice())


@pytest.mark.parametrize(("source", "allowed"), [("a1b2c3d4e5/*/POST/calls", True), ("a1b2c3d4e5/*/GET/*", False)])
def test_a_condition_on_the_source_is_about_the_route(service, engine, source, allowed, monkeypatch):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:execute-api:us-east-1:000000000000:{source}"}},
    }
    document = json.dumps({"Statement": [statement]})
    reply = Reply(200, {}, f"<AssumeRolePolicyDocument>{document}</AssumeRolePolicyDocument>".encode())
    monkeypatch.setattr(engine, "_trust_policy", lambda: reply)
    answer = service("SQS-PurgeQueue", PARAMETERS).request("POST", "/calls")
    assert (answer.status_code == 200) is allowed
