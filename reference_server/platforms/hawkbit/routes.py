"""Every path of provisioning, in one table. Deployment has its own: both make the router."""

from __future__ import annotations

from typing import Final

from reference_server.platforms.hawkbit import ddi_root
from reference_server.platforms.hawkbit.routing import Route, ddi

PROVISIONING: Final[tuple[Route, ...]] = (
    ddi("GET", "", ddi_root.poll),
)  # fmt: skip
