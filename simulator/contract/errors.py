"""The errors fleetrig raises itself, by whose mistake it is. What a peer does wrong is a Finding, never an exception.

FleetrigError
  UsageError    our caller's: a wrong option, file or value           exit 4
  NoSuchId      an id, prefix or tag that selects nothing             exit 5, as when nothing was judged
  BrokenBench   the bench's: unreachable, port in use, credentials    exit 3
  ModelError    ours: a bug                                           exit 70, with the request to report it
"""

from __future__ import annotations


class FleetrigError(Exception):
    """`str()` is one sentence a user can act on; no traceback is shown without --debug."""

    exit_code = 70


class UsageError(FleetrigError):
    exit_code = 4


class NoSuchId(UsageError):
    exit_code = 5


class BrokenBench(FleetrigError):
    exit_code = 3


class ModelError(FleetrigError):
    exit_code = 70
