"""QEMU's control socket: JSON lines, one command at a time. `cont`, `stop`, `system_reset`, `quit`, `set_link`."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any, Final

from fleetrig.simulator.contract.errors import BrokenBench

ANSWER_WITHIN_S: Final = 30.0


class Qmp:
    """An open control socket. Make it with `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, connected: socket.socket) -> Qmp:
        """Waits for the greeting and is ready for commands. Raises BrokenBench."""
        qmp = cls(*await asyncio.open_unix_connection(sock=connected))
        try:
            await qmp._document("the greeting")
            await qmp.execute("qmp_capabilities")
        except BaseException:
            await qmp.close()
            raise
        return qmp

    async def execute(self, command: str, **arguments: object) -> Any:
        """What QEMU returns for it. Raises BrokenBench when it refuses, or is gone."""
        line = json.dumps({"execute": command, "arguments": arguments})
        try:
            self._writer.write(line.encode() + b"\n")
            await self._writer.drain()
            while True:
                document = await self._document(command)
                if "error" in document:
                    raise BrokenBench(f"QEMU refuses {command}: {document['error'].get('desc', document['error'])}")
                if "return" in document:
                    return document["return"]
        except ConnectionError as error:
            raise BrokenBench(f"QEMU is gone: {command} was not answered ({error})") from None

    async def _document(self, awaited: str) -> Any:
        """The next one, which may be an event that nobody asked for."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                line = await self._reader.readline()
        except ConnectionError:
            line = b""
        except TimeoutError:
            raise BrokenBench(f"QEMU did not answer {awaited} in {ANSWER_WITHIN_S:g} s") from None
        if not line:
            raise BrokenBench(f"QEMU ended before it answered {awaited}")
        try:
            return json.loads(line)
        except ValueError:
            raise BrokenBench(f"QEMU answered {awaited} with what is no JSON: {line[:200]!r}") from None

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
