"""AWS AppConfig's GetConfiguration, which the engine does not have: its AppConfigData API carries it.

What the legacy call answers: the configuration with its `Content-Type`, its version in `Configuration-Version`, and 204
where `ClientConfigurationVersion` is that version [doc].
https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_GetConfiguration.html

The role needs `appconfig:GetConfiguration` on application, environment and configuration profile, as on AWS, and not
the permissions of the calls that are made instead. So IAM is asked about that action, and the calls are the gateway's.
"""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from samhost.gateway.engine import Reply
from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.integrations.services.call import FORM, Operation, Parameters, RoleClient

_ACTION = "appconfig:GetConfiguration"
_SERVED = {"COMPLETE", "BAKING"}  # a deployment in these states is the one that everybody gets
_ITEMS = 1000  # of a list; the engine has no further pages


class _RefusedError(Exception):
    """AppConfig answers otherwise; `reply` says how."""

    def __init__(self, reply: Reply):
        super().__init__(reply.status)
        self.reply = reply


async def _get_configuration(parameters: Parameters, client: RoleClient) -> Reply:
    try:
        application = await _find(client, "/applications", "Application", parameters)
        path = f"/applications/{application['Id']}"
        environment = await _find(client, f"{path}/environments", "Environment", parameters)
        profile = await _find(client, f"{path}/configurationprofiles", "Configuration", parameters)
        await _check_permission(client, application["Id"], environment["Id"], profile["Id"])
        version = await _deployed_version(client, f"{path}/environments/{environment['Id']}/deployments", profile)
        headers = {"configuration-version": version}
        if parameters.get("ClientConfigurationVersion") == version:
            return Reply(204, headers, b"")
        latest = await _latest_configuration(client, application["Id"], environment["Id"], profile["Id"])
    except _RefusedError as error:
        return error.reply
    return Reply(200, headers | {"content-type": latest.headers.get("content-type", "")}, latest.body)


async def _find(client: RoleClient, path: str, parameter: str, parameters: Parameters) -> dict[str, Any]:
    """What a parameter names, by its id or its name [doc]."""
    wanted = parameters[parameter]
    items = await _items(client, path)
    for key in ("Id", "Name"):
        for item in items:
            if item[key] == wanted:
                return item
    raise _refusal(404, "ResourceNotFoundException", f"{parameter} {wanted} could not be found")


async def _check_permission(client: RoleClient, application: str, environment: str, profile: str) -> None:
    partition = client.role.split(":")[1]
    whole = f"arn:{partition}:appconfig:{client.region}:{client.account_id}:application/{application}"
    resources = (whole, f"{whole}/environment/{environment}", f"{whole}/configurationprofile/{profile}")
    decisions = await asyncio.gather(*(_may_read(client, resource) for resource in resources))
    for resource, allowed in zip(resources, decisions, strict=True):
        if not allowed:
            message = f"{client.role} is not authorized to perform: {_ACTION} on resource: {resource}"
            raise _refusal(403, "AccessDeniedException", message)


async def _may_read(client: RoleClient, resource: str) -> bool:
    question = {
        "Action": "SimulatePrincipalPolicy",
        "Version": "2010-05-08",
        "PolicySourceArn": client.role,
        "ActionNames.member.1": _ACTION,
        "ResourceArns.member.1": resource,
    }
    answer = await client.engine.call("iam", "POST", "/", urlencode(question).encode(), headers=FORM)
    return b"<EvalDecision>allowed</EvalDecision>" in _checked(answer).body


async def _deployed_version(client: RoleClient, path: str, profile: dict[str, Any]) -> str:
    """The version that is deployed; while the next one is rolled out, still this one [inf]."""
    deployments = [
        item
        for item in await _items(client, path)
        if item["State"] in _SERVED and item["ConfigurationName"] == profile["Name"]
    ]
    if not deployments:
        raise _refusal(404, "ResourceNotFoundException", f"No version of {profile['Name']} is deployed")
    return max(deployments, key=lambda item: item["DeploymentNumber"])["ConfigurationVersion"]


async def _latest_configuration(client: RoleClient, application: str, environment: str, profile: str) -> Reply:
    session = {
        "ApplicationIdentifier": application,
        "EnvironmentIdentifier": environment,
        "ConfigurationProfileIdentifier": profile,
    }
    started = await _call(client, "appconfigdata", "POST", "/configurationsessions", json.dumps(session).encode())
    token = quote(_member(started, "InitialConfigurationToken"), safe="")
    return await _call(client, "appconfigdata", "GET", f"/configuration?configuration_token={token}")


async def _items(client: RoleClient, path: str) -> list[dict[str, Any]]:
    return _member(await _call(client, "appconfig", "GET", f"{path}?max_results={_ITEMS}"), "Items")


async def _call(client: RoleClient, service: str, method: str, target: str, body: bytes = b"") -> Reply:
    return _checked(await client.engine.call(service, method, target, body, region=client.region))


def _checked(reply: Reply) -> Reply:
    if reply.status >= 300:
        raise _RefusedError(reply)
    return reply


def _member(reply: Reply, name: str) -> Any:
    try:
        return json.loads(reply.body)[name]
    except (ValueError, LookupError, TypeError):
        raise IntegrationFailedError(f"AppConfig's answer is not JSON with {name}") from None


def _refusal(status: int, code: str, message: str) -> _RefusedError:
    headers = {"content-type": "application/json", "x-amzn-errortype": code}
    return _RefusedError(Reply(status, headers, json.dumps({"Message": message}).encode()))


OPERATIONS: dict[str, Operation] = {"AppConfig-GetConfiguration": _get_configuration}
