#!/bin/sh
# train.py with settings that matter on a CPU: keep big buffers instead of giving them back, no spinning threads.
export OMP_WAIT_POLICY=PASSIVE MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 MALLOC_TOP_PAD_=268435456
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
exec "${PYTHON:-python}" "$(dirname "$0")/train.py" "$@"
