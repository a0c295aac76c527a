"""Keeps out the fixtures of Locust's plugin."""

from __future__ import annotations

import pytest

LOCUST_FIXTURES = ("session", "fastsession")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keeps out the fixtures of Locust's plugin, which comes with us: `session` is a name for people's own fixtures.

    `-p locust` keeps them, as usual. That plugin may be loaded before ours, and pytest reads fixtures
    from every plugin that ever was; so they are taken out of the module.
    """
    if "locust" in early_config.known_args_namespace.plugins:
        return
    plugin = early_config.pluginmanager.get_plugin("locust")
    early_config.pluginmanager.set_blocked("locust")
    for name in LOCUST_FIXTURES:
        if hasattr(plugin, name):
            delattr(plugin, name)
