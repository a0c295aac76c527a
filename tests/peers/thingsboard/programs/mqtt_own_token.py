"""The page's second program over MQTT: the device brings its access token.

python -m tests.peers.thingsboard.programs.mqtt_own_token PORT KEY SECRET NAME
"""

from __future__ import annotations

import secrets
import sys

from tests.peers.thingsboard.programs.mqtt_client import new_client, provision, send_temperature


def main(port: str, key: str, secret: str, name: str) -> None:
    token = secrets.token_hex(10)
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    reply = provision(new_client(), port, {**request, "credentialsType": "ACCESS_TOKEN", "token": token})
    assert reply["credentialsValue"] == token
    device = new_client()
    device.username_pw_set(token)
    send_temperature(device, port)


if __name__ == "__main__":
    main(*sys.argv[1:])
