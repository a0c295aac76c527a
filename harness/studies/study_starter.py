"""The study that `fleetrig new NAME.study.yaml` writes."""

from __future__ import annotations

from typing import Final

STUDY_STARTER: Final = """\
study: With which policy, and how much capacity, is the fleet back in time?
scenario: outage/recovery  # an ID of `fleetrig list`, or a file beside this one
params:  # of that scenario, the same in every run
  devices: 100000
sweep:  # every combination is a run
  policy:  # a name of yours, with names that each set several params
    fixed 30 s: {backoff: {policy: fixed, base: 30s}}
    full jitter to 10 min: {backoff: {policy: full_jitter, base: 5s, cap: 10m}}
  jitter: [0, 0.1, 0.5]  # a param with its values
  capacity: [1.2x, 1.5x, 2x]  # for a rate: times the steady rate of the fleet
seeds: 1  # more of them give means, with their 95 % intervals
limit:  # what must hold once the last fault is over
  rejected: 1%
  quiet_within: 10m
  back_within: 15m
"""
