"""What the gateway's own configuration says: ProvisioningService, transport and data service (spec 1.3, 4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.configuration import (
    DATA_SERVICE,
    PROVISIONING,
    TRANSPORT,
    CloudConnection,
    Component,
)
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Purpose

SCHEMES: Final = ("mqtt", "mqtts", "ws", "wss")
OF_LIBRARIES: Final = {"tcp": "mqtt", "ssl": "mqtts", "http": "ws", "https": "wss", "mqtt+ssl": "mqtts"}
PLAIN_PORTS: Final = {1883: "mqtt", 8883: "mqtts"}
PLACEHOLDERS: Final = {
    "broker-url": ("mqtt://broker-url:1883", "mqtt://broker-url:1883/"),
    "topic.context.account-name": ("account-name",),
    "username": ("username",),
    "password": ("password",),
}
"""What stands in a new gateway's transport (spec 4.1)."""
USUAL_RETRY_S, USUAL_TIMEOUT_S = 60, 60
LOCKED_AFTER, LOCKED_H = 3, 3
USUAL_MAX_FAILURES: Final = 10
RESETS: Final = 5
"""The watchdog reboots so many retry intervals after the last check-in (spec 4.5)."""


def settings_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of the connection that is looked at, then of all connections together."""
    yield from _url(facts)
    connection = facts.connection
    if connection is not None:
        if facts.purpose is Purpose.PROVISIONING:
            yield from _provisioning(connection.service(PROVISIONING))
        else:
            yield from _transport(connection)
        yield from _recovery(connection, is_reached=facts.contact.trouble is None)
    yield from _twice_at_one_instance(facts)
    if facts.configuration is not None and not facts.configuration.is_prefixed:
        yield Diagnosis(
            "configuration-prefix", Weight.CAUSE,
            "The configuration does not use the prefix esf: for its elements. Kura looks them up by their prefixed "
            "names: it answers 200, and changes nothing.",
            "Write esf:configurations, esf:configuration, esf:properties, esf:property, esf:value.",
        )  # fmt: skip


def _url(facts: Facts) -> Iterator[Diagnosis]:
    url = facts.gateway.broker_url
    if not url:
        return
    scheme, has_scheme, rest = url.partition("://")
    if not has_scheme or scheme.lower() not in SCHEMES:
        wanted = OF_LIBRARIES.get(scheme.lower(), "mqtt or mqtts")
        named = f"{quoted(scheme)} is none" if has_scheme else "there is none"
        yield Diagnosis(
            "broker-url-scheme", Weight.CAUSE,
            f"The broker's address {quoted(url)} needs one of the schemes {', '.join(SCHEMES)}; {named}. Kura knows no "
            "other, and does not connect.",
            f"Write {wanted}://{rest if has_scheme else url}.",
        )  # fmt: skip
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        yield Diagnosis(
            "broker-url-host", Weight.CAUSE, f"The broker's address {quoted(url)} has no host, or no such port.",
            "Write for instance mqtts://HOST:8883.",
        )  # fmt: skip
    elif (
        port is not None and PLAIN_PORTS.get(port, scheme.lower()) != scheme.lower() and scheme in PLAIN_PORTS.values()
    ):
        yield Diagnosis(
            "broker-url-port", Weight.LIKELY,
            f"{quoted(url)} speaks {scheme} to port {port}, which is usually that of {PLAIN_PORTS[port]}.",
            f"Write {PLAIN_PORTS[port]}://{host}:{port}, or the port of {scheme}.",
        )  # fmt: skip


# -- being provisioned


def _provisioning(service: Component) -> Iterator[Diagnosis]:
    if not service.values:
        yield Diagnosis(
            "provisioning-not-configured", Weight.CAUSE,
            "The file has no ProvisioningService for this connection: nothing asks to be provisioned.",
            "Configure it, or name the connection that is to be provisioned with --connection.",
        )  # fmt: skip
        return
    yield from _switches(service)
    yield from _times(service)
    if service.flag("ca-authentication") is False:
        yield Diagnosis(
            "ca-authentication-off", Weight.NOTE,
            "ca-authentication is false: the gateway keeps whatever chain it is sent, and obeys whoever signs with it.",
            "Set it true, and have the root in the gateway's trust store.",
        )  # fmt: skip


def _switches(service: Component) -> Iterator[Diagnosis]:
    if service.flag("enabled"):
        if service.flag("provisioned"):
            yield Diagnosis(
                "flags-half-set", Weight.CAUSE,
                "enabled is true, and provisioned still is: a gateway is provisioned anew with enabled true and "
                "provisioned false, both in one change.",
                "Set provisioned to false in the same change as enabled to true.",
            )  # fmt: skip
        return
    if service.flag("provisioned"):
        yield Diagnosis(
            "already-provisioned", Weight.CAUSE,
            "The gateway is provisioned (enabled false, provisioned true): it does not call the provision broker.",
            "To move it, first load the target's certificates; then set enabled true and provisioned false, in one "
            "change and last. Else look at its connection: --for connection.",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "not-enabled", Weight.CAUSE,
            "ProvisioningService is not enabled: the gateway does not call the provision broker.",
            "Set enabled to true.",
        )  # fmt: skip


def _times(service: Component) -> Iterator[Diagnosis]:
    interval, attempts, timeout = (service.number(name) for name in ("retry-interval", "retry-max-attempts", "timeout"))
    for name, value in (("retry-interval", interval), ("timeout", timeout)):
        if (value is not None and value < 1) or (value is None and service.text(name)):
            yield Diagnosis(
                f"{name}-invalid", Weight.CAUSE,
                f"{name} is {quoted(service.text(name))}; it is a whole number of seconds, at least 1.",
                f"Set {name} to 60, for instance.",
            )  # fmt: skip
    if (attempts is not None and (attempts == 0 or attempts < -1)) or (attempts is None and service.text(
        "retry-max-attempts")):  # fmt: skip
        yield Diagnosis(
            "retry-max-attempts-invalid", Weight.CAUSE,
            f"retry-max-attempts is {quoted(service.text('retry-max-attempts'))}: no attempt can be made with that.",
            "Set it to -1 (for ever) or to how often the gateway is to try.",
        )  # fmt: skip
    interval_s, timeout_s = interval or USUAL_RETRY_S, timeout or USUAL_TIMEOUT_S
    if timeout_s > interval_s > 0:
        yield Diagnosis(
            "timeout-over-interval", Weight.NOTE,
            f"timeout ({timeout_s} s) is longer than retry-interval ({interval_s} s): after an attempt that hangs the "
            "next "
            "one begins at once, without any pause.",
            f"Set retry-interval to {timeout_s} or more, or timeout to {interval_s} or less.",
        )  # fmt: skip
    if attempts == -1 or (attempts or 0) >= LOCKED_AFTER:
        yield Diagnosis(
            "retries-lock", Weight.NOTE,
            f"With a wrong password these retries lock the user after {LOCKED_AFTER * interval_s} s, for {LOCKED_H} h.",
        )  # fmt: skip


# -- being connected


def _transport(connection: CloudConnection) -> Iterator[Diagnosis]:
    transport, data = connection.service(TRANSPORT), connection.service(DATA_SERVICE)
    left = [name for name, words in PLACEHOLDERS.items() if transport.text(name) in words]
    if left:
        yield Diagnosis(
            "transport-not-configured", Weight.CAUSE,
            f"MqttDataTransport still has what a new gateway has in {', '.join(left)}.",
            "Configure the connection, or provision the gateway.",
        )  # fmt: skip
    if data.flag("connect.auto-on-startup") is False:
        yield Diagnosis(
            "no-auto-connect", Weight.CAUSE,
            "connect.auto-on-startup of the DataService is false: the gateway does not connect by itself, neither "
            "after a "
            "start nor after a loss.",
            "Set connect.auto-on-startup to true.",
        )  # fmt: skip


def _recovery(connection: CloudConnection, *, is_reached: bool) -> Iterator[Diagnosis]:
    data = connection.service(DATA_SERVICE)
    if not data.flag("enable.recovery.on.connection.failure"):
        return
    retry_s = data.number("connect.retry-interval") or USUAL_RETRY_S
    most = data.number("connection.recovery.max.failures") or USUAL_MAX_FAILURES
    yield Diagnosis(
        "recovery-reboots", Weight.NOTE if is_reached else Weight.LIKELY,
        f"enable.recovery.on.connection.failure is true: after {most} failed connections the watchdog is told nothing "
        "more, "
        f"and the gateway reboots {RESETS * retry_s} s later, again and again while the broker cannot be reached. "
        "CONNACK 2, "
        "4 and 5 do not count.",
        "If it must go on working without the broker, set enable.recovery.on.connection.failure to false.",
    )  # fmt: skip


def _twice_at_one_instance(facts: Facts) -> Iterator[Diagnosis]:
    connections = () if facts.configuration is None else facts.configuration.connections
    seen: dict[str, CloudConnection] = {}
    for one in connections:
        service = one.service(PROVISIONING)
        url = service.text("broker-url").rstrip("/").lower()
        if not url or not (service.flag("enabled") or service.flag("provisioned")):
            continue
        if url in seen:
            yield Diagnosis(
                "two-connections-one-instance", Weight.CAUSE,
                f"Two connections of this gateway, {seen[url].called} and {one.called}, are to be provisioned by one "
                f"instance ({quoted(url)}): the second is refused by the gateway itself.",
                "Provision one of them there, and the other by another instance, or configure it by hand.",
            )  # fmt: skip
        seen.setdefault(url, one)
