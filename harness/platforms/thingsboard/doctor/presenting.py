"""What the options say of a device: what it has, and how it calls the server. All of it raises UsageError."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.platforms.thingsboard.doctor.asking import DeviceView
from fleetrig.harness.platforms.thingsboard.doctor.chains import shown_certificates
from fleetrig.harness.platforms.thingsboard.doctor.document import KEY, NAME, SECRET, DeviceDocument, read_document
from fleetrig.harness.platforms.thingsboard.doctor.facts import Kind, Presented
from fleetrig.harness.platforms.thingsboard.doctor.way import PORTS, PROVISION, Over, Way
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.address import host_of
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.certificates.pem import key_in, key_pem_in
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.transports.client_tls import take_up

REQUEST_BYTES: Final = 65_536
"""The largest packet that the server takes (spec 1.4)."""
Verify = Callable[[], ssl.SSLContext | bool]


@dataclass(frozen=True, slots=True)
class Given:
    """The options about the device, as they were given."""

    name: str = ""
    provision_key: str | None = None
    provision_secret: str | None = None
    request: Path | None = None
    token: str | None = None
    client_id: str = ""
    user_name: str | None = None
    mqtt_password: str | None = None
    cert: Path | None = None
    key: Path | None = None
    is_gateway: bool = False
    claims: bool = False

    @property
    def asks(self) -> bool:
        """It is a provision request."""
        return self.provision_key is not None or self.request is not None


def presented_by(given: Given) -> Presented:
    """One of request, token, MQTT_BASIC and certificate."""
    kinds = {
        "--provision-key": given.provision_key is not None,
        "--request": given.request is not None,
        "--token": given.token is not None,
        "--cert": given.cert is not None,
    }
    named = [option for option, is_given in kinds.items() if is_given]
    if len(named) > 1:
        raise UsageError(f"a device presents one thing here: give one of {' and '.join(named)}")
    if given.provision_secret is not None and given.provision_key is None:
        raise UsageError("--provision-secret belongs to --provision-key env:NAME, which is missing")
    if given.request is not None and (given.name or given.is_gateway):
        raise UsageError("--name and --gateway stand in the request that --request gives: leave them away")
    if given.key is not None and given.cert is None:
        raise UsageError("--key belongs to --cert FILE, which is missing")
    return _presented(given)


def _presented(given: Given) -> Presented:
    more: Mapping[str, Any] = {"client_id": given.client_id, "is_gateway": given.is_gateway, "claims": given.claims}
    if given.asks:
        return Presented(Kind.REQUEST, given.name, _document(given), **more)
    if given.cert is not None:
        chain = _chain(given.cert)
        return Presented(Kind.CERTIFICATE, given.name, chain=chain, has_key=given.key is not None, **more)
    if given.token is not None:
        return Presented(Kind.ACCESS_TOKEN, given.name, token=_raw_secret(given.token, "--token"), **more)
    if given.user_name is None and not given.client_id:
        raise UsageError(
            "say what the device has: --provision-key and --provision-secret, --request FILE, --token, --client-id or "
            "--user-name with --mqtt-password, or --cert FILE"
        )
    password = None if given.mqtt_password is None else _raw_secret(given.mqtt_password, "--mqtt-password")
    return Presented(Kind.MQTT_BASIC, given.name, user_name=given.user_name, password=password, **more)


def _document(given: Given) -> DeviceDocument:
    if given.request is not None:
        return read_document(_private_bytes(given.request))
    assert given.provision_key is not None
    if given.provision_secret is None:
        raise UsageError("--provision-key needs --provision-secret env:NAME")
    members: dict[str, Any] = {
        KEY: _raw_secret(given.provision_key, "--provision-key"),
        SECRET: _raw_secret(given.provision_secret, "--provision-secret"),
    }
    return DeviceDocument({**({NAME: given.name} if given.name else {}), **members,
                           **({"gateway": True} if given.is_gateway else {})})  # fmt: skip


def _raw_secret(text: str, what: str) -> str:
    """Line ends that a file ends with are no part of it; those of a variable are, since a device may hold them."""
    return secret_from(text, what)


def _private_bytes(path: Path) -> bytes:
    """A file that holds secrets, so that only its owner may read it."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"{path} holds key and secret and can be read by others: chmod 600 {path}")
        with path.open("rb") as file:
            return file.read(REQUEST_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read the request {path}: {why_unread(path, error)}") from None


def _chain(path: Path) -> Any:
    try:
        return shown_certificates(pem_file(path))
    except OSError as error:
        raise UsageError(f"cannot read the certificate {path}: {why_unread(path, error)}") from None
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def device_view(given: Given, verify: Verify) -> DeviceView:
    """How the device does TLS: whom it trusts, and what it shows."""

    def new_context() -> ssl.SSLContext:
        trusted = verify()
        return trusted if isinstance(trusted, ssl.SSLContext) else ssl.create_default_context()

    trusted = verify()
    own = None if given.cert is None or given.key is None else _certificate(given.cert, given.key)
    return DeviceView(trusted if isinstance(trusted, ssl.SSLContext) else None, new_context, own)


def _certificate(cert: Path, key: Path) -> ClientCertificate:
    """In the order of the file, as it is sent; its own certificate has to come first."""
    chain = tuple(one.der for one in _chain(cert))
    try:
        pem = pem_file(key)
        key_in(pem)
    except OSError as error:
        raise UsageError(f"cannot read the key {key}: {why_unread(key, error)}") from None
    except ValueError as wrong:
        raise UsageError(f"{key}: {wrong}") from None
    certificate = ClientCertificate(chain, key_pem_in(pem))
    try:
        take_up(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)
    except UsageError:
        raise UsageError(
            f"the key {key} does not belong to the first certificate of {cert}: the device's own has to stand first"
        ) from None
    return certificate


@dataclass(frozen=True, slots=True)
class Words:
    """The options about how the device asks."""

    topic: str
    response_topic: str
    path: str
    content_type: str
    reads: tuple[str, ...]


def way_of(server: RemoteServer, over: str, given: Given, said: Words) -> Way:
    """`over`: an address, or the word of a transport whose address the SERVER.yaml has or the port says."""
    url = over if "://" in over else _usual(server, over)
    scheme = urlsplit(url).scheme
    if scheme not in list(Over):
        raise UsageError(f"--over: {expected(scheme, tuple(Over))}")
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0) and parts.path in ("", "/")
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(f"--over {over!r} is no address; write for instance mqtts://127.0.0.1:8883")
    user_name = given.user_name if given.user_name is not None or given.client_id == PROVISION else PROVISION
    return Way(
        url.rstrip("/"), user_name, given.client_id, said.topic, said.response_topic, said.path, said.content_type,
        said.reads,
    )  # fmt: skip


def _usual(server: RemoteServer, word: str) -> str:
    if word not in list(Over):
        raise UsageError(f"--over: {expected(word, tuple(Over))}")
    over = Over(word)
    named = server.listeners.get(word)
    if named is not None:
        return named if "://" in named else f"{word}://{named}"
    if over.plain == Over.HTTP and urlsplit(server.url).scheme == word:
        parts = urlsplit(server.url)
        return f"{word}://{parts.netloc}"
    host = host_of(server.url)
    return f"{word}://{f'[{host}]' if ':' in host else host}:{PORTS[over]}"
