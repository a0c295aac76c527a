"""The page's third program over MQTT: the device brings client id, user name and password.

python -m tests.peers.thingsboard.programs.mqtt_basic PORT KEY SECRET NAME
"""

from __future__ import annotations

import secrets
import sys

from tests.peers.thingsboard.programs.mqtt_client import new_client, provision, send_temperature


def main(port: str, key: str, secret: str, name: str) -> None:
    own = {"clientId": f"client of {name}", "username": f"user of {name}", "password": secrets.token_hex(10)}
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    reply = provision(new_client(), port, {**request, "credentialsType": "MQTT_BASIC", **own})
    value = reply["credentialsValue"]
    assert value == {"clientId": own["clientId"], "userName": own["username"], "password": own["password"]}
    device = new_client(value["clientId"])
    device.username_pw_set(value["userName"], value["password"])
    send_temperature(device, port)


if __name__ == "__main__":
    main(*sys.argv[1:])
