"""What people upload besides good photographs: each file becomes a page, or is refused with a reason."""

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

MAKE = Path(__file__).parents[1] / "samples" / "make.py"

UNUSUAL = {  # sound images, stored in unusual ways
    "notice-chinese.jpg": "image/jpeg",  # CMYK
    "invoice-hebrew.png": "image/png",  # 16-bit grey
    "letter-arabic.png": "image/png",  # palette
    "invoice-english.tif": "image/tiff",  # bilevel, fax group 4
    "broken-exif.jpg": "image/jpeg",
}
NO_PAGE = {
    "truncated.jpg": ("image/jpeg", "damaged-image"),
    "text.png": ("image/png", "unsupported-image"),
    "huge.png": ("image/png", "too-many-pixels"),
}
REFUSED_BY_THE_STORE = {
    "empty.jpg": ("image/jpeg", "EntityTooSmall"),
    "heavy.tif": ("image/tiff", "EntityTooLarge"),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    names = [Path(file).stem for file in (*UNUSUAL, *NO_PAGE, *REFUSED_BY_THE_STORE)]
    subprocess.run([sys.executable, MAKE, folder, "--only", *names], check=True)
    return folder


@pytest.fixture(scope="module")
def project(user):
    return user.project("Unusual")


@pytest.mark.defect(10)
@pytest.mark.parametrize("file", UNUSUAL)
def test_a_sound_image_is_recognised_however_it_is_stored(user, project, samples, file):
    page = user.upload(project, (samples / "images" / file).read_bytes(), UNUSUAL[file])

    assert user.settled(project, page)["status"] == "ready"


@pytest.mark.parametrize("file", NO_PAGE)
def test_a_file_that_is_no_page_fails_with_a_reason(user, project, samples, file):
    content_type, code = NO_PAGE[file]
    page = user.settled(project, user.upload(project, (samples / "bad" / file).read_bytes(), content_type))

    assert page["status"] == "failed"
    assert page["reason"]["code"] == code
    assert page["reason"]["message"]


@pytest.mark.parametrize("file", REFUSED_BY_THE_STORE)
def test_a_file_of_no_possible_size_is_refused_before_it_is_stored(user, project, samples, file):
    content_type, code = REFUSED_BY_THE_STORE[file]
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": content_type}).json()
    form = page["upload"]

    answer = httpx.post(
        form["url"], data=form["fields"], files={"file": (samples / "bad" / file).read_bytes()}, timeout=60
    )

    assert answer.status_code == 400
    assert code in answer.text
    assert user.api.get(f"/projects/{project}/pages/{page['pageId']}").json()["status"] == "awaiting-upload"


def test_a_pdf_holds_every_sound_image(user, project, samples):
    for file in UNUSUAL:
        page = user.upload(project, (samples / "images" / file).read_bytes(), UNUSUAL[file])
        assert user.settled(project, page)["status"] == "ready"

    answer = user.api.get(f"/projects/{project}/pdf")

    assert answer.status_code == 200
    assert answer.json()["pageCount"] >= len(UNUSUAL)
    assert httpx.get(answer.json()["url"]).content.startswith(b"%PDF-")


def test_only_one_upload_of_a_page_stays_and_none_of_a_page_that_is_gone(user, samples, system):
    project = user.project("Uploads that come twice, or too late")
    image = (samples / "images" / "invoice-hebrew.png").read_bytes()

    def form():
        page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()
        return page["pageId"], page["upload"]

    def post(form):
        assert httpx.post(form["url"], data=form["fields"], files={"file": image}).status_code == 204

    def versions(page):
        prefix = f"images/{project}/{page}/"
        answer = system.client("s3").list_object_versions(Bucket=system.output("BucketName"), Prefix=prefix)
        return len(answer.get("Versions", []) + answer.get("DeleteMarkers", []))

    def becomes(page, count):
        deadline = time.monotonic() + 60
        while versions(page) != count:
            assert time.monotonic() < deadline, f"{versions(page)} versions, not {count}"
            time.sleep(0.2)

    gone, late = form()
    assert user.api.delete(f"/projects/{project}/pages/{gone}").status_code == 202
    twice, used_twice = form()
    post(used_twice)
    assert user.settled(project, twice)["status"] == "ready"
    post(used_twice)
    post(late)

    becomes(gone, 0)
    becomes(twice, 1)
    assert user.settled(project, twice)["status"] == "ready"
