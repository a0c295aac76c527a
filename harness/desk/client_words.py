"""Calls of curl and mosquitto_pub, as somebody at the desk pastes them: where to, and whom to trust."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from fleetrig.harness.servers.address import place_of
from fleetrig.simulator.contract.errors import UsageError


def curl_for(url: str, ca: Path | None) -> str:
    """`curl`, with the authority of a server that no machine trusts by itself."""
    return f"curl --cacert {shlex.quote(str(ca))}" if ca is not None and url.startswith("https://") else "curl"


def mosquitto_pub_for(url: str, ca: Path | None) -> str:
    """`mosquitto_pub --host HOST --port PORT`, over TLS where the URL says so."""
    scheme, _, place = url.partition("://")
    host, port = place_of(place)
    trust = "" if scheme == "mqtt" else " --tls-use-os-certs" if ca is None else f" --cafile {shlex.quote(str(ca))}"
    return f"mosquitto_pub --host {host} --port {port}{trust}"


def first_known(schemes: Sequence[str], url_of: Callable[[str], str]) -> str:
    """The first address that is known, of those that would do; empty if none is."""
    for scheme in schemes:
        try:
            return url_of(scheme)
        except UsageError:
            continue
    return ""
