#!/usr/bin/env python3
"""A cluster on this machine under faults: every photo has to end up with exactly one row, equal to what `florence run` says.

Starts a scheduler and two executors on loopback and asks about photos that are copies of the demo model's sample scenes with
different bytes. One photo in a hundred is broken, one read in fifty fails the first time (over HTTP, with no retries of the executor, so
that the task fails and the scheduler repeats it), and one executor is killed in the middle. The third time it is the client that is
killed, in the middle of a chunk of `florence-sql --resume`, and started again while the cluster may still be busy with that chunk. Needs
nothing but Python.
"""

import argparse
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELDS = ["task", "text", "token_ids", "answer", "reference", "width", "height", "diagnostics"]


def make_photos(folder, count):
    scenes = sorted((ROOT / "crates/florence-nano/eval/images").glob("*.png"))
    for index in range(count):
        path = folder / f"{index:06}.png"
        broken = index % 100 == 50
        # What follows the end of a PNG is ignored.
        scene = b"" if broken else scenes[index % len(scenes)].read_bytes()
        path.write_bytes(scene + b"%d" % index)


def serve(folder):
    """A web server of the photos, one in fifty of which fails the first time."""
    asked, lock = set(), threading.Lock()

    class Photos(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        failed = 0

        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

        def do_GET(self):
            with lock:
                index = int(pathlib.PurePosixPath(self.path).stem)
                fails = index % 50 == 7 and index not in asked
                asked.add(index)
                Photos.failed += fails
            if fails:
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                super().do_GET()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Photos)
    # An executor that is killed, or a task that has failed, leaves its requests.
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", Photos


class Cluster:
    """A scheduler and two executors."""

    def __init__(self, programs, port):
        self.url = f"df://127.0.0.1:{port}"
        log = open("cluster.log", "a")
        start = lambda name, *args: subprocess.Popen([programs / name, *args], stdout=log, stderr=log)
        self.scheduler = start("florence-scheduler", f"--bind-port={port}", "--executor-timeout-seconds=20")
        time.sleep(1)
        self.executors = [
            start("florence-executor", f"--scheduler-port={port}", f"--bind-port={first}", f"--bind-grpc-port={first + 1}",
                  "--heartbeat-seconds=3")
            for first in (port + 10, port + 20)
        ]
        time.sleep(3)

    def stop(self):
        for process in [*self.executors, self.scheduler]:
            process.kill()
            process.wait()


def sql(programs, *args):
    output = subprocess.run([programs / "florence-sql", "--quiet", "--format", "json", *args], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in output.stdout.splitlines()]


def run(programs, cluster, tables, source, out, kill_after, count):
    """Writes answers on the cluster while one executor is killed; the time in seconds."""
    # A task fails for good the fourth time, and here each read that fails fails its task: so small tasks. Of a small
    # Parquet file, whose footer counts as bytes to share out, tasks get up to three times as many rows as meant.
    partitions = max(32, count // 15)
    killer = threading.Timer(kill_after, cluster.executors[0].kill)
    killer.start()
    start = time.monotonic()
    sql(programs, "--cluster", cluster.url, "--set", "florence.num_beams=1", "--set", "florence.read_attempts=1", "--set",
        f"datafusion.execution.target_partitions={partitions}",
        f"{tables}; COPY (SELECT path, florence(path, 'od') AS answer FROM {source}) TO '{out}/' STORED AS PARQUET")
    took = time.monotonic() - start
    if took < kill_after:
        sys.exit(f"the query took {took:.0f} s and the executor was to be killed after {kill_after} s: use more photos")
    return took


def run_with_a_lost_client(programs, cluster, folder, out, kill_after, chunk):
    """Writes answers in chunks while the client is killed and started again; the time in seconds."""
    command = [programs / "florence-sql", "--quiet", "--cluster", cluster.url, "--images", f"photos={folder}", "--from", "photos",
               "--set", "florence.num_beams=1", "--set", "datafusion.execution.target_partitions=8", "--chunk", str(chunk), "--resume", out,
               "SELECT path, florence(path, 'od') AS answer FROM todo"]
    start = time.monotonic()
    client = subprocess.Popen(command)
    time.sleep(kill_after)
    if client.poll() is not None:
        sys.exit(f"the client ended before it was killed after {kill_after} s: use more photos")
    client.kill()
    client.wait()
    subprocess.run(command, check=True)
    return time.monotonic() - start


def answers_of_run(florence, folder, count):
    """What `florence run` says of each photo, by its name."""
    command = [florence, "run", "--quiet", "--task", "od", "--num-beams", "1", "--output", "run.jsonl", folder]
    subprocess.run(command, stderr=subprocess.DEVNULL)
    lines = map(json.loads, open("run.jsonl"))
    answers = {pathlib.PurePath(line["image"]).name: line for line in lines}
    if len(answers) != count:
        sys.exit(f"florence run gave {len(answers)} lines for {count} photos")
    return answers


def compare(rows, expected):
    """How many photos have no row, more than one, and another answer than `florence run`."""
    answers = {}
    for row in rows:
        answers.setdefault(pathlib.PurePosixPath(row["path"]).name, []).append(json.loads(row["answer"]))
    lost = sum(name not in answers for name in expected)
    duplicated = sum(len(lines) > 1 for lines in answers.values()) + sum(name not in expected for name in answers)
    different = 0
    for name, line in expected.items():
        for answer in answers.get(name, []):
            same = all(line.get(field) == answer.get(field) for field in FIELDS) and ("error" in line) == ("error" in answer)
            different += not same
    return lost, duplicated, different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "crates/florence-datafusion/target/debug")
    parser.add_argument("--florence", type=pathlib.Path, default=ROOT / "target/debug/florence")
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--ways", default="folder,http,client")
    parser.add_argument("--kill-after", type=float, default=8, help="seconds")
    parser.add_argument("--port", type=int, default=50150)
    args = parser.parse_args()
    args.programs, args.florence = args.programs.resolve(), args.florence.resolve()

    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        folder = pathlib.Path(work, "photos")
        folder.mkdir()
        make_photos(folder, args.photos)
        expected = answers_of_run(args.florence, folder, args.photos)

        url, server = serve(folder)
        urls = f"SELECT '{url}/' || lpad(CAST(v AS VARCHAR), 6, '0') || '.png' AS path FROM unnest(range({args.photos})) AS t(v)"
        sql(args.programs, f"COPY ({urls}) TO '{work}/urls.parquet' OPTIONS ('format.max_row_group_size' '25')")
        ways = {
            "folder": (f"CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{folder}'", "photos"),
            "http": (f"CREATE EXTERNAL TABLE urls STORED AS PARQUET LOCATION '{work}/urls.parquet'", "urls"),
            "client": (None, None),
        }
        failed = False
        print(f"{'photos':10} {'rows':>7} {'lost':>6} {'duplicated':>10} {'different':>10} {'errors':>7} {'failed reads':>13} {'seconds':>8}")
        for number, way in enumerate(args.ways.split(",")):
            tables, source = ways[way]
            cluster = Cluster(args.programs, args.port + 100 * number)
            try:
                if way == "client":
                    took = run_with_a_lost_client(args.programs, cluster, folder, f"{work}/client", args.kill_after, args.photos // 5)
                else:
                    took = run(args.programs, cluster, tables, source, f"{work}/{way}", args.kill_after, args.photos)
            finally:
                cluster.stop()
            rows = sql(args.programs, f"SELECT path, answer FROM '{work}/{way}/'")
            lost, duplicated, different = compare(rows, expected)
            errors = sum('"error":' in row["answer"] for row in rows)
            reads = server.failed if way == "http" else 0
            print(f"{way:10} {len(rows):7} {lost:6} {duplicated:10} {different:10} {errors:7} {reads:13} {took:8.1f}")
            failed |= bool(lost or duplicated or different)
        sys.exit(failed)


if __name__ == "__main__":
    main()
