"""The parts of exports: built once for the same content, of each page's old state or its new one, and never a mix."""

import io
import json

import pikepdf
import pytest
from unit.functions.export_runs import build, end, join, plan, recognising, run
from unit.functions.pictures import picture

from scanner import pdf
from scanner.aws import bucket, exports_table, pages_table, projects_table
from scanner.export import Format
from scanner.services import export_plan


@pytest.fixture
def project(stack):
    project = stack.project("Letters")
    stack.pages = [stack.ready_page(project) for _ in range(3)]
    return project


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 2)


@pytest.fixture
def building(monkeypatch):
    """The keys of the parts that are built from now on."""
    write, built = bucket.write, []

    def count_and_write(key, *arguments):
        if key.startswith("parts/"):
            built.append(key)
        return write(key, *arguments)

    monkeypatch.setattr(bucket, "write", count_and_write)
    return built


def parts(stack):
    return [key for key, _ in stack.objects("parts/")]


def exported(output):
    (volume,) = output["volumes"]
    return bucket.read(volume["key"])


def texts(output):
    return exported(output).decode().split("\f")


def correct(stack, page, **changes):
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    status, answer = stack.call("PATCH /projects/{projectId}/pages/{pageId}", body=changes, **path)
    assert status == 200, answer


def replace_image(stack, page):
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    status, answer = stack.call(
        "PUT /projects/{projectId}/pages/{pageId}/image", body={"contentType": "image/png"}, **path
    )
    assert status == 200, answer
    return answer


def delete_old_images(stack, page, but):
    for kind in ("images", "words", "thumbnails"):
        for key, version in stack.objects(f"{kind}/{page['projectId']}/{page['pageId']}/"):
            if but not in key:
                bucket.delete_version(key, version)


def test_parts_are_built_of_their_own_pages(stack, project, small_parts):
    for place, page in enumerate(stack.pages):
        correct(stack, page, text=f"letter {place}")
    plan(stack, project, format="txt")

    assert build(stack, 1) == {"pageCount": 1}
    assert [bucket.read(key) for key in parts(stack)] == [b"letter 2"]


def test_a_part_that_is_built_is_not_built_again(stack, project, building):
    plan(stack, project)
    build(stack)
    build(stack)
    plan(stack, project, "export-2")
    build(stack, export="export-2")

    assert len(building) == 1
    assert len(parts(stack)) == 1


def test_another_attempt_finds_what_is_built_although_project_language_and_selection_differ(stack, project, building):
    run(stack, project)
    stack.call("PATCH /projects/{projectId}", body={"name": "Other letters"}, projectId=project)

    output = run(stack, project, "export-2", language="de", pages=[page["pageId"] for page in stack.pages])

    assert len(building) == 1
    with pikepdf.open(io.BytesIO(exported(output))) as document:
        assert str(document.Root.Lang) == "de"
        assert str(document.docinfo.Title) == "Other letters"


@pytest.mark.parametrize("change", [{"text": "corrected"}, {"rotation": 90}])
def test_a_page_that_has_changed_is_built_again(stack, project, building, change):
    run(stack, project)
    correct(stack, stack.pages[1], **change)

    run(stack, project, "export-2")

    assert len(building) == 2


def test_each_format_has_its_own_parts(stack, project):
    for format_ in Format:
        run(stack, project, f"export-{format_}", format=format_)

    assert sorted(key.rsplit(".")[-1] for key in parts(stack)) == ["json", "pdf", "pdf", "txt"]


def test_a_page_that_was_deleted_meanwhile_is_left_out_and_counted(stack, project):
    plan(stack, project, format="txt")
    page = stack.pages[1]
    path = {"projectId": project, "pageId": page["pageId"]}
    stack.call("DELETE /projects/{projectId}/pages/{pageId}", **path)

    build(stack)
    output = join(stack)

    assert (output["pageCount"], output["leftOutCount"]) == (2, 1)
    assert len(texts(output)) == 2


def test_an_export_all_of_whose_pages_are_deleted_meanwhile_has_nothing_to_export(stack, project):
    plan(stack, project)
    for page in stack.pages:
        pages_table.delete("alice", project, page["pageId"])

    assert build(stack) == {"pageCount": 0}
    assert parts(stack) == []
    assert join(stack)["code"] == "nothing-to-export"


def test_a_page_that_is_corrected_meanwhile_is_exported_as_it_then_is(stack, project):
    plan(stack, project, format="txt")
    correct(stack, stack.pages[0], text="corrected")

    build(stack)

    assert texts(join(stack))[0] == "corrected"


def test_a_page_without_image_since_its_replacement_is_left_out(stack, project):
    plan(stack, project)
    replace_image(stack, stack.pages[0])

    assert build(stack) == {"pageCount": 2}


def test_a_page_that_is_being_recognised_again_is_a_fault_to_be_tried_again(stack, project):
    plan(stack, project, format="txt")
    page = stack.pages[2]
    pages_table.change("alice", project, page["pageId"], lambda before, _: before.asked_again(1))

    with pytest.raises(Exception, match="Page 3 is being recognised"):
        build(stack)
    message = "Page 3 is being recognised. Export again when it is done, or without it."
    assert build(stack, retries=4) == {"code": "pages-not-ready", "message": message}


def replaced_while(monkeypatch, stack, page, when, ready):
    """Replace a page's image, all of the old one gone, the first time that `when` says so of what is read."""
    read, done = bucket.read, []

    def read_and_replace(key, version=None):
        if not done and when(key):
            done.append(key)
            new = replace_image(stack, page)
            if ready:
                stack.textract.lines = ["new words"]
                stack.deliver(new, stack.upload(new, picture("PNG", (99, 120))))
            delete_old_images(stack, page, but=new["upload"]["fields"]["key"].rsplit("/")[-1])
        return read(key, version)

    monkeypatch.setattr(bucket, "read", read_and_replace)
    return done


@pytest.mark.parametrize("kind", ["images", "words"])
def test_a_page_whose_image_is_replaced_while_it_is_read_is_wholly_new(stack, project, monkeypatch, kind):
    page = stack.pages[1]
    plan(stack, project)
    done = replaced_while(
        monkeypatch, stack, page, lambda key: key.startswith(f"{kind}/{project}/{page['pageId']}"), True
    )

    build(stack)
    output = join(stack)

    assert done
    assert output["pageCount"] == 3
    with pikepdf.open(io.BytesIO(exported(output))) as document:
        sizes = [(image.Width, image.Height) for sheet in document.pages for image in sheet.get_images().values()]
        assert sizes[1] == (99, 120)
        assert sizes[0] == sizes[2] != sizes[1]
    replaced = pages_table.get(project, page["pageId"])
    assert replaced.text == "new words"


def test_a_page_whose_image_goes_while_it_is_read_and_has_no_new_one_is_left_out(stack, project, monkeypatch):
    page = stack.pages[1]
    plan(stack, project)
    replaced_while(monkeypatch, stack, page, lambda key: key.startswith(f"images/{project}/{page['pageId']}"), False)

    assert build(stack) == {"pageCount": 2}


def test_a_page_whose_image_is_still_there_is_wholly_old(stack, project, monkeypatch):
    plan(stack, project)
    page = stack.pages[1]
    build_pdf, new = pdf.build, []

    def replace_and_build(*arguments):  # when items and words are read
        new.append(replace_image(stack, page))
        return build_pdf(*arguments)

    monkeypatch.setattr(pdf, "build", replace_and_build)

    assert build(stack) == {"pageCount": 3}


def test_a_page_that_cannot_be_built_fails_the_export_by_its_number_at_the_last_try(stack, project):
    plan(stack, project)
    (key, version), *_ = stack.objects(f"images/{project}/{stack.pages[1]['pageId']}/")
    bucket.delete_version(key, version)

    for retries in range(4):
        with pytest.raises(Exception, match="not there"):
            build(stack, retries=retries)

    answer = build(stack, retries=4)
    assert answer["code"] == "page-failed"
    assert answer["message"].startswith("Page 2 could not be put into the export")


def test_a_fault_that_is_about_no_page_names_none(stack, project, monkeypatch):
    plan(stack, project)

    def fail(*_):
        raise OSError("The disk is full.")

    monkeypatch.setattr(bucket, "write", fail)

    with pytest.raises(OSError, match="full"):
        build(stack, retries=4)


def test_a_part_of_a_project_that_goes_meanwhile_is_refused_and_leaves_nothing_behind(stack, project, monkeypatch):
    plan(stack, project)
    write = bucket.write

    def write_late(*arguments):
        projects_table.delete("alice", project)
        return write(*arguments)

    monkeypatch.setattr(bucket, "write", write_late)

    assert build(stack)["code"] == "not-found"
    assert parts(stack) == []
    assert build(stack)["code"] == "not-found"


def test_a_part_of_an_export_that_was_stopped_while_it_was_built_leaves_nothing_behind(stack, project, monkeypatch):
    plan(stack, project)
    write = bucket.write

    def write_late(*arguments):
        end(stack, "ABORTED")
        return write(*arguments)

    monkeypatch.setattr(bucket, "write", write_late)

    assert build(stack) == {"ended": True}
    assert stack.objects("parts/") == stack.objects("exports/") == []


def test_a_part_of_an_export_that_has_ended_is_not_begun(stack, project, building):
    plan(stack, project)
    end(stack, "FAILED")

    assert build(stack) == {"ended": True}
    assert building == []


def test_a_part_of_an_older_plan_does_not_count_for_the_newer_one(stack, project, monkeypatch):
    plan(stack, project)
    write = bucket.write

    def plan_again(key, *arguments):
        version = write(key, *arguments)
        if key.startswith("parts/"):
            plan(stack, project)
        return version

    monkeypatch.setattr(bucket, "write", plan_again)
    build(stack)

    assert exports_table.get("alice", "export-1").parts == {}


def test_a_stopped_export_takes_its_parts_with_it_but_not_those_that_another_counts_on(stack, project, small_parts):
    plan(stack, project)
    plan(stack, project, "export-2")
    build(stack, 0)
    build(stack, 1)
    build(stack, 0, "export-2")

    assert end(stack, "ABORTED") == []

    kept = exports_table.get("alice", "export-2").parts[0].digest
    assert parts(stack) == [f"parts/{project}/{kept}.pdf"]
    build(stack, 1, "export-2")
    assert join(stack, "export-2")["pageCount"] == 3


def test_a_failed_export_leaves_its_parts_to_the_next_one(stack, project, building):
    plan(stack, project)
    build(stack)

    assert end(stack, "FAILED") == []
    run(stack, project, "export-2")

    assert len(building) == 1
    assert {key.split("/")[2] for key, _ in stack.objects("exports/")} == {"export-2"}


def test_cleaning_up_twice_is_the_same(stack, project):
    plan(stack, project)
    build(stack)
    end(stack, "ABORTED")

    assert end(stack, "ABORTED") == []
    assert stack.objects("parts/") == stack.objects("exports/") == []


def test_cleaning_up_goes_on_with_the_next_delivery_when_time_is_up(stack, project):
    plan(stack, project)
    build(stack)

    assert end(stack, "ABORTED", milliseconds=1) == ["ending-1"]
    assert end(stack, "ABORTED") == []
    assert stack.objects("parts/") == stack.objects("exports/") == []


def test_json_has_every_page_with_its_words(stack, project):
    correct(stack, stack.pages[1], text="Dear reader\nthird line", rotation=90)

    document = json.loads(exported(run(stack, project, format="json")))

    assert document["project"] == {"projectId": project, "name": "Letters"}
    assert [page["number"] for page in document["pages"]] == [1, 2, 3]
    assert [page["pageId"] for page in document["pages"]] == [page["pageId"] for page in stack.pages]
    first, second, _ = document["pages"]
    assert (first["text"], first["corrected"], first["rotation"]) == ("Dear reader\nsecond line", False, 0)
    assert (second["text"], second["corrected"], second["rotation"]) == ("Dear reader\nthird line", True, 90)
    assert [line["text"] for line in second["lines"]] == ["Dear reader", "third line"]
    assert second["lines"][0]["words"][0]["polygon"] == first["lines"][0]["words"][0]["polygon"]
    assert [page["confidence"] for page in (first, second)] == [90.5, 90.5], "what it was recognised with"


def test_a_page_in_recognition_when_the_export_starts_is_in_it_at_last(stack, project):
    finish = recognising(stack, project)
    assert plan(stack, project, format="txt") == {"waitingFor": 1}
    finish()

    assert len(texts(run(stack, project, format="txt"))) == 4
