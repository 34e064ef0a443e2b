"""The pool of connections: requests in order, and a connection that the server closed meanwhile is opened anew."""

import asyncio

from headgate.demo.http import HttpPool


def test_a_connection_that_the_server_closed_is_opened_anew() -> None:
    opened = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async def asked() -> list[tuple[int, bytes]]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, HttpPool("127.0.0.1", server.sockets[0].getsockname()[1], 1) as pool:
            said = [await pool.post("/", b"first")]
            await asyncio.sleep(0.05)
            return [*said, await pool.post("/", b"second")]

    assert asyncio.run(asked()) == [(200, b"first"), (200, b"second")]
    assert opened == 2
