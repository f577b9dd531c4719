"""`make images`: the repositories of the containers' images, and in them an image of each for this commit.

An image's tag names the last commit that changed what goes into images, and the processor: 3f2a9c417b01-arm64. Tags
never change what they stand for, so images that are there already are neither built nor pushed again.
"""

import argparse
import base64
import subprocess

import boto3
from environment import (
    IMAGES_STACK,
    ROOT,
    Environment,
    RefusedError,
    load_environment,
    parse_parameters,
    run,
    run_script,
    sam,
)

SOURCES = ("containers", "functions/scanner", ".dockerignore")
PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}


def image_names() -> list[str]:
    """Return what images there are: each folder in containers/ with a Dockerfile."""
    return sorted(file.parent.name for file in (ROOT / "containers").glob("*/Dockerfile"))


def image_tag(environment: Environment) -> str:
    """Return the tag of this commit's images."""
    return f"{_git('log', '-1', '--format=%H', '--', *SOURCES)[:12]}-{environment.architecture}"


def image_registry(environment: Environment) -> str | None:
    """Return what the stack of the images calls its registry; None where there is no such stack."""
    cloudformation = boto3.client("cloudformation", region_name=environment.region)
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"] == IMAGES_STACK:
                outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
                return outputs.get("ImageRegistry")
    return None


def missing_images(environment: Environment, tag: str) -> list[str]:
    """Return which images have not been pushed under a tag."""
    ecr = boto3.client("ecr", region_name=environment.region)

    def is_missing(name: str) -> bool:
        found = ecr.batch_get_image(repositoryName=f"docscan/{name}", imageIds=[{"imageTag": tag}])
        return not found["images"]

    return [name for name in image_names() if is_missing(name)]


def main() -> None:
    """Make the repositories, build what is missing in them, and push it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-env", default="default", help="an environment of samconfig.toml")
    parser.add_argument("parameters", nargs="*", metavar="KEY=VALUE", help="parameters of template.yaml")
    arguments = parser.parse_args()
    environment = load_environment(arguments.config_env, parse_parameters(arguments.parameters))
    if _git("status", "--porcelain", "--", *SOURCES):
        raise RefusedError(f"Commit what has changed in {', '.join(SOURCES)}: an image's tag names its commit.")
    tag = image_tag(environment)
    sam(
        "deploy", "--language-extensions", "--template-file", "stacks/images.yaml", "--stack-name", IMAGES_STACK,
        "--region", environment.region, "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
    )  # fmt: skip
    registry = image_registry(environment)
    if missing := missing_images(environment, tag):
        _log_in(environment)
    plain = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}  # an image and nothing else, whichever builder Docker has
    for name in missing:
        image, file = f"{registry}/{name}:{tag}", f"containers/{name}/Dockerfile"
        platform = PLATFORMS[environment.architecture]
        run("docker", "build", "--platform", platform, "--file", file, "--tag", image, ".", environment=plain)
        run("docker", "push", image)
    print(f"Images {tag} of {', '.join(image_names())} are in {registry}; `make deploy` takes them.")


def _log_in(environment: Environment) -> None:
    """Let Docker push to the account's registry, for twelve hours."""
    ecr = boto3.client("ecr", region_name=environment.region)
    [data] = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    run("docker", "login", "--username", user, "--password-stdin", data["proxyEndpoint"], stdin=password)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    run_script(main)
