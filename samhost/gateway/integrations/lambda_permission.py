"""Whether a function's resource policy lets an API invoke it, or a role's trust policy assume it, as IAM decides.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from typing import Any

from samhost.gateway.exchange import Exchange
from samhost.gateway.iam_policies import as_list, conditions_hold, matches, statements
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


def may_assume(policy: dict, source_arn: str, account_id: str, service: str = _SERVICE) -> bool:
    """Whether a service, API Gateway or another, may assume the role of a trust policy for what has this ARN."""
    return _allows(policy, _ASSUME, source_arn, account_id, service)


def _allows(policy: dict, action: str, source_arn: str, account_id: str, service: str = _SERVICE) -> bool:
    fitting = (item for item in statements(policy) if _fits(item, action, source_arn, account_id, service))
    return {statement["Effect"] for statement in fitting} == {"Allow"}


def _fits(statement: dict, action: str, source_arn: str, account_id: str, service: str) -> bool:
    principal = statement.get("Principal")
    services = ["*"] if principal == "*" else _values(principal, "Service") + _values(principal, "AWS")
    if not {service, "*"} & set(services):
        return False
    if not any(matches(pattern.lower(), action.lower()) for pattern in as_list(statement.get("Action"))):
        return False
    return conditions_hold(statement, {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id})


def _values(principal: Any, kind: str) -> list[str]:
    return as_list(principal.get(kind)) if isinstance(principal, dict) else []
