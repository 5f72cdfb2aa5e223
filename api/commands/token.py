"""API tokens on the machine itself: create (shown once), list, revoke. For whoever may write the data directory."""

from __future__ import annotations

import argparse
import json

from api.folders import data_argument, json_argument
from api.local_acts import accounts_exist, record
from api.refusal import Refusal
from api.table import table
from api.web.security.access import Access, Token, User
from api.web.security.roles import within
from api.web.security.settings import DAY_S, Settings
from api.web.security.tokens import Tokens
from api.web.security.who import Role
from controller.clock import iso

EXAMPLE = "osteon token create --role operator --user kim --days 30"
ENDLESS = "never"


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="a new token, shown once", epilog=f"example: {EXAMPLE}")
    create.add_argument("--role", required=True, choices=[str(role) for role in Role], help="at most its owner's")
    create.add_argument("--user", help="whose token (default: the only account that may own it)")
    create.add_argument("--label", default="made on the machine", help="what it is for")
    create.add_argument("--days", type=days, default=90, metavar="N", help="1 to 400, or 'never' for viewers (90)")
    create.add_argument("--unit", help="acts on this unit only")
    json_argument(create)
    listing = verbs.add_parser("list", help="every token, without its secret", epilog="example: osteon token list")
    json_argument(listing)
    revoke = verbs.add_parser("revoke", help="end a token at once", epilog="example: osteon token revoke 3")
    revoke.add_argument("id", type=int, metavar="ID")
    for part in (create, listing, revoke):
        data_argument(part)


def days(text: str) -> int | None:
    return None if text == ENDLESS else int(text)


def run(options: argparse.Namespace) -> int:
    accounts_exist(options.data)
    settings, access = Settings(options.data), Access(options.data)
    try:
        if options.verb == "create":
            return create(access, settings, options)
        if options.verb == "list":
            return show(access.tokens(), settings.wall(), options.json)
        if not access.revoke_token(options.id, settings.wall()):
            raise Refusal(f"there is no token {options.id} in force")
        record(options.data, "token revoked", f"token {options.id}")
        print(f"token {options.id} is revoked")
        return 0
    finally:
        access.close()


def create(access: Access, settings: Settings, options: argparse.Namespace) -> int:
    role = Role(options.role)
    owner = owner_of(access, role, options.user)
    secret, token = Tokens(access, settings).create(owner, options.label, role, options.days, options.unit)
    record(options.data, "token made", f"token {token.id}", f"{options.label} ({role}, of {owner.user})")
    print(json.dumps({"id": token.id, "token": secret, "user": owner.user}) if options.json else secret)
    return 0


def owner_of(access: Access, role: Role, user: str | None) -> User:
    """The named account, or the only one that may own a token of this role; raises Refusal."""
    if user is not None:
        found = access.user(user)
        if found is None or found.disabled_at is not None:
            raise Refusal(f"there is no account {user!r} in force")
        return found
    may = [each for each in access.users() if each.disabled_at is None and within(role, each.role)]
    if len(may) != 1:
        names = ", ".join(each.user for each in may) or "none may"
        raise Refusal(f"say whose token it is with --user ({names})")
    return may[0]


def show(tokens: list[Token], now: float, as_json: bool) -> int:
    facts = [
        {
            "id": each.id,
            "user": each.user,
            "label": each.label,
            "role": str(each.role),
            "unit": each.unit,
            "state": state(each, now),
            "used": None if each.used_at is None else iso(each.used_at),
        }
        for each in tokens
    ]
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        rows = [[str(fact[name] or "-") for name in ("id", "user", "role", "unit", "state", "label")] for fact in facts]
        print(table(("id", "user", "role", "unit", "state", "label"), rows))
    return 0


def state(token: Token, now: float) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is None:
        return "no end"
    left = token.expires_at - now
    return "expired" if left <= 0 else f"{left / DAY_S:.0f} d left"
