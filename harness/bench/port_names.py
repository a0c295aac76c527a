"""What a port may be called in a bench file, and which names stay the same when an adapter is plugged in anew."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = ("rfc2217", "socket")
NUMBERED: Final = re.compile(r"/dev/tty(USB|ACM)\d+")
"""The kernel numbers these as they come: after a reboot another board may have the name."""


def checked_port(port: str) -> str:
    """Raises ValueError for what is neither the path of a device nor a URL that we can open."""
    if "://" not in port:
        if not port.startswith("/"):
            raise ValueError("expected the whole path of a device, /dev/…, or rfc2217://HOST:PORT")
        return port
    url = urlsplit(port)
    if url.scheme not in SCHEMES:
        raise ValueError(f"expected {' or '.join(f'{scheme}://HOST:PORT' for scheme in SCHEMES)}, or /dev/…")
    try:
        has_port = url.port is not None
    except ValueError:
        has_port = False
    if not url.hostname or not has_port:
        raise ValueError(f"expected {url.scheme}://HOST:PORT")
    return port


def is_stable(port: str) -> bool:
    """Whether it names the same adapter after a reboot."""
    return NUMBERED.fullmatch(port) is None
