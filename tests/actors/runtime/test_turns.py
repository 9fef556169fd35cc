"""The order in which messages are handled, and who waits for whom."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.actors.runtime.probes import Manual, Node, Recorder, Sleeper, actor_of

from actbook.actors._runtime import Actor, ActorRef, ActorSystem, LoopDispatcher, PoolDispatcher

OnLoop = Callable[[Callable[[ActorSystem], Any]], Any]


def test_messages_of_one_sender_are_handled_in_order(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Recorder, log)
    for number in range(300):
        ref.tell(number)
    manual.dispatcher.run_until_idle()
    assert log == list(range(300))


def test_system_messages_go_before_user_messages(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Recorder, log)
    ref.tell("user 1")
    ref.tell("user 2")
    ref.tell_system("system 1")
    ref.tell_system("system 2")
    manual.dispatcher.run_until_idle()
    assert log == ["system 1", "system 2", "user 1", "user 2"]


def test_a_system_message_sent_by_a_handler_goes_before_the_next_user_message(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Node, log)
    ref.tell(lambda node: node.actor_ref.tell_system("urgent"))
    ref.tell(lambda node: node.note("user"))
    manual.dispatcher.run_until_idle()
    assert log == ["urgent", "user"]


def test_the_mailbox_is_busy_while_a_coroutine_handler_is_suspended(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Sleeper, log)
    ref.tell(1.0)
    ref.tell(2.0)
    manual.dispatcher.advance(0.5)
    ref.tell_system("meanwhile")
    manual.dispatcher.run_until_idle()
    assert log == [("begin", 1.0), "meanwhile"]
    manual.dispatcher.advance(2.5)
    assert log == [("begin", 1.0), "meanwhile", ("end", 1.0), ("begin", 2.0), ("end", 2.0)]
    assert manual.dispatcher.now() == 3.0


def test_system_messages_are_handled_while_a_handler_is_suspended_on_a_real_loop(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        release = asyncio.Event()

        class Waiting(Recorder):
            async def on_receive(self, message: Any) -> Any:
                await release.wait()
                self.note(message)

            def on_system(self, message: Any) -> None:
                self.note(message)
                release.set()

        ref = system.spawn(Waiting, log)
        ref.tell("user")
        await asyncio.sleep(0)
        ref.tell_system("system")
        await ref.ask_async("last")
        assert log == ["system", "user", "last"]

    on_loop(test)


def test_a_turn_is_bounded_so_that_others_get_theirs(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        log: list[Any] = []
        greedy, modest = system.spawn(Recorder, log, "greedy"), system.spawn(Recorder, log, "modest")
        for number in range(Recorder.messages_per_turn * 3):
            greedy.tell(number)
        modest.tell("here")
        await greedy.ask_async("end")
        assert log.index(("modest", "here")) == Recorder.messages_per_turn

    on_loop(test)


def test_a_callback_is_bounded_so_that_the_loop_gets_its_turn() -> None:
    class Chatty(Actor):
        handled = 0

        def on_receive(self, message: Any) -> None:
            Chatty.handled += 1
            if message:
                self.actor_ref.tell(message - 1)

    async def main() -> None:
        system = ActorSystem(LoopDispatcher(asyncio.get_running_loop(), burst=100, burst_seconds=60))
        system.spawn(Chatty).tell(1000)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 100 <= Chatty.handled < 400
        await system.shutdown()

    asyncio.run(main())


def test_on_turn_end_is_called_once_per_turn(manual: Manual) -> None:
    class Batching(Recorder):
        messages_per_turn = 3

        def on_turn_end(self) -> None:
            self.note("flush")

    log: list[Any] = []
    ref = manual.system.spawn(Batching, log)
    for number in range(5):
        ref.tell(number)
    manual.dispatcher.run_until_idle()
    assert log == [0, 1, 2, "flush", 3, 4, "flush"]
    log.clear()
    ref.tell(5)
    ref.tell_system("s")
    ref.stop()
    assert log[:3] == ["s", 5, "flush"]
    assert log[-1] == "on_stop"


def test_on_turn_end_follows_a_suspended_handler(manual: Manual) -> None:
    class Batching(Sleeper):
        def on_turn_end(self) -> None:
            self.note("flush")

    log: list[Any] = []
    manual.system.spawn(Batching, log).ask(1.0)
    assert log == ["flush", ("begin", 1.0), ("end", 1.0), "flush"]


def test_a_coroutine_on_start_comes_before_the_first_message(manual: Manual) -> None:
    class Recovering(Recorder):
        def on_start(self) -> Any:
            return self.recover()

        async def recover(self) -> None:
            await asyncio.sleep(5)
            self.note("recovered")

    log: list[Any] = []
    ref = manual.system.spawn(Recovering, log)
    assert ref.ask("first") == "first"
    assert log == ["recovered", "first"]


def test_many_threads_tell_one_actor_on_a_loop_and_nothing_is_lost(threaded: ActorSystem) -> None:
    log: list[Any] = []
    ref = threaded.spawn(Recorder, log)
    start = threading.Barrier(4)

    def send(sender: int) -> None:
        start.wait()
        for number in range(2000):
            ref.tell((sender, number))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ref.ask("end", timeout=10)
    assert len(log) == 8001
    for sender in range(4):
        assert [number for of, *rest in log[:-1] if of == sender for number in rest] == list(range(2000))


def test_other_threads_wake_the_loop_once_for_many_messages() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        dispatcher = LoopDispatcher(loop)
        system = ActorSystem(dispatcher)
        ref = system.spawn(Recorder, [])
        wakes = 0
        call_soon_threadsafe = loop.call_soon_threadsafe

        def counted(*args: Any, **options: Any) -> Any:
            nonlocal wakes
            wakes += 1
            return call_soon_threadsafe(*args, **options)

        def send() -> None:
            for number in range(1000):
                ref.tell(number)

        sender = threading.Thread(target=send)
        loop.call_soon_threadsafe = counted  # type: ignore[assignment]
        sender.start()
        sender.join()  # the loop can't run meanwhile
        del loop.call_soon_threadsafe
        await ref.ask_async("end")
        await system.shutdown()
        return wakes

    assert asyncio.run(main()) == 1


def test_one_mailbox_is_never_run_by_two_threads(threaded: ActorSystem) -> None:
    pool = PoolDispatcher(4)
    inside = threading.Lock()
    overlaps: list[int] = []

    class Exclusive(Actor):
        messages_per_turn = 1

        def on_receive(self, message: int) -> int:
            if not inside.acquire(blocking=False):
                overlaps.append(message)
            else:
                time.sleep(0)
                inside.release()
            return message

    ref = threaded.spawn(Exclusive, dispatcher=pool)
    answers = [ref.ask(number, block=False) for number in range(500)]
    assert [answer.get(timeout=10) for answer in answers] == list(range(500))
    assert overlaps == []
    ref.stop()
    pool.close()


def test_idle_says_whether_another_mailbox_is_ready(manual: Manual) -> None:
    seen: list[bool] = []
    first, second = manual.system.spawn(Node, []), manual.system.spawn(Node, [])

    def tell_and_look(node: Node) -> None:
        second.tell(lambda _: None)
        seen.append(node.dispatcher.idle)

    first.tell(lambda node: seen.append(node.dispatcher.idle))
    manual.dispatcher.run_until_idle()
    first.tell(tell_and_look)
    manual.dispatcher.run_until_idle()
    assert seen == [True, False]


def _trace(seed: int) -> list[Any]:
    manual = Manual(seed)
    log: list[Any] = []
    refs: list[ActorRef[Any]] = [manual.system.spawn(Sleeper, log, f"s{number}") for number in range(3)]
    refs += [manual.system.spawn(Recorder, log, f"r{number}") for number in range(3)]
    for number in range(4):
        for ref in refs:
            ref.tell(number / 4)
        refs[number].tell_system(f"system {number}")
    manual.dispatcher.advance(2)
    refs[0].terminate()
    manual.end()
    return log


@settings(max_examples=25, deadline=None)
@given(st.integers())
def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    assert _trace(seed) == _trace(seed)


def test_other_seeds_give_other_runs() -> None:
    assert len({str(_trace(seed)) for seed in range(10)}) > 1


def test_virtual_timers_fire_in_order_and_can_be_cancelled(manual: Manual) -> None:
    log: list[Any] = []
    ref = manual.system.spawn(Node, log)
    node: Any = actor_of(ref)
    node.call_later(2.0, lambda it: it.note(("two", it.dispatcher.now())))
    node.call_later(1.0, lambda it: it.note(("one", it.dispatcher.now())))
    node.call_later(1.5, lambda it: it.note("never")).cancel()
    manual.dispatcher.advance(1.2)
    assert log == [("one", 1.0)]
    manual.dispatcher.advance(1.2)
    assert log == [("one", 1.0), ("two", 2.0)]


def test_real_timers_fire_on_loop_and_pool(threaded: ActorSystem, pool: PoolDispatcher) -> None:
    for dispatcher in (threaded.dispatcher, pool):
        fired = threading.Event()
        never = dispatcher.call_later(0.01, lambda: None)
        never.cancel()
        dispatcher.call_later(0.02, fired.set)
        assert fired.wait(5)


def test_asyncio_timeouts_and_task_groups_work_in_virtual_time(manual: Manual) -> None:
    async def impatient(node: Node) -> str:
        try:
            async with asyncio.timeout(3):
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.sleep(1))
                    group.create_task(asyncio.sleep(100))
        except TimeoutError:
            return f"gave up at {node.dispatcher.now()}"
        return "done"

    assert manual.system.spawn(Node, []).ask(impatient) == "gave up at 3.0"


def test_a_coroutine_on_a_pool_sleeps_on_the_pools_clock(threaded: ActorSystem, pool: PoolDispatcher) -> None:
    async def nap(node: Node) -> str:
        await node.sleep(0.01)
        return threading.current_thread().name

    assert threaded.spawn(Node, [], dispatcher=pool).ask(nap, timeout=5).startswith("actbook-pool")


class Greedy(Actor):
    """Takes as much of its turn as there is, and counts what it did in it."""

    def __init__(self, counts: list[int]) -> None:
        super().__init__()
        self.counts = counts

    def on_receive(self, message: Any) -> None:
        count = 0
        while self.dispatcher.has_time and count < message:
            count += 1
            time.sleep(0.0002)
        self.counts.append(count)


def test_a_turn_on_a_loop_has_time_for_a_burst_and_no_more() -> None:
    async def test() -> None:
        dispatcher = LoopDispatcher(asyncio.get_running_loop(), burst_seconds=0.01)
        system = ActorSystem(dispatcher)
        counts: list[int] = []
        ref = system.spawn(Greedy, counts)
        for most in (2, 1000):
            ref.tell(most)
            while len(counts) < 1 + (most > 2):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert counts[0] == 2
        assert 1 <= counts[1] <= 50
        assert not dispatcher.has_time
        await system.shutdown()

    asyncio.run(test())


def test_a_manual_turn_has_time_by_chance(manual: Manual) -> None:
    assert {manual.dispatcher.has_time for _ in range(100)} == {True, False}


def test_a_pool_never_has_time() -> None:
    pool = PoolDispatcher(max_workers=1)
    assert not pool.has_time
    pool.close()
