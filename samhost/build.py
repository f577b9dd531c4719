"""`sam build` into the data directory, skipped when nothing it reads has changed."""

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from samhost.errors import CommandFailedError, SamhostError, TemplateError
from samhost.runtimes import adapt
from samhost.settings import Settings
from samhost.template_file import load, nested_templates, paths


@dataclass(frozen=True)
class Build:
    """The built template, whether there was something to build, and what this machine runs differently."""

    template: Path
    changed: bool
    notes: list[str]


def find_sam(template: Path) -> Path:
    """The SAM CLI: of `.venv-sam` beside the template or beside samhost's own environment, or of PATH.

    It has an environment of its own because it pins another botocore than the engine.
    """
    own = [folder / ".venv-sam" / "bin" / "sam" for folder in (template.parent, Path(sys.prefix).parent)]
    found = next((sam for sam in own if sam.exists()), None) or shutil.which("sam")
    if not found:
        raise SamhostError("The SAM CLI is missing: install aws-sam-cli, or run `make setup` in this folder.")
    return Path(found)


async def run_sam(settings: Settings, verb: str, *arguments: str) -> str:
    """Run `sam VERB` and return its output.

    The folder of the `sam` command comes first on PATH, for `sam build` takes the Python that it finds there.
    """
    sam = find_sam(settings.template)
    process = await asyncio.create_subprocess_exec(
        sam, verb, *arguments,
        cwd=settings.template.parent,
        env=os.environ
        | settings.client_environment()
        | {"PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0", "COLUMNS": "160"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output = (await process.communicate())[0].decode(errors="replace")
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    (settings.logs_dir / f"sam-{verb}.log").write_text(output)
    if process.returncode:
        raise CommandFailedError(f"sam {verb}", "\n".join(output.splitlines()[-25:]))
    return output


def parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    """Parameters of a template as `sam` takes them; a value may hold spaces and quotes."""
    values = {key: value.replace('"', '\\"') for key, value in parameters.items()}
    overrides = [f'ParameterKey={key},ParameterValue="{value}"' for key, value in values.items()]
    return ["--parameter-overrides", *overrides] if overrides else []


async def build(settings: Settings) -> Build:
    """Build the template for this machine.

    Raises TemplateError where it cannot be read, and CommandFailedError.
    """
    template = load(settings.template)
    _check_parameters(template, settings.parameters)
    build_dir, source = settings.data_dir / "build", settings.data_dir / "source-template.yaml"
    text, notes = _write_source(template, settings.template.parent, settings.parameters, source)
    built, stamp = build_dir / "template.yaml", settings.data_dir / "build.sha256"
    digest = source_digest(settings, template, text)
    if built.exists() and stamp.exists() and stamp.read_text() == digest:
        return Build(built, changed=False, notes=notes)
    stamp.unlink(missing_ok=True)
    await run_sam(
        settings, "build", "--template", str(source), "--base-dir", str(settings.template.parent),
        "--build-dir", str(build_dir), "--cached", "--cache-dir", str(settings.data_dir / "build-cache"), "--parallel",
        *parameter_overrides(settings.parameters),
    )  # fmt: skip
    stamp.write_text(digest)
    return Build(built, changed=True, notes=notes)


def _write_source(template: dict, folder: Path, parameters: Mapping[str, str], file: Path) -> tuple[str, list[str]]:
    """Write what is built, and beside it what is nested in it; returns the text of all, and the notes."""
    notes = adapt(template, folder, parameters)
    texts = []
    for name, properties, key, path in nested_templates(template):
        nested = file.with_stem(f"{file.stem}-{name}")
        text, inner = _write_source(load(path), path.parent, {}, nested)
        properties[key] = str(nested)
        texts.append(text)
        notes += [f"{name}/{note}" for note in inner]
    text = yaml.safe_dump(template, sort_keys=False, width=120)
    file.write_text(text)
    return "\0".join([text, *texts]), notes


def _check_parameters(template: dict, given: Mapping[str, str]) -> None:
    """Raise TemplateError for a parameter that the template does not have, or that lacks a value."""
    declared = template.get("Parameters", {})
    if foreign := given.keys() - declared.keys():
        raise TemplateError(
            f"The template has no parameter {', '.join(sorted(foreign))}. It has: {', '.join(declared) or 'none'}."
        )
    lacking = [name for name, parameter in declared.items() if "Default" not in parameter and name not in given]
    if lacking:
        example = " ".join(f"{name}=…" for name in lacking)
        raise TemplateError(f"Parameters without a default need a value: --parameter-overrides {example}")


def source_digest(settings: Settings, template: dict, text: str) -> str:
    """A digest of all that a build depends on: the template, the files it names, the parameters, the tool."""
    digest = hashlib.sha256(repr((find_sam(settings.template), sorted(settings.parameters.items()), text)).encode())
    for file in sorted(set(_files(template, settings.template.parent))):
        digest.update(f"\0{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(template: dict, folder: Path) -> Iterator[Path]:
    """The files that a template names, folders with all that is in them."""
    for _, _, path in paths(template, folder):
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)
    for _, _, _, path in nested_templates(template):
        yield from _files(load(path), path.parent)
