"""What the server takes as start-up properties (`--set kura.…`), with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Profile(StrEnum):
    """Where the sources and a running Kapua differ from what a server should do."""

    OPEN = "open"
    KAPUA_LAX = "kapua-lax"
    """A device that is DISABLED may sign in all the same, as in Kapua (spec 5.1)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account below the root account that exists from the start, with a user who may do everything in it."""

    name: str
    user: str
    password: str


ADMIN_USER: Final = "kapua-sys"
BROKER_USER: Final = "kapua-broker"
WELL_KNOWN_PASSWORD: Final = "kapua-password"
"""Of both users of the root account in every fresh Kapua."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's start-up properties."""

    profile: Profile = Profile.OPEN
    admin_password: str = WELL_KNOWN_PASSWORD
    """Of `kapua-sys`."""
    broker_password: str = WELL_KNOWN_PASSWORD
    """Of `kapua-broker`, who may connect to the broker."""
    accounts: tuple[Account, ...] = ()
    strict_errors: bool = False
    """A missing request and a wrong activation key are told in the same words (1.6)."""
    target_broker_url: str = ""
    """Where provisioned devices are sent; empty: to this server's own broker."""
    provision_account: str = "ec-provisioning"
    provision_app_id: str = "PROV-SIM1"
    provision_app_aliases: tuple[str, ...] = ()
    """Further application ids under which the same profile is spoken."""
    job_timeout_s: int = 300
    """How long a job that runs waits for the device's next message, or for its first BIRTH."""
    call_timeout_s: int = 30
    """How long a device-management call waits that says nothing (5.5: 30000 ms)."""
    birth_wait_s: int = 2
    """How long after BIRTH the first control message is sent, since the device subscribes after it (2.2)."""
    password_min_length: int = 12
    token_s: int = 1_800
    refresh_token_s: int = 18_000
    """How long what a login gives is good for (Kapua: 1800000 and 18000000 ms)."""
    payload_bytes: int = 16_777_216
    """The largest payload that the broker takes: as large as gateways send them (4.2)."""
    request_body_bytes: int = 16_777_216
    """Of the REST API."""

    @property
    def enforces_disabled(self) -> bool:
        return self.profile is Profile.OPEN
