"""Turns the options of `fleetrig serve` into the configuration of a server. Raises UsageError for invalid options.

An option that belongs to a platform is `PLATFORM=VALUE`; where one platform is served, `VALUE` is enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig, ServablePlatform
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.servers.description import TLS_LISTENERS, expected, known_platform
from fleetrig.reference_server.address import Address, parse_address
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.server_options import PlatformOptions, ServerOptions
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.json_types import Json

DEFAULT_CONTROL: Final = "127.0.0.1:0"
NO_CONTROL: Final = "off"
IN_MEMORY: Final = "memory:"
SECRET_NAME: Final = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
HIDDEN: Final = "(as given)"


@dataclass(frozen=True, slots=True)
class ServeArgs:
    """The options as they were typed."""

    platforms: Sequence[str] = ()
    """All platforms if empty."""
    listeners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Listener -> its addresses, such as `{"http": ["127.0.0.1:8080"]}`."""
    profiles: Sequence[str] = ()
    properties: Sequence[str] = ()
    accounts: Sequence[str] = ()
    admin_passwords: Sequence[str] = ()
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Sequence[Path] = ()
    store: str = IN_MEMORY
    control: str = DEFAULT_CONTROL
    remove_leftovers: bool = False


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """What will be served, before anything is opened."""

    options: ServerOptions
    platforms: Mapping[str, PlatformConfig]


def parse(args: ServeArgs, known: Mapping[str, ServablePlatform]) -> ServeConfig:
    """Checks all options before a port is opened or a file is touched. `known`: all platforms."""
    names = [known_platform(name, "--platform", tuple(known)) for name in dict.fromkeys(args.platforms)] or list(known)
    chosen = {name: known[name] for name in names}
    of_platform = _platform_args(args, chosen, tuple(known))
    _check_tls(args, of_platform, chosen)
    if args.remove_leftovers and args.store == IN_MEMORY:
        raise UsageError("--remove-leftovers needs --store with a file: nothing is left of a store in memory")
    configs = {name: platform.configure(of_platform[name]) for name, platform in chosen.items()}
    options = ServerOptions(
        tuple(
            PlatformOptions(name, one.build, of_platform[name].addresses, _client_auth(args, one))
            for name, one in configs.items()
        ),
        certificate=args.certificate,
        key=args.key,
        control=_control(args.control),
        store=args.store,
        remove_leftovers=args.remove_leftovers,
        about=_about(configs, of_platform),
    )
    return ServeConfig(options, configs)


def _about(configs: Mapping[str, PlatformConfig], of_platform: Mapping[str, PlatformArgs]) -> dict[str, Json]:
    """What the control interface tells of the platforms, so that a run needs nothing else to use them."""
    return {
        "version": VERSION,
        "profiles": {name: one.profile for name, one in configs.items()},
        "administrators": {
            name: None if one.administrator is None else one.administrator.to_json() for name, one in configs.items()
        },
        "can": {name: list[Json](sorted(one.can)) for name, one in configs.items()},
        "properties": {name: dict(map(_shown_property, one.properties)) for name, one in of_platform.items()},
    }


def _shown_property(text: str) -> tuple[str, str]:
    """A start-up property, its value hidden where its name says that it is a secret."""
    name, _, value = text.partition("=")
    return name.strip(), HIDDEN if SECRET_NAME.search(name) else value


def _client_auth(args: ServeArgs, platform: PlatformConfig) -> ClientAuth:
    return ClientAuth.ANY if args.client_ca or platform.asks_for_certificates else ClientAuth.NONE


def _platform_args(
    args: ServeArgs, chosen: Mapping[str, ServablePlatform], known: Sequence[str]
) -> dict[str, PlatformArgs]:
    names = tuple(chosen)
    profiles = _single("--profile", by_platform("--profile", args.profiles, names, known))
    properties = by_platform("--set", args.properties, names, known, may_hold_equals=True)
    accounts = _single("--accounts", by_platform("--accounts", args.accounts, names, known, may_hold_equals=True))
    passwords = _single(
        "--admin-password",
        by_platform("--admin-password", args.admin_passwords, names, known, may_hold_equals=True),
    )
    listening = {
        listener: _single(f"--{listener}", by_platform(f"--{listener}", values, names, known))
        for listener, values in args.listeners.items()
    }
    return {
        name: PlatformArgs(
            addresses=_addresses(platform, {key: of[name] for key, of in listening.items() if name in of}),
            profile=_profile(platform, profiles.get(name)),
            properties=properties.get(name, ()),
            accounts=Path(accounts[name]) if name in accounts else None,
            admin_password=passwords.get(name),
            is_kept=args.store != IN_MEMORY,
            client_ca=args.client_ca,
        )
        for name, platform in chosen.items()
    }


def by_platform(
    option: str, values: Sequence[str], served: Sequence[str], known: Sequence[str], *, may_hold_equals: bool = False
) -> dict[str, list[str]]:
    """Platform -> the values of an option that are meant for it. `known` are all the platforms there are.

    If a value cannot contain `=` itself, the part before one must be a platform.
    """
    found: dict[str, list[str]] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if equals and not may_hold_equals:
            known_platform(name, f"{option} {text}", known)
        if equals and name in known:
            if name not in served:
                raise UsageError(f"{option} {text}: {name} is not served here; add --platform {name}")
        elif len(served) > 1:
            places = " or ".join(f"{one}={text}" for one in served)
            raise UsageError(f"{option} {text}: {len(served)} platforms are served; say which is meant: {places}")
        else:
            name, value = served[0], text
        found.setdefault(name, []).append(value)
    return found


def _single(option: str, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    for name, given in values.items():
        if len(given) > 1:
            raise UsageError(f"{option} is given {len(given)} times for {name}: {', '.join(given)}; give it once")
    return {name: given[0] for name, given in values.items()}


def _addresses(platform: ServablePlatform, given: Mapping[str, str]) -> dict[str, Address]:
    """Listener -> address: those that were given, else the platform's own, in the platform's order."""
    about = platform.description
    for listener in given:
        if listener not in about.listeners:
            has = " and ".join(f"--{name}" for name in about.listeners)
            raise UsageError(f"--{listener}: {about.title} has no such listener; it has {has}")
    wanted = {**about.defaults, **given}
    addresses = {}
    for listener in about.listeners:
        if listener in wanted:
            try:
                addresses[listener] = parse_address(wanted[listener])
            except UsageError as error:
                raise UsageError(f"--{listener}: {error}") from error
    return addresses


def _profile(platform: ServablePlatform, given: str | None) -> str:
    about = platform.description
    profile = about.profiles[0] if given is None else given
    if profile not in about.profiles:
        raise UsageError(
            f"--profile {profile}: {about.title} has no such generation; {expected(profile, about.profiles)}"
        )
    return profile


def _check_tls(
    args: ServeArgs, of_platform: Mapping[str, PlatformArgs], chosen: Mapping[str, ServablePlatform]
) -> None:
    if args.key and not args.certificate:
        raise UsageError("--key needs --cert, the certificate that it belongs to")
    open_ones = {listener for one in of_platform.values() for listener in one.addresses}
    about_tls = {"--cert and --key are": args.certificate, "--client-ca is": args.client_ca}
    given = next((words for words, files in about_tls.items() if files), None)
    if given is not None and not open_ones & TLS_LISTENERS:
        possible = dict.fromkeys(name for one in chosen.values() for name in one.description.listeners)
        options = " or ".join(f"--{name} HOST:PORT" for name in possible if name in TLS_LISTENERS)
        raise UsageError(f"{given} for {options or 'listeners with TLS'}, which is missing")


def _control(text: str) -> Address | None:
    try:
        return None if text == NO_CONTROL else parse_address(text)
    except UsageError as error:
        raise UsageError(f"--control: {error}, or {NO_CONTROL} to leave it out") from error
