"""How actors end: with their children, in order, and never silently."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.actors.runtime.probes import Failing, Manual, Node, Recorder, Sleeper, actor_of

from actbook.actors._runtime import (
    Actor,
    ActorRef,
    ActorStoppedError,
    ActorSystem,
    ChildFailed,
    ChildStopped,
    LoopDispatcher,
    NameTakenError,
    NoSystemError,
    PoolDispatcher,
    SystemStoppedError,
)

OnLoop = Callable[[Callable[[ActorSystem], Any]], Any]


def test_stop_comes_after_the_messages_already_sent(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Recorder, log)
    ref.tell(1)
    stopped = ref.stop(block=False)
    ref.tell(2)
    assert stopped.get() is True
    assert log == [1, "on_stop"]
    assert [letter.message for letter in manual.letters] == [2]
    assert ref.stop() is False


def test_an_actor_at_rest_can_be_ended_at_once(manual: Manual) -> None:
    log: list[Any] = []
    parent = manual.system.spawn(Recorder, log, "parent")
    child = manual.system.spawn(Recorder, log, "child", parent=parent)
    manual.dispatcher.run_until_idle()
    actor_of(parent).watches_children = False
    actor_of(child).stop_here()
    assert log == [("child", "on_stop")]
    assert not child.is_alive()
    assert actor_of(parent).children == []


def test_one_with_messages_ends_behind_them(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Recorder, log)
    ref.tell(1)
    actor_of(ref).stop_here()
    assert log == []
    manual.dispatcher.run_until_idle()
    assert log == [1, "on_stop"]


def test_one_whose_handler_is_suspended_ends_as_stop_ends_it(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Sleeper, log)
    ref.tell(5.0)
    manual.dispatcher.run_until_idle()
    actor_of(ref).stop_here()
    assert ref.is_alive()
    manual.dispatcher.advance(6.0)
    assert not ref.is_alive()


def test_on_other_threads_it_is_a_message(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = system.spawn(Recorder, log)
        await asyncio.to_thread(actor_of(ref).stop_here)
        while ref.is_alive():  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert log == ["on_stop"]

    on_loop(test)


def test_terminate_comes_before_them(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Recorder, log)
    ref.tell(1)
    assert ref.terminate().get() is True
    assert log == ["on_stop"]
    assert ref.terminate().get() is False


def test_children_end_with_their_parent(manual: Manual) -> None:
    log: list[Any] = []
    parent = manual.system.spawn(Recorder, log, "parent")
    children = [manual.system.spawn(Recorder, log, f"child {n}", parent=parent) for n in range(3)]
    grandchild = manual.system.spawn(Recorder, log, "grandchild", parent=children[0])
    assert parent.stop() is True
    assert manual.system.actor_count == 0
    order = [tag for tag, what in log if what == "on_stop"]
    assert order[-1] == "parent"
    assert order.index("grandchild") < order.index("child 0")
    assert [what for tag, what in log if tag == "child 0"] == [ChildStopped(grandchild), "on_stop"]


@settings(max_examples=30, deadline=None)
@given(st.integers(), st.integers(0, 3))
def test_children_of_a_crashed_parent_end_too(seed: int, depth: int) -> None:
    manual = Manual(seed)
    above: list[Any] = []
    top = manual.system.spawn(Recorder, above)
    crashing = manual.system.spawn(Failing, [], parent=top)
    below: ActorRef[Any] = crashing
    for _ in range(depth):
        below = manual.system.spawn(Recorder, [], parent=below)
        manual.system.spawn(Sleeper, [], parent=below).tell(100.0)
    error = ValueError()
    crashing.tell(error)
    manual.dispatcher.run_until_idle()
    assert above == [ChildFailed(crashing, error)]
    assert manual.system.actor_count == 1
    manual.end()


def test_stop_cancels_a_suspended_handler(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Sleeper, log)
    asked = ref.ask(100.0, block=False)
    manual.dispatcher.run_until_idle()
    assert ref.terminate().get() is True
    with pytest.raises(ActorStoppedError):
        asked.get()
    assert log == [("begin", 100.0), "cancelled", "on_stop"]
    assert manual.dispatcher.now() == 0


def test_a_handler_that_was_never_begun_is_cancelled_without_a_trace(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        ref = system.spawn(Sleeper, log)
        ref.tell(100.0)
        ref.tell_system("first")
        driver_seen = asyncio.Event()

        class Watch(Recorder):
            def on_receive(self, message: Any) -> None:
                driver_seen.set()

        system.spawn(Watch, []).tell("now")
        stopped = ref.terminate()
        assert await stopped is True
        assert ("begin", 100.0) not in log

    on_loop(test)


def test_a_handler_that_ignores_its_cancellation_is_abandoned_after_the_deadline(manual: Manual) -> None:
    class Stubborn(Recorder):
        stop_deadline = 3.0

        async def on_receive(self, message: Any) -> None:
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    self.note("ignored")

    above: list[Any] = []
    log: list[Any] = []
    parent = manual.system.spawn(Recorder, above)
    ref = manual.system.spawn(Stubborn, log, parent=parent)
    asked = ref.ask("go", block=False)
    manual.dispatcher.run_until_idle()
    assert ref.terminate().get() is True
    assert manual.dispatcher.now() == 3.0
    assert log == ["ignored", "on_stop"]
    with pytest.raises(ActorStoppedError):
        asked.get()
    assert parent.ask("sync") == "sync"
    assert above[0] == ChildStopped(ref, abandoned=True)


def test_a_handler_that_blocks_its_thread_is_abandoned_after_the_deadline(
    threaded: ActorSystem, pool: PoolDispatcher
) -> None:
    class Blocking(Node):
        stop_deadline = 0.05

    release, begun, told = threading.Event(), threading.Event(), threading.Event()
    above: list[Any] = []

    class Parent(Recorder):
        def on_system(self, message: Any) -> None:
            self.note(message)
            told.set()

    parent = threaded.spawn(Parent, above)
    ref = threaded.spawn(Blocking, [], parent=parent, dispatcher=pool)

    def block(_node: Node) -> None:
        begun.set()
        release.wait(10)

    asked = ref.ask(block, block=False)
    assert begun.wait(5)
    assert ref.terminate().get(timeout=5) is True
    with pytest.raises(ActorStoppedError):
        asked.get(timeout=5)
    assert told.wait(5)
    assert above == [ChildStopped(ref, abandoned=True)]
    release.set()
    assert threaded.spawn(Recorder, [], dispatcher=pool).ask("alive", timeout=5) == "alive"


def test_a_coroutine_on_stop_is_waited_for(manual: Manual) -> None:
    class Careful(Recorder):
        def on_stop(self) -> Any:
            return self.close()

        async def close(self) -> None:
            await asyncio.sleep(2)
            self.note("closed")

    log: list[Any] = []
    ref = manual.system.spawn(Careful, log)
    assert ref.stop() is True
    assert log == ["closed"]
    assert manual.dispatcher.now() == 2


def test_a_coroutine_on_a_pool_is_cancelled(threaded: ActorSystem, pool: PoolDispatcher) -> None:
    log: list[Any] = []
    begun = threading.Event()

    async def nap(node: Node) -> None:
        begun.set()
        try:
            await node.sleep(60)
        except asyncio.CancelledError:
            node.note("cancelled")
            raise

    ref = threaded.spawn(Node, log, dispatcher=pool)
    ref.tell(nap)
    assert begun.wait(5)
    assert ref.terminate().get(timeout=5) is True
    assert log == ["cancelled", "on_stop"]


def test_an_actor_cancels_its_own_handler_on_a_system_message(manual: Manual) -> None:
    class Cancellable(Sleeper):
        async def on_receive(self, message: float) -> Any:
            try:
                return await super().on_receive(message)
            except asyncio.CancelledError:
                return "cancelled by request"

        def on_system(self, message: Any) -> None:
            self.note(self.cancel_handler())

    log: list[Any] = []
    ref = manual.system.spawn(Cancellable, log)
    asked = ref.ask(60.0, block=False)
    manual.dispatcher.run_until_idle()
    ref.tell_system("cancel")
    assert asked.get() == "cancelled by request"
    assert ref.is_alive()
    ref.tell_system("cancel")
    manual.dispatcher.run_until_idle()
    assert log == [("begin", 60.0), True, "cancelled", False]


def test_ten_thousand_children_leave_quickly(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        parent = system.spawn(Recorder, [])
        half = [system.spawn(Actor, name=f"child {n}", parent=parent) for n in range(10_000)][::2]

        async def leave(refs: list[ActorRef[Any]]) -> float:
            began = time.perf_counter()
            for stopped in [ref.terminate() for ref in refs]:
                await stopped
            return time.perf_counter() - began

        first, last = await leave(half[:1000]), await leave(half[-1000:])
        # Leaving costs the same whoever leaves: a list as directory is 100 times slower than this.
        assert first + last < 2.0
        assert system.find("child 0") is None
        assert system.find("child 1") is not None
        assert await parent.terminate() is True
        assert system.actor_count == 0

    on_loop(test)


def test_an_idle_actor_is_kept_alive_by_its_system_and_let_go_at_its_end(manual: Manual) -> None:
    ref = manual.system.spawn(Recorder, [], parent=manual.system.spawn(Recorder, []))
    actor = weakref.ref(actor_of(ref))
    urn = ref.actor_urn
    del ref
    gc.collect()
    found = manual.system.find(urn)
    assert found is not None
    assert found.ask("still here") == "still here"
    found.stop()
    gc.collect()
    assert actor() is None


def test_a_child_of_an_ending_parent_is_refused(manual: Manual) -> None:
    parent = manual.system.spawn(Recorder, [])
    parent.stop()
    with pytest.raises(ActorStoppedError):
        manual.system.spawn(Recorder, [], parent=parent, name="late")
    manual.system.spawn(Recorder, [], name="late")


def test_the_directory_knows_names_and_urns(manual: Manual) -> None:
    ref = manual.system.spawn(Recorder, [], name="one")
    assert manual.system.find("one") is ref
    assert manual.system.find(ref.actor_urn) is ref
    assert ref.name == "one"
    with pytest.raises(NameTakenError):
        manual.system.spawn(Recorder, [], name="one")
    ref.stop()
    assert manual.system.find("one") is None
    assert manual.system.find(ref.actor_urn) is None
    assert manual.system.spawn(Recorder, [], name="one").is_alive()
    with pytest.raises(ActorStoppedError):
        manual.system.tell("nobody", "message")


def test_only_roots_are_in_pykkas_registry(manual: Manual) -> None:
    root = manual.system.spawn(Recorder, [])
    child = manual.system.spawn(Recorder, [], parent=root)
    assert root in pykka.ActorRegistry.get_all()
    assert child not in pykka.ActorRegistry.get_all()
    assert manual.system.roots() == [root]
    root.stop()
    assert root not in pykka.ActorRegistry.get_all()


def test_a_broadcast_passes_over_the_dead(manual: Manual) -> None:
    log: list[Any] = []
    refs = [manual.system.spawn(Recorder, log) for _ in range(4)]
    manual.system.spawn(Failing, log, parent=refs[3])
    refs[1].stop()
    log.clear()
    assert manual.system.broadcast("hello", Recorder) == 4
    assert manual.system.broadcast("you", Failing) == 1
    manual.dispatcher.run_until_idle()
    assert sorted(log) == ["hello"] * 4 + ["you"]


def test_shutdown_ends_everybody_and_takes_no_more(manual: Manual) -> None:
    root = manual.system.spawn(Recorder, [])
    manual.system.spawn(Sleeper, [], parent=root).tell(1000.0)
    manual.dispatcher.run_until_idle()
    assert manual.end() == []
    with pytest.raises(SystemStoppedError):
        manual.system.spawn(Recorder, [])
    assert manual.system.shutdown() is manual.system.shutdown()


def test_shutdown_reports_what_it_left_behind(manual: Manual) -> None:
    class Stubborn(Recorder):
        stop_deadline = 60.0

        async def on_receive(self, message: Any) -> None:
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    continue

    ref = manual.system.spawn(Stubborn, [])
    asked = ref.ask("go", block=False)
    manual.dispatcher.run_until_idle()
    assert manual.system.shutdown(deadline=2).get() == [ref]
    assert manual.dispatcher.now() == 2
    with pytest.raises(ActorStoppedError):
        asked.get()


def test_systems_are_independent() -> None:
    first, second = Manual(), Manual()
    mine, yours = (made.system.spawn(Recorder, [], name="same") for made in (first, second))
    first.end()
    assert not mine.is_alive()
    assert yours.ask("alive") == "alive"
    second.end()


def test_pykkas_start_needs_a_system() -> None:
    with pytest.raises(NoSystemError, match="default_system"):
        Recorder.start([])
    assert pykka.ActorRegistry.get_by_class(Recorder) == []


def test_messages_sent_before_the_start_are_kept(manual: Manual) -> None:
    log: list[Any] = []
    actor = Recorder(log)
    actor.actor_ref.tell("early")
    assert actor.actor_ref.ask("now", block=False).done() is False
    manual.system.adopt(actor)
    manual.dispatcher.run_until_idle()
    assert log == ["early", "now"]


def test_a_loop_of_its_own_ends_with_the_system() -> None:
    system = ActorSystem()
    dispatcher = system.dispatcher
    assert isinstance(dispatcher, LoopDispatcher)
    ref = system.spawn(Recorder, [])
    loop = dispatcher.loop
    assert system.shutdown().get(timeout=5) == []
    dispatcher.close()
    for thread in threading.enumerate():
        if thread.name == "actbook-actors":
            thread.join(5)
    assert loop.is_closed()
    with pytest.raises(ActorStoppedError):
        ref.ask("too late")
