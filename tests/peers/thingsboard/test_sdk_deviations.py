"""What ThingsBoard's own SDK (1.13.14) does otherwise than a device should, each with what in it causes that.

All but the last two is in `tb_device_mqtt.py`. These tests fail when a newer SDK does better: then the deviation goes
from here.
"""

from __future__ import annotations

import time

import pytest

from tests.peers.thingsboard.sdk_runs import asked, ran
from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant

pytestmark = [pytest.mark.slow]

GIVES_UP_AFTER_S = "4"
"""In place of its 60 s."""
NINE_HOURS_EAST, EIGHT_HOURS_MS = "JST-9", 8 * 3_600_000
CONNECTED = "[Provisioning client] Connected to ThingsBoard"


def test_a_part_left_out_becomes_null_and_is_sent_again_every_second(
    thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str
):
    """D04, D14: `provision` puts `username`, `password` and `clientId` into the request when one of them is given, and
    `loop_start` reconnects after a second whenever the server hangs up."""
    ended = ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name, username="only-a-user"), GIVES_UP_AFTER_S)

    assert ended.reply is None
    assert '"password":null,"clientId":null' in ended.stderr
    assert ended.stderr.count(CONNECTED) > 1
    assert tenant.device(name) is None


def test_a_refusal_and_silence_look_alike(thingsboard: ServedThingsBoard, sdk: str, name: str):
    """D11, D12: `ProvisionClient` keeps credentials only; a refused request gives None, as none that was answered."""
    ended = ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name, secret="wrong"))

    assert ended.reply is None
    assert "unsuccessful with status NOT_FOUND and message: Provision data was not found!" in ended.stderr


def test_key_and_secret_are_logged(thingsboard: ServedThingsBoard, sdk: str, name: str):
    """D31: `__on_connect` logs the whole request, `__on_message` the credentials."""
    ended = ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name))

    assert SECRET in ended.stderr
    assert ended.reply["credentialsValue"] in ended.stderr


def test_a_failure_without_a_text_kills_its_thread(documented_thingsboard: ServedThingsBoard, sdk: str, name: str):
    """D13: `__on_message` takes `errorMsg` for granted, and `status` too; the thread that reads ends with KeyError, and
    `provision` waits for the rest of its 60 s. ThingsBoard's documentation promises neither member."""
    port = documented_thingsboard.port("mqtt")
    ended = ran(sdk, "mqtt", port, asked(name), GIVES_UP_AFTER_S)

    assert ended.reply is None
    assert "KeyError: 'errorMsg'" in ended.stderr


def test_over_http_it_waits_for_ever(sdk: str):
    """D17: `TBHTTPDevice.provision` calls `requests.post` without `timeout`, which then sets none."""
    assert ran(sdk, "http-timeout").reply == {"timeout": None}


def test_silence_lasts_a_minute(documented_thingsboard: ServedThingsBoard, sdk: str, name: str):
    """D17: `ProvisionClient.provision` looks once a second whether its reply has come, for 60 s or what is put in
    place of that here; no argument of `TBDeviceMqttClient.provision` leads there."""
    ended = ran(sdk, "mqtt", documented_thingsboard.port("http"), asked(name), "2")  # where no MQTT is spoken

    assert ended.reply is None
    assert ended.returncode == 0


def test_over_tls_it_trusts_everybody(sdk: str):
    """D24: `ProvisionClient.__init__` uses TLS on port 8883 only, and with CERT_NONE: whoever answers there is
    told key and secret."""
    assert ran(sdk, "tls").reply == {"checks": False}


def test_it_installs_a_package_while_it_is_imported(sdk: str):
    """`sdk_utils` runs pip, without a version or a hash, where mmh3 is missing: so `sdk.lock` names it."""
    assert ran(sdk, "without-mmh3").reply == ["-m", "pip", "install", "mmh3", "--upgrade", "--user"]


def test_over_http_it_takes_the_local_time_for_utc(thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str):
    """`TBHTTPDevice.send_telemetry` names `datetime.now()` UTC: east of Greenwich, readings come from the future."""
    ran(sdk, "http", thingsboard.port("http"), name, KEY, SECRET, TZ=NINE_HOURS_EAST)

    reading = tenant.reading(name)
    assert reading is not None
    assert reading["ts"] > time.time() * 1_000 + EIGHT_HOURS_MS
