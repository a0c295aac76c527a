"""What rows expect of a generation, where generations differ: asked for by name (`client.generation`).

The defaults are 4.3's. What is said of others stands in the contract (docs/contracts/thingsboard.md §1.7); what the
documentation says, and no release does, is a generation of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TOKEN: Final = "ACCESS_TOKEN"
TEXTS: Final = {"NOT_FOUND": "Provision data was not found!", "FAILURE": "Failed to provision device!"}
PRESENT: Final = " session-present"
BASIC_LEVEL: Final = 4
"""MQTT 3.1.1; 5 is MQTT 5."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What the documents of answers hold, and what their members are called."""

    status: str = "status"
    value: str = "credentialsValue"
    token: str = "credentialsValue"
    """In the place of `value`, where the credentials are an access token."""
    is_as_documented: bool = False
    """A success begins with the device's id, and a refusal has no text."""

    def refusal(self, status: str) -> dict[str, str]:
        """The whole document of a NOT_FOUND or FAILURE."""
        return {self.status: status} if self.is_as_documented else {"errorMsg": TEXTS[status], self.status: status}

    def value_of(self, kind: str) -> str:
        """The member that holds credentials of this type."""
        return self.token if kind == TOKEN else self.value

    def success(self, kind: str) -> list[str]:
        """The members of a success, in the server's order."""
        if self.is_as_documented:
            return ["deviceId", self.status, "credentialsType", self.value_of(kind)]
        return [self.value_of(kind), "credentialsType", self.status]


USUAL_FORM: Final = AnswerForm()
"""What every release answers."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The ways of one generation, apart from what the reference server knows of them."""

    answers_once: bool = True
    """A listed device gets its credentials once; else as often as it asks (from 4.2.1.1 and 4.3 on)."""
    has_chains: bool = True
    """X509_CERTIFICATE_CHAIN (from 3.5 on)."""
    ends_after_reply: bool = True
    """A provision session ends 60 s after its first reply (from 3.3 on)."""
    has_reason_codes: bool = True
    """MQTT 5 is told reasons, and what ends a session is acknowledged before (from 3.7 on)."""
    has_gateway_flag: bool = True
    """Who asks to be a gateway becomes one (from 3.8 on)."""
    acknowledges_subscriptions: bool = True
    """SUBSCRIBE in a provision session is answered (from 3.9 on)."""
    tells_sessions_apart: bool = True
    """Clean sessions from others, in CONNACK (from 3.2.1 on)."""
    form: AnswerForm = USUAL_FORM

    def ending(self, *lines: str) -> tuple[str, ...]:
        """What comes before the server ends a session, `closed` last."""
        return lines if self.has_reason_codes else ("closed",)

    def acknowledged(self, reason: str) -> str:
        """A PUBACK that MQTT 5 gives a reason."""
        return f"PUBACK {reason}" if self.has_reason_codes else "PUBACK"

    def refused_login(self, level: int, code: str, reason: str) -> str:
        """`code` in 3.1.1, `reason` in 5."""
        return f"CONNACK {code if level == BASIC_LEVEL or not self.has_reason_codes else reason}"

    def connected(self, *, clean: bool) -> str:
        """A CONNACK that tells a clean session that there was none, and any other that there was one."""
        return "CONNACK 0" if clean else f"CONNACK 0{PRESENT}"

    def connack(self, line: str, *, clean: bool = True) -> str:
        """What a CONNACK says to us: 3.2.0 tells everybody, also whom it refuses, that there was a session."""
        return line if self.tells_sessions_apart or not clean else line.removesuffix(PRESENT)


GENERATIONS: Final[Mapping[str, Generation]] = {
    "4.3": Generation(),
    "4.2": Generation(answers_once=False),
    "3.2": Generation(
        answers_once=False,
        has_chains=False,
        ends_after_reply=False,
        has_reason_codes=False,
        has_gateway_flag=False,
        acknowledges_subscriptions=False,
        tells_sessions_apart=False,
    ),
    "as-documented": Generation(
        form=AnswerForm("provisionDeviceStatus", token="accessToken", is_as_documented=True),
    ),
}
"""Profile -> its generation."""


def suggested_profile(version: str) -> str | None:
    """The profile for what a server says that it is, such as `4.2.1.1`; None when it cannot be told."""
    numbers = [int(part) for part in version.split("-")[0].split(".") if part.isdigit()]
    if len(numbers) < 2:
        return None
    padded = tuple([*numbers, 0, 0, 0][:4])
    since: list[tuple[tuple[int, ...], str]] = [((4, 2, 1, 1), "4.3"), ((3, 9, 0, 0), "4.2")]
    return next((profile for first, profile in since if padded >= first), "3.2")
