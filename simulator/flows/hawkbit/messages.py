"""hawkBit's Direct Device Integration as a device reads and writes it: requests, and what answers mean.

Source: §2, seen from the device. Whatever a server sends, these functions give a usable value or say
that there is none: a device must neither fall silent nor hammer because a document was odd (rows V11 to V13).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse, sendable, split_url
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, GatewayToken, TargetToken
from fleetrig.simulator.effects import HttpReply, NoReply, Reply

DAY_S: Final = 86_400
ISO_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?)?", re.ASCII
)
CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)", re.ASCII)
PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*")
VISIBLE: Final = re.compile(r"[!-~]+")
PLAIN_LINK: Final = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]*")
"""Links in which nothing has to be changed, as nearly all are."""

JsonDict = dict[str, Any]


def poll_request(server_url: str, device: DeviceIdentity, credential: Credential | None) -> HttpRequest:
    """`GET /{tenant}/controller/v1/{controllerId}` (§2.1)."""
    origin, place = controllers(server_url, device.tenant)
    return HttpRequest("GET", origin, place + path_part(device.serial), get_headers(credential))


def confirmation_base_request(server_url: str, device: DeviceIdentity, credential: Credential | None) -> HttpRequest:
    """`GET …/confirmationBase`: whether the server confirms by itself (§2.7)."""
    return get_request(device_base(server_url, device) + "/confirmationBase", credential)


def device_base(server_url: str, device: DeviceIdentity) -> str:
    """Where a device polls; all other places are linked from there."""
    origin, place = controllers(server_url, device.tenant)
    return f"{origin}{place}{path_part(device.serial)}"


@lru_cache(maxsize=64)
def controllers(server_url: str, tenant: str) -> tuple[str, str]:
    """Where the devices of a tenant poll, but for their names: origin and path. The same for a whole fleet."""
    return split_url(f"{server_url.rstrip('/')}/{path_part(tenant)}/controller/v1/")


def path_part(name: str) -> str:
    """A name as a part of a path. Most need no encoding, and to see that is the cheapest."""
    return name if PLAIN.fullmatch(name) else quote(name, safe="")


def get_request(href: str, credential: Credential | None) -> HttpRequest:
    """A link, followed exactly as given (V03, V14). Raises ValueError when it is no absolute URL."""
    origin, target = split_url(href)
    return HttpRequest("GET", origin, target, get_headers(credential))


def attributes_request(
    href: str, credential: Credential | None, mode: str | None, attributes: Mapping[str, str | None]
) -> HttpRequest:
    """`PUT configData` (§2.3); without a mode the server merges."""
    body: JsonDict = {"data": dict(attributes)}
    return _send("PUT", href, credential, body if mode is None else {"mode": mode, **body})


def feedback_request(
    href: str, credential: Credential | None, execution: str, finished: str, details: tuple[str, ...] = ()
) -> HttpRequest:
    """`POST …/feedback` (§2.5, §2.6). `href` is the link of the action, whose query the feedback path does not have.

    No timestamp: the server then uses its own clock, so a device whose clock is wrong still finishes (V32).
    """
    status: JsonDict = {"execution": execution, "result": {"finished": finished}}
    if details:
        status["details"] = list(details)
    return _send("POST", href.partition("?")[0] + "/feedback", credential, {"status": status})


def confirmation_request(
    href: str, credential: Credential | None, consent: str, code: int | None, details: tuple[str, ...]
) -> HttpRequest:
    """`POST confirmationBase/{id}/feedback` (§2.7): `consent` is confirmed or denied. `href` as for a report."""
    body: JsonDict = {"confirmation": consent}
    if code is not None:
        body["code"] = code
    if details:
        body["details"] = list(details)
    return _send("POST", href.partition("?")[0] + "/feedback", credential, body)


def auto_confirm_request(
    href: str, credential: Credential | None, initiator: str, remark: str, *, on: bool
) -> HttpRequest:
    """`POST activateAutoConfirm`, `POST deactivateAutoConfirm` (§2.7); only the first one has a body."""
    said = {"initiator": initiator} | ({"remark": remark} if remark else {})
    return _send("POST", href, credential, said if on else {})


def download_request(href: str, credential: Credential | None, from_byte: int) -> HttpRequest:
    """An artifact, whole or from `from_byte` on (§2.8)."""
    origin, target = split_url(href)
    headers: Headers = (*_authorization(credential), ("Accept", "application/octet-stream"))
    if from_byte:
        headers = (*headers, ("Range", f"bytes={from_byte}-"))
    return HttpRequest("GET", origin, target, headers)


@lru_cache(maxsize=1_024)
def get_headers(credential: Credential | None) -> Headers:
    return (*_authorization(credential), ("Accept", "application/json"))


def _send(method: str, href: str, credential: Credential | None, body: JsonDict) -> HttpRequest:
    origin, target = split_url(href)
    headers: Headers = (*get_headers(credential), ("Content-Type", "application/json"))
    return HttpRequest(method, origin, target, headers, json.dumps(body, separators=(",", ":")).encode())


def _authorization(credential: Credential | None) -> Headers:
    match credential:
        case TargetToken(token):
            return (("Authorization", f"TargetToken {token}"),)
        case GatewayToken(token):
            return (("Authorization", f"GatewayToken {token}"),)
        case _:
            return ()


def read_document(answer: HttpResponse) -> JsonDict | None:
    """The JSON object of an answer; None when it is not one."""
    body = body_bytes(answer.body)
    try:
        # What begins so is UTF-8, as `json` would find out by itself.
        document = json.loads(body.decode("utf-8", "surrogatepass") if body.startswith(b'{"') else body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def document_of(answer: HttpReply | NoReply) -> JsonDict | None:
    """The JSON object of a good answer; None for every other."""
    match answer:
        case Reply(HttpResponse(status=200) as response):
            return read_document(response)
        case _:
            return None


def link(document: JsonDict, relation: str) -> str | None:
    """The href of a link that a device can follow; unknown links and odd shapes are ignored (V13).

    What no URL may hold is percent-encoded: hawkBit writes the controllerId raw into the links of files (§2.4).
    """
    links = document.get("_links")
    linked = links.get(relation) if isinstance(links, dict) else None
    href = linked.get("href") if isinstance(linked, dict) else None
    if not isinstance(href, str):
        return None
    if PLAIN_LINK.fullmatch(href):
        return href
    try:
        origin, _ = split_url(href)
        return origin + sendable(href[len(origin) :]) if VISIBLE.fullmatch(origin) else None
    except ValueError:
        return None


def sleep_s(document: JsonDict) -> float | None:
    """`config.polling.sleep` in seconds: `HH:MM:SS`, or ISO-8601 from 24 h on (§2.2). None when unusable (V11)."""
    text = _at(document, "config", "polling", "sleep")
    return seconds_of(text) if isinstance(text, str) else None


@lru_cache(maxsize=256)
def seconds_of(text: str) -> float | None:
    """The same of the text itself; a fleet gets one or two of them."""
    if clock := CLOCK.fullmatch(text):
        hours, minutes, seconds = map(int, clock.groups())
        return float(hours * 3600 + minutes * 60 + seconds)
    if len(text) > 2 and (iso := ISO_DURATION.fullmatch(text)):
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return float(days * DAY_S + hours * 3600 + minutes * 60 + seconds)
    return None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a deployment, as its document names it; `href` is empty when it says nothing that can be followed."""

    filename: str
    href: str
    size_bytes: int | None
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A `deploymentBase` document (§2.4)."""

    action_id: str
    download: str
    update: str
    maintenance_window: str
    """`available`, `unavailable`, or empty when the action has none."""
    artifacts: tuple[Artifact, ...]


def read_deployment(document: JsonDict) -> Deployment | None:
    """None when the document does not say what to do."""
    action_id, plan = document.get("id"), document.get("deployment")
    if not isinstance(action_id, str | int) or not isinstance(plan, dict):
        return None
    download, update, window = plan.get("download"), plan.get("update"), plan.get("maintenanceWindow")
    if not isinstance(download, str) or not isinstance(update, str):
        return None
    return Deployment(
        str(action_id), download, update, window if isinstance(window, str) else "", tuple(_artifacts(plan))
    )


def read_confirmation(document: JsonDict) -> str | None:
    """The id of the action that waits for a word (§2.7)."""
    action_id, plan = document.get("id"), document.get("confirmation")
    return str(action_id) if isinstance(action_id, str | int) and isinstance(plan, dict) else None


def read_cancel(document: JsonDict) -> str | None:
    """The id of the action that shall stop (§2.6)."""
    stop = _at(document, "cancelAction", "stopId")
    return str(stop) if isinstance(stop, str | int) else None


def _artifacts(plan: JsonDict) -> Iterator[Artifact]:
    """Every file that is named, even if it cannot be fetched: leaving one out would install half an update."""
    for chunk in _list(plan.get("chunks")):
        for entry in _list(_at(chunk, "artifacts")):
            name, size, hashes = entry.get("filename"), entry.get("size"), entry.get("hashes")
            yield Artifact(
                filename=name if isinstance(name, str) else "",
                href=next((href for rel in ("download", "download-http") if (href := link(entry, rel))), ""),
                size_bytes=size if isinstance(size, int) else None,
                hashes={k: v for k, v in hashes.items() if isinstance(v, str)} if isinstance(hashes, dict) else {},
            )


def _list(value: object) -> list[JsonDict]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
