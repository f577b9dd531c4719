"""`make images` and `make destroy` against the local engine, Docker and git played: nothing pushes there."""

import contextlib
import json
import os
import subprocess
import sys

import pytest
from local_system import ROOT, System

from samhost.settings import Settings

STACK = Settings(ROOT / "template.yaml", ROOT).stack_name
COMMIT = "3f2a9c417b01d0c5e7a4b6c8d9e0f1a2b3c4d5e6"
PLAYED = f"""#!{sys.executable}
import json, os, sys, boto3
from pathlib import Path
program, arguments = Path(sys.argv[0]).name, sys.argv[1:]
if program == "git":
    print({{"status": os.environ.get("CHANGED", ""), "log": "{COMMIT}"}}[arguments[0]])
else:
    with open(os.environ["PLAYED_LOG"], "a") as log:
        print(json.dumps([*arguments, sys.stdin.read()] if arguments[0] == "login" else arguments), file=log)
    if arguments[0] == "push":
        repository, tag = arguments[1].split("amazonaws.com/")[1].split(":")
        manifest = {{"schemaVersion": 2, "config": {{"digest": repository}}, "layers": []}}
        boto3.client("ecr").put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
"""


@pytest.fixture
def script(running, own, tmp_path):
    """Runs a script of scripts/ against the engine, as root."""
    for program in ("docker", "git"):
        (tmp_path / program).write_text(PLAYED)
        (tmp_path / program).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": running["engine"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": running["region"],
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PLAYED_LOG": str(tmp_path / "log"),
        "SAM_CLI_TELEMETRY": "0",
    }

    def run(name, *arguments, stdin="", **variables):
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / name, *arguments],
            env=environment | variables, input=stdin, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    run.system = System(own.data_dir, running)
    run.log = lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    return run


def stacks(system):
    found = system.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


def data(system):
    """What holds data: buckets, tables, user pools and repositories, without the bucket that SAM uploads to."""
    buckets = {bucket["Name"] for bucket in system.client("s3").list_buckets()["Buckets"]}
    return {
        "bucket": {name for name in buckets if not name.startswith("aws-sam-cli-managed-default")},
        "table": set(system.client("dynamodb").list_tables()["TableNames"]),
        "user pool": {pool["Id"] for pool in system.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]},
        "image repository": {r["repositoryName"] for r in system.client("ecr").describe_repositories()["repositories"]},
    }


@contextlib.contextmanager
def another_stack(system, **parameters):
    """A stack of somebody else's that has been given these parameters."""
    cloudformation = system.client("cloudformation")
    template = {
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
    }
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.create_stack(StackName="another", TemplateBody=json.dumps(template), Parameters=given)
    yield
    cloudformation.delete_stack(StackName="another")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="another")


def test_images_are_built_and_pushed_once_for_a_commit_and_a_processor(script):
    first = script("images.py", "Architecture=arm64")
    second = script("images.py", "Architecture=arm64")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    login, *rest = script.log()
    assert login == [
        "login", "--username", "AWS", "--password-stdin", f"https://{registry}", "ministack-auth-token",
    ]  # fmt: skip
    tags = [f"{registry}/docscan/{name}:{COMMIT[:12]}-arm64" for name in ("catalog", "preview", "site", "store")]
    assert rest[1::2] == [["push", tag] for tag in tags]
    assert rest[::2] == [
        ["build", "--platform", "linux/arm64", "--file", f"containers/{name}/Dockerfile", "--tag", tag, "."]
        for name, tag in zip(("catalog", "preview", "site", "store"), tags, strict=True)
    ]


def test_images_of_what_is_not_committed_are_not_made(script):
    refused = script("images.py", CHANGED=" M containers/serving.py")

    assert refused.returncode == 1
    assert "Commit what has changed in containers" in refused.stderr


def test_nothing_is_deleted_without_the_stacks_name(script):
    before = stacks(script.system)

    refused = script("destroy.py", "--stack", STACK, stdin="yes\n")

    assert (refused.returncode, stacks(script.system)) == (1, before)
    assert "Nothing was deleted." in refused.stderr


def test_images_that_another_stack_uses_stay_and_what_a_deleted_stack_leaves_is_named(script):
    system = script.system
    script("images.py")
    [registry] = {
        repository["repositoryUri"].rpartition("/")[0]
        for repository in system.client("ecr").describe_repositories()["repositories"]
    }
    bucket = system.output("BucketName")
    for body in (b"first", b"second"):
        system.client("s3").put_object(Bucket=bucket, Key="images/page", Body=body)
    system.client("s3").delete_object(Bucket=bucket, Key="images/page")

    with another_stack(system, ImageRegistry=registry):
        destroyed = script("destroy.py", "--stack", STACK, stdin=f"{STACK}\n")

    assert destroyed.returncode == 0, destroyed.stderr
    assert "The images stay: another uses them." in destroyed.stdout
    assert stacks(system) == {"docscan-images", "aws-sam-cli-managed-default"}
    left = data(system)
    assert len(left.pop("image repository")) == 4
    lines = destroyed.stdout.splitlines()
    retained = {line.removeprefix("Retained: ") for line in lines if line.startswith("Retained: ")}
    assert retained == {f"{kind} {name}" for kind, names in left.items() for name in names}
    assert f"bucket {bucket}" in retained
    assert len(system.client("s3").list_object_versions(Bucket=bucket)["Versions"]) == 2


def test_what_was_retained_goes_at_a_second_call_but_not_what_another_stack_uses(script):
    system = script.system
    script("destroy.py", "--stack", STACK, "--yes")  # where it is not destroyed yet
    [pool] = data(system)["user pool"]

    with another_stack(system, ExistingUserPoolId=pool):
        first = script("destroy.py", "--stack", STACK, "--data", "--yes")
        left = data(system)
    second = script("destroy.py", "--stack", STACK, "--data", "--yes")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert left == {"bucket": set(), "table": set(), "user pool": {pool}, "image repository": set()}
    assert stacks(system) == {"aws-sam-cli-managed-default"}
    assert not any(data(system).values())
