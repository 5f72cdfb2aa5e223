"""access.sqlite: accounts, sessions, tokens, failed sign-ins, the set-up token, acts for the audit trail. All of its
SQL is here.

Secrets are kept as hashes only: argon2id for passwords, SHA-256 for random secrets of 192 bits and more. The file is
the API process's own; commands on the machine may write to it as well, which `stamp` notices. Times are UTC seconds.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.web.security.who import Role

NAME = "access.sqlite"
SCHEMA = 2
PASSWORDS_KEPT = 5
"""The last five are not used again (AC-03)."""

TABLES = """
CREATE TABLE users (
  user TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash TEXT NOT NULL, must_change INTEGER NOT NULL,
  created_at REAL NOT NULL, password_at REAL NOT NULL, disabled_at REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE old_passwords (id INTEGER PRIMARY KEY, user TEXT NOT NULL REFERENCES users, hash TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users, client TEXT NOT NULL,
  created_at REAL NOT NULL, active_at REAL NOT NULL, ends_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES users,
  label TEXT NOT NULL, role TEXT NOT NULL, unit TEXT,
  created_at REAL NOT NULL, expires_at REAL, revoked_at REAL, used_at REAL
) STRICT;
CREATE TABLE failures (id INTEGER PRIMARY KEY, user TEXT NOT NULL, client TEXT NOT NULL, at REAL NOT NULL) STRICT;
CREATE INDEX failures_at ON failures (at);
CREATE TABLE locks (user TEXT PRIMARY KEY, until REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE setup (one INTEGER PRIMARY KEY CHECK (one = 1), hash TEXT NOT NULL, expires_at REAL NOT NULL) STRICT;
CREATE TRIGGER users_stay BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'accounts are disabled, never deleted'); END;
"""
OUTBOX = """
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL) STRICT;
"""
"""Since schema 2: entries for the audit trail, written in the transaction of the act and deleted when delivered."""


@dataclass(frozen=True, slots=True)
class User:
    user: str
    name: str
    role: Role
    hash: str
    must_change: bool
    created_at: float
    password_at: float
    disabled_at: float | None


@dataclass(slots=True)
class Session:
    hash: str
    user: User
    client: str
    created_at: float
    active_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    hash: str
    user: str
    label: str
    role: Role
    unit: str | None
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    used_at: float | None


def digest(secret: str) -> str:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Access:
    """One connection to the file, which is made if need be and readable by its owner only."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        path = data / NAME
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=2.0, isolation_level=None)
        self._changes = 0
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._make()

    def _make(self) -> None:
        with self.together():
            version = self._one("PRAGMA user_version")
            made = version[0] if version is not None else 0
            for statement in (*statements(TABLES * (made < 1)), *statements(OUTBOX * (made < 2))):
                self._db.execute(statement)
            if made < SCHEMA:
                self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def together(self) -> Generator[None]:
        """All or nothing; inside another one, all or nothing of that. Nothing is awaited within: one connection."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def stamp(self) -> tuple[int, int]:
        """Changes whenever accounts, sessions or tokens do, by this connection or by another process."""
        return self._db.execute("PRAGMA data_version").fetchone()[0], self._changes

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        return self._db.execute(sql, values).fetchone()

    def _write(self, sql: str, *values: Any) -> int:
        self._changes += 1
        return self._db.execute(sql, values).rowcount

    # accounts

    def user(self, user: str) -> User | None:
        row = self._one("SELECT * FROM users WHERE user = ?", user)
        return user_of(row) if row else None

    def users(self) -> list[User]:
        return [user_of(row) for row in self._db.execute("SELECT * FROM users ORDER BY user")]

    def has_users(self) -> bool:
        return self._one("SELECT 1 FROM users LIMIT 1") is not None

    def add_user(self, user: str, name: str, role: Role, hash: str, must_change: bool, now: float) -> None:
        values = (user, name, str(role), hash, int(must_change), now, now)
        self._write("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", *values)

    def set_password(self, user: str, hash: str, must_change: bool, now: float) -> None:
        """Keeps the one before among the last five, and ends every session of the account."""
        with self.together():
            self._write("INSERT INTO old_passwords (user, hash) SELECT user, hash FROM users WHERE user = ?", user)
            self._write(
                "DELETE FROM old_passwords WHERE user = ?1 AND id NOT IN "
                "(SELECT id FROM old_passwords WHERE user = ?1 ORDER BY id DESC LIMIT ?2)",
                user,
                PASSWORDS_KEPT - 1,
            )
            sql = "UPDATE users SET hash = ?, must_change = ?, password_at = ? WHERE user = ?"
            self._write(sql, hash, int(must_change), now, user)
            self.end_sessions(user)

    def rehash(self, user: str, hash: str) -> None:
        """The same password under another hash cost."""
        self._write("UPDATE users SET hash = ? WHERE user = ?", hash, user)

    def last_hashes(self, user: str) -> list[str]:
        """Of the last passwords, the present one first."""
        old = self._db.execute("SELECT hash FROM old_passwords WHERE user = ? ORDER BY id DESC", (user,))
        present = self._db.execute("SELECT hash FROM users WHERE user = ?", (user,))
        return [row[0] for row in (*present, *old)]

    def set_role(self, user: str, role: Role) -> None:
        with self.together():
            self._write("UPDATE users SET role = ? WHERE user = ?", str(role), user)
            self.end_sessions(user)

    def set_disabled(self, user: str, at: float | None) -> None:
        with self.together():
            self._write("UPDATE users SET disabled_at = ? WHERE user = ?", at, user)
            self.end_sessions(user)

    # sessions

    def add_session(self, hash: str, user: str, client: str, now: float, ends_at: float, most: int) -> None:
        with self.together():
            self._write("DELETE FROM sessions WHERE ends_at <= ?", now)
            self._write("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", hash, user, client, now, now, ends_at)
            self._write(
                "DELETE FROM sessions WHERE user = ?1 AND hash NOT IN "
                "(SELECT hash FROM sessions WHERE user = ?1 ORDER BY created_at DESC, hash = ?2 DESC LIMIT ?3)",
                user,
                hash,
                most,
            )

    def session(self, hash: str) -> Session | None:
        row = self._one("SELECT * FROM sessions WHERE hash = ?", hash)
        user = self.user(row[1]) if row else None
        return Session(row[0], user, *row[2:]) if row and user else None

    def session_active(self, hash: str, at: float) -> None:
        self._db.execute("UPDATE sessions SET active_at = ? WHERE hash = ?", (at, hash))

    def end_session(self, hash: str) -> None:
        self._write("DELETE FROM sessions WHERE hash = ?", hash)

    def end_sessions(self, user: str) -> None:
        self._write("DELETE FROM sessions WHERE user = ?", user)

    # tokens

    def add_token(
        self, hash: str, user: str, label: str, role: Role, unit: str | None, now: float, expires_at: float | None
    ) -> Token:
        sql = "INSERT INTO tokens (hash, user, label, role, unit, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._write(sql, hash, user, label, str(role), unit, now, expires_at)
        made = self.token(hash)
        assert made is not None
        return made

    def token(self, hash: str) -> Token | None:
        row = self._one("SELECT * FROM tokens WHERE hash = ?", hash)
        return token_of(row) if row else None

    def tokens(self, user: str | None = None) -> list[Token]:
        """Of one account, or all."""
        rows = self._db.execute("SELECT * FROM tokens WHERE ?1 IS NULL OR user = ?1 ORDER BY id", (user,))
        return [token_of(row) for row in rows]

    def token_used(self, id: int, at: float) -> None:
        self._db.execute("UPDATE tokens SET used_at = ? WHERE id = ?", (at, id))

    def revoke_token(self, id: int, at: float, user: str | None = None) -> bool:
        """False where there is no such token (of `user`) in force."""
        sql = "UPDATE tokens SET revoked_at = ?1 WHERE id = ?2 AND revoked_at IS NULL AND (?3 IS NULL OR user = ?3)"
        return self._write(sql, at, id, user) > 0

    # acts on their way to the audit trail

    def post(self, entry: str) -> None:
        self._db.execute("INSERT INTO outbox (entry) VALUES (?)", (entry,))

    def posted(self, most: int) -> list[tuple[int, str]]:
        """The oldest, with their numbers, which grow and are never used again."""
        return self._db.execute("SELECT id, entry FROM outbox ORDER BY id LIMIT ?", (most,)).fetchall()

    def last_posted(self) -> int:
        """The number of the newest; 0 where nothing waits."""
        return self._count("SELECT coalesce(max(id), 0) FROM outbox")

    def take_out(self, id: int) -> None:
        self._db.execute("DELETE FROM outbox WHERE id = ?", (id,))

    # failed sign-ins

    def add_failure(self, user: str, client: str, at: float, forget_before: float) -> None:
        with self.together():
            self._db.execute("DELETE FROM failures WHERE at < ?", (forget_before,))
            self._db.execute("DELETE FROM locks WHERE until < ?", (forget_before,))
            self._db.execute("INSERT INTO failures (user, client, at) VALUES (?, ?, ?)", (user, client, at))

    def failures_of(self, user: str, since: float) -> int:
        return self._count("SELECT count(*) FROM failures WHERE user = ? AND at >= ?", user, since)

    def failures_from(self, client: str, since: float) -> int:
        return self._count("SELECT count(*) FROM failures WHERE client = ? AND at >= ?", client, since)

    def _count(self, sql: str, *values: Any) -> int:
        row = self._one(sql, *values)
        return int(row[0]) if row else 0

    def lock(self, user: str, until: float) -> None:
        self._db.execute("INSERT OR REPLACE INTO locks VALUES (?, ?)", (user, until))

    def locked_until(self, user: str) -> float | None:
        row = self._one("SELECT until FROM locks WHERE user = ?", user)
        return float(row[0]) if row else None

    def forgive(self, user: str) -> None:
        with self.together():
            self._db.execute("DELETE FROM failures WHERE user = ?", (user,))
            self._db.execute("DELETE FROM locks WHERE user = ?", (user,))

    # set-up

    def set_setup(self, hash: str, expires_at: float) -> None:
        self._write("INSERT OR REPLACE INTO setup VALUES (1, ?, ?)", hash, expires_at)

    def setup(self) -> tuple[str, float] | None:
        """Hash and expiry of the set-up token."""
        row = self._one("SELECT hash, expires_at FROM setup")
        return (row[0], float(row[1])) if row else None

    def end_setup(self, hash: str) -> bool:
        """Uses the token up; False where somebody was faster."""
        return self._write("DELETE FROM setup WHERE hash = ?", hash) > 0


def statements(script: str) -> list[str]:
    """The statements of a script; a trigger's body keeps its semicolons."""
    found, so_far = list[str](), ""
    for line in script.strip().splitlines():
        so_far += line + "\n"
        if sqlite3.complete_statement(so_far):
            found.append(so_far)
            so_far = ""
    return found


def user_of(row: tuple[Any, ...]) -> User:
    user, name, role, hash, must_change, created_at, password_at, disabled_at = row
    return User(user, name, Role(role), hash, bool(must_change), created_at, password_at, disabled_at)


def token_of(row: tuple[Any, ...]) -> Token:
    id, hash, user, label, role, unit, *times = row
    return Token(id, hash, user, label, Role(role), unit, *times)
