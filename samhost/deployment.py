"""Deploys the local template to the engine with `sam deploy`, skipped when the very same is deployed already."""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import boto3
import yaml
from botocore.exceptions import ClientError

from samhost.build import parameter_overrides, run_sam
from samhost.dynamic_references import with_references
from samhost.engine import save
from samhost.engine_process import READS_ONLY
from samhost.errors import CommandFailedError, UpdateFailedError
from samhost.gateway.api_types.http_api import HTTP_API
from samhost.gateway.api_types.rest_api import REST_API
from samhost.local_template import LocalTemplate
from samhost.outputs import NO_VALUE, PREFIX, resolve
from samhost.sam_transform import transform_with_local_code
from samhost.settings import ACCOUNT_ID, HOST, REGION, ROOT_CREDENTIALS, Settings
from samhost.template_file import load, nested_templates

# After a rollback the stack is as it was before, and works.
DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


@dataclass(frozen=True)
class Deployment:
    """What a deployment brought: the stack's outputs, and whether there was something to do."""

    outputs: dict[str, str]
    changed: bool

    @property
    def public_outputs(self) -> dict[str, str]:
        """The outputs that the template itself declares."""
        return {key: value for key, value in self.outputs.items() if not key.startswith(PREFIX)}


def engine_client(settings: Settings, service: str):
    """A boto3 client of the engine, as root."""
    return boto3.client(
        service,
        endpoint_url=settings.engine_url,
        region_name=REGION,
        aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def watching_client(settings: Settings, service: str):
    """The same for what asks all the time: requests that only read cause no snapshot."""
    client = engine_client(settings, service)

    def mark(model, params: dict, **_: object) -> None:
        if model.name.startswith(("Describe", "List")):
            params["headers"][READS_ONLY] = "true"

    client.meta.events.register("before-call", mark)
    return client


def stack_resources(settings: Settings, resource_type: str) -> dict[str, str]:
    """The physical id of each resource of a type in the stack, by its logical id; `Stack/id` in a nested stack."""
    pages = engine_client(settings, "cloudformation").get_paginator("list_stack_resources")

    def listed(stack: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        for page in pages.paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                name, physical_id = f"{prefix}{resource['LogicalResourceId']}", resource.get("PhysicalResourceId", "")
                if resource["ResourceType"] == resource_type:
                    yield name, physical_id
                if resource["ResourceType"] == "AWS::CloudFormation::Stack":
                    yield from listed(physical_id, f"{name}/")

    return dict(listed(settings.stack_name))


def unknown_types(settings: Settings, built: Path) -> set[str]:
    """The resource types of a template that the engine does not know; it would refuse the whole for one of them."""
    types = sorted(_types(load(built)))
    asked = {"Resources": {f"Type{index}": {"Type": name} for index, name in enumerate(types)}}
    try:
        engine_client(settings, "cloudformation").validate_template(TemplateBody=json.dumps(asked))
    except ClientError as error:
        listed = re.search(r"Unrecognized resource types: \[(.*)\]", error.response["Error"].get("Message", ""))
        if listed is None:
            raise
        return {name for name in listed[1].split(", ") if not name.startswith("AWS::Serverless::")}
    return set()


def _types(template: dict) -> set[str]:
    types = {resource["Type"] for resource in template["Resources"].values()}
    return types.union(*(_types(load(path)) for _, _, _, path in nested_templates(template)))


async def deploy(settings: Settings, local: LocalTemplate, built: Path) -> Deployment:
    """Deploy, and return the stack's outputs.

    Raises CommandFailedError, or UpdateFailedError where a stack was there, with the end of what `sam deploy` said, and
    NotSavedError where it would not last.
    """
    _zip_code(local, built.parent, settings.data_dir / "artifacts")
    template = settings.data_dir / "local-template.yaml"
    text = _write(local, template)
    stamp = settings.data_dir / "deployed.sha256"
    digest = hashlib.sha256(f"{sorted(settings.parameters.items())}\0{text}".encode()).hexdigest()
    deployed = _outputs(settings)
    if deployed is not None and stamp.exists() and stamp.read_text() == digest:
        return Deployment(deployed, changed=False)
    stamp.unlink(missing_ok=True)
    try:
        await run_sam(
            settings, "deploy",
            "--template-file", str(template), "--stack-name", settings.stack_name, "--region", REGION, "--resolve-s3",
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--on-failure", "DELETE",
            *parameter_overrides(_defaults(local.template) | settings.parameters),
        )  # fmt: skip
    except CommandFailedError as error:
        if deployed is None:
            raise
        raise UpdateFailedError(error.output) from error
    deployed = _outputs(settings)
    if deployed is None:
        raise CommandFailedError("sam deploy", "It succeeded, and yet the engine has no such stack.")
    if missing := {name for name in local.template.get("Outputs", {}) if name.startswith(PREFIX)} - deployed.keys():
        raise UpdateFailedError(f"It succeeded, and yet the stack lacks the outputs {', '.join(sorted(missing))}.")
    await save(settings)  # first, or the stamp would be of a deployment that the engine may yet lose
    stamp.write_text(digest)
    return Deployment(deployed, changed=True)


def _defaults(template: dict) -> dict[str, str]:
    """The parameters that have a default, with it: left out, `sam deploy` would keep what the last deployment gave."""
    declared = template.get("Parameters", {}).items()
    values = {name: parameter["Default"] for name, parameter in declared if "Default" in parameter}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def api_ports(settings: Settings, local: LocalTemplate) -> dict[str, int]:
    """Each API's port by its name: HTTP APIs in the order of the template, then REST APIs, all stages of one on one."""
    names = [api.name for api in local.apis if api.type == HTTP_API.name]
    names += [api.name for api in local.apis if api.type == REST_API.name]
    return {name: settings.api_port + index for index, name in enumerate(dict.fromkeys(names))}


def write_gateway_config(
    settings: Settings, local: LocalTemplate, deployment: Deployment, listeners: list[dict]
) -> dict:
    """Write what the gateway serves, every intrinsic and every dynamic reference resolved, to its file; returns it.

    `listeners` are those of load balancers, with their addresses here. Raises TemplateError for a reference to what is
    not there.
    """
    ports = api_ports(settings, local)
    config = {
        "engine": settings.engine_url,
        "region": REGION,
        "accountId": ACCOUNT_ID,
        "apis": [
            {
                "name": api.name,
                "type": api.type,
                "apiId": api_id,
                "host": HOST,
                "port": ports[api.name],
                "document": resolve(api.document, deployment.outputs),
                "stage": resolve(api.stage, deployment.outputs),
            }
            for api in local.apis
            if (api_id := resolve(api.api_id, deployment.outputs)) is not NO_VALUE
        ],
        "loadBalancers": listeners,
    }
    config = with_references(config, partial(engine_client, settings))
    text = json.dumps(config, indent=1, default=str)  # YAML has dates
    settings.gateway_file.touch(mode=0o600)  # there may be secrets in it
    settings.gateway_file.write_text(text)
    return json.loads(text)


def _write(local: LocalTemplate, file: Path) -> str:
    """Write a template, and beside it those that are nested in it; returns the text of all.

    MiniStack transforms no nested stacks, so they are written in CloudFormation's types.
    """
    texts = []
    for name, properties, key, _ in nested_templates(local.template):
        nested = replace(local.nested[name], template=transform_with_local_code(local.nested[name].template))
        nested_file = file.with_stem(f"{file.stem}-{name}")
        texts.append(_write(nested, nested_file))
        properties[key] = str(nested_file)
    text = yaml.safe_dump(local.template, sort_keys=False, width=120)
    file.write_text(text)
    return "\0".join([text, *texts])


def _outputs(settings: Settings) -> dict[str, str] | None:
    try:
        stack = engine_client(settings, "cloudformation").describe_stacks(StackName=settings.stack_name)["Stacks"][0]
    except ClientError:
        return None
    if stack["StackStatus"] not in DEPLOYED:
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _zip_code(local: LocalTemplate, folder: Path, artifacts: Path) -> None:
    """Point each function and each layer at an archive, one for all that share their code.

    `sam deploy` would compress each of them by itself, several seconds each; over loopback that saves nothing.
    """
    artifacts.mkdir(exist_ok=True)
    used = set()
    for resource in (resource for each in local.with_nested() for resource in each.template["Resources"].values()):
        properties = resource.get("Properties", {})
        key = CODE_PROPERTIES.get(resource["Type"], "")
        code = properties.get(key)
        if not isinstance(code, str) or not (folder / code).is_dir():
            continue
        archive = artifacts / f"{_content_digest(folder / code)}.zip"
        if not archive.exists():
            _zip(folder / code, archive)
        properties[key] = str(archive)
        used.add(archive)
    for stale in set(artifacts.glob("*.zip")) - used:
        stale.unlink()


def _content_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _zip(folder: Path, archive: Path) -> None:
    unfinished = archive.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED, strict_timestamps=False) as target:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            target.write(file, file.relative_to(folder))
    unfinished.replace(archive)
