"""Commands: what their owner's pages become. Each page is a step of its own, which can be taken again at any time."""

from collections import Counter
from collections.abc import Callable

from scanner.aws import pages_table, projects_table, queue
from scanner.command import Action, Command
from scanner.errors import InvalidRequestError, NoRoomError, NotFoundError, PagesNotReadyError, QuotaExceededError
from scanner.page import Page, Status
from scanner.project import Project
from scanner.services import pages


def carry_out(command: Command) -> Counter[str]:
    """Do what a command says; return how many pages became what: `recognising`, `moved`, `deleted`, `unchanged`.

    Pages for which it cannot be done are counted by the code of the reason. Raises NotFoundError for a project that is
    not the owner's, ContendedError where others always came first.
    """
    projects_table.get(command.owner, command.project_id)
    step = _STEPS[command.action](command)
    outcomes: Counter[str] = Counter()
    for page_id in command.page_ids:
        try:
            outcomes[step(page_id)] += 1
        except (InvalidRequestError, NotFoundError, PagesNotReadyError, QuotaExceededError, NoRoomError) as refusal:
            outcomes[refusal.code] += 1
    return outcomes


def _recognition(command: Command) -> Callable[[str], str]:
    """The message follows the page's new state, for before that it would be of no effect; so a delivery that finds the
    state sends it again.
    """

    def asked_again(page: Page, _: Project) -> Page:
        followed = page.asked_again_at is not None and page.asked_again_at >= command.sent_at
        if followed or (page.corrected and not command.discards_corrections):
            return page
        return page.asked_again(command.sent_at)

    def step(page_id: str) -> str:
        page = pages_table.change(command.owner, command.project_id, page_id, asked_again)
        if page.status != Status.RECOGNISING or page.asked_again_at != command.sent_at:
            return "unchanged"
        queue.send_recognition(page)
        return "recognising"

    return step


def _move(command: Command) -> Callable[[str], str]:
    """Each page comes after the one before it that this command has moved: one that was asked to be elsewhere since
    then is no place to follow.
    """
    after = command.after

    def moved(page: Page, project: Project) -> Page:
        if page.moved_at is not None and page.moved_at >= command.sent_at:
            return page
        return page.moved(pages_table.place(page, project, after), command.sent_at)

    def step(page_id: str) -> str:
        nonlocal after
        page = pages_table.change(command.owner, command.project_id, page_id, moved)
        if page.moved_at != command.sent_at:
            return "unchanged"
        after = page_id
        return "moved"

    return step


def _deletion(command: Command) -> Callable[[str], str]:
    def step(page_id: str) -> str:
        pages.delete(command.owner, command.project_id, page_id)
        return "deleted"

    return step


_STEPS = {Action.RECOGNISE: _recognition, Action.MOVE: _move, Action.DELETE: _deletion}
