"""One client of a shared port: Telnet and RFC 2217 by pyserial's PortManager, in front of a port that it cannot break.

PortManager expects an adapter with all modem lines; a pseudo-terminal has none, and reading them would end the client
after seconds of silence. So it gets `ShownPort`: settings as they are, lines that are never set, and a list of what the
client asks to be done, in its order.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from serial import rfc2217

IAC: Final = b"\xff"
SUBOPTION_BYTES: Final = 64
"""The longest of RFC 2217 but SIGNATURE is 6 bytes; PortManager itself would collect without an end."""
BAUD_RANGE: Final = range(50, 20_000_001)


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes for the board."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SetSpeed:
    baud: int


@dataclass(frozen=True, slots=True)
class SetLine:
    """`line` is `rts` or `dtr`."""

    line: str
    on: bool


@dataclass(frozen=True, slots=True)
class Break:
    """As long as the bench holds one: the client's own length is lost on the way."""


Change = Wrote | SetSpeed | SetLine | Break


class NotRfc2217(ValueError):
    """The client sent what no client of RFC 2217 sends; `str()` says what."""


class ShownPort:
    """What PortManager takes for a port of pyserial. It stays at eight bits, no parity, one stop bit, no flow control:
    a client that asks for others is answered with these.
    """

    cts = dsr = ri = cd = False
    xonxoff = rtscts = False

    def __init__(self, baud: int) -> None:
        self.changes: list[Change] = []
        self._baud = baud

    @property
    def baudrate(self) -> int:
        return self._baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        if baud not in BAUD_RANGE:
            raise ValueError(f"no line has {baud} baud")
        if baud != self._baud:
            self._baud = baud
            self.changes.append(SetSpeed(baud))

    bytesize = property(lambda _: 8, lambda _, wanted: _only(8, wanted))
    parity = property(lambda _: "N", lambda _, wanted: _only("N", wanted))
    stopbits = property(lambda _: 1, lambda _, wanted: _only(1, wanted))

    def __setattr__(self, name: str, value: Any) -> None:
        match name:
            case "rts" | "dtr":
                self.changes.append(SetLine(name, bool(value)))
            case "break_condition":
                self.changes += [Break()] if value else []
            case "xonxoff" | "rtscts":
                pass
            case _:
                super().__setattr__(name, value)

    def reset_input_buffer(self) -> None:
        """What has come has been sent on already."""

    def reset_output_buffer(self) -> None:
        """Nothing waits here."""

    def wrote(self, data: bytes) -> None:
        if data:
            self.changes.append(Wrote(data))


def _only(has: object, wanted: object) -> None:
    if wanted != has:
        raise ValueError(f"the line has {has}")


class Rfc2217Client:
    """`send` puts bytes on the way to the client; negotiation begins at once."""

    def __init__(self, baud: int, send: Callable[[bytes], None]) -> None:
        self._shown = ShownPort(baud)
        self._send = send
        manager: Any = rfc2217.PortManager  # its stubs ask for a whole Serial, of which it uses this much
        self._manager = manager(self._shown, _Connection(send))

    def heard(self, data: bytes) -> None:
        """The board said this."""
        self._send(data.replace(IAC, IAC + IAC))

    def asked(self, received: bytes) -> list[Change]:
        """What the client wants done, in its order. Raises NotRfc2217."""
        plain = bytearray()
        for at in range(len(received)):
            before = len(self._shown.changes)
            plain += self._filtered(received[at : at + 1])
            if len(self._shown.changes) > before:  # a setting between data applies to what follows it
                setting = self._shown.changes.pop()
                self._shown.wrote(bytes(plain))
                self._shown.changes.append(setting)
                plain.clear()
        self._shown.wrote(bytes(plain))
        changes, self._shown.changes = self._shown.changes, []
        return changes

    def _filtered(self, byte: bytes) -> bytes:
        try:
            plain = b"".join(self._manager.filter(byte))
        except (struct.error, KeyError, TypeError, ValueError) as error:
            raise NotRfc2217(f"a setting that is none ({type(error).__name__}: {error})") from None
        if self._manager.suboption is not None and len(self._manager.suboption) > SUBOPTION_BYTES:
            raise NotRfc2217(f"a setting of more than {SUBOPTION_BYTES} bytes")
        return plain


@dataclass(frozen=True, slots=True)
class _Connection:
    write: Callable[[bytes], None]
