"""The scripts find each other beside them, as Python has it for what is started as a script."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "scripts"))
