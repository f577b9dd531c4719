"""Values that only CloudFormation knows: intrinsic functions become outputs of the stack, and outputs their values.

What an engine gets in the body of an API, the gateway gets here. So that nothing but CloudFormation itself resolves an
intrinsic function, each becomes an output of the stack; a placeholder stands for it until the stack is deployed.
"""

import hashlib
import json
from dataclasses import dataclass, field

PREFIX = "Samhost"
NO_VALUE = object()  # what `AWS::NoValue` stands for: the property, or the item, is not there
_OUTPUT, _IF, _NO_VALUE = "Samhost::Output", "Samhost::If", "Samhost::NoValue"

Branch = tuple[str, bool]


@dataclass
class Outputs:
    """The outputs that a template needs besides its own."""

    list_parameters: set[str] = field(default_factory=set)
    declared: dict[str, dict] = field(default_factory=dict)

    def defer(self, node: object, branches: tuple[Branch, ...] = ()) -> object:
        """A copy of a node with a placeholder for each intrinsic function.

        `branches` are the conditions, and whether each is true, under which the node counts: under any other, what it
        refers to need not exist.
        """
        if isinstance(node, list):
            return [self.defer(item, branches) for item in node]
        if not isinstance(node, dict):
            return node
        if node == {"Ref": "AWS::NoValue"}:
            return {_NO_VALUE: True}
        if len(node) == 1:
            [(key, value)] = node.items()
            if key == "Fn::If":
                condition, then, otherwise = value
                return {
                    _IF: self._declare({"Fn::If": [condition, "true", "false"]}),
                    "then": self.defer(then, (*branches, (condition, True))),
                    "else": self.defer(otherwise, (*branches, (condition, False))),
                }
            if key == "Ref" or key.startswith("Fn::"):
                is_list = key == "Fn::Split" or (key == "Ref" and value in self.list_parameters)
                wanted: object = {"Fn::Join": [",", node]} if is_list else node
                return {_OUTPUT: self._declare(_under(branches, wanted)), "list": is_list}
        return {key: self.defer(value, branches) for key, value in node.items()}

    def only_if(self, condition: str, deferred: object) -> object:
        """A deferred node that is not there where the condition is false."""
        truth = self._declare({"Fn::If": [condition, "true", "false"]})
        return {_IF: truth, "then": deferred, "else": {_NO_VALUE: True}}

    def lift(self, node: object, stack: str, branches: tuple[Branch, ...] = ()) -> object:
        """A deferred node of a nested stack, whose outputs become outputs of this one."""
        if isinstance(node, list):
            return [self.lift(item, stack, branches) for item in node]
        if not isinstance(node, dict):
            return node
        lifted = {key: self.lift(value, stack, branches) for key, value in node.items()}
        for key in (_OUTPUT, _IF):
            if key in node:
                attribute = {"Fn::GetAtt": [stack, f"Outputs.{node[key]}"]}
                lifted[key] = self._declare(_under(branches, attribute))
        return lifted

    def digest(self) -> str:
        """A text that is another one when there are other outputs."""
        return _digest(" ".join(sorted(self.declared)))

    def _declare(self, value: object) -> str:
        # Named after its value: what an earlier deployment said under the same name is the same.
        name = f"{PREFIX}{_digest(json.dumps(value, sort_keys=True, default=str))}"
        self.declared[name] = {"Value": value}
        return name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _under(branches: tuple[Branch, ...], value: object) -> object:
    """A value that is looked at only where the conditions are as they should be."""
    for condition, truth in reversed(branches):
        value = {"Fn::If": [condition, value, ""] if truth else [condition, "", value]}
    return value


def resolve(node: object, values: dict[str, str]) -> object:
    """A copy of a deferred node with each placeholder replaced by what the stack's outputs say.

    NO_VALUE where the node itself is not to be there.
    """
    if isinstance(node, list):
        return [item for item in (resolve(item, values) for item in node) if item is not NO_VALUE]
    if not isinstance(node, dict):
        return node
    if _OUTPUT in node:
        value = values[node[_OUTPUT]]
        return value.split(",") if node["list"] else value
    if _IF in node:
        return resolve(node["then" if values[node[_IF]] == "true" else "else"], values)
    if _NO_VALUE in node:
        return NO_VALUE
    resolved = {key: resolve(value, values) for key, value in node.items()}
    return {key: value for key, value in resolved.items() if value is not NO_VALUE}
