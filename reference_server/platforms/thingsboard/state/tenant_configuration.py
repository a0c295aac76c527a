"""What a tenant profile's `configuration` says (DefaultTenantProfileConfiguration of the real server), as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ENTITIES: Final = {"DEVICE": "maxDevices", "CUSTOMER": "maxCustomers", "USER": "maxUsers"}
"""Kind of a record -> how many of it a tenant may have; 0: no limit (S82)."""

LIMIT_TITLES: Final = {
    "transportTenantMsgRateLimit": "Transport tenant messages",
    "transportTenantTelemetryMsgRateLimit": "Transport tenant telemetry messages",
    "transportTenantTelemetryDataPointsRateLimit": "Transport tenant telemetry data points",
    "transportDeviceMsgRateLimit": "Transport device messages",
    "transportDeviceTelemetryMsgRateLimit": "Transport device telemetry messages",
    "transportDeviceTelemetryDataPointsRateLimit": "Transport device telemetry data points",
    "transportGatewayMsgRateLimit": "Transport gateway messages",
    "transportGatewayTelemetryMsgRateLimit": "Transport gateway telemetry messages",
    "transportGatewayTelemetryDataPointsRateLimit": "Transport gateway telemetry data points",
    "transportGatewayDeviceMsgRateLimit": "Transport gateway device messages",
    "transportGatewayDeviceTelemetryMsgRateLimit": "Transport gateway device telemetry messages",
    "transportGatewayDeviceTelemetryDataPointsRateLimit": "Transport gateway device telemetry data points",
    "tenantEntityExportRateLimit": "Entity version creation",
    "tenantEntityImportRateLimit": "Entity version load",
    "tenantNotificationRequestsRateLimit": "Notification requests",
    "tenantNotificationRequestsPerRuleRateLimit": "Notification requests per notification rule",
    "tenantServerRestLimitsConfiguration": "REST requests for tenant",
    "customerServerRestLimitsConfiguration": "REST requests for customer",
    "wsUpdatesPerSessionRateLimit": "WS updates per session",
    "cassandraReadQueryTenantCoreRateLimits": "Rest API and WS telemetry Cassandra read queries",
    "cassandraWriteQueryTenantCoreRateLimits": "Rest API Cassandra write queries",
    "cassandraReadQueryTenantRuleEngineRateLimits": "Rule Engine telemetry Cassandra read queries",
    "cassandraWriteQueryTenantRuleEngineRateLimits": "Rule Engine telemetry Cassandra write queries",
    "edgeEventRateLimits": "Edge events",
    "edgeEventRateLimitsPerEdge": "Edge events per edge",
    "edgeUplinkMessagesRateLimits": "Edge uplink messages",
    "edgeUplinkMessagesRateLimitsPerEdge": "Edge uplink messages per edge",
}
"""Members that are limits (`capacity:seconds[,…]`, null: none) -> what the server calls them when one is refused."""

NUMBERS: Final = {
    **dict.fromkeys(
        (
            "maxDevices", "maxAssets", "maxCustomers", "maxUsers", "maxDashboards", "maxRuleChains", "maxEdges",
            "maxResourcesInBytes", "maxOtaPackagesInBytes", "maxResourceSize", "maxTransportMessages",
            "maxTransportDataPoints", "maxREExecutions", "maxJSExecutions", "maxTbelExecutions", "maxDPStorageDays",
            "maxRuleNodeExecutionsPerMessage", "maxDebugModeDurationMinutes", "maxEmails", "maxSms",
            "maxCreatedAlarms", "maxWsSessionsPerTenant", "maxWsSessionsPerCustomer", "maxWsSessionsPerRegularUser",
            "maxWsSessionsPerPublicUser", "wsMsgQueueLimitPerSession", "maxWsSubscriptionsPerTenant",
            "maxWsSubscriptionsPerCustomer", "maxWsSubscriptionsPerRegularUser", "maxWsSubscriptionsPerPublicUser",
            "defaultStorageTtlDays", "alarmsTtlDays", "rpcTtlDays", "queueStatsTtlDays",
            "ruleEngineExceptionsTtlDays", "warnThreshold",
        ),
        0,
    ),
    "maxCalculatedFieldsPerEntity": 5,
    "maxArgumentsPerCF": 10,
    "minAllowedScheduledUpdateIntervalInSecForCF": 10,
    "maxRelationLevelPerCfArgument": 2,
    "maxRelatedEntitiesToReturnPerCfArgument": 100,
    "maxDataPointsPerRollingArg": 1000,
    "maxStateSizeInKBytes": 32,
    "maxSingleValueArgumentSizeInKBytes": 2,
    "minAllowedDeduplicationIntervalInSecForCF": 10,
    "minAllowedAggregationIntervalInSecForCF": 60,
    "intermediateAggregationIntervalInSecForCF": 300,
    "cfReevaluationCheckInterval": 60,
    "alarmsReevaluationInterval": 60,
}  # fmt: skip
"""Members that are numbers -> what they are in a profile that says nothing of its configuration."""
KEPT_DEFAULTS: Final = (
    "intermediateAggregationIntervalInSecForCF",
    "cfReevaluationCheckInterval",
    "alarmsReevaluationInterval",
)
"""Those that are so too where a configuration leaves them out: all others are 0 then."""
ABOVE_0: Final = (
    "maxDataPointsPerRollingArg",
    "maxRelatedEntitiesToReturnPerCfArgument",
    "maxRelationLevelPerCfArgument",
)
"""Members that a configuration has to name, since 0 is refused."""

WHOSE: Final = ("Tenant", "Device", "Gateway", "GatewayDevice")
"""Whose messages are counted, as members say it."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """`capacity:seconds[,capacity:seconds]` of whatever is counted; empty: no limit (5)."""

    messages: str = ""
    """Of all that has no data points in it: a session that opens, requests, answers, offers to be claimed."""
    telemetry_messages: str = ""
    """Of telemetry and attributes that are posted."""
    data_points: str = ""
    """Of the values in them."""


NO_LIMITS: Final = RateLimits()


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What of a tenant profile this server holds its tenants to."""

    most: Mapping[str, int]
    """Kind of a record (`DEVICE`) -> how many of it there may be; 0: no limit."""
    tenant: RateLimits = NO_LIMITS
    device: RateLimits = NO_LIMITS
    gateway: RateLimits = NO_LIMITS
    """Of all that a gateway says for the devices behind it."""
    gateway_device: RateLimits = NO_LIMITS
    """Of what a gateway says of itself."""
    counts_messages: bool = False
    """Whether there is any limit of messages at all."""


def default_configuration() -> dict[str, Any]:
    """Of a profile that says nothing of it."""
    return completed({"type": "DEFAULT", **NUMBERS})


def completed(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's configuration with every member that the server writes, and none that it does not know."""
    known: dict[str, Any] = {"type": configuration.get("type")}
    missing = {name: NUMBERS[name] if name in KEPT_DEFAULTS else 0 for name in NUMBERS}
    known |= {name: configuration.get(name, default) for name, default in missing.items()}
    known |= {name: configuration.get(name) for name in LIMIT_TITLES}
    return {**known, "smsEnabled": configuration.get("smsEnabled")}


def limits_in(configuration: Mapping[str, Any]) -> TenantLimits:
    """Of a configuration as `completed` gives it."""
    most = {kind: int(configuration.get(member) or 0) for kind, member in ENTITIES.items()}
    tenant, device, gateway, gateway_device = rates = [_rates(configuration, whose) for whose in WHOSE]
    counts = any(one != NO_LIMITS for one in rates)
    return TenantLimits(most, tenant, device, gateway, gateway_device, counts)


def _rates(configuration: Mapping[str, Any], whose: str) -> RateLimits:
    names = ("Msg", "TelemetryMsg", "TelemetryDataPoints")
    return RateLimits(*(str(configuration.get(f"transport{whose}{name}RateLimit") or "") for name in names))
