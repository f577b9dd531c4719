"""Access logs in the stage's own format: developer guide, `http-api-logging` and `http-api-logging-variables`."""

import json

import pytest

from samhost.gateway.access_log import unknown_variables
from samhost.gateway.document import LOG_FORMAT_BYTES
from samhost.gateway.errors import ConfigurationError


@pytest.fixture
def logging(serve):
    """Serve routes whose stage has an access log format: `logging(format, *keys, **options)`."""

    def build(log_format, *keys, **options):
        return serve(*keys, settings={"accessLogFormat": log_format}, **options)

    return build


def as_json(*names):
    return "{" + ", ".join(f'"{name}": "$context.{name}"' for name in names) + "}"


def test_a_line_has_the_formats_variables_with_their_values(logging):
    api = logging(as_json("requestId", "routeKey", "status", "httpMethod", "path", "identity.sourceIp"), "GET /pets")
    answer = api.get("/pets?secret=hidden")
    assert len(api.log) == 1
    assert api.last_log == {
        "requestId": answer.headers["apigw-requestid"],
        "routeKey": "GET /pets",
        "status": "200",
        "httpMethod": "GET",
        "path": "/pets",
        "identity.sourceIp": "192.0.2.1",
    }


def test_there_is_one_line_a_request_and_none_in_another_format(logging):
    api = logging("$context.status $context.routeKey", "GET /pets")
    api.get("/pets")
    api.get("/nowhere")
    assert api.log == ["200 GET /pets", "404 -"]


def test_a_variable_without_a_value_is_a_dash(logging):
    api = logging(as_json("authorizer.claims.sub", "error.message", "identity.user", "nonsense"), "GET /pets")
    api.get("/pets")
    assert set(api.last_log.values()) == {"-"}


def test_claims_are_logged_where_the_format_names_them(logging, secured, token):
    api = logging(as_json("authorizer.claims.sub", "authorizer.error"), "GET /pets", **secured)
    api.get("/pets", headers={"authorization": token()})
    assert api.last_log == {"authorizer.claims.sub": "user-1", "authorizer.error": "-"}
    api.get("/pets", headers={"authorization": "a.b"})
    assert api.last_log["authorizer.error"] == "token contains an invalid number of segments"


def test_failures_of_integrations_are_logged_with_their_reason(logging, functions):
    functions.function_error = "Unhandled"
    api = logging(as_json("status", "integrationStatus", "integrationErrorMessage", "error.message"), "GET /pets",
                  functions=functions)  # fmt: skip
    api.get("/pets")
    assert api.last_log.pop("integrationErrorMessage").endswith("failed: Unhandled")
    assert api.last_log["status"] == "500"
    assert api.last_log["integrationStatus"] == "200"  # that of Invoke [doc]
    assert api.last_log["error.message"] == "Internal Server Error"


@pytest.mark.parametrize("agent", ['a "quoted" agent', "back\\slash", '", "status": "200', "tab\there"])
def test_quotes_and_backslashes_in_values_leave_a_line_of_json(logging, agent):
    # Seen at AWS: https://github.com/DataBiosphere/azul/issues/4348
    api = logging(as_json("identity.userAgent", "status"), "GET /pets")
    api.get("/nowhere", headers={"user-agent": agent})
    assert json.loads(api.log[-1]) == {"identity.userAgent": agent, "status": "404"}


def test_a_line_break_in_a_path_makes_no_second_line(logging):
    api = logging("$context.path", "$default")
    api.get("/a%0d%0a200%20GET%20/forged")
    assert api.log == ["/a\\r\\n200 GET /forged"]


def test_the_quoted_error_message_brings_its_quotes_along(logging):
    api = logging('{"error": $context.error.messageString}', "GET /pets")
    api.get("/nowhere")
    assert api.last_log == {"error": "Not Found"}


def test_a_format_on_several_lines_is_written_on_one(logging):
    api = logging('{"a": "$context.status",\n "b": "$context.stage"}\n', "GET /pets")
    api.get("/pets")
    assert "\n" not in api.log[-1]
    assert api.last_log == {"a": "200", "b": "$default"}


def test_variables_that_http_apis_do_not_have_are_found(logging):
    api = logging("$context.requestId $context.resourcePath $context.authorizer.key", "GET /pets").api
    assert unknown_variables(api) == ["resourcePath"]


def test_a_format_over_3_kb_is_refused_as_the_quota_says(logging):
    assert logging("x" * LOG_FORMAT_BYTES, "GET /pets").get("/pets").status_code == 200
    with pytest.raises(ConfigurationError, match="access log"):
        logging("x" * (LOG_FORMAT_BYTES + 1), "GET /pets")
