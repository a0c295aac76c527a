"""What ThingsBoard's words in scenario files mean."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.scenario_file.word_notes import WordNotes

NOTES: Final = WordNotes(
    title="ThingsBoard",
    credentials={
        "server_token": "The key and secret of its device profile; the server makes a token.",
        "own_token": "Key and secret, and a token that it brings along and asks for.",
        "mqtt_basic": "Key and secret, and client id, user name and password that it asks for.",
        "certificate": "Key and secret, and a certificate that it asks for.",
        "certificate_chain": "A certificate with a chain that the device profile knows, and nothing else: it asks for "
        "nothing.",
        "expired_chain": "Such a chain that is out of date.",
        "strangers_chain": "A chain of an authority that the profile does not know.",
        "wrong_secret": "The right key and another secret.",
    },
    attribute_modes={"none": "Devices report no attributes by themselves."},
    states={
        "imported": "The record is there, and the device has not provisioned itself.",
        "provisioned": "The device has provisioned itself.",
    },
    needs={
        "thingsboard": "It answers as releases do, and not as the documentation says: all profiles of our own but "
        "`as-documented`, and servers of yours.",
        "thingsboard.certificate_chain": "Devices come with a certificate chain alone: since 3.8.",
        "thingsboard.gateway_flag": "A provision request can ask for a gateway: since 3.8.",
        "thingsboard.answers_once": "A second request of an imported device is FAILURE: since 4.2.1.1. Of a server of "
        "yours only you know: `can: [thingsboard.answers_once]`.",
        "thingsboard.answers_again": "A second request of an imported device is answered like the first: before "
        "4.2.1.1. Of a server of yours only you know: `can: [thingsboard.answers_again]`.",
        "thingsboard.no_gateway_flag": "A provision request cannot ask for a gateway: before 3.8. Of a server of yours "
        "only you know: `can: [thingsboard.no_gateway_flag]`.",
        "thingsboard.documented_answers": "It answers as the documentation says, which no release does: profile "
        "`as-documented`.",
    },
    exchanges={
        "provision-connect": "It opens a connection for its provision request (CONNECT as `provision`).",
        "provision-subscribe": "It subscribes to the answer.",
        "provision-request": "It asks to be provisioned (PUBLISH).",
        "provision": "The answer to that comes; over HTTP and CoAP the whole request.",
        "provision-leave": "It ends that connection.",
        "login": "It opens a connection with its credentials (CONNECT).",
        "telemetry": "It sends what it measures.",
        "gateway-connect": "A gateway connects a device behind it.",
        "gateway-telemetry": "A gateway sends what the devices behind it measure.",
        "ping": "It keeps its connection alive (PINGREQ).",
        "idle": "It is connected and has nothing to say.",
        "leave": "It ends its connection (DISCONNECT).",
        "puback": "It acknowledges what it was sent (PUBACK).",
    },
    program_exchanges={
        "attributes": "It sends or asks for attributes.",
        "claim": "It asks to be claimed by a customer.",
        "rpc": "It asks or answers a remote call.",
        "subscribe": "It subscribes to something else than the answer to its provision request.",
        "hang-up": "It ends its connection without a DISCONNECT.",
        "unknown": "Anything else.",
    },
    moments={
        "pause-start-spread": "It waits for its turn to start (`start_spread`).",
        "pause-backoff": "It waits after a failure.",
        "pause-telemetry-interval": "It waits for its next telemetry.",
        "pause-nothing-to-do": "It has given up, or done all that it was to do.",
        "remember-asked": "It stores what it is about to ask for.",
        "remember-asked-fault": "It stores that its request came to nothing, or begins anew.",
        "remember-asked-credentials-fault-stage": "It stores the credentials that it was given.",
        "remember-fault": "It stores why it was refused.",
        "disconnect": "Its connection is closed.",
    },
    secrets={
        "provision_secret": "The secret of the run's device profile.",
        "access_token": "The token of each device, on the server alone.",
        "certificate": "Devices are given renewed certificates of the same authority.",
    },
)  # fmt: skip
