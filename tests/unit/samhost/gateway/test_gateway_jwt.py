"""JWT authorizers: who passes, and what the others are told. Facts: developer guide, `http-api-jwt-authorizer`."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from samhost.gateway.authorizers import jwt_authorizer

INVALID = 'Bearer scope="" error="invalid_token" error_description="{}"'


@pytest.fixture
def api(serve, secured):
    return serve("GET /pets", **secured)


def call(api, token, url="/pets"):
    return api.get(url, headers={"authorization": token})


def assert_invalid(answer, description):
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["www-authenticate"] == INVALID.format(description)
    assert answer.headers["apigw-requestid"]


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_a_good_token_passes_and_its_prefix_is_optional(api, token, prefix):
    assert call(api, prefix + token()).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Bearer "}])
def test_a_missing_token_is_401_with_a_bare_challenge(api, headers):
    answer = api.get("/pets", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/json"
    assert api.functions.invoked == []


@pytest.mark.parametrize("bad", ["nonsense", "a.b", "a.b.c.d"])
def test_a_token_needs_three_segments(api, bad):
    assert_invalid(call(api, bad), "token contains an invalid number of segments")


def test_a_token_that_is_no_json_is_malformed(api):
    assert_invalid(call(api, "a.b.c"), "the token is malformed")


def test_an_expired_token_is_refused(api, token):
    assert_invalid(call(api, token(exp=int(time.time()) - 1)), "the token has expired")


def test_a_token_must_say_when_it_expires(api, token):
    assert_invalid(call(api, token(exp=None)), "the token lacks a claim")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused(api, token, claim):
    assert_invalid(call(api, token(**{claim: int(time.time()) + 60})), "the token is not valid yet")


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool/"]
)
def test_the_issuer_must_match_exactly(api, token, issuer):
    assert_invalid(call(api, token(iss=issuer)), "issuer does not match")


def test_a_token_without_an_issuer_is_refused(api, token):
    assert_invalid(call(api, token(iss=None)), "the token lacks a claim")


def test_a_foreign_key_is_refused(api, token):
    foreign = rsa.generate_private_key(65537, 2048)
    assert_invalid(call(api, token(key=foreign)), "the token's signature is not valid")


def test_a_tampered_token_is_refused(api, token):
    head, _, signature = token().split(".")
    claims = jwt.decode(token(), options={"verify_signature": False}) | {"sub": "somebody-else"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert_invalid(call(api, f"{head}.{body}.{signature}"), "the token's signature is not valid")


@pytest.mark.parametrize("header", [{}, {"kid": "unknown"}, {"kid": ""}])
def test_a_token_must_name_one_of_the_issuers_keys(api, token, header):
    assert_invalid(call(api, token(header=header)), "the token's key is not one of the issuer's")


def test_only_rsa_signatures_are_taken(api, token, signing_key):
    public = signing_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = jwt.decode(token(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none", headers={"kid": "key-1"})
    # The classic confusion: the public key as an HMAC secret. PyJWT refuses to make one, so it is made by hand.
    symmetric = hmac_token(claims, public)
    elliptic = token(key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
    for bad in (unsigned, symmetric, elliptic):
        assert_invalid(call(api, bad), "the token is not signed by an RSA algorithm")


def hmac_token(claims, secret):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "key-1"}).encode()
    signed = encode(head) + b"." + encode(json.dumps(claims).encode())
    return (signed + b"." + encode(hmac.digest(secret, signed, hashlib.sha256))).decode()


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"client_id": "client-2"}, 200),
        ({"client_id": "other"}, 401),
        ({"client_id": None}, 401),
        ({"aud": "client-1", "client_id": None}, 200),
        ({"aud": ["other", "client-1"], "client_id": None}, 200),
        # `client_id` counts only where `aud` is absent.
        ({"aud": "other"}, 401),
        ({"aud": []}, 401),
    ],
)
def test_the_audience_is_aud_or_else_client_id(api, token, claims, status):
    answer = call(api, token(**claims))
    assert answer.status_code == status
    if status == 401:
        assert_invalid(answer, "the token does not have a valid audience")


def test_token_use_is_not_checked(api, token):
    assert call(api, token(token_use="id")).status_code == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "pets/read"}, 200),
        ({"scope": "openid pets/write"}, 200),
        ({"scp": ["pets/read"]}, 200),
        ({"scp": "openid pets/read"}, 200),
        ({}, 403),
        ({"scope": "pets/readers"}, 403),
    ],
)
def test_any_one_of_the_routes_scopes_is_enough(serve, secured, operation, token, claims, status):
    guarded = operation() | {"security": [{"users": ["pets/read", "pets/write"]}]}
    api = serve(paths={"/pets": {"get": guarded}}, **secured)
    answer = call(api, token(**claims))
    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {"message": "Forbidden"}
        assert answer.headers["www-authenticate"] == (
            'Bearer scope="pets/read pets/write" error="insufficient_scope" '
            'error_description="expected scopes: [pets/read pets/write]"'
        )


def test_security_of_an_operation_replaces_the_documents(serve, secured, operation):
    paths = {
        "/open": {"get": operation() | {"security": []}},
        "/unsaid": {"get": operation() | {"security": None}},
        "/root": {"get": operation()},
    }
    api = serve(paths=paths, **secured)
    assert api.get("/open").status_code == 200
    assert "authorizer" not in api.event["requestContext"]
    assert api.get("/unsaid").status_code == 401
    assert api.get("/root").status_code == 401


def test_security_none_opens_a_route_as_sam_writes_it_and_only_where_no_scheme_has_that_name(serve, secured, operation):
    paths = {"/pets": {"get": operation() | {"security": [{"NONE": []}]}}}
    assert serve(paths=paths, **secured).get("/pets").status_code == 200

    schemes = secured["components"]["securitySchemes"]
    named = secured | {"components": {"securitySchemes": schemes | {"NONE": schemes["users"]}}}
    assert serve(paths=paths, **named).get("/pets").status_code == 401


def test_claims_reach_the_function_as_text(serve, secured, token):
    api = serve("GET /pets", **secured)
    call(api, token(groups=["a", "b"], email_verified=True, exp=4102444800))
    verified = api.event["requestContext"]["authorizer"]["jwt"]
    assert verified["claims"]["sub"] == "user-1"
    assert verified["claims"]["groups"] == "[a b]"
    assert verified["claims"]["email_verified"] == "true"
    assert verified["claims"]["exp"] == "4102444800"


def test_scopes_are_null_unless_the_route_asks_for_some(serve, secured, operation, token):
    guarded = operation() | {"security": [{"users": ["pets/read"]}]}
    api = serve("GET /pets", paths={"/guarded": {"get": guarded}}, **secured)
    call(api, token(scope="openid pets/read"))
    assert api.event["requestContext"]["authorizer"]["jwt"]["scopes"] is None
    call(api, token(scope="openid pets/read"), "/guarded")
    assert api.event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["openid", "pets/read"]


def test_the_token_may_come_in_a_parameter(serve, secured, token):
    authorizer = secured["components"]["securitySchemes"]["users"]["x-amazon-apigateway-authorizer"]
    authorizer["identitySource"] = "$request.querystring.token"
    api = serve("GET /pets", **secured)
    assert api.get(f"/pets?token={token()}").status_code == 200
    assert call(api, token()).status_code == 401


def test_a_verified_token_is_remembered_for_a_minute_and_no_longer_than_it_is_valid(api, token, monkeypatch):
    now = time.time()
    lasting, ending = token(exp=int(now) + 600), token(exp=int(now) + 30)
    for seconds, asked in [(0, 2), (20, 2), (40, 3), (70, 5)]:
        monkeypatch.setattr(jwt_authorizer.time, "time", lambda later=seconds: now + later)
        assert [call(api, lasting).status_code, call(api, ending).status_code] == [200, 200]
        assert api.keys.asked == asked


def test_only_so_many_tokens_are_remembered(api, token, monkeypatch):
    monkeypatch.setattr(jwt_authorizer, "REMEMBERED_TOKENS", 2)
    tokens = [token(jti=str(number)) for number in range(3)]
    assert [call(api, good).status_code for good in [*tokens, tokens[0]]] == [200] * 4
    assert api.keys.asked == 4


def test_a_refused_token_is_not_remembered(api, token):
    bad = token(client_id="other")
    assert [call(api, bad).status_code for _ in range(2)] == [401, 401]
    assert api.keys.asked == 2


def test_neither_token_nor_claims_are_logged_but_the_sub_is(api, token):
    good = token(email="person@example.com")
    call(api, good)
    assert api.last_log["sub"] == "user-1"
    assert good not in api.log[-1]
    assert "person@example.com" not in api.log[-1]
