"""What the servlet container does by itself: its error page, when it closes connections, how much it takes (§0)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fleetrig.reference_server.http_container import FRAMING_IN_DOUBT, MIB, HttpContainerRules
from fleetrig.simulator.contract.http import HttpResponse

FORM_BYTES: Final = 16 * MIB
"""What may surround the largest artifact in an upload."""

CLOSES_AFTER: Final = FRAMING_IN_DOUBT | {400, 500, 501}

STYLE: Final = (
    "body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} "
    "h1 {font-size:22px;} h2 {font-size:16px;} h3 {font-size:14px;} p {font-size:12px;} a {color:black;} "
    ".line {height:1px;background-color:#525D76;border:none;}"
)


def container_page(status: int, *headers: tuple[str, str]) -> HttpResponse:
    """What it says of a request that no application ever sees (§0 "URL firewall")."""
    title = f"HTTP Status {status} – {HTTPStatus(status).phrase}"
    page = (
        f'<!doctype html><html lang="en"><head><title>{title}</title><style type="text/css">{STYLE}</style></head>'
        f"<body><h1>{title}</h1></body></html>"
    )
    type_and_language = (("Content-Type", "text/html;charset=utf-8"), ("Content-Language", "en"))
    return HttpResponse(status, (*type_and_language, *headers), page.encode())


def container_rules(artifact_bytes: int, context_path: str = "") -> HttpContainerRules:
    """`artifact_bytes` is the quota of one artifact."""
    upload_bytes = artifact_bytes + FORM_BYTES
    return HttpContainerRules(
        container_page, CLOSES_AFTER, upload_bytes, context_path=context_path, keep_alive="timeout=60"
    )
