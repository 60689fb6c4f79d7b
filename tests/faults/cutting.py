"""A PostgreSQL proxy that cuts connections between a COMMIT and its answer.

It does so at every n-th COMMIT, after the server has received it.
"""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COMMIT = b"COMMIT\0"


class CuttingProxy:
    """Listens on ``port`` of the loopback address. ``cuts`` counts how often it did it."""

    def __init__(self, upstream: int, every: int) -> None:
        self.port = self.cuts = 0
        self._upstream, self._every = upstream, every
        self._commits = itertools.count(1)

    def run(self, ready: threading.Event) -> None:
        """Serve until ``stop``, in a thread of its own."""
        asyncio.run(self._run(ready))

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _run(self, ready: threading.Event) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopped.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        cut = asyncio.Event()
        ways = [
            asyncio.create_task(self._to_server(reader, up_writer, cut)),
            asyncio.create_task(self._to_client(up_reader, writer, cut)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, up_writer):
            end.close()

    async def _to_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if COMMIT in data and next(self._commits) % self._every == 0:
                cut.set()
            writer.write(data)
            await writer.drain()

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if cut.is_set():  # this is the answer: the server has done it
                    self.cuts += 1
                    return
                writer.write(data)
                await writer.drain()


@contextmanager
def cutting_proxy(upstream: int, every: int) -> Iterator[CuttingProxy]:
    """Before the server on this port."""
    proxy, ready = CuttingProxy(upstream, every), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(ready,), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
