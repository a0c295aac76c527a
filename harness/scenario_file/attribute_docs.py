"""What stands under the attributes of a model, as sentences for an editor: read when a schema is made, and only then.

pydantic can collect them while a class is made, which would cost every command a quarter of its models' time.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class DescribedSchema(GenerateJsonSchema):
    """A schema whose properties are described by what stands under the attributes."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        model: type[BaseModel] = schema["cls"]
        made = super().model_schema(schema)
        for name, text in attribute_docs(model).items():
            field = model.model_fields[name]
            part = made.get("properties", {}).get(field.alias or name)
            if part is not None and field.description is None:
                part["description"] = text
        return made

    def enum_schema(self, schema: Any) -> JsonSchemaValue:
        """With a sentence for each member, which editors show beside it."""
        made = super().enum_schema(schema)
        docs = value_docs(schema["cls"])
        made.pop("description", None)  # of the class, for those who read its source
        return {**made, "enumDescriptions": [docs.get(value, "") for value in made["enum"]]} if docs else made


def attribute_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Field -> what stands under it, in its own class or in the nearest one that it comes from."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        found |= _docs_of_module(one.__module__).get(one.__qualname__, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


def value_docs(kind: type[StrEnum]) -> Mapping[str, str]:
    """Value -> what stands under it in its enumeration, on one line."""
    found = _docs_of_module(kind.__module__).get(kind.__qualname__, {})
    return {str(kind[name]): " ".join(text.split()) for name, text in found.items()}


@cache
def _docs_of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """Class -> attribute, or member of an enumeration -> text; nothing for what has no source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError, KeyError):
        return {}
    return {node.name: dict(_docs_of_class(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _docs_of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for before, after in pairwise(node.body):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
