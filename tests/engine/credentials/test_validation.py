"""What is said of a node's credentials before a run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engine.credentials.kit import (
    GITHUB,
    USER,
    Asking,
    AskingBoth,
    AskingMaybe,
    CountingStore,
    FailingStore,
    api_key,
    asking,
    memory,
)
from tests.engine.kit import World, agent

from actbook.engine.credentials import (
    CredentialsStoreError,
    _validate_node_input_credentials,
    validate_graph_with_credentials,
)
from actbook.graphs import CredentialsMetaInput, Graph, OAuth2Credentials, Secret

WORLD = World(Ask=asking(input=Asking), Both=asking(input=AskingBoth), Maybe=asking(input=AskingMaybe))
REQUIRED = "These credentials are required"
MISMATCH = "Invalid credentials: type/provider mismatch"


def graph_of(constant: Any = ..., *, optional: bool = False, kind: str = "Ask") -> Graph:
    graph = WORLD.graph(f"a:{kind}", a={} if constant is ... else {"credentials": constant})
    graph.node("a").metadata["credentials_optional"] = optional
    return graph


def validated(
    graph: Graph, masks: Any = None, store: Any = None, user: str = USER
) -> tuple[dict[str, Any], set[str]]:
    found = _validate_node_input_credentials(
        graph, user, masks, store=store or memory(api_key()), registry=WORLD.registry
    )
    return asyncio.run(found)


@pytest.mark.parametrize(
    ("constant", "mask", "optional", "fault", "skipped"),
    [
        (GITHUB, ..., False, None, False),
        (..., ..., False, REQUIRED, False),
        (None, ..., False, REQUIRED, False),
        ({}, ..., False, REQUIRED, False),
        ({"id": "", "provider": "github", "type": "api_key"}, ..., False, REQUIRED, False),
        (..., GITHUB, False, None, False),
        (GITHUB, None, False, REQUIRED, False),
        (..., ..., True, None, True),
        (GITHUB, ..., True, None, True),
        (GITHUB, None, True, None, True),
        ({**GITHUB, "id": "gone"}, ..., True, None, True),
        (..., GITHUB, True, None, False),
        (..., {**GITHUB, "id": "gone"}, False, "Unknown credentials #gone", False),
        (..., {**GITHUB, "id": "gone"}, True, "Unknown credentials #gone", False),
        (..., {**GITHUB, "provider": "gitlab"}, False, MISMATCH, False),
        (..., {**GITHUB, "type": "oauth2"}, True, MISMATCH, False),
        (..., CredentialsMetaInput(id="gh", provider="github", type="api_key"), False, None, False),
    ],
)
def test_the_outcome_of_one_field(
    constant: Any, mask: Any, optional: bool, fault: str | None, skipped: bool
) -> None:
    masks = None if mask is ... else {"a": {"credentials": mask}}
    errors, skip = validated(graph_of(constant, optional=optional), masks)
    assert errors == ({} if fault is None else {"a": {"credentials": fault}})
    assert skip == ({"a"} if skipped else set())


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize(
    "value", ["gh", 5, {"id": "gh"}, {"id": 5, "provider": "x", "type": "api_key"}, {**GITHUB, "type": "no"}]
)
def test_what_is_malformed_is_a_fault_of_optional_nodes_too(value: Any, optional: bool) -> None:
    errors, skip = validated(graph_of(optional=optional), {"a": {"credentials": value}})
    assert errors["a"]["credentials"].startswith("Invalid credentials: ")
    assert errors["a"]["credentials"] != MISMATCH
    assert skip == set()


def test_credentials_of_another_user_are_unknown() -> None:
    errors, _ = validated(graph_of(GITHUB), user="eve")
    assert errors == {"a": {"credentials": "Unknown credentials #gh"}}


def test_what_the_pin_does_not_take_is_a_mismatch_though_the_store_has_it() -> None:
    token = OAuth2Credentials(id="gh", provider="github", access_token=Secret("t"))
    errors, _ = validated(graph_of({**GITHUB, "type": "oauth2"}), store=memory(token))
    assert errors == {"a": {"credentials": MISMATCH}}


def test_a_field_with_a_default_may_be_left_out_and_its_node_runs() -> None:
    assert validated(graph_of(kind="Maybe")) == ({}, set())
    errors, _ = validated(graph_of({**GITHUB, "id": "gone"}, kind="Maybe"))
    assert errors == {"a": {"credentials": "Unknown credentials #gone"}}


def test_one_missing_field_skips_an_optional_node_unless_another_is_wrong() -> None:
    graph = graph_of(kind="Both", optional=True)
    assert validated(graph, {"a": {"credentials": GITHUB}}) == ({}, {"a"})
    errors, skip = validated(graph, {"a": {"credentials": {**GITHUB, "id": "gone"}}})
    assert (errors, skip) == ({"a": {"credentials": "Unknown credentials #gone"}}, set())


def test_each_distinct_credential_is_looked_up_once_and_all_at_the_same_time() -> None:
    nodes = " ".join(f"n{number}:Both" for number in range(20))
    data: dict[str, Any] = {
        f"n{number}": {
            "credentials": {**GITHUB, "id": f"gh{number % 3}"},
            "other_credentials": {**GITHUB, "id": "gh0"},
        }
        for number in range(20)
    }
    store = CountingStore(*(api_key(name=f"gh{number}") for number in range(3)), together=3)
    assert validated(WORLD.graph(nodes, **data), store=store) == ({}, set())
    assert sorted(store.asked) == [(USER, "gh0"), (USER, "gh1"), (USER, "gh2")]


def test_nothing_is_looked_up_for_what_is_missing_or_malformed() -> None:
    store = CountingStore()
    validated(graph_of("malformed"), store=store)
    validated(graph_of(), store=store)
    assert store.asked == []


@pytest.mark.parametrize(
    "error", [None, ConnectionError("postgres://user:s3cret@host"), ValueError("s3cret"), KeyError("x")]
)
def test_a_store_that_fails_is_no_fault_of_the_graph(error: Exception | None) -> None:
    with pytest.raises(CredentialsStoreError) as failed:
        validated(graph_of(GITHUB), store=FailingStore(error=error))
    assert not isinstance(failed.value, ValueError)
    assert "s3cret" not in str(failed.value)
    assert error is None or failed.value.__cause__ is error


def test_sub_graphs_are_looked_at_with_the_masks_they_are_called_with() -> None:
    child = WORLD.graph("x:Ask y:Ask", called="child", x={"credentials": GITHUB})
    own: dict[str, Any] = {"nodes_input_masks": {"y": {"credentials": GITHUB}}}
    plain = WORLD.graph("call:Agent", sub_graphs=[child], call=agent(child))
    masked = WORLD.graph("call:Agent", sub_graphs=[child], call=agent(child, **own))
    missing = {"y": {"credentials": REQUIRED}}
    assert validated(plain) == (missing, set())
    assert validated(masked) == ({}, set())
    assert validated(plain, {"y": {"credentials": GITHUB}}) == ({}, set())
    assert validated(masked, {"y": {"credentials": None}}) == (missing, set())


def test_a_graph_that_calls_itself_is_looked_at_once() -> None:
    graph = WORLD.graph("call:Agent a:Ask", called="loop")
    graph.node("call").input_default.update(agent(graph))
    assert validated(graph) == ({"a": {"credentials": REQUIRED}}, set())


def test_faults_of_structure_and_of_credentials_come_together_and_those_of_credentials_win() -> None:
    graph = WORLD.graph("a:Ask n:Input", n={"name": "my_credentials"})
    found = validate_graph_with_credentials(graph, USER, None, store=memory(), registry=WORLD.registry)
    errors, skip = asyncio.run(found)
    assert errors["a"] == {"credentials": REQUIRED}
    assert "reserved input name" in errors["n"]["name"]
    assert skip == set()


def test_by_default_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"type": "api_key", "provider": "github", "api_key": "s3cret"}'
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_GH", text)
    found = _validate_node_input_credentials(graph_of(GITHUB), USER, registry=WORLD.registry)
    assert asyncio.run(found) == ({}, set())
