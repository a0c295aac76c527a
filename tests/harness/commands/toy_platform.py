"""A second platform for `serve`, so that several can be served at once: HTTP that answers with its own name."""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig, ServablePlatform
from fleetrig.harness.servers.description import ServerDescription
from fleetrig.reference_server.http_container import PLAIN_CONTAINER
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.session import Session

DESCRIPTION = ServerDescription(
    title="Toy",
    summary="A toy.",
    listeners=("http", "mqtt", "mqtts"),
    defaults={"http": "127.0.0.1:8090"},
    admin="http",
    profiles=("3", "2"),
    account=UserPassword("toy", "toy"),
    tenant="TOYS",
)


class ToyPlatform:
    """Answers every request with the profile and the properties it was started with."""

    name = "toy"
    container_rules = PLAIN_CONTAINER

    def __init__(self, args: PlatformArgs) -> None:
        self._args = args

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        return HttpAnswer(HttpResponse(200, (), f"toy {self._args.profile} {list(self._args.properties)}".encode()))

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return []


def configure(args: PlatformArgs) -> PlatformConfig:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> ToyPlatform:
        return ToyPlatform(args)

    return PlatformConfig(f"Toy {args.profile}", args.profile, build, ("toy   (no rights)",), (("password", "toy-pw"),))


TOY = ServablePlatform(DESCRIPTION, configure)
