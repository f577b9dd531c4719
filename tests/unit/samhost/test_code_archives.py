"""What `sam deploy` is given to upload."""

import zipfile

from samhost.deployment import _zip_code
from samhost.local_template import LocalTemplate


def resource(kind, **properties):
    return {"Type": f"AWS::Serverless::{kind}", "Properties": properties}


def test_functions_of_the_same_code_share_an_archive_and_layers_get_theirs(tmp_path):
    for folder, file in [("One", "app.py"), ("Two", "app.py"), ("Fonts", "python/font.ttf")]:
        (tmp_path / folder / file).parent.mkdir(parents=True)
        (tmp_path / folder / file).write_text(file)
    resources = {
        "One": resource("Function", CodeUri="One"),
        "Two": resource("Function", CodeUri="Two"),
        "Fonts": resource("LayerVersion", ContentUri="Fonts"),
        "Elsewhere": resource("Function", CodeUri={"Bucket": "b", "Key": "k"}),
        "Table": {"Type": "AWS::DynamoDB::Table"},
    }

    _zip_code(LocalTemplate({"Resources": resources}), tmp_path, tmp_path / "artifacts")

    one, two = (resources[name]["Properties"]["CodeUri"] for name in ("One", "Two"))
    fonts = resources["Fonts"]["Properties"]["ContentUri"]
    assert one == two
    assert zipfile.ZipFile(one).namelist() == ["app.py"]
    assert zipfile.ZipFile(fonts).namelist() == ["python/font.ttf"]
    assert resources["Elsewhere"]["Properties"]["CodeUri"] == {"Bucket": "b", "Key": "k"}


def test_archives_that_nothing_refers_to_any_more_are_deleted(tmp_path):
    (tmp_path / "One").mkdir()
    (tmp_path / "One" / "app.py").write_text("one")
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "stale.zip").touch()
    resources = {"One": resource("Function", CodeUri="One")}

    _zip_code(LocalTemplate({"Resources": resources}), tmp_path, tmp_path / "artifacts")

    assert [str(file) for file in (tmp_path / "artifacts").iterdir()] == [resources["One"]["Properties"]["CodeUri"]]
