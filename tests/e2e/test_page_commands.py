"""A project put in order from the command line, page by page, after its scan."""

import json
import re

import pikepdf
from PIL import Image
from scoring import word_f1


def test_a_project_is_put_in_order(system, samples, pdftotext, tmp_path):
    def docscan(*arguments, exit_code=0):
        run = system.docscan(*arguments)
        assert run.returncode == exit_code, run.stdout + run.stderr
        return run.stdout

    letter, invoice = samples / "images" / "letter-english.jpg", samples / "images" / "invoice-english.tif"
    german, damaged = samples / "images" / "letter-german.jpg", samples / "bad" / "truncated.jpg"
    scan = system.docscan("scan", damaged, letter, invoice, "-o", tmp_path / "scan.pdf")
    project = re.search(r"Project ([\w-]{36})", scan.stderr).group(1)

    def pages():
        return json.loads(docscan("pages", "list", project, "--json"))

    broken, first, second = (page["pageId"] for page in pages())

    # Its name.
    docscan("projects", "rename", project, "Put in order")
    assert "Name     Put in order" in docscan("projects", "show", project)

    # The damaged page gets a sound image, and keeps its place.
    docscan("pages", "replace", project, "1", german, "--yes")
    assert [(page["pageId"], page["status"]) for page in pages()] == [(i, "ready") for i in (broken, first, second)]
    german_text = docscan("pages", "show", project, broken, "--text")
    assert word_f1((samples / "gt" / "letter-german.txt").read_text(), german_text) > 95

    # Its words lie within the image.
    width, height = Image.open(german).size
    words = [line.split() for line in docscan("pages", "words", project, "1").splitlines()[1:]]
    assert len(words) == len(german_text.split())
    assert all(0 <= int(left) < int(right) <= width for _, _, _, left, _, right, *_ in words)
    assert all(0 <= int(top) < int(bottom) <= height for _, _, _, _, top, _, bottom, _ in words)

    # Order, rotation, text.
    docscan("pages", "move", project, "1", "--after", "3")
    docscan("pages", "move", project, second, "--first")
    assert [page["pageId"] for page in pages()] == [second, first, broken]
    docscan("pages", "rotate", project, "2", "90")
    (tmp_path / "corrected.txt").write_text("Werte Lesefreundinnen\nund Leser\n")
    docscan("pages", "correct", project, "3", tmp_path / "corrected.txt")
    docscan("pages", "correct", project, "9", tmp_path / "corrected.txt", exit_code=6)

    # The first page goes; what is left is what the PDF has.
    docscan("pages", "delete", project, "1", exit_code=2)
    docscan("pages", "delete", project, "1", "--yes")
    assert [page["pageId"] for page in pages()] == [first, broken]
    docscan("pdf", project, "-o", tmp_path / "out.pdf")
    texts = pdftotext(tmp_path / "out.pdf").split("\f")[:2]
    assert "Harbour Street Library" in texts[0]
    assert set(texts[1].split()) == {"Werte", "Lesefreundinnen", "und", "Leser"}
    with pikepdf.open(tmp_path / "out.pdf") as document:
        assert [int(page.obj.get("/Rotate", 0)) for page in document.pages] == [90, 0]

    # Four images were uploaded, and three of them could be read.
    days = json.loads(docscan("usage", "--json"))["days"]
    assert sum(day["uploaded"] for day in days) >= 4
    assert sum(day["recognised"] for day in days) >= 3
