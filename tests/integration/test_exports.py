"""Exports of many pages: several at once, stopped, of what changes meanwhile; as the running system makes them."""

import io
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pikepdf
import pytest
from project_copies import multiply

PAGES = 120


def start(user, project, **order):
    export = str(uuid.uuid4())
    answer = user.api.put(f"/exports/{export}", json={"projectId": project} | order)
    assert answer.status_code == 200, answer.text
    return export


def read(user, export):
    answer = user.api.get(f"/exports/{export}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(user, export, seconds=120):
    return seen(user, export, lambda now: now["status"] != "running", seconds)


def seen(user, export, what, seconds=120):
    """The export once `what` holds of it."""
    deadline = time.monotonic() + seconds
    while not what(now := read(user, export)):
        assert time.monotonic() < deadline, now
        time.sleep(0.1)
    return now


def document(export):
    assert export["status"] == "completed", export
    (link,) = export["documents"]
    content = httpx.get(link["url"]).content
    assert len(content) == link["size"]
    return content


def texts(export):
    return document(export).decode().split("\f")


def objects(system, prefix):
    pages = system.client("s3").get_paginator("list_object_versions")
    answers = pages.paginate(Bucket=system.output("BucketName"), Prefix=prefix)
    return {v["Key"]: v["VersionId"] for a in answers for v in a.get("Versions", []) + a.get("DeleteMarkers", [])}


def gone(system, *prefixes, seconds=30):
    """Wait until nothing is left under the prefixes."""
    deadline = time.monotonic() + seconds
    while left := [key for prefix in prefixes for key in objects(system, prefix)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


@pytest.fixture
def make_project(system, user, drawn_page):
    def make(count=PAGES, owner=user, name="Many pages"):
        project = owner.project(name)
        page = owner.upload(project, drawn_page("Some words", "JPEG"), "image/jpeg")
        assert owner.settled(project, page)["status"] == "ready"
        return project, multiply(system, owner.sub, project, page, count)

    return make


COPIES = [f"copy {place}" for place in range(1, PAGES + 1)]


def test_all_pages_come_in_order_and_progress_is_told(user, make_project):
    project, _ = make_project()
    export = start(user, project, language="en")

    counts = []
    while (now := read(user, export))["status"] == "running":
        if "pageCount" in now:
            counts.append((now["pagesDone"], now["pageCount"]))
        time.sleep(0.05)

    with pikepdf.open(io.BytesIO(document(now))) as pdf:
        assert len(pdf.pages) == now["pageCount"] == PAGES
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == [f"Page {place}" for place in range(1, PAGES + 1)]
    assert counts == sorted(counts)
    assert {count for _, count in counts} == {PAGES}
    assert {done for done, _ in counts} <= {0, 20, 50, 70, 100, 120}


@pytest.mark.parametrize("format_", ["pdf", "text-pdf", "txt", "json"])
def test_the_text_that_a_user_has_written_is_what_every_format_carries(
    user, make_project, pdftotext, tmp_path, format_
):
    project, pages = make_project(3)
    corrected = user.api.patch(f"/projects/{project}/pages/{pages[1]}", json={"text": "Corrected by hand"})
    assert corrected.status_code == 200

    content = document(ended(user, start(user, project, format=format_)))

    if format_.endswith("pdf"):
        (tmp_path / "document.pdf").write_bytes(content)
        found = pdftotext(tmp_path / "document.pdf").split("\f")
    elif format_ == "txt":
        found = content.decode().split("\f")
    else:
        found = [page["text"] for page in json.loads(content)["pages"]]
    assert "Corrected by hand" in found[1]
    assert ["copy 1" in found[0], "copy 3" in found[2]] == [True, True]


def test_some_pages_are_exported_in_the_project_s_order(user, make_project):
    project, pages = make_project(5)

    export = ended(user, start(user, project, format="txt", pages=[pages[3], pages[1]]))

    assert texts(export) == ["copy 2", "copy 4"]


def test_ten_exports_at_once_by_two_users_are_each_their_owner_s(user, other, make_project):
    mine, _ = make_project(60)
    theirs, _ = make_project(55, owner=other)
    formats = ["pdf", "txt", "json", "text-pdf", "txt"]
    orders = [(whose, project, format_) for whose, project in ((user, mine), (other, theirs)) for format_ in formats]

    with ThreadPoolExecutor(10) as pool:
        exports = list(pool.map(lambda order: start(order[0], order[1], format=order[2]), orders))

    for (whose, project, format_), export in zip(orders, exports, strict=True):
        done = ended(whose, export)
        assert (done["status"], done["projectId"], done["format"]) == ("completed", project, format_), done
        assert done["pageCount"] == (60 if whose is user else 55)


def test_pages_in_recognition_are_waited_for(user, make_project, drawn_page):
    project, _ = make_project(2)
    late = user.upload(project, drawn_page("Late words"))
    deadline = time.monotonic() + 30
    while user.api.get(f"/projects/{project}/pages/{late}").json()["status"] == "awaiting-upload":
        assert time.monotonic() < deadline

    export = ended(user, start(user, project, format="txt"))

    assert texts(export)[:2] == ["copy 1", "copy 2"]
    assert "Late" in texts(export)[2]


def test_a_page_that_is_being_recognised_is_counted_while_it_is_waited_for(system, user, make_project):
    project, pages = make_project(2)
    table = {"TableName": system.output("PagesTableName")}
    key = {"Key": {"projectId": {"S": project}, "pageId": {"S": pages[1]}}}

    def set_status(status):
        system.client("dynamodb").update_item(
            **table, **key, UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "status"}, ExpressionAttributeValues={":s": {"S": status}},
        )  # fmt: skip

    set_status("recognising")
    export = start(user, project, format="txt")
    assert seen(user, export, lambda now: "waitingFor" in now)["waitingFor"] == 1

    set_status("ready")

    assert texts(ended(user, export)) == ["copy 1", "copy 2"]


def test_a_stopped_export_leaves_nothing_behind(system, user, make_project):
    project, _ = make_project()
    export = start(user, project)
    seen(user, export, lambda now: "pageCount" in now)

    stopped = user.api.delete(f"/exports/{export}")

    assert stopped.status_code == 200, stopped.text
    told = read(user, export)
    assert (told["status"], told["projectId"], told["reason"]["code"]) == ("stopped", project, "stopped")
    gone(system, f"exports/{project}/{export}/", f"parts/{project}/")
    again = ended(user, start(user, project, format="txt"))
    assert texts(again) == COPIES
    assert read(user, export)["status"] == "stopped"


def test_stopping_one_export_takes_nothing_from_another_of_the_same_project(user, make_project):
    project, _ = make_project()
    stopped, other = start(user, project), start(user, project)
    seen(user, stopped, lambda now: "pageCount" in now)

    assert user.api.delete(f"/exports/{stopped}").status_code == 200

    assert ended(user, other)["pageCount"] == PAGES


def test_an_export_of_a_project_that_is_deleted_meanwhile_fails_and_leaves_nothing_behind(system, user, make_project):
    project, _ = make_project()
    export = start(user, project)
    seen(user, export, lambda now: "pageCount" in now)

    assert user.api.delete(f"/projects/{project}").status_code == 202

    assert ended(user, export)["reason"]["code"] in {"not-found", "nothing-to-export"}
    gone(system, f"exports/{project}/", f"parts/{project}/")


def test_what_changes_while_it_is_exported_is_old_or_new_and_never_a_mix(user, make_project, drawn_page):
    project, pages = make_project()
    export = start(user, project, format="json")
    seen(user, export, lambda now: "pageCount" in now)
    last = f"/projects/{project}/pages/{pages[-1]}"

    assert user.api.patch(f"/projects/{project}/pages/{pages[0]}", json={"text": "new text"}).status_code == 200
    form = user.api.put(f"{last}/image", json={"contentType": "image/png"}).json()["upload"]
    httpx.post(form["url"], data=form["fields"], files={"file": drawn_page("New words\nand more")}).raise_for_status()

    exported = json.loads(document(ended(user, export)))["pages"]
    first, final = exported[0], exported[-1]
    assert (first["text"], first["lines"][0]["text"]) in {("copy 1", "copy 1"), ("new text", "new text")}
    if final["pageId"] == pages[-1]:
        old = (final["text"], final["corrected"], final["height"]) == (COPIES[-1], True, 300)
        new = ("New words" in final["text"], final["corrected"], final["height"]) == (True, False, 400)
        assert old != new


def test_another_attempt_uses_what_is_built(system, user, make_project):
    project, _ = make_project()
    document(ended(user, start(user, project)))
    built = objects(system, f"parts/{project}/")

    document(ended(user, start(user, project, language="fr")))

    assert len(built) == 3
    assert objects(system, f"parts/{project}/") == built


@pytest.fixture
def impatient(system):
    """Runs an export by a copy of the workflow that tries again at once; returns the error with which it has failed."""
    client, machines = system.client("stepfunctions"), []

    def run(user, project, part_function=None):
        [original] = [m for m in client.list_state_machines()["stateMachines"] if "ExportsStateMachine" in m["name"]]
        described = client.describe_state_machine(stateMachineArn=original["stateMachineArn"])
        definition = json.loads(described["definition"])
        task = definition["States"]["Build parts"]["ItemProcessor"]["States"]["Build part"]
        task["Retry"][-1] |= {"IntervalSeconds": 1, "BackoffRate": 1.0}
        if part_function:
            task["Parameters"]["FunctionName"] = part_function
        machine = client.create_state_machine(
            name=f"impatient-{uuid.uuid4()}", definition=json.dumps(definition), roleArn=described["roleArn"]
        )["stateMachineArn"]
        machines.append(machine)
        name, order = f"{user.sub}_{uuid.uuid4()}", json.dumps({"projectId": project})
        execution = client.start_execution(stateMachineArn=machine, name=name, input=order)["executionArn"]
        deadline = time.monotonic() + 60
        while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return found["status"], found["error"], found["cause"]

    yield run
    for machine in machines:
        client.delete_state_machine(stateMachineArn=machine)


def test_a_page_that_cannot_be_built_is_named(system, user, make_project, impatient):
    project, pages = make_project(3)
    for key in objects(system, f"words/{project}/{pages[1]}/"):
        system.client("s3").put_object(Bucket=system.output("BucketName"), Key=key, Body=b"no JSON")

    status, error, cause = impatient(user, project)

    assert (status, error) == ("FAILED", "page-failed")
    assert cause.startswith("Page 2 could not be put into the export")


def test_a_part_whose_function_never_answers_is_named_by_its_pages(system, user, make_project, impatient):
    project, _ = make_project(60)
    functions = system.client("lambda").get_paginator("list_functions").paginate()
    # It ends with an error at once, for what it gets is no message of a queue.
    [function] = [f["FunctionArn"] for a in functions for f in a["Functions"] if "Deletion" in f["FunctionName"]]

    status, error, cause = impatient(user, project, function)

    assert (status, error) == ("FAILED", "page-failed")
    assert cause.startswith("One of the pages 1 to 50 could not be put into the export")
