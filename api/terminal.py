"""Shows the view: on a terminal twice a second in place, elsewhere one line whenever something changed."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from api import past_child
from api.refusal import Refusal
from api.socket_client import NoController, ask
from api.view import Line, Look, Snapshot, cut, lines, plain

FRAME_S = 0.5
PLAIN_S = 2.0
"""Between two lines where there is no terminal."""
ANSWER_S = 2.0
REMARK_S = 20.0
"""A remark of the supervisor leaves the picture after this time."""

OPEN_SCREEN, CLOSE_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


async def watch(data: Path, said: Sequence[str] = ()) -> None:
    """Show the bench of `data` until cancelled; `said` are remarks: the first stays, the last for a while."""
    if not sys.stdout.isatty():
        await scroll(data, said)
        return
    sys.stdout.write(OPEN_SCREEN)
    told, frames = 0, 0
    try:
        while True:
            told, frames = (told, frames + 1) if len(said) == told else (len(said), 0)
            remark = [*said[:1], *(said[-1:] if frames < REMARK_S / FRAME_S else ())]
            size = shutil.get_terminal_size()
            sys.stdout.write(frame(picture(data, remark, size.columns, size.lines)))
            sys.stdout.flush()
            await asyncio.sleep(FRAME_S)
    finally:
        sys.stdout.write(CLOSE_SCREEN)
        sys.stdout.flush()


def picture(data: Path, said: Sequence[str], width: int, height: int) -> list[Line]:
    foot = [cut(Line(f" {remark}", Look.DIM), width) for remark in dict.fromkeys([*said[:1], *said[-1:]])]
    foot.append(Line(" Ctrl-C ends in order; the next start goes on", Look.DIM))
    shown = snapshot(data)
    if isinstance(shown, str) and (past := past_child.progress(data)) is not None:
        shown = cut(Line(past.bar()), width - 1).text
    body = [Line(f" {shown}")] if isinstance(shown, str) else lines(shown, width, height - len(foot) - 1)
    return [*body, *foot]


def frame(shown: Sequence[Line]) -> str:
    """The lines as terminal output that overwrites the frame before without flicker."""
    painted = (f"\x1b[{line.look.value}m{line.text}\x1b[0m" if line.look.value else line.text for line in shown)
    return HOME + "\r\n".join(text + REST_OF_LINE for text in painted) + REST_OF_SCREEN


async def scroll(data: Path, said: Sequence[str]) -> None:
    last, told = "", 0
    while True:
        for remark in said[told:]:
            print(remark, flush=True)
        told = len(said)
        shown = snapshot(data)
        text = unled(data, shown) if isinstance(shown, str) else plain(shown)
        if text != last:
            print(text, flush=True)
        last = text
        await asyncio.sleep(PLAIN_S)


def unled(data: Path, why: str) -> str:
    """While no controller answers: `why`, or the whole day that the rehearsal of the past has come to."""
    past = past_child.progress(data)
    return why if past is None else past._replace(day=past.day // 1).words(0)


def snapshot(data: Path) -> Snapshot | str:
    """The controller's snapshot, or the sentence that says why there is none."""
    try:
        return ask(data, "snapshot", timeout_s=ANSWER_S)
    except NoController:
        return "waiting for the controller"
    except Refusal as error:
        return str(error)
