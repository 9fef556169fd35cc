"""Which credentials a graph asks for, grouped, and how a choice reaches the nodes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.credentials.kit import GITHUB, Asking, AskingMaybe, asking
from tests.engine.kit import World, agent

from actbook.engine.credentials import (
    CredentialsGroup,
    aggregate_credentials_inputs,
    make_node_credentials_input_map,
)
from actbook.graphs import CredentialsMetaInput, Graph, Node, credentials_meta


class Airtable(msgspec.Struct):
    credentials: Annotated[
        CredentialsMetaInput, credentials_meta("airtable", types=["oauth2", "api_key"], scopes=["read"])
    ]


class AirtableWriting(msgspec.Struct):
    air_credentials: Annotated[
        CredentialsMetaInput,
        credentials_meta("airtable", types=["api_key", "oauth2"], scopes=["write", "read"]),
    ]


class Model(msgspec.Struct, kw_only=True):
    credentials: Annotated[
        CredentialsMetaInput,
        credentials_meta(
            "openai",
            "anthropic",
            types=["api_key"],
            discriminator="model",
            discriminator_mapping={"gpt": "openai", "claude": "anthropic"},
        ),
    ]
    model: str = "gpt"


class Web(msgspec.Struct, kw_only=True):
    url: str
    credentials: Annotated[
        CredentialsMetaInput | None, credentials_meta("http", types=["host_scoped"], discriminator="url")
    ] = None


WORLD = World(
    Ask=asking(input=Asking),
    Maybe=asking(input=AskingMaybe),
    Air=asking(input=Airtable),
    AirWrite=asking(input=AirtableWriting),
    Model=asking(input=Model),
    Web=asking(input=Web),
)


def groups(graph: Graph) -> dict[str, CredentialsGroup]:
    return aggregate_credentials_inputs(graph, registry=WORLD.registry)


def optional(graph: Graph, *names: str) -> Graph:
    for node in graph.nodes:
        if node.id in names:
            node.metadata["credentials_optional"] = True
    return graph


def test_the_key_is_sorted_providers_then_sorted_types() -> None:
    assert list(groups(WORLD.graph("a:Air"))) == ["airtable_api_key-oauth2_credentials"]
    assert list(groups(WORLD.graph("a:Ask"))) == ["github_api_key_credentials"]


def test_fields_of_the_same_providers_and_types_are_one_group_with_their_scopes_united() -> None:
    [(key, group)] = groups(WORLD.graph("a:Air b:AirWrite c:Air")).items()
    assert group.members == {("a", "credentials"), ("b", "air_credentials"), ("c", "credentials")}
    assert group.field.scopes == ("read", "write")
    assert group.field.name == key
    assert set(group.field.types) == {"api_key", "oauth2"}
    field, members, required = group
    assert (field, members, required) == (group.field, group.members, True)


def test_a_discriminator_picks_the_provider() -> None:
    graph = WORLD.graph("a:Model b:Model c:Model", a={"model": "gpt"}, b={"model": "claude"})
    found = groups(graph)
    assert {key: sorted(group.members) for key, group in found.items()} == {
        "openai_api_key_credentials": [("a", "credentials"), ("c", "credentials")],
        "anthropic_api_key_credentials": [("b", "credentials")],
    }
    assert found["anthropic_api_key_credentials"].field.providers == ("anthropic",)
    assert found["anthropic_api_key_credentials"].field.discriminator_values == ("claude",)


def test_an_unknown_or_linked_discriminator_leaves_all_providers() -> None:
    graph = WORLD.graph("in:Input a:Model b:Model", "in.result > a.model", b={"model": "else"})
    assert list(groups(graph)) == ["anthropic-openai_api_key_credentials"]


def test_an_address_makes_a_group_of_its_host() -> None:
    graph = WORLD.graph(
        "a:Web b:Web c:Web",
        a={"url": "https://one.example/x"},
        b={"url": "https://two.example/"},
        c={"url": "http://one.example"},
    )
    found = {key: sorted(node for node, _ in group.members) for key, group in groups(graph).items()}
    assert found == {
        "http-one.example_host_scoped_credentials": ["a", "c"],
        "http-two.example_host_scoped_credentials": ["b"],
    }


@pytest.mark.parametrize(
    ("nodes", "names", "required"),
    [
        ("a:Ask b:Ask", (), True),
        ("a:Ask b:Ask", ("a",), True),
        ("a:Ask b:Ask", ("a", "b"), False),
    ],
)
def test_a_group_is_required_unless_every_node_is_optional(
    nodes: str, names: tuple[str, ...], required: bool
) -> None:
    [group] = groups(optional(WORLD.graph(nodes), *names)).values()
    assert (group.required, group.field.required) == (required, required)


def test_a_default_in_the_schema_makes_it_optional() -> None:
    [group] = groups(WORLD.graph("a:Maybe")).values()
    assert not group.required


def test_sub_graphs_belong_to_it_and_nothing_else_does() -> None:
    leaf = WORLD.graph("x:Ask", called="leaf")
    child = WORLD.graph("c:Agent in:Input", called="child", sub_graphs=[leaf], c=agent(leaf))
    graph = WORLD.graph("a:Ask call:Agent out:Output", sub_graphs=[child, leaf], call=agent(child))
    graph.nodes.append(Node(id="gone", block_id="00000000-0000-0000-0000-000000000000"))
    [group] = groups(graph).values()
    assert group.members == {("a", "credentials"), ("x", "credentials")}
    assert groups(WORLD.graph("in:Input")) == {}


def test_supplied_metadata_reaches_every_member_without_what_is_none() -> None:
    graph = WORLD.graph("a:Air b:AirWrite c:Ask")
    chosen = CredentialsMetaInput(id="1", provider="airtable", type="oauth2")
    masks = make_node_credentials_input_map(
        graph, {"airtable_api_key-oauth2_credentials": chosen}, registry=WORLD.registry
    )
    metadata = {"id": "1", "provider": "airtable", "type": "oauth2"}
    assert masks == {"a": {"credentials": metadata}, "b": {"air_credentials": metadata}}
    assert masks["a"]["credentials"] is not masks["b"]["air_credentials"]


def test_unknown_keys_and_groups_that_were_not_supplied_are_ignored() -> None:
    graph = WORLD.graph("a:Air c:Ask")
    assert make_node_credentials_input_map(graph, {}, registry=WORLD.registry) == {}
    assert (
        make_node_credentials_input_map(graph, {"no_such_credentials": GITHUB}, registry=WORLD.registry) == {}
    )
    titled = {**GITHUB, "title": "Work", "api_key": "s3cret"}
    assert make_node_credentials_input_map(
        graph, {"github_api_key_credentials": titled}, registry=WORLD.registry
    ) == {"c": {"credentials": {**GITHUB, "title": "Work"}}}


@given(st.lists(st.sampled_from(["Ask", "Maybe", "Air", "AirWrite", "Model"]), max_size=8))
def test_every_field_is_in_exactly_one_group(kinds: list[str]) -> None:
    graph = WORLD.graph(" ".join(f"n{number}:{kind}" for number, kind in enumerate(kinds)))
    members: list[Any] = [member for group in groups(graph).values() for member in group.members]
    assert sorted(node for node, _ in members) == sorted(node.id for node in graph.nodes)
