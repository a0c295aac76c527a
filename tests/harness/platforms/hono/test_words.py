"""Words and settings of Hono: what each says it does, and mistakes with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hono.settings import chosen
from fleetrig.harness.platforms.hono.vocabulary import VOCABULARY
from tests.harness.command import fleetrig
from tests.harness.runs import write_scenario

HEAD = """
    scenario: It works
    devices: {flow: hono, over: http, count: 2, serial: "HN-{n}", MORE}
    server: {settings: {SETTINGS}}
"""
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
    more: str = "credential: certificate",
    settings: str = "",
    do: str = "power_on",
    expect: str = "{reaches: {stage: online}}",
) -> tuple[int, str]:
    """Exit code and words of `fleetrig check` about such a file."""
    body, head = BODY.replace("DO", do).replace("EXPECT", expect), HEAD.replace("MORE", more)
    write_scenario(folder, body, "hono/x", head.replace("SETTINGS", settings))
    done = fleetrig("check", cwd=folder)
    return done.returncode, " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("given", "line", "sentence"),
    [
        ({"do": "{disable: {what: tennant}}"}, 7, "expected tenant, device or credentials"),
        ({"do": "{disable: {what: tenant, only: HN-1}}"}, 7, "a tenant is switched for all of its devices"),
        ({"do": "{rotate: {what: certificate, tell_device: false}}"}, 7, "certificates are in devices only"),
        ({"do": "{configure: {}}"}, 7, "expected at least one entry"),
        ({"do": "{configure: {auto-provisioning: true}}"}, 7, "did you mean 'auto-provisioning-enabled'"),
        ({"do": "rotate"}, 7, "what is missing"),
        ({"do": "retire_authoritys"}, 7, "did you mean 'retire_authorities'"),
        ({"do": "{rotate: {what: subject}}", "more": "credential: password"}, 1, "these devices show none"),
        ({"settings": "auth-id-template: constant"}, 3, "{{subject-cn}}"),
        ({"settings": 'auth-id-template: "{{subject-cn}}{{foo}}"'}, 3, "and nothing else in double braces"),
        ({"settings": "adapters: [hono-amqp]"}, 3, "expected hono-http, hono-mqtt or hono-coap"),
        ({"settings": "adapters: []"}, 3, "adapters"),
        ({"settings": "max-devices: -2"}, 3, "max-devices"),
        ({"settings": "trusted-ca: everybody"}, 3, "expected run or none"),
        ({"expect": "{registry: {in_state: online}}"}, 9, "expected registered, provisioned or disabled"),
        ({"expect": "{steps: {in_order: [tenant_fond]}}"}, 9, "tenant_found"),
        ({"more": "credential: psk"}, 2, "psk lets nobody in over http"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, given: dict[str, Any], line: int, sentence: str) -> None:
    code, words = said(tmp_path, **given)
    assert code == 4
    assert f"x.yaml:{line}:" in words
    assert sentence in words


@pytest.mark.parametrize("more", ["credential: certificate, children: 2", "credential: password, children: 2"])
def test_gateways_hold_certificates_too(tmp_path: Path, more: str) -> None:
    assert said(tmp_path, more=more) == (0, "")


def test_of_each_word_a_sentence() -> None:
    needed = {"rotate": {"what": "subject"}, "configure": {"max-devices": 1}, "command": {"name": "blink"}}
    for name, word in VOCABULARY.words.items():
        sentence = word.model_validate(needed.get(name, {})).describe()
        assert sentence[0].islower(), sentence


def test_where_devices_show_certificates_the_tenant_provisions_them() -> None:
    assert chosen({}, "forged_certificate") == {"trusted-ca": "run", "auto-provisioning-enabled": True}
    assert chosen({}, "psk") == {"trusted-ca": "none"}
    assert chosen({"auto-provisioning-enabled": False}, "certificate")["auto-provisioning-enabled"] is False
