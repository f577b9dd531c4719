"""SAM's translator over code that lies on this machine."""

from samhost.sam_transform import transform_with_local_code


def function(code, **properties):
    said = {"CodeUri": code, "Handler": "app.handler", "Runtime": "python3.13"} | properties
    return {"Type": "AWS::Serverless::Function", "Properties": said}


def transformed(**resources):
    return transform_with_local_code({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})["Resources"]


def test_code_stays_where_it_is():
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "/artifacts/layer.zip"}}
    resources = transformed(One=function("/artifacts/a.zip"), Two=function("/artifacts/b.zip"), Layer=layer)

    assert resources["One"]["Type"] == "AWS::Lambda::Function"
    assert resources["One"]["Properties"]["Code"] == "/artifacts/a.zip"
    assert resources["Two"]["Properties"]["Code"] == "/artifacts/b.zip"
    assert [made["Properties"]["Content"] for made in resources.values() if made["Type"].endswith("LayerVersion")] == [
        "/artifacts/layer.zip"
    ]


def test_code_in_a_bucket_stays_there():
    bucket = {"Bucket": "theirs", "Key": "k"}

    assert transformed(F=function(bucket))["F"]["Properties"]["Code"] == {"S3Bucket": "theirs", "S3Key": "k"}


def test_a_template_that_does_not_ask_for_sam_stays_as_it_is():
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}}}

    assert transform_with_local_code(template) is template


def test_changed_code_is_another_version_for_an_alias():
    def version(code):
        resources = transformed(F=function(code, AutoPublishAlias="live"))
        return next(name for name, made in resources.items() if made["Type"] == "AWS::Lambda::Version")

    assert version("/artifacts/a.zip") == version("/artifacts/a.zip")
    assert version("/artifacts/a.zip") != version("/artifacts/b.zip")
