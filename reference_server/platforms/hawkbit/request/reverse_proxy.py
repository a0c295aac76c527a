"""The reverse proxy in front of a hawkBit: it ends TLS, asks devices for certificates and vouches for them in headers.

A pure function of request, session and time. It does what hawkBit's own guide has nginx do (docs/authentication.md of
the real server): `ssl_verify_client optional`, devices without a certificate get 403, everybody with a wrong one 400,
and of those who show none and are no devices nothing is asked. The issuer is told by its hash, as the guide has it for
proxies that can. What the client itself says in the headers that stand for certificates never passes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platform import ClientVerifier, HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.request.plain_path import decoded_where_plain
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session

DEVICES: Final = re.compile(r"/.*/controller/", re.IGNORECASE)
"""The location of the guide, `~*/.*/controller/`."""
POLLED: Final = re.compile(r"/[^/]+/controller/v1/(?P<device>[^/]+)")
WRONG_CERTIFICATE: Final = ("400 The SSL certificate error", "400 Bad Request", "The SSL certificate error")
NO_CERTIFICATE: Final = ("403 Forbidden", "403 Forbidden", "")


def pass_on(
    request: HttpRequest, session: Session, now_us: int, verifier: ClientVerifier, names: tuple[str, str]
) -> HttpRequest | HttpAnswer:
    """The request as hawkBit gets it from the proxy, or the proxy's own answer.

    `names`: the headers for identity and authority, in lower case.
    """
    cleaned = replace(request, headers=_without(request.headers, names))
    if not session.tls:
        return cleaned
    if not session.certificates:
        if DEVICES.search(decoded_where_plain(request.path)) is None:
            return cleaned
        return _page(
            request, 403, NO_CERTIFICATE, "the proxy: the device has shown no certificate, and none without passes"
        )
    client = verifier.verify(session.certificates, now_us)
    if client.reason:
        why = f"the proxy: {client.reason} (the certificate of the device)"
        more = f": {client.explanation}" if client.explanation else ""
        return _page(request, 400, WRONG_CERTIFICATE, why + more)
    identity, authority = names
    name = as_nginx_tells(client.common_name)
    named = ((identity, name),) if name else ()
    told = tuple((f"{authority}-{number}", issuer) for number, issuer in enumerate(client.issuer_hashes, 1))
    return replace(cleaned, headers=(*cleaned.headers, *named, *told))


def as_nginx_tells(common_name: str) -> str:
    """A common name out of `$ssl_client_s_dn`, with the guide's map `~CN=(?<CN>[^,]+)`.

    The subject is written as RFC 2253 has it, so what is not ASCII arrives as `\\C3\\BC`, and nothing behind a comma.
    """
    text = "".join(_escaped(byte) for byte in common_name.encode())
    if text[:1] in ("#", " "):
        text = "\\" + text
    return text.partition(",")[0]


def _escaped(byte: int) -> str:
    if chr(byte) in ',+"\\<>;':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:02X}"


def _without(headers: Headers, names: tuple[str, str]) -> Headers:
    """Also numbered ones, and those that only differ in `_` and `-`, which some servers take for the same."""
    identity, authority = names
    stands_for = re.compile(rf"{re.escape(identity)}|{re.escape(authority)}(-\d+)?")
    return tuple((name, value) for name, value in headers if not stands_for.fullmatch(name.lower().replace("_", "-")))


def _page(request: HttpRequest, status: int, texts: tuple[str, str, str], reason: str) -> HttpAnswer:
    """As nginx writes its own pages. The trace gets to know whose poll it was."""
    found = POLLED.search(decoded_where_plain(request.path))
    device = "" if found is None else unquote(found["device"])
    title, heading, more = texts
    center = f"<center>{more}</center>\r\n" if more else ""
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n{center}"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return HttpAnswer(
        HttpResponse(status, (("Content-Type", "text/html"),), page.encode()), reason=reason, device=device
    )
