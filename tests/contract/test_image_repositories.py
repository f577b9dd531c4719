"""The repositories for images, and the folders that images are built from."""

from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
REPOSITORIES = yaml_parse((ROOT / "stacks" / "images.yaml").read_text())["Resources"]["Fn::ForEach::Repositories"]


def test_each_image_has_a_repository():
    assert sorted(REPOSITORIES[1]) == sorted(file.parent.name for file in ROOT.glob("containers/*/Dockerfile"))


def test_what_was_pushed_never_changes_and_is_scanned():
    properties = REPOSITORIES[2]["Repository${Image}"]["Properties"]

    assert properties["ImageTagMutability"] == "IMMUTABLE"
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
