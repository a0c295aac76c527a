"""Devices as Locust's users. Importing Locust patches the standard library: only a process for load does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from locust import User
from locust.env import Environment

from fleetrig.simulator.drivers.load.bench import UserStarter


def no_device() -> None:
    """What a user does that Locust has started by itself, from its web UI."""


class DeviceUser(User):
    """One device that is on. Its director switches it on and off, not Locust's spawning."""

    abstract = False
    live: Callable[[], None] = staticmethod(no_device)

    def start(self, group: Any) -> Any:
        """In a greenlet of Locust's group, so that it is counted."""
        self._group = group
        self._greenlet = group.spawn(perform, self)
        return self._greenlet


def perform(user: DeviceUser) -> None:
    """The user is the first argument: by that Locust knows whose greenlet it is."""
    user.live()


def starter(environment: Environment) -> UserStarter:
    """Starts a user for a device."""

    runner = environment.runner
    assert runner is not None

    def start(live: Callable[[], None]) -> Any:
        user = DeviceUser(environment)
        user.live = live
        return user.start(runner.user_greenlets)

    return start
