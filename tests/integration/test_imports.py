"""Imports on the running system: upload, EventBridge, workflow, pages, recognition."""

import concurrent.futures
import io
import json
import time

import httpx
import paged_files
import pytest
from paged_files import drawing, letter, photograph, read_scan, scan, written
from PIL import Image


def begun(user, project, content_type="application/pdf", **body):
    answer = user.api.post(f"/projects/{project}/imports", json={"contentType": content_type} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def upload(imported, content):
    form = imported["upload"]
    answer = httpx.post(form["url"], data=form["fields"], files={"file": content}, timeout=60)
    assert answer.status_code == 204, answer.text


def read(user, imported):
    answer = user.api.get(f"/imports/{imported['importId']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(user, imported, seconds=120):
    deadline = time.monotonic() + seconds
    while (found := read(user, imported))["status"] in {"awaiting-upload", "running"}:
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def imported_file(user, project, content, content_type="application/pdf", **body):
    imported = begun(user, project, content_type, **body)
    upload(imported, content)
    return ended(user, imported)


def pages_of(user, project):
    pages, cursor = [], None
    while True:
        answer = user.api.get(f"/projects/{project}/pages", params={"cursor": cursor} if cursor else {}).json()
        pages += answer["items"]
        if not (cursor := answer.get("cursor")):
            return pages


def settled_pages(user, project, seconds=180):
    deadline = time.monotonic() + seconds
    while True:
        pages = pages_of(user, project)
        if {page["status"] for page in pages} <= {"ready", "failed"}:
            return pages
        assert time.monotonic() < deadline, pages
        time.sleep(0.5)


def text_of(user, page):
    return user.api.get(f"/projects/{page['projectId']}/pages/{page['pageId']}").json()["text"]


def test_a_document_of_many_kinds_of_pages_becomes_pages_in_order(user):
    project = user.project("Mixed")
    jpegs = [photograph(f"Scan number {number}") for number in range(12)]
    kinds = [
        scan(jpegs[n]) if n % 4 == 0 else read_scan(jpegs[n], f"Page {n}\n{paged_files.LETTER}") if n % 4 == 1
        else letter(f"Letter {n}\n{paged_files.LETTER}") if n % 4 == 2 else drawing
        for n in range(12)
    ]  # fmt: skip

    imported = imported_file(user, project, written(*kinds))

    assert (imported["status"], imported["pageCount"], imported["pagesDone"]) == ("completed", 12, 12)
    assert imported["pagesWithText"] == 6
    pages = settled_pages(user, project)
    assert [page["status"] for page in pages] == ["ready"] * 12
    pages = [user.api.get(f"/projects/{project}/pages/{page['pageId']}").json() for page in pages]
    assert [page["textSource"] for page in pages] == ["recognition", "document", "document", "recognition"] * 3
    assert {page["importId"] for page in pages} == {imported["importId"]}
    for number, page in enumerate(pages):
        text = text_of(user, page)
        if number % 4 == 0:
            assert f"number {number}" in text
        if number % 4 in {1, 2}:
            assert text.splitlines()[1] == paged_files.LETTER
        if number % 4 in {0, 1}:
            whole = user.api.get(f"/projects/{project}/pages/{page['pageId']}").json()
            assert httpx.get(whole["imageUrl"]).content == jpegs[number]
        assert httpx.get(page["thumbnailUrl"]).status_code == 200
    counts = user.api.get(f"/projects/{project}").json()
    assert (counts["pageCount"], counts["pagesByStatus"]["ready"]) == (12, 12)


def test_a_tiff_of_several_pages_is_imported(user):
    project = user.project("Fax")
    frames = [Image.open(io.BytesIO(photograph(f"Fax {n}"))).convert("1") for n in range(3)]

    imported = imported_file(user, project, paged_files.tiff(*frames, compression="group4"), "image/tiff")

    assert (imported["status"], imported["pagesDone"]) == ("completed", 3)
    assert [f"Fax {n}" in text_of(user, page) for n, page in enumerate(settled_pages(user, project))] == [True] * 3


def test_the_same_upload_twice_makes_one_set_of_pages(system, user):
    project = user.project("Twice")
    imported = begun(user, project)
    document = written(*[letter()] * 12)
    upload(imported, document)
    upload(imported, document)
    event = {
        "Source": "aws.s3",
        "DetailType": "Object Created",
        "Detail": json.dumps(
            {
                "bucket": {"name": system.output("BucketName")},
                "object": {"key": imported["upload"]["fields"]["key"]},
            }
        ),
    }
    system.client("events").put_events(Entries=[event, event])

    assert ended(user, imported)["pagesDone"] == 12
    time.sleep(2)
    assert len(settled_pages(user, project)) == 12
    assert read(user, imported)["pagesDone"] == 12


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"Dear reader", "application/pdf", "import-unsupported"),
        (b"%PDF-1.7 and nothing else", "application/pdf", "import-damaged"),
        (written(letter())[:-400], "application/pdf", "import-damaged"),
        (written(letter()), "image/tiff", "import-unsupported"),
        (b"II*\0\x08\0\0\0", "image/tiff", "import-damaged"),
        (
            paged_files.saved_anew(
                written(letter()), encryption=paged_files.pikepdf.Encryption(user="secret", owner="secret")
            ),
            "application/pdf",
            "import-encrypted",
        ),
        (
            paged_files.of_contents(
                b"q 595 0 0 842 0 0 cm /I0 Do Q",
                [paged_files.packed_object(100_000, 100_000, paged_files.flate_bomb(1 << 20))],
            ),
            "application/pdf",
            "page-failed",
        ),
    ],
    ids=["text", "head only", "cut off", "PDF as TIFF", "empty TIFF", "encrypted", "bomb"],
)
def test_a_file_that_cannot_be_imported_says_why(user, content, content_type, code):
    imported = imported_file(user, user.project("Hostile"), content, content_type)

    assert (imported["status"], imported["reason"]["code"]) == ("failed", code)


def test_pages_of_a_project_that_is_deleted_meanwhile_do_not_come_back(system, user):
    project = user.project("Gone")
    imported = begun(user, project)
    upload(imported, written(*[scan(photograph(f"Scan {n}")) for n in range(30)]))
    deadline = time.monotonic() + 60
    while read(user, imported)["pagesDone"] < 2:
        assert time.monotonic() < deadline
    assert user.api.delete(f"/projects/{project}").status_code == 202

    failed = ended(user, imported)

    assert (failed["status"], failed["reason"]["code"]) == ("failed", "not-found")
    deadline = time.monotonic() + 60
    while left := objects_of(system, project):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def objects_of(system, project):
    """What there is of a project in the bucket, but for the upload of an import, which may come after all else."""
    s3, bucket = system.client("s3"), system.output("BucketName")
    kinds = ("images", "words", "thumbnails", "imports")
    answers = [s3.list_object_versions(Bucket=bucket, Prefix=f"{kind}/{project}/") for kind in kinds]
    return [version["Key"] for answer in answers for version in answer.get("Versions", [])]


def test_nobody_sees_another_s_import(user, other):
    imported = begun(user, user.project("Mine"))

    assert other.api.get(f"/imports/{imported['importId']}").status_code == 404
    answer = other.api.post(f"/projects/{imported['projectId']}/imports", json={"contentType": "image/tiff"})
    assert answer.status_code == 404


def test_the_quota_is_for_all_pages_of_a_file_at_once(sign_up):
    person = sign_up()
    project = person.project("Much")
    quota = person.api.get("/usage").json()["quota"]["pagesPerDay"]
    blank = paged_files.written(*[lambda pdf: None] * 9)
    document = paged_files.saved_anew(blank, lambda pdf: pdf.pages.extend([pdf.pages[0]] * (quota - 8)))

    failed = imported_file(person, project, document)

    assert (failed["status"], failed["reason"]["code"]) == ("failed", "quota-exceeded")
    assert f"{quota:,} more" in failed["reason"]["message"]
    assert pages_of(person, project) == []
    assert person.api.get("/usage").json()["days"][0]["uploaded"] == 0


def test_two_imports_into_one_project_keep_each_file_s_order(user):
    project = user.project("Both")
    documents = [written(*[letter(f"{name} {n}\n{paged_files.LETTER}") for n in range(25)]) for name in ("A", "B")]
    begun_ones = [begun(user, project) for _ in documents]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(upload, begun_ones, documents))

    assert [ended(user, imported)["pagesDone"] for imported in begun_ones] == [25, 25]
    pages = settled_pages(user, project)
    firsts = [text_of(user, page).splitlines()[0].split() for page in pages]
    for name in ("A", "B"):
        assert [int(number) for which, number in firsts if which == name] == list(range(25))
    assert len({which for which, _ in firsts[:25]}) == 1
