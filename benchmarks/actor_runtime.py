"""The actor runtime beside pykka's thread per actor, in one run: `python benchmarks/actor_runtime.py`.

One JSON line per measure: `value` is ours, `peer` is pykka.ThreadingActor's, `ratio` says how many times
better ours is. The peer is measured on fewer actors, where it would not finish otherwise: `peer_count`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pykka

from actbook.actors._runtime import Actor, ActorRef, ActorSystem, LoopDispatcher

ACTORS = 100_000
MESSAGES = 500_000
ROUNDS = 200_000
CHILDREN = 10_000
PEER_ACTORS = 1_000
PEER_MESSAGES = 100_000
PEER_ROUNDS = 10_000


class Idle(Actor):
    def on_receive(self, message: Any) -> Any:
        return message


class Player(Actor):
    """Sends the ball back until it is worn out."""

    peer: Any = None
    over: Any = None

    def on_receive(self, message: int) -> None:
        if message:
            self.peer.tell(message - 1)
        else:
            self.over.set()


class PeerIdle(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> Any:
        return message


class PeerPlayer(pykka.ThreadingActor):
    peer: Any = None
    over: Any = None

    def on_receive(self, message: int) -> None:
        if message:
            self.peer.tell(message - 1)
        else:
            self.over.set()


def report(name: str, value: float, unit: str, peer: float, *, more_is_better: bool, **notes: Any) -> None:
    ratio = value / peer if more_is_better else peer / value
    row = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": round(peer, 3),
        "ratio": round(ratio, 2),
    }
    print(json.dumps({**row, **notes}), flush=True)


def resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


async def ours() -> dict[str, float]:
    system = ActorSystem(LoopDispatcher(asyncio.get_running_loop()))
    measured: dict[str, float] = {}
    root = system.spawn(Idle)
    before = resident()
    began = time.perf_counter()
    refs = [system.spawn(Idle, parent=root) for _ in range(ACTORS)]
    measured["spawn"] = ACTORS / (time.perf_counter() - began)
    measured["bytes"] = (resident() - before) / ACTORS
    measured["messages"] = await _messages(refs)
    measured["rally"] = await _rally(system)
    measured["ask"] = await _asks(refs[0])
    del refs
    await root.terminate()
    parent = system.spawn(Idle)
    for _ in range(CHILDREN):
        system.spawn(Idle, parent=parent)
    began = time.perf_counter()
    await parent.terminate()
    measured["cancel"] = (time.perf_counter() - began) * 1000
    await system.shutdown()
    return measured


async def _messages(refs: list[ActorRef[Idle]]) -> float:
    began = time.perf_counter()
    for number in range(MESSAGES):
        refs[number % 1000].tell(number)
    await refs[0].ask_async("end")
    return MESSAGES / (time.perf_counter() - began)


async def _rally(system: ActorSystem) -> float:
    first, second = system.spawn(Player), system.spawn(Player)
    over = asyncio.Event()
    for ref, peer in ((first, second), (second, first)):
        player: Any = ref.actor_inbox
        player.actor.peer, player.actor.over = peer, over
    began = time.perf_counter()
    first.tell(ROUNDS)
    await over.wait()
    return ROUNDS / (time.perf_counter() - began)


async def _asks(ref: ActorRef[Idle], count: int = 20_000) -> float:
    began = time.perf_counter()
    for number in range(count):
        await ref.ask_async(number)
    return (time.perf_counter() - began) / count * 1e6


def theirs() -> dict[str, float]:
    measured: dict[str, float] = {}
    before = resident()
    began = time.perf_counter()
    refs = [PeerIdle.start() for _ in range(PEER_ACTORS)]
    measured["spawn"] = PEER_ACTORS / (time.perf_counter() - began)
    measured["bytes"] = (resident() - before) / PEER_ACTORS
    began = time.perf_counter()
    for number in range(PEER_MESSAGES):
        refs[0].tell(number)
    refs[0].ask("end")
    measured["messages"] = PEER_MESSAGES / (time.perf_counter() - began)
    measured["ask"] = seconds(lambda: [refs[0].ask(number) for number in range(2000)]) / 2000 * 1e6
    stop_all = seconds(pykka.ActorRegistry.stop_all)
    measured["cancel"] = stop_all * 1000 * CHILDREN / PEER_ACTORS
    measured["rally"] = _their_rally()
    return measured


def _their_rally() -> float:
    first, second = PeerPlayer.start(), PeerPlayer.start()
    over = threading.Event()
    for ref, peer in ((first, second), (second, first)):
        proxy: Any = ref.proxy()
        proxy.peer, proxy.over = peer, over
    began = time.perf_counter()
    first.tell(PEER_ROUNDS)
    over.wait()
    rate = PEER_ROUNDS / (time.perf_counter() - began)
    pykka.ActorRegistry.stop_all()
    return rate


def main() -> None:
    peer = theirs()
    mine = asyncio.run(ours())
    count = {"peer_count": PEER_ACTORS}
    report("spawn", mine["spawn"], "actors/s", peer["spawn"], more_is_better=True, count=ACTORS, **count)
    report("tell_and_receive", mine["messages"], "messages/s", peer["messages"], more_is_better=True)
    report("ping_pong", mine["rally"], "messages/s", peer["rally"], more_is_better=True)
    report("ask", mine["ask"], "us", peer["ask"], more_is_better=False)
    report("idle_actor", mine["bytes"], "bytes", peer["bytes"], more_is_better=False, count=ACTORS, **count)
    per_mb = {key: 1_000_000 / measured["bytes"] for key, measured in (("mine", mine), ("peer", peer))}
    report("idle_actors_per_mb", per_mb["mine"], "actors", per_mb["peer"], more_is_better=True)
    report(
        "cancel_children", mine["cancel"], "ms", peer["cancel"], more_is_better=False, count=CHILDREN, **count
    )


if __name__ == "__main__":
    main()
