"""The bare reference of binary tensors: asyncio.Protocol, httptools, np.frombuffer and ONNX Runtime, tick-batched.

It takes one FP32 tensor behind the JSON that describes it, and answers its model's outputs likewise; it checks no
contract, routes nothing, remembers nothing and counts nothing. Started by `binary.py`.
"""

import argparse
import asyncio
from typing import Any

import httptools
import msgspec
import numpy as np
import onnxruntime
import uvloop

TYPES = {"int64": "INT64", "float32": "FP32"}


class Tensor(msgspec.Struct, gc=False):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, int]


class Request(msgspec.Struct, gc=False):
    inputs: list[Tensor]


class Reply(msgspec.Struct, gc=False):
    model_name: str
    outputs: list[Tensor]


class Model:
    """Answers everything that arrived in one tick with one call."""

    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed = self.session.get_inputs()[0].name
        self.names = [each.name for each in self.session.get_outputs()]
        self.pending: list[tuple[Connection, Any]] = []
        self.loop = asyncio.get_event_loop()
        self.decode = msgspec.json.Decoder(Request).decode
        self.encode = msgspec.json.Encoder().encode

    def ask(self, connection: "Connection", length: int, body: bytes) -> None:
        tensor = self.decode(body[:length]).inputs[0]
        rows = np.frombuffer(body, np.float32, offset=length).reshape(tensor.shape)
        if not self.pending:
            self.loop.call_soon(self.tick)
        self.pending.append((connection, rows))

    def tick(self) -> None:
        pending, self.pending = self.pending, []
        matrix = np.concatenate([rows for _, rows in pending])
        outputs = self.session.run(None, {self.feed: matrix})
        start = 0
        for connection, rows in pending:
            end = start + len(rows)
            self.answer(connection, [each[start:end] for each in outputs])
            start = end

    def answer(self, connection: "Connection", outputs: list[Any]) -> None:
        raw = [each.tobytes() for each in outputs]
        tensors = [
            Tensor(name, list(each.shape), TYPES[each.dtype.name], {"binary_data_size": len(content)})
            for name, each, content in zip(self.names, outputs, raw, strict=True)
        ]
        json = self.encode(Reply("e", tensors))
        body = b"".join((json, *raw))
        connection.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nInference-Header-Content-Length: %d\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(json), len(body), body)
        )


class Connection(asyncio.Protocol):
    def __init__(self, model: Model) -> None:
        self.model = model
        self.parser = httptools.HttpRequestParser(self)
        self.parts: list[bytes] = []
        self.length = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"inference-header-content-length":
            self.length = int(value)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self.parts)
        self.parts.clear()
        self.model.ask(self, self.length, body)


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
