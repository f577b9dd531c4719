"""Whether a function's resource policy lets an API invoke it, or a role's trust policy assume it, as IAM decides.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from samhost.gateway.exchange import Exchange
from samhost.gateway.routing import Route

_SERVICE = "apigateway.amazonaws.com"
_INVOKE, _ASSUME = "lambda:InvokeFunction", "sts:AssumeRole"


def source_arn(exchange: Exchange, route: Route, partition: str) -> str:
    """A route's ARN with the method that was called, as conditions on `aws:SourceArn` see it."""
    api = exchange.api
    resource = route.key if route.is_default else f"{exchange.request.method}{route.path}"
    return f"arn:{partition}:execute-api:{api.region}:{api.account_id}:{api.api_id}/{api.stage}/{resource}"


def may_invoke(policy: dict, source_arn: str, account_id: str) -> bool:
    """Whether API Gateway may invoke the policy's function for a route's ARN: some Allow fits, and no Deny does."""
    return _allows(policy, _INVOKE, source_arn, account_id)


def may_assume(policy: dict, source_arn: str, account_id: str) -> bool:
    """Whether API Gateway may assume the role of a trust policy, for a route's ARN."""
    return _allows(policy, _ASSUME, source_arn, account_id)


def _allows(policy: dict, action: str, source_arn: str, account_id: str) -> bool:
    fitting = (item for item in _statements(policy) if _fits(item, action, source_arn, account_id))
    return {statement["Effect"] for statement in fitting} == {"Allow"}


def _statements(policy: dict) -> list[dict]:
    statements = policy.get("Statement", [])
    return [statements] if isinstance(statements, dict) else statements


def _fits(statement: dict, action: str, source_arn: str, account_id: str) -> bool:
    principal = statement.get("Principal")
    services = ["*"] if principal == "*" else _values(principal, "Service") + _values(principal, "AWS")
    if not {_SERVICE, "*"} & set(services):
        return False
    if not any(_like(pattern.lower(), action.lower()) for pattern in _list(statement.get("Action"))):
        return False
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id}
    # What cannot be decided here never allows, and always denies.
    undecided = statement.get("Effect") == "Deny"
    return all(
        _holds(operator, patterns, context.get(key.lower()), undecided)
        for operator, key, patterns in _conditions(statement)
    )


def _conditions(statement: dict) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, patterns in keys.items():
            yield operator.lower(), key, _list(patterns)


def _holds(operator: str, patterns: list[str], value: str | None, undecided: bool) -> bool:
    if value is None:
        return undecided
    match operator:
        case "arnlike" | "arnequals":  # the two behave identically
            return any(_arn_like(pattern, value) for pattern in patterns)
        case "stringlike":
            return any(_like(pattern, value) for pattern in patterns)
        case "stringequals":
            return value in patterns
    return undecided


def _arn_like(pattern: str, arn: str) -> bool:
    """Match part by part: a wildcard does not reach over the first five colons."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(_like, patterns, parts))


def _like(pattern: str, value: str) -> bool:
    return _expression(pattern).fullmatch(value) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _values(principal: Any, kind: str) -> list[str]:
    return _list(principal.get(kind)) if isinstance(principal, dict) else []


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]
