"""Which parameters `make deploy` hands on: the environment's, the given ones, and those that name images."""

import subprocess

import deploy
import images
import pytest
from botocore.exceptions import NoCredentialsError
from environment import Environment, RefusedError, load_environment, parse_parameters, run_script

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docscan"


@pytest.fixture
def config(tmp_path):
    def write(text):
        file = tmp_path / "samconfig.toml"
        file.write_text(text)
        return file

    return write


def test_what_is_given_takes_the_place_of_the_environments_own_parameters(config):
    file = config("""
version = 0.1
[prod.global.parameters]
stack_name = "docscan-prod"
region = "eu-west-1"
[prod.deploy.parameters]
parameter_overrides = 'Architecture="arm64" AlarmEmail="a b@example.com"'
""")

    environment = load_environment("prod", {"AlarmEmail": "c@example.com"}, file)

    assert (environment.stack, environment.region) == ("docscan-prod", "eu-west-1")
    assert environment.parameters == {"Architecture": "arm64", "AlarmEmail": "c@example.com"}


def test_what_sam_deploy_guided_has_written_counts(config):
    file = config("""
[default.global.parameters]
stack_name = "docscan"
region = "us-east-1"
[default.deploy.parameters]
stack_name = "mine"
region = "eu-central-1"
parameter_overrides = ["Architecture=x86_64"]
""")

    environment = load_environment("default", {}, file)

    assert (environment.stack, environment.region, environment.architecture) == ("mine", "eu-central-1", "x86_64")


def test_the_projects_own_environments_can_be_read():
    stacks = {name: load_environment(name, {}).stack for name in ("default", "local", "prod")}

    assert stacks == {"default": "docscan", "local": "docscan", "prod": "docscan-prod"}


def test_an_environment_that_there_is_not_is_refused_with_those_that_there_are(config):
    with pytest.raises(RefusedError, match=r"no environment production. It has: prod"):
        load_environment("production", {}, config("version = 0.1\n[prod.global.parameters]\n"))


def test_a_parameter_without_a_value_is_refused():
    assert parse_parameters(["CallbackUrls=https://a/?b=c", "AlarmEmail="]) == {
        "CallbackUrls": "https://a/?b=c",
        "AlarmEmail": "",
    }
    with pytest.raises(RefusedError, match="ServicesStack is no parameter"):
        parse_parameters(["ServicesStack"])


def test_a_parameter_that_the_template_does_not_have_is_refused():
    deploy.check_names(["AlarmEmail", "Architecture"])
    with pytest.raises(RefusedError, match=r"no parameter AlarmMail. It has: .*AlarmEmail"):
        deploy.check_names(["AlarmMail"])


@pytest.fixture
def pushed(monkeypatch):
    """Sets which registry there is, and whether it has this commit's images."""

    def arrange(registry, missing=()):
        monkeypatch.setattr(deploy, "image_tag", lambda environment: "3f2a9c417b01-arm64")
        monkeypatch.setattr(deploy, "image_registry", lambda environment: registry)
        monkeypatch.setattr(deploy, "missing_images", lambda environment, tag: list(missing))

    return arrange


def environment(**parameters):
    return Environment("prod", "docscan-prod", "eu-west-1", parameters)


def test_images_that_are_there_are_taken(pushed):
    pushed(REGISTRY)

    named = {"ImageRegistry": REGISTRY, "ImageTag": "3f2a9c417b01-arm64"}
    assert deploy.image_parameters(environment(ServicesStack="yes")) == named


def test_images_that_are_named_are_taken_whatever_is_there(pushed):
    pushed(None)

    assert deploy.image_parameters(environment(ServicesStack="yes", ImageTag="older-arm64")) == {}


def test_a_stack_without_containers_needs_no_images(pushed):
    pushed(None)

    assert deploy.image_parameters(environment(Architecture="arm64", SitesStack="none")) == {}


@pytest.mark.parametrize(("registry", "missing"), [(None, []), (REGISTRY, ["store"])])
@pytest.mark.parametrize("asked", [{"ServicesStack": "yes"}, {"CatalogStack": "yes"}, {"SitesStack": "private-nlb"}])
def test_services_without_images_are_refused(pushed, registry, missing, asked):
    pushed(registry, missing)

    with pytest.raises(RefusedError, match=r"needs images.* make images"):
        deploy.image_parameters(environment(**asked))


def test_images_stay_what_they_are_where_this_commits_are_not_there(pushed, capsys):
    pushed(REGISTRY, ["preview"])

    assert deploy.image_parameters(environment()) == {}
    assert "The images stay what they are" in capsys.readouterr().out


def test_a_tag_names_the_last_commit_that_changed_an_image_and_the_processor(tmp_path, monkeypatch):
    def commit(path):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
        git("add", path)
        git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", path)
        return git("rev-parse", "HEAD")[:12]

    def git(*arguments):
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    monkeypatch.setattr(images, "ROOT", tmp_path)
    git("init", "--quiet")
    commit("containers/serving.py")
    of_images = commit("functions/scanner/page.py")
    commit("functions/pages.py")

    assert images.image_tag(environment(Architecture="x86_64")) == f"{of_images}-x86_64"
    assert images.image_tag(environment()) == f"{of_images}-arm64"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RefusedError("Do this first."), "Error: Do this first."),
        (NoCredentialsError(), "Error: Unable to locate credentials"),
        (subprocess.CalledProcessError(1, ["/somewhere/bin/sam", "deploy", "--x"]), "Error: sam deploy has failed."),
        (FileNotFoundError(2, "No such file", "docker"), "Error: docker is needed, and not installed."),
        (KeyboardInterrupt(), "Stopped."),
    ],
)
def test_what_goes_wrong_ends_in_a_message(error, said):
    def main():
        raise error

    with pytest.raises(SystemExit) as ended:
        run_script(main)
    assert ended.value.code == said
