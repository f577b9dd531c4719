"""The programs that the benchmarks compare with, in an environment of their own, made on demand: .docscan/peers.

They are no dependency of the project: nothing but a benchmark uses them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("ocrmypdf==17.13.0", "img2pdf==0.6.3")
LANGUAGES = ("eng", "fra")
_FOLDER = Path(__file__).parents[1] / ".docscan" / "peers"


class PeerMissingError(RuntimeError):
    """A program to compare with is not there and cannot be installed; the message says what to do."""


def python() -> Path:
    """Return the environment's interpreter; install its packages first where they are missing."""
    interpreter = _FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = _FOLDER / f"ready-{'-'.join(PACKAGES)}"
    if not ready.exists():
        print(f"Installing {' and '.join(PACKAGES)} into {_FOLDER}", file=sys.stderr)
        try:
            _run(sys.executable, "-m", "venv", "--clear", _FOLDER)
            _run(interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES)
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["it does not say why"])[-1]
            raise PeerMissingError(f"{' and '.join(PACKAGES)} cannot be installed from PyPI: {last}") from error
        ready.touch()
    return interpreter


def ocrmypdf() -> Path:
    """Return the interpreter that runs `-m ocrmypdf`, which needs Tesseract and its data from the operating system."""
    if not shutil.which("tesseract"):
        packages = " ".join(f"tesseract-ocr-{language}" for language in LANGUAGES)
        raise PeerMissingError(f"ocrmypdf needs Tesseract (Debian: apt-get install tesseract-ocr {packages})")
    present = _run("tesseract", "--list-langs").stdout.split()
    if missing := [language for language in LANGUAGES if language not in present]:
        packages = " ".join(f"tesseract-ocr-{language}" for language in missing)
        raise PeerMissingError(
            f"Tesseract's data for {' and '.join(missing)} is missing (Debian: apt-get install {packages})"
        )
    return python()


def tesseract_version() -> str:
    return _run("tesseract", "--version").stdout.splitlines()[0]


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True)
