#!/bin/sh
# Makes .venv from the hashed lock: needs only a Python >= 3.11. A second call with the same lock starts at once.
set -eu
cd "$(dirname "$0")/.."

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "osteon needs Python 3.11 or newer with its venv module; set PYTHON=/path/to/it" >&2
    exit 1
}

get_uv() {
    # uv lives in an environment of its own, so that the synced .venv holds exactly the lock and nothing else.
    [ -x .uv/bin/uv ] && return
    "$python" -m venv .uv && .uv/bin/python -m pip install -q --require-hashes --only-binary :all: -r requirements/uv.txt
}

install_with_uv() {
    [ -x .venv/bin/python ] || .uv/bin/uv venv -q --python "$python" .venv
    .uv/bin/uv pip sync -q --python .venv/bin/python --require-hashes --compile-bytecode requirements/dev.txt
    .uv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
}

install_with_pip() {
    echo "no uv for this machine; pip installs the same lock (slower)" >&2
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install -q --require-hashes --only-binary :all: -r requirements/dev.txt
    .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
    env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q .venv/lib >/dev/null || true
}

wanted="$(cat requirements/dev.txt requirements/uv.txt pyproject.toml | cksum) $(pwd -P)"
stamp=.venv/osteon-installed
if [ ! -x .venv/bin/osteon ] || [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    python="$(find_python)"
    echo "setting up .venv from requirements/dev.txt (once; under a minute on most lines)" >&2
    if get_uv; then install_with_uv; else install_with_pip; fi
    echo "$wanted" > "$stamp"
fi

# Bytecode of our own packages, also where the environment forbids writing it on import: it halves every start.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q api controller drivers protocols simulators
