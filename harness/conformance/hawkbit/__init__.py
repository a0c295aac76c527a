"""hawkBit's contract, row by row (spec/hawkbit.md §6), one file per resource."""

from __future__ import annotations

from typing import Final

from harness.conformance.frame import Resource
from harness.conformance.hawkbit import (
    artifacts,
    assignment,
    cancel,
    confirmation,
    deployment,
    device_auth,
    feedback,
    targets,
    windows,
)
from harness.conformance.hawkbit.session import Session

RESOURCES: Final[tuple[Resource[Session], ...]] = (
    targets.ROWS,
    device_auth.ROWS,
    assignment.ROWS,
    deployment.ROWS,
    feedback.ROWS,
    cancel.ROWS,
    windows.ROWS,
    artifacts.ROWS,
    confirmation.ROWS,
)
