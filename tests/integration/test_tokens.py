"""Tokens that are not what they say."""

import base64
import hmac
import json
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@pytest.fixture(scope="module")
def token(user):
    """An access token that is accepted."""
    return user.api.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="module")
def issuer_key(system, token):
    """The public key that the token is signed with, by `kid`."""
    pool = system.output("UserPoolId")
    keys = httpx.get(f"{system.addresses['engine']}/{pool}/.well-known/jwks.json").json()
    return jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]


def claims(token, **changes):
    return jwt.decode(token, options={"verify_signature": False}) | changes


def signed(token, key, algorithm, **changes):
    header = jwt.get_unverified_header(token)
    return jwt.encode(claims(token, **changes), key, algorithm=algorithm, headers={"kid": header["kid"]})


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(token, issuer_key):
    return f"{encoded({'alg': 'none', 'kid': jwt.get_unverified_header(token)['kid']})}.{encoded(claims(token))}."


def signed_with_the_public_key_as_a_secret(token, issuer_key):
    secret = issuer_key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = encoded({"alg": "HS256", "typ": "JWT", "kid": issuer_key.key_id})
    signed_part = f"{header}.{encoded(claims(token))}".encode()
    # By hand, for PyJWT refuses to sign with a public key.
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed_part, "sha256")).rstrip(b"=")
    return f"{signed_part.decode()}.{signature.decode()}"


def signed_by_somebody_else(token, issuer_key):
    return signed(token, rsa.generate_private_key(65537, 2048), "RS256")


def with_other_claims(token, issuer_key):
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims(token, sub='somebody-else'))}.{signature}"


def with_a_longer_life(token, issuer_key):
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims(token, exp=int(time.time()) + 10**6))}.{signature}"


def without_a_signature(token, issuer_key):
    return token.rsplit(".", 1)[0] + "."


def cut_off(token, issuer_key):
    return token[: len(token) // 2]


def no_token_at_all(token, issuer_key):
    return "let-me-in"


FORGERIES = [
    unsigned,
    signed_with_the_public_key_as_a_secret,
    signed_by_somebody_else,
    with_other_claims,
    with_a_longer_life,
    without_a_signature,
    cut_off,
    no_token_at_all,
]


def test_the_token_that_is_forged_here_is_accepted(anybody, token):
    assert anybody.get("/projects", headers={"authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_token_does_not_pass(anybody, token, issuer_key, forge):
    answer = anybody.get("/projects", headers={"authorization": f"Bearer {forge(token, issuer_key)}"})

    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_of_another_user_pool_does_not_pass(system, anybody):
    cognito = system.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="foreign")["UserPool"]["Id"]
    try:
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="foreign", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool, Username="stranger", MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username="stranger", Password="Stranger-1", Permanent=True)
        tokens = cognito.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "stranger", "PASSWORD": "Stranger-1"},
        )["AuthenticationResult"]
        answer = anybody.get("/projects", headers={"authorization": f"Bearer {tokens['AccessToken']}"})
    finally:
        cognito.delete_user_pool(UserPoolId=pool)

    assert answer.status_code == 401
