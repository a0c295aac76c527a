"""The topics of the server (spec 1.4, 3.2): which filters it takes, and how what it sends comes to its QoS."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.topic_filters import fits, levels_of

PROVISION: Final = "provision"
"""The user name, or the client id, of a session that provisions."""
PROVISION_REQUEST: Final = "/provision/request"
PROVISION_RESPONSE: Final = "/provision/response"

TELEMETRY: Final = "v1/devices/me/telemetry"
ATTRIBUTES: Final = "v1/devices/me/attributes"
CLAIM: Final = "v1/devices/me/claim"
GATEWAY: Final = "v1/gateway"
GATEWAY_CONNECT: Final = "v1/gateway/connect"
GATEWAY_DISCONNECT: Final = "v1/gateway/disconnect"
GATEWAY_ATTRIBUTES: Final = "v1/gateway/attributes"
GATEWAY_ATTRIBUTES_RESPONSE: Final = "v1/gateway/attributes/response"
GATEWAY_ATTRIBUTES_REQUEST: Final = "v1/gateway/attributes/request"
GATEWAY_CLAIM: Final = "v1/gateway/claim"
GATEWAY_RPC: Final = "v1/gateway/rpc"
GATEWAY_TELEMETRY: Final = "v1/gateway/telemetry"

TELEMETRY_TOPICS: Final = frozenset({TELEMETRY, "v2/t", "v2/t/j"})
ATTRIBUTES_TOPICS: Final = frozenset({ATTRIBUTES, "v2/a", "v2/a/j"})
"""What devices publish JSON to, and subscribe to for updates."""
PROTOBUF_TOPICS: Final = frozenset({"v2/t/p", "v2/a/p"})


class Exchange(StrEnum):
    """What a request with a number in its topic asks for, or answers."""

    ATTRIBUTES_REQUEST = "attributes request"
    RPC_RESPONSE = "RPC response"
    RPC_REQUEST = "RPC request"


NUMBERED: Final[tuple[tuple[str, Exchange, str], ...]] = (
    ("v1/devices/me/attributes/request/", Exchange.ATTRIBUTES_REQUEST, "v1/devices/me/attributes/response/"),
    ("v1/devices/me/rpc/response/", Exchange.RPC_RESPONSE, ""),
    ("v1/devices/me/rpc/request/", Exchange.RPC_REQUEST, "v1/devices/me/rpc/response/"),
    ("v2/r/res/j/", Exchange.RPC_RESPONSE, ""),
    ("v2/r/res/", Exchange.RPC_RESPONSE, ""),
    ("v2/r/req/j/", Exchange.RPC_REQUEST, "v2/r/res/j/"),
    ("v2/r/req/", Exchange.RPC_REQUEST, "v2/r/res/"),
    ("v2/a/req/j/", Exchange.ATTRIBUTES_REQUEST, "v2/a/res/j/"),
    ("v2/a/req/", Exchange.ATTRIBUTES_REQUEST, "v2/a/res/"),
)
"""Beginning of a topic, what it is, and the beginning of the answer's topic; the first that fits counts."""

RPC_TOPICS: Final = {
    "v1/devices/me/rpc/request/+": "v1/devices/me/rpc/request/",
    "v2/r/req/+": "v2/r/req/",
    "v2/r/req/j/+": "v2/r/req/j/",
    "v2/r/req/p/+": "v2/r/req/p/",
}
"""The filter by which a device wants RPC, and how the topics of what it gets begin."""

UPDATE_TOPICS: Final = frozenset({*ATTRIBUTES_TOPICS, "v2/a/p"})
"""By which it wants to hear of shared attributes."""

SUBSCRIBABLE: Final = frozenset(
    {
        *UPDATE_TOPICS,
        *RPC_TOPICS,
        "v1/devices/me/rpc/response/+", "v2/r/res/+", "v2/r/res/j/+", "v2/r/res/p/+",
        "v1/devices/me/attributes/response/+", "v2/a/res/+", "v2/a/res/j/+", "v2/a/res/p/+",
        GATEWAY_ATTRIBUTES, GATEWAY_RPC, GATEWAY_ATTRIBUTES_RESPONSE,
        "v2/fw/response/+/chunk/+", "v2/fw/error", "v2/sw/response/+/chunk/+", "v2/sw/error",
    }
)  # fmt: skip
"""A filter is one of these, to the letter (T03)."""

QOS_WITHOUT_SUBSCRIPTION: Final = 1


def qos_of(client: ClientState, topic: str) -> int:
    """The QoS that the client has subscribed with; 1 if it has not (S57, S58)."""
    levels = levels_of(topic)
    granted = [one.qos for one in client.subscriptions.values() if fits(levels_of(one.topic_filter), levels)]
    return max(granted, default=QOS_WITHOUT_SUBSCRIPTION)
