"""The options of the plugin, and its setting in ini files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.simulator.contract.bounds import SEED

AGAINST: Final = "fleetrig_against"
_OF_RUN: Final = re.compile(r"(?<![\w-])--(against|change-tenant-settings|bench|allow-outside)\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fleetrig")
    group.addoption("--fleetrig-time", choices=("virtual", "real"), default="virtual", help="how scenario files run")
    group.addoption("--fleetrig-seed", type=seed, default=1, help="seed of scenario files")
    group.addoption("--fleetrig-bench", type=Path, help="where the boards of scenario files are (a bench file)")
    group.addoption("--fleetrig-fail-on-skip", action="store_true", help="a scenario file that is skipped fails")
    group.addoption("--fleetrig-allow-outside", action="store_true",
                    help="let scenario files read lists of units that lie outside their folder")  # fmt: skip
    group.addoption("--fleetrig-against", metavar="URL|SERVER.yaml",
                    help="the server of all fixtures and scenario files: none is started")  # fmt: skip
    group.addoption("--fleetrig-change-tenant-settings", action="store_true",
                    help="let tests change settings that hold for everybody on a server elsewhere")  # fmt: skip
    parser.addini(AGAINST, "as --fleetrig-against, which wins; a path is relative to the ini file", default="")


def as_in_pytest(text: str) -> str:
    """A sentence of `fleetrig run`, with its options as they are called here."""
    return _OF_RUN.sub(r"--fleetrig-\1", text)


def seed(text: str) -> int:
    """Raises ValueError for a number that no command takes either."""
    number = int(text)
    SEED.check(abs(number))
    return number


def against(config: pytest.Config) -> str:
    """The server that is given, as a URL or the path of a file; empty when servers are started."""
    given: str | None = config.getoption("--fleetrig-against")
    if given:
        return given
    named = str(config.getini(AGAINST))
    if not named or "://" in named or config.inipath is None:
        return named
    return str(config.inipath.parent / named)
