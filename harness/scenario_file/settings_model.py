"""Settings of a tenant as a platform's vocabulary knows them: each key with the form of its value.

The keys are a model's fields under their own names, dots included: a key that is not known is a mistake like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_serializer, model_validator

from fleetrig.harness.scenario_file.values import Model


class Settings(Model):
    """`class X(Settings, forms={key: form of its value}, notes={key: a sentence for editors})`."""

    _order: tuple[str, ...] = PrivateAttr(())

    def __init_subclass__(
        cls, *, forms: Mapping[str, Any] | None = None, notes: Mapping[str, str] | None = None, **rest: Any
    ) -> None:
        super().__init_subclass__(**rest)
        for key, form in (forms or {}).items():
            cls.__annotations__[key] = form
            setattr(cls, key, Field(default_factory=_nothing, description=(notes or {}).get(key)))

    @classmethod
    def __pydantic_init_subclass__(cls, **rest: Any) -> None:
        """Takes `forms` and `notes` a second time, since pydantic hands them on."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_order(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        settings = handler(value)
        if isinstance(value, Mapping):
            settings._order = tuple(value)  # noqa: SLF001 (our own, from a class method)
        return settings

    @property
    def values(self) -> dict[str, Any]:
        """What is given, in the order of the file."""
        return {key: getattr(self, key) for key in self._order}

    @model_serializer
    def _written(self) -> dict[str, Any]:
        return self.values


def _nothing() -> None:
    """A key that is not given: no default, and none that an editor shows."""
