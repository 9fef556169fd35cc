"""A way to a server that a test can cut."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Stands between a client and the server; cuts the connection at a chosen moment."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._address = (parts.hostname or "", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = parts.netloc.rpartition("@")[0]
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        self.cut_answer_to: bytes | None = None
        """The next request with these bytes is passed on; its answer is waited for, and thrown away with the connection."""
        self.cuts = 0
        self.is_open = True
        self._links: list[_Link] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Ends all connections; there are no new ones until `is_open` is true again."""
        self.is_open = False
        for link in self._links:
            link.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            server = socket.create_connection(self._address)
            link = _Link(self, client, server)
            self._links.append(link)
            self._threads += link.start()


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._cutting = False

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._requests), threading.Thread(target=self._answers)]
        for thread in threads:
            thread.start()
        return threads

    def cut(self) -> None:
        _shut(self._client)
        _shut(self._server)

    def _requests(self) -> None:
        with self._server, self._client:
            while data := _receive(self._client):
                wanted = self._proxy.cut_answer_to
                if wanted is not None and wanted in data:
                    self._proxy.cut_answer_to = None
                    self._cutting = True
                _send(self._server, data)
            _shut(self._server)

    def _answers(self) -> None:
        while data := _receive(self._server):
            if self._cutting:
                self._proxy.cuts += 1
                _shut(self._client)
                return
            _send(self._client, data)
        _shut(self._client)


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
    except OSError:
        return


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
