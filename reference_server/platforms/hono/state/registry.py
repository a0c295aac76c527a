"""One platform's store, chance and settings, as every rule and interface needs them; and who has to hear of changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetrig.reference_server.northbound import OpenOutlet, Outlet
from fleetrig.reference_server.platforms.hono.state.adapter_memory import AdapterMemory
from fleetrig.reference_server.platforms.hono.state.generations import TRAITS
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.stores.interface import Entropy, Store


class NoticeKind(StrEnum):
    """What adapters hear of (2.4, "registry change notifications"), as far as it means something to connections."""

    TENANT_DISABLED = "tenant disabled"
    TENANT_DELETED = "tenant deleted"
    DEVICE_DISABLED = "device disabled"
    DEVICE_DELETED = "device deleted"


@dataclass(frozen=True, slots=True)
class Notice:
    """`device_id` is empty where all of a tenant is meant: its own ends, and DEVICE_DELETED of all its devices."""

    kind: NoticeKind
    tenant_id: str
    device_id: str = ""


class Registry:
    """Shared by all interfaces of one platform."""

    def __init__(self, store: Store, entropy: Entropy, settings: Settings) -> None:
        self.store = store
        self.entropy = entropy
        self.settings = settings
        self.traits = TRAITS[settings.profile]
        self.new_secrets: list[tuple[str, str]] = []
        self.outlet: Outlet = OpenOutlet()
        """Whether applications can be reached."""
        self.adapters = AdapterMemory()
        self.last_forwarded: dict[str, int] = {}
        """Kind of message -> number of the newest; none: nobody has asked for it since the start."""
        self._notices: list[Notice] = []

    def new_uuid(self) -> str:
        """A random UUID in lower case (0): ids and versions."""
        digits = self.entropy.token_hex(16)
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def learn(self, kind: str, secret: str | None) -> None:
        """A secret came up: it is masked from now on."""
        if secret:
            self.new_secrets.append((kind, secret))

    def notify(self, notice: Notice) -> None:
        """Heard once the open transaction is committed, and not if it fails."""
        self.store.when_settled(lambda committed: self._notices.append(notice) if committed else None)

    @property
    def has_notices(self) -> bool:
        return bool(self._notices)

    def take_notices(self) -> list[Notice]:
        """All since the last call, in order."""
        taken, self._notices = self._notices, []
        return taken
