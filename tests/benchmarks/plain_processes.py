"""What the exact engine is held against: a fleet as plain SimPy processes, which poll the same server by hand."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import cast

import simpy

from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.delivery import HttpHandler
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.drivers.bucketed_environment import Alarm, BucketedEnvironment
from fleetrig.simulator.drivers.draw import draw
from fleetrig.simulator.flows.hawkbit.messages import poll_request, read_document, sleep_s
from fleetrig.simulator.transports.virtual_http import ROUND_TRIP_US

Process = Generator[simpy.Event, None, None]


class PlainFleet:
    """No flow, no stages, no memory, no trace: the least that a poll takes."""

    def __init__(self, handler: HttpHandler, server_url: str, credential: Credential, jitter: float) -> None:
        self.env = simpy.Environment(initial_time=VIRTUAL_EPOCH_US)
        self.polls = 0
        self._handler = handler
        self._server_url = server_url
        self._credential = credential
        self._jitter = jitter
        self._session = Session()

    def power_on(self, device: DeviceIdentity, after_us: int) -> None:
        self.env.process(self._device(device, after_us))

    def run_for(self, seconds: float) -> None:
        self.env.run(until=int(self.env.now) + to_us(seconds))

    def _device(self, device: DeviceIdentity, after_us: int) -> Process:
        yield self.env.timeout(after_us)
        draws = 0
        while True:
            self.polls += 1
            request = poll_request(self._server_url, device, self._credential)
            delivery = self._handler(request, self._session, int(self.env.now))
            yield self.env.timeout(ROUND_TRIP_US)
            document = read_document(cast(HttpResponse, delivery.response))
            interval_s = cast(float, sleep_s(document or {}))
            number = draw(1, device.serial, draws)
            draws += 1
            yield self.env.timeout(to_us(interval_s * (1 + self._jitter * number)))


class WaitingProcesses:
    """Devices that do nothing but wait, twice for each poll, as SimPy processes."""

    def __init__(self, pauses_us: Sequence[int], devices: int) -> None:
        self.env = simpy.Environment()
        self._pauses_us = pauses_us
        for number in range(devices):
            self.env.process(self._device(number))

    def run_until(self, at_us: int) -> None:
        self.env.run(until=at_us)

    def _device(self, turn: int) -> Process:
        while True:
            yield self.env.timeout(self._pauses_us[turn % len(self._pauses_us)])
            yield self.env.timeout(ROUND_TRIP_US)
            turn += 7


class WaitingDevice(Alarm):
    __slots__ = ("is_asking", "turn")

    def __init__(self, turn: int) -> None:
        super().__init__()
        self.turn = turn
        self.is_asking = True


class WaitingAlarms:
    """The same in the way of the exact engine: one event for all waits of a device, in buckets."""

    def __init__(self, pauses_us: Sequence[int], devices: int) -> None:
        self.env = BucketedEnvironment()
        self._pauses_us = pauses_us
        self._callbacks = [self._wake]
        for number in range(devices):
            self._wake(WaitingDevice(number))

    def run_until(self, at_us: int) -> None:
        self.env.run_through(at_us)

    def _wake(self, device: WaitingDevice) -> None:
        device.callbacks = self._callbacks
        if device.is_asking:
            device.is_asking = False
            self.env.schedule(device, delay=self._pauses_us[device.turn % len(self._pauses_us)])
        else:
            device.is_asking = True
            device.turn += 7
            self.env.schedule(device, delay=ROUND_TRIP_US)
