"""What a board says of itself: starts that were asked for, those that were not, panics, loops."""

from __future__ import annotations

import pytest

from fleetrig.hil.consoles.boot_watch import BootWatch, Notice
from fleetrig.hil.consoles.command_reading import CommandResult
from fleetrig.hil.consoles.console_trace import ConsoleTrace, LineTelling
from fleetrig.hil.port import PortBytes, Way
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent

SPL, UBOOT, BOOTING, LINUX = (
    "U-Boot SPL 2023.01 (x)",
    "U-Boot 2023.01 (x)",
    "[    0.000000] Booting Linux on physical CPU 0x0",
    "[    0.000000] Linux version 6.1.0",
)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(["hello", "=> "], [], id="nothing of the kind"),
        pytest.param([SPL, UBOOT, BOOTING, LINUX], ["started"], id="all stages are one start"),
        pytest.param([UBOOT, LINUX], ["started"], id="without SPL and stamps"),
        pytest.param([UBOOT, LINUX, UBOOT, LINUX], ["started", "restarted"], id="restarted"),
        pytest.param([LINUX, UBOOT], ["started", "restarted"], id="a restart seen from its first stage"),
        pytest.param([SPL, UBOOT] * 3, ["started", "restarted", "loops"], id="a loop"),
        pytest.param(["[ 1.0] Kernel panic - not syncing: VFS"], ["panicked"], id="panic"),
    ],
)
def test_notices(lines: list[str], told: list[str]) -> None:
    watch = BootWatch()
    assert [notice.what for line in lines if (notice := watch.hear(line)) is not None] == told


def test_a_start_that_is_expected_again_is_no_restart() -> None:
    watch = BootWatch()
    for _ in range(5):
        watch.expect_start()
        assert watch.hear(UBOOT) == Notice("started", UBOOT)
        watch.is_up()
    assert watch.hear(UBOOT) == Notice("restarted", UBOOT)


class _Clock:
    def now_us(self) -> int:
        return 7


def test_what_a_console_tells_becomes_events_of_the_board_lane() -> None:
    trace, secrets = Trace(), Secrets()
    events: list[TraceEvent] = []
    secrets.learn("token", "verysecret9")
    told = ConsoleTrace(trace, _Clock(), "gw-1", secrets)
    lines = LineTelling(told)
    lines.hear(PortBytes(7, Way.FROM_BOARD, b"nobody listens\n"))
    trace.listen(events.append)
    lines.hear(PortBytes(7, Way.TO_BOARD, b"what is typed is no line of the board\n"))
    lines.hear(PortBytes(7, Way.FROM_BOARD, b"U-Boot 2023.01\n"))
    for notice in (
        Notice("started", UBOOT),
        Notice("restarted", UBOOT),
        Notice("loops", UBOOT),
        Notice("panicked", "x"),
    ):
        told.notice(notice)
    told.ran(CommandResult("setenv t verysecret9", "", 1, 0.25))
    assert {(event.lane, event.device, event.at_us) for event in events} == {(Lane.BOARD, "gw-1", 7)}
    assert [event.kind for event in events] == ["line", "booted", "reset_seen", "reset_seen", "panicked", "ran"]
    assert (events[0].reason, events[3].name) == ("U-Boot 2023.01", "boot loop")
    assert (events[-1].reason, events[-1].took_us) == ("status 1", 250_000)
    assert "verysecret9" not in events[-1].name
