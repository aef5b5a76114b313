#!/usr/bin/env bash
# Compiles our CUDA kernel to the PTX that the crate includes: tools/cuda/depthwise.sh [NVCC]
# For compute capability 7.5, the lowest that CUDA 13 knows. Without an argument it takes the nvcc that build.sh has fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
nvcc=${1:-target/cuda-toolkit/nvidia/cu13/bin/nvcc}
kernel=florence-core/src/backend/candle/depthwise/kernel
"$nvcc" -std=c++17 -O3 -arch=compute_75 -ptx "$kernel.cu" -o "$kernel.ptx"
sed -i "1i // kernel.cu $(sha256sum <"$kernel.cu" | cut -c 1-64), the rest of this file $(sha256sum <"$kernel.ptx" | cut -c 1-64)" "$kernel.ptx"
