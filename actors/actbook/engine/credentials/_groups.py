"""The credentials a graph asks for, grouped: one choice of a user serves every node of a group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.graphs import (
    MISSING,
    BlockLookup,
    CredentialsField,
    CredentialsMetaInput,
    Graph,
    Node,
    PinSchema,
)

NodeMasks = dict[str, dict[str, Any]]
CredentialsInputs = Mapping[str, CredentialsMetaInput | Mapping[str, Any]]
"""Metadata by group key, as a caller chooses credentials for a run."""
_META = ("id", "provider", "type", "title")


class CredentialsGroup(NamedTuple):
    """`field` says what fits all `members`, which are (node id, pin); `required`: one of them can't do without."""

    field: CredentialsField
    members: frozenset[tuple[str, str]]
    required: bool


def aggregate_credentials_inputs(
    graph: Graph, *, registry: Registry | None = None, lookup: BlockLookup | None = None
) -> dict[str, CredentialsGroup]:
    """The groups by key, in graph order, sub-graphs included.

    Members of a group take the same providers and types, after their discriminator; their scopes are united. The key
    is `provider-provider_type-type_credentials`, sorted.
    """
    groups: dict[str, CredentialsGroup] = {}
    for node, field in _fields(graph, lookup_of(registry, lookup)):
        key = _key(field)
        group = groups.get(key) or CredentialsGroup(field, frozenset(), False)
        groups[key] = CredentialsGroup(
            _united(group.field, field),
            group.members | {(node.id, field.name)},
            group.required or (field.required and not node.credentials_optional),
        )
    return {key: _settled(key, group) for key, group in groups.items()}


def make_node_credentials_input_map(
    graph: Graph,
    graph_credentials_inputs: CredentialsInputs,
    *,
    registry: Registry | None = None,
    lookup: BlockLookup | None = None,
) -> NodeMasks:
    """Node id → pin → metadata for every member of the groups that were supplied; anything else is ignored."""
    masks: NodeMasks = {}
    if not graph_credentials_inputs:
        return masks
    for key, group in aggregate_credentials_inputs(graph, registry=registry, lookup=lookup).items():
        supplied = graph_credentials_inputs.get(key)
        if supplied is not None:
            for node_id, pin in sorted(group.members):
                masks.setdefault(node_id, {})[pin] = metadata_of(supplied)
    return masks


def credential_inputs(chosen: CredentialsInputs | None) -> dict[str, dict[str, Any]]:
    """What was chosen, as it is recorded: metadata only. Raises ValueError for what is none."""
    given = (chosen or {}).items()
    return {key: metadata_of(supplied) for key, supplied in given if supplied is not None}


def metadata_of(supplied: CredentialsMetaInput | Mapping[str, Any]) -> dict[str, Any]:
    """As a pin holds it, and as it may be recorded: no field of it is None, and there is none but the metadata."""
    given: Any = msgspec.to_builtins(supplied) if isinstance(supplied, msgspec.Struct) else supplied
    if not isinstance(given, Mapping):
        raise ValueError(
            f"Credentials of a graph are given by their metadata (id, provider, type), not as {type(given).__name__}."
        )
    return {name: given[name] for name in _META if given.get(name) is not None}


def lookup_of(registry: Registry | None, lookup: BlockLookup | None) -> BlockLookup:
    """Where blocks are found: `lookup`, else `registry`, else the default one."""
    return lookup or (registry or default_registry()).lookup


def with_sub_graphs(graph: Graph) -> Iterator[Graph]:
    """The graph, then all below it, each once."""
    waiting, seen = [graph], set[tuple[str, int]]()
    for each in waiting:
        if (each.id, each.version) not in seen:
            seen.add((each.id, each.version))
            yield each
            waiting.extend(each.sub_graphs)


def discriminated(
    field: CredentialsField, pins: PinSchema, values: Mapping[str, Any], linked: set[str]
) -> CredentialsField:
    """The field as the value of its discriminator narrows it; as it is when that value comes with a link, or is unknown."""
    name = field.discriminator
    if name is None or name in linked:
        return field
    value = values.get(name)
    if value is None and (pin := pins.fields.get(name)) is not None:
        value = pin.fresh_default()
    if value is None or value is MISSING:
        return field
    changes: dict[str, Any] = {"discriminator_values": _joined(field.discriminator_values, (value,))}
    if provider := field.discriminator_mapping.get(str(value)):
        changes["providers"] = (provider,)
    return msgspec.structs.replace(field, **changes)


def _fields(graph: Graph, lookup: BlockLookup) -> Iterator[tuple[Node, CredentialsField]]:
    for each in with_sub_graphs(graph):
        for node in each.nodes:
            block = lookup(node.block_id)
            if block is None or not block.input_schema.credentials:
                continue
            linked = {link.sink_name for link in each.links_into(node.id)}
            for field in block.input_schema.credentials.values():
                yield node, discriminated(field, block.input_schema, node.input_default, linked)


def _key(field: CredentialsField) -> str:
    providers = {*field.providers, *_hosts(field)}
    return f"{'-'.join(sorted(providers))}_{'-'.join(sorted(set(field.types)))}_credentials"


def _hosts(field: CredentialsField) -> Iterator[str]:
    """Of a discriminator without a mapping, such as an address: credentials for one host don't serve another."""
    if field.discriminator is not None and not field.discriminator_mapping:
        for value in field.discriminator_values:
            text = str(value)
            yield urlsplit(text if "//" in text else f"//{text}").netloc


def _united(first: CredentialsField, second: CredentialsField) -> CredentialsField:
    return msgspec.structs.replace(
        first,
        scopes=_joined(first.scopes, second.scopes),
        discriminator_values=_joined(first.discriminator_values, second.discriminator_values),
    )


def _settled(key: str, group: CredentialsGroup) -> CredentialsGroup:
    field = msgspec.structs.replace(group.field, name=key, required=group.required)
    return group._replace(field=field)


def _joined(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*first, *(each for each in second if each not in first))
