"""REST APIs in front of load balancers, which listen elsewhere on one machine: by name, and through VPC links."""

import pytest

from samhost.gateway.connections import NoAnswerError, UnreachableError

from .rest_operations import forwarding, sent

NAME = "sites-1.elb.amazonaws.com"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/sites/1"
LISTENER = BALANCER.replace("loadbalancer/", "listener/") + "/2"


def listener(port, address, arn=LISTENER):
    return {"listener": arn, "loadBalancer": BALANCER, "dnsName": NAME, "port": port, "address": address}


LOAD_BALANCERS = [listener(80, "127.0.0.1:1080"), listener(8080, "127.0.0.1:1088", f"{LISTENER}-8080")]
LINK = {"connectionType": "VPC_LINK", "connectionId": "${stageVariables.link}"}
STAGES = {"dev": {"link": "abc123", "balancer": NAME}}


@pytest.fixture
def behind(serve_rest, backend):
    """Serve `/sites/{proxy+}` by an integration."""

    def build(uri, **changes):
        operation = forwarding(uri)
        operation["x-amazon-apigateway-integration"] |= changes
        paths = {"/sites/{proxy+}": {"get": operation}}
        return serve_rest(paths, stages=STAGES, backend=backend, load_balancers=LOAD_BALANCERS)

    return build


@pytest.mark.parametrize("connection", [{}, LINK])
@pytest.mark.parametrize(
    ("host", "url"),
    [
        (NAME, "http://127.0.0.1:1080"),
        (NAME.upper(), "http://127.0.0.1:1080"),
        (f"{NAME}:8080", "http://127.0.0.1:1088"),
        ("${stageVariables.balancer}", "http://127.0.0.1:1080"),
    ],
)
def test_a_load_balancer_is_reached_where_it_listens_and_called_by_its_name(behind, connection, host, url):
    api = behind(f"http://{host}/base/{{proxy}}", **connection)
    assert api.get("/dev/sites/blog?a=1").status_code == 200
    assert sent(api).url == f"{url}/base/blog?a=1"
    assert dict(sent(api).headers)["host"] == (f"{NAME}:8080" if host.endswith(":8080") else NAME)


def test_a_name_that_is_no_load_balancers_is_called_as_it_is(behind):
    api = behind("http://sites.example:8080/{proxy}")
    api.get("/dev/sites/blog")
    assert sent(api).url == "http://sites.example:8080/blog"


def test_a_vpc_link_of_the_second_version_leads_to_its_target_which_is_called_as_the_uri_says(behind):
    api = behind("http://sites.internal/base/{proxy}", integrationTarget=BALANCER, **LINK)
    api.get("/dev/sites/blog?a=1")
    assert sent(api).url == "http://127.0.0.1:1080/base/blog?a=1"
    assert dict(sent(api).headers)["host"] == "sites.internal"


@pytest.mark.parametrize("changes", [{}, LINK, {**LINK, "integrationTarget": BALANCER}])
@pytest.mark.parametrize("failure", [UnreachableError("refused"), NoAnswerError("closed")])
def test_a_load_balancer_that_takes_no_requests_is_500(behind, backend, changes, failure):
    backend.failure = failure
    answer = behind(f"http://{NAME}/{{proxy}}", **changes).get("/dev/sites/blog")
    assert (answer.status_code, answer.content) == (500, b'{"message": "Internal server error"}')


def test_another_server_that_takes_no_requests_is_504(behind, backend):
    backend.failure = UnreachableError("refused")
    assert behind("http://sites.example/{proxy}").get("/dev/sites/blog").status_code == 504


@pytest.mark.parametrize(
    ("uri", "changes", "reason"),
    [
        ("http://elsewhere.example/{proxy}", LINK, "elsewhere.example through a VPC link"),
        (f"http://{NAME}:81/{{proxy}}", LINK, f"{NAME}:81 through a VPC link"),
        (f"https://{NAME}/{{proxy}}", LINK, "https through a VPC link"),
        (f"http://{NAME}/{{proxy}}", {"connectionType": "VPC_LINK"}, "without a connectionId"),
        (f"http://{NAME}/{{proxy}}", {**LINK, "integrationTarget": f"{BALANCER}9"}, "the integrationTarget"),
        (f"http://{NAME}/{{proxy}}", {**LINK, "integrationTarget": LISTENER}, "the integrationTarget"),
        (f"http://{NAME}:81/{{proxy}}", {**LINK, "integrationTarget": BALANCER}, "on port 81"),
        (f"http://{NAME}/{{proxy}}", {**LINK, "connectionId": "${stageVariables.no}"}, "the stage variable no"),
    ],
)
def test_what_no_load_balancer_here_can_take_is_refused_by_name(behind, uri, changes, reason):
    answer = behind(uri, **changes).get("/dev/sites/blog")
    assert answer.status_code == 501
    assert reason in answer.json()["message"]


def test_a_query_is_not_for_the_log(behind, backend):
    backend.failure = UnreachableError("refused")
    api = behind(f"http://{NAME}/{{proxy}}")
    api.get("/dev/sites/blog?token=hidden")
    assert NAME in api.last_log["error"]
    assert "hidden" not in api.log[-1]
