#!/usr/bin/env python3
"""How fast and in how much memory queries over more and more photos run: `florence run`, one process of `florence-sql`, and a
cluster of two executors with one thread each.

Photos are made as in faults.py. Every way is asked once for each number of photos, one after the other, so compare within a line.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

from faults import ROOT, Cluster, make_photos


def timed(command, **more):
    """Seconds, and the peak memory of the process in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - start
    # Exit code 4: some photos are broken.
    if os.waitstatus_to_exitcode(status) not in (0, 4):
        raise SystemExit(f"{command} failed")
    return took, usage.ru_maxrss / 1024


def peak(process):
    """The peak memory of a process that runs, in MiB."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "crates/florence-datafusion/target/debug")
    parser.add_argument("--florence", type=pathlib.Path, default=ROOT / "target/debug/florence")
    parser.add_argument("--task", default="od")
    parser.add_argument("--ways", default="run,sql,cluster")
    parser.add_argument("--port", type=int, default=50450)
    args = parser.parse_args()
    programs, florence = args.programs.resolve(), args.florence.resolve()
    settings = ["--set", "florence.num_beams=1", "--set", "datafusion.execution.target_partitions=32"]
    print(f"{'photos':>7} {'way':10} {'seconds':>8} {'photos/s':>9} {'MiB':>6} {'bytes/row':>10}")
    for number, count in enumerate(args.counts):
        with tempfile.TemporaryDirectory() as work:
            os.chdir(work)
            folder = pathlib.Path(work, "photos")
            folder.mkdir()
            make_photos(folder, count)
            query = f"COPY (SELECT path, florence(path, '{args.task}') AS answer FROM photos) TO '{work}/WAY/' STORED AS PARQUET"
            for way in args.ways.split(","):
                if way == "run":
                    out = pathlib.Path("run.jsonl")
                    took, memory = timed([florence, "run", "--quiet", "--task", args.task, "--num-beams", "1", "--output", out, folder])
                    written = out.stat().st_size
                else:
                    command = [programs / "florence-sql", "--quiet", *settings, "--images", f"photos={folder}", query.replace("WAY", way)]
                    if way == "sql":
                        took, memory = timed(command)
                    else:
                        os.environ["RAYON_NUM_THREADS"] = "1"
                        cluster = Cluster(programs, args.port + 100 * number)
                        del os.environ["RAYON_NUM_THREADS"]
                        try:
                            took, _ = timed([*command, "--cluster", cluster.url])
                            memory = max(map(peak, cluster.executors))
                        finally:
                            cluster.stop()
                    written = sum(file.stat().st_size for file in pathlib.Path(way).rglob("*.parquet"))
                print(f"{count:7} {way:10} {took:8.1f} {count / took:9.1f} {memory:6.0f} {written / count:10.0f}", flush=True)


if __name__ == "__main__":
    main()
