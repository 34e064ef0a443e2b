"""The bare reference: asyncio.Protocol, httptools and ONNX Runtime, one call per event-loop tick, and nothing else.

It parses the same body into the same typed fields as Headgate and answers in the same shape; it checks no contract,
routes nothing, remembers nothing and counts nothing. Started by `serving.py`.
"""

import argparse
import asyncio
from typing import Any

import httptools
import msgspec
import numpy as np
import onnxruntime
import uvloop

Row = msgspec.defstruct("Row", [(f"f{place}", float) for place in range(20)], gc=False)


class Body(msgspec.Struct, gc=False):
    rows: list[Row]  # type: ignore[valid-type]


class Prediction(msgspec.Struct, gc=False):
    prediction: int
    scores: list[float]


class Reply(msgspec.Struct, gc=False):
    predictions: list[Prediction]


class Model:
    """Answers everything that arrived in one tick with one call."""

    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed = self.session.get_inputs()[0].name
        self.pending: list[tuple[Connection, Any]] = []
        self.loop = asyncio.get_event_loop()
        self.decode = msgspec.json.Decoder(Body).decode
        self.encode = msgspec.json.Encoder().encode

    def ask(self, connection: "Connection", body: bytes) -> None:
        rows = self.decode(body).rows
        if not self.pending:
            self.loop.call_soon(self.tick)
        self.pending.append((connection, rows[0]))

    def tick(self) -> None:
        pending, self.pending = self.pending, []
        astuple = msgspec.structs.astuple
        matrix = np.array([astuple(row) for _, row in pending], np.float32)
        labels, scores = self.session.run(None, {self.feed: matrix})
        for (connection, _), label, score in zip(pending, labels.tolist(), scores.tolist(), strict=True):
            body = self.encode(Reply([Prediction(label, score)]))
            connection.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )


class Connection(asyncio.Protocol):
    def __init__(self, model: Model) -> None:
        self.model = model
        self.parser = httptools.HttpRequestParser(self)
        self.parts: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self.parts)
        self.parts.clear()
        self.model.ask(self, body)


async def main(path: str, port: int) -> None:
    model = Model(path)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(model), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("port", type=int)
    chosen = arguments.parse_args()
    uvloop.run(main(chosen.model, chosen.port))
