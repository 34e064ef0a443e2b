"""gRPC on a whole installation: workers share its port, and without the extra everything else goes on."""

import importlib.util
import logging
from pathlib import Path

import grpc
import pytest
from tests.app.test_one_machine import gateways, listening

from headgate.app import gateway as running
from headgate.app.up import _check_distinct, _greeting, _ports
from headgate.errors import BadConfiguration
from headgate.gateway.rpc.door import SERVICE
from headgate.gateway.rpc.messages import INFERENCE, message_classes
from headgate.settings import Home, Settings
from headgate.testing.installation import Installation

M = message_classes(INFERENCE)
REQUEST = M["ModelInferRequest"](
    model_name="e", inputs=[{"name": "x", "datatype": "FP64", "shape": [1, 2]}], raw_input_contents=[bytes(16)]
).SerializeToString()


def test_every_worker_answers_on_one_port(tmp_path: Path) -> None:
    with Installation(tmp_path / "home", workers=2) as installation:
        version = installation.linear()
        installation.serve("e", {version: 1.0})
        installation.start()
        for _ in range(24):
            # A connection of its own each: the kernel spreads connections, not calls.
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(f"127.0.0.1:{installation.grpc_port}", options=options) as channel:
                call = channel.unary_unary(f"/{SERVICE}/ModelInfer")
                reply = M["ModelInferResponse"].FromString(call(REQUEST, timeout=10))
                assert reply.model_version == version
        assert all(listening(pid, installation.grpc_port) for pid in gateways(installation).values())
        (counted,) = installation.metric("headgate_requests_total").items()
        assert 'protocol="grpc"' in counted[0]
        assert counted[1] == 24


def test_without_the_extra_it_is_off_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(Home(tmp_path))
    monkeypatch.setattr(running, "speaks_grpc", False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.INFO):
        assert running._rpc(settings, None, 16) is None
    assert "pip install 'headgate[grpc]'" in caplog.text
    assert "grpc-port" not in dict(_ports(settings))
    assert any("pip install 'headgate[grpc]'" in line for line in _greeting(settings.home, settings))


def test_zero_switches_it_off_without_a_word(tmp_path: Path) -> None:
    settings = Settings(Home(tmp_path), grpc_port=0)
    assert running._rpc(settings, None, 16) is None
    assert not any("gRPC" in line for line in _greeting(settings.home, settings))


def test_beside_encrypted_ports_it_is_encrypted_and_said_to_be(tmp_path: Path) -> None:
    settings = Settings(Home(tmp_path), tls_cert=tmp_path / "cert.pem")
    assert any("gRPC" in line and "TLS" in line for line in _greeting(settings.home, settings))
    assert ("grpc-port", 8081) in _ports(settings)


def test_its_port_is_its_own(tmp_path: Path) -> None:
    settings = Settings(Home(tmp_path), grpc_port=8080)
    with pytest.raises(BadConfiguration, match="--grpc-port: 8080 is the --port already"):
        _check_distinct(settings)
    assert f"{settings.host}:8081" in "\n".join(_greeting(Home(tmp_path), Settings(Home(tmp_path))))
