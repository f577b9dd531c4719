"""The keys of issuers: where they come from, how long they are kept, and how seldom they are fetched."""

import asyncio
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from samhost.gateway.authorizers.jwt_keys import FETCH_BYTES, KeySets, KeysUnavailableError, fetch

ENGINE = "http://127.0.0.1:4566"
POOL = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"
POOL_KEYS = f"{ENGINE}/us-east-1_Pool/.well-known/jwks.json"


def key_set(*key_ids, **others):
    public = rsa.generate_private_key(65537, 2048).public_key()
    entry = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    return json.dumps({"keys": [entry | {"kid": key_id, "use": "sig"} | others for key_id in key_ids]}).encode()


class Web:
    """Documents by URL, and which were asked for; the clock is a number."""

    def __init__(self, documents):
        self.documents = documents
        self.asked = []
        self.now = 1000.0
        self.keys = KeySets(self.fetch, ENGINE, lambda: self.now)

    async def fetch(self, url):
        self.asked.append(url)
        await asyncio.sleep(0)
        if url not in self.documents:
            raise KeysUnavailableError(f"{url} answered 404")
        return self.documents[url]

    def find(self, issuer, *key_ids):
        async def together():
            return await asyncio.gather(*(self.keys.find(issuer, key_id) for key_id in key_ids))

        return asyncio.run(together())


def test_the_keys_of_a_user_pool_are_the_engines():
    web = Web({POOL_KEYS: key_set("a")})
    [key] = web.find(POOL, "a")
    assert isinstance(key, rsa.RSAPublicKey)
    assert web.asked == [POOL_KEYS]


def test_other_issuers_are_asked_by_discovery():
    issuer = "https://issuer.example/"
    configuration = "https://issuer.example/.well-known/openid-configuration"
    where = "https://keys.example/all"
    web = Web({configuration: json.dumps({"jwks_uri": where}).encode(), where: key_set("a")})
    assert web.find(issuer, "a") != [None]
    assert web.asked == [configuration, where]


def test_keys_are_kept_for_two_hours():
    web = Web({POOL_KEYS: key_set("a")})
    web.find(POOL, "a")
    web.now += 7199
    assert web.find(POOL, "a") != [None]
    assert len(web.asked) == 1
    web.now += 2
    assert web.find(POOL, "a") != [None]
    assert len(web.asked) == 2


def test_old_keys_are_not_used_when_new_ones_cannot_be_had():
    web = Web({POOL_KEYS: key_set("a")})
    web.find(POOL, "a")
    del web.documents[POOL_KEYS]
    web.now += 7201
    assert web.find(POOL, "a") == [None]


def test_a_flood_of_unknown_key_ids_does_not_flood_the_issuer():
    web = Web({POOL_KEYS: key_set("a")})
    assert web.find(POOL, *(f"unknown-{number}" for number in range(100))) == [None] * 100
    assert len(web.asked) == 1
    assert web.find(POOL, "a") != [None]
    assert len(web.asked) == 1


def test_a_rotated_key_is_found_after_a_short_while():
    web = Web({POOL_KEYS: key_set("a")})
    web.find(POOL, "a")
    web.documents[POOL_KEYS] = key_set("a", "b")
    web.now += 6
    assert web.find(POOL, "b") != [None]


def test_an_issuer_that_fails_is_not_asked_again_at_once():
    web = Web({})
    assert web.find(POOL, "a", "a") == [None, None]
    assert web.find(POOL, "a") == [None]
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys": "none"}', b'{"keys": [1, {"kty": "RSA", "kid": "a"}]}']
)
def test_a_broken_key_set_has_no_keys(document):
    assert Web({POOL_KEYS: document}).find(POOL, "a") == [None]


def test_only_rsa_signing_keys_count():
    curve = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    elliptic = json.dumps({"keys": [curve | {"kid": "a"}]}).encode()
    assert Web({POOL_KEYS: elliptic}).find(POOL, "a") == [None]
    assert Web({POOL_KEYS: key_set("a", use="enc")}).find(POOL, "a") == [None]


class Session:
    """As much of an aiohttp session as a fetch needs."""

    def __init__(self, status, *chunks):
        self.status, self.chunks, self.content = status, chunks, self

    def get(self, url, timeout):
        self.seconds = timeout.total
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def iter_any(self):
        for chunk in self.chunks:
            yield chunk


def test_a_fetch_has_a_second_and_a_half_and_150_000_bytes():
    session = Session(200, b"a" * FETCH_BYTES)
    assert len(asyncio.run(fetch(session, "https://issuer.example"))) == FETCH_BYTES == 150_000
    assert session.seconds == 1.5
    with pytest.raises(KeysUnavailableError, match="150000"):
        asyncio.run(fetch(Session(200, b"a" * FETCH_BYTES, b"a"), "https://issuer.example"))


def test_a_fetch_takes_no_error_page_for_keys():
    with pytest.raises(KeysUnavailableError, match="404"):
        asyncio.run(fetch(Session(404, b"{}"), "https://issuer.example"))
