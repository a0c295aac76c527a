"""Ready brains of boards that are of no use: mute, looping, panicking, babbling. See `FakeBoard`."""

from __future__ import annotations

from typing import Final

from fleetrig.hil.fakes.fake_board import Brain, Hear, Say

BANNER: Final = b"\r\nU-Boot 2023.01+dfsg-2 (fake)\r\n\r\nDRAM:  128 MiB\r\n"
PANIC: Final = (
    b"[    1.204123] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n"
    b"[    1.204991] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1\r\n"
    b"[    1.206310] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\r\n"
)


def mute() -> Brain:
    """Has power and says nothing, whatever it hears."""
    while True:
        yield Hear()


def loops(every_s: float = 0.05) -> Brain:
    """Starts again and again, as with a broken supply or an image that a watchdog ends."""
    while True:
        yield Say(BANNER, every_s)
        yield Say(b"Starting kernel ...\r\n\r\n", every_s)


def panics() -> Brain:
    """Boots as far as the kernel's panic, and stops there."""
    yield Say(BANNER)
    yield Say(b"Starting kernel ...\r\n\r\n")
    yield from panicking()


def panicking() -> Brain:
    """A kernel that comes to its panic, and stays there."""
    yield Say(b"[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\r\n")
    yield Say(PANIC)
    yield from mute()
