"""Power and reset of one board: who switches it, and how sure the bench can be that it did."""

from __future__ import annotations

from typing import Protocol


class Power(Protocol):
    """Each kind (command line, relay by URL, USB hub, RTS/DTR, QMP, a person) is a module of `hil/powers`.

    Every method returns when the switch says that it has switched; raises BrokenBench when it does not.
    """

    @property
    def title(self) -> str:
        """`relay http://…/1`, `by hand`: for sentences."""

    async def on(self) -> None: ...

    async def off(self) -> None: ...

    async def reset(self) -> None:
        """Restarts the board as fast as this kind can: a reset line, or off and on."""
