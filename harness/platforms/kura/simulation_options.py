"""What the options of `simulate kura` mean together: which gateways, whose account, and who makes it."""

from __future__ import annotations

import json
import secrets as chance
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.harness.commands.fleet_options import key_values, numbered_units
from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.platforms.kura.device_places import DevicePlace
from fleetrig.harness.platforms.kura.platform import admin_of
from fleetrig.harness.platforms.kura.temporary_account import TemporaryAccount
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.kura.settings import MEASURED, KuraSettings

BOOTSTRAP: Final = "bootstrap"
PASSWORD: Final = "password"
KINDS: Final = (BOOTSTRAP, PASSWORD)
RECONNECTS: Final = ("kura", "full-jitter")
NOT_IN_NAMES: Final = frozenset("/+#*&,?>.")
"""A client id with one of these is another one, or refused (spec 2.1, 5.1)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options, as they were given."""

    credentials: str
    register: bool
    account: str | None
    user: str | None
    secret: str | None
    reconnect: str = "kura"

    @property
    def is_bootstrap(self) -> bool:
        return self.credentials == BOOTSTRAP


def check_options(given: Given, place: DevicePlace) -> None:
    """Raises UsageError for options that contradict each other."""
    for sentence in _at_odds(given, place):
        raise UsageError(sentence)


def _at_odds(given: Given, place: DevicePlace) -> Iterator[str]:
    if given.credentials not in KINDS:
        yield f"--credentials {given.credentials!r}: {expected(given.credentials, KINDS)}"
    if given.reconnect not in RECONNECTS:
        yield f"--reconnect {given.reconnect!r}: {expected(given.reconnect, RECONNECTS)}"
    who = (given.account, given.user, given.secret)
    if given.register and place.server is None:
        yield (
            f"--register needs the REST API, and {place.url} is the address of a broker: give a SERVER.yaml, or the "
            "http address"
        )
    if given.register and any(who):
        yield "--register makes an account and passwords of its own: leave --account, --user and --secret away"
    if not given.register and given.is_bootstrap:
        yield (
            "who provisions itself needs a provision request each: give --register, or --credentials password with "
            "--account, --user and --secret for gateways that are configured already"
        )
    if not given.register and not all(who):
        yield "whose gateways? Give --account, --user and --secret (env:NAME or a file), or --register"
    if given.account is not None and not ACCOUNT_NAME.fullmatch(given.account):
        yield f"--account {given.account!r}: expected {ACCOUNT_NAME_FORM}"


def units_of(template: str, count: int) -> Sequence[Unit]:
    """Raises UsageError for names that are no client ids."""
    listed = numbered_units(template, count)
    bad = next((unit.serial for unit in listed if NOT_IN_NAMES & {*unit.serial} or "::" in unit.serial), None)
    if bad is not None:
        raise UsageError(f"--serial: {bad!r} is no client id: the letters {' '.join(sorted(NOT_IN_NAMES))} and :: are "
                         "not taken")  # fmt: skip
    return listed


def measured(pairs: Sequence[str]) -> Mapping[str, Json]:
    """What a gateway measures: numbers, true and false as such, anything else as text. Raises UsageError."""
    return {key: _value(text) for key, text in key_values(pairs, "--telemetry").items()} or MEASURED


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def with_credentials(settings: KuraSettings, given: Given, place: DevicePlace, secrets: Secrets) -> KuraSettings:
    """Who signs in where, as far as that is known before the server was asked. `secrets` learns the password."""
    if given.is_bootstrap:
        provisioning = replace(settings.provisioning, enabled=True, broker_url=place.url)
        return replace(settings, provisioning=provisioning)
    password = "" if given.secret is None else secret_from(given.secret, "--secret")
    secrets.learn("password", password)
    transport = replace(
        settings.transport,
        broker_url=place.url,
        account_name=given.account or "",
        username=given.user or "",
        password=password,
    )
    return replace(settings, transport=transport)


def temporary_account(
    place: DevicePlace, settings: KuraSettings, agents: Sequence[Agent], given: Given, secrets: Secrets
) -> TemporaryAccount:
    """An account that only this run has."""
    assert place.server is not None
    admin = admin_of(place.server)
    admin.masks = secrets
    for kind, secret in admin.secrets():
        secrets.learn(kind, secret)
    name = f"fleetrig-simulate-{chance.token_hex(3)}"
    is_secure = place.url.startswith("mqtts")
    return TemporaryAccount(admin, name, agents, settings, secrets, not given.is_bootstrap, is_secure)
