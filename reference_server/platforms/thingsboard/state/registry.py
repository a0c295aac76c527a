"""One platform's store, chance and settings, as every rule and interface needs them; and who has to hear of changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.generations import TRAITS
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import MessageLimits
from fleetrig.reference_server.platforms.thingsboard.state.outdated_tokens import OutdatedTokens
from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION, TENANT, TENANT_PROFILE
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import TenantLimits, limits_in
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import US_PER_MS

ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FAIR_BYTES: Final = 256 - 256 % len(ALPHABET)
UNFAIR: Final = bytes(range(FAIR_BYTES, 256))
"""With these some letters would be likelier."""
LETTER_OF_BYTE: Final = bytes(ALPHABET[byte % len(ALPHABET)] for byte in range(256))
GREGORIAN_OFFSET_100_NS: Final = 0x01B21DD213814000
"""From the beginning of time-based UUIDs to the epoch."""
TIME_100_NS_PER_US: Final = 10
TIME_MASK: Final = (1 << 60) - 1
VARIANT: Final = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}
"""The digit of a UUID that says by which rules it was made has two bits for chance."""
WELL_KNOWN: Final = frozenset({Account().password, Settings().administrator.password})
"""Passwords that are words of many paths and documents."""


class NoticeKind(StrEnum):
    """What a session or an observation of a device has to hear of."""

    DEVICE_DELETED = "device deleted"
    CREDENTIALS_CHANGED = "credentials changed"
    ATTRIBUTES_UPDATED = "attributes updated"
    ATTRIBUTES_DELETED = "attributes deleted"
    RPC_REQUESTED = "rpc requested"


@dataclass(frozen=True, slots=True)
class Notice:
    """`body`: the shared attributes that were updated; {"deleted": [keys]}; {"method", "params"} of an RPC."""

    kind: NoticeKind
    device_id: str
    body: Mapping[str, Any] = field(default_factory=dict)


class Registry:
    """Shared by all interfaces of one platform."""

    def __init__(self, store: Store, entropy: Entropy, settings: Settings, blobs: Blobs | None = None) -> None:
        self.store = store
        self._blobs = blobs
        self.entropy = entropy
        self.settings = settings
        self.traits = TRAITS[settings.profile]
        self.message_limits = MessageLimits()
        self.outdated_tokens = OutdatedTokens()
        self._limits: dict[str, TenantLimits] = {}
        self.new_secrets: list[tuple[str, str]] = []
        self._notices: list[Notice] = []

    @property
    def kept_files(self) -> Blobs:
        """Where packages are kept."""
        assert self._blobs is not None, "this platform keeps no files"
        return self._blobs

    def learn(self, kind: str, secret: str | None) -> None:
        """A secret came up: it is masked from now on. What everybody knows is none."""
        if secret and secret not in WELL_KNOWN:
            self.new_secrets.append((kind, secret))

    def limits_of(self, tenant_id: str) -> TenantLimits:
        """What the tenant's profile limits it to. Asked for every message, so it is remembered."""
        found = self._limits.get(tenant_id)
        if found is None:
            found = self._limits[tenant_id] = self._stored_limits(tenant_id)
        return found

    def forget_limits(self) -> None:
        """Call it when a tenant or a tenant profile changes, inside the transaction that does it."""
        self._limits.clear()
        self.store.when_settled(lambda _: self._limits.clear())

    def _stored_limits(self, tenant_id: str) -> TenantLimits:
        tenant = self.store.get(TENANT, INSTALLATION, tenant_id)
        profile = None if tenant is None else self.store.get(TENANT_PROFILE, INSTALLATION, tenant.profile_id)
        return limits_in({} if profile is None else profile.configuration)

    def notify(self, notice: Notice) -> None:
        """Heard once the open transaction is committed, and not if it fails."""
        self.store.when_settled(lambda committed: self._notices.append(notice) if committed else None)

    @property
    def has_notices(self) -> bool:
        return bool(self._notices)

    def take_notices(self) -> list[Notice]:
        """All since the last call, in order. They are there again if the open transaction fails."""
        taken, self._notices = self._notices, []
        if taken:
            self.store.when_settled(lambda committed: None if committed else self._give_back(taken))
        return taken

    def _give_back(self, notices: list[Notice]) -> None:
        self._notices = [*notices, *self._notices]

    def new_id(self, now_us: int) -> str:
        """A time-based UUID, as the real server's; the clock's part and the machine's are chance."""
        time = f"{now_us * TIME_100_NS_PER_US + GREGORIAN_OFFSET_100_NS & TIME_MASK:015x}"
        chance = self.entropy.token_hex(8)
        return f"{time[7:]}-{time[3:7]}-1{time[:3]}-{VARIANT[chance[0]]}{chance[1:4]}-{chance[4:]}"

    def new_word(self, length: int = 20) -> str:
        """Letters and digits: names and tokens that the server makes (1.3)."""
        word = b""
        while len(word) < length:
            word += bytes.fromhex(self.entropy.token_hex(2 * length)).translate(LETTER_OF_BYTE, UNFAIR)
        return word[:length].decode("ascii")


def ms(now_us: int) -> int:
    return now_us // US_PER_MS
