"""A model of MCUboot's SMP server on a pseudo-terminal: framing and messages by hand, so that it judges the client."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from pathlib import Path
from typing import Any, Final

import cbor2

from fleetrig.hil.ports.pty_line import PtyLine

HEADER: Final = struct.Struct("!BBHHBB")
BUFFER_BYTES: Final = 512
CONSOLE_TEXT: Final = b"*** Booting Zephyr ***\r\n"


def mcuboot_image(payload: bytes) -> bytes:
    """Header, body, and its hash: what imgtool makes, without a signature."""
    body = struct.pack("<LLHHLLBBHL4x", 0x96F3B83D, 0, 32, 0, len(payload), 0, 1, 2, 3, 4) + payload
    tlv = struct.pack("<BxH", 0x10, 32) + hashlib.sha256(body).digest()
    return body + struct.pack("<HH", 0x6907, 4 + len(tlv)) + tlv


class SmpServer:
    """A board with one slot. `loses` are the numbers of upload requests that never arrive."""

    def __init__(self, folder: Path, name: str = "gw-7", loses: frozenset[int] = frozenset(), rc: int = 0) -> None:
        self.line = PtyLine(folder / "console", self._typed)
        self.name = name
        self.slot = b""
        self.uploads = 0
        self.offsets: list[int] = []
        """Where the client wrote."""
        self.becomes = ""
        """Its name once it has been asked for it once."""
        self.keeps = True
        self._loses = loses
        self._rc = rc
        self._size_bytes = 0
        self._sha = b""
        self._lines = b""
        self._encoded = b""

    def _typed(self, data: bytes) -> None:
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            assert len(line) + 1 <= 127, "longer than a board's line buffer"
            self._encoded = line[2:] if line.startswith(b"\x06\x09") else self._encoded + line[2:]
            whole = base64.b64decode(self._encoded)
            (length,) = struct.unpack("!H", whole[:2])
            if len(whole) == length + 2:
                assert len(whole) <= BUFFER_BYTES, "larger than the board's buffer"
                assert binascii.crc_hqx(whole[2:], 0) == 0
                self._request(whole[2:-2])

    def _request(self, frame: bytes) -> None:
        op, _, _, group, sequence, command = HEADER.unpack(frame[: HEADER.size])
        answer = self._answer(group, command, cbor2.loads(frame[HEADER.size :]))
        if answer is None:
            return
        body = cbor2.dumps(answer)
        reply = HEADER.pack(op + 1, 0, len(body), group, sequence, command) + body
        encoded = base64.b64encode(
            struct.pack("!H", len(reply) + 2) + reply + struct.pack("!H", binascii.crc_hqx(reply, 0))
        )
        for at in range(0, len(encoded), 120):
            self.line.say((b"\x04\x14" if at else CONSOLE_TEXT + b"\x06\x09") + encoded[at : at + 120] + b"\n")

    def _answer(self, group: int, command: int, request: dict[str, Any]) -> dict[str, Any] | None:
        match group, command:
            case 0, 6:
                return {"buf_size": BUFFER_BYTES, "buf_count": 4}
            case 0, 7:
                name, self.name = self.name, self.becomes or self.name
                return {"output": name}
            case 1, 0:
                return {"images": [self._state()] if self.slot else []}
            case 1, 1:
                return self._upload(request)
            case _:
                return {"rc": 8}

    def _state(self) -> dict[str, Any]:
        return {"slot": 0, "version": "1.2.3", "hash": hashlib.sha256(self.slot[:-40]).digest(), "bootable": True}

    def _upload(self, request: dict[str, Any]) -> dict[str, Any] | None:
        self.uploads += 1
        if self._rc:
            return {"rc": self._rc}
        if self.uploads in self._loses:
            return None
        if request["off"] == 0 and request["sha"] != self._sha:
            self._size_bytes, self._sha, self.slot = request["len"], request["sha"], b""
        if request["off"] == len(self.slot):
            self.offsets.append(request["off"])
            self.slot += request["data"] if self.keeps else bytes(len(request["data"]))
        return {"off": len(self.slot)}
