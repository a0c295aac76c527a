from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.rig import Rig


@pytest.fixture
def rig() -> Rig:
    """A fresh server with default settings."""
    return Rig()
