"""Images as folders: what a Dockerfile copies, sets and starts, and what it must not reach."""

import os
import signal
import sys

import pytest

from samhost.ecs.images import image_name, take
from samhost.errors import CannotRunError


@pytest.fixture
def taken(tmp_path):
    context = tmp_path / "context"
    (context / "app" / "inner").mkdir(parents=True)
    (context / "app" / "main.py").write_text("main")
    (context / "app" / "inner" / "more.py").write_text("more")
    (context / "one.txt").write_text("1")
    (context / "two.txt").write_text("2")
    (tmp_path / "secret").write_text("secret")
    (context / "way-out").symlink_to(tmp_path / "secret")

    def take_it(text):
        (context / "Dockerfile").write_text(text)
        return take(context / "Dockerfile", context, tmp_path / "image")

    return take_it


def files(image):
    return sorted(str(path.relative_to(image.folder)) for path in image.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/docscan/store:1.2", "store"),
        ("local/docscan/store", "store"),
        ("localhost:5000/store@sha256:abc", "store"),
        ("nginx", "nginx"),
        ("", ""),
    ],
)
def test_an_image_is_found_by_the_last_part_of_its_name(reference, name):
    assert image_name(reference) == name


def test_the_last_stage_is_taken_with_what_it_builds_on_and_nothing_of_others(taken):
    image = taken(
        "ARG BASE=python\nFROM $BASE AS packages\nCOPY one.txt /packages/\n"
        "FROM $BASE AS base\nENV A=base B=base\nCOPY two.txt /\n"
        "FROM base\nRUN pip install x\nCOPY --from=packages /packages /packages\nENV B=last\nCOPY app /service/app\n"
    )

    assert files(image) == ["service/app/inner/more.py", "service/app/main.py", "two.txt"]
    assert (image.environment["A"], image.environment["B"]) == ("base", "last")


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY one.txt /a/b", ["a/b"]),
        ("COPY one.txt /a/", ["a/one.txt"]),
        ("COPY one.txt two.txt /a", ["a/one.txt", "a/two.txt"]),
        ("COPY *.txt ./", ["work/one.txt", "work/two.txt"]),
        ('COPY ["one.txt", "/a b/"]', ["a b/one.txt"]),
        ("COPY --chown=1:1 --link app/inner /x", ["x/more.py"]),
        ("ADD /one.txt .", ["work/one.txt"]),
        ("COPY one.txt ../../../../x/", ["x/one.txt"]),
    ],
)
def test_what_is_copied_lies_where_docker_would_put_it(taken, copy, expected):
    assert files(taken(f"FROM python\nWORKDIR /work\n{copy}")) == expected


@pytest.mark.parametrize(
    "instruction",
    [
        "COPY ../secret /a",
        "COPY way-out /a",
        "COPY missing /a",
        "COPY . /a",
        "COPY one.txt",
        "COPY --exclude=x app /a",
        "ADD https://example.com/x /a",
        "ADD x.tar.gz /a",
        'SHELL ["bash"]',
        "FETCH x",
        "STOPSIGNAL SIGSOMETHING",
        "STOPSIGNAL 999",
        "ENV =x",
    ],
)
def test_what_cannot_be_had_is_refused_with_the_instruction(taken, instruction):
    with pytest.raises(CannotRunError, match="its Dockerfile has"):
        taken(f"FROM python\n{instruction}")


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(CannotRunError, match="cannot be read"):
        take(tmp_path / "Dockerfile", tmp_path, tmp_path / "image")
    (tmp_path / "Dockerfile").write_bytes(b"\xff\xfe")
    with pytest.raises(CannotRunError, match="no text"):
        take(tmp_path / "Dockerfile", tmp_path, tmp_path / "image")


def test_arguments_and_variables_count_from_where_they_stand(taken):
    image = taken(
        "ARG VERSION=1\nFROM python\nARG VERSION\nARG OTHER=2\nENV A=$VERSION$OTHER\nENV A=3 B=$A\nENV C some words\n"
        "WORKDIR /x\nWORKDIR $B\n"
    )

    assert (image.environment["A"], image.environment["B"], image.environment["C"]) == ("3", "12", "some words")
    assert image.working_directory == "/x/12"
    assert image.path(".").is_dir()


def test_an_entry_point_takes_back_the_command_before_it(taken):
    image = taken('FROM python\nCMD ["a"]\nENTRYPOINT ["b"]')

    assert (image.entry_point, image.command) == (["b"], [])


@pytest.mark.parametrize("text", ["SIGINT", "INT", "sigint", "2"])
def test_a_signal_to_stop_by_has_a_name_or_a_number(taken, text):
    assert taken(f"FROM python\nSTOPSIGNAL {text}").stop_signal is signal.SIGINT


def test_a_command_runs_on_samhosts_own_python_and_on_the_images_files(taken):
    image = taken("FROM python\nCOPY app /service")

    assert image.arguments(["python3.13", "-S", "/service/main.py", "/elsewhere", "-x"]) == [
        sys.executable, "-S", str(image.folder / "service" / "main.py"), "/elsewhere", "-x",
    ]  # fmt: skip
    assert image.arguments(["/service/main.py"]) == [str(image.folder / "service" / "main.py")]
    with pytest.raises(CannotRunError, match="no such-a-program"):
        image.arguments(["such-a-program"])
    with pytest.raises(CannotRunError, match="has a command"):
        image.arguments([])


def test_search_paths_lead_into_the_image_and_variables_of_the_task_come_first(taken):
    image = taken(
        "FROM python\nCOPY app /service\nENV PYTHONPATH=/packages:/service PATH=/service:$PATH A=image B=image"
    )

    variables = image.variables({"A": "task"})

    assert variables["PYTHONPATH"] == str(image.folder / "service")
    assert variables["PATH"] == f"{image.folder / 'service'}:{os.environ['PATH']}"
    assert (variables["A"], variables["B"]) == ("task", "image")
