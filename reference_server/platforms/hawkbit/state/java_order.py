"""The order in which Java's hash sets and maps give what they hold.

The real server keeps the modules of a set, the types of a set type and metadata in such collections, so what it lists
of them, to operators and to devices, comes in an order that nobody chose but that never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeVar

T = TypeVar("T")

INT_MASK: Final = 0xFFFFFFFF
FEWEST_BUCKETS: Final = 16


@lru_cache(maxsize=512)
def string_hash(text: str) -> int:
    """`String.hashCode()`, unsigned."""
    units = text.encode("utf-16-be", "surrogatepass")
    result = 0
    for at in range(0, len(units), 2):
        result = (31 * result + (units[at] << 8 | units[at + 1])) & INT_MASK
    return result


def entity_hash(java_class: str, record_id: int, revision: int, tenant: str) -> int:
    """The hash of a stored entity (`AbstractJpaTenantAwareBaseEntity.java`). `revision` counts its changes from 1."""
    result = 31 + ((record_id ^ record_id >> 32) & INT_MASK)
    result = 31 * result + revision
    result = 31 * result + string_hash(java_class)
    return (31 * result + string_hash(tenant)) & INT_MASK


def type_element_hash(set_type_id: int, module_type_id: int, *, mandatory: bool) -> int:
    """The hash of what joins a set type and a module type (`DistributionSetTypeElement.java`)."""
    key = 59 * (59 + set_type_id) + module_type_id
    return (31 * (31 + key) + (1231 if mandatory else 1237)) & INT_MASK


def in_hash_order(items: Iterable[T], hash_of: Callable[[T], int], *, copied: bool = False) -> list[T]:
    """`items`, in order of insertion, as a `HashSet` or the keys of a `HashMap` give them.

    `copied`: a set that was made of another collection, as those are that come from the database, has room for all.
    """
    inserted = list(items)
    least = max(len(inserted) * 4 // 3 + 1, FEWEST_BUCKETS) if copied else FEWEST_BUCKETS
    buckets = FEWEST_BUCKETS
    while buckets < least or len(inserted) > buckets * 3 // 4:
        buckets *= 2

    def bucket(item: T) -> int:
        number = hash_of(item)
        return (number ^ number >> 16) & (buckets - 1)

    return sorted(inserted, key=bucket)
