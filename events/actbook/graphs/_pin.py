"""One pin of a block, read from a struct field or from a property of a JSON schema."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from ._credentials import ALL_TYPES, CredentialsField, CredentialsMetaInput


class _Missing(Enum):
    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing.MISSING
"""The default of a pin that has none."""


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """`type` is a Python annotation without its metadata; `attribute` the struct field behind the pin."""

    name: str
    type: Any = Any
    annotation: Any = Any
    required: bool = True
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    attribute: str = ""
    title: str | None = None
    description: str | None = None
    secret: bool = False
    advanced: bool = False
    depends_on: tuple[str, ...] = ()
    json_schema: Mapping[str, Any] = {}
    credentials: CredentialsField | None = None

    def fresh_default(self) -> Any:
        """A default that nothing else holds, or MISSING."""
        if self.default_factory is not None:
            return self.default_factory()
        return copy.deepcopy(self.default)


def pin_of_field(field: msgspec.structs.FieldInfo) -> Pin:
    name, annotation = field.encode_name, field.type
    hints = _declared_hints(annotation)
    factory = None if field.default_factory is msgspec.NODEFAULT else field.default_factory
    default = MISSING if field.default is msgspec.NODEFAULT else field.default
    bare = strip_metadata(annotation)
    return Pin(
        name=name,
        type=bare,
        annotation=annotation,
        required=field.required,
        default=MISSING if factory is not None else default,
        default_factory=factory,
        attribute=field.name,
        title=hints.get("title"),
        description=hints.get("description"),
        secret=bool(hints.get("secret", False)),
        advanced=bool(hints.get("advanced", False)),
        depends_on=tuple(hints.get("depends_on", ())),
        json_schema=_json_schema_of(annotation),
        credentials=_credentials_field(name, bare, hints, field.required),
    )


def strip_metadata(annotation: Any) -> Any:
    """The annotation without `Annotated` around it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def credentials_struct(annotation: Any) -> type[CredentialsMetaInput] | None:
    """The credentials type inside an annotation, optional or not."""
    bare = strip_metadata(annotation)
    members = get_args(bare) if get_origin(bare) in (Union, UnionType) else (bare,)
    for member in map(strip_metadata, members):
        if isinstance(member, type) and issubclass(member, CredentialsMetaInput):
            return member
    return None


def _json_schema_of(annotation: Any) -> dict[str, Any]:
    """Empty for types that msgspec cannot describe: such a pin is checked by its type only."""
    try:
        schema = msgspec.json.schema(annotation, schema_hook=lambda _: {})
    except (TypeError, RecursionError):
        return {}
    return _resolve_reference(schema)


def _declared_hints(annotation: Any) -> dict[str, Any]:
    """What `Meta` says around the type, or around the members of an optional one; the outermost wins."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        hints = _declared_hints(inner)
        for meta in metadata:
            if isinstance(meta, msgspec.Meta):
                hints.update(_meta_hints(meta))
        return hints
    if get_origin(annotation) not in (Union, UnionType):
        return {}
    members = [member for member in get_args(annotation) if member is not type(None)]
    return _declared_hints(members[0]) if len(members) == 1 else {}


def _meta_hints(meta: msgspec.Meta) -> dict[str, Any]:
    named = {"title": meta.title, "description": meta.description}
    return {
        **{key: text for key, text in named.items() if text is not None},
        **(meta.extra_json_schema or {}),
    }


def _resolve_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """A lone `$ref` is put in place; `$defs` stay when something inside still points to them."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    definitions: dict[str, Any] = schema.get("$defs", {})
    target = definitions.get(reference.rpartition("/")[2], {})
    inlined = {**target, **{key: value for key, value in schema.items() if key not in ("$ref", "$defs")}}
    if b"$ref" in msgspec.json.encode(inlined):
        inlined["$defs"] = definitions
    return inlined


def _credentials_field(
    name: str, bare: Any, hints: dict[str, Any], required: bool
) -> CredentialsField | None:
    struct = credentials_struct(bare)
    if struct is None:
        return None
    return CredentialsField(
        name=name,
        providers=tuple(hints.get("credentials_provider") or _literals(struct, "provider", ())),
        types=tuple(hints.get("credentials_types") or _literals(struct, "type", ALL_TYPES)),
        scopes=tuple(hints.get("credentials_scopes", ())),
        required=required,
        discriminator=hints.get("discriminator"),
        discriminator_mapping=dict(hints.get("discriminator_mapping", {})),
        discriminator_values=tuple(hints.get("discriminator_values", ())),
        title=hints.get("title"),
        description=hints.get("description"),
    )


def _literals(struct: type[CredentialsMetaInput], field: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """A subclass may narrow `provider` or `type` to a Literal instead of carrying metadata."""
    for info in msgspec.structs.fields(struct):
        if info.name == field and get_origin(info.type) is Literal:
            return tuple(str(value) for value in get_args(info.type))
    return default
