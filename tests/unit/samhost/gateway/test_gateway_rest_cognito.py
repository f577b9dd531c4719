"""REST APIs: user pool authorizers. Developer guide, `apigateway-integrate-with-cognito`."""

import time

import pytest

from .rest_operations import EXTENSION, proxy, sent

POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Pool"  # whose issuer the tokens of tests name
OTHER = POOL.replace("_Pool", "_Other")
UNAUTHORIZED = 401, b'{"message":"Unauthorized"}', "UnauthorizedException"


def schemes(*pools, name="Authorization", **authorizer):
    scheme = {
        "type": "apiKey",
        "name": name,
        "in": "header",
        f"{EXTENSION}authtype": "cognito_user_pools",
        f"{EXTENSION}authorizer": {"type": "cognito_user_pools", "providerARNs": list(pools or [POOL])} | authorizer,
    }
    return {"components": {"securitySchemes": {"users": scheme}}}


@pytest.fixture
def guarded(serve_rest):
    """Serve `GET /a` to users with these scopes."""

    def build(*scopes, **document):
        mapping = {"integration.request.header.x-user": "context.authorizer.claims.sub"}
        operation = proxy(security=[{"users": list(scopes)}], requestParameters=mapping)
        return serve_rest({"/a": {"get": operation}}, **(schemes() | document))

    return build


def call(api, token, header="authorization"):
    return api.get("/dev/a", headers={header: token, "x-user": "forged"})


def seen(answer):
    return answer.status_code, answer.content, answer.headers["x-amzn-errortype"]


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_an_access_token_with_a_scope_passes_and_its_user_goes_on(guarded, token, prefix):
    api = guarded("docs/read", "docs/write")
    assert call(api, prefix + token(token_use="access", scope="openid docs/write")).status_code == 200
    assert dict(sent(api).headers)["x-user"] == "user-1"


def test_an_id_token_passes_where_no_scope_is_asked_for(guarded, token):
    assert call(guarded(), token(token_use="id", aud="any-client", client_id=None)).status_code == 200


@pytest.mark.parametrize(("scopes", "use"), [((), "access"), (("docs/read",), "id"), ((), None)])
def test_a_token_of_the_other_kind_is_refused(guarded, token, scopes, use):
    api = guarded(*scopes)
    assert seen(call(api, token(token_use=use, scope="docs/read"))) == UNAUTHORIZED
    assert not api.backend.requests


def test_a_token_without_the_scope_is_forbidden(guarded, token):
    answer = call(guarded("docs/read"), token(token_use="access", scope="docs/write"))
    message = b'{"message":"User is not authorized to access this resource"}'
    assert seen(answer) == (403, message, "AccessDeniedException")


@pytest.mark.parametrize("changes", [{"exp": 1}, {"iss": "https://evil.example"}, {"exp": None}])
def test_a_token_that_is_not_valid_is_refused(guarded, token, changes):
    assert seen(call(guarded(), token(token_use="id", **changes))) == UNAUTHORIZED


@pytest.mark.parametrize("bad", ["nonsense", "a.b.c", "Bearer "])
def test_what_is_no_token_is_refused(guarded, bad):
    assert seen(call(guarded(), bad)) == UNAUTHORIZED


def test_no_token_is_refused(guarded):
    assert seen(guarded().get("/dev/a")) == UNAUTHORIZED


def test_the_header_is_the_schemes(guarded, token):
    api = guarded(**schemes(name="X-Token"))
    assert call(api, token(token_use="id"), "x-token").status_code == 200
    assert seen(call(api, token(token_use="id"))) == UNAUTHORIZED


def test_tokens_of_any_of_the_pools_pass_and_of_no_other(guarded, token):
    assert call(guarded(**schemes(OTHER, POOL)), token(token_use="id")).status_code == 200
    assert seen(call(guarded(**schemes(OTHER)), token(token_use="id"))) == UNAUTHORIZED


def test_a_token_is_good_until_it_expires_and_no_longer(guarded, token, monkeypatch):
    api, good = guarded(), token(token_use="id", exp=int(time.time()) + 30)
    assert call(api, good).status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31)
    api.keys.key = None
    assert seen(call(api, good)) == UNAUTHORIZED


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (schemes("us-east-1_Pool"), "providerARNs"),
        (schemes(identityValidationExpression="a.*"), "identityValidationExpression"),
        (schemes(type="token"), "only cognito_user_pools"),
        (schemes(type="request"), "only cognito_user_pools"),
        ({"components": {}}, "only cognito_user_pools"),
        (schemes(**{"x-samhost-not-served": "Pool is left out"}), "Pool is left out"),
    ],
)
def test_what_is_not_emulated_opens_nothing(guarded, token, document, reason):
    answer = call(guarded(**document), token(token_use="id"))
    assert answer.status_code == 501
    assert reason in answer.json()["message"]
