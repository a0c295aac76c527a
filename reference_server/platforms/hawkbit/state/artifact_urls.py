"""Where files are downloaded: `hawkbit.artifact.url.protocols.<name>.…` (`PropertyBasedArtifactUrlResolver.java`).

By default devices download from the address that they called. A CDN or a proxy that speaks TLS is one protocol more, or
another pattern of one that there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable
from fleetrig.reference_server.platforms.hawkbit.state.forwarded import NO_PORT, origin_parts
from fleetrig.reference_server.platforms.hawkbit.state.java_order import in_hash_order, string_hash

DDI, DMF, MGMT = "DDI", "DMF", "MGMT"
APIS: Final = (DDI, DMF, MGMT)
BY_REQUEST: Final = (
    "{protocolRequest}://{hostnameRequest}:{portRequest}{contextPath}/{tenant}/controller/v1/{controllerId}"
    "/softwaremodules/{softwareModuleId}/artifacts/{artifactFileName}"
)
DOWNLOAD, MD5SUM = "download-http", "md5sum-http"
MD5SUM_ENDING: Final = ".MD5SUM"
LEFT_OVER: Final = re.compile(r"\{[?&#/.+;]?[\w.*,:%]+\}", re.ASCII)
"""A placeholder without a value: the real server takes the link for a template then, and leaves it out."""


@dataclass(frozen=True, slots=True)
class UrlProtocol:
    """One link that every file has, with the defaults of a new protocol."""

    enabled: bool = True
    rel: str = DOWNLOAD
    ref: str = BY_REQUEST
    """The pattern of the link."""
    protocol: str = "http"
    hostname: str = "localhost"
    ip: str = "127.0.0.1"
    port: int | None = 8080
    supports: frozenset[str] = frozenset(APIS)
    """The APIs that show it."""


PROTOCOLS: Final[Mapping[str, UrlProtocol]] = {
    DOWNLOAD: UrlProtocol(supports=frozenset({DDI, DMF})),
    MD5SUM: UrlProtocol(rel=MD5SUM, ref=BY_REQUEST + MD5SUM_ENDING, supports=frozenset({DDI})),
}
"""Those that there are from the start."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file and who is to have it. `origin` is scheme and authority of the request, where links go by it."""

    tenant: str
    module_id: int
    filename: str
    sha1: str
    controller_id: str | None = None
    origin: str | None = None
    context_path: str = ""


def artifact_links(protocols: Mapping[str, UrlProtocol], api: str, download: Download) -> dict[str, Any]:
    """The links of a file for one API by rel; several with one rel are an array.

    Raises 400 for a link with a brace that begins no placeholder: the real server cannot read its own template then.
    """
    hrefs: dict[str, list[dict[str, str]]] = {}
    for name in in_hash_order(protocols, string_hash):
        one = protocols[name]
        if one.enabled and api in one.supports:
            hrefs.setdefault(one.rel, []).append({"href": _href(one, download)})
    return {rel: links[0] if len(links) == 1 else links for rel, links in hrefs.items()}


def _href(one: UrlProtocol, download: Download) -> str:
    """Nothing is encoded but the file's name: the tenant and the controllerId stand as they are."""
    href = one.ref
    for name, value in _values(one, download).items():
        href = href.replace(f"{{{name}}}", value)
    for name, port in _ports(one, download).items():
        href = href.replace(f":{{{name}}}", f":{port}" if port else "")
    href = LEFT_OVER.sub("", href)
    if "{" in href:
        raise not_readable(f"the link {href[:200]!r} is no template: a controllerId or a pattern holds a lone brace")
    return href


def _values(one: UrlProtocol, download: Download) -> dict[str, str]:
    scheme, host = one.protocol, one.hostname
    if download.origin is not None:
        scheme, host, _ = origin_parts(download.origin)
    whose = {} if download.controller_id is None else {"controllerId": download.controller_id}
    return {
        "protocol": one.protocol,
        "protocolRequest": scheme,
        "hostname": one.hostname,
        "hostnameRequest": host,
        "domainRequest": _in_domain_of(host, one.hostname),
        "ip": one.ip,
        "contextPath": download.context_path,
        "tenant": download.tenant,
        "softwareModuleId": str(download.module_id),
        "artifactFileName": form_encoded(download.filename),
        "artifactSHA1": download.sha1,
        **whose,
    }


def _ports(one: UrlProtocol, download: Download) -> dict[str, int | None]:
    if download.origin is None:
        return {"port": one.port, "portRequest": one.port}
    port = origin_parts(download.origin)[2]
    return {"port": one.port, "portRequest": None if port == NO_PORT else port}


def _in_domain_of(host: str, hostname: str) -> str:
    """The first word of `hostname` before the domain of the host that was called; one word alone stays as it is."""
    first, dot, _ = hostname.partition(".")
    return f"{first.strip()}.{host.partition('.')[2]}" if dot else hostname


def form_encoded(filename: str) -> str:
    """As in a form: a blank becomes `+`."""
    return quote_plus(filename, safe="*").replace("~", "%7E")
