"""Issuers of tokens as the gateway meets them: slow, away, broken, and with new keys."""

import asyncio
import json
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from gateway_process import gateway, reply, server

OLD, NEW = (rsa.generate_private_key(65537, 2048) for _ in range(2))


class Issuer:
    """Documents of an issuer, and what is the matter with it."""

    def __init__(self):
        self.keys = {"old": OLD}
        self.trouble = ""
        self.asked = []

    async def answer(self, path, request, writer):
        if path == "/backend":
            return reply(writer, b"done")
        self.asked.append(path)
        if self.trouble == "slow":
            await asyncio.sleep(30)
        if self.trouble == "gone":
            return writer.close()
        if self.trouble == "broken":
            return reply(writer, b"<html>", status="500 Internal Server Error")
        if path.endswith("openid-configuration"):
            found = {"jwks_uri": f"http://{dict(request['headers'])['Host']}/keys"}
        else:
            to_jwk = jwt.algorithms.RSAAlgorithm.to_jwk
            found = {
                "keys": [to_jwk(key.public_key(), as_dict=True) | {"kid": name} for name, key in self.keys.items()]
            }
        return reply(writer, json.dumps(found).encode())


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def ask(issuer, tmp_path):
    """Ask for a route that takes the issuer's tokens: `ask(name_of_the_key)`; `ask.url` is where."""
    with server(issuer.answer) as url:
        authorizer = {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": url, "audience": ["tests"]},
        }
        proxy = {"type": "http_proxy", "httpMethod": "GET", "payloadFormatVersion": "1.0", "uri": f"{url}/backend"}
        document = {
            "paths": {
                "/guarded": {"get": {"x-amazon-apigateway-integration": proxy, "security": [{"users": []}]}},
                "/open": {"get": {"x-amazon-apigateway-integration": proxy}},
            },
            "components": {
                "securitySchemes": {"users": {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}}
            },
        }
        with gateway(tmp_path, document) as process, httpx.Client(base_url=process.url, timeout=30) as client:

            def build(key, path="/guarded"):
                claims = {"iss": url, "aud": "tests", "exp": int(time.time()) + 600}
                token = jwt.encode(claims, {"old": OLD, "new": NEW}[key], "RS256", {"kid": key})
                return client.get(path, headers={"authorization": token})

            yield build


@pytest.mark.parametrize("trouble", ["slow", "gone", "broken"])
def test_while_an_issuer_is_in_trouble_its_tokens_are_401_and_open_routes_are_served(ask, issuer, trouble):
    issuer.trouble = trouble
    refused = ask("old")
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert ask("old", "/open").status_code == 200


def test_an_issuer_in_trouble_is_not_asked_for_every_request(ask, issuer):
    issuer.trouble = "broken"
    assert [ask("old").status_code for _ in range(20)] == [401] * 20
    assert len(issuer.asked) <= 2  # once in 5 seconds


def test_tokens_of_keys_that_are_known_pass_while_their_issuer_is_away(ask, issuer):
    assert ask("old").status_code == 200
    issuer.trouble = "gone"
    assert ask("old").status_code == 200


def test_a_new_key_is_found_and_the_old_one_stays_good_as_long_as_it_is_published(ask, issuer):
    assert ask("old").status_code == 200
    assert ask("new").status_code == 401
    issuer.keys["new"] = NEW
    deadline = time.monotonic() + 30
    while ask("new").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ask("old").status_code == 200


def test_a_key_that_is_taken_away_opens_nothing_any_more(ask, issuer):
    assert ask("old").status_code == 200
    issuer.keys = {"new": NEW}
    deadline = time.monotonic() + 30
    while ask("new").status_code != 200:  # at which the issuer's keys are read again
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ask("old").status_code == 401
