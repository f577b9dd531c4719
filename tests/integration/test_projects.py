"""Projects through the gateway, with IAM enforced."""

import time

import pytest


@pytest.mark.defect(4)
def test_a_project_is_created_listed_read_renamed_and_deleted(user):
    created = user.api.post("/projects", json={"name": "Receipts / November 🧾 ../"})
    assert created.status_code == 201
    project = created.json()
    assert project["name"] == "Receipts / November 🧾 ../"
    assert project["pageCount"] == 0

    assert user.api.get(f"/projects/{project['projectId']}").json() == project
    assert user.api.get("/projects").json()["items"][0] == project

    renamed = user.api.patch(f"/projects/{project['projectId']}", json={"name": "Quittungen"})
    assert renamed.status_code == 200
    assert renamed.json() == project | {"name": "Quittungen"}
    assert user.api.get(f"/projects/{project['projectId']}").json() == renamed.json()

    assert user.api.delete(f"/projects/{project['projectId']}").status_code == 202
    assert user.api.get(f"/projects/{project['projectId']}").status_code == 404
    assert project["projectId"] not in [item["projectId"] for item in user.api.get("/projects").json()["items"]]


@pytest.mark.defect(7)
def test_two_projects_of_one_name_are_two(sign_up, drawn_page):
    user = sign_up()
    first = user.project("Letters")
    page = user.upload(first, drawn_page("Still there"))

    second = user.api.post("/projects", json={"name": "Letters"})

    assert second.status_code == 201
    assert second.json()["projectId"] != first
    assert (second.json()["name"], second.json()["pageCount"]) == ("Letters", 0)
    assert [item["projectId"] for item in user.api.get("/projects").json()["items"]] == [
        second.json()["projectId"],
        first,
    ]
    assert user.settled(first, page)["text"] == "Still there"


def test_projects_are_listed_newest_first_and_in_pages(sign_up):
    user = sign_up()
    ids = [user.project(f"Number {number}") for number in range(5)]

    listed, cursor = [], None
    while True:
        answer = user.api.get("/projects", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert len(answer["items"]) <= 2
        listed += [item["projectId"] for item in answer["items"]]
        if not (cursor := answer.get("cursor")):
            break

    assert listed == ids[::-1]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7, ["a"]])
def test_a_name_that_cannot_be_kept_is_refused(user, name):
    answer = user.api.post("/projects", json={"name": name})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid-request"


@pytest.mark.defect(7)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(user, body):
    answer = user.api.post("/projects", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid-request"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=bnVsbA"])
def test_a_list_that_cannot_be_given_is_refused(user, query):
    assert user.api.get(f"/projects?{query}").status_code == 400


@pytest.mark.defect(2)
def test_deleting_a_project_deletes_its_pages_and_images_and_no_others(system, user, drawn_page):
    gone, kept = user.project("gone"), user.project("kept")
    for project in (gone, kept):
        user.settled(project, user.upload(project, drawn_page("Some words")))

    assert user.api.delete(f"/projects/{gone}").status_code == 202

    pages = system.client("dynamodb")

    def left(project):
        items = pages.query(
            TableName=system.output("PagesTableName"),
            KeyConditionExpression="projectId = :p",
            ExpressionAttributeValues={":p": {"S": project}},
        )["Items"]
        kept = [version["Key"].split("/")[0] for version in system.versions() if f"/{project}/" in version["Key"]]
        return sorted(kept), len(items)

    deadline = time.monotonic() + 30
    while left(gone) != ([], 0) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left(gone) == ([], 0)
    assert left(kept) == (["images", "thumbnails", "words"], 1)
