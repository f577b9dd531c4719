"""The credentials of tasks: what containers find at AWS_CONTAINER_CREDENTIALS_FULL_URI.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html. Each task has a token of its own,
for which it gets the credentials of its own role and of no other; the role is assumed at the engine's STS.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import UTC

from aiohttp import web
from botocore.exceptions import BotoCoreError, ClientError

from samhost.deployment import engine_client
from samhost.engine import save
from samhost.errors import NotSavedError
from samhost.gateway.integrations.lambda_permission import may_assume
from samhost.settings import ACCOUNT_ID, HOST, REGION, Settings

SERVICE = "ecs-tasks.amazonaws.com"
_PATH = "/credentials"
MARGIN_SECONDS = 1200  # SDKs ask anew when fewer than 15 minutes are left


@dataclass
class _Holder:
    """A task, its role, and the credentials that it got last."""

    task: str
    role: str
    credentials: dict[str, str] | None = None
    ends: float = 0  # seconds since the epoch


class Credentials:
    """Serves tasks their roles' credentials, on a free port."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._holders: dict[str, _Holder] = {}
        self._runner: web.AppRunner | None = None
        self._url = ""

    async def start(self) -> None:
        """Begin to serve."""
        application = web.Application()
        application.router.add_get(_PATH, self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self._url = f"http://{HOST}:{port}{_PATH}"

    async def stop(self) -> None:
        """Serve no more."""
        if self._runner:
            await self._runner.cleanup()

    def issue(self, task: str, role: str) -> dict[str, str]:
        """Return the variables by which a task's SDK finds its credentials; `task` is an ARN, `role` too."""
        token = secrets.token_urlsafe(32)
        self._holders[token] = _Holder(task, role)
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self._url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}

    def revoke(self, task: str) -> None:
        """Give a task no more credentials."""
        self._holders = {token: holder for token, holder in self._holders.items() if holder.task != task}

    async def _answer(self, request: web.Request) -> web.Response:
        holder = self._holders.get(request.headers.get("authorization", ""))
        if holder is None:
            return _refusal(403, "AccessDenied", "There is no task with this token")
        if time.time() + MARGIN_SECONDS > holder.ends:
            try:
                holder.credentials, holder.ends = await asyncio.to_thread(self._assume, holder)
                await save(self._settings)  # or a crash of the engine would take them from the task
            except _NotTrustedError:
                message = f"The trust policy of {holder.role} does not let {SERVICE} assume it"
                return _refusal(403, "AssumeRoleUnauthorizedAccess", message)
            except (BotoCoreError, ClientError, NotSavedError) as error:
                return _refusal(500, "ServerInternal", str(error))
        return web.json_response(holder.credentials)

    def _assume(self, holder: _Holder) -> tuple[dict[str, str], float]:
        # The engine lets its root assume whatever trusts any service at all, so whom a role trusts is read here.
        name = holder.role.rpartition("/")[2]
        role = engine_client(self._settings, "iam").get_role(RoleName=name)["Role"]
        if not may_assume(role["AssumeRolePolicyDocument"], holder.task, ACCOUNT_ID, SERVICE):
            raise _NotTrustedError
        session = holder.task.rpartition("/")[2]
        given = engine_client(self._settings, "sts").assume_role(RoleArn=holder.role, RoleSessionName=session)
        credentials = given["Credentials"]
        return {
            "RoleArn": holder.role,
            "AccessKeyId": credentials["AccessKeyId"],
            "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"],
            "Expiration": credentials["Expiration"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }, credentials["Expiration"].timestamp()


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


class _NotTrustedError(Exception):
    """A role does not trust ECS's tasks."""


def task_arn(cluster: str, task: str) -> str:
    """The ARN of a task by its cluster's name and its id."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT_ID}:task/{cluster}/{task}"
