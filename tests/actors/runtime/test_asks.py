"""Every ask is answered, and none blocks a thread that runs actors."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from tests.actors.runtime.probes import Failing, Manual, Node, Recorder, Sleeper

from actbook.actors._runtime import (
    Actor,
    ActorStoppedError,
    ActorSystem,
    AskTimeoutError,
    BlockingAskError,
    Future,
    LoopDispatcher,
    PoolDispatcher,
    UnsupportedAwaitError,
)

OnLoop = Callable[[Callable[[ActorSystem], Any]], Any]


def test_asks_from_coroutines_and_of_coroutines(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        target = system.spawn(Recorder, [])
        asker = system.spawn(Node, [])

        async def ask_on(_node: Node) -> Any:
            return await target.ask_async("through")

        assert await asker.ask_async(ask_on) == "through"
        assert await target.ask("future", block=False) == "future"
        assert await target.ask("mapped", block=False).map(str.upper) == "MAPPED"
        both = target.ask(1, block=False).join(target.ask(2, block=False))
        assert await both == [1, 2]

    on_loop(test)


def test_an_exception_reaches_the_awaiting_caller(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        ref = system.spawn(Failing, [])
        with pytest.raises(ValueError, match="told so"):
            await ref.ask_async(ValueError("told so"))
        assert ref.is_alive()

    on_loop(test)


def test_ask_async_times_out_and_the_late_answer_does_no_harm(manual: Manual) -> None:
    ref = manual.system.spawn(Sleeper, [])

    async def impatient(_node: Node) -> Any:
        return await ref.ask_async(10.0, timeout=1.0)

    with pytest.raises(AskTimeoutError):
        manual.system.spawn(Node, []).ask(impatient)
    assert manual.dispatcher.now() == 1.0
    manual.dispatcher.advance(20)
    assert ref.is_alive()
    assert issubclass(AskTimeoutError, pykka.Timeout)


@pytest.mark.parametrize("where", ["loop", "pool", "manual"])
def test_a_blocking_ask_inside_a_handler_is_refused(
    where: str, threaded: ActorSystem, pool: PoolDispatcher, manual: Manual
) -> None:
    log: list[Any] = []
    system = manual.system if where == "manual" else threaded
    dispatcher = pool if where == "pool" else None
    target = system.spawn(Recorder, log, dispatcher=dispatcher)
    ref = system.spawn(Node, [], dispatcher=dispatcher)

    def nested(_node: Node) -> str:
        with pytest.raises(BlockingAskError, match="ask_async"):
            target.ask("never sent")
        with pytest.raises(BlockingAskError):
            target.stop()
        with pytest.raises(BlockingAskError):
            target.ask("sent", block=False).get()
        return "refused"

    assert ref.ask(nested, timeout=5) == "refused"
    assert target.ask("after", timeout=5) == "after"
    assert log == ["sent", "after"]


def test_a_blocking_ask_in_a_coroutine_of_a_running_loop_is_refused(on_loop: OnLoop) -> None:
    async def test(system: ActorSystem) -> None:
        with pytest.raises(BlockingAskError):
            system.spawn(Recorder, []).ask("no")

    on_loop(test)


def test_nested_asks_do_not_exhaust_a_pool_of_two_threads(
    threaded: ActorSystem, pool: PoolDispatcher
) -> None:
    last = threaded.spawn(Recorder, [], dispatcher=pool)
    chain = [last]
    for _ in range(5):
        following = chain[-1]

        class Hop(Actor):
            following = chain[-1]

            async def on_receive(self, message: Any) -> Any:
                return await self.following.ask_async(message)

        assert Hop.following is following
        chain.append(threaded.spawn(Hop, dispatcher=pool))  # type: ignore[arg-type]
    answers = [chain[-1].ask(number, block=False) for number in range(20)]
    assert [answer.get(timeout=10) for answer in answers] == list(range(20))


def test_a_coroutine_on_a_pool_may_not_await_a_loops_future(
    threaded: ActorSystem, pool: PoolDispatcher
) -> None:
    loop = asyncio.new_event_loop()

    async def foreign(_node: Node) -> None:
        await loop.create_future()

    with pytest.raises(UnsupportedAwaitError, match="LoopDispatcher"):
        threaded.spawn(Node, [], dispatcher=pool).ask(foreign, timeout=5)
    loop.close()


@pytest.mark.parametrize("on_pool", [False, True])
def test_asks_racing_a_stop_are_always_answered(
    on_pool: bool, threaded: ActorSystem, pool: PoolDispatcher
) -> None:
    for _ in range(30):
        ref = threaded.spawn(Recorder, [], dispatcher=pool if on_pool else None)
        answers: list[Future[Any]] = []
        start = threading.Barrier(3)

        def ask(to: Any = ref, start: threading.Barrier = start, into: list[Any] = answers) -> None:
            start.wait()
            into.extend(to.ask(number, block=False) for number in range(50))

        askers = [threading.Thread(target=ask) for _ in range(2)]
        for asker in askers:
            asker.start()
        start.wait()
        stopped = ref.terminate()
        for asker in askers:
            asker.join()
        for answer in answers:
            try:
                assert answer.get(timeout=5) in range(50)
            except pykka.ActorDeadError:
                continue
        assert stopped.get(timeout=5) is True


def test_an_ask_to_a_stopped_actor_is_answered(manual: Manual) -> None:
    ref = manual.system.spawn(Recorder, [])
    ref.stop()
    with pytest.raises(ActorStoppedError, match="not found"):
        ref.ask("anybody")
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("anybody")
    ref.tell_system("never raises")
    assert [letter.message for letter in manual.letters] == ["never raises"]


def test_messages_left_in_a_stopped_mailbox_are_dead_letters(manual: Manual) -> None:
    ref = manual.system.spawn(Recorder, [])
    ref.tell("told")
    asked = ref.ask("asked", block=False)
    stopped = ref.terminate()
    manual.dispatcher.run_until_idle()
    assert stopped.get() is True
    with pytest.raises(ActorStoppedError, match="before handling"):
        asked.get()
    assert [(letter.ref, letter.message) for letter in manual.letters] == [(ref, "told"), (ref, "asked")]


def test_an_ask_to_a_closed_loop_is_answered() -> None:
    loop = asyncio.new_event_loop()
    system = ActorSystem(LoopDispatcher(loop))
    ref = system.spawn(Recorder, [])
    loop.close()
    with pytest.raises(ActorStoppedError):
        ref.ask("nobody runs this", timeout=5)
    pykka.ActorRegistry.unregister(ref)


def test_an_answer_can_be_given_later(manual: Manual) -> None:
    taken: list[Future[Any] | None] = []
    ref = manual.system.spawn(Node, [])
    ref.tell(lambda node: taken.append(node.take_reply()))
    answer = ref.ask(lambda node: taken.append(node.take_reply()), block=False)
    manual.dispatcher.run_until_idle()
    assert taken[0] is None
    assert taken[1] is not None
    assert not answer.done()
    assert manual.system.passivate(ref) is False
    taken[1].set("durable")
    assert answer.get() == "durable"


def test_a_taken_answer_is_given_when_the_actor_ends(manual: Manual) -> None:
    ref = manual.system.spawn(Node, [])
    answer = ref.ask(lambda node: node.take_reply() and None, block=False)
    manual.dispatcher.run_until_idle()
    ref.stop()
    with pytest.raises(ActorStoppedError):
        answer.get()


def test_an_ask_that_nobody_answers_does_not_hang_a_test(manual: Manual) -> None:
    ref = manual.system.spawn(Node, [])
    with pytest.raises(AskTimeoutError, match="nothing is left to run"):
        ref.ask(lambda node: node.take_reply() and None)


def test_pykkas_own_refs_envelopes_are_understood(threaded: ActorSystem) -> None:
    log: list[Any] = []
    ref = threaded.spawn(Failing, log)
    answer = pykka.ActorRef.ask(ref, "plain", block=False)
    assert answer.get(timeout=5) == "plain"
    pykka.ActorRef.tell(ref, "told")
    with pytest.raises(ValueError):
        pykka.ActorRef.ask(ref, ValueError(), block=True, timeout=5)
    assert log == ["plain", "told"]


def test_future_callbacks_and_second_answers() -> None:
    future: Future[int] = Future()
    seen: list[int] = []
    future.add_done_callback(lambda done: seen.append(done.get()))
    assert future.try_set(1)
    assert not future.try_set(2)
    assert not future.fail(ValueError())
    future.add_done_callback(lambda done: seen.append(done.get()))
    assert seen == [1, 1]
    with pytest.raises(AskTimeoutError):
        Future[int]().get(timeout=0)
