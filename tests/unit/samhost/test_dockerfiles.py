"""What is read in a Dockerfile: instructions, stages, words and variables, hostile and odd ones too."""

import pytest

from samhost.ecs.dockerfile import command, expand, parse, words
from samhost.errors import CannotRunError


def instructions(text):
    _, stages = parse(f"FROM base\n{text}")
    return [(instruction.name, instruction.text) for instruction in stages[-1].instructions]


def test_stages_have_their_base_their_name_and_their_instructions():
    before, stages = parse("ARG BASE=python\nFROM $BASE AS Packages\nRUN a\nfrom packages\ncopy a b\n")

    assert [instruction.text for instruction in before] == ["BASE=python"]
    assert [(stage.base, stage.name) for stage in stages] == [("$BASE", "packages"), ("packages", "")]
    assert [str(instruction) for instruction in stages[1].instructions] == ["COPY a b"]


def test_comments_blank_lines_and_continuations_are_read_as_docker_does():
    text = "# comment\n\nENV A=1 \\\n# in between\n  B=2\n  CMD x \\"

    assert instructions(text) == [("ENV", "A=1   B=2"), ("CMD", "x")]


def test_flags_stand_before_what_is_copied():
    _, [stage] = parse("FROM base\nCOPY --from=packages --chown=1:1 /a /b")

    [instruction] = stage.instructions
    assert instruction.flags == {"from": "packages", "chown": "1:1"}
    assert instruction.text == "/a /b"


def test_a_here_document_of_run_is_left_out_whole():
    assert instructions("RUN <<EOF\nCMD not this\nEOF\nCMD this") == [("RUN", "<<EOF"), ("CMD", "this")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "RUN a\nFROM base",
        "FROM",
        "FROM a b c",
        "# escape=`\nFROM base",
        "FROM base\nCOPY <<EOF /a\nx\nEOF",
    ],
)
def test_what_is_no_dockerfile_or_cannot_be_read_is_refused(text):
    with pytest.raises(CannotRunError, match="Dockerfile"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a", "b"]),
        ("A=1 B='x y' C=\"$v z\"", ["A=1", "B=x y", "C=value z"]),
        (r"a\ b \$v", ["a b", "$v"]),
        ("'$v'", ["$v"]),
        ('"a\\"b"', ['a"b']),
        ("${v}x$v-$none.", ["valuexvalue-."]),
        ("''", [""]),
        ("it's", ["it's"]),
    ],
)
def test_words_lose_their_quotes_and_variables_get_their_values(text, expected):
    assert words(text, {"v": "value"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("${a:-b}", "1"), ("${n:-b}", "b"), ("${a:+c}", "c"), ("${n:+c}", ""), ("$", "$"), ("${a", "${a"), ("", "")],
)
def test_variables_have_defaults_and_alternatives(text, expected):
    assert expand(text, {"a": "1"}) == expected


def test_a_command_is_an_array_or_a_text_for_the_shell():
    assert command('["python3.13", "-m", "store"]') == ["python3.13", "-m", "store"]
    assert command("exec store $A") == ["/bin/sh", "-c", "exec store $A"]
    assert command("") == []
    with pytest.raises(CannotRunError):
        command("[1]")
