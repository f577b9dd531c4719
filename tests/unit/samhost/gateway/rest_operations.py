"""Operations of REST APIs."""

EXTENSION = "x-amazon-apigateway-"
BACKEND = "http://backend.example"


def proxy(uri=BACKEND, method="ANY", parameters=(), security=None, **changes):
    """An operation that a URL answers; `parameters` are what it declares, as `path.id` or `header.x-id`."""
    places = {"querystring": "query"}
    declared = [
        {"in": places.get(place, place), "name": name}
        for place, _, name in (each.partition(".") for each in parameters)
    ]
    integration = {"type": "http_proxy", "httpMethod": method, "uri": uri} | changes
    operation = {"parameters": declared, f"{EXTENSION}integration": integration, "responses": {}}
    return operation if security is None else operation | {"security": security}


def forwarding(uri, variable="proxy"):
    """An operation that hands a path variable on."""
    return proxy(
        uri,
        parameters=[f"path.{variable}"],
        requestParameters={f"integration.request.path.{variable}": f"method.request.path.{variable}"},
    )


def sent(api):
    """The one request that the backend got."""
    [request] = api.backend.requests
    return request
