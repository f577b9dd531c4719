"""Loading documents: what is served, what is refused by name and reason, and what stops the gateway."""

import pytest

from samhost.gateway.document import load
from samhost.gateway.errors import ConfigurationError

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:echo"


def refused(definition, paths, **document):
    return load(definition(paths, **document), "us-east-1", "000000000000").refused


HTTP = {"type": "http_proxy", "payloadFormatVersion": "1.0"}
PRIVATE = HTTP | {"connectionType": "VPC_LINK", "connectionId": "link"}
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/pets/1/2"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "http_proxy"}, "payloadFormatVersion 2.0 (http_proxy takes 1.0 only)"),
        ({"type": "http_proxy", "payloadFormatVersion": "1.0"}, "no http or https URL"),
        ({"type": "http_proxy", "payloadFormatVersion": "1.0", "httpMethod": None}, "httpMethod missing"),
        ({"type": "http_proxy", "payloadFormatVersion": "1.0", "uri": "ftp://a.example"}, "no http or https URL"),
        ({"type": "http_proxy", "payloadFormatVersion": "1.0", "uri": "http://{id}.example"}, "no http or https URL"),
        ({"type": "http_proxy", "payloadFormatVersion": "1.0", "uri": "http://a.example/{id}"}, "the variable id"),
        (HTTP | {"uri": "http://user@a.example/"}, "no http or https URL"),
        (HTTP | {"uri": "http://a.example:99999/"}, "no http or https URL"),
        (HTTP | {"uri": "http://:80/"}, "no http or https URL"),
        (HTTP | {"uri": "http://ä.example/"}, "no http or https URL"),
        (HTTP | {"uri": "http://a.example/", "connectionId": "link"}, "connectionType INTERNET with a connectionId"),
        (HTTP | {"connectionType": "PIGEON"}, "connectionType PIGEON"),
        ({"type": "mock"}, "the integration type mock"),
        ({"integrationSubtype": "SNS-Publish"}, "the integration subtype SNS-Publish"),
        ({"connectionType": "VPC_LINK", "connectionId": "link"}, "VPC_LINK with the integration type aws_proxy"),
        (PRIVATE | {"connectionId": ""}, "connectionType VPC_LINK without a connectionId"),
        (PRIVATE | {"tlsConfig": {"serverNameToVerify": "a.example"}}, "tlsConfig"),
        (PRIVATE | {"httpMethod": None}, "httpMethod missing"),
        (PRIVATE | {"payloadFormatVersion": "2.0"}, "payloadFormatVersion 2.0"),
        (PRIVATE | {"uri": "http://a.example/"}, "no Cloud Map service's or listener's ARN"),
        (PRIVATE | {"uri": "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-1"}, "no Cloud Map service's"),
        (PRIVATE | {"uri": LISTENER}, f"{LISTENER}, which is the listener of no load balancer that runs here"),
        (PRIVATE | {"uri": f"{LISTENER}?a=b"}, "no Cloud Map service's or listener's ARN"),
        ({"credentials": "arn:aws:iam::*:user/*"}, "no role's ARN"),
        ({"payloadFormatVersion": "3.0"}, "payloadFormatVersion 3.0"),
        ({"payloadFormatVersion": None}, "payloadFormatVersion None"),
        ({"timeoutInMillis": 49}, "timeoutInMillis 49"),
        ({"timeoutInMillis": 30_001}, "timeoutInMillis 30001"),
        ({"uri": "https://backend.example"}, "not a Lambda function's"),
        ({"uri": FUNCTION.replace("echo", "${stageVariables.name}")}, "the stage variable name"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name_and_answers_501(serve, operation, changes, reason):
    api = serve("GET /served", paths={"/refused": {"post": operation(**changes)}})
    [(key, why)] = api.api.refused
    assert key == "POST /refused"
    assert reason in why
    answer = api.request("POST", "/refused")
    assert answer.status_code == 501
    assert answer.json() == {"message": f"POST /refused is not emulated: {why}"}
    assert api.functions.invoked == []
    assert api.get("/served").status_code == 200


def test_a_route_without_an_integration_is_refused(definition):
    assert refused(definition, {"/pets": {"get": {}}}) == [("GET /pets", "a route without an integration")]


def test_a_route_whose_function_is_not_there_says_why(definition):
    integration = {"x-amazon-apigateway-integration": {"x-samhost-not-served": "F is left out"}}
    assert refused(definition, {"/pets": {"get": integration}}) == [("GET /pets", "F is left out")]


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ({"x-amazon-apigateway-authorizer": {"type": "token"}}, "the authorizer type token"),
        ({"x-amazon-apigateway-authorizer": {"x-samhost-not-served": "F is left out"}}, "F is left out"),
        ({"x-amazon-apigateway-authorizer": {"type": "jwt"}}, "without issuer and audience"),
        ({"x-amazon-apigateway-authtype": "awsSigv4"}, "no x-amazon-apigateway-authorizer"),
        (None, "no x-amazon-apigateway-authorizer"),
    ],
)
def test_a_route_whose_authorizer_is_not_emulated_is_refused_and_never_open(serve, operation, scheme, reason):
    schemes = {"custom": scheme} if scheme else {}
    guarded = operation() | {"security": [{"custom": []}]}
    api = serve(paths={"/pets": {"get": guarded}}, components={"securitySchemes": schemes})
    [(_, why)] = api.api.refused
    assert reason in why
    assert api.get("/pets").status_code == 501
    assert api.functions.invoked == []


def test_several_schemes_on_one_operation_are_refused(definition, operation, secured):
    for security in ([{"users": []}, {"others": []}], [{"users": [], "others": []}], [{}]):
        [(_, why)] = refused(definition, {"/pets": {"get": operation() | {"security": security}}}, **secured)
        assert "exactly one scheme" in why


def test_iam_authorization_is_refused(definition, operation):
    iam = operation() | {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}
    [(_, why)] = refused(definition, {"/pets": {"get": iam}})
    assert "IAM" in why


@pytest.mark.parametrize("source", ["$request.header.A,$request.header.B", ["a", "b"], "$context.identity.sourceIp"])
def test_a_jwt_authorizer_takes_one_identity_source(definition, operation, secured, source):
    secured["components"]["securitySchemes"]["users"]["x-amazon-apigateway-authorizer"]["identitySource"] = source
    [(_, why)] = refused(definition, {"/pets": {"get": operation()}}, **secured)
    assert "identity source" in why


@pytest.mark.parametrize(
    "uri",
    [
        FUNCTION,
        f"{FUNCTION}:live",
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations",
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}:live/invocations",
    ],
)
def test_the_uri_is_an_invocation_path_or_a_plain_arn(serve, operation, uri):
    api = serve(paths={"/pets": {"get": operation(uri=uri)}})
    assert api.get("/pets").status_code == 200
    assert api.functions.invoked == [FUNCTION + (":live" if ":live" in uri else "")]


def test_an_integration_may_be_a_reference(serve, operation):
    shared = {"x-amazon-apigateway-integrations": {"echo": operation()["x-amazon-apigateway-integration"]}}
    reference = {"x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/echo"}}
    api = serve(paths={"/pets": {"get": reference}}, components=shared)
    assert api.get("/pets").status_code == 200


def test_a_reference_to_nothing_is_refused(definition):
    reference = {"x-amazon-apigateway-integration": {"$ref": "#/components/nothing"}}
    [(_, why)] = refused(definition, {"/pets": {"get": reference}})
    assert "#/components/nothing" in why


def test_a_default_route_is_marked_or_named(serve, operation):
    marked = {"/anything": {"x-amazon-apigateway-any-method": operation() | {"isDefaultRoute": True}}}
    api = serve(paths=marked)
    api.request("PATCH", "/some/where")
    assert api.event["routeKey"] == "$default"


@pytest.mark.parametrize("version", ["3.1.0", None])
def test_only_openapi_3_0_is_taken(definition, operation, version):
    with pytest.raises(ConfigurationError, match=r"OpenAPI 3\.0"):
        refused(definition, {"/pets": {"get": operation()}}, openapi=version)


def test_a_path_that_is_no_object_stops_the_gateway(definition):
    with pytest.raises(ConfigurationError, match="/pets is not an object"):
        refused(definition, {"/pets": "nothing"})


def test_quotas_of_api_gateway_hold(definition, operation, secured):
    with pytest.raises(ConfigurationError, match="300 routes"):
        refused(definition, {f"/{number}": {"get": operation()} for number in range(301)})
    with pytest.raises(ConfigurationError, match="stage variable"):
        refused(definition, {}, variables={"name": "not allowed!"})
    many = {f"{number}": {"x-amazon-apigateway-authorizer": {}} for number in range(11)}
    with pytest.raises(ConfigurationError, match="10 authorizers"):
        refused(definition, {}, components={"securitySchemes": many})
    eleven = operation() | {"security": [{"users": [f"s{number}" for number in range(11)]}]}
    [(_, why)] = refused(definition, {"/pets": {"get": eleven}}, **secured)
    assert "10 scopes" in why
