"""One platform's store, chance and settings, as every rule and interface needs them; and who has to hear of changes.

The rules are functions of it, a module for each subject: `accounts`, `users`, `credentials`, `permissions`, `sign_in`,
`provision_requests`, `provision_jobs`, `attachments`, `devices`, `connections`, `coupling`, `events`, `certificates`.
Refusals are raised as `Refused` or `LoginRefused` (`errors`).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platforms.kura.state.settings import WELL_KNOWN_PASSWORD, Settings
from fleetrig.reference_server.stores.interface import Entropy, Store

ID_BYTES: Final = 8
ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FAIR_BYTES: Final = 256 - 256 % len(ALPHABET)
UNFAIR: Final = bytes(range(FAIR_BYTES, 256))
"""With these some letters would be likelier."""
LETTER_OF_BYTE: Final = bytes(ALPHABET[byte % len(ALPHABET)] for byte in range(256))


USUAL_LISTENERS: Final = {"mqtt": "mqtt://127.0.0.1:1883", "http": "http://127.0.0.1:8081"}
"""Where nobody has said what the listeners are."""


class NoticeKind(StrEnum):
    """What the broker has to hear of, after the commit."""

    CONNECTION_CLOSED = "connection closed by an administrator"
    JOB_STOPPING = "provision job stopping"
    """The device may be told to abort; then the job is STOPPED (`provision_jobs.stopped`)."""
    REQUEST_GONE = "provision request replaced or deleted"


@dataclass(frozen=True, slots=True)
class Notice:
    """`scope_id` is the account whose device is meant; for requests the target account."""

    kind: NoticeKind
    scope_id: str
    client_id: str
    request_id: str = ""


class Registry:
    """Shared by all interfaces of one platform."""

    def __init__(self, store: Store, entropy: Entropy, settings: Settings) -> None:
        self.store = store
        self.entropy = entropy
        self.settings = settings
        self.listeners: Mapping[str, str] = USUAL_LISTENERS
        """Name of each of this server's own listeners -> its URL, as devices reach it."""
        self.new_secrets: list[tuple[str, str]] = []
        self.job_deadlines: Deadlines[str] = Deadlines()
        """Request id -> when its job is looked at again: its own deadline, or the end of its request."""
        self._notices: list[Notice] = []

    def target_broker_url(self, *, is_secure: bool) -> str:
        """Where provisioned devices are sent: `is_secure` to the listener over TLS, if there is one."""
        own = self.listeners.get("mqtt", "")
        if is_secure or not own:
            own = self.listeners.get("mqtts", own)
        return self.settings.target_broker_url or own

    @property
    def http_url(self) -> str:
        """This server's REST API, as devices reach it: attachments are fetched there."""
        return self.listeners.get("http", "")

    def new_id(self) -> str:
        """A random id in the short form of the wire: 63 bits in base64url."""
        digits = self.entropy.token_hex(ID_BYTES)
        raw = bytes.fromhex(f"{int(digits[0], 16) & 7:x}{digits[1:]}")
        return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")

    def new_word(self, length: int) -> str:
        """Letters and digits that nobody can guess: activation keys, passwords, tokens."""
        word = b""
        while len(word) < length:
            word += bytes.fromhex(self.entropy.token_hex(2 * length)).translate(LETTER_OF_BYTE, UNFAIR)
        return word[:length].decode("ascii")

    def learn(self, kind: str, secret: str | None) -> None:
        """A secret came up: it is masked from now on. What everybody knows is none."""
        if secret and secret != WELL_KNOWN_PASSWORD:
            self.new_secrets.append((kind, secret))

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
