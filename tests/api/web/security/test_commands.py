"""osteon user, osteon token, osteon login: the same accounts from the machine itself."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from pathlib import Path

import pytest
import uvicorn

from api.cli import main
from api.commands import login
from api.refusal import Refusal
from api.web.security.who import Role
from tests.api.web.security.house import API, PASSWORD, House, kind, sign_in


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


async def test_an_account_made_on_the_machine_signs_in_with_a_password_for_one_use(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(house.settings.data)]
    given = add_user(where, capsys)
    async with house.visitor() as client:
        assert kind(await sign_in(client, "kim", given)) == "password-change-needed"
        assert (await sign_in(client, "kim", given, new_password=PASSWORD)).json()["role"] == "operator"
        assert main(["user", "disable", "kim", *where]) == 0
        assert kind(await client.get(f"{API}/session")) == "not-signed-in", "another process ends the session at once"
    assert main(["user", "list", "--json", *where]) == 0
    listed = json.loads(said(capsys).partition("\n")[2])
    assert [(each["user"], each["disabled"]) for each in listed] == [("admin", False), ("kim", True)]


def add_user(where: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The printed password of a new operator kim. The command runs a loop of its own, hence the thread."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        words = ["user", "add", "kim", "--name", "K. Kim", "--role", "operator", *where]
        assert thread.submit(main, words).result() == 0
    return said(capsys).strip().rpartition(" ")[2]


def test_a_first_account_made_on_the_machine_ends_set_up(empty_house: House) -> None:
    assert empty_house.gate.setup.needed
    where = ["--data", str(empty_house.settings.data)]
    assert main(["user", "add", "chief", "--name", "C", "--role", "admin", *where]) == 0
    assert not empty_house.gate.setup.needed


def test_wrong_names_and_weak_passwords_are_a_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--name", "K", "--role", "viewer", "--data", str(tmp_path)]
    assert main(["user", "add", "K im", *words]) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("password1234\n"))
    assert main(["user", "add", "kim", "--password-stdin", *words]) == 1
    told = capsys.readouterr().err
    assert "a user name is" in told
    assert "common" in told
    assert main(["token", "list", "--data", str(tmp_path / "none")]) == 1
    assert "has no accounts yet" in capsys.readouterr().err


@pytest.mark.req("SEC-09")
async def test_a_token_made_on_the_machine_works_is_listed_without_secret_and_revoked(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(house.settings.data)]
    await house.add("kim", Role.OPERATOR)
    assert main(["token", "create", "--role", "operator", *where]) == 0
    secret = said(capsys).strip()
    async with house.visitor() as script:
        bearer = {"authorization": f"Bearer {secret}"}
        assert (await script.post(f"{API}/act", headers=bearer)).status_code == 200
        assert main(["token", "list", *where]) == 0
        listed = said(capsys)
        assert "kim" in listed
        assert secret not in listed
        assert main(["token", "revoke", "1", *where]) == 0
        assert kind(await script.post(f"{API}/act", headers=bearer)) == "not-signed-in"
    assert main(["token", "revoke", "1", *where]) == 1
    assert main(["token", "create", "--role", "viewer", *where]) == 1
    assert "--user (admin, kim)" in capsys.readouterr().err
    assert main(["token", "create", "--role", "supervisor", "--user", "kim", *where]) == 1


def test_a_stored_token_is_readable_by_its_owner_only_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    login.store("http://one", "osteon_1")
    path = login.store("http://two", "osteon_2")
    assert json.loads(path.read_text()) == {"http://one": "osteon_1", "http://two": "osteon_2"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_signing_in_where_nobody_answers_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("whatever\n"))
    assert main(["login", "--url", "file:///etc/passwd", "--user", "kim", "--password-stdin"]) == 1
    with pytest.raises(Refusal, match="does not answer"):
        login.ask(login.urllib.request.build_opener(), "http://127.0.0.1:9/api/v1/session", {}, "1")


@pytest.mark.real_time
async def test_login_against_a_real_server_stores_a_token_that_works(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.add("kim", Role.OPERATOR)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    with socket.create_server(("127.0.0.1", 0)) as port:
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        config = uvicorn.Config(house.guard, loop="asyncio", lifespan="off", log_level="warning", proxy_headers=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[port]))
        words = ["login", "--url", url, "--user", "kim", "--password-stdin"]
        assert await asyncio.get_running_loop().run_in_executor(None, main, words) == 0
        server.should_exit = True
        await serving
    secret = json.loads(login.place().read_text())[url]
    async with house.visitor(authorization=f"Bearer {secret}") as script:
        assert (await script.post(f"{API}/act")).status_code == 200
    assert [token.label.split()[0] for token in house.gate.access.tokens()] == ["login"]
