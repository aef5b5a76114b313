#!/usr/bin/env bash
# Type-checks the feature `cuda` on a machine without CUDA: about a minute and a half from nothing on two cores.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
PATH="$here/stand-in:$PATH" CUDA_COMPUTE_CAP=80 CUDAFORGE_THREADS=2 CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/cuda" \
    exec cargo clippy -p florence-cli -p florence-benches --features florence-cli/cuda "$@" -- -D warnings
