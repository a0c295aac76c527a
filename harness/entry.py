"""Where the `fleetrig` command begins: stop signals are heard before anything large is imported, output goes somewhere.

Importing the command takes some tenths of a second, far more on a busy machine. Nothing has been made until then, so a
stop signal simply ends the program, with the exit code and the words that it has later. Only the standard library is
imported here.

Whoever closes standard input or output (`>&-`) wants to hear nothing. Files and connections would take over the free
number, and get what was meant for it; so nothing stays closed.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED: Final = 2
"""As `harness/run/interrupts.py` has it, which is not imported yet."""
NEW_OBJECTS: Final = 10_000
"""As `harness/run/collector.py` has it: imports make many objects that stay; looking through them takes an eighth
of the start."""


def main() -> int:
    """Runs the command of this process and returns its exit code."""
    for number in SIGNALS:
        # `nohup` is respected. Ctrl-C is ignored in what a script starts in the background; whoever sends it means it.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    open_what_is_closed()
    gc.set_threshold(NEW_OBJECTS)
    from fleetrig.harness.cli import main as command

    return command()


def open_what_is_closed() -> None:
    """Standard input, output and error lead to nowhere where they were closed."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8"))  # noqa: PTH123, SIM115


def _leave(number: int, frame: object) -> None:
    """Not an exception: it would pass through whatever is being imported, and show its traceback."""
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
