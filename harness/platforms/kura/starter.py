"""The scenario that `fleetrig new kura/…` writes."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
scenario: A gateway whose provision request waits for it provisions itself, and is connected to its account
tags: [new]
needs: [kura.provisioning]          # else it is skipped; `fleetrig explain kura.provisioning`
params: {count: 3}
devices:
  count: "${count}"
  flow: kura
  over: mqtt
  serial: "KU-{n:04d}"                # KU-0001, KU-0002 …
  credential: bootstrap               # user, password and activation key of the request
  interval: 5s                        # between two messages of telemetry
  provisioning: {retry_interval: 5s, retry_max_attempts: 3, timeout: 10s}
server:
  settings:
    provision_request: {activation_key: true, expires_in: 1h}
phases:
  - name: provisioned
    do: power_on
    within: 30s                       # waits until all of this has come
    expect:
      - reaches: {stage: online}
      - registry: {devices: "${count}", in_state: provisioned, connection: CONNECTED, job: COMPLETED}
  - name: telemetry
    for: 12s                          # watches the whole span
    expect:
      - sends: {name: telemetry, times: {at_least: 2}}
"""
