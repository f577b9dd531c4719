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

from samhost.gateway.connections import Reply
from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.integrations.services.call import FORM, Caller, Operation, Parameters

_ACTION = "appconfig:GetConfiguration"
_SERVED = {"COMPLETE", "BAKING"}  # a deployment in these states is the one that everybody gets
_ITEMS = 1000  # of a list; the engine has no further pages


class _RefusedError(Exception):
    """AppConfig answers otherwise; `reply` says how."""

    def __init__(self, reply: Reply):
        super().__init__(reply.status)
        self.reply = reply


async def _get_configuration(parameters: Parameters, caller: Caller) -> Reply:
    try:
        application = await _find(caller, "/applications", "Application", parameters)
        path = f"/applications/{application['Id']}"
        environment = await _find(caller, f"{path}/environments", "Environment", parameters)
        profile = await _find(caller, f"{path}/configurationprofiles", "Configuration", parameters)
        await _check_permission(caller, application["Id"], environment["Id"], profile["Id"])
        version = await _deployed_version(caller, f"{path}/environments/{environment['Id']}/deployments", profile)
        headers = {"configuration-version": version}
        if parameters.get("ClientConfigurationVersion") == version:
            return Reply(204, headers, b"")
        latest = await _latest_configuration(caller, application["Id"], environment["Id"], profile["Id"])
    except _RefusedError as error:
        return error.reply
    return Reply(200, headers | {"content-type": latest.headers.get("content-type", "")}, latest.body)


async def _find(caller: Caller, path: str, parameter: str, parameters: Parameters) -> dict[str, Any]:
    """What a parameter names, by its id or its name [doc]."""
    wanted = parameters[parameter]
    items = await _items(caller, path)
    for key in ("Id", "Name"):
        for item in items:
            if item[key] == wanted:
                return item
    raise _refusal(404, "ResourceNotFoundException", f"{parameter} {wanted} could not be found")


async def _check_permission(caller: Caller, application: str, environment: str, profile: str) -> None:
    partition = caller.role.split(":")[1]
    whole = f"arn:{partition}:appconfig:{caller.region}:{caller.account_id}:application/{application}"
    resources = (whole, f"{whole}/environment/{environment}", f"{whole}/configurationprofile/{profile}")
    decisions = await asyncio.gather(*(_may_read(caller, resource) for resource in resources))
    for resource, allowed in zip(resources, decisions, strict=True):
        if not allowed:
            message = f"{caller.role} is not authorized to perform: {_ACTION} on resource: {resource}"
            raise _refusal(403, "AccessDeniedException", message)


async def _may_read(caller: Caller, resource: str) -> bool:
    question = {
        "Action": "SimulatePrincipalPolicy",
        "Version": "2010-05-08",
        "PolicySourceArn": caller.role,
        "ActionNames.member.1": _ACTION,
        "ResourceArns.member.1": resource,
    }
    answer = await caller.engine.call("iam", "POST", "/", urlencode(question).encode(), headers=FORM)
    return b"<EvalDecision>allowed</EvalDecision>" in _checked(answer).body


async def _deployed_version(caller: Caller, path: str, profile: dict[str, Any]) -> str:
    """The version that is deployed; while the next one is rolled out, still this one [inf]."""
    deployments = [
        item
        for item in await _items(caller, path)
        if item["State"] in _SERVED and item["ConfigurationName"] == profile["Name"]
    ]
    if not deployments:
        raise _refusal(404, "ResourceNotFoundException", f"No version of {profile['Name']} is deployed")
    return max(deployments, key=lambda item: item["DeploymentNumber"])["ConfigurationVersion"]


async def _latest_configuration(caller: Caller, application: str, environment: str, profile: str) -> Reply:
    session = {
        "ApplicationIdentifier": application,
        "EnvironmentIdentifier": environment,
        "ConfigurationProfileIdentifier": profile,
    }
    started = await _call(caller, "appconfigdata", "POST", "/configurationsessions", json.dumps(session).encode())
    token = quote(_member(started, "InitialConfigurationToken"), safe="")
    return await _call(caller, "appconfigdata", "GET", f"/configuration?configuration_token={token}")


async def _items(caller: Caller, path: str) -> list[dict[str, Any]]:
    return _member(await _call(caller, "appconfig", "GET", f"{path}?max_results={_ITEMS}"), "Items")


async def _call(caller: Caller, service: str, method: str, target: str, body: bytes = b"") -> Reply:
    return _checked(await caller.engine.call(service, method, target, body, region=caller.region))


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
