"""What Hono's words in scenario files mean."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.scenario_file.word_notes import WordNotes

NOTES: Final = WordNotes(
    title="Hono",
    credentials={
        "certificate": "A certificate `CN=SERIAL,OU=devices,O=fleetrig` of the authority that the run's tenant trusts.",
        "password": "User name `SERIAL@TENANT` and a password, over HTTP and MQTT.",
        "psk": "Identity `SERIAL@TENANT` and a key, in the handshake of CoAP.",
        "wrong_password": "The same user name and another password than the server has.",
        "expired_certificate": "A certificate that is out of date.",
        "early_certificate": "A certificate that does not count yet.",
        "forged_certificate": "One of an authority with the right name and another key.",
        "strangers_certificate": "One of an authority that nobody trusts.",
    },
    attribute_modes={"none": "Devices report no attributes."},
    states={
        "registered": "An operator has made it by hand.",
        "provisioned": "It was made at its first contact.",
        "disabled": "An operator has disabled it.",
    },
    needs={
        "hono": "A Hono: every server that is named.",
        "hono.search": "Its registry can be searched, which finds devices by auth-id: since 2.",
        "hono.notifications": "It announces to applications what it provisions: since 2.",
        "hono.no_orphans": "A first contact that fails half way leaves nothing behind: profile `2`. Of a server of "
        "yours only you know: `can: [hono.no_orphans]`.",
        "hono.orphans": "A first contact that fails half way leaves a device without credentials: profiles `2-jdbc` "
        "and `2-mongodb`. Of a server of yours only you know: `can: [hono.orphans]`.",
    },
    exchanges={
        "login": "It opens a connection (CONNECT).",
        "telemetry": "It sends telemetry, over any transport.",
        "event": "It sends an event, over any transport.",
        "gateway-telemetry": "A gateway sends telemetry for a device behind it.",
        "gateway-event": "A gateway sends an event for a device behind it.",
        "subscribe": "It subscribes to commands.",
        "command-response": "It answers a command.",
        "ping": "It keeps its connection alive (PINGREQ).",
        "idle": "It is connected and has nothing to say.",
        "leave": "It ends its connection (DISCONNECT).",
        "puback": "It acknowledges what it was sent (PUBACK).",
    },
    program_exchanges={
        "unsubscribe": "It wants no more commands.",
        "hang-up": "It ends its connection without a DISCONNECT.",
        "error": "It publishes to the topic of errors.",
        "unknown": "Anything else.",
    },
    moments={
        "pause-start-spread": "It waits for its turn to start (`start_spread`).",
        "pause-backoff": "It waits after a failure.",
        "pause-lost-race": "It comes back soon, since somebody else was being made in the same moment (409).",
        "pause-telemetry-interval": "It waits for its next message.",
        "pause-nothing-to-do": "It has given up, or done all that it was to do.",
        "remember-stage": "It stores that it was accepted.",
        "remember-fault": "It stores why it was refused, or that this is over.",
        "disconnect": "Its connection is closed.",
    },
    secrets={
        "certificate": "Devices are given renewed certificates: the same subject, another key.",
        "subject": "Devices are given certificates with another OU.",
        "authority": "The tenant trusts one more authority, which signs the renewed certificates.",
        "password": "The password of each device.",
        "psk": "The key of each device.",
    },
    server_steps={
        "tenant_found": "It knows the tenant, and the tenant is enabled.",
        "certificate_validated": "The certificate is good, and its authority one that the tenant trusts.",
        "credentials_found": "It knows the credentials.",
        "credentials_created": "It has made a device and its credentials.",
        "secret_verified": "The password or key is right.",
        "notification_sent": "It has told applications that it made a device.",
        "edge_device_created": "It has made a device behind a gateway.",
        "registration_asserted": "The device is registered and enabled.",
        "message_forwarded": "The message went to the applications.",
    },
)  # fmt: skip
