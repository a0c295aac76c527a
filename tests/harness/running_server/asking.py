"""A device's requests, over the standard library."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import MappingProxyType

LIMIT_S = 20.0
NONE: Mapping[str, str] = MappingProxyType({})


def status_of(
    url: str, headers: Mapping[str, str] = NONE, body: bytes | None = None, tls: ssl.SSLContext | None = None
) -> int:
    """What a GET is answered with, or with a body a POST of JSON."""
    own = {**headers, **({} if body is None else {"Content-Type": "application/json"})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, own), timeout=LIMIT_S, context=tls) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
