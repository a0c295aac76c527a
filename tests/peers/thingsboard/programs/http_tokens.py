"""The page's programs over HTTP: the server makes the access token, or with TOKEN the device brings it.

python -m tests.peers.thingsboard.programs.http_tokens PORT KEY SECRET NAME [TOKEN]
"""

from __future__ import annotations

import json
import sys
import urllib.request


def main(port: str, key: str, secret: str, name: str, token: str = "") -> None:
    url = f"http://127.0.0.1:{port}/api/v1"
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    own = {"credentialsType": "ACCESS_TOKEN", "token": token} if token else {}
    text = post(f"{url}/provision", {**request, **own})
    print(text, flush=True)
    reply = json.loads(text)
    if reply["status"] != "SUCCESS":
        raise SystemExit(reply["status"])
    post(f"{url}/{reply['credentialsValue']}/telemetry", {"temperature": 21.5})


def post(url: str, body: object) -> str:
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
