"""The password of the demo, new at each start. Standard library only: the command that starts the demo makes it, the
API process takes it up, and a restart of the API alone changes nothing."""

from __future__ import annotations

import os
import secrets
import string
from pathlib import Path

FILE = "demo-password"
USER = "demo"
LETTERS = "".join(sorted(set(string.ascii_lowercase + string.digits) - set("0o1li")))


def new_password(data: Path) -> str:
    """Made, written to a file that its owner alone can read, and returned to be printed. 78 bits."""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
    data.mkdir(parents=True, exist_ok=True)
    path = data / FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password


def read_password(data: Path) -> str:
    """As the last start of the demo wrote it."""
    return (data / FILE).read_text(encoding="utf-8").strip()
