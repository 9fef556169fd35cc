"""Credentials: groups, choices, and each outcome of their validation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.acceptance.blocks import (
    REGISTRY,
    ChosenBlock,
    KeyBlock,
    TypedBlock,
    WriterBlock,
    graph,
    node,
)
from tests.engine.kit import PATIENCE, USER, agent, play

from actbook.engine import Engine
from actbook.engine.credentials import (
    CredentialsStoreError,
    MemoryCredentials,
    _validate_node_input_credentials,
    aggregate_credentials_inputs,
    make_node_credentials_input_map,
    validate_graph_with_credentials,
)
from actbook.events import ExecutionStatus
from actbook.graphs import (
    AGENT_BLOCK_ID,
    ApiKeyCredentials,
    Credentials,
    CredentialsMetaInput,
    Graph,
    Secret,
)

KEY = "airtable_api_key-oauth2_credentials"
META = {"id": "mine", "provider": "airtable", "type": "api_key"}
OPTIONAL = {"credentials_optional": True}
CANARY = "canary-7f3a9"


def stored(**changes: Any) -> ApiKeyCredentials:
    return ApiKeyCredentials(**{"id": "mine", "provider": "airtable", "api_key": Secret(CANARY), **changes})


def store(*credentials: Credentials) -> MemoryCredentials:
    return MemoryCredentials((USER, each) for each in credentials or (stored(),))


def validated(a_graph: Graph, masks: Any = None, keeper: Any = None, user: str = USER) -> Any:
    return play(
        _validate_node_input_credentials(a_graph, user, masks, store=keeper or store(), registry=REGISTRY)
    )


def test_a_group_is_known_by_providers_and_types() -> None:
    groups = aggregate_credentials_inputs(graph(node("a", KeyBlock), node("b", KeyBlock)), registry=REGISTRY)
    assert list(groups) == [KEY]
    assert groups[KEY].members == {("a", "credentials"), ("b", "credentials")}
    assert groups[KEY].required


def test_scopes_of_a_group_are_united() -> None:
    groups = aggregate_credentials_inputs(
        graph(node("a", KeyBlock), node("b", WriterBlock)), registry=REGISTRY
    )
    assert set(groups[KEY].field.scopes) == {"read", "write"}


@pytest.mark.parametrize(
    ("metadata", "required"), [(({}, {}), True), ((OPTIONAL, {}), True), ((OPTIONAL, OPTIONAL), False)]
)
def test_a_group_is_required_unless_every_member_is_optional(metadata: Any, required: bool) -> None:
    two = graph(node("a", KeyBlock, metadata[0]), node("b", KeyBlock, metadata[1]))
    assert aggregate_credentials_inputs(two, registry=REGISTRY)[KEY].required is required


@pytest.mark.parametrize(("model", "provider"), [("gpt", "openai"), ("claude", "anthropic")])
def test_a_discriminator_decides_the_group(model: str, provider: str) -> None:
    groups = aggregate_credentials_inputs(graph(node("a", ChosenBlock, model=model)), registry=REGISTRY)
    assert list(groups) == [f"{provider}_api_key_credentials"]


def test_fields_of_sub_graphs_are_grouped_too() -> None:
    child = graph(node("inner", KeyBlock), called="c")
    parent = graph(node("outer", KeyBlock), node("g", AGENT_BLOCK_ID, **agent(child)), sub_graphs=[child])
    groups = aggregate_credentials_inputs(parent, registry=REGISTRY)
    assert groups[KEY].members == {("outer", "credentials"), ("inner", "credentials")}


def test_a_choice_goes_to_every_member_without_empty_fields() -> None:
    two = graph(node("a", KeyBlock), node("b", KeyBlock), node("c", TypedBlock, text="x"))
    chosen = CredentialsMetaInput(id="mine", provider="airtable", type="api_key", title=None)
    found = make_node_credentials_input_map(two, {KEY: chosen, "unknown": META}, registry=REGISTRY)
    assert found == {"a": {"credentials": META}, "b": {"credentials": META}}
    assert make_node_credentials_input_map(two, {}, registry=REGISTRY) == {}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (META, None),
        ({**META, "title": "My key"}, None),
        (None, "These credentials are required"),
        ({}, "These credentials are required"),
        ({"id": "", "provider": "airtable", "type": "api_key"}, "These credentials are required"),
        ({"provider": "airtable", "type": "api_key"}, "These credentials are required"),
        ({**META, "id": "other"}, "Unknown credentials #other"),
        ({**META, "type": "oauth2"}, "Invalid credentials: type/provider mismatch"),
        ({**META, "provider": "github"}, "Invalid credentials: type/provider mismatch"),
    ],
)
def test_outcomes_of_required_credentials(value: Any, fault: str | None) -> None:
    expected = {"n": {"credentials": fault}} if fault else {}
    assert validated(graph(node("n", KeyBlock, credentials=value))) == (expected, set())
    assert validated(graph(node("n", KeyBlock)), {"n": {"credentials": value}}) == (expected, set())


@pytest.mark.parametrize("value", [{"id": "mine"}, {**META, "type": "password"}, "mine", 5])
@pytest.mark.parametrize("metadata", [{}, OPTIONAL])
def test_malformed_credentials(value: Any, metadata: Any) -> None:
    errors, skip = validated(graph(node("n", KeyBlock, metadata)), {"n": {"credentials": value}})
    assert errors["n"]["credentials"].startswith("Invalid credentials: ")
    assert skip == set()


@pytest.mark.parametrize(
    ("constants", "masks", "errors", "skip"),
    [
        ({}, None, {}, {"n"}),
        ({"credentials": META}, None, {}, {"n"}),
        ({}, {"n": {"credentials": META}}, {}, set()),
        ({"credentials": META}, {"n": {"credentials": None}}, {}, {"n"}),
        ({}, {"n": {"credentials": {}}}, {}, {"n"}),
        (
            {},
            {"n": {"credentials": {**META, "id": "x"}}},
            {"n": {"credentials": "Unknown credentials #x"}},
            set(),
        ),
    ],
)
def test_outcomes_of_optional_nodes(constants: Any, masks: Any, errors: Any, skip: Any) -> None:
    assert validated(graph(node("n", KeyBlock, OPTIONAL, **constants)), masks) == (errors, skip)


def test_a_mask_of_none_wins_over_the_constant() -> None:
    masked = validated(graph(node("n", KeyBlock, credentials=META)), {"n": {"credentials": None}})
    assert masked[0] == {"n": {"credentials": "These credentials are required"}}


def test_another_users_credentials_are_unknown() -> None:
    errors, _ = validated(graph(node("n", KeyBlock, credentials=META)), user="eve")
    assert errors == {"n": {"credentials": "Unknown credentials #mine"}}


class Barrier(MemoryCredentials):
    """Answers nobody before as many lookups are under way as there are credentials."""

    def __init__(self, *credentials: Credentials) -> None:
        super().__init__((USER, each) for each in credentials)
        self.asked: list[str] = []
        self.barrier = asyncio.Barrier(len(credentials))

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        self.asked.append(credentials_id)
        await asyncio.wait_for(self.barrier.wait(), 5)
        return await super().get(user_id, credentials_id)


def test_each_credential_is_looked_up_once_and_all_together() -> None:
    names = ["one", "two", "three"]
    nodes = [
        node(f"{name}{copy}", KeyBlock, credentials={**META, "id": name}) for name in names for copy in (1, 2)
    ]
    keeper = Barrier(*(stored(id=name) for name in names))
    assert validated(graph(*nodes), keeper=keeper) == ({}, set())
    assert sorted(keeper.asked) == sorted(names)


def test_a_store_that_fails_is_no_validation_error() -> None:
    class Broken(MemoryCredentials):
        async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
            raise OSError("no route to host")

    with pytest.raises(CredentialsStoreError) as failed:
        validated(graph(node("n", KeyBlock, credentials=META)), keeper=Broken())
    assert not isinstance(failed.value, ValueError)


def test_credentials_errors_win_over_structural_ones() -> None:
    broken = graph(node("n", KeyBlock), node("t", TypedBlock), node("k", KeyBlock, OPTIONAL))
    errors, skip = play(validate_graph_with_credentials(broken, USER, {}, store=store(), registry=REGISTRY))
    assert errors == {
        "n": {"credentials": "These credentials are required"},
        "t": {"text": "This field is required"},
    }
    assert skip == {"k"}


def test_the_secret_reaches_run_and_nothing_else() -> None:
    async def test() -> None:
        two = graph(node("a", KeyBlock, credentials=META), node("b", KeyBlock, credentials=META))
        async with Engine.open("memory:", registry=REGISTRY, credentials=store()) as engine:
            await engine.save_graph(two, USER)
            run = await engine.add_graph_execution("g", USER)
            done = await engine.wait(run.id, PATIENCE)
            assert done.status is ExecutionStatus.COMPLETED
            assert done.stats.node_error_count == 0
            history = await engine.history(run.id)
            assert history.state().stats.node_exec_count == 2
            assert CANARY not in repr([each.payload for each in history.events])
            assert CANARY not in repr(done)

    play(test())
