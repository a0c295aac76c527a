"""Mistakes in what every reply says, whatever it is about (S01, S04, S10, S16, S38)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.provisioning import answers
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Status
from fleetrig.simulator.contract.mqtt import MqttPublish
from tests.harness.conformance.code_changes import being
from tests.harness.platforms.thingsboard.conformance.mutants import (
    answered,
    mqtt_sends,
    mutant,
)


def said(**texts: str) -> dict[Any, str]:
    """The fixed texts, one of them changed."""
    return {**answers.MESSAGES, **{Status(name): text for name, text in texts.items()}}


def cut_off(publish: MqttPublish) -> MqttPublish:
    return replace(publish, payload=publish.payload[:-1])


MUTANTS = (
    mutant(
        "SUCCESS has a member more",
        "S01 S16 S38",
        answered(lambda found: {**found, "deviceId": "1"} if "credentialsType" in found else found),
        spares="S10",
    ),
    mutant(
        "refusals have a member more",
        "S04 S10 S39",
        answered(lambda found: {**found, "deviceId": "1"} if "errorMsg" in found else found),
        spares="S01",
    ),
    mutant(
        "SUCCESS lacks credentialsType",
        "S01 S16 S38",
        answered(lambda found: {name: one for name, one in found.items() if name != "credentialsType"}),
        spares="S10",
    ),
    mutant(
        "SUCCESS lacks credentialsValue",
        "S01 S16 S38",
        answered(lambda found: {name: one for name, one in found.items() if name != "credentialsValue"}),
        spares="S10",
    ),
    mutant(
        "refusals lack errorMsg",
        "S04 S10 S39",
        answered(lambda found: {name: one for name, one in found.items() if name != "errorMsg"}),
        spares="S01",
    ),
    mutant(
        "replies lack status",
        "S01 S04 S10 S69",
        answered(lambda found: {name: one for name, one in found.items() if name != "status"}),
        spares="S37",
    ),
    mutant(
        "status has the documented name",
        "S01 S04 S10",
        answered(
            lambda found: {
                **{name: one for name, one in found.items() if name != "status"},
                "provisionDeviceStatus": found["status"],
            }
        ),
        spares="S37",
    ),
    mutant(
        "members come in another order",
        "S01 S16 S38",
        answered(lambda found: dict(reversed(found.items()))),
        spares="S10",
    ),
    mutant(
        "status is written small",
        "S01 S04 S10",
        answered(lambda found: {**found, "status": found["status"].lower()}),
        spares="S37",
    ),
    mutant(
        "another text of FAILURE", "S04 S47 S71", (answers, "MESSAGES", being(said(FAILURE="Failed"))), spares="S01 S10"
    ),
    mutant(
        "another text of NOT_FOUND", "S10 S15 S94", (answers, "MESSAGES", being(said(NOT_FOUND="No"))), spares="S01 S04"
    ),
    mutant("what is told over MQTT is cut off", "S01 S10", *mqtt_sends(MqttPublish, cut_off), spares="S94"),
)
