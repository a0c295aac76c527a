"""A running server known by its address: `--against URL`, or a SERVER.yaml that says more."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.values import Model, Text, Word
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import from_environment
from fleetrig.harness.servers.under_test import all_needs
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

DEFAULT_PASSWORD: Final = "admin"


def capability(word: str) -> str:
    """A word that scenarios need; a misspelt one would only have them skipped."""
    if word not in (known := all_needs()):
        raise ValueError(f"expected what a server can do: {', '.join(sorted(known))}")
    return word


Capability = Annotated[Word, AfterValidator(capability)]


class ServerFile(Model):
    """A SERVER.yaml: where the server is, who may administer it, and what it can do beyond the usual."""

    url: Text
    user: Text = "admin"
    password: Text = DEFAULT_PASSWORD
    """Better `env:NAME`: then the secret stands in no file."""
    tenant: str = ""
    """The platform's usual one when not given."""
    control: Text | None = None
    """Of a reference server: the URL of its control interface. Then faults and reasons can be had."""
    can: tuple[Capability, ...] = ()
    """Capabilities that only its operator knows of."""


def foreign_server(text: str, *, may_change_settings: bool, environ: Mapping[str, str] = os.environ) -> RemoteServer:
    """The server of `--against`. Raises UsageError for an address that is none."""
    about = ServerFile(url=text) if "://" in text else read_server_file(Path(text))
    host = host_of(about.url)
    password = about.password
    account = UserPassword(about.user, from_environment(password, environ) if password.startswith("env:") else password)
    if about.control is not None:
        host_of(about.control)
    return RemoteServer(
        about.url.rstrip("/"),
        account,
        about.tenant,
        may_change_settings=may_change_settings or is_loopback(host),
        can=frozenset(about.can),
        control=None if about.control is None else ControlInterface(about.control),
    )


def read_server_file(path: Path) -> ServerFile:
    """Raises UsageError, FileMistakes."""
    if not path.is_file() and path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{path} is neither an address nor a file; write for instance http://127.0.0.1:8080")
    return load_mapping(path, ServerFile)


def host_of(url: str) -> str:
    """The host of an http(s) URL. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as wrong:
        raise UsageError(f"{url!r} is no address of a server: {wrong}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address takes no user and password, since others can see command lines: put them into a "
                         "SERVER.yaml (url, user, password: env:NAME) and give --against SERVER.yaml")  # fmt: skip
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no address of a server; write for instance http://127.0.0.1:8080")
    return host


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def verify_with(ca: Path | None, *, insecure: bool) -> ssl.SSLContext | bool:
    """How certificates are checked. Raises UsageError for a CA that cannot be read."""
    if ca is not None and insecure:
        raise UsageError("--ca and --insecure contradict each other: give one of them")
    if insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as wrong:
        raise UsageError(f"cannot read the CA {ca}: {wrong}") from None
