"""The model of a SERVER.yaml (docs/servers.md): what can be said of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from fleetrig.harness.scenario_file.values import Model, Text, Word
from fleetrig.harness.servers.address import host_port, web_url
from fleetrig.harness.servers.description import LISTENERS
from fleetrig.simulator.contract.errors import UsageError


def _checked(check: Callable[[str], str]) -> AfterValidator:
    """A mistake in an address gets its line in the file."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except UsageError as wrong:
            raise ValueError(str(wrong)) from None

    return AfterValidator(validate)


WebAddress = Annotated[Text, _checked(web_url)]
TlsAddress = Annotated[Text, _checked(lambda text: web_url(text, "https"))]
HostPort = Annotated[Text, _checked(host_port)]


class LineAccount(Model):
    """An account of the manufacturing line: it may create devices, and needs no other right."""

    user: Text
    password: Text
    """Better `env:NAME`: then the secret stands in no file."""


class ClientCaFile(Model):
    """The authority whose client certificates the proxy in front of the server accepts: it issues those of devices."""

    certificate: Text
    """A PEM file; a path relative to this file."""
    key: Text | None = None
    """A PEM file with its key, where that is not in the same one. Only its owner may be able to read it."""
    authority: Text | None = None
    """What the proxy tells the server of the issuer; its `openssl x509 -issuer_hash` when not given."""


class ServerFile(Model):
    """A SERVER.yaml: addresses, administrator account and additional capabilities of a server."""

    platform: Word | None = None
    """What the server is. May be left out where the command says so, or where all scenarios agree."""
    http: WebAddress | None = None
    https: TlsAddress | None = None
    mqtt: HostPort | None = None
    mqtts: HostPort | None = None
    coap: HostPort | None = None
    coaps: HostPort | None = None
    registry: WebAddress | None = None
    user: Text | None = None
    password: Text | None = None
    """Better `env:NAME`: then the secret stands in no file."""
    line: LineAccount | None = None
    """The manufacturing line's own account, for actions that say `account: line`."""
    tenant: Text | None = None
    ca: Text | None = None
    """A PEM file with the authority to trust; a path relative to this file. `--ca` wins."""
    client_ca: ClientCaFile | None = None
    """Who issues certificates for devices, for scenarios whose devices have some."""
    control: WebAddress | None = None
    """The control interface of a reference server. It says all the rest, and faults can be switched there."""
    can: tuple[Word, ...] = ()
    """Capabilities that cannot be detected."""

    def listeners(self) -> dict[str, str]:
        """Those that are given: listener -> URL or `HOST:PORT`."""
        return {name: address for name in LISTENERS if (address := getattr(self, name)) is not None}
