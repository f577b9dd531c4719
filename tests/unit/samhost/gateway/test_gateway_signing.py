"""Signatures: the same as botocore's."""

import datetime

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from samhost.gateway import signing
from samhost.gateway.signing import Credentials, Scope, signed_headers

NOW = datetime.datetime(2026, 11, 21, 15, 30, tzinfo=datetime.UTC)
HOST = "127.0.0.1:4566"


def both(method, target, headers, body, token=None):
    """The Authorization headers of botocore and of ours, at the same instant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing.time, "gmtime", lambda: NOW.timetuple())
        patch.setattr(auth, "get_current_datetime", lambda *_: NOW.replace(tzinfo=None))
        request = AWSRequest(method, f"http://{HOST}{target}", headers, body)
        auth.SigV4Auth(BotocoreCredentials("AKID", "secret", token), "sqs", "eu-west-1").add_auth(request)
        ours = signed_headers(
            Credentials("AKID", "secret", token), Scope("sqs", "eu-west-1"), method, HOST, target, headers, body
        )
    return request.headers["Authorization"], ours["authorization"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "token"),
    [
        ("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=SendMessage", None),
        ("POST", "/", {"content-type": "application/x-amz-json-1.0", "x-amz-target": "A.B"}, b"{}", "to/ken=="),
        ("GET", "/applications/a%20b/environments", {}, b"", None),
        ("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", {}, b"\xff", None),
        ("GET", "/configuration?configuration_token=b&a=c%2F", {}, b"", None),
    ],
)
def test_a_signature_is_the_one_that_botocore_makes(method, target, headers, body, token):
    theirs, ours = both(method, target, headers, body, token)
    assert ours == theirs


@given(st.binary())
def test_every_body_is_signed(body):
    theirs, ours = both("POST", "/", {}, body)
    assert ours == theirs


def test_a_sessions_token_goes_with_the_request():
    headers = signed_headers(Credentials("a", "s", "token"), Scope("sqs", "eu-west-1"), "POST", HOST, "/", {}, b"")
    assert headers["x-amz-security-token"] == "token"
