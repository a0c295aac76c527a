"""Thousands of random steps on every store at once, against dicts that are too simple to be wrong."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from random import Random

import pytest

from fleetrig.reference_server.stores.interface import Store
from fleetrig.reference_server.stores.sqlite import SqliteStore
from tests.reference_server.stores.conftest import STORES
from tests.reference_server.stores.records import DEVICE, Device

pytestmark = pytest.mark.slow

TENANTS = ("T1", "T2", "")
NAMES = tuple(f"d{n}" for n in range(12))
GROUPS = ("north", "south", None)
STEPS = 3000

Model = dict[tuple[str, str], Device]


class HalfWay(Exception):
    pass


class Walk:
    """One random walk: the same steps on a model and on each store."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.folder = folder
        self.stores = {name: open_store(self._folder(name)) for name, open_store in STORES.items()}
        self.model: Model = {}
        self.given = 0

    def step(self) -> None:
        steps = {self.write: 20, self.transact: 6, self.look: 10, self.give: 2, self.flush: 1, self.reopen: 0.3}
        (step,) = self.random.choices(list(steps), weights=list(steps.values()))
        step()

    def write(self) -> None:
        tenant, name = self.random.choice(TENANTS), self.random.choice(NAMES)
        if self.random.random() < 0.25:
            existed = self.model.pop((tenant, name), None) is not None
            assert [store.delete(DEVICE, tenant, name) for store in self.stores.values()] == [existed] * len(STORES)
            return
        before = self.model.get((tenant, name))
        lazily = self.random.random() < 0.5
        device = self._device(name, before if lazily and self.random.random() < 0.8 else None)
        self.model[tenant, name] = device
        for store in self.stores.values():
            store.put(DEVICE, tenant, device, lazily=lazily)

    def transact(self) -> None:
        """Often fails half way; looks at its own writes on the way."""
        before = copy.copy(self.model)
        fails = self.random.random() < 0.5
        steps = [self.random.choice((self.write, self.write, self.look, self.give, self.flush)) for _ in range(5)]
        transactions = [store.transaction() for store in self.stores.values()]
        for transaction in transactions:
            transaction.__enter__()
        for step in steps:
            step()
        problem = HalfWay() if fails else None
        for transaction in transactions:
            transaction.__exit__(type(problem) if problem else None, problem, None)
        if fails:
            self.model = before

    def look(self) -> None:
        tenant, name, group = self.random.choice(TENANTS), self.random.choice(NAMES), self.random.choice(GROUPS[:2])
        everyone = [self.model[key] for key in sorted(self.model) if key[0] == tenant]
        tagged = [device for device in everyone if "x" in device.tags]
        grouped = [device for device in everyone if device.group == group]
        expected = (
            self.model.get((tenant, name)),
            everyone,
            grouped,
            len(everyone),
            len(grouped),
            tagged,
            everyone[1:4],
            grouped[::-1][:3],
            [device for device in everyone if device.controller_id > name][:2],
            sorted({key[0] for key in self.model}),
        )
        for store_name, store in self.stores.items():
            seen = (
                store.get(DEVICE, tenant, name),
                list(store.scan(DEVICE, tenant)),
                store.find(DEVICE, tenant, "group", group),
                store.count(DEVICE, tenant),
                store.count(DEVICE, tenant, "group", group),
                store.find(DEVICE, tenant, "tag", "x"),
                store.page(DEVICE, tenant, 1, 3),
                store.page(DEVICE, tenant, 0, 3, of=("group", group), descending=True),
                store.after(DEVICE, tenant, name, 2),
                store.tenants(DEVICE),
            )
            assert seen == expected, store_name

    def give(self) -> None:
        self.given += 1
        assert [store.next_id("job") for store in self.stores.values()] == [self.given] * len(STORES)

    def flush(self) -> None:
        for store in self.stores.values():
            store.flush()

    def reopen(self) -> None:
        for name, store in self.stores.items():
            if name != "memory":
                store.close()
                self.stores[name] = STORES[name](self._folder(name))

    def close(self) -> None:
        for store in self.stores.values():
            store.close()

    def _device(self, name: str, before: Device | None) -> Device:
        """One that differs from `before` in its time only, or any."""
        if before is not None:
            return Device(name, before.group, self.random.randrange(1000), before.tags, before.attributes)
        tags = tuple(self.random.choices("xyz", k=self.random.randrange(3)))
        return Device(name, self.random.choice(GROUPS), self.random.randrange(1000), tags, {"n": name})

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


@pytest.mark.parametrize("seed", range(4))
def test_every_store_agrees_with_the_model(seed: int, tmp_path: Path):
    walk = Walk(seed, tmp_path)
    try:
        for _ in range(STEPS):
            walk.step()
        walk.reopen()
        walk.look()
    finally:
        walk.close()


def test_the_file_at_any_moment_holds_what_was_committed(tmp_path: Path):
    """A copy of the files of a running store is what a kill leaves: all real puts, and of lazy ones the flushed."""
    random = Random(11)
    store = SqliteStore(tmp_path / "fleet.db")
    committed: dict[str, Device] = {}
    waiting: dict[str, Device] = {}
    for moment in range(12):
        for _ in range(20):
            _write_some(store, random, committed, waiting)
        with SqliteCopy(tmp_path, moment) as copied:
            found = {device.controller_id: device for device in copied.scan(DEVICE, "T")}
        assert found.keys() == committed.keys()
        assert all(found[name] in (committed[name], waiting.get(name)) for name in found)
        store.flush()
        committed.update(waiting)
        waiting.clear()
        with SqliteCopy(tmp_path, moment) as copied:
            assert {device.controller_id: device for device in copied.scan(DEVICE, "T")} == committed
    store.close()


def _write_some(store: Store, random: Random, committed: dict[str, Device], waiting: dict[str, Device]) -> None:
    name = random.choice(NAMES)
    device = Device(name, None, random.randrange(1000))
    lazily = random.random() < 0.5
    store.put(DEVICE, "T", device, lazily=lazily)
    if lazily and name in committed:
        waiting[name] = device
    else:
        committed[name] = device
        waiting.pop(name, None)


class SqliteCopy:
    """Opens a copy of a store in use. Copied by another process: to close the file here would drop its locks."""

    def __init__(self, folder: Path, moment: int) -> None:
        self._folder = folder / f"copy-{moment}"

    def __enter__(self) -> SqliteStore:
        self._folder.mkdir(exist_ok=True)
        source = self._folder.parent
        subprocess.run(["cp", source / "fleet.db", source / "fleet.db-wal", self._folder], check=True)
        self._store = SqliteStore(self._folder / "fleet.db")
        return self._store

    def __exit__(self, *problem: object) -> None:
        self._store.close()
