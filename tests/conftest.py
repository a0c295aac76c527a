"""For all tests: children must hear Ctrl-C and a closed terminal, also where tests start in the background."""

from __future__ import annotations

import signal

# `&` in a shell without job control and `nohup` ignore these in what they start, and an ignored signal is inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
