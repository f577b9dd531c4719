"""Fixtures that more than one kind of test uses."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from local_system import DOCSCAN, ROOT, System, free_ports


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    """The system of DOCSCAN_DATA_DIR where that is set; otherwise one of our own, on free ports, from nothing."""
    if given := os.environ.get("DOCSCAN_DATA_DIR"):
        data_dir = Path(given).resolve()
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
        return
    data_dir = tmp_path_factory.mktemp("system") / "data"
    api, engine, textract = (str(port) for port in free_ports(3))
    subprocess.run(
        [DOCSCAN, "up", "--detach", "--data-dir", data_dir,
         "--api-port", api, "--engine-port", engine, "--textract-port", textract],
        cwd=ROOT, check=True,
    )  # fmt: skip
    try:
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
    finally:
        subprocess.run([DOCSCAN, "down", "--data-dir", data_dir], cwd=ROOT, check=True)
        shutil.rmtree(data_dir)


@pytest.fixture(scope="session")
def real_pages():
    """The folder of real pages with ground truth that DOCSCAN_TEST_PAGES names."""
    folder = os.environ.get("DOCSCAN_TEST_PAGES")
    if not folder:
        pytest.skip("DOCSCAN_TEST_PAGES names no folder of real pages with ground truth")
    return Path(folder)


@pytest.fixture(scope="session")
def pdftotext():
    """What poppler's pdftotext reads in a PDF."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is missing: install poppler-utils")

    def read(pdf):
        return subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout

    return read
