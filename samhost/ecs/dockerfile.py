"""Reads a Dockerfile, as far as its image can be had without building it.

https://docs.docker.com/reference/dockerfile/
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from samhost.errors import CannotRunError

_HEREDOC = re.compile(r"<<-?([\"']?)(\w+)\1")
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?\s*")
_TOKEN = re.compile(
    r"'(?P<verbatim>[^']*)'"
    r'|"(?P<quoted>(?:\\.|[^"\\])*)"'
    r"|\\(?P<escaped>.)"
    r"|(?P<variable>\$\w+|\$\{\w+(?::[-+][^}]*)?\})"
    r"|(?P<space>\s+)"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_VARIABLE = re.compile(r"\\(?P<escaped>.)|\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?::(?P<how>[-+])(?P<word>[^}]*))?\})")


@dataclass(frozen=True)
class Instruction:
    """An instruction in capitals, with its flags and what follows them."""

    name: str
    text: str
    flags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


@dataclass(frozen=True)
class Stage:
    """What follows a FROM: the image or stage that it begins with, its own name, and its instructions."""

    base: str
    name: str
    instructions: list[Instruction]


def parse(text: str) -> tuple[list[Instruction], list[Stage]]:
    """Return the ARGs before the first FROM, and the stages in their order.

    Raises CannotRunError for what is no Dockerfile, and for syntax that is not read here.
    """
    before: list[Instruction] = []
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            found = re.fullmatch(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?", instruction.text)
            if found is None:
                raise CannotRunError(f"its Dockerfile has {instruction}")
            stages.append(Stage(found[1], (found[2] or "").lower(), []))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.name == "ARG":
            before.append(instruction)
        else:
            raise CannotRunError(f"its Dockerfile has {instruction} before FROM")
    if not stages:
        raise CannotRunError("its Dockerfile has no FROM")
    return before, stages


def words(text: str, variables: Mapping[str, str]) -> list[str]:
    """The words of an instruction, quotes taken away and variables replaced; one that is not set is empty."""
    found: list[str] = []
    begun = False
    for token in _TOKEN.finditer(text):
        if token["space"] is not None:
            begun = False
            continue
        if not begun:
            found.append("")
            begun = True
        if token["verbatim"] is not None:
            found[-1] += token["verbatim"]
        elif token["quoted"] is not None:
            found[-1] += expand(token["quoted"], variables)
        elif token["variable"] is not None:
            found[-1] += expand(token["variable"], variables)
        else:
            found[-1] += token["escaped"] or token["plain"] or ""
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """A text with `$name`, `${name}`, `${name:-word}` and `${name:+word}` replaced."""

    def value(found: re.Match[str]) -> str:
        if found["escaped"] is not None:
            return found["escaped"] if found["escaped"] in '$"\\' else found[0]
        name = found["name"] or found["braced"]
        known = variables.get(name, "")
        if found["how"] == "-":
            return known or found["word"]
        return (found["word"] if known else "") if found["how"] == "+" else known

    return _VARIABLE.sub(value, text)


def command(text: str) -> list[str]:
    """The arguments of a CMD or an ENTRYPOINT, of either form; the shell's is run by `/bin/sh`.

    Raises CannotRunError for a JSON array of anything but text.
    """
    try:
        given = json.loads(text)
    except ValueError:
        return ["/bin/sh", "-c", text] if text else []
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        return given
    raise CannotRunError(f"its Dockerfile has {text}, which is no command")


def _instructions(text: str) -> Iterator[Instruction]:
    if re.search(r"^#\s*escape\s*=\s*`", text, re.MULTILINE | re.IGNORECASE):
        raise CannotRunError("its Dockerfile has another escape character")
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            following = next(lines, None)
            if following is None:
                whole = whole[:-1].rstrip()
            elif not following.lstrip().startswith("#"):  # a comment between the lines of an instruction
                whole = whole[:-1] + following.rstrip()
        name, _, rest = whole.strip().partition(" ")
        name, rest = name.upper(), rest.strip()
        if name in {"RUN", "COPY", "ADD"} and (documents := _HEREDOC.findall(rest)):
            for _, end in documents:
                while (content := next(lines, None)) is not None and content.strip() != end:
                    pass
            if name != "RUN":
                raise CannotRunError(f"its Dockerfile has {name} {rest}: here-documents are not read")
        flags = {}
        while name != "RUN" and (flag := _FLAG.match(rest)):
            flags[flag[1]] = flag[2] or ""
            rest = rest[flag.end() :]
        yield Instruction(name, rest, flags)
