"""A small factory in this process: reference servers, and boards that call them with the identity that they were given.

Boards and servers live on a loop of their own, in a thread, so that a test can call commands meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from fleetrig.harness.platform import platform_of
from fleetrig.hil.fakes.fake_board import Brain, FakeBoard
from fleetrig.hil.fakes.fake_linux import FakeLinux
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.simulator.contract.trace import Trace

T = TypeVar("T")

IDENTITY: Final = "/data/identity"
TEXTS: Final = {
    "hawkbit": "URL='${url}'\nTENANT=${tenant}\nID=${serial}\nTOKEN='${token}'\n",
    "thingsboard": "URL='${provision_url}'\nID=${serial}\nKEY=${provision_key}\nSECRET='${provision_secret}'\n",
    "kura": "BROKER='${broker_url}'\nACCOUNT=${account_name}\nID=${client_id}\nNAME=${user_name}\n"
    "PASSWORD='${password}'\nKEY='${activation_key}'\n",
}
LISTENERS: Final = {"hawkbit": ("http",), "thingsboard": ("http", "mqtts"), "kura": ("http", "mqtt")}
WITHIN_S: Final = 30.0

Calls = Callable[[Mapping[str, str]], int]
"""What firmware does with its identity at each start: one call to its server; gives the status."""


def polls_hawkbit(has: Mapping[str, str]) -> int:
    url = f"{has['URL']}/{has['TENANT']}/controller/v1/{has['ID']}"
    return status_of(urllib.request.Request(url, headers={"Authorization": f"TargetToken {has['TOKEN']}"}))


def asks_thingsboard(has: Mapping[str, str]) -> int:
    body = {"deviceName": has["ID"], "provisionDeviceKey": has["KEY"], "provisionDeviceSecret": has["SECRET"]}
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    return status_of(urllib.request.Request(f"{has['URL']}/api/v1/provision", data, headers))


CALLS: Final[Mapping[str, Calls]] = {"hawkbit": polls_hawkbit, "thingsboard": asks_thingsboard}


def status_of(request: urllib.request.Request) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=WITHIN_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@dataclass
class CallingLinux(FakeLinux):
    """Its firmware calls its server at each start, from a thread: a brain does no I/O."""

    calls: Calls = polls_hawkbit
    threads: list[threading.Thread] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    says_with_identity: bytes = b""
    """Before its prompt, once it has one."""

    def start(self) -> Brain:
        if IDENTITY in self.stored:
            self.says = self.says_with_identity
            thread = threading.Thread(target=self._call, args=(self.identity,))
            self.threads.append(thread)
            thread.start()
        yield from super().start()

    @property
    def statuses(self) -> list[int]:
        """What its calls were answered, of all starts so far."""
        for thread in self.threads:
            thread.join(WITHIN_S)
        return self.answered

    @property
    def identity(self) -> dict[str, str]:
        """As it is kept without power."""
        lines = self.stored[IDENTITY].decode().splitlines()
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}

    def _call(self, identity: Mapping[str, str]) -> None:
        self.answered.append(self.calls(identity))


class Factory:
    """Use as `with`. `platform` is that of its one server."""

    def __init__(self, folder: Path, platform: str) -> None:
        self.folder = folder
        self.platform = platform
        self.url = self.control = ""
        self.urls: dict[str, str] = {}
        """Of each listener."""
        self.boards: dict[str, CallingLinux] = {}
        self._fakes: list[FakeBoard] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: ReferenceServer | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._serve())
        return self

    def __exit__(self, _: type[BaseException] | None, failed: BaseException | None, __: TracebackType | None) -> None:
        for board in self.boards.values():
            assert len(board.statuses) == len(board.threads)
        try:
            self._call(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        if failed is None:
            assert self._server is not None
            assert self._server.bugs == []

    def add(self, name: str, calls: Calls | None = None) -> CallingLinux:
        """A board that is on."""
        linux = CallingLinux(calls=calls or CALLS[self.platform])
        self._call(self._switch_on(name, linux))
        self.boards[name] = linux
        return linux

    def write_bench(self, text: str = "", **more: Any) -> Path:
        """A bench file with all boards; `text` is what they are given, `more` further keys of `provisioning`."""
        provisioning = {"files": {IDENTITY: text or TEXTS[self.platform]}, **more}
        boards = {
            name: {"type": "acme-gw", "port": fake.port, "console": {"kind": "linux"}, "provisioning": provisioning}
            for name, fake in zip(self.boards, self._fakes, strict=True)
        }
        path = self.folder / "bench.yaml"
        path.write_text(json.dumps({"boards": boards}), encoding="utf-8")
        return path

    async def _serve(self) -> None:
        platform = platform_of(self.platform)
        build = platform.own_server.build({}, platform.vocabulary.profiles[0])
        listeners = dict.fromkeys(LISTENERS[self.platform], ANY_LOOPBACK_PORT)
        served = PlatformOptions(self.platform, build, listeners, ClientAuth.ANY)
        options = ServerOptions((served,), control=ANY_LOOPBACK_PORT)
        self._server = await ReferenceServer(options, Trace()).__aenter__()
        self.urls = {name: self._server.url(self.platform, name) for name in listeners}
        self.url, self.control = self._server.url(self.platform, "http"), self._server.control_url

    async def _switch_on(self, name: str, linux: CallingLinux) -> None:
        place = self.folder / f"board-{name}"
        place.mkdir()
        fake = FakeBoard(place, linux.brain)
        self._fakes.append(fake)
        await fake.on()

    async def _end(self) -> None:
        for fake in self._fakes:
            await fake.close()
        if self._server is not None:
            await self._server.__aexit__(None, None, None)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)
