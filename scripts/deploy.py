"""`make deploy`: builds and deploys an environment of samconfig.toml, with this commit's images where they are there.

Parameters that are not given stay as the stack has them, as always with `sam deploy`.
"""

import argparse
from collections.abc import Iterable

from environment import ROOT, Environment, RefusedError, load_environment, parse_parameters, run_script, sam
from images import image_registry, image_tag, missing_images
from samtranslator.yaml_helper import yaml_parse

OFF = {"ServicesStack": "no", "CatalogStack": "no", "SitesStack": "none"}
"""The parameters that switch on what runs images, and their value without it."""

ANY_TAG = "latest"
"""The template's default, which no image of ours has: `sam deploy --guided` writes it into samconfig.toml."""


def check_names(parameters: Iterable[str]) -> None:
    """Raise RefusedError for a parameter that the template does not have: `sam deploy` would say nothing."""
    declared = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    if unknown := [name for name in parameters if name not in declared]:
        raise RefusedError(f"template.yaml has no parameter {unknown[0]}. It has: {', '.join(declared)}.")


def image_parameters(environment: Environment) -> dict[str, str]:
    """Return the parameters that name this commit's images; none where there are no such images and none are asked for.

    Raises RefusedError where the parameters ask for services whose images are not there.
    """
    if environment.parameters.get("ImageTag", ANY_TAG) != ANY_TAG:
        return {}
    tag, registry = image_tag(environment), image_registry(environment)
    missing = registry is None or missing_images(environment, tag)
    if not missing:
        return {"ImageRegistry": registry or "", "ImageTag": tag}
    asked = [f"{key}={value}" for key, value in environment.parameters.items() if value != OFF.get(key, value)]
    if asked:
        raise RefusedError(f"{asked[0]} needs images. Those of this commit, {tag}, are not there: make images")
    if registry:
        print(f"The images stay what they are: there are none of this commit ({tag}; make images).")
    return {}


def main() -> None:
    """Build and deploy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-env", default="default", help="an environment of samconfig.toml")
    parser.add_argument("parameters", nargs="*", metavar="KEY=VALUE", help="parameters of template.yaml")
    arguments = parser.parse_args()
    given = parse_parameters(arguments.parameters)
    check_names(given)
    environment = load_environment(arguments.config_env, given)
    parameters = dict(environment.parameters) | image_parameters(environment)
    sam("build", "--config-env", environment.name, parameters=parameters)
    sam("deploy", "--config-env", environment.name, parameters=parameters)


if __name__ == "__main__":
    run_script(main)
