"""Accounts on the machine itself: add, disable, enable, list. For whoever may write the data directory."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from api.folders import data_argument, json_argument
from api.local_acts import accounts_exist, record
from api.table import table
from api.web.security.access import Access, User
from api.web.security.accounts import Accounts
from api.web.security.passwords import Hasher, made
from api.web.security.settings import Settings
from api.web.security.who import Role

EXAMPLE = "osteon user add kim --name 'K. Kim' --role operator"


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="a new account; prints its single-use password", epilog=f"example: {EXAMPLE}")
    add.add_argument("user", metavar="USER")
    add.add_argument("--name", required=True, help="full name, as it stands in records")
    add.add_argument("--role", required=True, choices=[str(role) for role in Role])
    add.add_argument("--password-stdin", action="store_true", help="a first password as one line of input instead")
    for verb, summary in (("disable", "no more sign-ins, sessions or tokens"), ("enable", "undo a disabling")):
        part = verbs.add_parser(verb, help=summary, epilog=f"example: osteon user {verb} kim")
        part.add_argument("user", metavar="USER")
        data_argument(part)
    listing = verbs.add_parser("list", help="every account", epilog="example: osteon user list --json")
    json_argument(listing)
    data_argument(add)
    data_argument(listing)


def run(options: argparse.Namespace) -> int:
    if options.verb != "add":
        accounts_exist(options.data)
    settings = Settings(options.data)
    access, hasher = Access(options.data), Hasher(settings.hash_cost, settings.hash_queue)
    accounts = Accounts(access, hasher, settings)
    try:
        if options.verb == "add":
            return add(accounts, options)
        if options.verb == "list":
            return show(access.users(), options.json)
        changed = accounts.disable(options.user) if options.verb == "disable" else accounts.enable(options.user)
        record(options.data, f"account {options.verb}d", changed.user)
        print(f"{changed.user} is {options.verb}d")
        return 0
    finally:
        hasher.close()
        access.close()


def add(accounts: Accounts, options: argparse.Namespace) -> int:
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else made()
    asyncio.run(accounts.add(options.user, options.name, Role(options.role), password, must_change=True))
    record(options.data, "account made", options.user, options.role)
    print(f"{options.user} may sign in as {options.role}; the first sign-in must choose another password")
    if not options.password_stdin:
        print(f"password for that one use: {password}")
    return 0


def show(users: list[User], as_json: bool) -> int:
    if as_json:
        facts = [
            {"user": each.user, "name": each.name, "role": str(each.role), "disabled": each.disabled_at is not None}
            for each in users
        ]
        print(json.dumps(facts, indent=1))
    else:
        rows = [(each.user, each.name, str(each.role), "disabled" if each.disabled_at else "") for each in users]
        print(table(("user", "name", "role", "state"), rows))
    return 0
