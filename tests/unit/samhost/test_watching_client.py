"""Clients that ask all the time: what only reads says so, and causes no snapshot."""

from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse

from samhost.deployment import watching_client
from samhost.engine_process import READS_ONLY
from samhost.settings import Settings


@pytest.fixture
def sent(tmp_path):
    """Returns the headers with which a call of ECS is sent."""
    requests = []

    def answer(request, **_):
        requests.append(request)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: [b"{}"]))

    def call(operation, **parameters):
        client = watching_client(Settings(tmp_path, tmp_path), "ecs")
        client.meta.events.register("before-send", answer)
        getattr(client, operation)(**parameters)
        return requests.pop().headers

    return call


def test_what_only_reads_says_so(sent):
    assert sent("list_clusters")[READS_ONLY]
    assert sent("describe_services", services=["a"])[READS_ONLY]


def test_what_changes_something_does_not(sent):
    assert READS_ONLY not in sent("update_service", service="a", desiredCount=1)
