"""The scenario that `fleetrig new hawkbit/…` writes."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
scenario: A preregistered device polls with its own token and is known to the server
# cites: [hawkbit#S40]                # rows of the contract that it is about
tags: [new]
needs: [hawkbit.admin, hawkbit.fast_polling]  # else it is skipped; `fleetrig explain fast_polling`
params: {count: 3}
devices:
  count: "${count}"
  flow: hawkbit
  serial: "HB-{n:04d}"                # HB-0001, HB-0002 …
  credential: target_token
server:
  settings: {authentication.targettoken.enabled: true, pollingTime: "00:00:05"}
phases:
  - name: first contact
    do: [preregister, power_on]
    within: 30s                       # waits until all of this has come
    expect:
      - reaches: {stage: online}
      - registry: {devices: "${count}", in_state: registered}
  - name: steady polling
    for: 12s                          # watches the whole span
    expect:
      - gap: {between: poll, at_least: 5s, at_most: 7s}
"""
