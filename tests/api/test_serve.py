"""`osteon serve` with the real controller: refusals, kills, adoption, orderly end. Real processes, real time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api import processes
from api.simulators_child import bench_file
from api.socket_client import NoController, ask

OSTEON = (sys.executable, "-m", "api.cli")


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """The bench that ships, its links leading to ports where nobody listens: every device is bad."""
    path = tmp_path / "bench.toml"
    text = bench_file("stirred-100").read_text()
    for port in (18080, 18081, 18082, 18083):
        text = text.replace(f":{port}", ":9")
    path.write_text(text)
    return path


@contextmanager
def serving(bench: Path, data: Path) -> Iterator[subprocess.Popen[str]]:
    line = [*OSTEON, "serve", "--bench", str(bench), "--data", str(data), "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
        for name in ("controller", "api"):
            running = processes.read(data / f"{name}.pid")
            if running is not None:
                os.kill(running.pid, signal.SIGKILL)


def osteon(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*OSTEON, *words], capture_output=True, text=True, check=False, timeout=60)


def until(true: Callable[[], object]) -> None:
    for _ in range(600):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("did not come true within 30 s")


def epoch(data: Path) -> int:
    """Of the controller that answers; 0 when none does, or while it starts."""
    try:
        return int(ask(data, "hello", timeout_s=2.0)["epoch"])
    except NoController:
        return 0


def test_a_broken_bench_file_ends_serve_with_its_faults_and_starts_nothing(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text('[bench]\nname = "x"\nlamp = 1\n')
    done = osteon("serve", "--bench", str(bench), "--data", str(tmp_path / "data"), "--port", "0")
    assert done.returncode == 1
    assert f"{bench}:3:" in done.stderr
    assert "page at" not in done.stdout
    assert not (tmp_path / "data" / "ledger.db").exists()


def test_an_open_page_without_tls_is_refused_before_anything_starts(bench: Path, tmp_path: Path) -> None:
    for words in (("--host", "0.0.0.0"), ("--key", "key.pem")):
        done = osteon("serve", "--bench", str(bench), "--data", str(tmp_path / "data"), "--port", "0", *words)
        assert done.returncode == 1
        assert "--certificate and --key" in done.stderr
        assert not (tmp_path / "data").exists()


def test_a_killed_controller_comes_back_in_a_new_epoch(bench: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(bench, data):
        until(lambda: epoch(data) == 1)
        os.kill(ask(data, "hello")["pid"], signal.SIGKILL)
        until(lambda: epoch(data) == 2)


def test_a_killed_supervisor_leaves_the_controller_in_control_and_the_next_one_takes_over(
    bench: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with serving(bench, data) as first:
        until(lambda: epoch(data) == 1)
        pid = ask(data, "hello")["pid"]
        first.kill()
        first.wait()
        assert ask(data, "hello")["pid"] == pid
        (data / "controller.pid").unlink()  # killed before it could write its record
        with serving(bench, data) as second:
            assert second.stdout is not None
            assert "going on with the api that is running" in second.stdout.readline()
            assert f"going on with the controller that is running (pid {pid})" in second.stdout.readline()
            assert epoch(data) == 1
        assert second.returncode == 0
        with pytest.raises(NoController):
            ask(data, "hello")


@pytest.mark.req("AC-08")
def test_beside_a_serving_controller_hold_works_without_sign_in_and_a_second_serve_is_refused(
    bench: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with serving(bench, data):
        until(lambda: epoch(data) == 1 and ask(data, "hello")["state"] == "running")
        again = osteon("serve", "--bench", str(bench), "--data", str(data), "--port", "0")
        hold = osteon("hold", "--data", str(data))
        stop = osteon("stop-pumps", "--data", str(data))
        assert epoch(data) == 1
    assert (again.returncode, hold.returncode, stop.returncode) == (1, 0, 1)
    assert "already served" in again.stderr
    assert "no run to hold" in hold.stdout
    assert "pump_in NOT CONFIRMED" in stop.stdout


def page_says(data: Path) -> str:
    """What the page's process answers about health; "" while nobody does."""
    try:
        with urllib.request.urlopen(f"{(data / 'api.url').read_text().strip()}/api/v1/health", timeout=2) as answer:
            return str(json.load(answer)["status"])
    except OSError:
        return ""


@pytest.mark.req("SEC-02", "SEC-22")
def test_a_killed_page_comes_back_by_itself_and_the_controller_never_notices(bench: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(bench, data) as serve:
        until(lambda: page_says(data) == "ok")
        pid = ask(data, "hello")["pid"]
        page = processes.read(data / "api.pid")
        assert page is not None
        os.kill(page.pid, signal.SIGKILL)
        until(lambda: (new := processes.read(data / "api.pid")) is not None and new.pid != page.pid)
        until(lambda: page_says(data) == "ok")
        assert (ask(data, "hello")["pid"], epoch(data)) == (pid, 1)
        serve.send_signal(signal.SIGTERM)
        said = serve.communicate()[0]
    assert "page at http://127.0.0.1:" in said
    assert f"set-up token {(data / 'setup-token').read_text().strip()}" in said
    assert said.rstrip().endswith("pumps stand still")
    assert page_says(data) == ""
