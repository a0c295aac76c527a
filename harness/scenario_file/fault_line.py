"""A fault as a scenario file writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from fleetrig.harness.scenario_file.exchange_names import FaultThatCanAct, request_line
from fleetrig.harness.scenario_file.values import Duration, FinalStatus, FleetShare, Model, Size, share_of_fleet
from fleetrig.simulator.contract import fault_values
from fleetrig.simulator.contract.delivery import Ending, Framing
from fleetrig.simulator.contract.faults import BELONGS_TO, NEEDS, Fault, FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate
from fleetrig.simulator.contract.json_types import Json

NEEDED: Final = {
    "delay_s": "a delay",
    "bytes_per_s": "bytes_per_s",
    "requests_per_s": "requests_per_s",
    "framed": "framed, such as chunked",
    "below": "below, such as /elsewhere",
    "certificate": "certificate, such as expired",
}
REWRITES: Final = frozenset(name for name, kinds in BELONGS_TO.items() if FaultKind.REWRITE in kinds)


class FaultLine(Model):
    """Something that goes wrong between the devices and the server."""

    fault: FaultThatCanAct
    """What goes wrong."""
    hits: Annotated[str, AfterValidator(fault_values.hits), AfterValidator(request_line)] = "*"
    """Whom: a glob over the line of what came in, for instance `POST */feedback` or `CONNECT gw-*`.

    latency, withheld_ack, and rewrite in sessions: of what came in or goes out. duplicate_delivery: of what goes out,
    `PUBLISH */rpc/*`.
    half_packet, malformed_packet, lost_datagram: of what came in or goes out. duplicate_datagram: of what goes out.
    drop_after_connack, withheld_pingresp: of the CONNECT with which the session began. server_certificate: of the
    connection that begins, `HANDSHAKE https`. northbound_down: of what the server hands on to applications,
    `EVENT *`.
    """
    at_s: Duration = Field(0.0, alias="at")
    """When it begins, counted from the beginning of the run, or of the phase it stands in."""
    for_s: Duration | None = Field(None, alias="for")
    """How long it lasts; without it, to the end."""
    share: Annotated[float, BeforeValidator(fault_values.share)] = 1.0
    """The probability that it affects a matching request."""
    times: Annotated[int, Strict(), AfterValidator(fault_values.times)] | None = None
    """It ends after affecting this many requests."""
    shows_as: Literal[Ending.REFUSED, Ending.RESET, Ending.SILENCE, Ending.CLOSED] | None = None
    """outage, lost_reply, drop_after_connack, half_packet: what the device sees."""
    status: FinalStatus | None = None
    """overload, capacity: 503 when not given. rewrite: in place of the answer's own. moved: redirects, not links."""
    retry_after_s: Duration | None = Field(None, alias="retry_after")
    """overload, capacity: the `Retry-After` header, in whole seconds."""
    requests_per_s: (
        Annotated[
            float,
            BeforeValidator(fault_values.requests_per_s),
            BeforeValidator(share_of_fleet, json_schema_input_type=float | FleetShare),
        ]
        | None
    ) = None
    """capacity: how many are answered in a second, one after the other; the others queue. Also a share of the devices
    (`0.5%`)."""
    waiting_s: Duration | None = Field(None, alias="waiting")
    """capacity: who would queue longer is turned away, as by overload. Without it the queue has no end."""
    sheds_after_s: Duration | None = Field(None, alias="sheds_after")
    """capacity: who has queued longer is dropped when its turn comes, without work and without an answer."""
    delay_s: Duration | None = Field(None, alias="delay")
    """latency: how late it comes. duplicate_delivery: how long after the first. drop_after_connack: how long after.

    northbound_down: how long the server waits for applications before it gives up."""
    code: Annotated[int, Strict(), AfterValidator(fault_values.code)] | None = None
    """connect_refused: of the CONNACK; when not given, that the server is unavailable."""
    after_bytes: Size | None = Field(None, alias="after")
    """truncated_body: how much of the body comes through. half_packet: how much of the packet."""
    copies: Annotated[int, Strict(), AfterValidator(fault_values.copies)] | None = None
    """lost_datagram: how many datagrams of the message are lost, the first and its repetitions."""
    certificate: (
        Literal[
            ShownCertificate.EXPIRED,
            ShownCertificate.NOT_YET_VALID,
            ShownCertificate.WRONG_NAME,
            ShownCertificate.STRANGER,
            ShownCertificate.LONG_CHAIN,
        ]
        | None
    ) = None
    """server_certificate: the one that is shown."""
    bytes_per_s: Annotated[float, BeforeValidator(fault_values.bytes_per_s)] | None = None
    """dripping: how slowly the body comes."""
    framed: Literal[Framing.CHUNKED, Framing.CLOSE, Framing.HTTP10] | None = None
    """framing: chunked, closed by the server, or as HTTP/1.0."""
    below: Annotated[str, AfterValidator(fault_values.below)] | None = None
    """moved: links of answers lead below this path, on another name of the server, and are served there."""
    headers: Annotated[Mapping[str, str | None], AfterValidator(fault_values.headers)] | None = None
    """rewrite: header names and the value of each; null takes it away."""
    set_values: Annotated[Mapping[str, Any], AfterValidator(fault_values.set_values)] | None = Field(None, alias="set")
    """rewrite: dotted paths into the JSON body (`config.polling.sleep`, `chunks.0.part`) and the value of each; null
    takes it away."""
    body: Annotated[str, AfterValidator(fault_values.body)] | None = None
    """rewrite: in place of the whole body."""
    respelt: Annotated[bool, Strict()] | None = None
    """rewrite: the same JSON document, its members in alphabetical order, with blanks and line ends."""
    topic: Annotated[str, AfterValidator(fault_values.topic)] | None = None
    """rewrite: in place of the topic of what is published to the device."""
    unseen: Annotated[tuple[str, ...], AfterValidator(fault_values.unseen)] | None = None
    """rewrite: headers of the request that the server does not see."""

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        for field in sorted(BELONGS_TO.keys() & self.model_fields_set):
            if self.fault not in BELONGS_TO[field]:
                name = type(self).model_fields[field].alias or field
                owners = " or ".join(sorted(BELONGS_TO[field]))
                raise ValueError(f"{name} is a parameter of the fault {owners}, not of {self.fault}")
        needed = NEEDS.get(self.fault)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"{self.fault} needs {NEEDED[needed]}")
        if why := fault_values.why_never_shed(self.waiting_s, self.sheds_after_s):
            raise ValueError(why)
        if self.fault is FaultKind.REWRITE and not REWRITES & self.model_fields_set:
            raise ValueError("rewrite needs something to rewrite: set, body, respelt, topic, status, headers or unseen")
        return self

    def to_fault(self) -> Fault:
        """The same as the fault plan takes it."""
        given = {name: plain(getattr(self, name)) for name in BELONGS_TO if name != "shows_as"}
        return Fault(
            self.fault,
            self.hits,
            self.at_s,
            self.for_s,
            self.share,
            self.times,
            self.shows_as,
            {name: value for name, value in given.items() if value is not None},
        )


def plain(value: Any) -> Json:
    """A value of a file as JSON has it: texts, mappings and lists without what they remember of their place."""
    match value:
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Framing() | ShownCertificate():
            return value
        case str():
            return str(value)
        case _:
            number: Json = value
            return number
