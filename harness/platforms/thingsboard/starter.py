"""The scenario that `fleetrig new thingsboard/…` writes."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
scenario: A device provisions itself with the key of its make and sends telemetry with the token that it was given
tags: [new]
needs: [thingsboard]                # else it is skipped; `fleetrig explain needs`
params: {count: 3}
devices:
  count: "${count}"
  flow: thingsboard
  over: mqtt                          # or http, coap
  serial: "TB-{n:04d}"                # TB-0001, TB-0002 …
  credential: server_token
  interval: 5s                        # between two messages of telemetry
server:
  settings: {provisionType: ALLOW_CREATE_NEW_DEVICES}
phases:
  - name: provisioned
    do: power_on
    within: 30s                       # waits until all of this has come
    expect:
      - reaches: {stage: online}
      - registry: {devices: "${count}", in_state: provisioned, credentials_type: ACCESS_TOKEN}
  - name: telemetry
    for: 12s                          # watches the whole span
    expect:
      - sends: {name: telemetry, times: {at_least: 2}}
"""
