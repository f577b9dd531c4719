"""Conditions on the source in roles' trust policies, inside the engine's process.

A role that a service assumes may say for what: `aws:SourceArn`, `aws:SourceAccount`. Here samhost assumes it in the
service's place, as the engine's root, which may do anything; it has held the policy against the source before.
MiniStack 1.5.33 knows no source, and refuses. So for root, and for nobody else, those conditions are left out.
"""

import json
from typing import Any

_SOURCE = {"aws:sourcearn", "aws:sourceaccount"}


def install() -> None:
    """Have the engine's STS evaluate trust policies by this module."""
    from ministack.core import iam_evaluator

    evaluate = iam_evaluator.evaluate_trust_policy

    def evaluate_for(policy: Any, caller: str, context: Any = None) -> bool:
        return evaluate(without_source(policy) if caller.endswith(":root") else policy, caller, context)

    iam_evaluator.evaluate_trust_policy = evaluate_for


def without_source(policy: str | dict[str, Any]) -> dict[str, Any]:
    """A trust policy whose Allows for services are under no condition on the source; Denies stay as they are."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    given = document.get("Statement", [])
    statements = [given] if isinstance(given, dict) else given
    return document | {"Statement": [_without_source(statement) for statement in statements]}


def _without_source(statement: dict[str, Any]) -> dict[str, Any]:
    principal, conditions = statement.get("Principal"), statement.get("Condition")
    if statement.get("Effect") != "Allow" or not conditions or not isinstance(principal, dict) or "AWS" in principal:
        return statement
    kept = {
        operator: {key: value for key, value in keys.items() if key.lower() not in _SOURCE}
        for operator, keys in conditions.items()
    }
    return statement | {"Condition": {operator: keys for operator, keys in kept.items() if keys}}
