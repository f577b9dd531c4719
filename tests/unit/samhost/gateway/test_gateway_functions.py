"""Functions behind the engine's Lambda API: addresses, and how long a policy is kept."""

import asyncio
import json

import pytest

from samhost.gateway.engine import Reply
from samhost.gateway.integrations import functions as module
from samhost.gateway.integrations.functions import Functions

ARN = "arn:aws:lambda:us-east-1:000000000000:function:echo:live"
PATH = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aecho%3Alive"
POLICY = {"Statement": []}


class Engine:
    """Answers calls with what a test says, and keeps them."""

    def __init__(self, *replies):
        self.replies, self.calls = list(replies), []

    async def call(self, service, method, path, body=b"", *, credentials=None):
        self.calls.append((service, method, path, body))
        await asyncio.sleep(0)
        return self.replies.pop(0)


def policy_reply():
    return Reply(200, {}, json.dumps({"Policy": json.dumps(POLICY)}).encode())


def test_an_invocation_is_one_call_of_the_public_api():
    engine = Engine(Reply(200, {"x-amz-function-error": "Unhandled"}, b"{}"))
    invocation = asyncio.run(Functions(engine).invoke(ARN, b"event"))
    assert engine.calls == [("lambda", "POST", f"{PATH}/invocations", b"event")]
    assert (invocation.status, invocation.function_error, invocation.body) == (200, "Unhandled", b"{}")


def test_a_policy_is_read_once_for_requests_that_come_together():
    engine = Engine(policy_reply())
    functions = Functions(engine)

    async def together():
        return await asyncio.gather(*(functions.policy(ARN) for _ in range(8)))

    assert asyncio.run(together()) == [POLICY] * 8
    assert engine.calls == [("lambda", "GET", f"{PATH}/policy", b"")]


def test_a_policy_is_read_again_after_a_short_while(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    functions = Functions(Engine(policy_reply(), Reply(404, {}, b"")))

    async def twice():
        nonlocal now
        first = await functions.policy(ARN)
        now += module.POLICY_SECONDS + 1
        return first, await functions.policy(ARN)

    assert asyncio.run(twice()) == (POLICY, {})


def test_a_policy_that_cannot_be_read_is_no_permission_and_not_kept():
    functions = Functions(Engine(Reply(500, {}, b""), policy_reply()))

    async def twice():
        with pytest.raises(ConnectionError, match="500"):
            await functions.policy(ARN)
        return await functions.policy(ARN)

    assert asyncio.run(twice()) == POLICY
