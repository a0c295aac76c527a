"""A board is given its identity over its console, as its bench file says; what comes back are fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.bench.console_ready import ready_console
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.bench.provisioning_part import PLACE, PLAIN_PLACES, places_in
from fleetrig.harness.platform import Platform
from fleetrig.harness.servers.address import is_loopback
from fleetrig.hil.board import BoardSpec, ProvisioningSpec
from fleetrig.hil.consoles.identity_over_console import (
    KeyPlaces,
    Sign,
    Written,
    certify,
    write_files,
    write_variables,
)
from fleetrig.hil.flashers.uboot_commands import UbootCommands
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets

NOT_PLAIN: Final = frozenset("'\"\\`$")
"""What would end the quotes that stand around a place, or be read by the board's shell."""


def check_can_be_provisioned(spec: BoardSpec, platform: Platform, *, is_signed: bool = False) -> None:
    """Before anything is touched. Raises UsageError: the bench file does not say how, or wants what units of this
    platform are not given. `is_signed`: there is an authority for boards that make their keys."""
    _check_is_said(spec)
    assert spec.provisioning is not None
    given = (*PLAIN_PLACES, *platform.vocabulary.program_values)
    if strange := sorted(places_of(spec) - set(given)):
        raise UsageError(
            f"{spec.name}: its provisioning has the place ${{{strange[0]}}}, and units of {platform.name} are given "
            f"{', '.join(given)}: is this the platform that the board is made for?"
        )
    if spec.provisioning.key and not is_signed:
        raise UsageError(
            f"{spec.name} makes its own key: say who signs for it, --authority DIR of `fleetrig board bring-up` "
            "(`fleetrig ca new`); scenarios have nobody who signs"
        )


def _check_is_said(spec: BoardSpec) -> None:
    if spec.provisioning is None:
        raise UsageError(
            f"{spec.name} has no provisioning: say in the bench file how it takes its identity, such as "
            "`provisioning: {files: {/data/token: '${token}'}}`"
        )
    wanted = "uboot" if spec.provisioning.variables else "linux"
    if spec.console.kind != wanted:
        raise UsageError(
            f"{spec.name}: its console is {spec.console.kind}, and its provisioning needs {wanted}: variables are for "
            "uboot, files and csr for linux"
        )


async def provision_over_console(
    board: OpenedBoard, values: Mapping[str, str], secrets: Secrets, sign: Sign | None = None
) -> Written:
    """Writes what `provisioning` of the bench file says, reads it back, compares. `values` fill the places.

    `sign` is our authority, for boards that make their keys. What the board is told is masked from now on, also in
    the board's evidence.

    Raises UsageError, WrongBoard, IdentityFailed, ConsoleFailed, PortLost.
    """
    _check_is_said(board.spec)
    spec = board.spec.provisioning
    assert spec is not None
    given = values_for_board(spec, values)
    filled = filled_in(board.spec.name, spec, given)
    for name, value in given.items():
        if name not in PLAIN_PLACES and name in places_of(board.spec):
            secrets.learn(name, value)
            board.secrets.learn(name, value)
    if spec.key and sign is None:
        raise UsageError(f"{board.spec.name} makes its own key, and nobody here signs for it: name an authority")
    console = await ready_console(board)
    if board.spec.console.kind == "uboot" and board.spec.identity:
        await UbootCommands(console).check_identity(board.spec.identity)
    if filled.variables:
        secret = frozenset(name for name, text in spec.variables.items() if set(places_in(text)) - set(PLAIN_PLACES))
        return await write_variables(console, filled.variables, secret)
    written: dict[str, str] = {}
    if spec.key and sign is not None:
        places = KeyPlaces(spec.key, spec.certificate)
        written |= (await certify(console, given.get("serial", ""), sign, places)).fingerprints
    files = {path: text.encode() for path, text in filled.files.items()}
    written |= (await write_files(console, files)).fingerprints
    return Written(written)


def values_for_board(spec: ProvisioningSpec, values: Mapping[str, str]) -> dict[str, str]:
    """As this board is told them: `serial` beside `id`, and this machine by the name that the board has for it."""
    given = {"serial": values.get("id", ""), **values}
    return {name: _as_board_sees(value, spec.host) for name, value in given.items()}


def filled_in(board: str, spec: ProvisioningSpec, values: Mapping[str, str]) -> ProvisioningSpec:
    """Every place with its value. Raises UsageError for a value that is not there, or not plain."""

    def filled(text: str) -> str:
        return PLACE.sub(lambda place: _value(board, place[1], values), text)

    return replace(
        spec,
        files={path: filled(text) for path, text in spec.files.items()},
        variables={name: filled(text) for name, text in spec.variables.items()},
    )


def _value(board: str, name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise UsageError(
            f"{board}: its provisioning has the place ${{{name}}}, and here is {', '.join(values)}: "
            "correct `provisioning` in the bench file, or is this the platform that the board is made for?"
        )
    value = values[name]
    if not value.isprintable() or NOT_PLAIN & set(value):
        raise UsageError(
            f"{board}: the value for ${{{name}}} has a quote, $, `, \\ or a control character, which the board could "
            "take for something else: give the unit another one"
        )
    return value


def places_of(spec: BoardSpec) -> frozenset[str]:
    """What its provisioning asks for, by name."""
    given = spec.provisioning or ProvisioningSpec()
    return frozenset(name for text in (*given.files.values(), *given.variables.values()) for name in places_in(text))


def _as_board_sees(value: str, host: str) -> str:
    """An address on this machine's loopback, with the host by which the board reaches this machine."""
    if not host or "://" not in value:
        return value
    parts = urlsplit(value)
    if parts.hostname is None or not is_loopback(parts.hostname):
        return value
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    return parts._replace(netloc=netloc).geturl()
