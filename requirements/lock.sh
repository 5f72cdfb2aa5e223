#!/bin/sh
# Makes the three hashed locks anew (make lock). No index address is written, so that any mirror can serve them.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out="$1"; shift
    .uv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
        --custom-compile-command "make lock" "$@" -o "requirements/$out"
}
lock core.txt pyproject.toml
lock dev.txt pyproject.toml --group dev -c requirements/core.txt
echo "uv>=0.9" | lock uv.txt -
