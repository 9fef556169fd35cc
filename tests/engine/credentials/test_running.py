"""Credentials in a run: checked at submission, fetched right before a body starts, seen by that body alone."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.engine.credentials.kit import (
    GITHUB,
    USER,
    AskingBoth,
    AskingMaybe,
    CountingStore,
    CpuEnvironment,
    CpuLength,
    FailingStore,
    Handover,
    SlowStore,
    api_key,
    asking,
    async_length,
    length,
    memory,
)
from tests.engine.kit import AsyncPairs, Pairs, World, agent, begin, effect, finish, play, sqlite

from actbook.actors import Capacity
from actbook.engine import GraphValidationError
from actbook.engine.credentials import CredentialsStoreError
from actbook.events import ExecutionStatus, NodeFailed
from actbook.graphs import Graph

GROUP = "github_api_key_credentials"
OUT = "a.out > out.value"


def world(run: Any = length, **attributes: Any) -> World:
    return World(Ask=asking(run, **attributes), Maybe=asking(run, AskingMaybe), Plain=effect())


def graph_of(of: World, kind: str = "Ask", constant: Any = GITHUB) -> Graph:
    return of.graph(f"a:{kind} out:Output", OUT, a={"credentials": constant} if constant else {})


def each_with_github(*names: str) -> dict[str, Any]:
    """The constants of some nodes."""
    return {name: {"credentials": GITHUB} for name in names}


def outcome(of: World, store: Any, graph: Graph | None = None, **options: Any) -> Any:
    async def test() -> Any:
        async with of.open(credentials=store) as engine:
            return await finish(engine, graph or graph_of(of), user=USER, **options)

    return play(test())


def failure(of: World, store: Any, graph: Graph | None = None, **options: Any) -> NodeFailed:
    async def test() -> NodeFailed:
        async with of.open(credentials=store) as engine:
            run = await finish(engine, graph or graph_of(of), user=USER, **options)
            history = await engine.journal.read_stream(run.id)
            [failed] = [event.payload for event in history if isinstance(event.payload, NodeFailed)]
            return failed

    found: NodeFailed = play(test())
    return found


@pytest.mark.parametrize("execution", ["inline", "async", "blocking"])
@pytest.mark.parametrize("effects", [True, False])
def test_a_body_of_every_kind_reads_the_secret(execution: str, effects: bool) -> None:
    of = world(execution=execution, effects=effects)
    run = outcome(of, memory(api_key("12345")))
    assert (run.status, run.outputs) == (ExecutionStatus.COMPLETED, {"out": [5]})


def test_an_async_generator_reads_it_after_waiting() -> None:
    assert outcome(world(async_length), memory(api_key("12345"))).outputs == {"out": [5]}
    assert outcome(world(async_length, execution="blocking"), memory(api_key("12345"))).outputs == {
        "out": [5]
    }


def test_a_worker_process_gets_it_through_its_pipe_and_not_by_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_OTHER", "{}")
    of = World(Ask=CpuLength, Look=CpuEnvironment)
    graph = of.graph(
        "a:Ask b:Ask look:Look out:Output",
        OUT,
        "b.out > out.value",
        "look.out > out.value",
        **each_with_github("a", "b", "look"),
    )
    run = outcome(of, memory(api_key("12345")), graph)
    assert sorted(map(str, run.outputs["out"])) == ["5", "5", "[]"]


def test_two_nodes_use_the_same_credential_at_the_same_time() -> None:
    inside = 0
    both = asyncio.Event()

    async def meet(input: Any, context: Any) -> AsyncPairs:
        nonlocal inside
        inside += 1
        if inside == 2:
            both.set()
        async with asyncio.timeout(5):
            await both.wait()
        yield "out", len(context.credentials["credentials"].api_key.reveal())

    of = world(meet)
    graph = of.graph("a:Ask b:Ask out:Output", OUT, "b.out > out.value", **each_with_github("a", "b"))
    assert outcome(of, memory(api_key("12345")), graph).outputs == {"out": [5, 5]}


def test_the_credentials_of_one_node_are_looked_up_together_each_once_more_per_node() -> None:
    def ids(input: Any, context: Any) -> Pairs:
        yield "out", {pin: each.id for pin, each in sorted(context.credentials.items())}

    of = World(Both=asking(ids, AskingBoth))
    names = {"credentials": GITHUB, "other_credentials": {**GITHUB, "id": "two"}}
    store = CountingStore(api_key(), api_key(name="two"), together=2)
    run = outcome(of, store, of.graph("a:Both out:Output", OUT, a=names))
    assert run.outputs == {"out": [{"credentials": "gh", "other_credentials": "two"}]}
    assert sorted(store.asked) == [(USER, "gh")] * 2 + [(USER, "two")] * 2


def test_other_nodes_see_nothing_and_cost_no_lookup() -> None:
    def seen(input: Any, context: Any) -> Pairs:
        yield "out", sorted(context.credentials)

    of = World(Ask=asking(), Plain=effect(seen))
    graph = of.graph(
        "a:Ask p:Plain out:Output", "a.out > p.value", "p.out > out.value", a={"credentials": GITHUB}
    )
    store = CountingStore(api_key())
    assert outcome(of, store, graph).outputs == {"out": [[]]}
    assert len(store.asked) == 2


def test_a_pin_that_names_nothing_has_no_entry() -> None:
    def seen(input: Any, context: Any) -> Pairs:
        yield "out", sorted(context.credentials)

    of = world(seen)
    assert outcome(of, memory(), graph_of(of, "Maybe", None)).outputs == {"out": [[]]}


def test_the_choice_of_a_user_reaches_the_nodes_and_an_explicit_mask_wins() -> None:
    def which(input: Any, context: Any) -> Pairs:
        yield "out", context.credentials["credentials"].id

    of = world(which)
    store = memory(api_key(), api_key(name="two"))
    graph = graph_of(of, constant=None)
    two = {**GITHUB, "id": "two", "api_key": "s3cret-in-the-wrong-place"}
    chosen = outcome(of, store, graph, graph_credentials_inputs={GROUP: two})
    assert chosen.outputs == {"out": ["two"]}
    assert chosen.credential_inputs == {GROUP: {**GITHUB, "id": "two"}}
    assert chosen.masks == {"a": {"credentials": {**GITHUB, "id": "two"}}}
    masks = {"a": {"credentials": GITHUB}}
    run = outcome(of, store, graph, graph_credentials_inputs={GROUP: two}, nodes_input_masks=masks)
    assert run.outputs == {"out": ["gh"]}


def test_a_submission_is_refused_with_all_faults_and_nothing_is_recorded() -> None:
    of = world()

    async def test() -> None:
        async with of.open(credentials=memory()) as engine:
            graph = of.graph("a:Ask b:Ask", a={"credentials": GITHUB})
            before = await engine.journal.last_position()
            with pytest.raises(GraphValidationError, match="2 issues on 2 nodes") as refused:
                await begin(engine, graph, user=USER)
            assert refused.value.node_errors == {
                "a": {"credentials": "Unknown credentials #gh"},
                "b": {"credentials": "These credentials are required"},
            }
            assert await engine.journal.last_position() == before + 1

    play(test())


def test_a_store_that_fails_at_submission_is_told_as_such() -> None:
    of = world()

    async def test() -> None:
        async with of.open(credentials=FailingStore()) as engine:
            with pytest.raises(CredentialsStoreError, match="sealed"):
                await begin(engine, graph_of(of), user=USER)

    play(test())


@pytest.mark.parametrize("start", ["a:Ask out:Output", "s:Plain a:Ask out:Output"])
def test_an_optional_node_without_credentials_is_skipped(start: str) -> None:
    of = world()
    graph = of.graph(start, *(["s.out > a.value"] if "s:" in start else []), OUT)
    graph.node("a").metadata["credentials_optional"] = True
    run = outcome(of, memory(), graph)
    assert (run.status, run.outputs, run.skip) == (ExecutionStatus.COMPLETED, {}, ("a",))
    assert run.waiting == {}


def test_a_graph_that_could_skip_runs_when_it_is_given_credentials() -> None:
    of = world()
    graph = graph_of(of, constant=None)
    graph.node("a").metadata["credentials_optional"] = True
    run = outcome(of, memory(api_key("12345")), graph, graph_credentials_inputs={GROUP: GITHUB})
    assert (run.outputs, run.skip) == ({"out": [5]}, ())


def test_a_choice_reaches_sub_graphs_at_any_depth() -> None:
    of = world()
    named = {"name": "y"}
    leaf = of.graph("a:Ask out:Output", OUT, called="leaf", out=named)
    link = "call.y > out.value"
    middle = of.graph(
        "call:Agent out:Output", link, called="middle", sub_graphs=[leaf], call=agent(leaf), out=named
    )
    root = of.graph(
        "call:Agent out:Output", link, called="root", sub_graphs=[middle, leaf], call=agent(middle)
    )
    store = memory(api_key("12345"))
    run = outcome(of, store, root, graph_credentials_inputs={GROUP: GITHUB})
    assert run.outputs == {"out": [5]}
    leaf.node("a").metadata["credentials_optional"] = True
    run = outcome(of, store, root)
    assert (run.status, run.outputs) == (ExecutionStatus.COMPLETED, {})


def test_credentials_that_are_gone_by_then_fail_the_node_and_say_so() -> None:
    failed = failure(world(), Handover(memory(), api_key()))
    assert failed.error == "Unknown credentials #gh"
    assert (failed.error_type, failed.expected) == ("CredentialsError", True)
    other = memory(api_key(provider="gitlab"))
    assert failure(world(), Handover(other, api_key())).error == "Invalid credentials: type/provider mismatch"


def test_a_store_that_fails_for_a_while_is_asked_again() -> None:
    store = FailingStore(api_key("12345"), failures=4)
    assert outcome(world(), Handover(store, api_key())).outputs == {"out": [5]}
    assert store.asked == 5


def test_a_store_that_goes_on_failing_fails_the_node_as_infrastructure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FailingStore(error=OSError("postgres://user:s3cret@host"))
    with caplog.at_level(logging.ERROR, "actbook"):
        failed = failure(world(), Handover(store, api_key()))
    assert failed.error == "The credentials store failed: OSError."
    assert (failed.error_type, failed.expected) == ("CredentialsStoreError", False)
    assert store.asked == 5
    assert "s3cret" not in caplog.text


def test_a_stop_while_they_are_fetched_ends_the_node_at_once_and_its_code_never_runs() -> None:
    ran: list[int] = []

    def noting(input: Any, context: Any) -> Pairs:
        ran.append(1)
        yield "out", 1

    of = world(noting)

    async def test() -> Any:
        store = SlowStore(api_key())
        async with of.open(credentials=Handover(store, api_key())) as engine:
            run = await begin(engine, graph_of(of), user=USER)
            await store.asked.wait()
            stopped = await engine.stop_graph_execution(USER, run.id, 5)
            store.released.set()
            await asyncio.sleep(0)
            bodies = engine._host.bodies
            assert bodies.slots["async"] == bodies.capacity.async_
            return stopped

    assert play(test()).status is ExecutionStatus.TERMINATED
    assert ran == []


def test_closing_while_they_are_fetched_leaves_the_node_to_the_next_owner(tmp_path: Path) -> None:
    of = world()

    async def test() -> Any:
        url = sqlite(tmp_path)
        store = SlowStore()
        async with of.open(url, credentials=Handover(store, api_key())) as engine:
            run = await begin(engine, graph_of(of), user=USER)
            await store.asked.wait()
        async with of.open(url, credentials=memory(api_key("12345"))) as engine:
            return await engine.wait(run.id, 20)

    assert play(test()).outputs == {"out": [5]}


def test_a_place_is_held_while_they_are_fetched() -> None:
    """With one place for blocking bodies the second node waits for the first one's lookup, and both run."""
    of = world(execution="blocking")
    graph = of.graph(
        "a:Ask b:Ask c:Ask out:Output",
        OUT,
        "b.out > out.value",
        "c.out > out.value",
        **each_with_github("a", "b", "c"),
    )

    async def test() -> Any:
        async with of.open(credentials=memory(api_key("12345")), capacity=Capacity(blocking=1)) as engine:
            return await finish(engine, graph, user=USER)

    assert play(test()).outputs == {"out": [5, 5, 5]}


def test_the_time_limit_of_a_block_begins_with_its_code() -> None:
    of = world(async_length, execution_timeout_seconds=0.05)
    store = FailingStore(api_key("12345"), failures=4)  # pauses longer than the limit in all
    assert outcome(of, Handover(store, api_key())).outputs == {"out": [5]}


def test_a_body_may_not_yield_credentials() -> None:
    def yielding(input: Any, context: Any) -> Pairs:
        yield "out", context.credentials["credentials"]

    failed = failure(world(yielding), memory(api_key("s3cret-key")))
    assert failed.error_type == "UnrecordableError"
    assert "s3cret-key" not in failed.error


def of_a_sub_graph(of: World) -> Graph:
    """The root asks for nothing itself; its sub-graph is not among those it brings along."""
    link = "call.y > out.value"
    return of.graph("call:Agent out:Output", link, called="root", call=agent(leaf_of(of)))


def leaf_of(of: World) -> Graph:
    return of.graph("a:Ask out:Output", OUT, called="leaf", a={"credentials": GITHUB}, out={"name": "y"})


def run_sub_graph(store: Any) -> Any:
    of = world()

    async def test() -> Any:
        async with of.open(credentials=store) as engine:
            await engine.save_graph(leaf_of(of), USER)
            run = await finish(engine, of_a_sub_graph(of), user=USER)
            history = await engine.journal.read_stream(run.id)
            return run, [event.payload.error for event in history if isinstance(event.payload, NodeFailed)]

    return play(test())


def test_a_sub_graph_begins_when_the_store_works_again() -> None:
    run, errors = run_sub_graph(FailingStore(api_key("12345"), failures=3))
    assert (run.outputs, errors) == ({"out": [5]}, [])


def test_a_sub_graph_that_can_never_begin_fails_its_node() -> None:
    store = FailingStore(api_key("12345"))
    _, errors = run_sub_graph(store)
    assert (errors, store.asked) == (["The vault is sealed."], 5)


def test_a_sub_graph_without_its_credentials_fails_its_node() -> None:
    _, errors = run_sub_graph(memory())
    assert errors == ["Graph validation failed: 1 issues on 1 nodes"]
