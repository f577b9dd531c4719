"""Commands, from the gateway through the queue to the pages, with IAM enforced."""

import json
import time
from xml.etree import ElementTree


def send(user, body):
    answer = user.api.post("/commands", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    assert ElementTree.fromstring(answer.text).findtext(".//{*}MessageId")


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


def order(user, project):
    return [page["pageId"] for page in user.api.get(f"/projects/{project}/pages").json()["items"]]


def test_pages_are_recognised_again(user, drawn_page):
    project = user.project()
    page = user.upload(project, drawn_page("Once more"))
    first = user.settled(project, page)
    corrected = user.api.patch(f"/projects/{project}/pages/{page}", json={"text": "Corrected"})
    assert corrected.status_code == 200

    body = {"command": "recognise-pages", "projectId": project, "pageIds": [page], "discardCorrections": True}
    send(user, body)

    def recognised():
        read = user.api.get(f"/projects/{project}/pages/{page}").json()
        return read if read["status"] == "ready" and not read["corrected"] else None

    again = until(recognised)
    assert again["text"] == first["text"] == "Once more"
    assert again["updatedAt"] > first["updatedAt"]
    assert user.api.get(f"/projects/{project}").json()["pagesByStatus"]["ready"] == 1


def test_pages_are_moved_and_deleted(user):
    project = user.project()
    a, b, c, d = (
        user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()["pageId"]
        for _ in range(4)
    )
    send(user, {"command": "move-pages", "projectId": project, "pageIds": [d, b], "after": None})
    until(lambda: order(user, project) == [d, b, a, c])

    send(user, {"command": "delete-pages", "projectId": project, "pageIds": [b, a]})
    until(lambda: order(user, project) == [d, c])


def test_a_command_for_anothers_project_changes_nothing(user, other):
    victim, own = user.project(), other.project()
    page = user.api.post(f"/projects/{victim}/pages", json={"contentType": "image/png"}).json()["pageId"]
    mine = other.api.post(f"/projects/{own}/pages", json={"contentType": "image/png"}).json()["pageId"]

    send(other, {"command": "delete-pages", "projectId": victim, "pageIds": [page]})
    send(other, {"command": "delete-pages", "projectId": own, "pageIds": [mine]})

    until(lambda: order(other, own) == [])
    assert order(user, victim) == [page]


def test_a_message_that_did_not_come_through_the_gateway_is_nobody_s(system, user):
    """Not even with the user's id in it: only the message group counts, and only the gateway can set it."""
    project = user.project()
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()["pageId"]
    command = {"command": "delete-pages", "projectId": project, "pageIds": [page]}
    system.client("sqs").send_message(
        QueueUrl=system.output("CommandsQueueUrl"),
        MessageBody=json.dumps(command),
        MessageAttributes={"MessageGroupId": {"StringValue": user.sub, "DataType": "String"}},
    )

    own = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()["pageId"]
    send(user, command | {"pageIds": [own]})
    until(lambda: order(user, project) == [page])


def test_a_command_without_a_body_is_refused(user):
    answer = user.api.post("/commands")

    assert answer.status_code == 400
    assert answer.json() == {"message": "Bad Request"}
