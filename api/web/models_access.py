"""What is sent and answered about sessions, accounts and tokens. Strict; unknown fields are refused (SEC-10)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def writable(text: str) -> str:
    """Half a letter (a lone surrogate) cannot be written anywhere."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a letter") from None
    return text


def writable_secret(secret: SecretStr) -> SecretStr:
    writable(secret.get_secret_value())
    return secret


RoleName = Literal["viewer", "operator", "supervisor", "admin", "machine"]
Named = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(writable)]
FullName = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(writable)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=512), AfterValidator(writable_secret)]
"""Longer than any that is allowed, so that the rule itself can say what is wrong; shown as stars wherever printed."""
Secret = Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(writable_secret)]


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class SignIn(Sent):
    model_config = example(user="demo", password="as printed at the start")  # noqa: S106  an example

    user: Named
    password: Password
    new_password: Password | None = None
    """Where the problem `password-change-needed` asked for one."""


class SessionView(Answered):
    model_config = example(
        user="demo",
        name="Demo",
        role="supervisor",
        csrf="5f0c…",
        view_only=False,
        insecure=False,
        idle_s=900,
        ends_at=1_790_000_000,
        commands=["start", "pause", "resume", "hold", "restart", "stop", "abort", "reset"],
        acts=True,
        decides=True,
    )

    user: str
    name: str
    role: RoleName
    """In force now: viewer while view-only."""
    csrf: str
    """To be sent as header X-Osteon with every change; empty for tokens, which need none."""
    view_only: bool
    insecure: bool
    """Reachable from elsewhere without TLS: show the banner."""
    idle_s: float
    ends_at: float | None
    """UTC s of the absolute limit."""
    commands: list[str]
    """Commands of a run that this person may give now, by their causes."""
    acts: bool
    decides: bool
    """May acknowledge, answer tasks, hold, stop pumps."""


class PasswordChange(Sent):
    model_config = example(password="the one so far", new_password="a longer, new one")  # noqa: S106  an example

    password: Password
    new_password: Password


class SetUpState(Answered):
    model_config = example(needed=True)

    needed: bool


class SetUp(Sent):
    model_config = example(token="as printed at the start", user="chief", name="C. Chief", password="twelve or more")  # noqa: S106

    token: Secret
    user: Named
    name: FullName
    password: Password


class UserView(Answered):
    model_config = example(
        user="kim", name="K. Kim", role="operator", disabled=False, must_change=True, created_at=1_790_000_000
    )

    user: str
    name: str
    role: RoleName
    disabled: bool
    must_change: bool
    """The password was given by an administrator and has not been changed yet."""
    created_at: float
    """UTC s."""


class NewUser(Sent):
    model_config = example(user="kim", name="K. Kim", role="operator", password=None)

    user: Named
    name: FullName
    role: RoleName
    password: Password | None = None
    """Single use; None = one is made and answered once."""


class RoleChange(Sent):
    model_config = example(role="supervisor")

    role: RoleName


class PasswordReset(Sent):
    model_config = example(password=None)

    password: Password | None = None


class InitialPassword(Answered):
    model_config = example(user="kim", password="shown once")  # noqa: S106  an example

    user: str
    password: str | None
    """The single-use password that was made here; None where the administrator gave one."""


class NewToken(Sent):
    model_config = example(label="night script", role="operator", days=30, unit="reactor")

    label: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(writable)]
    role: RoleName
    days: Annotated[int, Field(ge=1, le=4000)] | None = 90
    """None = no end, for wall screens of role viewer."""
    unit: Named | None = None


class TokenView(Answered):
    model_config = example(
        id=3,
        user="kim",
        label="night script",
        role="operator",
        unit="reactor",
        created_at=1_790_000_000,
        expires_at=1_792_592_000,
        revoked=False,
        used_at=None,
    )

    id: int
    user: str
    label: str
    role: RoleName
    unit: str | None
    created_at: float
    expires_at: float | None
    revoked: bool
    used_at: float | None


class TokenShown(Answered):
    model_config = example(token="osteon_…", id=3)  # noqa: S106  an example

    token: str
    """Never shown again."""
    id: int
