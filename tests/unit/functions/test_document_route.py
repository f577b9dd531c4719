"""The searchable PDF over HTTP: what is in it, what is left out, and that it is built once."""

import io
from dataclasses import replace
from urllib.parse import parse_qs, urlparse

import pikepdf
import pytest
from unit.functions.pictures import picture

from scanner.aws import bucket, clients, dynamodb
from scanner.services import documents

ALICE = "alice"


def pdf_of(stack, project_id, **query):
    return stack.call("GET /projects/{projectId}/pdf", query=query, projectId=project_id)


def fetched(answer):
    """Read the PDF that an answer links to."""
    key = urlparse(answer["url"]).path.lstrip("/").removeprefix("docscan-test/")
    return bucket.read(key)


def disposition(answer):
    return parse_qs(urlparse(answer["url"]).query)["response-content-disposition"][0]


def image(number):
    """Return an image that is told by its width, 40 pixels and `number`."""
    return picture(size=(40 + number, 60))


def set_status(page, status):
    clients.dynamodb().update_item(
        TableName="pages",
        Key=dynamodb.to_item({"projectId": page["projectId"], "pageId": page["pageId"]}),
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=dynamodb.to_item({":status": status}),
    )


def test_the_pdf_has_the_ready_pages_in_page_order_and_names_the_others(stack):
    project_id = stack.project("Letters 2026")
    ready = [stack.ready_page(project_id, image(1))]
    waiting = stack.page(project_id)
    failed = stack.page(project_id)
    stack.deliver(failed, stack.upload(failed, b"junk"))
    ready.append(stack.ready_page(project_id, image(2)))

    status, answer = pdf_of(stack, project_id)
    assert status == 200
    assert answer["pageCount"] == 2
    assert answer["leftOut"] == [
        {"pageId": waiting["pageId"], "status": "awaiting-upload"},
        {"pageId": failed["pageId"], "status": "failed"},
    ]
    assert answer["expiresAt"].endswith("Z")
    assert "X-Amz-Expires=900" in answer["url"]
    with pikepdf.open(io.BytesIO(fetched(answer))) as document:
        assert [int(next(iter(page.get_images().values())).Width) for page in document.pages] == [41, 42]
        assert str(document.docinfo.Title) == "Letters 2026"


def test_the_layout_text_is_the_text_of_the_same_pages(stack, pdftotext, tmp_path):
    project_id = stack.project("Letters 2026")
    stack.page(project_id)
    stack.textract.lines = ["Grüße aus", "der Ferne"]
    stack.ready_page(project_id)
    stack.textract.lines = ["שלום, 12"]
    stack.ready_page(project_id)

    status, answer = pdf_of(stack, project_id, layout="text")

    assert status == 200
    assert answer["pageCount"] == 2
    assert len(answer["leftOut"]) == 1
    file = tmp_path / "text.pdf"
    file.write_bytes(fetched(answer))
    with pikepdf.open(file) as document:
        drawn = [drawn for page in document.pages for drawn in page.resources.XObject.values()]
        assert {str(form.Subtype) for form in drawn} == {"/Form"}
        assert str(document.docinfo.Title) == "Letters 2026"
    first, second, _ = pdftotext(file).split("\f")
    assert first.split() == ["Grüße", "aus", "der", "Ferne", "2"]
    assert "שלום" in second
    assert "3" in second.split()[-1]


def test_the_layout_is_scan_unless_another_is_asked_for(stack):
    project_id = stack.project()
    stack.ready_page(project_id)
    queries = ({}, {"layout": "scan"}, {"layout": "text"})
    unasked, scan, text = (urlparse(pdf_of(stack, project_id, **query)[1]["url"]).path for query in queries)
    assert unasked == scan != text


@pytest.mark.parametrize("layout", ["", "Text", "pdf", "scan,text"])
def test_another_layout_is_refused(stack, layout):
    project_id = stack.project()
    stack.ready_page(project_id)
    status, answer = pdf_of(stack, project_id, layout=layout)
    assert (status, answer["code"]) == (400, "invalid-request")
    assert "scan, text" in answer["message"]
    assert stack.objects("documents/") == []


def test_a_text_that_is_too_long_for_the_table_is_typeset_too(stack, pdftotext, tmp_path):
    project_id = stack.project()
    stack.textract.lines = ["word " * 25_000]
    page = stack.ready_page(project_id)
    assert "text" not in next(item for item in stack.items("pages") if item["pageId"] == page["pageId"])
    file = tmp_path / "long.pdf"
    file.write_bytes(fetched(pdf_of(stack, project_id, layout="text")[1]))
    assert pdftotext(file).split().count("word") == 25_000


def test_a_corrected_text_is_what_is_typeset(stack, pdftotext, tmp_path):
    project_id = stack.project()
    page = stack.ready_page(project_id)
    clients.dynamodb().update_item(
        TableName="pages",
        Key=dynamodb.to_item({"projectId": project_id, "pageId": page["pageId"]}),
        UpdateExpression="SET #text = :text",
        ExpressionAttributeNames={"#text": "text"},
        ExpressionAttributeValues=dynamodb.to_item({":text": "typed by hand"}),
    )
    file = tmp_path / "corrected.pdf"
    file.write_bytes(fetched(pdf_of(stack, project_id, layout="text")[1]))
    assert "typed by hand" in pdftotext(file)


def test_more_text_than_can_be_typeset_in_time_is_refused(stack, monkeypatch):
    project_id = stack.project()
    for _ in range(2):
        stack.ready_page(project_id)
    monkeypatch.setattr(documents, "AT_ONCE", replace(documents.AT_ONCE, characters=40))
    status, answer = pdf_of(stack, project_id, layout="text")
    assert (status, answer["code"]) == (409, "project-too-large")
    assert pdf_of(stack, project_id)[0] == 200


def test_a_page_that_goes_while_its_text_is_read_makes_no_document(stack, monkeypatch):
    project_id = stack.project()
    stack.ready_page(project_id)
    monkeypatch.setattr("scanner.aws.pages_table.get", lambda *key: None)
    status, answer = pdf_of(stack, project_id, layout="text")
    assert (status, answer["code"]) == (503, "busy")
    assert stack.objects("documents/") == []


def test_the_pdf_is_built_once_for_each_state_of_the_project(stack, monkeypatch):
    project_id = stack.project()
    stack.ready_page(project_id)
    built = []
    build = documents._build  # noqa: SLF001
    monkeypatch.setattr(documents, "_build", lambda *args: built.append(args) or build(*args))
    for _ in range(2):
        assert pdf_of(stack, project_id)[0] == 200
    assert len(built) == 1
    stack.ready_page(project_id)
    assert pdf_of(stack, project_id)[1]["pageCount"] == 2
    assert len(built) == 2
    assert len(stack.objects("documents/")) == 2


def test_a_page_that_is_recognised_anew_makes_another_pdf(stack):
    project_id = stack.project()
    page = stack.ready_page(project_id)
    pdf_of(stack, project_id)
    clients.dynamodb().update_item(
        TableName="pages",
        Key=dynamodb.to_item({"projectId": project_id, "pageId": page["pageId"]}),
        UpdateExpression="SET updatedAt = :later",
        ExpressionAttributeValues=dynamodb.to_item({":later": "2099-01-01T00:00:00.000Z"}),
    )
    pdf_of(stack, project_id)
    assert len(stack.objects("documents/")) == 2


def test_the_pinned_version_of_an_image_is_in_the_pdf_whatever_came_later(stack):
    project_id = stack.project()
    page = stack.ready_page(project_id, image(1))
    stack.upload(page, image(9))
    with pikepdf.open(io.BytesIO(fetched(pdf_of(stack, project_id)[1]))) as document:
        assert int(next(iter(document.pages[0].get_images().values())).Width) == 41


def test_an_empty_project_has_nothing_to_export(stack):
    project_id = stack.project()
    stack.page(project_id)
    status, answer = pdf_of(stack, project_id)
    assert (status, answer["code"]) == (409, "nothing-to-export")


def test_pages_that_are_being_recognised_must_be_waited_for(stack):
    project_id = stack.project()
    stack.ready_page(project_id)
    page = stack.page(project_id)
    stack.textract.error = "ThrottlingException"
    stack.deliver(page, stack.upload(page))
    status, answer = pdf_of(stack, project_id)
    assert (status, answer["code"]) == (409, "pages-not-ready")


def test_a_page_that_starts_after_the_counters_were_read_is_noticed(stack):
    project_id = stack.project()
    stack.ready_page(project_id)
    set_status(stack.page(project_id), "recognising")
    status, answer = pdf_of(stack, project_id)
    assert (status, answer["code"]) == (409, "pages-not-ready")


def test_more_than_100_pages_are_too_many_and_no_page_is_read(stack, monkeypatch):
    project_id = stack.project()
    clients.dynamodb().update_item(
        TableName="projects",
        Key=dynamodb.to_item({"owner": ALICE, "projectId": project_id}),
        UpdateExpression="SET ready = :n",
        ExpressionAttributeValues=dynamodb.to_item({":n": 101}),
    )
    monkeypatch.setattr("scanner.aws.pages_table.all_of", None)
    status, answer = pdf_of(stack, project_id)
    assert (status, answer["code"]) == (409, "project-too-large")
    assert "export" in answer["message"]


@pytest.mark.parametrize(
    ("limit", "most", "mode"),
    [("image_bytes", 2 * len(image(1)), "L"), ("packed_pixels", 2 * 41 * 60, "RGBA")],
)
def test_more_of_images_than_fits_is_too_much_and_nothing_is_stored(stack, monkeypatch, limit, most, mode):
    project_id = stack.project()
    for _ in range(3):
        stack.ready_page(project_id, picture(size=(41, 60), mode=mode))
    monkeypatch.setattr(documents, "AT_ONCE", replace(documents.AT_ONCE, **{limit: most}))
    status, answer = pdf_of(stack, project_id)
    assert (status, answer["code"]) == (409, "project-too-large")
    assert "export" in answer["message"]
    assert stack.objects("documents/") == []


def test_the_longest_list_of_pages_is_complete(stack):
    """More pages than one answer of the table holds: all of them are either in the PDF or named."""
    project_id = stack.project()
    stack.ready_page(project_id)
    filler = "x" * 300_000  # `reasonMessage` is in the index, so four of these end an answer
    for number in range(8):
        item = {"projectId": project_id, "pageId": f"failed-{number}", "owner": ALICE, "position": number + 2}
        item |= {"status": "failed", "imageId": "i", "contentType": "image/png", "createdAt": "", "updatedAt": ""}
        item |= {"reason": "damaged-image", "reasonMessage": filler}
        clients.dynamodb().put_item(TableName="pages", Item=dynamodb.to_item(item))
    status, answer = pdf_of(stack, project_id)
    assert status == 200
    assert [left["pageId"] for left in answer["leftOut"]] == [f"failed-{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("Letters 2026", "Letters 2026.pdf", "Letters%202026.pdf"),
        ("Prüfung", "Pr_fung.pdf", "Pr%C3%BCfung.pdf"),
        ("試験", "__.pdf", "%E8%A9%A6%E9%A8%93.pdf"),
        ('a"; filename="evil.exe', "a__ filename__evil.exe.pdf", "a%22%3B%20filename%3D%22evil.exe.pdf"),
        ("a/b\\c", "a_b_c.pdf", "a%2Fb%5Cc.pdf"),
    ],
)
def test_the_download_is_named_after_the_project(stack, name, plain, encoded):
    project_id = stack.project(name)
    stack.ready_page(project_id)
    answer = pdf_of(stack, project_id)[1]
    assert disposition(answer) == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_no_name_breaks_the_header():
    for name in ("a\r\nSet-Cookie: x", "a\0b", "a\x85b", "a\u2028b", '\\"'):
        header = bucket.content_disposition(name)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2


def test_a_deletion_takes_the_documents_too(stack):
    project_id = stack.project()
    stack.ready_page(project_id)
    pdf_of(stack, project_id)
    stack.call("DELETE /projects/{projectId}", projectId=project_id)
    assert pdf_of(stack, project_id)[0] == 404
    stack.consume("deletion", *stack.queued())
    assert stack.objects() == []
