"""The fixtures: running servers of each platform.

| fixture                     | what                                                                     |
|-----------------------------|--------------------------------------------------------------------------|
| `<platform>_server`         | a fresh server for each test; `@pytest.mark.fleetrig(…)` says which      |
| `<platform>_server_factory` | several in one test                                                      |
| `<platform>_shared_server`  | one for many tests, in each of which it has a tenant of its own          |
| `<platform>_session_server` | one for all tests of a worker, for fixtures that live longer than a test |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.pytest_plugin.server_against import server_against
from fleetrig.harness.pytest_plugin.stopping import end_as_with_ctrl_c
from fleetrig.simulator.contract.errors import FleetrigError

if TYPE_CHECKING:
    from fleetrig.harness.running_server.server import RunningServer
    from fleetrig.harness.running_server.starting import SharedServer

T = TypeVar("T")

MARKER: Final = "fleetrig"
MARKER_HELP: Final = (
    "fleetrig(platform=None, /, *, profile, properties, store, addresses): how the server of the fixture "
    "<platform>_server is started"
)
WORDS: Final = ("profile", "properties", "store", "addresses")


def fixtures() -> dict[str, Any]:
    """Name -> fixture, of all platforms."""
    made = {}
    for platform in PLATFORMS:
        for make in (fresh, factory, shared, shared_of_session, of_session):
            name, made_one = make(platform)
            made[name] = made_one
    return made


def fresh(platform: str) -> tuple[str, Any]:
    name = f"{platform}_server"

    @pytest.fixture(name=name)
    def server(request: pytest.FixtureRequest) -> RunningServer:
        """A fresh reference server for each test, or the server of --fleetrig-against."""
        make = request.getfixturevalue(f"{platform}_server_factory")
        words = or_fail(lambda: marker_words(request.node, platform))
        made: RunningServer = make(**words)
        return made

    return name, server


def factory(platform: str) -> tuple[str, Any]:
    name = f"{platform}_server_factory"

    @pytest.fixture(name=name)
    def server_factory(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Callable[..., RunningServer]]:
        """Starts servers that end with the test: `factory(profile=…, properties={…}, store=…, addresses={…})`."""
        end_as_with_ctrl_c(request.config)
        with ExitStack() as ends:

            def start(**words: Any) -> RunningServer:
                given = or_fail(lambda: server_against(request.config, platform))
                if given is not None:
                    return used(given, words, ends)
                from fleetrig.harness.running_server.starting import started

                folder = tmp_path_factory.mktemp(f"{platform}-server")
                return or_fail(lambda: ends.enter_context(started(platform, folder, **words)))

            yield start

    return name, server_factory


def shared_of_session(platform: str) -> tuple[str, Any]:
    name = f"_{platform}_shared_servers"

    @pytest.fixture(name=name, scope="session")
    def shared_servers(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[SharedServer]:
        from fleetrig.harness.running_server.starting import SharedServer

        end_as_with_ctrl_c(request.config)
        one = SharedServer(platform, lambda: tmp_path_factory.mktemp(f"{platform}-shared-server"))
        yield one
        one.close()

    return name, shared_servers


def shared(platform: str) -> tuple[str, Any]:
    name = f"{platform}_shared_server"

    @pytest.fixture(name=name)
    def shared_server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
        """A server that many tests use, in a tenant of this test alone; its faults end with the test."""
        with ExitStack() as ends:
            given = or_fail(lambda: server_against(request.config, platform))
            if given is not None:
                yield used(given, {}, ends)
                return
            servers: SharedServer = request.getfixturevalue(f"_{platform}_shared_servers")
            yield or_fail(lambda: ends.enter_context(servers.for_test()))

    return name, shared_server


def of_session(platform: str) -> tuple[str, Any]:
    name = f"{platform}_session_server"

    @pytest.fixture(name=name, scope="session")
    def session_server(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[RunningServer]:
        """One server from the first test that needs it to the last; nothing is cleaned up between tests."""
        end_as_with_ctrl_c(request.config)
        with ExitStack() as ends:
            given = or_fail(lambda: server_against(request.config, platform))
            if given is not None:
                yield used(given, {}, ends)
                return
            from fleetrig.harness.running_server.starting import started

            folder = tmp_path_factory.mktemp(f"{platform}-session-server")
            yield or_fail(lambda: ends.enter_context(started(platform, folder)))

    return name, session_server


def used(given: RunningServer, words: dict[str, Any], ends: ExitStack) -> RunningServer:
    """The server of --fleetrig-against for one test, which takes its own faults and devices away again.

    Skips the test where that server cannot be as the test wants it.
    """
    for word, value in words.items():
        if value and not (word == "profile" and value == given.profile):
            pytest.skip(f"this wants a server with {word}={value!r}, and --fleetrig-against starts none")
    server = or_fail(given.for_test)
    ends.callback(server.clean_up)
    return server


def marker_words(node: pytest.Item, platform: str) -> dict[str, Any]:
    """What the markers say of a platform's server, the nearest first. Fails for a word that no server has."""
    words: dict[str, Any] = {}
    for mark in node.iter_markers(MARKER):
        if mark.args not in ((), (platform,)):
            continue
        for word, value in mark.kwargs.items():
            if word not in WORDS:
                near = get_close_matches(word, WORDS, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                pytest.fail(f"@pytest.mark.fleetrig: expected one of {', '.join(WORDS)}, got {word!r}{hint}", False)
            words.setdefault(word, value)
    return words


def or_fail(make: Callable[[], T]) -> T:
    """What it makes; a mistake or a broken bench ends the test with one sentence and no traceback."""
    try:
        return make()
    except FleetrigError as wrong:
        said = str(wrong)
    pytest.fail(said, pytrace=False)
