"""What an Application Load Balancer answers itself.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from html import escape

from samhost.elb.actions import FixedResponse, Redirect
from samhost.elb.rules import Facts
from samhost.gateway.messages import Response

_SERVER = ("server", "awselb/2.0")
_TITLES = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def page(status: int, reason: str = "") -> Response:
    """An error page as it is at AWS [obs]; the reason is for what AWS does not answer."""
    title = f"{status} {_TITLES[status]}"
    more = f"<p>{escape(reason)}</p>\r\n" if reason else ""
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n{more}"
        "</body>\r\n</html>\r\n"
    )
    return Response(status, [_SERVER, ("content-type", "text/html")], body.encode())


def fixed(response: FixedResponse) -> Response:
    """What a rule answers."""
    headers = [_SERVER, ("content-type", f"{response.content_type}; charset=utf-8")]
    return Response(response.status, headers, response.body.encode())


def redirect(action: Redirect, facts: Facts, port: int) -> Response:
    """A redirection of a request to a listener's port."""
    answer = page(action.status)
    answer.headers.append(("location", action.location(facts, port)))
    return answer
