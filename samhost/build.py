"""`sam build` into the data directory, skipped when nothing it reads has changed."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from samhost.errors import CommandFailedError, SamhostError, TemplateError
from samhost.settings import Settings

# The properties by which a SAM template names files and folders beside it.
PATH_PROPERTIES = {"CodeUri", "ContentUri", "DefinitionUri", "Location", "TemplateURL"}


def find_sam(template: Path) -> Path:
    """The SAM CLI: of `.venv-sam` beside the template (it pins another botocore than the engine), or of PATH."""
    own = template.parent / ".venv-sam" / "bin" / "sam"
    found = own if own.exists() else shutil.which("sam")
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


async def build(settings: Settings) -> tuple[Path, bool]:
    """Build the template; returns the built template's path and whether there was something to build."""
    build_dir = settings.data_dir / "build"
    built, stamp = build_dir / "template.yaml", settings.data_dir / "build.sha256"
    digest = source_digest(settings)
    if built.exists() and stamp.exists() and stamp.read_text() == digest:
        return built, False
    stamp.unlink(missing_ok=True)
    overrides = [f"ParameterKey={key},ParameterValue={value}" for key, value in settings.parameters.items()]
    await run_sam(
        settings, "build", "--template", str(settings.template), "--build-dir", str(build_dir),
        "--cached", "--cache-dir", str(settings.data_dir / "build-cache"), "--parallel",
        *(["--parameter-overrides", *overrides] if overrides else []),
    )  # fmt: skip
    stamp.write_text(digest)
    return built, True


def load_template(path: Path) -> dict:
    """A template file's content, its short intrinsic tags in their long form.

    Raises TemplateError where it is none.
    """
    try:
        template = yaml_parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}. Name a SAM template with --template.") from error
    except ValueError as error:
        raise TemplateError(f"{path} is not a template: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path} is not a template: it has no Resources.")
    return template


def source_digest(settings: Settings) -> str:
    """A digest of all that a build depends on: the template, the files it names, the parameters, the tool."""
    digest = hashlib.sha256(repr((find_sam(settings.template), sorted(settings.parameters.items()))).encode())
    folder = settings.template.parent
    for file in sorted({settings.template, *_local_files(load_template(settings.template), folder)}):
        digest.update(f"\0{file.relative_to(folder) if file.is_relative_to(folder) else file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _local_files(node: object, folder: Path) -> Iterator[Path]:
    """The files that a template names, folders with all that is in them."""
    if isinstance(node, list):
        for item in node:
            yield from _local_files(item, folder)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in PATH_PROPERTIES and isinstance(value, str) and (path := folder / value).exists():
                files = path.rglob("*") if path.is_dir() else [path]
                yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)
            else:
                yield from _local_files(value, folder)
