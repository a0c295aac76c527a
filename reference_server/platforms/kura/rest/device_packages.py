"""Packages of a device, by DEPLOY-V2 (spec 3.3, 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.reference_server.platform import HeldRequest
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, boolean, int32, int64, string
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.device_outcomes import Asked, Unreadable, ask_device
from fleetrig.reference_server.platforms.kura.rest.devices import wanted_device
from fleetrig.reference_server.platforms.kura.rest.forms import flag, inner, needed_text, text, whole
from fleetrig.reference_server.platforms.kura.rest.replies import Reply
from fleetrig.reference_server.platforms.kura.safe_xml import BadXml, Element, read_xml
from fleetrig.reference_server.platforms.kura.state.errors import illegal

DEPLOY: Final = "DEPLOY-V2"
JOBS: Final = "kura.deploy_jobs"
"""Name of the sequence of job ids."""
SHORT: Final = 2_048
MOST_INT: Final = (1 << 31) - 1


def read_all(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(DEPLOY, "GET", "packages"), _packages)


def download(call: Call) -> HeldRequest:
    """POST …/packages/_download."""
    asked = call.document
    uri = needed_text(asked, "uri", SHORT)
    scheme = urlsplit(uri).scheme.upper() if uri.isascii() else ""
    if scheme not in ("HTTP", "HTTPS"):
        raise illegal("uri", uri[:80], "expected http:// or https://")
    job_id = call.registry.store.next_id(JOBS)
    metrics: dict[str, Metric] = {
        "job.id": int64(job_id),
        "dp.uri": string(uri),
        "dp.name": string(needed_text(asked, "name", SHORT)),
        "dp.version": string(needed_text(asked, "version", SHORT)),
        "dp.download.protocol": string(scheme),
        "dp.install": boolean(flag(asked, "install", default=True)),
        "dp.install.system.update": boolean(text(asked, "fileType") == "EXECUTABLE_SCRIPT"),
        **_options(call, asked),
    }
    request = Asked(DEPLOY, "EXEC", "download", metrics)
    return ask_device(call, wanted_device(call), request, lambda _: _operation(job_id, "download"))


def uninstall(call: Call) -> HeldRequest:
    """POST …/packages/_uninstall."""
    asked = call.document
    job_id = call.registry.store.next_id(JOBS)
    metrics = {
        "job.id": int64(job_id),
        "dp.name": string(needed_text(asked, "name", SHORT)),
        "dp.version": string(needed_text(asked, "version", SHORT)),
        "dp.reboot": boolean(flag(asked, "reboot")),
    }
    request = Asked(DEPLOY, "EXEC", "uninstall", metrics)
    return ask_device(call, wanted_device(call), request, lambda _: _operation(job_id, "uninstall"))


def _options(call: Call, asked: Mapping[str, Any]) -> dict[str, Metric]:
    """What may be said of a download."""
    found: dict[str, Metric] = {}
    for name, metric in (
        ("username", "dp.download.username"),
        ("password", "dp.download.password"),
        ("fileHash", "dp.download.hash"),
    ):
        if value := text(asked, name, SHORT):
            found[metric] = string(value)
    call.registry.learn("password", text(asked, "password", SHORT))
    advanced = inner(asked, "advancedOptions")
    for name, metric in (
        ("blockSize", "dp.download.block.size"),
        ("blockDelay", "dp.download.block.delay"),
        ("blockTimeout", "dp.download.timeout"),
        ("notifyBlockSize", "dp.download.notify.block.size"),
    ):
        if (number := whole(advanced, name)) is not None:
            found[metric] = int32(_int(name, number))
    if "reboot" in asked:
        found["dp.reboot"] = boolean(flag(asked, "reboot"))
        found["dp.reboot.delay"] = int32(_int("rebootDelay", whole(asked, "rebootDelay") or 0))
    return found


def _int(name: str, number: int) -> int:
    if not 0 <= number <= MOST_INT:
        raise illegal(name, str(number), f"a number from 0 to {MOST_INT:,}")
    return number


def _operation(job_id: int, resource: str) -> Reply:
    """The device goes on by itself and tells how far it is; its job id tells which job it speaks of."""
    shown = {"type": "deviceManagementOperation", "operationId": str(job_id), "resource": resource}
    return Reply({**shown, "appId": DEPLOY, "action": "EXECUTE", "status": "RUNNING"}, changed=f"{resource} {job_id}")


def _packages(reply: KuraPayload) -> Reply:
    try:
        root = read_xml(reply.body or b"")
    except BadXml as bad:
        raise Unreadable(str(bad)) from None
    return Reply({"type": "devicePackages", "devicePackage": [_package(one) for one in root.all("package")]})


def _package(element: Element) -> dict[str, Any]:
    bundles = element.child("bundles")
    found = [] if bundles is None else [_named(one) for one in bundles.all("bundle")]
    return {**_named(element), "bundleInfos": {"bundleInfo": found}}


def _named(element: Element) -> dict[str, Any]:
    return {"name": element.child_text("name"), "version": element.child_text("version")}
