"""What a request to hawkBit's device interface is called, by its method, path and body alone.

The words are those that our own devices use (`poll`, `configData`, `feedback-closed` …), so that a check reads the same
whether a device tells what it does or the server has to. Paths: docs/contracts/hawkbit.md §2.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from fleetrig.harness.platform import DeviceCall
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import TraceEvent

DEVICE_PATH: Final = re.compile(r"/controller/v1/(?P<id>[^/]+)(?P<inside>/.*)?")

INSIDE: Final = (
    ("poll", re.compile(r"/?")),
    ("configData", re.compile(r"/configData")),
    ("deploymentBase", re.compile(r"/deploymentBase/[^/]+")),
    ("cancelAction", re.compile(r"/cancelAction/[^/]+")),
    ("feedback", re.compile(r"/(deploymentBase|cancelAction|confirmationBase)/[^/]+/feedback")),
    ("installedBase", re.compile(r"/installedBase(/[^/]+)?")),
    ("activateAutoConfirm", re.compile(r"/confirmationBase/activateAutoConfirm")),
    ("deactivateAutoConfirm", re.compile(r"/confirmationBase/deactivateAutoConfirm")),
    ("confirmationBase", re.compile(r"/confirmationBase(/[^/]+)?")),
    ("artifacts", re.compile(r"/softwaremodules/[^/]+/artifacts")),
    ("download-md5", re.compile(r"/softwaremodules/[^/]+/artifacts/[^/]+\.MD5SUM")),
    ("download", re.compile(r"/softwaremodules/[^/]+/artifacts/[^/]+")),
)
"""The first that fits what stands behind the controllerId."""

UNKNOWN: Final = "unknown"


def call_in(event: TraceEvent) -> DeviceCall | None:
    """What the server has received there; None for what no device asks for."""
    return device_call(event.envelope) if isinstance(event.envelope, HttpRequest) else None


def device_call(request: HttpRequest) -> DeviceCall | None:
    """None for what no device asks for, the Management API for instance. A HEAD is `download-head`, `poll-head` …"""
    found = DEVICE_PATH.search(request.path)
    if found is None:
        return None
    inside = found["inside"] or ""
    name = next((name for name, pattern in INSIDE if pattern.fullmatch(inside)), UNKNOWN)
    if name == "feedback" and (said := _said(request)):
        name = f"feedback-{said}"
    if request.method == "HEAD":
        name += "-head"
    return DeviceCall(unquote(found["id"]), name)


def _said(request: HttpRequest) -> str:
    """What a report says: its `status.execution`, or its `confirmation`; empty when that cannot be read."""
    try:
        document = read_json(request.body) if isinstance(request.body, bytes) else None
    except NotJson:
        return ""
    match document:
        case {"status": {"execution": str() as said}} | {"confirmation": str() as said}:
            return said
        case _:
            return ""
