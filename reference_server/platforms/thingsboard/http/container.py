"""What the servlet container does by itself: its page for what no application sees, and when it closes connections.

It is an embedded Tomcat: the statuses are those of its Http11Processor, the page is its ErrorReportValve's.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fleetrig.reference_server.http_container import FRAMING_IN_DOUBT
from fleetrig.simulator.contract.http import HttpResponse

CLOSES_AFTER: Final = FRAMING_IN_DOUBT | {400, 411, 500, 501, 503}

STYLE: Final = (
    "body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} "
    "h1 {font-size:22px;} h2 {font-size:16px;} h3 {font-size:14px;} p {font-size:12px;} a {color:black;} "
    ".line {height:1px;background-color:#525D76;border:none;}"
)


def container_page(status: int) -> HttpResponse:
    """What it says of a request that is none."""
    title = f"HTTP Status {status} – {HTTPStatus(status).phrase}"
    page = (
        f'<!doctype html><html lang="en"><head><title>{title}</title><style type="text/css">{STYLE}</style></head>'
        f"<body><h1>{title}</h1></body></html>"
    )
    type_and_language = (("Content-Type", "text/html;charset=utf-8"), ("Content-Language", "en"))
    return HttpResponse(status, type_and_language, page.encode())
