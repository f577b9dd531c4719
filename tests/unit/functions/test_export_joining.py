"""The documents of exports: all pages, in order, in as many volumes as it takes; and nothing that nobody can have."""

import io
import json
from pathlib import Path

import jsonschema
import pikepdf
import pytest
import yaml
from unit.functions.export_runs import build, end, join, plan, run

from scanner.aws import bucket, clients, exports_table, projects_table
from scanner.export import Format
from scanner.services import export_plan
from scanner.settings import SETTINGS

CONTRACT = yaml.safe_load((Path(__file__).parents[3] / "api" / "scanner.yaml").read_text())


@pytest.fixture
def project(stack):
    """A project of five pages, the third without an image, the last of them corrected."""
    project = stack.project("Letters / November")
    for place in range(5):
        if place == 2:
            stack.page(project)
            continue
        stack.textract.lines = [f"letter number{place + 1}"]
        page = stack.ready_page(project)
    path = {"projectId": project, "pageId": page["pageId"]}
    stack.call("PATCH /projects/{projectId}/pages/{pageId}", body={"text": "letter corrected\nby hand"}, **path)
    stack.events.clear()
    return project


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 2)


@pytest.fixture
def small_volumes(monkeypatch):
    monkeypatch.setenv("VOLUME_BYTES", "1")


def documents(output):
    return [bucket.read(volume["key"]) for volume in output["volumes"]]


def document(output):
    (content,) = documents(output)
    return content


def texts_of(pdf, pdftotext, tmp_path):
    (tmp_path / "document.pdf").write_bytes(pdf)
    return pdftotext(tmp_path / "document.pdf").split("\f")


@pytest.mark.parametrize("format_", ["pdf", "text-pdf"])
def test_a_pdf_has_every_page_that_is_ready_in_order(stack, project, format_, pdftotext, tmp_path):
    output = run(stack, project, format=format_)

    texts = texts_of(document(output), pdftotext, tmp_path)
    assert (output["pageCount"], output["leftOutCount"]) == (4, 1)
    assert ["number1" in texts[0], "number2" in texts[1], "number4" in texts[2], "by hand" in texts[3]] == [True] * 4
    assert "number5" not in texts[3], "the text that was corrected is the one that is exported"


@pytest.mark.parametrize("format_", ["pdf", "text-pdf"])
def test_a_pdf_has_title_language_and_an_outline_with_the_project_s_page_numbers(stack, project, format_):
    output = run(stack, project, format=format_, language="pt-BR")

    with pikepdf.open(io.BytesIO(document(output))) as pdf:
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == ["Page 1", "Page 2", "Page 4", "Page 5"]
        assert (str(pdf.docinfo.Title), str(pdf.Root.Lang)) == ("Letters / November", "pt-BR")
        assert [bool(page.get_images()) for page in pdf.pages] == [format_ == "pdf"] * 4


def test_plain_text_has_form_feeds_between_pages(stack, project):
    texts = document(run(stack, project, format="txt")).decode().split("\f")

    assert texts == ["letter number1", "letter number2", "letter number4", "letter corrected\nby hand"]


@pytest.mark.parametrize("format_", Format)
def test_pages_on_which_nothing_was_read_are_exported_too(stack, format_, monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 1)  # parts of no bytes at all, of plain text
    stack.textract.lines = []
    project = stack.project()
    for _ in range(3):
        stack.ready_page(project)

    output = run(stack, project, format=format_)

    assert output["pageCount"] == 3
    if format_ == Format.TXT:
        assert document(output) == b"\f\f"


def test_json_is_what_the_api_describes(stack, project):
    exported = json.loads(document(run(stack, project, format="json")))

    schema = {"$ref": "#/components/schemas/ExportedText", "components": CONTRACT["components"]}
    jsonschema.Draft4Validator(schema).validate(exported)
    assert [page["number"] for page in exported["pages"]] == [1, 2, 4, 5]


@pytest.mark.parametrize("format_", Format)
def test_a_document_lies_below_its_project_and_goes_with_it(stack, project, format_):
    (volume,) = run(stack, project, format=format_)["volumes"]
    extension = format_.removeprefix("text-")
    assert volume["key"] == f"exports/{project}/export-1/document.{extension}"
    assert volume["size"] == len(bucket.read(volume["key"]))

    stack.call("DELETE /projects/{projectId}", projectId=project)
    (message,) = stack.queued()
    assert stack.consume("deletion", message) == []

    assert stack.objects("exports/") == stack.objects("parts/") == []


def test_some_pages_come_in_the_project_s_order(stack, project):
    plan(stack, project)
    pages = [page_id for _, page_id in export_plan.pages_of(exports_table.get("alice", "export-1"), 1)]

    output = run(stack, project, "export-2", format="txt", pages=pages[::-1])

    assert document(output).decode().split("\f") == ["letter number4", "letter corrected\nby hand"]


@pytest.mark.parametrize("format_", Format)
def test_what_is_too_much_for_one_volume_comes_in_several(stack, project, small_volumes, format_):
    output = run(stack, project, format=format_)

    extension = format_.removeprefix("text-")
    keys = [volume["key"].rsplit("/")[-1] for volume in output["volumes"]]
    assert keys == [f"document.{extension}", f"document-2.{extension}"]
    assert [volume["pageCount"] for volume in output["volumes"]] == [2, 2]
    assert output["pageCount"] == 4
    for content in documents(output):
        match format_:
            case Format.TXT:
                assert content.count(b"\f") == 1
            case Format.JSON:
                assert len(json.loads(content)["pages"]) == 2
            case _:
                with pikepdf.open(io.BytesIO(content)) as pdf:
                    assert len(pdf.pages) == 2


def test_volumes_hold_as_many_parts_as_fit(stack, project, monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 1)
    plan(stack, project)
    for number in range(4):
        build(stack, number)
    sizes = [part.size for _, part in sorted(exports_table.get("alice", "export-1").parts.items())]
    monkeypatch.setenv("VOLUME_BYTES", str(sum(sizes[:3])))

    assert join(stack) == {"round": 0}
    assert [volume["pageCount"] for volume in join(stack)["volumes"]] == [3, 1]


def test_a_part_that_is_built_again_smaller_is_in_no_volume_that_is_made(stack, project, monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 1)
    plan(stack, project, format="txt")
    for number in range(4):
        build(stack, number)
    parts = exports_table.get("alice", "export-1").parts
    monkeypatch.setenv("VOLUME_BYTES", str(parts[0].size + parts[1].size + parts[2].size - 1))
    assert join(stack) == {"round": 0}, "the third part does not fit into the first volume"

    for key, version in stack.objects(f"parts/{project}/{parts[2].digest}"):
        bucket.delete_version(key, version)
    (_, page), *_ = export_plan.pages_of(exports_table.get("alice", "export-1"), 2)
    path = {"projectId": project, "pageId": page}
    stack.call("PATCH /projects/{projectId}/pages/{pageId}", body={"text": "short"}, **path)
    assert join(stack)["parts"] == [{"number": 2, "pages": "page 4"}]
    build(stack, 2)
    output = join(stack, done=1)

    assert [volume["pageCount"] for volume in output["volumes"]] == [2, 2]
    assert documents(output)[1].decode().split("\f") == ["short", "letter corrected\nby hand"]


def test_an_export_is_completed_although_the_answer_to_that_was_lost(stack, project, monkeypatch):
    real = clients.dynamodb()

    class Repeating:
        """DynamoDB as the AWS SDK calls it where an answer does not come."""

        def __getattr__(self, name):
            return getattr(real, name)

        def update_item(self, **parameters):
            if "completedAt" in parameters["UpdateExpression"]:
                real.update_item(**parameters)
            return real.update_item(**parameters)

    monkeypatch.setattr(clients, "dynamodb", Repeating)

    assert run(stack, project)["pageCount"] == 4


def test_a_volume_is_made_once_however_often_it_is_asked_for(stack, project, small_volumes):
    first = run(stack, project)
    again = join(stack)

    assert again == first
    assert len([key for key, _ in stack.objects("exports/") if "document" in key]) == 2


def test_parts_that_are_not_built_are_asked_for(stack, project):
    plan(stack, project)
    build(stack, 0)

    assert join(stack) == {"parts": [{"number": 1, "pages": "pages 4 to 5"}], "round": 1}


def test_parts_that_have_gone_are_asked_for_again_but_not_for_ever(stack, project):
    plan(stack, project)
    build(stack, 0)
    build(stack, 1)
    lost = exports_table.get("alice", "export-1").parts[1]
    for key, version in stack.objects(f"parts/{project}/{lost.digest}"):
        bucket.delete_version(key, version)

    assert join(stack, done=1) == {"parts": [{"number": 1, "pages": "pages 4 to 5"}], "round": 2}
    with pytest.raises(Exception, match="gone again"):
        join(stack, done=2)
    build(stack, 1)
    assert join(stack, done=2)["pageCount"] == 4


def test_a_damaged_part_is_built_again(stack, project):
    plan(stack, project)
    build(stack, 0)
    build(stack, 1)
    damaged = exports_table.get("alice", "export-1").parts[0]
    key = bucket.part_key(project, damaged.digest, "pdf")
    bucket.write(key, b"%PDF-1.7 no more", "application/pdf", {"sheets": "1:1 2:1"})

    assert [part["number"] for part in join(stack)["parts"]] == [0]
    assert build(stack, 0) == {"pageCount": 2}
    assert join(stack)["pageCount"] == 4


def test_a_project_that_goes_meanwhile_leaves_nothing_behind(stack, project, monkeypatch):
    upload = bucket.upload

    def upload_late(*arguments):
        upload(*arguments)
        projects_table.delete("alice", project)

    monkeypatch.setattr(bucket, "upload", upload_late)

    assert run(stack, project)["code"] == "not-found"
    assert stack.objects("exports/") == []
    assert stack.events == []


def test_an_export_that_is_stopped_while_it_is_joined_leaves_nothing_behind(stack, project, monkeypatch):
    upload = bucket.upload

    def upload_late(*arguments):
        end(stack, "ABORTED")
        upload(*arguments)

    monkeypatch.setattr(bucket, "upload", upload_late)

    assert run(stack, project) == {"ended": True}
    assert stack.objects("exports/") == stack.objects("parts/") == []
    assert stack.events == []


def test_a_completed_export_no_longer_runs(stack, project):
    run(stack, project)

    assert exports_table.running("alice", project) == []


def test_a_large_document_is_uploaded_in_parts(stack, tmp_path, monkeypatch):
    monkeypatch.setattr(bucket, "_UPLOAD_PART", 5 << 20)
    content = bytes(range(256)) * (12 << 12)
    (tmp_path / "document").write_bytes(content)

    bucket.upload("exports/p/e/document.pdf", tmp_path / "document", "application/pdf")

    stored = clients.s3().head_object(Bucket=SETTINGS.bucket, Key="exports/p/e/document.pdf")
    assert stored["ETag"].endswith('-3"')
    assert stored["ContentType"] == "application/pdf"
    assert bucket.read("exports/p/e/document.pdf") == content
