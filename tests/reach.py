"""What rows, scenarios and recordings execute of a platform of the reference server, module by module.

    make reach                       the hawkBit platform
    make reach PLATFORM=thingsboard  another one

Counted are the statements inside functions: those of a module run when it is imported and say nothing. Ends with 1 when
a module stays below the threshold without a line in `BELOW`, or has such a line without need.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import coverage

from fleetrig.harness.cli import main as fleetrig

ROOT: Final = Path(__file__).resolve().parents[1]
THRESHOLD_PERCENT: Final = 80
FIRMWARE: Final = "firmware and software (3.6), in no row: test_ota_packages.py"
API_KEYS: Final = "API keys (4), with which no row logs in: test_rest_api_keys.py"
COMMANDS: Final = "commands and their responses (4.1 to 4.3), in no row: test_commands.py, test_responding.py"
TOKENS: Final = "signed tokens (4.1), with which no row signs in: test_tokens.py"
OBSERVING: Final = "what devices observe over CoAP (3.4), in no row: test_coap.py"
BELOW: Final[Mapping[str, Mapping[str, str]]] = {
    "hawkbit": {
        "request/front_page.py": "what a browser gets at the server's own address: not part of either API",
        "state/artifact_properties.py": "reads start-up properties before there is a server: test_artifact_urls.py",
        "state/forwarded.py": "needs a server started with server.forward-headers-strategy: test_forwarded.py",
        "state/properties.py": "reads start-up properties before there is a server: test_properties.py",
        "state/property_values.py": "reads start-up properties before there is a server: test_properties.py",
    },
    "thingsboard": {
        "coap/device_requests.py": OBSERVING,
        "coap/discovery.py": "Californium's greeting and list of resources, for people with a client: test_coap.py",
        "coap/observing.py": OBSERVING,
        "coap/packages.py": FIRMWARE,
        "coap/transport.py": "observing, packages, a store that fails: test_coap.py, test_store_failures.py",
        "device_api/values.py": "forms of telemetry that operators write: test_rest_further.py",
        "http/call.py": "bodies and types that no row sends: test_rest_members.py, test_http_device_api.py",
        "http/container.py": "what Tomcat says to URLs that are none: test_http_firewall.py",
        "http/device_calls.py": "commands and packages over HTTP (3.3): test_http_device_api.py, test_ota_packages.py",
        "http/firewall.py": "paths and methods that Spring refuses: test_http_firewall.py",
        "http/package_files.py": FIRMWARE,
        "http/waiting.py": "long polls that end before their time (3.3): test_http_device_api.py",
        "mqtt/device_messages.py": "commands, and topics without a number (3.2): test_mqtt_devices.py",
        "mqtt/failures.py": "needs a store that fails: test_store_failures.py",
        "mqtt/gateway_messages.py": "what gateways say beside connect and telemetry (3.2): test_mqtt_devices.py",
        "mqtt/ip_guard.py": "needs a server started with the guard on: test_mqtt_limits.py",
        "mqtt/package_chunks.py": FIRMWARE,
        "rest/api_keys.py": API_KEYS,
        "rest/attributes.py": "refusals, and attributes without a scope: test_rest_devices.py",
        "rest/authentication.py": "logins that are none, and API keys: test_rest_login.py, test_rest_api_keys.py",
        "rest/bulk_import.py": "lists and mappings that cannot be read: test_bulk_import.py",
        "rest/contacts.py": "addresses, which no row gives: test_rest_people.py",
        "rest/csv_lines.py": "cells and delimiters that no row's list has: test_bulk_import.py",
        "rest/customers.py": "customers changed and read, as by no row: test_rest_people.py",
        "rest/devices.py": "lists of a customer and by ids: test_rest_further.py",
        "rest/jwt.py": "tokens that are forged or have expired: test_jwt.py",
        "rest/login.py": "refused logins, logout, new passwords: test_rest_login.py, test_rest_passwords.py",
        "rest/members.py": "coercions that no row's documents need: test_rest_members.py",
        "rest/ota_packages.py": FIRMWARE,
        "rest/pages.py": "sorted pages, and pages that are none: test_rest_profiles.py",
        "rest/profiles.py": "a default chosen anew, names and infos: test_rest_further.py, test_rest_profiles.py",
        "rest/tenant_profiles.py": "a default chosen anew: test_rest_tenants.py",
        "rest/tenants.py": "tenants changed and read, as by no row: test_rest_tenants.py",
        "rest/users.py": "users changed, and who may not be one: test_rest_people.py",
        "state/api_keys.py": API_KEYS,
        "state/attributes.py": "keys as operators list them: test_rest_further.py",
        "state/murmur3.py": FIRMWARE,
        "state/ota_packages.py": FIRMWARE,
        "state/outdated_tokens.py": "logout and new passwords: test_rest_passwords.py",
        "state/profiles.py": "a default chosen anew: test_rest_further.py",
        "state/tenants.py": "tenants changed, and limits that are none: test_rest_tenants.py",
    },
    "hono": {
        "coap/adapter.py": "discovery, a store that fails, commands that nobody waits for (4.3): test_discovery.py, "
        "test_waiting.py",
        "coap/content_formats.py": "formats beside JSON: test_content_formats.py",
        "coap/device_requests.py": COMMANDS,
        "coap/discovery.py": "Californium's list of resources, for people with a client: test_discovery.py",
        "coap/handshake.py": "certificates that are none for clients: test_handshakes.py",
        "coap/requests.py": "gateways and devices without DTLS: test_requests.py",
        "coap/waiting.py": COMMANDS,
        "commands/device_command.py": COMMANDS,
        "commands/notifying.py": COMMANDS,
        "commands/router.py": COMMANDS,
        "commands/sending.py": COMMANDS,
        "http/adapter.py": COMMANDS,
        "http/authenticating.py": "tokens, and headers that are no credentials: test_uploads.py, test_tokens.py",
        "http/held_uploads.py": COMMANDS,
        "http/replies.py": COMMANDS,
        "management/accounts.py": "a registry that asks who it is, as by no row: test_admission.py",
        "management/container.py": "what Vert.x says when a handler fails: test_requests.py",
        "vertx/cors.py": "browsers of another origin: test_admission.py",
        "management/credentials_form.py": "forms that no row puts: test_credentials.py",
        "management/json_body.py": "comments, depths and numbers that no row sends: test_requests.py",
        "management/members.py": "coercions that no row's documents need: test_tenants.py, test_devices.py",
        "management/routing.py": "paths that are not normal: test_requests.py",
        "management/tenant_form.py": "tracing, which no row sets: test_tenants.py",
        "mqtt/adapter.py": "packets that no client sends: test_connect.py, test_endings.py",
        "mqtt/command_delivery.py": COMMANDS,
        "mqtt/connack_codes.py": "two lines, one of which devices that sign in never come to: test_connect.py",
        "mqtt/failures.py": "needs a store that fails: test_endings.py",
        "mqtt/publishing.py": "responses to commands, and topics of devices with tokens: test_publish.py",
        "mqtt/subscribing.py": "commands of gateways, and filters that are none: test_subscribe.py",
        "names/assertions.py": "names with attributes that no row has: test_java_names.py",
        "names/java_name_parser.py": "quotes, hex and escapes in names that operators send: test_java_names.py",
        "northbound/command_ids.py": COMMANDS,
        "provisioning/by_secret.py": TOKENS,
        "provisioning/client_certificate.py": "keys and extensions that Java refuses: test_client_certificate.py",
        "provisioning/date_check.py": "a certificate that cannot be read: test_client_certificate.py",
        "provisioning/tokens.py": TOKENS,
        "state/connection_time.py": "connection-duration (4.5), as by no row: test_connect.py",
        "state/data_volume.py": "periods of a month: test_uploads.py",
        "state/errors.py": "two lines, one of which Python needs for messages of exceptions",
        "state/ids.py": "an id that a template has made: test_templates.py",
        "state/secrets.py": "secrets that are incomplete: test_credentials.py",
    },
    "kura": {
        "broker/failures.py": "needs a store that fails: test_store_failures_over_mqtt.py",
        "device_management/odd_messages.py": "control messages that no scenario may ask for: test_odd_messages.py",
        "payload/codec.py": "positions and values that cannot be written, which the server never says: test_codec.py",
        "payload/gzip_rule.py": "compressing, which is the gateways' business: test_codec.py",
        "payload/json_codec.py": "payloads in JSON, which no server has to read: test_json_codec.py",
        "rest/access_infos.py": "rights read, counted and taken back one by one: test_people.py",
        "rest/access_roles.py": "roles, of which there are none: test_people.py",
        "rest/accounts.py": "accounts changed, counted and looked for: test_people.py",
        "rest/api.py": "paths, methods, heads and credentials that are none: test_odd_requests.py",
        "rest/certificates.py": "certificates that operators make, change and revoke: test_certificates.py",
        "rest/credentials.py": "passwords listed, counted and refused: test_people.py",
        "rest/device_calls.py": "a device that is not connected: test_device_calls.py",
        "rest/device_configurations.py": "several components at once, and parts of topics that are none: "
        "test_device_calls.py",
        "rest/device_keystores.py": "keys that a device makes, and replies that cannot be read: test_device_calls.py",
        "rest/device_packages.py": "packages listed and removed: test_device_calls.py",
        "rest/device_requests.py": "general requests with metrics of every type: test_device_calls.py",
        "rest/endpoints.py": "where devices connect, for people: test_devices.py",
        "rest/events.py": "events counted and read one by one, the audit: test_devices.py",
        "rest/forms.py": "members of another type: test_odd_requests.py",
        "rest/predicates.py": "queries that no row asks: test_devices.py",
        "rest/provision_form.py": "attachments and changes that are none: test_provision_requests.py",
        "rest/scopes.py": "_ for one's own account, and what is no id: test_people.py",
        "rest/service_configurations.py": "lockout and limits, as no row changes them: test_devices.py",
        "signing/signer.py": "keys of RSA and EC, which operators may bring: test_signer.py",
        "state/account_removal.py": "an account that goes with all that is in it: test_people.py",
        "state/accounts.py": "accounts that are none, changed, or needed by others: test_people.py",
        "state/certificates.py": "certificates that operators bring: test_certificates.py",
        "state/events.py": "the audit, for people: test_devices.py",
        "state/permissions.py": "rights of groups, and who may give what: test_people.py",
    },
}
"""Platform -> module -> why so little of it is executed."""


@dataclass(frozen=True, slots=True)
class ModuleReach:
    """How much of one module was executed."""

    name: str
    """Path below the platform's folder."""
    statements: int
    missing: tuple[int, ...]
    """Numbers of lines that were not executed."""

    @property
    def percent(self) -> int:
        return 100 if not self.statements else 100 * (self.statements - len(self.missing)) // self.statements


def folder_of(platform: str) -> Path:
    return ROOT / "reference_server" / "platforms" / platform


def run_hawkbit() -> None:
    """Plays everything that there is for hawkBit, in this process."""
    from tests.golden.test_hawkbit_recordings import ROWS as RECORDED
    from tests.golden.test_hawkbit_recordings import fresh_replay
    from tests.harness.platforms.hawkbit.conformance.reach import run_every_row

    with TemporaryDirectory() as folder:
        for exchanges in RECORDED.values():
            with fresh_replay("memory", Path(folder)) as replay:
                replay.play(exchanges)
    run_every_row()
    run_scenarios("hawkbit")


def run_thingsboard() -> None:
    """The same for ThingsBoard."""
    from tests.golden.test_thingsboard_recordings import FILES, played
    from tests.harness.platforms.thingsboard.conformance.reach import run_every_row

    for name in FILES:
        if odd := [f"{row}: {difference}" for row, difference in played(name).verdicts.items() if difference]:
            raise SystemExit(f"the recording {name} is answered otherwise: {odd}")
    run_every_row()
    run_scenarios("thingsboard")


def run_hono() -> None:
    """The same for Hono."""
    from tests.golden.hono_player.judging import Answers
    from tests.golden.test_hono_player import FILES
    from tests.golden.test_hono_recordings import NOT_YET, RECORDED_FROM, played
    from tests.harness.platforms.hono.conformance.reach import run_every_row

    for name in FILES:
        verdicts = played(name, RECORDED_FROM[name], Answers.RECORDED, "memory").verdicts
        if odd := [f"{row}: {said}" for row, said in verdicts.items() if said and (name, row) not in NOT_YET]:
            raise SystemExit(f"the recording {name} is answered otherwise: {odd}")
    run_every_row()
    run_scenarios("hono")


def run_kura() -> None:
    """The same for Kura, whose recordings are played in `tests/golden` over sockets."""
    from tests.golden.kura_player.broker_player import BrokerPlayer
    from tests.golden.kura_player.served import kura_served
    from tests.golden.test_kura_recordings import FILES, TRANSCRIPTS
    from tests.harness.platforms.kura.conformance.reach import run_every_row

    with kura_served() as served:
        for name in FILES:
            player = BrokerPlayer(served)
            player.play(TRANSCRIPTS[name])
            if odd := {case: said for case, said in player.verdicts.items() if said}:
                raise SystemExit(f"the recording {name} is answered otherwise: {odd}")
    run_every_row()
    run_scenarios("kura")


def run_scenarios(platform: str) -> None:
    """In virtual time; those for programs with our own device, which takes real time. Raises SystemExit on failure."""
    for words in ((platform,), (f"external/{platform}", "--own-device", "--jobs", "20")):
        with TemporaryDirectory() as results:
            if fleetrig(["run", *words, "--results", results]) != 0:
                raise SystemExit(f"fleetrig run {' '.join(words)} failed: see above")


RUN: Final[Mapping[str, Callable[[], None]]] = {
    "hawkbit": run_hawkbit,
    "thingsboard": run_thingsboard,
    "hono": run_hono,
    "kura": run_kura,
}


def measure(platform: str) -> list[ModuleReach]:
    """Runs everything of a platform and counts."""
    folder = folder_of(platform)
    counting = coverage.Coverage(data_file=None, include=[f"{folder}/*"])
    with counting.collect():
        RUN[platform]()
    return [
        reach_of(path.relative_to(folder).as_posix(), path.read_text("utf-8"), executed_lines(counting, path))
        for path in sorted(folder.rglob("*.py"))
    ]


def executed_lines(counting: coverage.Coverage, path: Path) -> frozenset[int]:
    return frozenset(counting.get_data().lines(str(path)) or ())


def reach_of(name: str, source: str, executed: frozenset[int]) -> ModuleReach:
    """A module's count. A statement over several lines counts once, by its first line."""
    lines = set(statements_in_functions(ast.parse(source)))
    return ModuleReach(name, len(lines), tuple(sorted(lines - executed)))


def statements_in_functions(tree: ast.AST) -> Iterator[int]:
    """The first line of each statement in a function, docstrings and definitions left out."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for one in ast.walk(function):
                if isinstance(one, ast.stmt) and one is not function and not is_silent(one):
                    yield one.lineno


def is_silent(one: ast.stmt) -> bool:
    """Whether Python executes nothing for it, or only names something."""
    if isinstance(one, ast.Expr):
        return isinstance(one.value, ast.Constant)
    return isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Nonlocal | ast.Global)


def complaints(modules: list[ModuleReach], below: Mapping[str, str]) -> list[str]:
    """What is wrong: too little executed without a reason, a reason without need, a reason for no module."""
    found = [
        f"{one.name}: {one.percent} % executed, {THRESHOLD_PERCENT} % wanted; lines {lines_shown(one.missing)}: "
        "add a row, a scenario or a recording that needs them, remove them, or say why in BELOW"
        for one in modules
        if one.percent < THRESHOLD_PERCENT and one.name not in below
    ]
    by_name = {one.name: one for one in modules}
    for name in below:
        if name not in by_name:
            found.append(f"{name}: BELOW has a reason for it, but there is no such module")
        elif by_name[name].percent >= THRESHOLD_PERCENT:
            found.append(f"{name}: {by_name[name].percent} % executed, so BELOW needs no reason for it any more")
    return found


def lines_shown(lines: tuple[int, ...]) -> str:
    """Runs of lines: `3-5, 9`."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def table(modules: list[ModuleReach], below: Mapping[str, str]) -> Iterator[str]:
    """One line per module, then the sum."""
    for one in modules:
        if one.statements:
            gone = lines_shown(one.missing)
            yield f"{one.percent:>3} %  {one.statements:>4}  {one.name:<42} {below.get(one.name) or gone[:60]}".rstrip()
    statements, missing = sum(one.statements for one in modules), sum(len(one.missing) for one in modules)
    yield f"{100 * (statements - missing) // max(statements, 1):>3} %  {statements:>4}  in all"


def main(platform: str = "hawkbit") -> int:
    modules, below = measure(platform), BELOW.get(platform, {})
    print(*table(modules, below), sep="\n")
    wrong = complaints(modules, below)
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
