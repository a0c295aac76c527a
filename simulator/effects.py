"""What a device's behaviour may ask for, and what it is answered.

A flow is a generator that yields effects and receives outcomes. It never performs anything: a driver does, in virtual
time, over real sockets, or only to compare. HTTP needs no connection of its own: `Ask` and `Download` open what they
need. For MQTT and CoAP a device has one connection at a time: `Connect`, then `Ask`, `Tell` and `Await`, then
`Disconnect`. What comes while the device does something else waits in the connection's inbox for the next `Await`.

Rules for a flow:
1. It is a pure function of (identity, remembered state, outcomes so far): no clock, no chance, no global. What it must
   know of time it asks for with `ReadClock`, what nobody may guess with `DrawToken`.
2. No `yield` in `finally`: a power cut throws the generator away.
3. Effects carry ranges (`at_least_s`, `at_most_s`); drivers draw from them, the oracle checks them.
4. What must survive a power cut is remembered *before* the server hears that it was done.
5. A connected device that must hear pushes does not `Pause`: its idle time is an `Await` with a range.
6. Nothing is acknowledged behind its back: a PUBLISH with QoS 1 that came is acknowledged by `acknowledge`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar, overload

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    PublishAckKind,
)
from fleetrig.simulator.stages import Stage

REPLY_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""Far above any document of a platform; a larger answer to an Ask is `malformed`."""

Request = (
    HttpRequest | CoapRequest | MqttSubscribe | MqttUnsubscribe | MqttPublish | MqttPublishAck | MqttPingreq
)  # fmt: skip
"""What has an answer of its own. Of PUBLISH only QoS 1 and 2 do, of its acknowledgements only PUBREL."""


class Connect(NamedTuple):
    """Open a connection to `where` (`mqtt://host:1883`) and send `envelope`, if there is one, as the first thing.

    Answered by `Reply` with the CONNACK, with any code; by `Done` when there was nothing to send; by `NoReply`.
    """

    name: str
    where: str
    envelope: MqttConnect | None
    within_s: float


class Ask(NamedTuple):
    """Send `request`, wait at most `within_s` for the answer to it. Answered by `Reply` or `NoReply`.

    A packet id of 0 and an empty token are replaced by the connection with fresh ones.
    """

    name: str
    request: Request
    within_s: float


class Tell(NamedTuple):
    """Send what has no answer: QoS 0, NON, acknowledgements. Answered by `Done`, or `NoReply` without connection."""

    name: str
    envelope: Envelope


class Await(NamedTuple):
    """Wait until something comes whose `line` fits one of the globs `patterns`; it may be in the inbox already.

    The driver draws how long from the range, as for `Pause`. Answered by `Reply`, or `NoReply` (`timeout`, `closed`).
    """

    name: str
    patterns: tuple[str, ...]
    at_least_s: float
    at_most_s: float
    capped_at_s: float = math.inf
    left_s: float = 0.0
    """Of an idle device: what is left of its round behind this wait, which ends for a ping."""


class Disconnect(NamedTuple):
    """Close the connection; without one nothing happens. Answered by `Done`."""


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

    `whole_s`: what was drawn is rounded down to a whole second, as devices do that draw a whole number. Answered by
    `Done`, whose `after_s` is the result.
    """

    at_least_s: float
    at_most_s: float
    why: str
    capped_at_s: float = math.inf
    whole_s: bool = False


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


class ReadClock(NamedTuple):
    """Looks at the clock. Answered by `ClockReading`, at once; a device whose clock is wrong adds that by itself."""


class DrawToken(NamedTuple):
    """Asks for what nobody can guess: an id, a nonce, the seed of a key. Answered by `DrawnToken`, at once."""

    name: str
    random_bytes: int


TimedEffect = Connect | Ask | Tell | Await | Disconnect | Download | Pause | Apply
"""What a driver performs, one by one."""
Effect = TimedEffect | Remember | Enter | ReadClock | DrawToken
"""The others take no time: agent and power cycle carry them out."""

E_co = TypeVar("E_co", bound=Envelope, covariant=True)


class Reply(NamedTuple, Generic[E_co]):
    """An answer with any status, and how long it took."""

    envelope: E_co
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


class ClockReading(NamedTuple):
    """What a right clock shows: microseconds since 1970."""

    us: int
    after_s: float = 0.0


class DrawnToken(NamedTuple):
    """Two hexadecimal digits for each byte that was asked for; the oracle says what it saw, which may be any text."""

    text: str
    after_s: float = 0.0


HttpReply = Reply[HttpResponse]
Outcome = Reply[Envelope] | Downloaded | NoReply | Done | ClockReading | DrawnToken

Flow = Generator[Effect, Outcome, None]
"""What a device does from one power-on to the next. It ends when the device has nothing more to do."""

Behaviour = Callable[[DeviceIdentity, Mapping[str, Json]], Flow]
"""A device's program: (identity, what it remembers) -> flow. Called anew at every power-on."""


Asking = Generator[Effect, Outcome, Reply[E_co] | NoReply]


@overload
def ask(name: str, request: HttpRequest, within_s: float) -> Asking[HttpResponse]: ...
@overload
def ask(name: str, request: CoapRequest, within_s: float) -> Asking[CoapResponse | CoapReset]: ...
@overload
def ask(name: str, request: MqttSubscribe, within_s: float) -> Asking[MqttSuback]: ...
@overload
def ask(name: str, request: MqttUnsubscribe, within_s: float) -> Asking[MqttUnsuback]: ...
@overload
def ask(name: str, request: MqttPublish | MqttPublishAck, within_s: float) -> Asking[MqttPublishAck]: ...
@overload
def ask(name: str, request: MqttPingreq, within_s: float) -> Asking[MqttPingresp]: ...
def ask(name: str, request: Request, within_s: float) -> Asking[Envelope]:
    """`answer = yield from ask(…)`, typed."""
    answer = yield Ask(name, request, within_s)
    assert isinstance(answer, Reply | NoReply), f"a driver answered Ask with {type(answer).__name__}"
    return answer


def connect(wanted: Connect) -> Generator[Effect, Outcome, Reply[MqttConnack] | NoReply | Done]:
    """`answer = yield from connect(Connect(…))`, typed."""
    answer = yield wanted
    match answer:
        case Reply(MqttConnack() as connack, after_s):
            return Reply(connack, after_s)
        case NoReply() | Done():
            return answer
        case _:
            raise AssertionError(f"a driver answered Connect with {answer!r}")


def tell(name: str, envelope: Envelope) -> Generator[Effect, Outcome, NoReply | Done]:
    """`sent = yield from tell(…)`, typed."""
    answer = yield Tell(name, envelope)
    assert isinstance(answer, NoReply | Done), f"a driver answered Tell with {type(answer).__name__}"
    return answer


def acknowledge(publish: MqttPublish) -> Generator[Effect, Outcome, NoReply | Done]:
    """Answers a PUBLISH that came: PUBACK for QoS 1, PUBREC for QoS 2, nothing for QoS 0."""
    if publish.qos == 0:
        return Done()
    kind = PublishAckKind.PUBACK if publish.qos == 1 else PublishAckKind.PUBREC
    return (yield from tell(kind.name.lower(), MqttPublishAck(kind, publish.packet_id)))


def wait_for(wanted: Await) -> Asking[Envelope]:
    """`what_came = yield from wait_for(Await(…))`, typed."""
    answer = yield wanted
    assert isinstance(answer, Reply | NoReply), f"a driver answered Await with {type(answer).__name__}"
    return answer


def download(wanted: Download) -> Generator[Effect, Outcome, Downloaded | NoReply]:
    """`got = yield from download(Download(…))`, typed."""
    answer = yield wanted
    assert isinstance(answer, Downloaded | NoReply), f"a driver answered Download with {type(answer).__name__}"
    return answer


def pause(wanted: Pause) -> Generator[Effect, Outcome, float]:
    """Waits. Returns the seconds that were drawn."""
    answer = yield wanted
    assert isinstance(answer, Done), f"a driver answered Pause with {type(answer).__name__}"
    return answer.after_s


def read_clock() -> Generator[Effect, Outcome, int]:
    """Microseconds since 1970, by a clock that is right."""
    answer = yield ReadClock()
    assert isinstance(answer, ClockReading), f"a driver answered ReadClock with {type(answer).__name__}"
    return answer.us


def draw_token(name: str, random_bytes: int) -> Generator[Effect, Outcome, str]:
    """A text that nobody can guess."""
    answer = yield DrawToken(name, random_bytes)
    assert isinstance(answer, DrawnToken), f"a driver answered DrawToken with {type(answer).__name__}"
    return answer.text
