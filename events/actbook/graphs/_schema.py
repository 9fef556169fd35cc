"""The pins of one side of a block, and the questions that validation asks of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import msgspec

from ._credentials import CredentialsField, is_credentials_name
from ._errors import ActbookError
from ._json_types import type_of_schema
from ._pin import MISSING, Pin, pin_of_field
from ._types import Test, is_plain, satisfaction

_ERROR_PIN = Pin(
    name="error",
    type=str,
    annotation=str,
    required=False,
    default="",
    attribute="error",
    json_schema={"type": "string", "default": ""},
)
TOOL_PREFIX = "tools_^_"


class SchemaError(ActbookError, TypeError):
    """A struct cannot serve as the pins of a block."""


class PinSchema:
    """Built from a struct (`of`) or from the JSON schema of an AGENT node (`from_json_schema`). Immutable."""

    def __init__(
        self,
        pins: Iterable[Pin],
        struct: type[msgspec.Struct] | None = None,
        required: Iterable[str] | None = None,
    ) -> None:
        self.struct = struct
        self.fields: Mapping[str, Pin] = MappingProxyType({pin.name: pin for pin in pins})
        self.names: tuple[str, ...] = tuple(self.fields)
        declared = (name for name, pin in self.fields.items() if pin.required)
        self.required: frozenset[str] = frozenset(declared if required is None else required)
        found = {name: pin.credentials for name, pin in self.fields.items() if pin.credentials is not None}
        self.credentials: Mapping[str, CredentialsField] = MappingProxyType(found)

    @classmethod
    def of(cls, struct: type[msgspec.Struct], *, with_error: bool = False) -> Self:
        """`with_error` adds the `error` text pin that every block has, unless the struct declares it."""
        pins = [pin_of_field(field) for field in msgspec.structs.fields(struct)]
        if with_error and all(pin.name != "error" for pin in pins):
            pins.append(_ERROR_PIN)
        return cls(pins, struct)

    def with_error(self) -> Self:
        """These pins and an `error` text pin, unless there is one."""
        if "error" in self.fields:
            return self
        return type(self)([*self.fields.values(), _ERROR_PIN], self.struct, self.required)

    @classmethod
    def from_json_schema(cls, schema: Any, defaults: Mapping[str, Any] | None = None) -> Self:
        """The pins are the schema's properties, under any text; `defaults` are the node's nested inputs."""
        schema = schema if isinstance(schema, Mapping) else {}
        properties = _mapping(schema.get("properties"))
        listed = schema.get("required")
        required = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        given = _mapping(defaults)
        pins = [
            _pin_of_property(name, properties.get(name), name in required, given.get(name, MISSING))
            for name in dict.fromkeys([*properties, *required])
        ]
        return cls(pins, None, required)

    def check_credentials_names(self) -> None:
        """Raises SchemaError when a pin is named like credentials but not typed so, or the reverse."""
        for name, pin in self.fields.items():
            if is_credentials_name(name) and pin.credentials is None:
                raise SchemaError(
                    f"the input pin `{name}` is named like credentials: type it CredentialsMetaInput."
                )
            if pin.credentials is not None and not is_credentials_name(name):
                raise SchemaError(
                    f"the input pin `{name}` holds credentials: name it `credentials` or `*_credentials`."
                )

    def defaults(self) -> dict[str, Any]:
        """Fresh copies: the caller may keep and change them."""
        fresh = ((name, pin.fresh_default()) for name, pin in self.fields.items())
        return {name: value for name, value in fresh if value is not MISSING}

    def missing_links(self, data: Mapping[str, Any], linked: Iterable[str]) -> set[str]:
        """Presence of the key counts, None included."""
        return {name for name in linked if name not in data}

    def missing_input(self, data: Mapping[str, Any]) -> set[str]:
        return {name for name in self.required if name not in data}

    def mismatch(self, data: Mapping[str, Any]) -> str | None:
        """Why the data does not fit the pins, or None. None-valued keys are dropped first."""
        present = self._present(data)
        if self._convertible is not None:
            return _conversion_fault(present, self._convertible, "")
        for name, value in present.items():
            if (fault := self.check(name, value)) is not None:
                return fault
        if absent := sorted(self.required - present.keys()):
            return f"Object missing required field `{absent[0]}`"
        return None

    def build(self, data: Mapping[str, Any]) -> Any:
        """The run input: a fresh struct, or a dict for an AGENT node. Raises ValueError on a mismatch."""
        present = self._present(data)
        if self.struct is None:
            return {name: value for name, value in present.items() if name in self.fields}
        if self._convertible is not None:
            return msgspec.convert(present, self._convertible)
        if (fault := self.mismatch(data)) is not None:
            raise ValueError(fault)
        pins = ((self.fields[name], value) for name, value in present.items())
        return self.struct(**{pin.attribute: _converted(pin, value) for pin, value in pins})

    def check(self, pin: str, value: Any) -> str | None:
        """Why the value cannot be that pin's, or None. Tool pins always pass."""
        found = self.fields.get(pin)
        if found is None:
            if pin.startswith(TOOL_PREFIX):
                return None
            return f"`{pin}` is not a pin of this block, use one of: {', '.join(sorted(self.names))}"
        if found.type is Any or ((sure := self._sure.get(pin)) is not None and sure(value)):
            return None
        if _conversion_fault(value, found.annotation, pin) is None:
            return None
        try:
            plain = msgspec.to_builtins(value)
        except (TypeError, ValueError, RecursionError):
            plain = value
        return _conversion_fault(plain, found.annotation, pin)

    def json_schema(self) -> dict[str, Any]:
        properties = {name: _property_of(pin) for name, pin in self.fields.items()}
        required = [name for name in self.names if name in self.required]
        return {"type": "object", "properties": properties, "required": required}

    @cached_property
    def _convertible(self) -> type[msgspec.Struct] | None:
        """The struct, unless a field's type is beyond msgspec (some unions): then pins go one by one."""
        if self.struct is None:
            return None
        try:
            msgspec.convert({}, self.struct)
        except msgspec.ValidationError:
            return self.struct
        except TypeError:
            return None
        return self.struct

    @cached_property
    def _sure(self) -> dict[str, Test]:
        """Tests that say yes without msgspec, which would copy the value to look at it."""
        plain = (pin for pin in self.fields.values() if is_plain(pin.annotation))
        return {pin.name: satisfaction(pin.type) for pin in plain}

    @cached_property
    def _strict(self) -> bool:
        return self.struct is not None and self.struct.__struct_config__.forbid_unknown_fields

    def _present(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._strict or self._convertible is None:
            return {k: v for k, v in data.items() if v is not None and k in self.fields}
        for value in data.values():
            if value is None:
                return {k: v for k, v in data.items() if v is not None}
        return data


def _converted(pin: Pin, value: Any) -> Any:
    try:
        return msgspec.convert(value, pin.annotation)
    except TypeError:
        return value


def _conversion_fault(value: Any, annotation: Any, pin: str) -> str | None:
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        return f"{error} - at `{pin}`" if pin else str(error)
    except RecursionError:
        return f"Value nested too deeply{f' - at `{pin}`' if pin else ''}"
    except TypeError:
        return None
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _pin_of_property(name: str, schema: Any, required: bool, default: Any) -> Pin:
    declared = _mapping(schema)
    annotation = type_of_schema(declared)
    return Pin(
        name=name,
        type=annotation,
        annotation=annotation,
        required=required,
        default=copy.deepcopy(default),
        attribute=name,
        title=declared.get("title"),
        description=declared.get("description"),
        secret=bool(declared.get("secret", False)),
        advanced=bool(declared.get("advanced", False)),
        json_schema=dict(declared),
    )


def _property_of(pin: Pin) -> dict[str, Any]:
    schema = dict(pin.json_schema)
    value = pin.fresh_default()
    if value is not MISSING and "default" not in schema:
        schema["default"] = msgspec.to_builtins(value)
    return schema
