"""The logs of functions that run as the engine runs them: as processes of its own, which log to a pipe."""

import io
import os
import time
import zipfile

import pytest
from ministack.core import lambda_runtime

from samhost import engine_logs

WATCHER = """
import os, sys, threading, time

def when_asked(act):
    '''Act in a thread, once the file is there.'''
    def wait():
        while not os.path.exists(os.environ["ASK"]):
            time.sleep(0.01)
        act()
    threading.Thread(target=wait, daemon=True).start()
"""


@pytest.fixture
def function():
    """Makes a worker of the Python code of a function."""
    workers = []

    def make(code, seconds=20, environment=None):
        with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
            archive.writestr("index.py", code)
        config = {
            "FunctionName": "f",
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Timeout": seconds,
            "Environment": {"Variables": environment or {}},
        }
        workers.append(engine_logs.LoggingWorker("f", config, content.getvalue()))
        return workers[-1]

    yield make
    lambda_runtime.kill_workers(workers)


@pytest.fixture
def asked(tmp_path):
    """The file by which a function is asked to act between two invocations."""
    return tmp_path / "asked"


def log(worker, event=None):
    return worker.invoke(event, "id")["log"]


def until(happened):
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_each_invocation_has_all_its_lines_and_no_others(function):
    worker = function("def handler(event, context):\n    for line in range(3):\n        print(event, line)")

    for event in range(200):
        assert log(worker, event) == f"{event} 0\n{event} 1\n{event} 2"


def test_what_a_module_says_when_it_is_loaded_is_in_the_first_log(function):
    worker = function("print('loading')\ndef handler(event, context):\n    print('handling')")

    assert [log(worker), log(worker)] == ["loading\nhandling", "handling"]


def test_nothing_is_waited_for_whether_a_function_logs_or_not(function, monkeypatch):
    worker = function("def handler(event, context):\n    if event:\n        print(event)")
    worker.invoke(None, "id")
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"the engine sleeps for {seconds} s"))

    assert [log(worker), log(worker, "one")] == ["", "one"]


def test_a_function_can_log_more_than_a_pipe_holds(function):
    worker = function("def handler(event, context):\n    for number in range(20_000):\n        print(number)")

    assert log(worker).splitlines() == [str(number) for number in range(20_000)]


def test_lines_are_as_they_were_written_and_the_last_needs_no_end(function):
    worker = function("import os\ndef handler(event, context):\n    os.write(2, event.encode())")

    assert [log(worker, "\n indented\n\n"), log(worker, "half a"), log(worker, "whole\n")] == [
        "\n indented\n",
        "half a",
        "whole",
    ]


def test_bytes_that_are_no_text_are_replaced_and_the_log_goes_on(function):
    worker = function("import os\ndef handler(event, context):\n    os.write(2, bytes(event))")

    assert [log(worker, [0xFF, 0x41, 0x0A]), log(worker, list("é".encode()))] == ["\ufffdA", "é"]


def test_what_a_thread_writes_after_the_answer_is_in_the_next_log(function, asked, tmp_path):
    done = tmp_path / "done"
    code = f"""{WATCHER}
def late():
    print("late")
    open({str(done)!r}, "w").close()

def handler(event, context):
    print(event)
    if event == "first":
        when_asked(late)
"""
    worker = function(code, environment={"ASK": str(asked)})

    assert log(worker, "first") == "first"
    asked.touch()
    until(done.exists)
    assert [log(worker, "second"), log(worker, "third")] == ["late\nsecond", "third"]


def test_the_log_of_an_invocation_that_fails_says_all_that_came_before(function):
    worker = function("def handler(event, context):\n    print('before')\n    raise ValueError('no')")

    answer = worker.invoke(None, "id")

    assert (answer["status"], answer["log"]) == ("error", "before")


def test_the_log_of_an_invocation_that_times_out_says_how_far_it_came(function):
    code = (
        "import time\ndef handler(event, context):\n    print(event)\n    if event == 'slow':\n        time.sleep(60)"
    )
    worker = function(code, seconds=1)

    answer = worker.invoke("slow", "id")

    assert answer["error"].startswith("Task timed out")
    assert [answer["log"], log(worker, "quick")] == ["slow", "quick"]


def test_the_log_of_a_process_that_dies_is_complete_and_the_next_begins_anew(function):
    worker = function("import os\ndef handler(event, context):\n    print(event)\n    event == 'die' and os._exit(3)")

    answer = worker.invoke("die", "id")

    assert answer["error"] == "Worker process died"
    assert [answer["log"], log(worker, "live")] == ["die", "live"]


def test_why_a_process_died_between_two_invocations_is_in_the_next_log(function, asked):
    code = f"""{WATCHER}
def die():
    print("out of memory")
    os._exit(3)

def handler(event, context):
    print(event)
    when_asked(die)
"""
    worker = function(code, environment={"ASK": str(asked)})
    log(worker, "first")
    asked.touch()
    vars(worker)["_proc"].wait(20)
    asked.unlink()

    assert log(worker, "second") == "out of memory\nsecond"


def test_a_writer_that_never_stops_holds_nobody_up(monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"):
        pipe_log = engine_logs.PipeLog(pipe)
        contents = iter([b"now\n", b"and on\n"])
        monkeypatch.setattr(os, "read", lambda *_: next(contents))

        assert [pipe_log.take(), pipe_log.take()] == [b"now\n", b"and on\n"]


def test_custom_runtimes_keep_the_engines_own_worker(monkeypatch):
    monkeypatch.setattr(lambda_runtime, "Worker", lambda_runtime.Worker)  # as it was, after the test
    engine_logs.install()

    python, node, custom = (
        vars(lambda_runtime)["_worker_class_for"]({"Runtime": runtime})
        for runtime in ("python3.13", "nodejs22.x", "provided.al2023")
    )
    assert python is node is engine_logs.LoggingWorker
    assert custom is lambda_runtime.ProvidedWorker
    assert not issubclass(custom, engine_logs.LoggingWorker)
