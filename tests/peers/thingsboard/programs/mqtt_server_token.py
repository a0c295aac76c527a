"""The page's first program over MQTT: the server makes the access token.

python -m tests.peers.thingsboard.programs.mqtt_server_token PORT KEY SECRET NAME
"""

from __future__ import annotations

import sys

from tests.peers.thingsboard.programs.mqtt_client import new_client, provision, send_temperature


def main(port: str, key: str, secret: str, name: str) -> None:
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    reply = provision(new_client(), port, request)
    device = new_client()
    device.username_pw_set(reply["credentialsValue"])
    send_temperature(device, port)


if __name__ == "__main__":
    main(*sys.argv[1:])
