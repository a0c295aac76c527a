"""The page's programs over CoAP: the server makes the access token, or with TOKEN the device brings it.

python -m tests.peers.thingsboard.programs.coap_tokens PORT KEY SECRET NAME [TOKEN]
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiocoap import POST, Context, Message  # type: ignore[import-untyped]


async def main(port: str, key: str, secret: str, name: str, token: str = "") -> None:
    url = f"coap://127.0.0.1:{port}/api/v1"
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    own = {"credentialsType": "ACCESS_TOKEN", "token": token} if token else {}
    context = await Context.create_client_context()
    text = await post(context, f"{url}/provision", {**request, **own})
    print(text, flush=True)
    reply = json.loads(text)
    if reply["status"] != "SUCCESS":
        raise SystemExit(reply["status"])
    await post(context, f"{url}/{reply['credentialsValue']}/telemetry", {"temperature": 21.5})
    await context.shutdown()


async def post(context: Context, url: str, body: object) -> str:
    message = Message(code=POST, uri=url, payload=json.dumps(body).encode())
    answer = await context.request(message).response
    return str(answer.payload.decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
