"""An update followed on its devices until each of them has installed it, or has not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fleetrig.harness.desk.deploying import Deployer, DeviceEnd
from fleetrig.harness.servers.json_answer import beginning
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Pause

LOOKS_EVERY_S: Final = 0.5
MOST_LINE_BYTES: Final = 600


def follow(
    deployer: Deployer,
    devices: Sequence[str],
    say: Callable[[str], object],
    now_us: Callable[[], int],
    within_s: float | None,
) -> Director[dict[str, DeviceEnd | None]]:
    """What became of each; None for one that had not done with it in time. What devices tell is said as it comes."""
    width = max(map(len, devices))
    ends: dict[str, DeviceEnd | None] = dict.fromkeys(devices)
    deadline_us = None if within_s is None else now_us() + to_us(within_s)
    while True:
        for device in [one for one, end in ends.items() if end is None]:
            progress = yield from deployer.look(device)
            for line in progress.news:
                say(shown_line(f"{device:<{width}}  {line}"))
            ends[device] = progress.end
        if None not in ends.values() or (deadline_us is not None and now_us() >= deadline_us):
            return ends
        yield Pause(LOOKS_EVERY_S, LOOKS_EVERY_S, "until devices tell more")


def shown_line(text: str) -> str:
    """What devices say is not ours: nothing in it controls the terminal, or fills it."""
    sent = text.encode("utf-8", "replace")
    return beginning(sent, MOST_LINE_BYTES) + ("…" if len(sent) > MOST_LINE_BYTES else "")


def summary_of(ends: dict[str, DeviceEnd | None]) -> str:
    """`1 of 2 devices installed it; on the way: gateway-8`"""
    installed = [device for device, end in ends.items() if end is DeviceEnd.INSTALLED]
    failed = [device for device, end in ends.items() if end is DeviceEnd.FAILED]
    waiting = [device for device, end in ends.items() if end is None]
    said = [f"{len(installed)} of {len(ends)} devices installed it" if len(ends) > 1 else ""]
    if len(ends) == 1:
        [device] = ends
        said = [f"{device} installed it"] if installed else []
    if failed:
        said.append(f"it failed on {', '.join(failed)}")
    if waiting:
        said.append(f"not done in time: {', '.join(waiting)}")
    return "; ".join(filter(None, said))
