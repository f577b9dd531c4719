"""How the functions read their tables: by key, whatever they do."""

import pytest

from scanner.aws import clients

PROJECT = "/projects/{projectId}"
PAGE = f"{PROJECT}/pages/{{pageId}}"


@pytest.fixture
def calls(stack):
    """The names of all calls to DynamoDB from now on."""
    made = []
    clients.dynamodb().meta.events.register("before-call", lambda model, **_: made.append(model.name))
    return made


@pytest.mark.defect(1)
@pytest.mark.defect(8)
def test_nothing_that_can_be_done_reads_a_whole_table_or_asks_what_it_looks_like(stack, calls):
    project = {"projectId": stack.project()}
    other = stack.ready_page(project["projectId"])
    page = project | {"pageId": stack.ready_page(project["projectId"])["pageId"]}
    for route, body, path in (
        ("GET /projects", None, {}),
        (f"GET {PROJECT}", None, project),
        (f"PATCH {PROJECT}", {"name": "Letters"}, project),
        (f"GET {PROJECT}/pages", None, project),
        (f"GET {PROJECT}/pages/count", None, project),
        (f"GET {PROJECT}/pdf", None, project),
        (f"GET {PAGE}", None, page),
        (f"GET {PAGE}/words", None, page),
        (f"PATCH {PAGE}", {"text": "Dear reader", "rotation": 90, "after": None}, page),
        (f"PUT {PAGE}/image", {"contentType": "image/png"}, page),
        (f"DELETE {PAGE}", None, page),
        (f"DELETE {PROJECT}", None, project),
    ):
        status, answer = stack.call(route, body=body, **path)
        assert status in {200, 202}, (route, answer)
    assert stack.consume("deletion", *stack.queued()) == []
    assert stack.deliver(other, stack.upload(other))

    assert {"GetItem", "Query", "TransactWriteItems"} <= set(calls), "the calls that are watched are the right ones"
    assert not {"Scan", "DescribeTable", "ListTables", "ExecuteStatement"} & set(calls)
