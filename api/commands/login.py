"""Sign in once and store a token for this terminal's user."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import socket
import sys
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from api.refusal import Refusal

EXAMPLE = "osteon login --url http://127.0.0.1:8620 --user kim"
DAYS = 30
LONGEST_WAIT_S = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", default="http://127.0.0.1:8620", help="where the service answers (default: %(default)s)"
    )
    parser.add_argument("--user", default=getpass.getuser(), help="account (default: your name on this machine)")
    parser.add_argument("--password-stdin", action="store_true", help="the password as one line of input")


def run(options: argparse.Namespace) -> int:
    root = options.url.rstrip("/")
    if not root.startswith(("http://", "https://")):
        raise Refusal(f"{options.url} is not an address that starts with http:// or https://")
    if not options.password_stdin and not sys.stdin.isatty():
        raise Refusal("there is no terminal to ask for the password; give it as one line of input: --password-stdin")
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    session = ask(opener, f"{root}/api/v1/session", {"user": options.user, "password": password}, "1")
    wanted = {"label": f"login on {socket.gethostname()}"[:80], "role": session["role"], "days": DAYS}
    made = ask(opener, f"{root}/api/v1/tokens", wanted, session["csrf"])
    ask(opener, f"{root}/api/v1/session", None, session["csrf"], "DELETE")
    path = store(root, made["token"])
    print(f"signed in as {session['user']} ({session['role']}) for {DAYS} days; token {made['id']} stored in {path}")
    return 0


def ask(opener: urllib.request.OpenerDirector, url: str, body: Any, forgery: str, method: str = "POST") -> Any:
    """One request; raises Refusal with the service's sentence."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-Osteon": forgery, **({} if data is None else {"Content-Type": "application/json"})}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  http(s) only, checked before
    try:
        with opener.open(request, timeout=LONGEST_WAIT_S) as answer:
            return json.loads(answer.read() or b"null")
    except HTTPError as error:
        raise Refusal(sentence(error)) from None
    except (URLError, TimeoutError) as error:
        raise Refusal(f"{url} does not answer: {getattr(error, 'reason', error)}") from None


def sentence(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered {error.code}"


def place() -> Path:
    """Where this terminal's tokens are kept: address -> token."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "osteon" / "tokens.json"


def store(url: str, token: str) -> Path:
    """Keep a token, in a file that its owner alone can read."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**kept, url: token}, file, indent=1)
    fresh.replace(path)
    return path
