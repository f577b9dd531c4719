"""Real scans through the whole running system: the smoke test of `make test`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from scoring import word_f1


@pytest.mark.defect(10)
def test_pages_become_a_searchable_pdf_and_text(system, samples, pdftotext, tmp_path):
    images = [samples / "images" / name for name in ("letter-english.jpg", "invoice-english.tif", "letter-german.jpg")]

    run = system.docscan("scan", *images, "-o", tmp_path / "out.pdf", "--text", tmp_path / "out.txt")

    assert run.returncode == 0, run.stdout + run.stderr
    texts = (tmp_path / "out.txt").read_text().split("\f")
    read_back = pdftotext(tmp_path / "out.pdf").split("\f")
    for image, text, page in zip(images, texts, read_back, strict=False):
        truth = (samples / "gt" / f"{image.stem}.txt").read_text()
        assert word_f1(truth, text) > 95, image
        assert word_f1(truth, page) > 95, image
    assert len(texts) == len(images)


@pytest.mark.defect(9)
def test_a_damaged_page_is_named_and_the_others_are_finished(system, samples, tmp_path):
    good, damaged = samples / "images" / "letter-english.jpg", samples / "bad" / "truncated.jpg"

    run = system.docscan("scan", damaged, good, "-o", tmp_path / "out.pdf")

    assert run.returncode == 1
    assert f"{damaged} (page 1): The image is damaged" in run.stderr
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF-")


def test_pages_are_added_to_an_existing_project(system, samples, pdftotext, tmp_path):
    letter, invoice = samples / "images" / "letter-english.jpg", samples / "images" / "invoice-english.tif"
    first = system.docscan("scan", letter, "-o", tmp_path / "first.pdf", "--name", "In two steps")
    project = re.search(r"Project ([\w-]{36})", first.stdout + first.stderr).group(1)

    second = system.docscan("scan", invoice, "-o", tmp_path / "both.pdf", "--project", project)

    assert second.returncode == 0, second.stdout + second.stderr
    pages = pdftotext(tmp_path / "both.pdf").split("\f")
    assert "Harbour Street Library" in pages[0]
    assert word_f1((samples / "gt" / "invoice-english.txt").read_text(), pages[1]) > 95


def test_without_a_running_system_it_says_how_to_start_one(samples, tmp_path):
    run = subprocess.run(
        [Path(sys.executable).with_name("docscan"), "scan", samples / "images" / "letter-german.jpg", "-o", "out.pdf"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert run.returncode == 3
    assert "make run" in run.stderr
