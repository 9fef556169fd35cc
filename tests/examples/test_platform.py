"""The platform of `examples/platform`, driven as an ASGI server does it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

PROGRAM = Path(__file__).parents[2] / "examples" / "platform" / "platform_app.py"
PATIENCE = 60.0


def example() -> Any:
    spec = importlib.util.spec_from_file_location("platform_app", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[None]:
    """Between startup and shutdown."""
    ask: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan"}, ask.get, told.put))
    await ask.put({"type": "lifespan.startup"})
    assert (await asyncio.wait_for(told.get(), PATIENCE))["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await ask.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(life, PATIENCE)


async def call(app: Any, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": path}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def use(module: Any, *urls: str) -> None:
    app = module.App(module.Platform(*urls))
    async with served(app):
        accepted = [await call(app, "POST", "/runs", b'{"item": "lamp"}') for _ in range(3)]
        assert {status for status, _ in accepted} == {202}
        ids = {answer["id"] for _, answer in accepted} if urls[1:] and urls[1] else None
        async with asyncio.timeout(PATIENCE):
            while len((await call(app, "GET", "/sold"))[1]) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        status, rows = await call(app, "GET", "/runs")
        assert status == 200
        assert [row["status"] for row in rows] == ["COMPLETED"] * 3
        assert ids is None or {row["id"] for row in rows} == ids
        assert (await call(app, "POST", "/runs", b"[]"))[0] == 400
        assert (await call(app, "GET", "/nowhere"))[0] == 404


def test_it_is_one_process_on_one_file_without_servers(tmp_path: Path) -> None:
    asyncio.run(use(example(), f"sqlite:///{tmp_path}/platform.db"))


def test_the_same_code_uses_the_servers_that_it_is_told_of(
    postgres_url: str, amqp_url: str, nats_url: str
) -> None:
    asyncio.run(use(example(), postgres_url, amqp_url, f"{nats_url}?tenant={uuid4().hex}"))


def test_the_host_keeps_its_signals_and_its_logging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    asyncio.run(use(example(), f"sqlite:///{tmp_path}/platform.db"))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert (list(root.handlers), root.level) == (handlers, level)
