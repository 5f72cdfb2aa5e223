"""Makes the golden data folders: each by the code of the commit that wrote that schema (`python tests/golden/make.py`).

A folder that is there already is left alone: what an earlier program wrote is a fact and does not change any more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
COMMITS = {
    1: "b6c95ec",
    2: "b49ad90",
    3: "cd3ab67",
    4: "7e0414a",
    5: "edf08a2",
    6: "b6cccff",
    7: "15a922a",
    8: "b8a3017",
    9: "5ff8052",
    10: "f747e7d",
}
"""Schema -> the last commit before the next schema; of the newest schema the newest commit when its folder was made."""
SCENES = ("exchange", "wait")
LEFT_OUT = ("controller.lock",)


def git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=HERE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pack(folder: Path, target: Path) -> None:
    """The folder as one archive: sorted, without the times of its files, so that equal folders give equal archives."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in LEFT_OUT:
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes(),
                                 zipfile.ZIP_DEFLATED, 9)  # fmt: skip


def main() -> None:
    for schema, commit in COMMITS.items():
        wanted = {scene: HERE / f"schema-{schema}-{scene}.zip" for scene in SCENES}
        if all(target.exists() for target in wanted.values()):
            continue
        with tempfile.TemporaryDirectory() as place:
            tree = Path(place) / "tree"
            git("worktree", "add", "--detach", str(tree), commit)
            try:
                for scene, target in wanted.items():
                    out = Path(place) / scene
                    words = [sys.executable, str(HERE / "scene.py"), str(out), scene]
                    subprocess.run(words, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True)
                    pack(out, target)
                    print(target.name, target.stat().st_size)
            finally:
                git("worktree", "remove", "--force", str(tree))


if __name__ == "__main__":
    main()
