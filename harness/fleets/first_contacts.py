"""How far each device of a fleet is with its first contact: what it asks next, and which answer makes it online.

The array engine knows requests, and no names. What a device asks follows from how often it was answered so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits

if TYPE_CHECKING:
    from fleetrig.harness.fleets.watch import EndedRequests, SentRequests

ContactSteps = NDArray[np.int64]


class FirstContacts:
    """Of the devices of some cohorts, which are numbered through."""

    def __init__(self, traits: Sequence[CohortTraits], counts: Sequence[int]) -> None:
        self._traits = traits
        self._bounds = np.cumsum(counts)
        self._lengths = np.array([len(one.first_contact) for one in traits], np.int64)
        self.is_simple = not self._lengths.any()
        """All ask for the same from the beginning."""
        self._steps = np.zeros(0 if self.is_simple else sum(counts), np.uint8)
        self._is_stranded = np.zeros(self._steps.size, np.bool_)
        """Who never saw the answer to what the server does once."""
        self._once = self._table(lambda asked: asked.is_once)

    def _cohorts(self, devices: NDArray[np.int64]) -> ContactSteps:
        return np.searchsorted(self._bounds, devices, side="right")

    def go_on(self, devices: NDArray[np.int64], answered: NDArray[np.bool_]) -> ContactSteps:
        """These devices ask, each once: where each is. Who is answered is one step further then."""
        if self.is_simple:
            return np.zeros(devices.size, np.int64)
        steps = self._steps[devices].astype(np.int64)
        goes_on = answered & (steps < self._lengths[self._cohorts(devices)])
        self._steps[devices[goes_on]] += 1
        return steps

    def take_back(self, requests: SentRequests) -> None:
        """None of these, in the order of time, was sent."""
        if self.is_simple or not requests.devices.size:
            return
        devices, firsts = np.unique(requests.devices, return_index=True)
        self._steps[devices] = requests.steps[firsts]

    def strand(self, unseen: EndedRequests) -> None:
        """The server has done what these asked for, and their devices will never know."""
        if not self.is_simple:
            once = self._once[self._cohorts(unseen.devices), unseen.steps]
            self._is_stranded[unseen.devices[once]] = True

    def begin_again(self, which: slice | NDArray[np.int64]) -> None:
        """Their power, or their connection, was gone. Whom the server does not know yet begins from the beginning."""
        if self.is_simple:
            return
        devices = np.arange(self._steps.size)[which]
        cohorts = self._cohorts(devices)
        back_at = np.array([len(one.first_contact) if one.comes_back_at is None else one.comes_back_at
                            for one in self._traits])  # fmt: skip
        online_after = np.array([one.online_after for one in self._traits])
        is_known = self._steps[devices] > online_after[cohorts]
        is_known |= self._steps[devices] >= back_at[cohorts]
        self._steps[devices] = np.where(is_known, back_at[cohorts], 0)

    def make_online(self, ended: EndedRequests) -> NDArray[np.bool_]:
        """Which of these makes its device online, if it was answered."""
        if self.is_simple:
            return np.ones(ended.devices.size, np.bool_)
        online_after = np.array([one.online_after for one in self._traits], np.int64)
        is_there = ended.steps >= online_after[self._cohorts(ended.devices)]
        return np.asarray(is_there & ~self._is_stranded[ended.devices], np.bool_)

    def table(self, name: str) -> NDArray[np.bool_] | None:
        """For each cohort and step, whether what is asked has this name (a glob); None: all has."""
        if self.is_simple:
            return None
        return self._table(lambda asked: fnmatchcase(asked.name, name) and not asked.is_told)

    def _table(self, fits: Callable[[AskedFor], bool]) -> NDArray[np.bool_]:
        table = np.zeros((len(self._traits), int(self._lengths.max()) + 1), np.bool_)
        for number, one in enumerate(self._traits):
            for step, asked in enumerate(one.all_asked):
                table[number, step] = fits(asked)
        return table

    def called(self, table: NDArray[np.bool_] | None, requests: SentRequests | EndedRequests) -> NDArray[np.bool_]:
        """Which of these have the name of a table."""
        if table is None:
            return np.ones(requests.devices.size, np.bool_)
        return np.asarray(table[self._cohorts(requests.devices), requests.steps], np.bool_)
