"""A port that is not to be had is explained, with who has it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from api.refusal import Refusal
from api.service_child import address_of, check_port, how_to_sign_in
from api.web.ports import listening

pytestmark = pytest.mark.real_time


def test_a_taken_port_names_its_holder_and_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for take in (
            lambda: check_port(tmp_path, "127.0.0.1", port),
            lambda: listening("127.0.0.1", port, 1).__enter__(),
        ):
            with pytest.raises(Refusal) as refused:
                take()
            assert f"port {port} is in use by" in str(refused.value)
            assert f"(pid {os.getpid()})" in str(refused.value)
            assert "--port" in str(refused.value)


def test_serve_refuses_a_taken_port_before_it_starts_anything(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as other:
        line = (sys.executable, "-m", "api.cli", "serve", "--bench", bench, "--data", tmp_path / "d", "--port")
        done = subprocess.run([*line, str(other.getsockname()[1])], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is in use by" in done.stderr
    assert not (tmp_path / "d").exists()


def test_an_address_that_is_not_of_this_machine_is_a_sentence() -> None:
    with pytest.raises(Refusal, match="choose an address of this machine"), listening("203.0.113.7", 0, 1):
        pass


def test_a_free_port_is_taken_and_given_back() -> None:
    with listening("127.0.0.1", 0, 5) as taken:
        port = taken.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = taken.accept()
            accepted.close()
    with listening("127.0.0.1", port, 5):
        pass


def test_the_address_of_the_page_is_read_back(tmp_path: Path) -> None:
    assert address_of(tmp_path) is None
    (tmp_path / "api.url").write_text("http://127.0.0.1:8620\n")
    assert address_of(tmp_path) == ("127.0.0.1", 8620)
    (tmp_path / "api.url").write_text("https://[::1]:443\n")
    assert address_of(tmp_path) == ("::1", 443)


def test_the_set_up_token_is_named_only_while_there_is_one(tmp_path: Path) -> None:
    assert how_to_sign_in(tmp_path) == ""
    (tmp_path / "setup-token").write_text("abc\n")
    assert "abc" in how_to_sign_in(tmp_path)
