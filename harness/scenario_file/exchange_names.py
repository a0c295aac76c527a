"""Names that the devices of a flow know: of their exchanges, and of the moments at which their power can be cut.

Reading a file hands them to the validators (`context["known"]`), so that a name that no device knows is a mistake like
a misspelt stage. Models that are made in code, without a file, take any name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from fleetrig.harness.scenario_file.problems import WholeSentence, not_known
from fleetrig.harness.scenario_file.values import Glob, Text
from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.faults import FaultKind

METHODS: Final = tuple(str(method) for method in HTTPMethod)
FIRST_STATUS, LAST_STATUS = 100, 599
OF_SESSIONS: Final = frozenset(
    {
        FaultKind.CONNECT_REFUSED,
        FaultKind.CONNECT_UNANSWERED,
        FaultKind.DROP_AFTER_CONNACK,
        FaultKind.DUPLICATE_DELIVERY,
        FaultKind.WITHHELD_ACK,
        FaultKind.WITHHELD_PINGRESP,
        FaultKind.HALF_PACKET,
        FaultKind.MALFORMED_PACKET,
        FaultKind.COAP_RESET,
        FaultKind.LOST_DATAGRAM,
        FaultKind.DUPLICATE_DATAGRAM,
    }
)
"""Faults that no request of HTTP triggers."""
HANDSHAKE: Final = "HANDSHAKE"
"""In place of a method: `HANDSHAKE https`, of a connection that begins."""
MANY: Final = 20
"""More names are not listed where one of them is near."""
WILDCARDS: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What the devices of a scenario can do, by name."""

    exchanges: tuple[str, ...]
    """Requests and messages."""
    programs: tuple[str, ...]
    """Further exchanges, of devices that are programs."""
    moments: tuple[str, ...]
    """Pauses, what is remembered, stages entered …: power can be cut at them too."""
    speaks_http: bool
    """Every request is HTTP's: its line is a method and a target."""


def exchange_name(name: str, info: ValidationInfo) -> str:
    """The name, or a glob, of an exchange that these devices know."""
    known = _known(info)
    if known is None or _selects(name, known.exchanges):
        return name
    if _selects(name, known.programs):
        raise WholeSentence(f"{name!r} is what only device programs do (external: true); "
                            f"simulated devices know {', '.join(known.exchanges)}")  # fmt: skip
    if len(known.exchanges) > MANY:
        raise WholeSentence(not_known(name, known.exchanges))
    raise one_of(known.exchanges)


def fault_that_can_act(kind: FaultKind, info: ValidationInfo) -> FaultKind:
    """A kind of fault that something between these devices and their server can trigger."""
    known = _known(info)
    if known is not None and known.speaks_http and kind in OF_SESSIONS:
        raise ValueError("expected a fault of requests, since these devices speak HTTP")
    return kind


def http_method(name: str) -> str:
    """A method as HTTP writes it, in capitals."""
    if name not in METHODS:
        raise one_of(METHODS)
    return name


def request_line(glob: str, info: ValidationInfo) -> str:
    """A glob over `GET /a`, where every request has a line like that."""
    known = _known(info)
    method, blank, target = glob.partition(" ")
    if known is None or not known.speaks_http or "*" in method or method == HANDSHAKE:
        return glob
    is_line = blank and any(fnmatchcase(one, method) for one in METHODS)
    if not is_line or not (target[:1] == "/" or WILDCARDS & set(target)):
        raise ValueError("expected a glob over a request's line, such as `GET */controller/v1/*` or `POST *`")
    return glob


def answer_line(glob: str, info: ValidationInfo) -> str:
    """A glob over a status, where every answer is HTTP's."""
    known = _known(info)
    if known is None or not known.speaks_http:
        return glob
    if not any(fnmatchcase(str(status), glob) for status in range(FIRST_STATUS, LAST_STATUS + 1)):
        raise ValueError(f"expected a glob over an answer's status, such as {HTTPStatus.OK:d} or 5??")
    return glob


def cut_point(value: Any, info: ValidationInfo) -> CutPoint:
    """A moment at which power can be cut: `poll#1:sent`."""
    if isinstance(value, CutPoint):
        return value
    try:
        point = CutPoint.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "expected a point to cut power at, such as poll#1:sent (<effect>#<n>:before|sent|answered)"
        ) from None
    known = _known(info)
    if known is not None:
        check_moment(point, known)
    return point


def check_moment(point: CutPoint, known: KnownNames) -> None:
    """Raises ValueError for a moment to which no device comes."""
    if point.effect not in (*known.exchanges, *known.moments):
        raise WholeSentence(not_known(point.effect, (*known.exchanges, *known.moments)))
    if point.effect in known.moments and point.where != "before":
        raise WholeSentence(f"{point.effect} has only one moment: say {point.effect}#{point.nth}:before")


def one_of(words: Sequence[str]) -> PydanticKnownError:
    """The same mistake as that of a word that is none of several literals."""
    quoted = [f"'{word}'" for word in words]
    return PydanticKnownError("literal_error", {"expected": f"{', '.join(quoted[:-1])} or {quoted[-1]}"})


def _known(info: ValidationInfo) -> KnownNames | None:
    known: KnownNames | None = (info.context or {}).get("known")
    return known


def _selects(glob: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names)


ExchangeName = Annotated[Text, AfterValidator(exchange_name)]
"""What a device calls a request or message; a glob is allowed."""
HttpMethodName = Annotated[Text, AfterValidator(http_method)]
RequestLine = Annotated[Glob, AfterValidator(request_line)]
AnswerLine = Annotated[Glob, AfterValidator(answer_line)]
FaultThatCanAct = Annotated[FaultKind, AfterValidator(fault_that_can_act)]
CutAt = Annotated[
    CutPoint,
    PlainValidator(cut_point),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^.+#[0-9]+:(before|sent|answered)$", "examples": ["poll#1:sent"]}),
]
