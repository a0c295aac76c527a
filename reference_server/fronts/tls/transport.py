"""The transport that a front's protocol gets over TLS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleetrig.reference_server.fronts.tls.connection import TlsConnection


class TlsTransport(asyncio.Transport):
    """`get_extra_info("session")` is the `Session`, certificates and server name included."""

    __slots__ = ("_connection",)

    def __init__(self, connection: TlsConnection) -> None:
        self._connection = connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "session":
                return self._connection.session
            case "sslcontext":  # not to be None is what others ask of it
                return self._connection
            case _:
                return self._connection.outer.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._connection.is_closing

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self._connection.write(bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        self._connection.abort()

    def pause_reading(self) -> None:
        self._connection.pause()

    def resume_reading(self) -> None:
        self._connection.resume()

    def is_reading(self) -> bool:
        return self._connection.outer.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._connection.outer.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._connection.outer.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._connection.outer.get_write_buffer_limits()
