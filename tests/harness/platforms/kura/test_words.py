"""Words and settings of Kura: what each says it does, and mistakes with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.kura.request_terms import RequestTerms
from fleetrig.harness.platforms.kura.settings import chosen
from fleetrig.harness.platforms.kura.starter import STARTER
from fleetrig.harness.platforms.kura.vocabulary import VOCABULARY
from tests.harness.command import fleetrig
from tests.harness.runs import write_scenario

HEAD = """
    scenario: It works
    devices: {flow: kura, over: mqtt, count: 2, serial: "KU-{n}", MORE}
    server: {settings: {SETTINGS}}
"""
WITHOUT_KEY = ", without an activation key, with 1 bundle; the devices are not told"
BODY = """
    phases:
      - name: begins
        do: DO
        within: 10s
        expect: [EXPECT]
"""


def said(
    folder: Path,
    *,
    more: str = "credential: bootstrap",
    settings: str = "",
    do: str = "power_on",
    expect: str = "{reaches: {stage: online}}",
) -> tuple[int, str]:
    """Exit code and words of `fleetrig check` about such a file."""
    body, head = BODY.replace("DO", do).replace("EXPECT", expect), HEAD.replace("MORE", more)
    write_scenario(folder, body, "kura/x", head.replace("SETTINGS", settings))
    done = fleetrig("check", cwd=folder)
    return done.returncode, " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("given", "line", "sentence"),
    [
        ({"do": "create_reqest"}, 7, "did you mean 'create_request'"),
        ({"do": "{create_request: {retry_max_attempts: -1}}"}, 7, "retry_max_attempts"),
        ({"do": "{create_request: {activates_in: 60s, expires_in: 60s}}"}, 7, "the request would never count"),
        ({"do": "{create_request: {bundles: 10}}"}, 7, "bundles"),
        ({"do": "{create_request: {acount: new}}"}, 7, "did you mean 'account'"),
        ({"do": "couple"}, 7, "couple"),
        ({"do": "{couple: {}}"}, 7, "expected mode, allow_user_change or both"),
        ({"do": "{couple: {mode: TIGHT}}"}, 7, "expected INHERITED, LOOSE or STRICT"),
        ({"do": "{load_certificates: {what: [key]}}"}, 7, "expected signing or authority"),
        ({"do": "{write_configuration: {component: MqttDataTransport, properties: {}}}"}, 7, "properties"),
        ({"do": "{set_clock: {behind: 1s, ahead: 1s}}"}, 7, "contradict each other"),
        ({"do": "{send_control: {signature: forged}}"}, 7, "signature"),
        ({"do": "{configure: {}}"}, 7, "expected at least one entry"),
        ({"do": "{configure: {accounts: [a]}}"}, 7, "accounts"),
        ({"do": "{disable: {what: request}}"}, 7, "expected device or user"),
        ({"settings": "accounts: []"}, 3, "accounts"),
        ({"settings": "accounts: [old, old]"}, 3, "names that differ from each other"),
        ({"settings": "accounts: [Old]"}, 3, "small letters, digits and -"),
        ({"settings": "provision_request: {activation_key: yes please}"}, 3, "activation_key"),
        ({"settings": "provision_request: nobody"}, 3, "expected none, or the terms of a request"),
        ({"settings": "deviceConnectionUserCouplingDefaultMode: INHERITED"}, 3, "expected LOOSE or STRICT"),
        ({"settings": "maxNumberChildEntitys: 3"}, 3, "did you mean 'maxNumberChildEntities'"),
        ({"expect": "{registry: {in_state: online}}"}, 9, "expected requested, registered, provisioned or disabled"),
        ({"expect": "{registry: {job: DONE}}"}, 9, "registry.job"),
        ({"expect": "{steps: {in_order: [job_begun]}}"}, 9, "job_started"),
        ({"more": "credential: token"}, 2, "expected bootstrap, password"),
        ({"more": "credential: bootstrap, clock_ahead: 1h, clock_behind: 1h"}, 2, "contradict each other"),
        ({"more": "credential: password, provisioning: {timeout: 5s}"}, 2, "say enabled: false"),
        ({"more": "credential: bootstrap, shared_user: true"}, 2, "shared_user"),
        ({"more": "provisioning: {retry_max_attempts: 0}"}, 2, "expected -1 (for ever), or a number of at least 1"),
        ({"more": "provisioning: {retry_interval: 500ms}"}, 2, "expected whole seconds, at least 1s"),
        ({"more": "data_service: {in_flight: 11}"}, 2, "in_flight"),
        ({"more": "data_service: {reconnect: full-jitter}, quirks: [no-jitter]"}, 2, "contradict each other"),
        ({"more": "quirks: [poisoned]"}, 2, "poisoned-queue"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, given: dict[str, Any], line: int, sentence: str) -> None:
    code, words = said(tmp_path, **given)
    assert code == 4
    assert f"x.yaml:{line}:" in words
    assert sentence in words


def test_of_each_word_a_sentence() -> None:
    needed: dict[str, dict[str, Any]] = {
        "configure": {"maxNumberChildEntities": 1},
        "couple": {"mode": "STRICT"},
        "write_configuration": {"component": "DataService", "properties": {"connect.retry-interval": 5}},
        "rotate": {"what": "password"},
    }
    for name, word in VOCABULARY.words.items():
        sentence = word.model_validate(needed.get(name, {})).describe()
        assert sentence[0].islower(), sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "create a provision request for all devices, with an activation key"),
        (
            {"account": "new", "activation_key": False, "bundles": 1, "tell_device": False},
            f"create a provision request for all devices, into the account new{WITHOUT_KEY}",
        ),
    ],
)
def test_a_request_is_described_with_its_terms(given: dict[str, Any], sentence: str) -> None:
    assert VOCABULARY.words["create_request"].model_validate(given).describe() == sentence


def test_who_provisions_himself_has_a_request_and_nobody_else() -> None:
    assert chosen({}, "no_activation_key")["provision_request"] == RequestTerms()
    assert chosen({}, "password")["provision_request"] is None
    assert chosen({"provision_request": None}, "bootstrap")["provision_request"] is None


def test_without_a_limit_any_device_may_register() -> None:
    assert chosen({}, "password")["infiniteChildEntities"] is True
    assert chosen({"maxNumberChildEntities": 3}, "password")["infiniteChildEntities"] is False


def test_what_new_writes_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "scenarios" / "kura").mkdir(parents=True)
    (tmp_path / "scenarios" / "kura" / "new.yaml").write_text(STARTER)
    assert fleetrig("check", cwd=tmp_path).returncode == 0
