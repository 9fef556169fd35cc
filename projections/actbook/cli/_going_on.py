"""Executions that are to go on: asked for, then followed to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from actbook.cli._exit_codes import OF_STATUS, ExitCode
from actbook.cli._following import Following
from actbook.cli._given import Staying
from actbook.cli._ids import execution_id
from actbook.cli._options import Options
from actbook.cli._recorded import graph_of
from actbook.cli._session import check_exists, opened
from actbook.cli._vault import Vault
from actbook.graphs import Graph

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution

Ask = Callable[["Engine", "GraphExecution"], Awaitable["GraphExecution"]]
"""Asks for something of an execution; what will go on."""


class GoingOn:
    """`ask` is called for each execution. Without an owner this process becomes it, and runs nothing but those."""

    def __init__(self, ask: Ask, staying: Staying, options: Options) -> None:
        self._ask = ask
        self._staying = staying
        self._options = options

    async def run(self, ids: Sequence[str]) -> ExitCode:
        """Nothing is asked for unless all executions are found. The exit code is that of the first that did not complete."""
        store = self._options.store
        check_exists(store)
        candidate = not self._staying.detach
        async with opened(store, candidate=candidate, take_over=False, credentials=Vault(store)) as engine:
            user = self._options.user
            found = [await engine.get_graph_execution(await execution_id(engine, each), user) for each in ids]
            asked = await asyncio.gather(*(self._ask(engine, each) for each in found), return_exceptions=True)
            going = [each for each in asked if not isinstance(each, BaseException)]
            codes = await self._to_the_end(engine, going)
            for each in asked:
                if isinstance(each, BaseException):
                    raise each
        return next((code for code in codes if code), ExitCode.OK)

    async def _to_the_end(self, engine: Engine, going: Sequence[GraphExecution]) -> list[ExitCode]:
        followed = [await self._following(engine, state) for state in going]
        if self._staying.detach:
            return [each.leave() for each in followed]
        if len(followed) == 1:
            return [await followed[0].to_the_end(self._staying.timeout)]
        waiting = [engine.wait(state.id, self._staying.timeout) for state in going]
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        # Several at once have no picture; each is printed in the order of the ids.
        for following, end in zip(followed, ends, strict=True):
            if not isinstance(end, BaseException):
                following.show(end)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return [OF_STATUS[end.status] for end in ends if not isinstance(end, BaseException)]

    async def _following(self, engine: Engine, state: GraphExecution) -> Following:
        graph = await graph_of(engine, state) or Graph(id=state.graph_id, version=state.graph_version)
        return Following(engine, graph, state, self._options)
