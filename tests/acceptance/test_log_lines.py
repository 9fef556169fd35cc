"""Log lines of an execution say which one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, World, begin, play, pure

from actbook.actors import ExecutionLog, structured_logs

NAMES = ("component", "user_id", "graph_exec_id", "graph_id", "node_exec_id", "node_id", "block_name")
logger = logging.getLogger("tests.acceptance")


def boom(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield from ()
    raise RuntimeError("boom")


@pytest.fixture
def structured() -> Iterator[None]:
    structured_logs()
    yield
    structured_logs(False)


def about(**ids: str) -> ExecutionLog:
    return ExecutionLog(logger, "Test", **ids)


ALL = {name: name.upper() for name in NAMES[1:]}


def test_without_structured_logging_they_are_a_prefix(caplog: pytest.LogCaptureFixture) -> None:
    about(**ALL).warning("%s of %d", "one", 2)
    [record] = caplog.records
    text = record.getMessage()
    assert text.endswith("] one of 2")
    assert all(value in text for value in ("Test", *ALL.values()))
    assert (record.levelname, record.name, record.funcName) == (
        "WARNING",
        "tests.acceptance",
        "test_without_structured_logging_they_are_a_prefix",
    )


def test_with_structured_logging_they_are_fields(caplog: pytest.LogCaptureFixture, structured: None) -> None:
    about(**ALL).error("plain", extra={"more": 1})
    [record] = caplog.records
    assert record.getMessage() == "plain"
    assert {name: getattr(record, name) for name in NAMES} == {"component": "Test", **ALL}
    assert vars(record)["more"] == 1


def test_what_is_not_known_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    about(user_id="ada").warning("hi")
    [record] = caplog.records
    assert record.getMessage() == "[Test|uid:ada] hi"
    assert not hasattr(record, "graph_id")


@pytest.mark.parametrize("length", [10, 999, 1_000, 1_001, 50_000])
def test_messages_are_cut(caplog: pytest.LogCaptureFixture, structured: None, length: int) -> None:
    about().warning("x" * length)
    [record] = caplog.records
    assert len(record.getMessage()) == min(length, 1_000)


def test_a_message_with_its_prefix_is_cut_too(caplog: pytest.LogCaptureFixture) -> None:
    about(**ALL).warning("%s", "x" * 5_000)
    assert len(caplog.records[0].getMessage()) == 1_000


def test_what_can_not_be_shown_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    about().warning("%d", "text")
    assert "%d" in caplog.records[0].getMessage()


def test_levels_that_are_off_cost_nothing_and_show_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Costly:
        def __str__(self) -> str:
            raise AssertionError("must not be shown")

    caplog.set_level(logging.WARNING)
    about().info("%s", Costly())
    assert caplog.records == []


def test_an_unexpected_failure_is_logged_with_everything_known(
    caplog: pytest.LogCaptureFixture, structured: None
) -> None:
    async def test() -> str:
        world = World(Boom=pure(boom))
        async with world.open() as engine:
            run = await begin(engine, world.graph("x:Input a:Boom", "x.result > a.value"), inputs={"x": 1})
            await engine.wait(run.id, PATIENCE)
            return run.id

    run_id = play(test())
    [record] = [each for each in caplog.records if each.name == "actbook.block"]
    known = {name: getattr(record, name) for name in NAMES}
    assert known == {
        "component": "Block",
        "user_id": USER,
        "graph_exec_id": run_id,
        "graph_id": "graph",
        "node_exec_id": f"{run_id}.2",
        "node_id": "a",
        "block_name": "BoomBlock",
    }
    assert record.getMessage().startswith("Block BoomBlock failed: boom\nTraceback")


def test_a_crash_of_an_execution_is_logged_with_whose_it_is(
    caplog: pytest.LogCaptureFixture, structured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> str:
        world = World(Echo=pure())
        async with world.open() as engine:

            def fail(*_: Any) -> None:
                monkeypatch.undo()
                raise RuntimeError("lightning")

            monkeypatch.setattr("actbook.actors._agenda.Agenda.schedule", fail)
            run = await begin(engine, world.graph("x:Input a:Echo", "x.result > a.value"), inputs={"x": 1})
            await engine.wait(run.id, PATIENCE)
            return run.id

    run_id = play(test())
    [record] = [each for each in caplog.records if each.name == "actbook.supervisor"]
    assert (vars(record)["graph_exec_id"], vars(record)["user_id"]) == (run_id, USER)
    assert vars(record)["graph_id"] == "graph"
    assert "crashed: lightning" in record.getMessage()
