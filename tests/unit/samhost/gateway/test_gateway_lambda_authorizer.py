"""Lambda authorizers: developer guide, `http-api-lambda-authorizer`."""

import pytest

from samhost.gateway.authorizers import lambda_authorizer
from samhost.gateway.integrations.functions import Invocation

INTEGRATION = "arn:aws:lambda:us-east-1:000000000000:function:echo"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:guard"
API = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5"
FORBIDDEN = 403, {"message": "Forbidden"}
UNAUTHORIZED = 401, {"message": "Unauthorized"}
INTERNAL = 500, {"message": "Internal Server Error"}
CONTEXT = {"stringKey": "value", "numberKey": 1, "booleanKey": True, "arrayKey": ["a", "b"], "mapKey": {"k": "v"}}
ANNA = {"authorization": "anna"}


def policy(effect="Allow", resource="*", action="execute-api:Invoke", **others):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"principalId": "anna", "policyDocument": {"Statement": [statement]}} | others


@pytest.fixture
def guarded(serve, operation, functions):
    """Serve routes behind an authorizer: `guarded(*keys, answer=…, options of the API, **of_the_authorizer)`."""
    plain, guard = functions.invoke, type(functions)()

    async def invoke(arn, event, credentials=None):
        return await (guard.invoke if arn == FUNCTION else plain)(arn, event, credentials)

    functions.invoke = invoke

    def build(*keys, answer=None, options=None, version="2.0", **settings):
        guard.value = {"isAuthorized": True} if answer is None else answer
        definition = {
            "type": "request",
            "authorizerUri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations",
            "authorizerPayloadFormatVersion": version,
            "enableSimpleResponses": version == "2.0" and answer is None,
            "identitySource": "$request.header.Authorization",
            "authorizerResultTtlInSeconds": 0,
        } | settings
        definition = {name: value for name, value in definition.items() if value is not None}
        paths = {}
        for key in keys or ("GET /pets/{id}",):
            method, _, path = key.partition(" ")
            paths.setdefault(path, {})[method.lower()] = operation(payloadFormatVersion=version)
        scheme = {"type": "apiKey", "name": "-", "in": "header", "x-amazon-apigateway-authorizer": definition}
        api = serve(paths=paths, functions=functions, security=[{"guard": []}],
                    components={"securitySchemes": {"guard": scheme}}, **(options or {}))  # fmt: skip
        api.guard = guard
        return api

    return build


def seen(answer):
    return answer.status_code, answer.json()


# ---------------------------------------------------------------- Who passes
@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 403)])
def test_a_simple_response_lets_pass_or_not(guarded, allowed, status):
    api = guarded(answer={"isAuthorized": allowed}, enableSimpleResponses=True)
    assert api.get("/pets/1", headers=ANNA).status_code == status
    assert len(api.functions.events) == (1 if allowed else 0)


def test_a_denial_is_403_and_has_no_challenge(guarded):
    answer = guarded(answer={"isAuthorized": False}, enableSimpleResponses=True).get("/pets/1", headers=ANNA)
    assert seen(answer) == FORBIDDEN
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (policy(), 200),
        (policy(resource=f"{API}/$default/GET/pets/1"), 200),
        (policy(resource=f"{API}/*/GET/pets/*"), 200),
        (policy(resource=[f"{API}/*/GET/birds", f"{API}/$default/*"]), 200),
        (policy(action=["execute-api:*"]), 200),
        (policy(action="*"), 200),
        (policy("Deny"), 403),
        (policy(resource=f"{API}/*/POST/*"), 403),
        (policy(resource=f"{API}/dev/*"), 403),
        (policy(action="execute-api:ManageConnections"), 403),
        (policy(policyDocument={"Statement": policy()["policyDocument"]["Statement"][0]}), 200),
    ],
)
def test_a_policy_decides_as_iam_does(guarded, version, answer, status):
    assert guarded(answer=answer, version=version).get("/pets/1", headers=ANNA).status_code == status


def test_a_deny_outweighs_every_allow(guarded):
    statements = policy()["policyDocument"]["Statement"] + policy("Deny", "*/GET/*")["policyDocument"]["Statement"]
    api = guarded(answer=policy(policyDocument={"Statement": statements}))
    assert seen(api.get("/pets/1", headers=ANNA)) == FORBIDDEN


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"StringEquals": {"aws:SourceIp": "192.0.2.1"}}, 200),
        ({"StringEquals": {"aws:SourceIp": "192.0.2.2"}}, 403),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "1"}}, 403),  # what cannot be decided never allows
    ],
)
def test_conditions_of_a_policy_count(guarded, condition, status):
    answer = policy()
    answer["policyDocument"]["Statement"][0]["Condition"] = condition
    assert guarded(answer=answer).get("/pets/1", headers=ANNA).status_code == status


# ---------------------------------------------------------------- Identity sources
@pytest.mark.parametrize("headers", [{}, {"authorization": ""}])
def test_a_missing_identity_source_is_401_without_an_invocation(guarded, headers):
    api = guarded()
    assert seen(api.get("/pets/1", headers=headers)) == UNAUTHORIZED
    assert api.guard.events == []
    assert api.last_log["error"] == "An identity source is missing"


def test_all_identity_sources_must_be_there_and_reach_the_function_in_their_order(guarded):
    sources = "$request.querystring.key, $request.header.X-User, $stageVariables.mode, $context.identity.sourceIp"
    api = guarded(identitySource=sources, options={"variables": {"mode": "test"}})
    assert api.get("/pets/1?key=k").status_code == 401
    assert api.get("/pets/1?KEY=k", headers={"x-user": "u"}).status_code == 401  # names of parameters have a case
    assert api.get("/pets/1?key=k&key=l", headers={"X-USER": "u"}).status_code == 200
    assert api.guard.events[-1]["identitySource"] == ["k,l", "u", "test", "192.0.2.1"]


def test_an_authorizer_without_identity_sources_is_always_asked(guarded):
    api = guarded(identitySource=None, authorizerResultTtlInSeconds=None)
    assert [api.get("/pets/1").status_code for _ in range(2)] == [200, 200]
    assert len(api.guard.events) == 2
    assert api.guard.events[0]["identitySource"] is None


# ---------------------------------------------------------------- What the function gets
def test_payload_2_0_is_complete(guarded):
    api = guarded("POST /pets/{id}", options={"variables": {"mode": "test"}})
    headers = ANNA | {"cookie": "a=1; b=2", "content-type": "application/json"}
    answer = api.request("POST", "/pets/1?q=1&q=2", content=b'{"secret": 1}', headers=headers)
    [event] = api.guard.events
    context, sent = event.pop("requestContext"), event.pop("headers")
    assert event == {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{API}/$default/POST/pets/1",
        "identitySource": ["anna"],
        "routeKey": "POST /pets/{id}",
        "rawPath": "/pets/1",
        "rawQueryString": "q=1&q=2",
        "cookies": ["a=1", "b=2"],
        "queryStringParameters": {"q": "1,2"},
        "pathParameters": {"id": "1"},
        "stageVariables": {"mode": "test"},
    }
    assert sent["authorization"] == "anna"
    assert sent["content-length"] == "13"
    assert context["http"]["method"] == "POST"
    assert context["requestId"] == answer.headers["apigw-requestid"]
    assert "authorizer" not in context


def test_payload_1_0_is_complete(guarded):
    api = guarded(answer=policy(), version="1.0", identitySource="$request.header.Authorization,$request.header.Host",
                  options={"stage": "dev"})  # fmt: skip
    api.get("/dev/pets/1", headers=ANNA)
    [event] = api.guard.events
    context, _ = event.pop("requestContext"), event.pop("headers")
    assert event == {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": f"{API}/dev/GET/pets/1",
        "identitySource": "anna,api.test",
        "authorizationToken": "anna,api.test",
        "resource": "/pets/{id}",
        "path": "/dev/pets/1",
        "httpMethod": "GET",
        "queryStringParameters": {},
        "pathParameters": {"id": "1"},
        "stageVariables": {},
    }
    assert (context["resourcePath"], context["stage"]) == ("/pets/{id}", "dev")
    assert "authorizer" not in context


# ---------------------------------------------------------------- What it says goes on
def test_its_context_reaches_a_function_of_format_2_0_with_its_types(guarded):
    api = guarded(answer={"isAuthorized": True, "context": CONTEXT}, enableSimpleResponses=True)
    api.get("/pets/1", headers=ANNA)
    assert api.event["requestContext"]["authorizer"] == {"lambda": CONTEXT}


def test_its_context_and_principal_reach_a_function_of_format_1_0(guarded):
    api = guarded(answer=policy(context={"key": "value"}), version="1.0")
    api.get("/pets/1", headers=ANNA)
    assert api.event["requestContext"]["authorizer"] == {"key": "value", "principalId": "anna"}


def test_its_context_can_be_mapped_and_logged(guarded, operation):
    names = ("principalId", "stringKey", "numberKey", "booleanKey", "absent", "claims.sub")
    log = "|".join(f"$context.authorizer.{name}" for name in names)
    api = guarded(answer=policy(context=CONTEXT), options={"settings": {"accessLogFormat": log}})
    api.get("/pets/1", headers=ANNA)
    assert api.log == ["anna|value|1|true|-|-"]


# ---------------------------------------------------------------- Decisions are kept
@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(lambda_authorizer.time, "monotonic", lambda: now[0])
    return now


def test_a_decision_is_kept_for_its_time_by_the_identity(guarded, clock):
    api = guarded("GET /pets/{id}", "GET /birds", authorizerResultTtlInSeconds=60)
    for path in ("/pets/1", "/pets/2", "/birds"):  # for all routes of the authorizer
        assert api.get(path, headers=ANNA).status_code == 200
    assert len(api.guard.events) == 1
    api.get("/pets/1", headers={"authorization": "ben"})
    assert len(api.guard.events) == 2
    clock[0] += 60
    api.get("/pets/1", headers=ANNA)
    assert len(api.guard.events) == 3


def test_a_denial_is_kept_too(guarded, clock):
    api = guarded(answer={"isAuthorized": False}, enableSimpleResponses=True, authorizerResultTtlInSeconds=60)
    assert [api.get("/pets/1", headers=ANNA).status_code for _ in range(2)] == [403, 403]
    assert len(api.guard.events) == 1


def test_a_policy_that_is_kept_decides_on_each_request(guarded, clock):
    api = guarded(answer=policy(resource="*/GET/pets/1"), authorizerResultTtlInSeconds=60)
    assert [api.get(f"/pets/{number}", headers=ANNA).status_code for number in (1, 2, 1)] == [200, 403, 200]
    assert len(api.guard.events) == 1


def test_decisions_are_kept_by_route_where_the_route_is_an_identity_source(guarded, clock):
    sources = "$request.header.Authorization,$context.routeKey"
    api = guarded("GET /pets/{id}", "GET /birds", identitySource=sources, authorizerResultTtlInSeconds=60)
    for path in ("/pets/1", "/pets/2", "/birds"):
        api.get(path, headers=ANNA)
    assert len(api.guard.events) == 2


def test_a_failure_is_not_kept(guarded, clock):
    api = guarded(authorizerResultTtlInSeconds=60)
    api.guard.function_error = "Unhandled"
    assert seen(api.get("/pets/1", headers=ANNA)) == INTERNAL
    api.guard.function_error = None
    assert api.get("/pets/1", headers=ANNA).status_code == 200


def test_with_a_time_of_zero_nothing_is_kept(guarded):
    api = guarded(authorizerResultTtlInSeconds=0)
    for _ in range(2):
        api.get("/pets/1", headers=ANNA)
    assert len(api.guard.events) == 2


def test_two_values_never_pass_for_others_whose_text_joined_is_the_same(guarded, clock):
    sources = "$request.header.a,$request.header.b"
    api = guarded(identitySource=sources, authorizerResultTtlInSeconds=60)
    api.get("/pets/1", headers={"a": "x,y", "b": "z"})
    api.get("/pets/1", headers={"a": "x", "b": "y,z"})
    assert len(api.guard.events) == 2


# ---------------------------------------------------------------- A broken authorizer
@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        [],
        "Unauthorized",
        {},
        {"isAuthorized": "yes"},
        {"isAuthorized": True, "context": "text"},
        policy(),  # with simple responses on, a policy is none
    ],
)
def test_an_answer_that_is_no_simple_response_is_500(guarded, answer):
    api = guarded(answer=answer, enableSimpleResponses=True)
    assert seen(api.get("/pets/1", headers=ANNA)) == INTERNAL
    assert FUNCTION in api.last_log["error"]
    assert api.functions.events == []


@pytest.mark.parametrize(
    "answer",
    [
        {"isAuthorized": True},
        {"principalId": "anna"},
        {"principalId": "anna", "policyDocument": {}},
        {"principalId": "anna", "policyDocument": {"Statement": []}},
        {"principalId": "anna", "policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*"}]}},
        policy(effect="Maybe"),
        policy(resource=[1]),
        policy(principalId=None),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_answer_that_is_no_policy_is_500(guarded, answer, version):
    assert seen(guarded(answer=answer, version=version).get("/pets/1", headers=ANNA)) == INTERNAL


@pytest.mark.parametrize(
    "broken",
    [{"function_error": "Unhandled"}, {"status": 429}, {"failure": ConnectionError("gone")}, {"seconds": 60}],
)
def test_a_function_that_fails_or_takes_too_long_is_500(guarded, monkeypatch, broken):
    monkeypatch.setattr(lambda_authorizer, "SECONDS", 0.05)
    api = guarded()
    for name, value in broken.items():
        setattr(api.guard, name, value)
    answer = api.get("/pets/1", headers=ANNA)
    assert seen(answer) == INTERNAL
    assert api.functions.events == []


# ---------------------------------------------------------------- Who may invoke it
@pytest.mark.parametrize(
    ("source", "status"), [("{}/*", 200), ("{}/authorizers/*", 200), ("{}/$default/*", 500), ("{}/*/GET/pets/*", 500)]
)
def test_the_functions_policy_must_cover_the_authorizer(guarded, functions, source, status):
    async def policy_of(arn):
        pattern = source.format(API) if arn == FUNCTION else f"{API}/*"
        condition = {"ArnLike": {"aws:SourceArn": pattern}}
        return {"Statement": functions.resource_policy["Statement"][0] | {"Condition": condition}}

    functions.policy = policy_of
    api = guarded()
    assert api.get("/pets/1", headers=ANNA).status_code == status
    assert len(api.guard.events) == (1 if status == 200 else 0)


def test_with_credentials_it_is_invoked_as_that_role(guarded, functions):
    role = "arn:aws:iam::000000000000:role/guard"
    api = guarded(authorizerCredentials=role)
    assert api.get("/pets/1", headers=ANNA).status_code == 200
    assert api.guard.credentials.access_key == "ASIA1"


def test_where_the_engine_has_lost_the_roles_session_it_is_invoked_with_another(guarded):
    api = guarded(authorizerCredentials="arn:aws:iam::000000000000:role/guard")
    api.guard.answers = [Invocation(403, None, b'{"__type":"UnrecognizedClientException"}')]
    assert api.get("/pets/1", headers=ANNA).status_code == 200
    assert api.guard.credentials.access_key == "ASIA2"


def test_a_role_that_does_not_trust_api_gateway_is_500(guarded):
    api = guarded(authorizerCredentials="arn:aws:iam::000000000000:role/guard")
    api.engine.trusted = "lambda.amazonaws.com"
    assert seen(api.get("/pets/1", headers=ANNA)) == INTERNAL
    assert api.guard.events == []


# ---------------------------------------------------------------- Documents
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"authorizerPayloadFormatVersion": "3.0"}, "authorizerPayloadFormatVersion 3.0"),
        ({"authorizerPayloadFormatVersion": None}, "authorizerPayloadFormatVersion None"),
        ({"authorizerPayloadFormatVersion": "1.0"}, "enableSimpleResponses"),
        ({"authorizerResultTtlInSeconds": 3601}, "authorizerResultTtlInSeconds 3601"),
        ({"identitySource": None, "authorizerResultTtlInSeconds": 1}, "without an identitySource"),
        ({"identitySource": "Authorization"}, "reads nothing of a request"),
        ({"identitySource": "$request.body.token"}, "$request.body.token"),
        ({"authorizerUri": "https://a.example"}, "not a Lambda function's"),
        ({"authorizerUri": "${stageVariables.guard}"}, "the stage variable guard"),
        ({"authorizerCredentials": "arn:aws:iam::*:user/*"}, "no role's ARN"),
    ],
)
def test_what_aws_refuses_is_refused_when_the_api_is_loaded(guarded, changes, reason):
    api = guarded(**changes)
    [(_, why)] = api.api.refused
    assert reason in why
    assert api.get("/pets/1", headers=ANNA).status_code == 501
    assert api.guard.events == api.functions.events == []


def test_a_stage_variable_may_name_the_function(guarded):
    api = guarded(authorizerUri=FUNCTION.replace("guard", "${stageVariables.guard}"),
                  options={"variables": {"guard": "guard"}})  # fmt: skip
    assert api.get("/pets/1", headers=ANNA).status_code == 200
    assert len(api.guard.events) == 1
