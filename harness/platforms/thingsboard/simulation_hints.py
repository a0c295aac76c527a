"""What to do next when a ThingsBoard lets devices of a simulation not in. Sources: docs/contracts/thingsboard.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fleetrig.harness.platforms.thingsboard.settings import CHAINS, CHECK

Origin = Literal["given", "own"]
"""Whose device profile it is: one that the server has, or one that was made for the simulation."""

NAME_TAKEN: Final = (
    "a device of that name exists in the tenant, and a device is provisioned once only (or the tenant has as many "
    "devices as it may): delete it, or give other names with --serial, for instance --serial 'MINE-{n:04d}'"
)
NOT_LISTED: Final = (
    "its name is not on the profile's list, or it was provisioned before: import it into that profile, or delete its "
    "server attribute provisionState"
)
ENDED: Final = (
    "the server ended the session without a reply, as it does when a request takes it too long or when what it keeps "
    "fails: its own log says more"
)
A_THINGSBOARD: Final = "{url} has no api/v1/provision: is it a ThingsBoard, and is the path in its address right?"
REDIRECTS: Final = (
    "{url} sends devices on to another address, and they do not follow: is it a ThingsBoard, and is its address right?"
)
BEHIND: Final = "is ThingsBoard running behind {url}?"
PROXY: Final = "does a proxy or a firewall stand before it? Provisioning itself asks for no account"
FAILED: Final = "the server took too long or failed, and may have made the device all the same: its own log says more"
OTHERS: Final = {
    "unusable": "a reply with which no device can do anything: is it a ThingsBoard of 3.2 or later?",
    "401": PROXY,
    "403": PROXY,
    "404": A_THINGSBOARD,
    "405": A_THINGSBOARD,
    **dict.fromkeys(("301", "302", "303", "307", "308"), REDIRECTS),
    **dict.fromkeys(("502", "503", "504"), BEHIND),
    "500": FAILED,
    "4.00": A_THINGSBOARD,
    "4.04": A_THINGSBOARD,
    "4.05": A_THINGSBOARD,
    "5.00": FAILED,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """How the devices of a simulation ask."""

    url: str
    kind: str
    """The word of scenario files for their credentials."""
    origin: Origin
    strategy: str = ""
    """Of the profile that was made for the simulation; empty where it is not known."""

    @property
    def is_mqtt(self) -> bool:
        return self.url.startswith("mqtt")


def advice(answer: str, asking: Asking) -> str:
    """For a device that heard this; empty for what says nothing."""
    match answer:
        case "NOT_FOUND":
            return _on_not_found(asking)
        case "FAILURE":
            return _on_failure(asking)
        case "timeout":
            return _on_silence(asking)
        case "closed" | "reset" if asking.is_mqtt:
            return ENDED
        case _ if answer.startswith("CONNACK"):
            return _on_connack(asking)
        case _:
            return OTHERS.get(answer, "").format(url=asking.url)


def hint(answer: str, asking: Asking) -> str:
    """The same when every device heard this first."""
    said = advice(answer, asking)
    what = f"HTTP {answer}" if answer.isdigit() else answer
    return f"all devices heard {what}: {said}" if said else ""


def _on_not_found(asking: Asking) -> str:
    if asking.origin == "own":
        return "the server does not know the profile that was just made: does this address lead to another server?"
    return (
        "no device profile has this key and this secret, or its strategy is Disabled; the answer is the same. Compare "
        "--provision-key and --provision-secret with the profile's page Device provisioning"
    )


def _on_failure(asking: Asking) -> str:
    match asking.strategy:
        case "":
            return f"{NAME_TAKEN}; if the profile checks for pre-provisioned devices, {NOT_LISTED}"
        case strategy if strategy == CHECK:
            return NOT_LISTED
        case _:
            return NAME_TAKEN


def _on_silence(asking: Asking) -> str:
    other = "any other MQTT broker takes the request and says nothing" if asking.is_mqtt else "nobody may be there"
    return f"{asking.url} gave no answer in time: is it a ThingsBoard ({other}), and is it overloaded?"


def _on_connack(asking: Asking) -> str:
    if asking.kind in CHAINS:
        return (
            "the certificate is not let in: no profile with the strategy X.509 Certificates Chain names its authority, "
            "its common name does not match that profile's pattern, it is out of date, or a device of that name has "
            "other credentials"
        )
    return (
        "ThingsBoard lets everybody in who calls himself `provision`, and whoever it gave credentials: is it one, and "
        "has nobody changed the credentials since?"
    )
