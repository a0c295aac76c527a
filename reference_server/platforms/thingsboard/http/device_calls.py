"""What a device with an access token calls over HTTP: `/api/v1/{token}/…` (section 3.3).

The token stands in the path and is looked at after the body has come, and before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.device_api import said
from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, plain
from fleetrig.reference_server.platforms.thingsboard.http.java_numbers import java_int
from fleetrig.reference_server.platforms.thingsboard.http.package_files import file_reply
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.http.waiting import Awaited, Wait
from fleetrig.reference_server.platforms.thingsboard.state.devices import credentials_by_id, device_by_id
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import TooManyMessages
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import PackageType, chunk_of, package_for
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.json_types import Json

Says = Callable[[Registry, Device, Json, int], object]

TOKEN_CHARS: Final = 16
"""From so many on a stranger's token is taken for the secret of somebody; shorter ones may be any word."""
SERVER_METHOD: Final = "method"


def post_telemetry(call: Call, token: str) -> Reply:
    """POST …/telemetry: 200 without a body."""
    return _said(call, token, call.text, said.post_telemetry)


def post_attributes(call: Call, token: str) -> Reply:
    """POST …/attributes."""
    return _said(call, token, call.text, said.post_attributes)


def offer_claim(call: Call, token: str) -> Reply:
    """POST …/claim: without a body an offer without a secret."""
    return _said(call, token, call.optional_text or "{}", said.offer_claim)


def read_attributes(call: Call, token: str) -> Reply:
    """GET …/attributes?clientKeys=&sharedKeys=: server attributes are no device's business (C05)."""
    device = _device(call, token)
    keys = (_keys(call, name) for name in ("clientKeys", "sharedKeys"))
    with _counted(device):
        found = said.attributes_for(call.registry, device, call.now_us, *keys)
    return Reply(document=found, device=device.name)


def await_attributes(call: Call, token: str) -> Wait:
    """GET …/attributes/updates?timeout=: held until shared attributes change (H02)."""
    return _long_poll(call, token, Awaited.ATTRIBUTES)


def await_command(call: Call, token: str) -> Wait:
    """GET …/rpc?timeout=: held until there is a command."""
    return _long_poll(call, token, Awaited.RPC)


def _long_poll(call: Call, token: str, awaited: Awaited) -> Wait:
    """408 when nothing has come in time. `timeout` is in ms; 0, or none, is the server's own."""
    given_ms = java_int(call.query.get("timeout", "0"))
    device = _device(call, token)
    with _counted(device):
        said.count(call.registry, device, call.now_us)
    lasts_us = max(given_ms, 0) * US_PER_MS if given_ms else call.registry.settings.long_poll_s * US_PER_S
    why = "the long poll has expired: nothing came for the device"
    return Wait(lasts_us, reason=why, awaited=awaited, device_id=device.id, device=device.name)


def answer_command(call: Call, token: str, request_id: str) -> Reply:
    """POST …/rpc/{id}: whatever the body says."""
    java_int(request_id)
    _ = call.text
    device = _device(call, token)
    with _counted(device):
        said.count(call.registry, device, call.now_us)
    return Reply(device=device.name)


def ask_server(call: Call, token: str) -> Wait:
    """POST …/rpc: no rule answers, so the session runs out of time."""
    text, device = call.text, _device(call, token)
    request = _document(text, device)
    if not isinstance(request, dict) or not isinstance(request.get(SERVER_METHOD), str) or "params" not in request:
        raise _crash("an RPC to the server needs the members method and params")
    with _counted(device):
        said.count(call.registry, device, call.now_us)
    why = "no rule of this server answers RPCs of devices over HTTP"
    lasts_us = call.registry.settings.long_poll_s * US_PER_S
    return Wait(lasts_us, reason=why, device_id=device.id, device=device.name)


def read_firmware(call: Call, token: str) -> Reply:
    """GET …/firmware?title=&version=&size=&chunk=."""
    return _package(call, token, PackageType.FIRMWARE)


def read_software(call: Call, token: str) -> Reply:
    """GET …/software, the same."""
    return _package(call, token, PackageType.SOFTWARE)


def _package(call: Call, token: str, kind: PackageType) -> Reply:
    """404 when none is assigned, 400 when it is another one."""
    title, version = (call.needed(name, "String") for name in ("title", "version"))
    size_bytes, number = (java_int(call.query.get(name, "0")) for name in ("size", "chunk"))
    device = _device(call, token)
    with _counted(device):
        said.count(call.registry, device, call.now_us)
    package = package_for(call.registry, device, kind)
    if package is None or package.blob is None:
        return Reply(404, device=device.name, reason=f"no {kind.lower()} is assigned to the device")
    if (package.title, package.version) != (title, version):
        why = f"another {kind.lower()} is assigned to the device: {package.title} {package.version}"
        return Reply(400, device=device.name, reason=why)
    return file_reply(package, chunk_of(call.registry, package, size_bytes, number), device.name)


def _said(call: Call, token: str, text: str, say: Says) -> Reply:
    device = _device(call, token)
    try:
        with _counted(device):
            say(call.registry, device, _document(text, device), call.now_us)
    except BadValue as bad:
        raise _crash(f"device {device.name}: {bad}", str(bad)) from None
    return Reply(device=device.name)


@contextmanager
def _counted(device: Device) -> Iterator[None]:
    """500 without a body for one message too many (S105)."""
    try:
        yield
    except TooManyMessages as many:
        raise _crash(f"device {device.name}: {many}") from None


def _document(text: str, device: Device) -> Json:
    """Raises 500 with the parser's text as it stands (H01)."""
    try:
        document: Json = read_json(text.encode("utf-8", "replace"))
    except BadValue as bad:
        raise _crash(f"device {device.name}: the body is no JSON", str(bad)) from None
    return document


def _device(call: Call, token: str) -> Device:
    """Only access tokens count here. Raises 401 without a body."""
    found = credentials_by_id(call.registry, token)
    is_token = found is not None and found.type is CredentialsType.ACCESS_TOKEN
    if is_token or len(token) >= TOKEN_CHARS:
        call.registry.learn("access-token", token)
    if found is None or not is_token:
        raise plain(401, reason="no device has this access token; other credentials do not work over HTTP")
    device = device_by_id(call.registry, found.device_id)
    assert device is not None, "credentials go with their device"
    return device


def _keys(call: Call, name: str) -> list[str]:
    return [key for key in call.query.get(name, "").split(",") if key]


def _crash(reason: str, text: str = "") -> HttpRefusal:
    return plain(500, text, reason=reason)
