#!/usr/bin/env bash
# Checks the feature `cuda` on a machine without CUDA, in about a minute and a half from nothing on two cores: its types,
# and our kernel, which is run on the CPU.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
kernel=florence-core/src/backend/candle/depthwise/kernel
rest=$(tail -n +2 "$kernel.ptx" | sha256sum | cut -c 1-64)
if [ "$(head -n 1 "$kernel.ptx")" != "// kernel.cu $(sha256sum <"$kernel.cu" | cut -c 1-64), the rest of this file $rest" ]; then
    echo "$kernel.ptx is not of this kernel.cu: run tools/cuda/depthwise.sh" >&2
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
c++ -std=c++17 -O1 -I "$here/stand-in/include" "$here/depthwise.cpp" -o "$folder/depthwise"
"$folder/depthwise"
PATH="$here/stand-in:$PATH" CUDA_COMPUTE_CAP=80 CUDAFORGE_THREADS=2 CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/cuda" \
    cargo clippy -p florence-cli -p florence-benches --features florence-cli/cuda "$@" -- -D warnings
