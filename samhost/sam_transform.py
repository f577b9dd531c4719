"""SAM's own translator, which AWS and the engine run: from SAM's resource types to CloudFormation's."""

import copy
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samhost.errors import TemplateError
from samhost.settings import REGION

_CODE = ("CodeUri", "ContentUri", "DefinitionUri")
_HERE = "samhost"  # a bucket that is none


def transform(template: dict) -> dict:
    """A template in CloudFormation's types; raises TemplateError for what SAM refuses."""
    # Loading it takes most of a second, which the other commands need not wait for.
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform as translate

    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # it asks boto3 for the partition
    for name in ("metrics", "feature_toggle"):  # who publishes its metrics, and what it may try out, nobody says here
        logging.getLogger(f"samtranslator.{name}").setLevel(logging.ERROR)
    try:
        return translate(copy.deepcopy(template), {}, SimpleNamespace(load=dict))  # type: ignore[arg-type]
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise TemplateError(f"SAM refuses the template: {causes}") from error


def transform_with_local_code(template: dict) -> dict:
    """The same for a SAM template whose code lies on this machine; SAM expects it in a bucket."""
    if "Transform" not in template:
        return template
    template, files = copy.deepcopy(template), []
    for resource in template["Resources"].values():
        for key in _CODE:
            value = resource["Properties"].get(key)
            if resource["Type"].startswith("AWS::Serverless::") and isinstance(value, str) and "://" not in value:
                # The name is in the key, for by the key SAM sees whether code has changed.
                resource["Properties"][key] = f"s3://{_HERE}/{len(files)}/{Path(value).name}"
                files.append(value)

    def back(node: Any) -> Any:
        if isinstance(node, list):
            return [back(item) for item in node]
        if not isinstance(node, dict):
            return node
        if _HERE in (node.get("S3Bucket"), node.get("Bucket")):
            return files[int(str(node.get("S3Key", node.get("Key"))).partition("/")[0])]
        return {key: back(value) for key, value in node.items()}

    return back(transform(template))
