"""The whole byte stream of a port as a file of JSON lines, both directions, with time stamps, from power-on.

    {"at_us": 1767225600000000, "way": "from_board", "text": "U-Boot 2023.01\\r\\n"}
    {"at_us": 1767225600100000, "way": "from_board", "base64": "/wCA"}

One entry for each line of the console, so that a secret in it is found and masked; what has no end is written when
nothing more comes for a while: a slow board is typed at in pieces, and half a secret would not be found. Everything
written survives `kill -9` of this process. The file is bounded: the previous part is `<name>.1`, and older ones are
gone, with their number of bytes told in the first line of the new part.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import Final

from fleetrig.hil.port import BoardPort, PortBytes, Way
from fleetrig.simulator.contract.errors import BrokenBench, shown_path, system_said

PART_LIMIT_BYTES: Final = 32 * 1024 * 1024
HELD_LIMIT_BYTES: Final = 4_096
"""Of a line without an end; a transfer has few ends of lines."""
HELD_S: Final = 1.0


def _as_it_is(text: str) -> str:
    return text


class PortEvidence:
    """Belongs to whoever owns the port; `attach` it to each port object that follows. `hide` is `Secrets.hide`."""

    def __init__(
        self, path: Path, hide: Callable[[str], str] = _as_it_is, part_limit_bytes: int = PART_LIMIT_BYTES
    ) -> None:
        """Raises BrokenBench when the file cannot be made."""
        self.path = path
        self._hide = hide
        self._part_limit_bytes = part_limit_bytes
        self._written_bytes = self._gone_bytes = 0
        self._entries: list[str] = []
        self._held: dict[Way, PortBytes] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._quiet_at_s = 0.0
        self.failed: BrokenBench | None = None
        """The disk failed: evidence from here on is missing. Whoever owns the run raises it."""
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None

    def attach(self, port: BoardPort) -> Callable[[], None]:
        """Hears it from now on, until the returned function is called."""
        return port.watch(self.hear)

    def hear(self, heard: PortBytes) -> None:
        held = self._held.pop(heard.way, None)
        at_us, data = (held.at_us, held.data + heard.data) if held is not None else (heard.at_us, heard.data)
        *whole, rest = data.split(b"\n")
        for index, line in enumerate(whole):
            self._write(at_us if index == 0 else heard.at_us, heard.way, line + b"\n")
            at_us = heard.at_us
        while len(rest) >= HELD_LIMIT_BYTES:
            self._write(at_us, heard.way, rest[:HELD_LIMIT_BYTES])
            rest = rest[HELD_LIMIT_BYTES:]
        if rest:
            self._held[heard.way] = PortBytes(at_us, heard.way, rest)
            loop = asyncio.get_running_loop()
            self._quiet_at_s = loop.time() + HELD_S
            if self._timer is None:
                self._timer = loop.call_at(self._quiet_at_s, self._flush_if_quiet)
        self._put_out()

    def note(self, at_us: int, said: str) -> None:
        """What belongs into the record beside the bytes: `power on`, `unplugged`."""
        self.flush()
        self._note(at_us, said)
        self._put_out()

    def flush(self) -> None:
        """Writes what has no end yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held = sorted(self._held.values(), key=lambda one: one.at_us)
        self._held.clear()
        for one in held:
            self._write(one.at_us, one.way, one.data)
        self._put_out()

    def _flush_if_quiet(self) -> None:
        """More may have come since the timer was set."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._quiet_at_s:
            self._timer = loop.call_at(self._quiet_at_s, self._flush_if_quiet)
        else:
            self.flush()

    def close(self) -> None:
        """Idempotent."""
        self.flush()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _write(self, at_us: int, way: Way, data: bytes) -> None:
        try:
            content = f'"text": {_quoted(self._hide(data.decode("utf-8")))}'
        except UnicodeDecodeError:
            hidden = self._hide(data.decode("latin-1")).encode("latin-1")
            content = f'"base64": "{base64.b64encode(hidden).decode("ascii")}"'
        self._entries.append(f'{{"at_us": {at_us}, "way": "{way}", {content}}}\n')

    def _note(self, at_us: int, said: str) -> None:
        self._entries.append(f'{{"at_us": {at_us}, "note": {_quoted(self._hide(said))}}}\n')

    def _put_out(self) -> None:
        """All entries of one piece at once: a system call for each line would cost more than all the rest."""
        lines = "".join(self._entries).encode()
        self._entries.clear()
        if not lines or self._descriptor < 0 or self.failed is not None:
            return
        try:
            if self._written_bytes and self._written_bytes + len(lines) > self._part_limit_bytes:
                lines = self._begin_part() + lines
            os.write(self._descriptor, lines)
        except OSError as error:
            self.failed = BrokenBench(f"{shown_path(self.path)}: {system_said(error)}")
        self._written_bytes += len(lines)

    def _begin_part(self) -> bytes:
        """Returns the first line of the new part, if there is something to say."""
        previous = self.path.with_name(self.path.name + ".1")
        if previous.exists():
            self._gone_bytes += previous.stat().st_size
        self.path.replace(previous)
        os.close(self._descriptor)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._written_bytes = 0
        if not self._gone_bytes:
            return b""
        return f'{{"note": "{self._gone_bytes} bytes of this record are gone: it is bounded"}}\n'.encode()
