"""Container images as folders of this machine: what their Dockerfiles copy, set and start, without a build.

RUN is left out, and so is what is copied from other stages and images: the packages that they install come from
samhost's own Python, which also is what `python3.13` means. So the processes see this machine's files and users.
"""

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from samhost.ecs.dockerfile import Instruction, Stage, command, expand, parse, words
from samhost.errors import CannotRunError

NOT_BUILT = "images are not built: RUN and COPY --from are left out, and packages are those of samhost's own Python"
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")
_NOTHING_HERE = {"RUN", "EXPOSE", "LABEL", "MAINTAINER", "USER", "VOLUME", "HEALTHCHECK", "ONBUILD"}


@dataclass
class Image:
    """An image: its files below `folder`, and how a container of it starts."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ.get("PATH", os.defpath)})
    working_directory: str = "/"
    entry_point: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    stop_signal: signal.Signals = signal.SIGTERM

    def path(self, inside: str) -> Path:
        """Where a path of the image, absolute or below the working directory, is on this machine."""
        parts: list[str] = []
        for part in PurePosixPath("/", self.working_directory, inside).parts[1:]:
            if part == "..":
                parts = parts[:-1]
            else:
                parts.append(part)
        return self.folder.joinpath(*parts)

    def arguments(self, given: Iterable[str]) -> list[str]:
        """A command as this machine runs it: Python is samhost's own, and paths of the image are those of its folder.

        Raises CannotRunError where there is no such program, or no command.
        """
        if not (program := list(given)):
            raise CannotRunError("neither its Dockerfile nor its task definition has a command")
        name, *rest = program
        if name.startswith("/") and self.path(name).is_file():
            found = str(self.path(name))
        elif _PYTHON.fullmatch(name):
            found = sys.executable
        elif not (found := shutil.which(name) or ""):
            raise CannotRunError(f"this machine has no {name}")
        return [found, *map(self._moved, rest)]

    def variables(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container; `given` comes before the image's own."""
        merged = {**self.environment, **given}
        merged["PATH"] = ":".join(map(self._moved, merged["PATH"].split(":")))
        if "PYTHONPATH" in merged:  # what is not in the image was to be installed
            folders = [folder for folder in merged["PYTHONPATH"].split(":") if folder and self.path(folder).exists()]
            merged["PYTHONPATH"] = ":".join(str(self.path(folder)) for folder in folders)
        return merged

    def _moved(self, argument: str) -> str:
        is_path = argument.startswith("/") and self.path(argument).exists()
        return str(self.path(argument)) if is_path else argument


def image_name(reference: str) -> str:
    """The last part of an image's name: `store` of `123456789012.dkr.ecr.eu-west-1.amazonaws.com/docscan/store:1`."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0]


def take(dockerfile: Path, context: Path, folder: Path) -> Image:
    """Return the image of a Dockerfile's last stage, its files copied into an empty folder.

    Raises CannotRunError for what is not there, and for what is not acted on and cannot be left out.
    """
    try:
        before, stages = parse(dockerfile.read_text())
    except OSError as error:
        raise CannotRunError(f"{dockerfile} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotRunError(f"{dockerfile} is no text") from error
    shared: dict[str, str] = {}
    for instruction in before:
        shared |= _defaults(instruction, shared, shared)
    image = Image(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for stage in _line(stages, shared):
        arguments: dict[str, str] = {}  # an ARG counts in its stage only
        for instruction in stage.instructions:
            _act(instruction, image, context, arguments, shared)
    image.path(".").mkdir(parents=True, exist_ok=True)
    return image


def _line(stages: list[Stage], shared: Mapping[str, str]) -> list[Stage]:
    """The last stage, after those that it builds on."""
    line = [stages[-1]]
    earlier = stages[:-1]
    while base := next((each for each in earlier if each.name and each.name == _base(line[0], shared)), None):
        earlier = earlier[: earlier.index(base)]
        line.insert(0, base)
    return line


def _base(stage: Stage, shared: Mapping[str, str]) -> str:
    return expand(stage.base, shared).lower()


def _act(
    instruction: Instruction, image: Image, context: Path, arguments: dict[str, str], shared: Mapping[str, str]
) -> None:
    variables = arguments | image.environment
    match instruction.name:
        case "ARG":
            arguments |= _defaults(instruction, variables, shared)
        case "ENV":
            image.environment |= _pairs(instruction, variables)
        case "WORKDIR":
            image.working_directory = str(PurePosixPath(image.working_directory, expand(instruction.text, variables)))
            image.path(".").mkdir(parents=True, exist_ok=True)
        case "COPY" | "ADD":
            if "from" not in instruction.flags:
                _copy(instruction, image, context, variables)
        case "ENTRYPOINT":
            image.entry_point, image.command = command(instruction.text), []
        case "CMD":
            image.command = command(instruction.text)
        case "STOPSIGNAL":
            image.stop_signal = _signal(instruction, expand(instruction.text, variables))
        case name if name not in _NOTHING_HERE:
            raise CannotRunError(f"its Dockerfile has {instruction}, which is not acted on here")


def _signal(instruction: Instruction, text: str) -> signal.Signals:
    """A signal by its number, or by its name with or without SIG."""
    try:
        if text.isdecimal():
            return signal.Signals(int(text))
        return signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
    except (KeyError, ValueError):
        raise CannotRunError(f"its Dockerfile has {instruction}, which is no signal here") from None


def _defaults(instruction: Instruction, variables: Mapping[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    """What an ARG sets: its defaults, or the values of the ARGs of the same names before the first FROM."""
    pairs = [word.partition("=") for word in words(instruction.text, variables)]
    return {name: value if equals else shared[name] for name, equals, value in pairs if equals or name in shared}


def _pairs(instruction: Instruction, variables: Mapping[str, str]) -> dict[str, str]:
    name, _, rest = instruction.text.partition(" ")
    if "=" not in name:
        return {name: expand(rest.strip(), variables)}
    pairs = [word.partition("=") for word in words(instruction.text, variables)]
    if not all(name and equals for name, equals, _ in pairs):
        raise CannotRunError(f"its Dockerfile has {instruction}")
    return {name: value for name, _, value in pairs}


def _copy(instruction: Instruction, image: Image, context: Path, variables: Mapping[str, str]) -> None:
    if unknown := instruction.flags.keys() - {"chown", "chmod", "link"}:
        raise CannotRunError(f"its Dockerfile has {instruction.name} --{min(unknown)}, which is not acted on here")
    if instruction.text.startswith("["):
        given = [expand(text, variables) for text in command(instruction.text)]
    else:
        given = words(instruction.text, variables)
    if len(given) < 2:
        raise CannotRunError(f"its Dockerfile has {instruction}")
    *patterns, target = given
    sources = [source for pattern in patterns for source in _sources(instruction, pattern, context)]
    destination = image.path(target)
    is_folder = target.endswith(("/", "/.")) or target == "." or len(sources) > 1 or destination.is_dir()
    for source in sources:
        if source.is_dir():
            # Symbolic links become what they lead to: none in the image leads out of it.
            shutil.copytree(source, destination, dirs_exist_ok=True, ignore_dangling_symlinks=True, ignore=_CACHES)
            continue
        file = image.path(f"{target}/{source.name}") if is_folder else destination
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, file)


_CACHES = shutil.ignore_patterns("__pycache__")


def _sources(instruction: Instruction, pattern: str, context: Path) -> Iterator[Path]:
    if instruction.name == "ADD" and re.search(r"^[a-z]+://|^git@|\.(tar|tgz|tbz|txz|gz|bz2|xz)\b", pattern):
        raise CannotRunError(f"its Dockerfile has {instruction}: nothing is fetched or unpacked here")
    inside = str(PurePosixPath(pattern.lstrip("/")))
    if inside == ".":
        raise CannotRunError(f"its Dockerfile has {instruction}: name what is copied, not the whole folder")
    found = sorted(context.glob(inside)) if ".." not in PurePosixPath(inside).parts else []
    if not found:
        raise CannotRunError(f"its Dockerfile has {instruction}: {context} has no {pattern}")
    for source in found:
        if not source.resolve().is_relative_to(context.resolve()):
            raise CannotRunError(f"its Dockerfile has {instruction}: {pattern} leads out of {context}")
        yield source
