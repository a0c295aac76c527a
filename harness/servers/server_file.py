"""Reads the server that `--against` names.

http://127.0.0.1:8080     its own address, or that of its administration interface
http://127.0.0.1:8081     the control interface of a reference server, which says all the rest
SERVER.yaml               a file with more details (docs/servers.md)
ready.json                what `fleetrig serve --ready-file` has written
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source
from fleetrig.harness.scenario_file.reader import load_mapping, read_source
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.servers.address import addresses_of, host_of, host_port, is_loopback, is_near, web_url
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.control_asking import ask_control
from fleetrig.harness.servers.control_page import ControlPage, ToldPlatform
from fleetrig.harness.servers.description import LISTENERS, ServerDescription, description_of, did_you_mean
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.remote import ClientCa, RemoteServer
from fleetrig.harness.servers.secrets import checked_account, from_environment
from fleetrig.harness.servers.served_account import administrator_of
from fleetrig.harness.servers.server_model import ClientCaFile, ServerFile
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.header_text import why_no_basic_account
from fleetrig.simulator.contract.identity import UserPassword

AskControl = Callable[[str], ControlPage | None]
"""What listens there says of itself. Raises BrokenBench without an answer."""


@dataclass(frozen=True, slots=True)
class DescribedServer:
    """What `--against` has told, and what the server's control interface has added."""

    file: ServerFile
    source: Source | None = None
    """Of a SERVER.yaml."""
    page: ControlPage | None = None
    url: str = ""
    """A bare address: which listener it is depends on the platform."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """What the server is; empty where nobody says."""
        if self.file.platform is not None:
            return (self.file.platform,)
        return () if self.page is None else tuple(self.page.platforms)

    @property
    def names_listeners(self) -> bool:
        """It is more than a bare address."""
        return not self.url

    def server(
        self, platform: str, *, may_change_settings: bool, environ: Mapping[str, str] = os.environ
    ) -> RemoteServer:
        """As a server of this platform. Raises UsageError, FileMistakes (with line and column)."""
        about = description_of(platform)
        file = ServerFile.model_validate({about.admin: self.url}) if self.url else self.file
        served = ToldPlatform() if self.page is None else self._served(self.page, platform)
        if self.source is not None and (problems := list(_problems(file, self.source, platform, about, served))):
            raise FileMistakes(problems)
        server = _server(platform, about, file, served, environ)
        if self.source is not None and file.client_ca is not None:
            server = replace(server, client_ca=_client_ca(file.client_ca, self.source.path.parent))
        return replace(
            server,
            ca=self._ca(),
            is_file=self.names_listeners,
            may_change_settings=may_change_settings or is_loopback(host_of(server.url)),
        )

    def _served(self, page: ControlPage, platform: str) -> ToldPlatform:
        if platform in page.platforms:
            return page.platforms[platform]
        there = " and ".join(page.platforms)
        sentence = (
            f"the server at {page.url} is {there}, but {platform} is asked for here: "
            f"`fleetrig serve --platform {platform}` starts one"
        )
        if self.source is not None:
            raise FileMistakes([self.source.problem(locate(self.source.tree, ["control"])[0], f"control: {sentence}")])
        raise UsageError(sentence)

    def _ca(self) -> Path | None:
        if self.source is not None and self.file.ca is not None:
            return self.source.path.parent / self.file.ca
        told = None if self.page is None or not self.page.ca else Path(self.page.ca)
        return told if told is not None and told.is_file() else None


def described_server(against: str, ask: AskControl = ask_control) -> DescribedServer:
    """Raises UsageError, FileMistakes, and BrokenBench for a control interface that says all and does not answer."""
    if "://" in against:
        url = web_url(against)
        if (page := _page_if_any(url, ask)) is not None:
            return DescribedServer(_with_control(url), page=page)
        return DescribedServer(ServerFile(), url=url)
    path = _path_of(against)
    ready = _ready_file(path)
    return _of_file(path, ask) if ready is None else _of_ready_file(path, ready, ask)


def platform_named_by(against: str, ask: AskControl = ask_control) -> str | None:
    """The platform of a server that says what it is, and is one. Raises UsageError, FileMistakes, BrokenBench."""
    platforms = described_server(against, ask).platforms
    return platforms[0] if len(platforms) == 1 else None


def remote_server_from(
    against: str,
    platform: str,
    *,
    may_change_settings: bool,
    environ: Mapping[str, str] = os.environ,
    ask: AskControl = ask_control,
) -> RemoteServer:
    """The server that `--against` names. Raises UsageError, FileMistakes (with line and column), BrokenBench."""
    described = described_server(against, ask)
    return described.server(platform, may_change_settings=may_change_settings, environ=environ)


def _page_if_any(url: str, ask: AskControl) -> ControlPage | None:
    """A control interface has no path, speaks no TLS and is near; what is wrong with addresses is found out later."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.path or not all(map(is_near, addresses_of(parts.hostname or ""))):
        return None
    try:
        return ask(url)
    except BrokenBench:
        return None


def _with_control(url: str) -> ServerFile:
    return ServerFile.model_validate({"control": url})


def _path_of(against: str) -> Path:
    path = Path(against)
    if path.is_file() or path.suffix in (".yaml", ".yml", ".json"):
        return path
    try:
        instead = f"http://{host_port(against)}"
    except UsageError:
        instead = "for instance http://127.0.0.1:8080"
    raise UsageError(f"{path} is neither an address nor a file; write {instead}")


def _ready_file(path: Path) -> Mapping[str, Any] | None:
    """What `fleetrig serve --ready-file` has written; None for another file. Raises UsageError."""
    try:
        document = json.loads(path.read_bytes()) if path.suffix == ".json" else None
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {wrong.strerror or wrong} (is the server running?)") from None
    except ValueError:
        document = None
    return document if isinstance(document, dict) and "pid" in document else None


def _of_ready_file(path: Path, ready: Mapping[str, Any], ask: AskControl) -> DescribedServer:
    control = ready.get("control")
    if not isinstance(control, str):
        raise UsageError(f"{path} names no control interface (the server was started with --control off): "
                         "give the server's address, or a SERVER.yaml")  # fmt: skip
    file = _with_control(control)
    assert file.control is not None
    return DescribedServer(file, page=_page(file.control, ask))


def _of_file(path: Path, ask: AskControl) -> DescribedServer:
    file, source = _load(path)
    if file.control is None:
        return DescribedServer(file, source)
    try:
        return DescribedServer(file, source, _page(file.control, ask))
    except BrokenBench as broken:
        if file.listeners():  # the run needs no more than that, and says what is wrong with the rest
            return DescribedServer(file, source)
        raise BrokenBench(f"{path}: control: {broken}") from None


def _page(control: str, ask: AskControl) -> ControlPage:
    """Raises BrokenBench for what is no control interface."""
    page = ask(control)
    if page is None:
        raise BrokenBench(
            f"{control} is no control interface of a reference server: `fleetrig serve` says where its own is "
            "(--control HOST:PORT); a server of another kind is named by its own address (http: …)"
        )
    return page


def _load(path: Path) -> tuple[ServerFile, Source]:
    """The file and its source, the platform known if it is named."""
    file, source = load_mapping(path, ServerFile), read_source(path)
    name, known = file.platform, tuple(PLATFORMS)
    if name is not None and name not in known:
        sentence = f"platform: expected {', '.join(known[:-1])} or {known[-1]}, got {name!r}{did_you_mean(name, known)}"
        raise FileMistakes([source.problem(locate(source.tree, ["platform"])[0], sentence)])
    return file, source


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


def _problems(
    file: ServerFile, source: Source, platform: str, about: ServerDescription, served: ToldPlatform
) -> Iterator[Problem]:
    """What is wrong for this platform only."""

    def problem(place: Sequence[str | int], sentence: str) -> Problem:
        return source.problem(locate(source.tree, place, key=len(place) == 1)[0], sentence)

    if file.platform not in (None, platform):
        yield problem(["platform"], f"platform: the server is {file.platform}, but {platform} is asked for here")
        return
    if not set(about.admin_listeners) & {*file.listeners(), *served.listeners}:
        instead = "" if file.control else "; or, of a server of fleetrig's own, `control`, which says all the rest"
        yield problem([], f"{about.admin} is missing: the address of {about.title}'s administration interface{instead}")
    for name, account in (("user", (file.user or "", "")), ("password", ("", file.password or ""))):
        if why := why_no_basic_account(*account):
            yield problem([name], f"{name}: {why}")
    for name in file.listeners():
        if name not in about.listeners:
            yield problem([name], f"{name}: {about.title} has no such listener; it has {', '.join(about.listeners)}")
    for number, word in enumerate(file.can):
        if why := _why_not(word, platform, served):
            yield problem(["can", number], f"can[{number}]: {why}")


def _why_not(word: str, platform: str, served: ToldPlatform) -> str:
    """Why a server cannot be said to be capable of that; empty when it can."""
    vocabulary = vocabulary_of(platform)
    known = sorted(vocabulary.needs)
    if word not in known:
        return f"expected what a server can do: {', '.join(known)}, got {word!r}{did_you_mean(word, known)}"
    if word in vocabulary.serve_options and served.profile and word not in served.can:
        return f"this server says that it has not {word}: start it with {vocabulary.serve_options[word]}"
    return ""


def _server(
    platform: str, about: ServerDescription, file: ServerFile, served: ToldPlatform, environ: Mapping[str, str]
) -> RemoteServer:
    listeners = {**served.listeners, **file.listeners()}
    listeners = {name: listeners[name] for name in LISTENERS if name in listeners}
    url = next((listeners[name] for name in about.admin_listeners if name in listeners), None)
    if url is None:
        raise UsageError(f"{file.control} names no address of {about.title}'s administration interface ({about.admin})")
    listener_words = {about.admin, *listeners, *(["https"] if url.startswith("https://") else [])}
    of_served = vocabulary_of(platform).of_served(served.profile) if served.profile else ()
    return RemoteServer(
        url,
        _administrator(about, file, served, url, environ),
        None if (line := file.line) is None else _account(line.user, line.password, "line", environ),
        file.tenant or about.tenant,
        can=frozenset({*file.can, *served.can, *of_served, *listener_words}),
        control=None if file.control is None else ControlInterface(file.control),
        platform=platform,
        listeners=listeners,
        profile=served.profile,
    )


def _administrator(
    about: ServerDescription, file: ServerFile, served: ToldPlatform, url: str, environ: Mapping[str, str]
) -> UserPassword:
    """What the file says wins; then what the server says of itself; then what every fresh server has."""
    told = served.administrator
    if file.user is None and file.password is None and told is not None:
        return administrator_of(told, about.account, file.control or "", url, environ)
    user = file.user or (about.account.user if told is None else told.user)
    password = about.account.password if file.password is None else file.password
    return _account(user, password, "user and password", environ)


def _account(user: str, password: str, where: str, environ: Mapping[str, str]) -> UserPassword:
    """The password is a text, or what `env:NAME` names. Raises UsageError."""
    if password.startswith("env:"):
        where, password = password, from_environment(password, environ)
    return checked_account(user, password, where)
