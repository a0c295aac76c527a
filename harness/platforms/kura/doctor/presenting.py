"""What the options and files say of a gateway, of certificates and of a message. All of it raises UsageError."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from fleetrig.harness.doctor.diagnosis import printable
from fleetrig.harness.platforms.kura.doctor.configuration import (
    PROVISIONING,
    TRANSPORT,
    CloudConnection,
    Configuration,
    NotConfiguration,
    read_configuration,
)
from fleetrig.harness.platforms.kura.doctor.facts import Gateway, Material, Message, Purpose
from fleetrig.harness.platforms.kura.doctor.keystore import NotKeystore, read_keystore
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.certificates.pem import certificates_in
from fleetrig.simulator.contract.errors import UsageError

MOST_PAYLOAD_BYTES: Final = 16 * 1024 * 1024
KEY: Final = "activation-key"


@dataclass(frozen=True, slots=True)
class Given:
    """The options about the gateway and its files, as they were given."""

    configuration: Path | None = None
    connection: str = ""
    purpose: Purpose | None = None
    broker_url: str = ""
    account: str = ""
    login: str = ""
    secret: str | None = None
    client_id: str = ""
    activation_key: str | None = None
    mac: str = ""
    serial: str = ""
    provision_account: str = ""
    chain: Path | None = None
    trust: Sequence[Path] = ()
    no_ca_authentication: bool = False
    keystore: Path | None = None
    signer: Path | None = None
    topic: str = ""
    payload: str | None = None


def configuration_of(given: Given) -> tuple[Configuration | None, CloudConnection | None]:
    """The file, and the connection that is meant."""
    if given.configuration is None:
        if given.connection:
            raise UsageError("--connection is about a file: give --configuration FILE, too")
        return None, None
    try:
        configuration = read_configuration(_read(given.configuration, "--configuration"))
    except NotConfiguration as wrong:
        raise UsageError(f"{given.configuration} holds {wrong}") from None
    connections = configuration.connections
    if not connections:
        raise UsageError(f"{given.configuration} holds no cloud connection (ProvisioningService, MqttDataTransport …)")
    if not given.connection:
        return configuration, connections[0]
    names = {one.suffix: one for one in connections}
    if given.connection not in names:
        raise UsageError(f"--connection: {expected(given.connection, tuple(names))}")
    return configuration, names[given.connection]


def purpose_of(given: Given, connection: CloudConnection | None) -> Purpose:
    """What was said; else what the configuration is about, and the account."""
    if given.purpose is not None:
        return given.purpose
    if connection is not None and (service := connection.service(PROVISIONING)).values:
        is_done = service.flag("provisioned") is True and not service.flag("enabled")
        return Purpose.CONNECTION if is_done else Purpose.PROVISIONING
    is_asking = given.account == given.provision_account or given.activation_key or given.mac
    return Purpose.PROVISIONING if is_asking and connection is None else Purpose.CONNECTION


def gateway_of(given: Given, connection: CloudConnection | None, purpose: Purpose) -> Gateway:
    """Options win over the configuration."""
    is_asking = purpose is Purpose.PROVISIONING
    service = None if connection is None else connection.service(PROVISIONING if is_asking else TRANSPORT)
    account = "account-name" if is_asking else "topic.context.account-name"

    def text(option: str, name: str) -> str:
        return option or ("" if service is None else service.text(name))

    own_key = "" if given.activation_key is None else secret_from(given.activation_key, "--activation-key")
    is_shown = service is not None and bool(service.values) and KEY not in service.encrypted
    return Gateway(
        broker_url=text(given.broker_url, "broker-url"),
        account=text(given.account, account),
        set_login=text(given.login, "username"),
        secret="" if given.secret is None else secret_from(given.secret, "--secret"),
        set_client_id=text(given.client_id, "client-id"),
        activation_key=text(own_key, KEY),
        knows_key=given.activation_key is not None or is_shown,
        mac=given.mac,
        serial=given.serial,
        writes_colons=not is_asking,
    )


def material_of(given: Given, connection: CloudConnection | None) -> Material:
    """Certificates of files."""
    chain, problem = _chain(given.chain)
    off = connection is not None and connection.service(PROVISIONING).flag("ca-authentication") is False
    signer = None if given.signer is None else _certificates(given.signer, "--signer")[0]
    keystore = None
    if given.keystore is not None:
        try:
            keystore = read_keystore(_read(given.keystore, "--keystore"))
        except NotKeystore as wrong:
            raise UsageError(f"{given.keystore} holds {wrong}") from None
    return Material(
        chain, problem, tuple(one for file in given.trust for one in _certificates(file, "--trust")), keystore, signer,
        checks_authority=not (given.no_ca_authentication or off),
    )  # fmt: skip


def _chain(file: Path | None) -> tuple[tuple[x509.Certificate, ...] | None, str]:
    """What a gateway would make of it: a chain that cannot be read is none, which is a finding and no wrong usage."""
    if file is None:
        return None, ""
    content = _read(file, "--chain")
    try:
        return tuple(certificates_in(content)), ""
    except ValueError as wrong:
        return (), str(wrong) if content.strip() else ""


def message_of(given: Given) -> Message | None:
    """A topic, and a payload if one was given."""
    if not given.topic:
        if given.payload is not None:
            raise UsageError("--payload belongs to --topic TOPIC, which says what it is for")
        return None
    return Message(given.topic, None if given.payload is None else _payload(given.payload))


def _payload(text: str) -> bytes:
    """Hex, Base64 or a file. Text that could be both is hex."""
    if text.startswith("@"):
        content = _read_whole(Path(text[1:]))
        try:
            stripped = "".join(content.decode("ascii").split())
        except UnicodeDecodeError:
            return content
        return _written(stripped) or content
    found = _written("".join(text.split()))
    if found is None:
        raise UsageError(f"--payload {printable(text, 40)!r} is neither hex nor Base64; @FILE reads it from a file")
    return found


def _written(text: str) -> bytes | None:
    """None for what is neither."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _read_whole(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_PAYLOAD_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}, which --payload names: {why_unread(path, error)}") from None
    if len(content) > MOST_PAYLOAD_BYTES:
        raise UsageError(f"{path} is larger than a payload can be ({MOST_PAYLOAD_BYTES >> 20} MiB)")
    return content


def _certificates(path: Path, option: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(certificates_in(_read(path, option)))
    except ValueError as wrong:
        raise UsageError(f"{path}, which {option} names: {wrong}") from None


def _read(path: Path, option: str) -> bytes:
    try:
        return pem_file(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}, which {option} names: {why_unread(path, error)}") from None
