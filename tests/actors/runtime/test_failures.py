"""A failure is the failure of one actor."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from tests.actors.runtime.probes import Failing, Manual, Node, Recorder

from actbook.actors._runtime import (
    ActorRef,
    ActorStoppedError,
    ActorSystem,
    ChildFailed,
    LoopDispatcher,
    PoolDispatcher,
)

OnLoop = Callable[[Callable[[ActorSystem], Any]], Any]

OWN_FAILURES = [ValueError("v"), asyncio.CancelledError(), SystemExit(3), GeneratorExit()]


@pytest.mark.parametrize("error", OWN_FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("suspended", [False, True])
def test_a_failure_of_a_handler_ends_its_actor_only(
    error: BaseException, suspended: bool, manual: Manual
) -> None:
    parents: list[Any] = []
    parent = manual.system.spawn(Recorder, parents)
    bystander = manual.system.spawn(Recorder, [])
    log: list[Any] = []
    child = manual.system.spawn(Node, log, parent=parent)

    def fail(_node: Node) -> None:
        raise error

    async def fail_later(_node: Node) -> None:
        await asyncio.sleep(1)
        raise error

    child.tell(fail_later if suspended else fail)
    manual.dispatcher.advance(2)
    assert log == [("on_failure", error)]
    assert parents == [ChildFailed(child, error)]
    assert not child.is_alive()
    assert bystander.ask("alive") == "alive"


@pytest.mark.parametrize("error", OWN_FAILURES[1:], ids=lambda error: type(error).__name__)
def test_an_ask_that_ends_its_actor_is_answered_without_the_raw_error(
    error: BaseException, manual: Manual
) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Failing, log)
    with pytest.raises(ActorStoppedError) as raised:
        ref.ask(error)
    assert raised.value.__cause__ is error
    assert log == [("on_failure", error)]


def test_system_exit_in_a_coroutine_handler_does_not_end_the_loop(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        ref, other = system.spawn(Node, []), system.spawn(Recorder, [])

        async def leave(_node: Node) -> None:
            raise SystemExit(1)

        with pytest.raises(ActorStoppedError):
            await ref.ask_async(leave)
        assert await other.ask_async("alive") == "alive"

    on_loop(test)


def test_a_bare_base_exception_stops_one_actor(manual: Manual) -> None:
    log: list[Any] = []
    ref, other = manual.system.spawn(Failing, log), manual.system.spawn(Recorder, [])
    ref.tell(BaseException())
    manual.dispatcher.run_until_idle()
    assert log == ["on_stop"]
    assert other.ask("alive") == "alive"
    assert other in pykka.ActorRegistry.get_all()


def test_an_ask_failure_goes_to_the_caller_only(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Failing, log)
    with pytest.raises(ValueError):
        ref.ask(ValueError())
    assert ref.is_alive()
    assert log == []


def test_an_ask_failure_counts_as_a_crash_where_the_class_says_so(manual: Manual) -> None:
    class Strict(Failing):
        ask_failure_stops = True

    log: list[Any] = []
    above: list[Any] = []
    parent = manual.system.spawn(Recorder, above)
    ref = manual.system.spawn(Strict, log, parent=parent)
    error = ValueError()
    with pytest.raises(ValueError):
        ref.ask(error)
    manual.dispatcher.run_until_idle()
    assert log == [("on_failure", error)]
    assert above == [ChildFailed(ref, error)]


@pytest.mark.parametrize("hook", ["on_start", "on_system", "on_turn_end"])
def test_a_failing_hook_ends_the_actor(hook: str, manual: Manual) -> None:
    def fail(self: Any, *args: Any) -> None:
        raise ValueError(hook)

    broken = type("Broken", (Recorder,), {hook: fail})
    log: list[Any] = []
    ref: ActorRef[Any] = manual.system.spawn(broken, log)
    ref.tell_system("go")
    manual.dispatcher.run_until_idle()
    assert not ref.is_alive()
    assert [type(what[1]) for what in log if isinstance(what, tuple)] == [ValueError]


@pytest.mark.parametrize("hook", ["on_stop", "on_failure"])
def test_a_failing_last_hook_does_not_keep_the_actor(hook: str, manual: Manual) -> None:
    def fail(self: Any, *args: Any) -> None:
        raise ValueError(hook)

    ref: ActorRef[Any] = manual.system.spawn(type("Broken", (Failing,), {hook: fail}), [])
    ref.tell(ValueError("first"))
    ref.stop()
    assert manual.system.actor_count == 0


def test_a_coroutine_on_system_is_refused(manual: Manual) -> None:
    class Wrong(Recorder):
        async def on_system(self, message: Any) -> None:  # type: ignore[override]
            self.note(message)

    log: list[Any] = []
    ref = manual.system.spawn(Wrong, log)
    ref.tell_system("x")
    manual.dispatcher.run_until_idle()
    assert [type(what[1]) for what in log] == [TypeError]


def test_a_keyboard_interrupt_reaches_the_host_of_the_loop_and_the_rest_goes_on() -> None:
    loop = asyncio.new_event_loop()
    system = ActorSystem(LoopDispatcher(loop))
    log: list[Any] = []
    ref, other = system.spawn(Failing, log), system.spawn(Recorder, [])
    ref.tell(KeyboardInterrupt())
    answer = other.ask("alive", block=False)
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(60))
    assert loop.run_until_complete(_await(answer)) == "alive"
    assert log == ["on_stop"]
    loop.run_until_complete(_await(system.shutdown()))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_a_keyboard_interrupt_in_a_coroutine_handler_reaches_the_host(manual: Manual) -> None:
    async def interrupt(_node: Node) -> None:
        await asyncio.sleep(1)
        raise KeyboardInterrupt

    ref = manual.system.spawn(Node, [])
    ref.tell(interrupt)
    with pytest.raises(KeyboardInterrupt):
        manual.dispatcher.advance(2)
    manual.dispatcher.run_until_idle()
    assert not ref.is_alive()


@pytest.mark.parametrize("on_pool", [False, True])
def test_a_keyboard_interrupt_on_another_thread_reaches_the_main_thread(
    on_pool: bool, threaded: ActorSystem, pool: PoolDispatcher
) -> None:
    arrived = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: arrived.set())
    try:
        ref = threaded.spawn(Failing, [], dispatcher=pool if on_pool else None)
        ref.tell(KeyboardInterrupt())
        # Python can miss a signal that comes just as a wait begins, until that wait is over: short ones.
        assert any(arrived.wait(0.05) for _ in range(100))
        assert threaded.spawn(Recorder, []).ask("alive", timeout=5) == "alive"
    finally:
        signal.signal(signal.SIGINT, before)


async def _await(future: Any) -> Any:
    return await future
