"""The protobuf messages of package `kuradatatypes`, built from the field table (spec 2.3) in a pool of their own.

They are proto2: fields can be absent, an unknown number of an enumeration counts as an absent field, and required ones
make a message complete. Texts are declared as bytes: bad UTF-8 is no error of the parser's, it becomes U+FFFD.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE: Final = "kuradatatypes"
FILE: Final = "kurapayload.proto"

_FIELD: Final = descriptor_pb2.FieldDescriptorProto
REQUIRED: Final = _FIELD.LABEL_REQUIRED
OPTIONAL: Final = _FIELD.LABEL_OPTIONAL
REPEATED: Final = _FIELD.LABEL_REPEATED
VALUE_TYPES: Final = ("DOUBLE", "FLOAT", "INT64", "INT32", "BOOL", "STRING", "BYTES")
"""By number."""

METRIC_FIELDS: Final = (
    ("name", 1, REQUIRED, _FIELD.TYPE_BYTES, ""),
    ("type", 2, REQUIRED, _FIELD.TYPE_ENUM, "KuraPayload.KuraMetric.ValueType"),
    ("double_value", 3, OPTIONAL, _FIELD.TYPE_DOUBLE, ""),
    ("float_value", 4, OPTIONAL, _FIELD.TYPE_FLOAT, ""),
    ("long_value", 5, OPTIONAL, _FIELD.TYPE_INT64, ""),
    ("int_value", 6, OPTIONAL, _FIELD.TYPE_INT32, ""),
    ("bool_value", 7, OPTIONAL, _FIELD.TYPE_BOOL, ""),
    ("string_value", 8, OPTIONAL, _FIELD.TYPE_BYTES, ""),
    ("bytes_value", 9, OPTIONAL, _FIELD.TYPE_BYTES, ""),
)
POSITION_FIELDS: Final = (
    ("latitude", 1, REQUIRED, _FIELD.TYPE_DOUBLE, ""),
    ("longitude", 2, REQUIRED, _FIELD.TYPE_DOUBLE, ""),
    ("altitude", 3, OPTIONAL, _FIELD.TYPE_DOUBLE, ""),
    ("precision", 4, OPTIONAL, _FIELD.TYPE_DOUBLE, ""),
    ("heading", 5, OPTIONAL, _FIELD.TYPE_DOUBLE, ""),
    ("speed", 6, OPTIONAL, _FIELD.TYPE_DOUBLE, ""),
    ("timestamp", 7, OPTIONAL, _FIELD.TYPE_INT64, ""),
    ("satellites", 8, OPTIONAL, _FIELD.TYPE_INT32, ""),
    ("status", 9, OPTIONAL, _FIELD.TYPE_INT32, ""),
)
PAYLOAD_FIELDS: Final = (
    ("timestamp", 1, OPTIONAL, _FIELD.TYPE_INT64, ""),
    ("position", 2, OPTIONAL, _FIELD.TYPE_MESSAGE, "KuraPayload.KuraPosition"),
    ("metric", 5000, REPEATED, _FIELD.TYPE_MESSAGE, "KuraPayload.KuraMetric"),
    ("body", 5001, OPTIONAL, _FIELD.TYPE_BYTES, ""),
)
EXTENSIONS: Final = (3, 5000)
"""From, to (not included)."""


def _describe(message: Any, name: str, fields: Any) -> None:
    message.name = name
    for field_name, number, label, kind, type_name in fields:
        field = message.field.add(name=field_name, number=number, label=label, type=kind)
        if type_name:
            field.type_name = f".{PACKAGE}.{type_name}"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name=FILE, package=PACKAGE, syntax="proto2")
    payload = file.message_type.add()
    _describe(payload, "KuraPayload", PAYLOAD_FIELDS)
    payload.extension_range.add(start=EXTENSIONS[0], end=EXTENSIONS[1])
    metric = payload.nested_type.add()
    _describe(metric, "KuraMetric", METRIC_FIELDS)
    types = metric.enum_type.add(name="ValueType")
    for number, name in enumerate(VALUE_TYPES):
        types.value.add(name=name, number=number)
    _describe(payload.nested_type.add(), "KuraPosition", POSITION_FIELDS)
    return file


def _message_class() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.KuraPayload"))


PayloadMessage: Final[Any] = _message_class()
"""The class of `KuraPayload` messages."""
