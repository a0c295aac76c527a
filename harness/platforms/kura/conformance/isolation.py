"""What a gateway may publish and hear (docs/contracts/kura.md §5.3), and what becomes of forged replies (§2.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.dialogue import bootstrap
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession, Message
from fleetrig.harness.platforms.kura.conformance.payload_bytes import Value, payload
from fleetrig.harness.platforms.kura.conformance.row_client import EVERYTHING, RowClient, RowRequest

ROWS: Final[Resource[RowClient]] = Resource("kura", "isolation")
MANAGES: Final = (("broker", "connect"), ("device_management", "write"))
"""The rights of somebody who may hear all control topics of an account."""
SEES_DATA: Final = (("broker", "connect"), ("datastore", "read"))
NOTE: Final = payload({"text": "hello"})


@ROWS.row("S28", "other-topics", "A gateway's message to another's control topics or data topics, and at the provision "
          "broker to any data topics, is not delivered; it hears nothing of others", needs=("mqtt",))  # fmt: skip
def other_topics(client: RowClient) -> None:
    account = client.account()
    victim, rogue = client.plain_gateway(), client.plain_gateway()
    victim.subscribe(victim.control("#"))
    victim.subscribe(f"{account.name}/{victim.client_id}/#")
    for topic in (victim.control("CONF-V1/GET/configurations"), f"{account.name}/{victim.client_id}/app/data"):
        rogue = still_open(client, rogue)
        rogue.publish(topic, NOTE)
    still_open(client, rogue)
    victim.expect_nothing("after a stranger's messages")
    victim.publish(victim.control("APP-V1/GET/own"), NOTE)
    own = victim.message("its own message, since it listens there")
    expect("the topic of its own message", victim.control("APP-V1/GET/own"), own.topic)
    eavesdrops(client, victim)
    if client.under_test.has_provisioning:
        says_data(client, client.request())


def still_open(client: RowClient, session: GatewaySession) -> GatewaySession:
    """A broker may end the connection of somebody who publishes where he may not: then he comes again."""
    session.connection.ping()
    if session.connection.hear().line == "PINGRESP":
        return session
    return client.plain_gateway()


def eavesdrops(client: RowClient, victim: GatewaySession) -> None:
    """Whoever subscribes to all that there is, hears nothing of another."""
    nosy = client.plain_gateway()
    for topic_filter in ("#", "$EDC/#", f"$EDC/{victim.account}/#", victim.control("#"), f"{victim.account}/#"):
        answer = nosy.say_subscribe(topic_filter)
        expect_that(answer in ("SUBACK 0", "SUBACK 1", "SUBACK 0x80", "closed"), f"SUBSCRIBE {topic_filter}", answer)
        if answer == "closed":
            nosy = client.plain_gateway()
    victim.publish(victim.control("APP-V1/GET/secret"), NOTE)
    victim.publish(f"{victim.account}/{victim.client_id}/app/secret", NOTE)
    victim.settle()
    nosy.expect_nothing("of what another publishes")


@ROWS.row("P07", "provision-topics", "Profile: at the provision broker nobody hears or reaches another one that is "
          "being provisioned, on control topics or on data topics", needs=("mqtt", "provisioning"))  # fmt: skip
def provision_topics(client: RowClient) -> None:
    victim, rogue = bootstrap(client, client.request()), bootstrap(client, client.request())
    app_id = client.under_test.app_id
    rogue.session.say_subscribe(f"$EDC/{client.under_test.provision_account}/#")
    material = victim.request()
    rogue.session.expect_nothing("of the material of another")
    rogue.session.publish(victim.session.control(f"{app_id}/POST/confirm"), payload({"prov.job.id": material.job_id}))
    rogue.session.publish(victim.session.control(f"{app_id}/EXEC/abort"), payload({"request.id": "1"}))
    rogue.session.settle()
    victim.session.expect_nothing("after a stranger's messages")
    hears_data(client, victim.session.client_id)


def says_data(client: RowClient, request: RowRequest) -> None:
    """What a gateway that is being provisioned publishes to data topics reaches nobody: its own, another's, any."""
    account, watcher = client.under_test.provision_account, administrator(client)
    watcher.subscribe(f"{account}/#")
    watcher.publish(own := f"{account}/{client.name()}/app/data", NOTE)
    expect("what one hears who may", own, next_of(watcher, own).topic)
    rogue = bootstrap(client, request).session
    for owner in (rogue.client_id, client.name(), "all"):
        rogue = open_at_provision_broker(client, rogue, request)
        rogue.publish(f"{account}/{owner}/{request.client_id}/data", NOTE)
    open_at_provision_broker(client, rogue, request)
    watcher.settle()
    heard = [one.topic for one in watcher.waiting if request.client_id in one.topic]
    expect("data of a gateway in provisioning that are handed on", [], heard)


def hears_data(client: RowClient, victim: str) -> None:
    """Nor does it hear data of the provisioning account, whoever publishes them."""
    account, watcher = client.under_test.provision_account, administrator(client)
    request = client.request()
    nosy, topic = bootstrap(client, request).session, f"{account}/{victim}/app/data"
    for topic_filter in ("#", f"{account}/#", topic):
        if nosy.say_subscribe(topic_filter) == "closed":
            nosy = bootstrap(client, request).session
    watcher.subscribe(topic)
    watcher.publish(topic, NOTE)
    expect("what one hears who may", topic, watcher.message("its own message").topic)
    nosy.expect_nothing("of data at the provision broker")


def open_at_provision_broker(client: RowClient, session: GatewaySession, request: RowRequest) -> GatewaySession:
    """As `still_open`, for a gateway in provisioning."""
    session.connection.ping()
    return session if session.connection.hear().line == "PINGRESP" else bootstrap(client, request).session


@ROWS.row("N01", "dollar-topics", "BIRTH is heard by who subscribes to $EDC/#, and not by who subscribes to #",
          needs=("mqtt",))  # fmt: skip
def dollar_topics(client: RowClient) -> None:
    control, plain = administrator(client), administrator(client)
    control.subscribe("$EDC/#")
    plain.subscribe("#")
    gateway = client.plain_gateway()
    data = f"{gateway.account}/{gateway.client_id}/app/data"
    gateway.birth()
    gateway.publish(data, NOTE)
    gateway.settle()
    expect("what # hears of the gateway", data, next_of(plain, gateway.client_id).topic)
    heard = next_of(control, gateway.client_id)
    expect("what $EDC/# hears of the gateway", gateway.control("MQTT/BIRTH"), heard.topic)
    expect("serial_number in it", "SN-ROW-1", heard.content.value("serial_number"))
    plain.settle()
    expect("what # hears beside", [], [one.topic for one in plain.waiting if gateway.client_id in one.topic])


@ROWS.row("N05", "reply-topics", "A gateway may write to the REPLY topics of others, and to NOTIFY topics that name "
          "itself, not to those that name another", needs=("mqtt",))  # fmt: skip
def reply_topics(client: RowClient) -> None:
    requester, gateway = client.plain_gateway(), client.plain_gateway()
    requester.subscribe(requester.control("#"))
    for rest in ("APP-V1/REPLY/1", f"APP-V1/NOTIFY/{gateway.client_id}/progress"):
        gateway.publish(requester.control(rest), NOTE)
        gateway.settle()
        expect("what the other hears", requester.control(rest), requester.message(rest).topic)
    gateway.publish(requester.control("APP-V1/NOTIFY/another/progress"), NOTE)
    still_open(client, gateway)
    requester.expect_nothing("after a notification that names another")


@ROWS.row("N06", "requester", "Somebody with the right device_management:write may ask a gateway, and hears its answer "
          "at his own topic", needs=("mqtt",))  # fmt: skip
def requester(client: RowClient) -> None:
    account, gateway = client.account(), client.plain_gateway()
    gateway.subscribe(gateway.control("#"))
    asking = client.signed_in(account, client.user(account, *MANAGES))
    asking.subscribe(asking.control("#"))
    ids: dict[str, Value] = {"request.id": "row-1", "requester.client.id": asking.client_id}
    asking.publish(gateway.control("APP-V1/GET/x"), payload(ids))
    asking.settle()
    heard = gateway.message("the request")
    expect("what the gateway hears", gateway.control("APP-V1/GET/x"), heard.topic)
    expect("request.id", "row-1", heard.content.value("request.id"))
    gateway.publish(asking.control("APP-V1/REPLY/row-1"), payload({"response.code": 200}))
    gateway.settle()
    answer = asking.message("the reply")
    expect("what the requester hears", asking.control("APP-V1/REPLY/row-1"), answer.topic)
    expect("response.code", 200, answer.content.value("response.code"))


def administrator(client: RowClient) -> GatewaySession:
    """A connection of somebody who may hear everything."""
    account = client.account()
    return client.signed_in(account, client.user(account, EVERYTHING))


def next_of(session: GatewaySession, client_id: str) -> Message:
    """The next message about this client; those about others, who use the server too, are left out."""
    while True:
        found = session.message(f"a message about {client_id}")
        if client_id in found.topic:
            return found
