"""What is sent as the device: the one place that decides it, for the request and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.doctor.diagnosis import printable, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import SCHEMES, Config, Kind, Presented
from fleetrig.harness.platforms.hawkbit.doctor.vouching import AUTHORITY_HEADER, IDENTITY_HEADER, vouching
from fleetrig.simulator.contract.header_text import why_no_header_text

HARMLESS: Final = "/installedBase/0"
"""Below a device's address: asks for the credential as the address itself does, but registers nobody and counts as no
poll. Whoever is let in gets 404, since no action has the number 0 (§2)."""


def credential_headers(presented: Presented, config: Config | None) -> Mapping[str, str] | None:
    """The headers that carry the credential; none where TLS or nothing does. None when no header can carry it."""
    headers: Mapping[str, str] = {}
    match presented.kind:
        case Kind.TARGET_TOKEN | Kind.GATEWAY_TOKEN:
            headers = {"Authorization": f"{SCHEMES[presented.kind]} {presented.secret}"}
        case Kind.CERTIFICATE if not presented.has_key and (told := vouching(presented, config)) is not None:
            headers = told.headers
        case _:
            pass
    # Blanks at the ends do no harm: no header keeps them (§3.1).
    return None if any(why_no_header_text(value.strip(" ")) for value in headers.values()) else headers


def as_sent(presented: Presented, config: Config | None) -> str:
    """The credential as it was sent, for the page: secrets masked, headers of proxies word for word."""
    told = vouching(presented, config)
    if told is None or presented.has_key:
        return str(presented)
    authority = printable(told.authority, 160) or "(empty)"
    return f"{IDENTITY_HEADER}: {quoted(told.identity)}, {AUTHORITY_HEADER}: {authority}"
