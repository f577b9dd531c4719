"""The definitions of a system's APIs: each as one OpenAPI document that can be imported again.

Those of the local system come from samhost; those on AWS are exported by API Gateway itself, for whoever the AWS
credentials of the environment belong to: a user's sign-in is not enough for that.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from docscan_cli.errors import InvalidInputError, RefusedError, ServerError, UnreachableError
from docscan_cli.system import ask_samhost
from docscan_cli.wording import printable

if TYPE_CHECKING:
    import boto3

    from docscan_cli.connection import LocalSystem

HTTP_API, REST_API = "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"
_NESTED_STACK = "AWS::CloudFormation::Stack"


class Format(StrEnum):
    """What a definition is written in."""

    JSON = "json"
    YAML = "yaml"


def of_local_system(system: "LocalSystem", name: str, format_: Format) -> tuple[bytes, str]:
    """The definition of an API of the local system, as it is served, and what is to be known of it.

    Raises RefusedError where there is no such API.
    """
    return ask_samhost("export", system.folder, [chosen(system.apis, name), "--format", format_])


def of_stack(session: "boto3.Session", stack: str, name: str, stage: str | None, format_: Format) -> bytes:
    """The definition of an API of a stack on AWS, or of one that is nested in it: as it is deployed to a stage.

    Without a stage: an HTTP API's as it was configured last; a REST API's at its one stage. Raises RefusedError where
    there is no such API, or AWS refuses; InvalidInputError where the stage has to be named; UnreachableError and
    ServerError.
    """
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

    try:
        apis = {path: (kind, api_id) for path, kind, api_id in _apis(session.client("cloudformation"), stack)}
        kind, api_id = apis[chosen(apis, name)]
        if kind == HTTP_API:
            return _export_http_api(session.client("apigatewayv2"), api_id, stage, format_)
        return _export_rest_api(session.client("apigateway"), api_id, stage, format_)
    except ClientError as error:
        refused = error.response.get("Error", {})
        message = f"AWS refused: {printable(refused.get('Message', ''))} ({refused.get('Code')})"
        raise (RefusedError if _is_callers(error) else ServerError)(message) from error
    except EndpointConnectionError as error:
        raise UnreachableError(str(error)) from error
    except BotoCoreError as error:
        raise InvalidInputError(f"The AWS credentials or settings cannot be used: {error}") from error


def chosen(apis: Iterable[str], name: str) -> str:
    """The full name of the API that `name` is meant for: `ScannerApi`, or just `scanner`; `Catalog/CatalogApi`.

    Raises RefusedError where there is none, or more than one.
    """
    known = list(apis)
    if name in known:
        return name
    found = [api for api in known if _short(api) == _short(name)]
    if len(found) == 1:
        return found[0]
    which = "There is no API" if not found else "There is more than one API"
    names = ", ".join(printable(_short(api) if not found else api) for api in known)
    raise RefusedError(f"{which} {printable(name)}. There are: {names or 'none'}.", "not-found")


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower().removesuffix("api")


def _apis(cloudformation: Any, stack: str, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """The name, type and id of each API of a stack; the name is its logical id, after those of the stacks it is in."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            name, kind = f"{prefix}{resource['LogicalResourceId']}", resource["ResourceType"]
            if kind in {HTTP_API, REST_API}:
                yield name, kind, resource["PhysicalResourceId"]
            elif kind == _NESTED_STACK:
                yield from _apis(cloudformation, resource["PhysicalResourceId"], f"{name}/")


def _export_http_api(client: Any, api_id: str, stage: str | None, format_: Format) -> bytes:
    # https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-exports-specification.html
    of_stage = {"StageName": stage} if stage else {}
    exported = client.export_api(
        ApiId=api_id, Specification="OAS30", OutputType=format_.upper(), IncludeExtensions=True, **of_stage
    )
    return exported["body"].read()


def _export_rest_api(client: Any, api_id: str, stage: str | None, format_: Format) -> bytes:
    # https://docs.aws.amazon.com/apigateway/latest/api/API_GetExport.html
    if stage is None:
        stages = [one["stageName"] for one in client.get_stages(restApiId=api_id)["item"]]
        if len(stages) != 1:
            names = ", ".join(map(printable, stages)) or "none"
            raise InvalidInputError(f"Name the stage of this API with --stage. There are: {names}.")
        [stage] = stages
    exported = client.get_export(
        restApiId=api_id,
        stageName=stage,
        exportType="oas30",
        parameters={"extensions": "apigateway"},
        accepts=f"application/{format_}",
    )
    return exported["body"].read()


def _is_callers(error: Any) -> bool:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) < 500
