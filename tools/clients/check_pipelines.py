"""The examples for Ray Data and Daft: every photo has to end up with exactly one row, equal to what `florence run` says.

    python3 check_pipelines.py --florence target/release/florence [ray_data.py daft_batch.py]

Asks two questions about photos that are copies of the demo model's sample scenes with different bytes, one in a hundred broken and one
too large for the server, three times for each example: undisturbed; killed in the middle and started again; and with a server whose
queue is too short and that is killed in the middle and started again.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import pyarrow as pa
import pyarrow.dataset

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "cluster"))
from faults import make_photos  # noqa: E402

LIMIT = 20 << 20  # of a request, the server's default
TASKS = ["--task", "od", "--task", "ocr"]


class Server:
    def __init__(self, florence, port, queue):
        self.url = f"http://127.0.0.1:{port}"
        self.command = [florence, "serve", "--listen", f"127.0.0.1:{port}", "--queue", str(queue)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                return self.get("/healthz")
            except OSError:
                time.sleep(0.1)
        sys.exit(f"{self.command} ended")

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as response:
            return response.read().decode()

    def refused(self):
        counted = 'florence_requests_total{route="/v1/run",status="503"} '
        return sum(int(line.removeprefix(counted)) for line in self.get("/metrics").splitlines() if line.startswith(counted))

    def kill(self):
        self.process.kill()
        self.process.wait()


def single(number):
    """As 32 bits, which the command prints as their shortest decimal and the API as 64 bits."""
    return pa.scalar(number, pa.float32()).as_py()


def expected(lines):
    """By name of the photo: the error, or the boxes and texts of both tasks."""
    photos = {}
    for line in map(json.loads, lines):
        photo = photos.setdefault(pathlib.PurePath(line["image"]).name, {})
        if "error" in line:
            photo["error"] = line["error"].split(": ", 1)[1]
            continue
        value = line["answer"]["value"]
        if line["task"] == "<OD>":
            photo["od"] = line["text"], [
                [box["label"], single(box["confidence"]), *(single(box["bbox"][side]) for side in ("x1", "y1", "x2", "y2"))]
                for box in value
            ]
        else:
            photo["ocr"] = line["text"], value["text"]
        photo["size"] = line["width"], line["height"]
    return photos


def found(row):
    """The same of a row."""
    if row["error"]:
        return {"error": row["error"].removeprefix("image: ")}
    od, ocr = row["od"], row["ocr"]
    return {
        "size": (row["width"], row["height"]),
        "od": (od["raw_text"], [list(box.values()) for box in od["boxes"]]),
        "ocr": (ocr["raw_text"], ocr["text"]),
    }


def compare(answers, photos):
    """How many photos have no row, more than one, and another answer."""
    rows = {}
    for row in pa.dataset.dataset(answers, format="parquet").to_table().to_pylist():
        rows.setdefault(pathlib.PurePath(row["path"]).name, []).append(found(row))
    lost = sum(name not in rows for name in photos)
    doubled = sum(len(same) > 1 for same in rows.values()) + sum(name not in photos for name in rows)
    different = sum(row != photos[name] for name in photos for row in rows.get(name, []))
    return sum(map(len, rows.values())), lost, doubled, different, sum("error" in row for same in rows.values() for row in same)


def fail(message, log):
    log.seek(0)
    sys.exit(f"{log.read()[-4000:]}\n{message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--florence", type=pathlib.Path, default=HERE / "../../target/debug/florence")
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--chunk", type=int, default=100)
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument("examples", nargs="*", default=["ray_data.py", "daft_batch.py"])
    args = parser.parse_args()
    florence = args.florence.resolve()

    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work, "photos")
        folder.mkdir()
        make_photos(folder, args.photos)
        start = time.monotonic()
        command = [florence, "run", "--quiet", "--json", *TASKS, folder]
        output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        print(f"florence run: {args.photos / (time.monotonic() - start):.1f} photos per second", flush=True)
        photos = expected(output.splitlines())
        assert len(photos) == args.photos, len(photos)
        # A photo that is good, and more than the server takes.
        large = folder / "large.png"
        large.write_bytes((folder / "000000.png").read_bytes() + bytes(LIMIT))
        photos[large.name] = {"error": f"{large.stat().st_size} bytes, and the server takes {LIMIT} in a request"}

        print(f"{'':30} {'rows':>6} {'lost':>5} {'doubled':>8} {'different':>10} {'errors':>7} {'refused':>8} {'per second':>11}")
        failed = False
        for example in args.examples:
            for fault in ["none", "example killed", "server killed"]:
                answers = pathlib.Path(work, f"{example} {fault}")
                # The photos in work are 16.
                server = Server(florence, args.port, 8 if fault == "server killed" else 64)
                log = open(pathlib.Path(work, "log"), "w+")
                command = [sys.executable, HERE / example, server.url, folder, answers, *TASKS, "--chunk", str(args.chunk)]
                run = lambda: subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
                start = time.monotonic()
                process = run()
                refused = 0
                if fault != "none":
                    while process.poll() is None and not list(answers.glob("*.parquet")):
                        time.sleep(0.05)
                    if process.poll() is not None:
                        fail(f"{example} ended before it was disturbed: use more photos, or smaller chunks", log)
                if fault == "example killed":
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    process = run()
                if fault == "server killed":
                    refused += server.refused()
                    server.kill()
                    time.sleep(3)
                    server.start()
                if process.wait():
                    fail(f"{example} failed", log)
                took = time.monotonic() - start
                rows, lost, doubled, different, errors = compare(answers, photos)
                refused += server.refused()
                server.kill()
                rate = f"{len(photos) / took:.1f}" if fault == "none" else ""
                name = f"{example}, {fault}"
                print(f"{name:30} {rows:6} {lost:5} {doubled:8} {different:10} {errors:7} {refused:8} {rate:>11}", flush=True)
                failed |= bool(lost or doubled or different)
        sys.exit(failed)


if __name__ == "__main__":
    main()
