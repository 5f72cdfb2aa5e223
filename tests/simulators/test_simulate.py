"""`simulate`: one device or a whole bench for any program."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tty
from contextlib import contextmanager

import pytest

from simulators.__main__ import main
from simulators.core.faults import FAULTS
from tests.simulators.small_bench import TEXT


@contextmanager
def simulate(*arguments: object, lines: int = 1):
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators", "simulate", *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        assert all(line.startswith("ready ") for line in said)
        yield [line.split()[1] for line in said]
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(url: str, said: bytes, end: bytes) -> bytes:
    host, port = url.split("://")[1].split(":")
    got = b""
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(said)
        while not got.endswith(end):
            more = connection.recv(1000)
            if not more:
                break
            got += more
    return got


def test_a_balance_on_tcp_shows_what_was_set():
    with simulate("mettler_toledo_mt_sics", "--tcp", "127.0.0.1:0", "--set", "weight=12.34") as (url,):
        assert url.startswith("tcp://127.0.0.1:")
        assert ask(url, b"SI\r\n", b"\r\n") == b"S S      12.34 g\r\n"


def test_a_pump_on_a_pseudo_terminal_answers_its_address(tmp_path):
    path = tmp_path / "pump"
    with simulate("new_era_ne1000", "--pty", path, "--address", 3) as (url,):
        assert url == f"serial://{path}"
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        os.write(fd, b"3VER\r")
        got = b""
        while not got.endswith(b"\x03"):
            assert select.select([fd], [], [], 10)[0]
            got += os.read(fd, 100)
        os.close(fd)
        assert got.startswith(b"\x0203")
    assert not path.exists()


def test_a_whole_bench_listens_on_the_urls_of_its_file(tmp_path):
    bench = tmp_path / "bench.toml"
    bench.write_text(TEXT)
    with simulate(bench, lines=2) as (pumps, balance):
        assert ask(pumps, b"1VER\r", b"\x03").startswith(b"\x0201")
        assert ask(balance, b"SI\r\n", b"\r\n").startswith(b"S ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["mettler", "--tcp", "127.0.0.1:0"], 1, "did you mean mettler_toledo_mt_sics?"),
        (["Memmert_ICO", "--tcp", "127.0.0.1:0"], 1, "did you mean memmert_ico?"),
        (["xyz", "--tcp", "127.0.0.1:0"], 1, "there are memmert_ico"),
        (["memmert_ico", "--tcp", "127.0.0.1:80000"], 1, "0-65535"),
        (
            ["mettler_toledo_mt_sics", "--pty", "/no/such/folder/port"],
            1,
            "simulate: /no/such/folder/port: No such file",
        ),
        (["mettler_toledo_mt_sics", "--tcp", "127.0.0.1:0", "--set", "ph=7"], 1, "weight"),
        (["mettler_toledo_mt_sics", "--tcp", "127.0.0.1:0", "--fault", "check-valve"], 1, "whole bench"),
        (["mettler_toledo_mt_sics", "--tcp", "127.0.0.1"], 1, "tcp://HOST:PORT"),
        (
            ["hamilton_arc_ph", "--tcp", "127.0.0.1:0", "--option", "drift=1"],
            1,
            "no option drift; it has drift_per_day",
        ),
        (["new_era_ne1000", "--tcp", "127.0.0.1:0", "--variant", "x"], 1, "no option variant; it has none"),
        (["memmert_ico", "--tcp", "127.0.0.1:0", "--variant", "x"], 1, "is none of fragment"),
        (["none.toml"], 1, "none.toml"),
    ],
)
def test_a_refusal_says_what_would_be_right(arguments, code, says, capsys):
    assert main(["simulate", *arguments]) == code
    assert says in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_with_what_to_do(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["simulate", "mettler_toledo_mt_sics", "--tcp", f"127.0.0.1:{taken.getsockname()[1]}"]) == 1
    said = capsys.readouterr().err
    assert "in use" in said
    assert "choose another port" in said


def test_wrong_usage_ends_with_two(capsys):
    with pytest.raises(SystemExit) as end:
        main(["simulate", "memmert_ico"])
    assert end.value.code == 2
    assert main([]) == 2
    assert main(["unknown"]) == 2


def test_faults_are_listed(capsys):
    assert main(["simulate", "--list-faults"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n{kind}:\n" in f"\n{told}" for kind in ("link", "device", "plant", "people"))
    assert all(f"  {name} " in told for name in FAULTS)
    assert "(hours=6)" in told and "after_s=0" in told


def test_help_has_an_example(capsys):
    assert main(["--help"]) == 0
    with pytest.raises(SystemExit) as end:
        main(["simulate", "--help"])
    assert end.value.code == 0
    assert "--set ph=7.2" in capsys.readouterr().out
