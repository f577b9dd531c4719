"""Real pages from the command line: what is recognised, and what the PDFs say."""

import json

import pytest
from scoring import word_f1


@pytest.fixture(scope="module")
def scans(system, real_pages, tmp_path_factory):
    """Each real page scanned by itself: `{id: (truth, text file, PDF file)}`."""
    folder = tmp_path_factory.mktemp("scans")
    scanned = {}
    for page in json.loads((real_pages / "manifest.json").read_text()):
        name, text, pdf = page["id"], folder / f"{page['id']}.txt", folder / f"{page['id']}.pdf"
        run = system.docscan("scan", real_pages / "images" / page["image"], "-o", pdf, "--text", text)
        assert run.returncode == 0, run.stdout + run.stderr
        scanned[name] = ((real_pages / "gt" / f"{name}.txt").read_text(), text, pdf)
    return scanned


def test_text_is_recognised_with_a_mean_word_f1_of_at_least_90(scans):
    scores = {name: word_f1(truth, text.read_text()) for name, (truth, text, _) in scans.items()}
    print(*(f"{score:5.1f}  {name}" for name, score in scores.items()), sep="\n")

    assert sum(scores.values()) / len(scores) >= 90


def test_the_text_layer_says_what_was_recognised(scans, pdftotext):
    for name, (_, text, pdf) in scans.items():
        assert word_f1(text.read_text(), pdftotext(pdf)) > 97, name
