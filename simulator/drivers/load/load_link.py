"""What one device talks over in a load run: HTTP as needed, and one MQTT connection at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import gevent

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError, UsageError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.drivers.load.http_client import LoadHttp, SentOnly
from fleetrig.simulator.drivers.load.mqtt_line import PORTS, MqttLine, open_line
from fleetrig.simulator.drivers.load.refusals import NO_COAP
from fleetrig.simulator.drivers.load.stream import Dialler, why_no_stream
from fleetrig.simulator.effects import Ask, Await, Connect, Disconnect, Done, Download, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.client_tls import DeviceTls

FAILURES = (OSError, EOFError, ValueError, gevent.Timeout)


class LoadLink:
    """The connections of one device from power-on to power-off. `dropped` gets what an inbox had no room for."""

    __slots__ = ("_dialler", "_dropped", "_http", "_line", "_serial", "_tls", "_where")

    def __init__(
        self, http: LoadHttp, dialler: Dialler, tls: DeviceTls, serial: str, dropped: Callable[[Envelope], None]
    ) -> None:
        self._http = http
        self._dialler = dialler
        self._tls = tls
        self._serial = serial
        self._dropped = dropped
        self._line: MqttLine | None = None
        self._where = ""

    def perform(
        self,
        effect: Connect | Ask | Tell | Await | Disconnect | Download,
        within_s: float,
        *,
        sent_only: bool = False,
    ) -> Outcome:
        """`within_s` limits everything but HTTP, which limits itself. Raises SentOnly where that was wanted.

        Raises UsageError for CoAP.
        """
        match effect:
            case Ask(request=HttpRequest()):
                return self._http.ask(effect, sent_only=sent_only)
            case Download():
                return self._http.download(effect, self._serial, sent_only=sent_only)
            case Disconnect():
                self._hang_up()
                return Done()
            case _:
                return self._converse(effect, within_s, stop_here if sent_only else go_on)

    def close(self) -> None:
        """Closes everything at power-off."""
        try:
            self._hang_up()
        finally:
            self._http.close()

    def _converse(self, effect: Connect | Ask | Tell | Await, within_s: float, sent: Callable[[], None]) -> Outcome:
        began_s = time.monotonic()
        try:
            with self._limit(effect, within_s):
                came = self._exchange(effect, sent)
        except FAILURES as error:
            is_late = isinstance(error, gevent.Timeout | TimeoutError)
            if is_late and isinstance(effect, Connect):
                self._hang_up()
            return NoReply(why_no_stream(error), within_s if is_late else time.monotonic() - began_s)
        after_s = time.monotonic() - began_s
        return Done(after_s) if came is None else Reply(came, after_s)

    def _limit(self, effect: Connect | Ask | Tell | Await, within_s: float) -> AbstractContextManager[object]:
        """A device that idles must wake in time; a request that gets no answer need not fail to the millisecond."""
        if isinstance(effect, Await):
            limit: AbstractContextManager[object] = gevent.Timeout(within_s)
            return limit
        return self._dialler.time_limits.within(within_s)

    def _exchange(self, effect: Connect | Ask | Tell | Await, sent: Callable[[], None]) -> Envelope | None:
        """The envelope that comes back; None for an effect without an answer."""
        match effect:
            case Ask(request=CoapRequest()) | Tell(envelope=CoapRequest()):
                raise UsageError(NO_COAP)
            case Connect(where=where, envelope=envelope):
                self._open(where)
                if envelope is None:
                    sent()
                    return None
                return self._open_line().ask(envelope, sent)
            case Ask(request=request):
                return self._open_line().ask(request, sent)
            case Await(patterns=patterns):
                return self._open_line().wait_for(patterns)
            case Tell(envelope=envelope):
                self._open_line().tell(envelope)
                sent()
                return None

    def _open(self, where: str) -> None:
        if self._line is not None and not self._line.has_ended:
            raise ModelError(f"a device connects to {where} while it is connected to {self._where}: Disconnect first")
        self._hang_up()
        scheme = where.partition(":")[0]
        if scheme.startswith("coap"):
            raise UsageError(NO_COAP)
        if scheme not in PORTS:
            raise ModelError(
                f"device {self._serial} connects to {where}, but load can open only http, https, mqtt, mqtts"
            )
        self._line, self._where = open_line(where, self._dialler, self._tls.context, self._dropped), where

    def _open_line(self) -> MqttLine:
        if self._line is None:
            raise EOFError("there is no connection")
        return self._line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def go_on() -> None:
    """What was sent is answered."""


def stop_here() -> None:
    """The power is cut. Raises SentOnly."""
    raise SentOnly
