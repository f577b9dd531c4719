"""Which functions this machine can run, and on what.

The engine runs Python functions on its own Python, Node.js functions on the `node` of PATH, and custom runtimes as the
program that they bring, whatever version and processor their template names. For all others it would need Docker.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from samhost.settings import machine_architecture

ENGINE_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
FUNCTIONS = {"AWS::Serverless::Function", "AWS::Lambda::Function"}
LAYER = "AWS::Serverless::LayerVersion"
LEFT_OUT = "SamhostLeftOut"  # key in a function's Metadata: the reason why it is neither built nor deployed
# What `sam build` calls, by BuildMethod.
_BUILD_TOOLS = {"esbuild": "esbuild", "go1.x": "go", "makefile": "make", "rust-cargolambda": "cargo-lambda"}


def adapt(template: dict, folder: Path, parameters: Mapping[str, str]) -> list[str]:
    """Have functions and layers built for this machine, and mark those that it cannot run.

    Changes the template, whose code lies in `folder`; returns a line for each function that runs on another version
    than it asks for.
    """
    notes = []
    for name, resource in template["Resources"].items():
        if resource["Type"] == LAYER:
            metadata = resource.get("Metadata", {})
            if str(metadata.get("BuildMethod", "")).startswith("python3"):
                metadata["BuildMethod"] = ENGINE_PYTHON
        elif resource["Type"] in FUNCTIONS:
            properties = resource.setdefault("Properties", {})
            runtime = _property(template, resource, "Runtime", parameters)
            if reason := _cannot_run(template, resource, runtime, folder, parameters):
                resource["Metadata"] = resource.get("Metadata", {}) | {"SkipBuild": True, LEFT_OUT: reason}
                continue
            properties["Architectures"] = [machine_architecture()]
            if alias := _property(template, resource, "AutoPublishAlias", parameters):
                properties["AutoPublishAlias"] = alias  # the engine's SAM would take the parameter's default for it
            if str(runtime).startswith("python") and runtime != ENGINE_PYTHON:
                properties["Runtime"] = ENGINE_PYTHON
                notes.append(f"{name} ({runtime}) runs on {ENGINE_PYTHON}")
            elif str(runtime).startswith("nodejs") and runtime != (node := f"nodejs{_node_major()}.x"):
                notes.append(f"{name} ({runtime}) runs on {node}")
    return notes


def _cannot_run(
    template: dict, resource: dict, runtime: object, folder: Path, parameters: Mapping[str, str]
) -> str | None:
    if _property(template, resource, "PackageType", parameters) == "Image":
        return "it is a container image, which needs Docker"
    if not isinstance(runtime, str):
        return "its Runtime is neither text nor a parameter with a value"
    if not runtime.startswith(("python3", "nodejs", "provided")):
        return f"{runtime} is not among what runs here: Python 3, Node.js and custom runtimes"
    needed = ["node"] if runtime.startswith("nodejs") else []
    metadata = resource.get("Metadata", {})
    if "InlineCode" not in resource["Properties"] and not metadata.get("SkipBuild"):
        needed += ["npm"] if runtime.startswith("nodejs") else []
        tool = _BUILD_TOOLS.get(metadata.get("BuildMethod", "makefile" if runtime.startswith("provided") else ""))
        needed += [tool] if tool else []
    code = _property(template, resource, "CodeUri", parameters)
    tools_of_its_own = folder / (code if isinstance(code, str) else "") / "node_modules" / ".bin"
    missing = [tool for tool in needed if not shutil.which(tool) and not (tools_of_its_own / tool).exists()]
    return f"{runtime} needs {' and '.join(missing)}, which this machine does not have" if missing else None


def _property(template: dict, resource: dict, key: str, parameters: Mapping[str, str]) -> object:
    """A function's property, from Globals where it has none, a reference to a parameter replaced by its value."""
    shared = template.get("Globals", {}).get("Function", {}) if resource["Type"].startswith("AWS::Serverless") else {}
    value = resource["Properties"].get(key, shared.get(key))
    if isinstance(value, dict) and isinstance(name := value.get("Ref"), str):
        return parameters.get(name, template.get("Parameters", {}).get(name, {}).get("Default"))
    return value


def _node_major() -> str:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return found[1] if found else "?"
