"""What tests may import of fleetrig: the types of what its pytest fixtures give (docs/pytest.md).

Everything else of fleetrig may change from one version to the next.
"""

from __future__ import annotations

from fleetrig.harness.running_server.events import EventKind, EventLane, ServerEvent
from fleetrig.harness.running_server.faults import FaultName, FaultOnServer, Faults, FaultWords
from fleetrig.harness.running_server.platform_part import DeviceCredentials
from fleetrig.harness.running_server.server import EventsDropped, RunningServer
from fleetrig.harness.running_server.server_factory import ServerFactory
from fleetrig.harness.running_server.starting import reference_server
from fleetrig.harness.running_server.waiting import NothingCame
from fleetrig.reference_server.control.refusals import Refusal
from fleetrig.reference_server.northbound import NorthboundMessage
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError

__all__ = [
    "BrokenBench",
    "DeviceCredentials",
    "EventKind",
    "EventLane",
    "EventsDropped",
    "FaultName",
    "FaultOnServer",
    "FaultWords",
    "Faults",
    "FleetrigError",
    "NorthboundMessage",
    "NothingCame",
    "Refusal",
    "RunningServer",
    "ServerEvent",
    "ServerFactory",
    "UsageError",
    "reference_server",
]
