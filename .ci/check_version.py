"""Fails unless the topmost version of the changelog is the one in pyproject.toml."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
headings = re.findall(r"^## \[?([0-9][^\s\]]*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
if headings[:1] != [project]:
    sys.exit(f"CHANGELOG.md starts with {headings[0] if headings else 'no version'}, pyproject.toml says {project}")
