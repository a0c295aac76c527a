"""What a device says of a connection that failed: the words of `NoReply`, the same in real time and under load."""

from __future__ import annotations

import ssl


def why_no_connection(error: BaseException) -> str:
    """The word of `NoReply` for what went wrong with a connection."""
    match error:
        case TimeoutError():
            return "timeout"
        case EOFError():
            return "closed"
        case ssl.SSLError():
            return "tls"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "reset"
        case OSError():
            return "unreachable"
        case _:
            return "malformed"
