"""What a device says when it is asked before an update (§2.7). The words are hawkBit's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetrig.simulator.contract.errors import UsageError


class Consent(StrEnum):
    """`confirmation` of a confirmation's feedback."""

    CONFIRMED = "confirmed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class ConfirmationPolicy:
    """How the devices of a make answer. Raises UsageError for what no device could do."""

    answer: Consent | None = Consent.CONFIRMED
    """None: the device leaves the answer to an operator, and says nothing."""
    after_s: float = 0.0
    """So long somebody at the device thinks about it; the device polls meanwhile."""
    code: int | None = None
    """A number of the maker's own, which the server adds to the action's messages."""
    details: tuple[str, ...] = ()
    """Messages for the operator."""
    auto_confirm: bool | None = None
    """Whether the server shall confirm by itself from now on; None leaves that as the server has it."""

    def __post_init__(self) -> None:
        if not self.after_s >= 0:
            raise UsageError(f"after_s of a confirmation must be 0 s or more, got {self.after_s:g}")


CONFIRMS_AT_ONCE = ConfirmationPolicy()
"""As the simulated devices of hawkBit's own SDK do."""
