"""An entry of `do` or `expect`: a mapping with exactly one word in it, and the words' arguments under it.

`power_on` alone is short for `power_on: {}`. The entry remembers the line it stood on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, GetJsonSchemaHandler, ModelWrapValidatorHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from fleetrig.harness.scenario_file.values import Model


class WordModel(BaseModel):
    """What every word can say of itself, besides its arguments."""

    needs_arguments: ClassVar[bool] = False
    """True for a word that cannot stand alone though each of its arguments can be left away."""

    is_about_records: ClassVar[bool] = False
    """True for a word about records on the server; devices that only their gateway speaks for have some too."""

    def globs(self) -> Iterator[str]:
        """The globs over serials that it is about; none when it is not about devices."""
        yield from ()

    def needs_device_access(self) -> str:
        """Why it is about what goes on inside a device; empty when it is not."""
        return ""


class OneWord(Model):
    """Fields are words (each a model of its arguments), but for those in `beside`."""

    beside: ClassVar[frozenset[str]] = frozenset()
    _line: int = PrivateAttr(0)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        entry = handler(_spelled_out(value, cls.beside))
        words = sorted(entry.model_fields_set - cls.beside)
        if len(words) > 1:
            raise ValueError(f"expected one word in an entry, not {' and '.join(words)}; give each an entry of its own")
        if not words:
            raise ValueError("expected a word")
        entry._line = getattr(value, "line", 0)  # noqa: SLF001 (our own, from a class method)
        return entry

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """One word in a mapping; words that need no arguments may stand alone."""
        described = handler.resolve_ref_schema(reference := handler(schema))
        mapping = {**described, "minProperties": 1, "maxProperties": 1 + len(cls.beside)}
        described.clear()
        words = sorted(cls._words_alone())
        alone = {"enum": words, "enumDescriptions": [cls._said_of(word) for word in words]}
        described["anyOf"] = [alone, mapping]
        return reference

    @classmethod
    def _models_of(cls, word: str) -> list[Any]:
        """Those that a word has, several where platforms differ."""
        return [one for one in get_args(cls.model_fields[word].annotation) if one is not type(None)]

    @classmethod
    def _said_of(cls, word: str) -> str:
        """What the word's models say of it, each in the first line of its docstring."""
        return " ".join(dict.fromkeys((model.__doc__ or "").partition("\n")[0] for model in cls._models_of(word)))

    @classmethod
    def _words_alone(cls) -> Iterator[str]:
        for word in cls.model_fields.keys() - cls.beside:
            models = cls._models_of(word)
            required = (field.is_required() for model in models for field in model.model_fields.values())
            if not any(model.needs_arguments for model in models) and not any(required):
                yield word

    @property
    def arguments(self) -> WordModel:
        """The word's arguments, a model of their own."""
        found: WordModel = getattr(self, self.word)
        return found

    @property
    def word(self) -> str:
        """The word itself: `power_on`."""
        return next(iter(self.model_fields_set - self.beside))

    @property
    def line(self) -> int:
        """Where it stands in its file; 0 when it came from no file."""
        return self._line


def as_list(value: Any) -> Any:
    """One entry stands for a list of one."""
    return [value] if isinstance(value, str | Mapping) else value


def _spelled_out(value: Any, beside: frozenset[str]) -> Any:
    if isinstance(value, str):
        return {str(value): {}}
    if isinstance(value, Mapping):
        return {key: {} if args is None and key not in beside else args for key, args in value.items()}
    return value
