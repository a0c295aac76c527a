"""A console as the bench file describes it."""

from __future__ import annotations

import pytest

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.consoles.console_opening import console_of, dialect_of
from fleetrig.simulator.contract.errors import UsageError
from tests.hil.scripted_port import ScriptedPort, replying, run


def test_own_prompt_and_typing() -> None:
    port = ScriptedPort(replying(b"k1B1.\r\nMARS> \r\nk1E1.0.\r\nMARS> "))
    console = console_of("gw", ConsoleSpec("uboot", prompt="MARS> ", chunk_bytes=8), port, "k1")
    assert console.typing.chunk_bytes == 8
    assert run(console.run("x")).output == "MARS> "
    assert console.rest == "MARS> "
    assert console.dialect.prompt.search("MARS> and more") is None


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="has no console"):
        dialect_of("gw", ConsoleSpec("none"))
    with pytest.raises(UsageError, match="is no regular expression"):
        dialect_of("gw", ConsoleSpec("linux", prompt="(["))
