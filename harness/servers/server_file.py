"""Reads the server that `--against` names: a URL, or a SERVER.yaml with more details."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source
from fleetrig.harness.scenario_file.reader import load_mapping, read_source
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.scenario_file.values import Model, Text, Word
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.servers.address import host_of, host_port, is_loopback, web_url
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.description import (
    LISTENERS,
    ServerDescription,
    description_of,
    did_you_mean,
)
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.remote import ClientCa, RemoteServer
from fleetrig.harness.servers.secrets import checked_account, from_environment
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import why_no_basic_account
from fleetrig.simulator.contract.identity import UserPassword


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
    """The control interface of a reference server. Then faults can be switched, and reasons looked up."""
    can: tuple[Word, ...] = ()
    """Capabilities that cannot be detected."""

    def listeners(self) -> dict[str, str]:
        """Those that are given: listener -> URL or `HOST:PORT`."""
        return {name: address for name in LISTENERS if (address := getattr(self, name)) is not None}


def platform_named_by(against: str) -> str | None:
    """The platform that a SERVER.yaml names. Raises UsageError, FileMistakes."""
    return None if "://" in against else _load(_path_of(against))[0].platform


def remote_server_from(
    against: str, platform: str, *, may_change_settings: bool, environ: Mapping[str, str] = os.environ
) -> RemoteServer:
    """The server that `--against` names. Raises UsageError, FileMistakes (with line and column)."""
    about = description_of(platform)
    if "://" in against:
        server = _server(platform, about, ServerFile.model_validate({about.admin: web_url(against)}), environ)
    else:
        server = replace(_read(_path_of(against), platform, about, environ), is_file=True)
    return replace(server, may_change_settings=may_change_settings or is_loopback(host_of(server.url)))


def _path_of(against: str) -> Path:
    path = Path(against)
    if not path.is_file() and path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{path} is neither an address nor a file; write for instance http://127.0.0.1:8080")
    return path


def _load(path: Path) -> tuple[ServerFile, Source]:
    """The file and its source, the platform known if it is named."""
    file, source = load_mapping(path, ServerFile), read_source(path)
    name, known = file.platform, tuple(PLATFORMS)
    if name is not None and name not in known:
        sentence = f"platform: expected {', '.join(known[:-1])} or {known[-1]}, got {name!r}{did_you_mean(name, known)}"
        raise FileMistakes([source.problem(locate(source.tree, ["platform"])[0], sentence)])
    return file, source


def _read(path: Path, platform: str, about: ServerDescription, environ: Mapping[str, str]) -> RemoteServer:
    file, source = _load(path)
    if problems := list(_problems(file, source, platform, about)):
        raise FileMistakes(problems)
    server = _server(platform, about, file, environ)
    if file.client_ca is not None:
        server = replace(server, client_ca=_client_ca(file.client_ca, path.parent))
    return server if file.ca is None else replace(server, ca=path.parent / file.ca)


def _client_ca(given: ClientCaFile, folder: Path) -> ClientCa:
    """Raises UsageError for files that cannot be read, and for a key that others can."""
    files = [folder / name for name in dict.fromkeys(filter(None, (given.certificate, given.key)))]
    try:
        if files[-1].stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"{files[-1]} holds a private key and can be read by others: chmod 600 {files[-1]}")
        return ClientCa(b"\n".join(pem_file(file) for file in files), given.authority or "")
    except OSError as error:
        file = Path(error.filename)
        raise UsageError(f"client_ca: cannot read {file}: {why_unread(file, error)}") from None


def _problems(file: ServerFile, source: Source, platform: str, about: ServerDescription) -> Iterator[Problem]:
    """What is wrong for this platform only."""

    def problem(place: Sequence[str | int], sentence: str) -> Problem:
        return source.problem(locate(source.tree, place, key=len(place) == 1)[0], sentence)

    if file.platform not in (None, platform):
        yield problem(["platform"], f"platform: the server is {file.platform}, but {platform} is asked for here")
        return
    if not set(about.admin_listeners) & file.listeners().keys():
        yield problem([], f"{about.admin} is missing: the address of {about.title}'s administration interface")
    for name, account in (("user", (file.user or "", "")), ("password", ("", file.password or ""))):
        if why := why_no_basic_account(*account):
            yield problem([name], f"{name}: {why}")
    for name in file.listeners():
        if name not in about.listeners:
            yield problem([name], f"{name}: {about.title} has no such listener; it has {', '.join(about.listeners)}")
    known = sorted(vocabulary_of(platform).needs)
    for number, word in enumerate(file.can):
        if word not in known:
            sentence = f"can[{number}]: expected what a server can do: {', '.join(known)}, got {word!r}"
            yield problem(["can", number], sentence + did_you_mean(word, known))


def _server(platform: str, about: ServerDescription, file: ServerFile, environ: Mapping[str, str]) -> RemoteServer:
    listeners = file.listeners()
    url = next(listeners[name] for name in about.admin_listeners if name in listeners)
    listener_words = {about.admin, *listeners, *(["https"] if url.startswith("https://") else [])}
    password = about.account.password if file.password is None else file.password
    return RemoteServer(
        url,
        _account(file.user or about.account.user, password, "user and password", environ),
        None if (line := file.line) is None else _account(line.user, line.password, "line", environ),
        file.tenant or about.tenant,
        can=frozenset({*file.can, *listener_words}),
        control=None if file.control is None else ControlInterface(file.control),
        platform=platform,
        listeners=listeners,
    )


def _account(user: str, password: str, where: str, environ: Mapping[str, str]) -> UserPassword:
    """The password is a text, or what `env:NAME` names. Raises UsageError."""
    if password.startswith("env:"):
        where, password = password, from_environment(password, environ)
    return checked_account(user, password, where)
