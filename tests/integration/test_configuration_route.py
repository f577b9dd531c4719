"""The configuration, from AppConfig through the gateway to clients."""

import json
from pathlib import Path

import jsonschema
import yaml

API = yaml.safe_load((Path(__file__).parents[2] / "api" / "scanner.yaml").read_text())


def test_clients_get_the_configuration_as_it_was_deployed(system, user):
    answer = user.api.get("/config")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["configuration-version"]
    jsonschema.Draft4Validator(API["components"]["schemas"]["Configuration"]).validate(answer.json())


def test_the_quota_is_the_one_that_is_enforced(user):
    """The configuration's number, and that of the usage, are the same parameter of the stack."""
    assert (
        user.api.get("/config").json()["limits"]["pagesPerDay"] == user.api.get("/usage").json()["quota"]["pagesPerDay"]
    )


def test_the_command_refuses_a_file_by_the_configuration(system, tmp_path):
    """A version with a smaller limit is deployed, and then the first one again."""
    appconfig = system.client("appconfig")
    (application,) = [a["Id"] for a in appconfig.list_applications()["Items"]]
    (environment,) = [e["Id"] for e in appconfig.list_environments(ApplicationId=application)["Items"]]
    (profile,) = [p["Id"] for p in appconfig.list_configuration_profiles(ApplicationId=application)["Items"]]
    profiles = {"ApplicationId": application, "ConfigurationProfileId": profile}
    place = {"ApplicationId": application, "EnvironmentId": environment}
    latest = max(deployment["DeploymentNumber"] for deployment in appconfig.list_deployments(**place)["Items"])
    deployed = appconfig.get_deployment(**place, DeploymentNumber=latest)
    before = deployed["ConfigurationVersion"]

    def deploy(version):
        appconfig.start_deployment(
            **profiles,
            EnvironmentId=environment,
            ConfigurationVersion=version,
            DeploymentStrategyId=deployed["DeploymentStrategyId"],
        )

    content = json.loads(
        appconfig.get_hosted_configuration_version(**profiles, VersionNumber=int(before))["Content"].read()
    )
    content["limits"]["imageBytes"] = 100
    smaller = appconfig.create_hosted_configuration_version(
        **profiles, Content=json.dumps(content).encode(), ContentType="application/json"
    )
    file = tmp_path / "page.jpg"
    file.write_bytes(b"\xff\xd8\xff" + bytes(1000))
    deploy(str(smaller["VersionNumber"]))
    try:
        refused = system.docscan("scan", file, "-o", tmp_path / "out.pdf")
    finally:
        deploy(before)

    assert refused.returncode == 2
    assert "a page image may have" in refused.stderr
