"""What is refused for its path or method before anybody asks who calls.

Two layers, as in the real server: the servlet container answers what is no path with its page, Spring's strict firewall
refuses what could be misread.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from fleetrig.reference_server.platforms.thingsboard.http.container import container_page
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, plain
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
TRACE_ALLOWS: Final = "HEAD, DELETE, POST, GET, OPTIONS, PUT"
PLAIN_TARGET: Final = re.compile(r"/[A-Za-z0-9/_.~!$&'()*+,:@=?-]*", re.ASCII)
"""Targets of these alone need no second look, unless segments are empty or dots."""
NO_TARGET: Final = re.compile(r"[^\x21-\x7e]|[\"<>\\^`{|}#\[\]]")
NO_PATH: Final = re.compile(r"%(?:2[fF]|5[cC]|00|(?![0-9a-fA-F]{2}))")
MISREAD: Final = re.compile(r";|//|%(?:3[bB]|25|2[eE]|0[aAdD])|/\.{1,2}(?:/|$)")


def container_answer(request: HttpRequest) -> HttpResponse | None:
    """What the servlet container answers by itself: its page, for what no URL may hold. None: it lets it through."""
    target, path = request.target, request.path
    if PLAIN_TARGET.fullmatch(target):
        return None
    if not path.startswith("/") or NO_TARGET.search(target) or NO_PATH.search(path) or not _is_utf8(path):
        return container_page(400)
    return None


def check_request(request: HttpRequest) -> None:
    """Raises 400 for what the strict firewall refuses: a method that it does not know, a path of two meanings."""
    if request.method not in METHODS:
        headers = (("Allow", TRACE_ALLOWS),) if request.method == "TRACE" else ()
        raise plain(400, reason=f"method {request.method[:20]} is not let through", headers=headers)
    if (found := MISREAD.search(request.path)) is not None:
        reason = f"the URL firewall refuses {found.group()!r} in a path: {request.path[:200]}"
        raise HttpRefusal(400, "Bad Request", reason=reason, framework=True)


def _is_utf8(path: str) -> bool:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True
