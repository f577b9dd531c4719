"""PDFs of what the thin way through would not survive: many bytes, and every script."""

import io
import re

import httpx
import pytest
import verapdf
from PIL import Image, ImageCms

SCRIPTS = {
    "Latin": "Příliš žluťoučký kůň",
    "Greek": "Ξεσκεπάζω την ψυχοφθόρα",
    "Cyrillic": "Съешь же ещё этих",
    "Hebrew": "דג סקרן שט בים",
    "Arabic": "نص حكيم له سر",
    "Devanagari": "ऋषियों को सताने वाले",
    "Chinese": "視野無限廣",
    "Japanese": "いろはにほへと",
    "Korean": "키스의 고유조건은",
}


def document(user, project, **query):
    answer = user.api.get(f"/projects/{project}/pdf", params=query)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 10_000, "a link, not a document"
    return httpx.get(answer.json()["url"], timeout=60).content


def padded(jpeg, size):
    """A JPEG with comments (JPEG, B.2.4.5) that make it `size` bytes at least; its picture is as it was."""
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFF - 2)
    return jpeg[:2] + comment * (size // len(comment) + 1) + jpeg[2:]


@pytest.mark.defect(5)
def test_a_pdf_of_more_bytes_than_a_function_can_answer_is_downloaded(user, drawn_page):
    project = user.project("Heavy")
    image = padded(drawn_page("Heavy", "JPEG"), 7_000_000)
    page = user.upload(project, image, "image/jpeg")
    assert user.settled(project, page)["status"] == "ready"

    pdf = document(user, project)

    assert len(pdf) > 6 * 1024 * 1024  # Lambda's limit for an answer
    assert image in pdf


@pytest.mark.defect(6)
@pytest.mark.parametrize("layout", ["scan", "text"])
def test_every_script_comes_out_of_the_pdf(user, drawn_page, pdftotext, tmp_path, layout):
    project = user.project()
    # What no engine reads is typed in: a line for each that was recognised.
    page = user.upload(project, drawn_page("\n".join(f"{script} line" for script in SCRIPTS)))
    assert user.settled(project, page)["wordCount"] == 2 * len(SCRIPTS)
    corrected = user.api.patch(f"/projects/{project}/pages/{page}", json={"text": "\n".join(SCRIPTS.values())})
    assert corrected.status_code == 200

    (file := tmp_path / "scripts.pdf").write_bytes(document(user, project, layout=layout))

    (verdict,) = verapdf.validate([file])
    assert verdict.failed == []
    # Poppler marks directions; and a word of a correction may be broken where the line that it lies on ends.
    read = re.sub(r"[\s\u202a-\u202e]", "", pdftotext(file))
    assert [word for text in SCRIPTS.values() for word in text.split() if word not in read] == []


@pytest.mark.parametrize("profile", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
def test_cmyk_pages_become_an_archivable_pdf(user, drawn_page, tmp_path, profile):
    """What is deployed has all that colours need: the profile is none, or one that does not fit."""
    image = Image.open(io.BytesIO(drawn_page("Four inks"))).convert("CMYK")
    image.save(jpeg := io.BytesIO(), "JPEG", icc_profile=profile)
    project = user.project("Inks")
    page = user.upload(project, jpeg.getvalue(), "image/jpeg")
    assert user.settled(project, page)["status"] == "ready"

    (file := tmp_path / "inks.pdf").write_bytes(document(user, project))

    (verdict,) = verapdf.validate([file])
    assert verdict.failed == []
    assert jpeg.getvalue() in file.read_bytes()
