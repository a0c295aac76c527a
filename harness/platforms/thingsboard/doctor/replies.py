"""Replies to provision requests, in the form of every release and in that of the documentation (spec 1.2, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.platforms.thingsboard.doctor.facts import Said
from fleetrig.harness.servers.json_answer import NotJson, read_json

STATUS: Final = "status"
DOCUMENTED_STATUS: Final = "provisionDeviceStatus"
REPLY_MEMBERS: Final = ("status", "errorMsg", "credentialsType", "credentialsValue")
DOCUMENTED_MEMBERS: Final = ("provisionDeviceStatus", "deviceId", "accessToken", "credentialsId")
"""Written in the documentation, sent by no release."""
SECRETS: Final = ("credentialsValue", "accessToken", "credentialsId")
RESULTS: Final = (Said.SUCCESS, Said.NOT_FOUND, Said.FAILURE)


@dataclass(frozen=True, slots=True)
class Reply:
    """`said`: None when it is no reply to a request. `credentials`: what a SUCCESS gives, never shown."""

    said: Said | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_reply(body: bytes) -> Reply:
    """Never raises."""
    try:
        found = read_json(body)
    except NotJson:
        return Reply()
    if not isinstance(found, dict):
        return Reply()
    word = found.get(STATUS, found.get(DOCUMENTED_STATUS))
    said = next((one for one in RESULTS if one == word), None)
    shown = {name: value for name, value in found.items() if name not in SECRETS}
    return Reply(said, shown, {name: found[name] for name in SECRETS if name in found})
