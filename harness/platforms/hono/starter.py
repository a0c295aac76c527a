"""The scenario that `fleetrig new hono/…` writes."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
scenario: A device with a certificate of a trusted authority is made known at its first contact and sends telemetry
tags: [new]
needs: [hono]                       # else it is skipped; `fleetrig explain needs`
params: {count: 3}
devices:
  count: "${count}"
  flow: hono
  over: mqtt                          # or http, coap
  serial: "HN-{n:04d}"                # HN-0001, HN-0002 …
  credential: certificate
  interval: 5s                        # between two messages of telemetry
server:
  settings: {auto-provisioning-enabled: true}
phases:
  - name: provisioned
    do: power_on
    within: 30s                       # waits until all of this has come
    expect:
      - reaches: {stage: online}
      - registry: {devices: "${count}", in_state: provisioned, credentials_type: x509-cert}
  - name: telemetry
    for: 12s                          # watches the whole span
    expect:
      - sends: {name: telemetry, times: {at_least: 2}}
"""
