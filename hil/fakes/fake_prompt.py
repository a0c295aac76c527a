"""A shell's prompt on a fake board: what is typed is echoed, edited and handed over line by line."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.fakes.fake_board import Hear, Say

CTRL_C: Final = 0x03
RUB_OUT: Final = (0x08, 0x7F)
ENDS: Final = (0x0A, 0x0D)


@dataclass(slots=True)
class Prompt:
    """`held` has come and was not read yet: bytes typed ahead."""

    text: str
    echoes: bool = True
    held: bytes = b""

    def line(self) -> Generator[Say | Hear, bytes, str]:
        """Shows the prompt and returns the next line. Ctrl-C begins it anew."""
        typed = bytearray()
        yield Say(self.text.encode())
        while True:
            self.held = self.held or (yield Hear())
            byte, self.held = self.held[0], self.held[1:]
            if byte in ENDS:
                if byte == 0x0D and self.held.startswith(b"\n"):
                    self.held = self.held[1:]
                yield Say(b"\r\n" if self.echoes else b"")
                return typed.decode(errors="replace")
            if byte == CTRL_C:
                typed.clear()
                yield Say(b"^C\r\n" + self.text.encode())
            elif byte in RUB_OUT:
                if typed:
                    typed.pop()
                    yield Say(b"\b \b" if self.echoes else b"")
            else:
                typed.append(byte)
                if self.echoes:
                    yield Say(bytes([byte]))
