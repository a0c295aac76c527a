"""For all tests: children must hear Ctrl-C, also where the tests themselves were started in the background."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control ignores it in what it starts with `&`, and an ignored signal is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
