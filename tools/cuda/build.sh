#!/usr/bin/env bash
# Builds `florence` with the feature `cuda` on a machine that has neither a GPU nor CUDA:
#   tools/cuda/build.sh [FOLDER]     the toolkit goes to FOLDER, by default target/cuda-toolkit
# Needs python3 with pip, gcc 7 to 15, 700 MB of downloads and 1.4 GB of disk for the toolkit.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
folder=$(realpath -m "${1:-target/cuda-toolkit}")
root=$folder/nvidia/cu13
if [ ! -e "$root/bin/nvcc" ]; then
    python3 -m pip install --quiet --no-deps --target "$folder" \
        'nvidia-cuda-nvcc==13.0.*' 'nvidia-cuda-crt==13.0.*' 'nvidia-nvvm==13.0.*' 'nvidia-cuda-cccl==13.0.*' \
        'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-nvrtc==13.0.*' 'nvidia-cublas==13.0.*' 'nvidia-curand==10.4.0.*'
fi
chmod +x "$root"/bin/* "$root"/nvvm/bin/*
# What the packages leave out: the usual folder, the linker's names, and a driver to link with.
ln -sfn lib "$root/lib64"
for library in "$root"/lib/lib*.so.*; do
    name=$(basename "$library")
    [[ $name == *.alt.so* ]] || ln -sf "$name" "$root/lib/${name%%.so.*}.so"
done
mkdir -p "$root/lib/stubs"
if [ ! -e "$root/lib/stubs/libcuda.so" ]; then
    # Every function of the driver's header, each answering CUDA_ERROR_STUB_LIBRARY.
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$root/include/cuda.h" |
        sed -E 'p; s/$/_v2/; p; s/_v2$/_ptsz/; p; s/_ptsz$/_ptds/' | sort -u |
        sed 's/.*/int &(void) { return 34; }/' |
        cc -x c -shared -fPIC -O1 -w -Wl,-soname,libcuda.so.1 -o "$root/lib/stubs/libcuda.so.1" -
    ln -sf libcuda.so.1 "$root/lib/stubs/libcuda.so"
fi
export CUDA_HOME=$root PATH=$root/bin:$PATH NVCC=$here/without-moe/nvcc CUDAFORGE_THREADS=2
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80} # PTX for Ampere and everything after it
export LIBRARY_PATH=$root/lib:$root/lib/stubs
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/cuda"
cargo build --release -p florence-cli -p florence-benches --bin florence --bin worker --features florence-cli/cuda
echo "$CARGO_TARGET_DIR/release/florence; it needs CUDA's libraries to start: LD_LIBRARY_PATH=$root/lib"
