"""The five names are ours, and the wheel holds what a run needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "controller", "drivers", "protocols", "simulators")
DATA = {".csv", ".yaml", ".toml", ".sql"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation and without the network: hatchling is in the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize("name", PACKAGES)
def test_the_top_level_name_is_ours(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin) == ROOT / name / "__init__.py"


def test_the_wheel_has_the_five_packages_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_every_table_recipe_and_bench_of_the_tree_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(f.relative_to(ROOT)) for name in PACKAGES for f in (ROOT / name).rglob("*") if f.suffix in DATA}
    assert any(name.endswith(".csv") for name in wanted)
    assert wanted <= held


def test_the_command_runs_from_an_unpacked_wheel(wheel: Path, tmp_path: Path) -> None:
    """With the locked dependencies of this environment, and with no way to the tree."""
    environment = tmp_path / "venv"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    zipfile.ZipFile(wheel).extractall(site)
    theirs = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    code = (
        f"import sys; sys.path.append({str(theirs)!r})\n"
        "import api.cli, simulators; print(api.cli.__file__, simulators.__file__)\n"
        "raise SystemExit(api.cli.main(['device', 'list', '--json']))"
    )
    done = subprocess.run([str(python), "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(str(site)) == 2
    assert "memmert_ico" in done.stdout


@pytest.mark.campaign
def test_the_wheel_installs_in_an_empty_environment_and_its_demo_runs(wheel: Path, tmp_path: Path) -> None:
    """With what a package index delivers for requirements/core.txt, hashes checked."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "core.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    osteon = str(environment / "bin" / "osteon")
    line = [osteon, "demo", "--day", "1", "--port", "0", "--data", str(tmp_path / "d")]
    demo = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE)
    assert demo.stdout is not None
    try:
        assert any(b"RUNNING" in line for line, _ in zip(demo.stdout, range(20), strict=False))
    finally:
        demo.terminate()
        demo.communicate()
    assert demo.returncode == 0


def test_the_locks_name_no_address_and_every_line_is_hashed() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)


def test_the_core_lock_holds_every_runtime_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = (ROOT / "requirements" / "core.txt").read_text()
    for dependency in project["dependencies"]:
        name = dependency.split(">=")[0].split("[")[0]
        assert f"\n{name}==" in locked
