"""A picture for a hand step from a file of this machine: the same checks and the same record as over HTTP."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path
from typing import Any

from api.refusal import Refusal
from api.socket_client import NoController, ask

PART_BYTES = 1 << 16
MOST_BYTES = 20 << 20


def photo(options: argparse.Namespace) -> int:
    from controller.store.pictures import Incoming, NoPicture, file_of

    file: Path = options.file
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Refusal(f"{file}: a photo has at most {MOST_BYTES >> 20} MiB")
        with file.open("rb") as source, Incoming(options.data) as coming:
            while part := source.read(PART_BYTES):
                coming.take(part)
            picture = coming.finish()
    except NoPicture as error:
        raise Refusal(f"{file}: {error}") from None
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from None
    facts: dict[str, Any] = {
        "photo": picture.photo,
        "kind": picture.kind,
        "bytes": picture.bytes,
        "sha256": picture.sha256,
    }
    try:
        done = ask(options.data, "add_photo", key=secrets.token_hex(8), run=options.id, path=options.path, **facts)
    except NoController:
        raise  # it may be on record all the same: the file stays
    except Refusal:
        file_of(options.data, picture.photo, picture.kind).unlink(missing_ok=True)
        raise
    print(json.dumps(done) if options.json else f"{done['photo']}: on record; its entry takes this name")
    return 0
