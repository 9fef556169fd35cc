"""An actor with nothing to do goes to sleep, and no message is lost over it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.actors.runtime.probes import Manual, Node, Recorder, Sleeper

from actbook.actors._runtime import (
    ActorRef,
    ActorStoppedError,
    ActorSystem,
    ChildFailed,
    ChildStopped,
    PoolDispatcher,
    WrongThreadError,
)

OnLoop = Callable[[Callable[[ActorSystem], Any]], Any]


class Sleepy(Recorder):
    def on_receive(self, message: Any) -> Any:
        self.note(message)
        return self.passivate() if message == "sleep" else message

    def on_passivate(self) -> None:
        self.note("on_passivate")

    def on_turn_end(self) -> None:
        self.note("on_turn_end")


def test_an_idle_actor_is_passivated(manual: Manual) -> None:
    above: list[Any] = []
    log: list[Any] = []
    ref = manual.system.spawn(Sleepy, log, parent=manual.system.spawn(Recorder, above))
    assert manual.system.passivate(ref) is True
    assert not ref.is_alive()
    manual.dispatcher.run_until_idle()
    assert log == ["on_turn_end", "on_passivate"]
    assert above == [ChildStopped(ref, passivated=True)]
    assert manual.system.passivate(ref) is False
    with pytest.raises(ActorStoppedError):
        ref.tell("no name, no resolver")


def test_an_actor_passivates_itself_in_its_handler_and_still_answers(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Sleepy, log)
    assert ref.ask("sleep") is True
    assert log[0] == "sleep"
    assert log[-1] == "on_passivate"
    assert manual.system.actor_count == 0


def test_passivation_is_refused_while_anything_waits(manual: Manual) -> None:
    waiting = manual.system.spawn(Sleepy, [])
    waiting.tell("a message")
    assert manual.system.passivate(waiting) is False
    urgent = manual.system.spawn(Sleepy, [])
    urgent.tell_system("a message")
    assert manual.system.passivate(urgent) is False
    suspended = manual.system.spawn(Sleeper, [])
    suspended.tell(1.0)
    manual.dispatcher.run_until_idle()
    assert manual.system.passivate(suspended) is False
    parent = manual.system.spawn(Sleepy, [])
    manual.system.spawn(Sleepy, [], parent=parent)
    assert manual.system.passivate(parent) is False
    assert all(ref.is_alive() for ref in (waiting, urgent, suspended, parent))


def test_a_message_that_another_thread_sent_first_refuses_it(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = system.spawn(Recorder, log)
        sender = threading.Thread(target=ref.tell, args=("first",))
        sender.start()
        sender.join()
        assert system.passivate(ref) is False
        assert await ref.ask_async("second") == "second"
        assert log == ["first", "second"]

    on_loop(test)


def test_passivation_from_another_thread_is_refused(threaded: ActorSystem) -> None:
    ref = threaded.spawn(Recorder, [])
    assert ref.ask("warm", timeout=5) == "warm"
    with pytest.raises(WrongThreadError):
        threaded.passivate(ref)


def test_a_failing_on_passivate_is_a_failure(manual: Manual) -> None:
    class Broken(Recorder):
        def on_passivate(self) -> None:
            raise ValueError("not saved")

    above: list[Any] = []
    ref = manual.system.spawn(Broken, [], parent=manual.system.spawn(Recorder, above))
    assert manual.system.passivate(ref)
    manual.dispatcher.run_until_idle()
    assert isinstance(above[0], ChildFailed)


def _activating(log: list[Any]) -> Manual:
    def activate(name: str) -> ActorRef[Any] | None:
        log.append(f"activate {name}")
        return manual.system.spawn(Sleepy, log, name=name) if name == "sleepy" else None

    manual = Manual(resolver=activate)
    return manual


def test_a_passivated_name_is_activated_by_a_message(manual: Manual) -> None:
    log: list[Any] = []
    made = _activating(log)
    old = made.system.resolve("sleepy")
    made.system.passivate(old)
    made.dispatcher.run_until_idle()
    log.clear()
    made.system.tell("sleepy", "by name")
    old.tell("by an old ref")
    assert old.ask("asked by an old ref") == "asked by an old ref"
    assert [what for what in log if what != "on_turn_end"] == [
        "activate sleepy",
        "by name",
        "by an old ref",
        "asked by an old ref",
    ]
    assert old.stop() is False
    with pytest.raises(ActorStoppedError):
        made.system.resolve("unknown")
    made.end()


@settings(max_examples=40, deadline=None)
@given(st.integers(), st.lists(st.sampled_from(["sleep", "a", "b", "step"]), max_size=30))
def test_no_message_is_lost_to_passivation(seed: int, script: list[str]) -> None:
    log: list[Any] = []
    made = _activating(log)
    ref = made.system.resolve("sleepy")
    for action in script:
        if action == "step":
            made.dispatcher.step()
        else:
            ref.tell(action)
    made.dispatcher.run_until_idle()
    assert [what for what in log if what in ("sleep", "a", "b")] == [
        what for what in script if what != "step"
    ]
    assert made.letters == []
    made.end()


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Threads change places every microsecond."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_hasty_threads")
@pytest.mark.parametrize("_round", range(20))
def test_no_message_is_lost_to_passivation_on_a_pool(pool: PoolDispatcher, _round: int) -> None:
    handled: list[Any] = []
    handled_all = threading.Event()

    class Counting(Recorder):
        def on_receive(self, message: Any) -> None:
            handled.append(message)
            if len(handled) == 400:
                handled_all.set()
            self.passivate()

    def activate(name: str) -> ActorRef[Any]:
        return system.spawn(Counting, [], name=name, dispatcher=pool)

    letters: list[Any] = []
    system = ActorSystem(resolver=activate, on_dead_letter=letters.append)
    ref = system.resolve("counting")

    def send(sender: int) -> None:
        for number in range(200):
            ref.tell((sender, number))

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert handled_all.wait(10)
    assert letters == []
    assert len(set(handled)) == 400
    assert system.shutdown().get(timeout=5) == []


def test_an_activation_that_was_passivated_before_the_message_came_is_followed_by_another(
    pool: PoolDispatcher,
) -> None:
    activations: list[ActorRef[Any]] = []
    heard = threading.Event()

    class Hearing(Recorder):
        def on_receive(self, message: Any) -> None:
            heard.set()

    def activate(name: str) -> ActorRef[Any]:
        ref = system.spawn(Hearing, [], name=name, dispatcher=pool)
        activations.append(ref)
        if len(activations) == 2:
            assert system.passivate(ref)
        return ref

    letters: list[Any] = []
    system = ActorSystem(resolver=activate, on_dead_letter=letters.append)
    ref = system.resolve("brief")
    assert system.passivate(ref)
    ref.tell("hello")
    assert heard.wait(10)
    assert len(activations) == 3
    assert letters == []
    assert system.shutdown().get(timeout=5) == []


def test_passivating_in_on_turn_end_after_a_coroutine(on_loop: OnLoop) -> None:
    class Once(Node):
        def on_turn_end(self) -> None:
            if self.passivate():
                self.note("asleep")

    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = system.spawn(Once, log)

        async def nap(_node: Node) -> str:
            await asyncio.sleep(0)
            return "answered"

        assert await ref.ask_async(nap) == "answered"
        assert log == ["asleep"]

    on_loop(test)
