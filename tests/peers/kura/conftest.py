"""One server of the Kura namespace for all of its peers, with an account and its users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.kura.serving import ServedKura


@pytest.fixture(scope="session")
def kura(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedKura]:
    with ServedKura(tmp_path_factory.mktemp("kura")) as served:
        served.prepare()
        yield served
