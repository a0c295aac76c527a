"""What is refused for its path or host before anybody looks at credentials (§0 "URL firewall").

Two layers, as in the real server: the servlet container answers what is no path at all with an HTML page, Spring's
strict firewall answers what could be misread with the framework body. Between them lies the DoS filter.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from fleetrig.reference_server.platforms.hawkbit.request.container import container_page
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.simulator.contract.http import Headers, HttpResponse

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
TRACE_ALLOWS: Final = "HEAD, DELETE, POST, GET, OPTIONS, PUT"
CONTAINER_METHODS: Final = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
NO_PATH: Final = re.compile(r"\\|%(?:2[fF]|5[cC]|00|(?![0-9a-fA-F]{2}))|[^\x21-\x7e]|[\"<>^`{|}#\[\]]")
MISREAD: Final = re.compile(r";|//|%(?:3[bB]|25|2[eE]|0[aAdD])|/\.{1,2}(?:/|$)|%[eE]2%80%[aA][89]")
NON_ASCII: Final = re.compile(r"%[89a-fA-F]")


def container_answer(method: str, target: str, path: str) -> HttpResponse | None:
    """What the servlet container answers by itself.

    Its HTML page for `%2F`, `%5C`, `\\`, `%00`, invalid UTF-8, what no URL may hold, and `CONNECT`; for `OPTIONS *` a
    list of methods.
    """
    if method == "CONNECT":
        return container_page(501, ("Connection", "close"))
    if path == "*" and method == "OPTIONS":
        return HttpResponse(200, (("Allow", CONTAINER_METHODS),))
    if not path.startswith("/"):
        return container_page(400, ("Connection", "close"))
    if not NO_PATH.search(target if "?" not in target else _with_legal_query(target, path)) and _is_utf8(path):
        return None
    return container_page(400, ("Connection", "close"))


def _with_legal_query(target: str, path: str) -> str:
    """The query may hold any percent-encoding; only its bare characters count."""
    return path + target[len(path) + 1 :].replace("%", "")


def _is_utf8(path: str) -> bool:
    if "%" not in path or not NON_ASCII.search(path):
        return True
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def check_path(method: str, path: str, *, has_body: bool = True) -> None:
    """Raises 400 for what the strict firewall refuses; `has_body` is about methods (`Traits`)."""
    if method not in METHODS and not has_body:
        allow = (("Allow", TRACE_ALLOWS),) if method == "TRACE" else ()
        raise HawkbitError(400, secured=False, headers=allow, reason=f"method {method[:20]} is not let through")
    if method not in METHODS:
        if method == "TRACE":
            raise _refused(405, "method TRACE is not let through", (("Allow", TRACE_ALLOWS),))
        raise _refused(400, f"method {method[:20]} is not let through")
    if (found := MISREAD.search(path)) is not None:
        raise _refused(400, f"the URL firewall refuses {found.group()!r} in a path: {path[:200]}")


def check_host(host: str, allowed: tuple[str, ...]) -> None:
    """Raises an empty 400 for a `Host` that is not on the list, if there is a list."""
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if allowed and name not in allowed:
        raise HawkbitError(400, secured=False, reason=f"host {name[:100]!r} is not one of {', '.join(allowed)}")


def _refused(status: int, reason: str, headers: Headers = ()) -> HawkbitError:
    return HawkbitError(status, framework=True, headers=headers, secured=False, reason=reason)
