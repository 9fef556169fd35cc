"""What an engine offers about sharing graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.engine._errors import EngineClosedError, SharingError

if TYPE_CHECKING:
    from actbook.engine._host import Host


class Sharing:
    """Part of `Engine`. A user shares the versions that he saved; a `user_id` of None shares those of who saved last."""

    _host: Host

    async def share_graph(
        self, graph_id: str, user_id: str | None, *, with_user: str | None = None, public: bool = False
    ) -> None:
        """Lets another user, or everybody, read and run all versions of a graph that `user_id` saved and will save.

        What they save under the same id is theirs: it changes nothing for anybody else. Repeatable. Raises
        `GraphNotFoundError` or `SharingError`.
        """
        await self._share(graph_id, user_id, with_user, public, True)

    async def unshare_graph(
        self, graph_id: str, user_id: str | None, *, with_user: str | None = None, public: bool = False
    ) -> None:
        """Takes back what `share_graph` said. Executions that were accepted go on. Repeatable."""
        await self._share(graph_id, user_id, with_user, public, False)

    async def _share(
        self, graph_id: str, user_id: str | None, with_user: str | None, public: bool, shared: bool
    ) -> None:
        if self._host.closed:
            raise EngineClosedError
        if (with_user is None) is not public:
            raise SharingError
        await self._host.graphs.share(graph_id, user_id, with_user, shared)
