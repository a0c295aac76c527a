"""hawkBit's contract, row by row (spec/hawkbit.md §6), one file per resource."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance import (
    artifacts,
    assignment,
    attributes,
    cancel,
    certificate_headers,
    configuration,
    confirmation,
    deployment,
    device_auth,
    feedback,
    formats,
    limits,
    lists,
    mgmt_auth,
    odd_requests,
    paths,
    poll,
    polling_time,
    registration,
    rollout_rules,
    rollouts,
    target,
    target_details,
    targets,
    windows,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

RESOURCES: Final[tuple[Resource[RowClient], ...]] = (
    targets.ROWS,
    target.ROWS,
    target_details.ROWS,
    lists.ROWS,
    mgmt_auth.ROWS,
    configuration.ROWS,
    device_auth.ROWS,
    certificate_headers.ROWS,
    registration.ROWS,
    limits.ROWS,
    poll.ROWS,
    polling_time.ROWS,
    attributes.ROWS,
    formats.ROWS,
    paths.ROWS,
    odd_requests.ROWS,
    assignment.ROWS,
    deployment.ROWS,
    feedback.ROWS,
    cancel.ROWS,
    windows.ROWS,
    artifacts.ROWS,
    confirmation.ROWS,
    rollouts.ROWS,
    rollout_rules.ROWS,
)
