"""Dynamic references: values of Parameter Store and Secrets Manager that a template names, and does not contain.

CloudFormation resolves them in resources, but in no outputs, by which values for the gateway come.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from samhost.errors import TemplateError

_REFERENCE = re.compile(r"\{\{resolve:(?P<service>ssm|ssm-secure|secretsmanager):(?P<what>[^{}]+)\}\}")
_SECRET = re.compile(
    r"(?P<id>arn:(?:[^:]*:){5}[^:]+|[^:]+)(?::SecretString(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?)?"
)


def with_references(node: Any, client: Callable[[str], Any]) -> Any:
    """A copy of a node with the value in the place of each reference; `client` makes a boto3 client of a service.

    Raises TemplateError for what is not there.
    """
    if isinstance(node, list):
        return [with_references(item, client) for item in node]
    if isinstance(node, dict):
        return {key: with_references(value, client) for key, value in node.items()}
    if not isinstance(node, str):
        return node
    return _REFERENCE.sub(lambda reference: _value(reference, client), node)


def _value(reference: re.Match[str], client: Callable[[str], Any]) -> str:
    try:
        if reference["service"] != "secretsmanager":
            parameter = client("ssm").get_parameter(Name=reference["what"], WithDecryption=True)["Parameter"]
            return parameter["Value"]
        parsed = _SECRET.fullmatch(reference["what"])
        if parsed is None:
            raise TemplateError(f"{reference[0]} is no reference to a secret's SecretString.")
        wanted = {"VersionStage": parsed["stage"], "VersionId": parsed["version"]}
        secret = client("secretsmanager").get_secret_value(
            SecretId=parsed["id"], **{name: value for name, value in wanted.items() if value}
        )["SecretString"]
        return str(json.loads(secret)[parsed["key"]]) if parsed["key"] else secret
    except ClientError as error:
        raise TemplateError(f"{reference[0]} cannot be resolved: {error.response['Error'].get('Message')}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateError(
            f"{reference[0]} cannot be resolved: the secret is no JSON object with that key."
        ) from error
