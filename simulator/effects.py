"""What a device's behaviour may ask for, and what it is answered.

A flow is a generator that yields effects and receives outcomes. It never performs anything: a driver does, in virtual
time, over real sockets, or only to compare. Rules for whoever writes a flow:
1. It is a pure function of (identity, remembered state, outcomes so far): no clock, no chance, no global.
2. No `yield` in `finally`: a power cut throws the generator away.
3. Effects carry ranges (`at_least_s`, `at_most_s`); drivers draw from them, the oracle checks them.
4. What must survive a power cut is remembered *before* the world is told that it was done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.stages import Stage

REPLY_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""Far above any document of a platform; a larger answer to an Ask is `malformed`."""


class Ask(NamedTuple):
    """Send `request`, wait at most `within_s` for the answer. Answered by `Reply` or `NoReply`."""

    name: str
    request: HttpRequest
    within_s: float


class Download(NamedTuple):
    """Stream a body to the device's storage as `file`, from `from_byte` on. Answered by `Downloaded` or `NoReply`.

    `within_s` limits the wait for each block, not for the whole file. A file that goes on beyond `at_most_bytes` is
    left there, with some bytes too many: a server must not keep a device busy for good.
    """

    name: str
    request: HttpRequest
    file: str
    from_byte: int
    within_s: float
    at_most_bytes: int | None = None


class Pause(NamedTuple):
    """Wait; the driver draws evenly from the range, and what lies above `capped_at_s` becomes `capped_at_s`.

    Answered by `Done`, whose `after_s` is the result.
    """

    at_least_s: float
    at_most_s: float
    why: str
    capped_at_s: float = math.inf


class Remember(NamedTuple):
    """Write to the device's storage; a value of None forgets the key. Survives a power cut once answered."""

    what: Mapping[str, Json]


class Enter(NamedTuple):
    """Move to another stage of life; the table in `stages` says which moves are legal."""

    stage: Stage
    why: str = ""


class Apply(NamedTuple):
    """Work on an installation for `slice_s`, then give way: a cancel can be seen between slices."""

    image: str
    slice_s: float


Effect = Ask | Download | Pause | Remember | Enter | Apply


class Reply(NamedTuple):
    """An HTTP answer, whatever its status, and how long it took."""

    envelope: HttpResponse
    after_s: float


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What a download brought. `hashes` (sha1, md5, sha256, hex) are over the whole stored file, the resumed part too.

    `cut` says that the connection ended, or went silent, before the whole body had come. Only a 200 or 206 is stored.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    received_bytes: int
    stored_bytes: int
    hashes: Mapping[str, str]
    cut: bool
    after_s: float = 0.0


class NoReply(NamedTuple):
    """No usable answer: `refused`, `reset`, `timeout`, `closed`, `truncated`, `malformed`, `tls`, `unreachable`."""

    why: str
    after_s: float


class Done(NamedTuple):
    """A pause, memory, stage or installation effect was carried out."""

    after_s: float = 0.0


Outcome = Reply | Downloaded | NoReply | Done

Flow = Generator[Effect, Outcome, None]
"""What a device does from one power-on to the next. It ends when the device has nothing more to do."""

Behaviour = Callable[[DeviceIdentity, Mapping[str, Json]], Flow]
"""A device's program: (identity, what it remembers) -> flow. Called anew at every power-on."""


def ask(name: str, request: HttpRequest, within_s: float) -> Generator[Effect, Outcome, Reply | NoReply]:
    """`answer = yield from ask(…)`, typed."""
    answer = yield Ask(name, request, within_s)
    assert isinstance(answer, Reply | NoReply), f"a driver answered Ask with {type(answer).__name__}"
    return answer


def download(wanted: Download) -> Generator[Effect, Outcome, Downloaded | NoReply]:
    """`got = yield from download(Download(…))`, typed."""
    answer = yield wanted
    assert isinstance(answer, Downloaded | NoReply), f"a driver answered Download with {type(answer).__name__}"
    return answer


def pause(wanted: Pause) -> Generator[Effect, Outcome, float]:
    """Waits and gives the seconds that were drawn."""
    answer = yield wanted
    assert isinstance(answer, Done), f"a driver answered Pause with {type(answer).__name__}"
    return answer.after_s
