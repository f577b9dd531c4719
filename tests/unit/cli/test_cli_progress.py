"""What a scan shows, and the pauses between attempts."""

import asyncio
import io
import random
import sys
from pathlib import Path

import httpx
import pytest

from docscan_cli import retry
from docscan_cli.files import InputFile
from docscan_cli.progress import described, pages_that_fit, showing_progress
from docscan_cli.scan import PageProgress, State


def page(state: State, name: str = "a.jpg", **more) -> PageProgress:
    return PageProgress(InputFile(Path(name), "image/jpeg", 2_000_000), state=state, **more)


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (page(State.WAITING), "waiting"),
        (page(State.UPLOADING, sent=840_000), "uploading, 42 % of 2.0 MB"),
        (page(State.RECOGNISING), "recognising"),
        (page(State.READY, confidence=97.4), "ready, confidence 97 %"),
        (page(State.READY), "ready"),
        (page(State.FAILED, reason="Too dark."), "failed: Too dark."),
    ],
)
def test_each_state_is_put_into_words(progress, words):
    assert described(progress) == words


def test_a_page_is_called_by_its_file_and_its_number():
    assert page(State.WAITING).label == "a.jpg"
    assert page(State.READY, number=2).label == "a.jpg (page 2)"
    assert PageProgress(number=3).label == "page 3"


def test_a_small_terminal_shows_what_happens_and_what_went_wrong():
    pages = [page(state, f"{number}") for number, state in enumerate([*[State.READY] * 5, *State, State.WAITING])]
    shown = pages_that_fit(pages, 3)
    assert [one.state for one in shown] == [State.UPLOADING, State.RECOGNISING, State.FAILED]
    assert pages_that_fit(pages, 100) == pages
    assert len(pages_that_fit(pages, -2)) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "live"), [("xterm-256color", True), ("dumb", False)])
def test_a_terminal_shows_every_page_and_the_whole(monkeypatch, term, live):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "10")
    pages = [page(State.READY, f"[red]{number}[/red].jpg", confidence=90.0) for number in range(20)]
    pages[3].state, pages[3].reason = State.FAILED, "Too dark."
    with showing_progress() as changed:
        for one in pages:
            changed(one)
    last = terminal.getvalue()
    assert "[red]3[/red].jpg" in last
    assert "failed: Too dark." in last
    assert ("\x1b[" in last) is live
    assert ("20/20" in last and "and 13 more pages" in last) is live


def test_the_terminal_gets_its_cursor_back_when_the_scan_ends_early(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with pytest.raises(KeyboardInterrupt), showing_progress():
        raise KeyboardInterrupt
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")


def answers(*given, attempts=retry.ATTEMPTS):
    remaining = list(given)

    async def send() -> httpx.Response:
        answer = remaining.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(retry.retrying(send, attempts)), len(remaining)


@pytest.fixture
def pauses(monkeypatch):
    seen = []

    async def sleep(seconds):
        seen.append(seconds)

    monkeypatch.setattr(retry.asyncio, "sleep", sleep)
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high))
    return seen


def test_pauses_grow_and_vary_by_half(pauses):
    answer, unused = answers(*[httpx.Response(503)] * 9)
    assert answer.status_code == 503
    assert unused == 3
    assert pauses == [(longest / 2, longest) for longest in (0.4, 0.8, 1.6, 3.2, 6.4)]


@pytest.mark.parametrize(
    ("asked", "longest"), [("7", 7.0), ("3600", 30.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.4), ("-1", 0.4)]
)
def test_the_system_can_ask_for_a_longer_pause_within_reason(pauses, asked, longest):
    answers(httpx.Response(429, headers={"retry-after": asked}), httpx.Response(200))
    assert pauses[0][1] == longest


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 413, 501])
def test_an_answer_that_stays_the_same_is_not_asked_for_again(pauses, status):
    answer, unused = answers(httpx.Response(status), httpx.Response(200))
    assert (answer.status_code, unused, pauses) == (status, 1, [])


def test_a_used_up_quota_is_not_asked_for_again(pauses):
    refused = httpx.Response(429, json={"message": "…", "code": "quota-exceeded"})
    answer, unused = answers(refused, httpx.Response(200))
    assert (answer.status_code, unused, pauses) == (429, 1, [])


def test_a_download_that_is_throttled_is_asked_for_again_without_its_body(pauses):
    async def body():
        yield b"<Code>SlowDown</Code>"

    answer, _ = answers(httpx.Response(429, content=body()), httpx.Response(200))
    assert (answer.status_code, len(pauses)) == (200, 1)
