"""All engines side by side on one machine: everything is made, measured in turn, and written down.

    python measure.py --work DIR --page NAME [--threads N] [--rounds N] [--only KEY …] [--before WORKER] [--out FILE]

Makes what is missing in DIR (checkpoint, exports; 3 GB), builds our worker, measures, and writes the raw results and
docs/benchmarks/NAME.md with its picture. One engine works at a time, in turns, so that a slow minute of the machine hits all.
"""
from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

import report
from columns import COLUMNS, REFERENCE, Column, before
from folders import HERE, REPOSITORY, Folders
from machine import commit, machine, rustc
from process import Failed, Process

SHORT = {
    "vision": {"op": "vision"},
    "prompt": {"op": "prompt"},
    "decode_1": {"op": "decode", "beams": 1},
    "decode_3": {"op": "decode", "beams": 3},
    "od": {"op": "od", "beams": 3},
}
LONG = {"six": {"op": "six", "beams": 3}, "six_once": {"op": "six_once", "beams": 3}}
SEES_AGAIN = "pytorch"  # the one engine whose `six` differs from its `six_once`


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def prepare(folders: Folders) -> None:
    def python(script: str) -> None:
        subprocess.run([sys.executable, str(HERE / script), "--work", str(folders.work)], check=True)

    folders.work.mkdir(parents=True, exist_ok=True)
    (folders.work / "logs").mkdir(exist_ok=True)
    log("checkpoint …")
    python("checkpoint.py")
    mark, versions = folders.work / "exported", (HERE / "requirements.txt").read_text()
    if not mark.exists() or mark.read_text() != versions:  # other versions export other graphs
        log("exports …")
        python("export.py")
        mark.write_text(versions)
    log("our worker …")
    subprocess.run(["cargo", "build", "--release", "-p", "florence-benches", "--bin", "worker"], cwd=REPOSITORY, check=True)


class Run:
    def __init__(self, folders: Folders, columns: list[Column], threads: int):
        self.folders, self.columns, self.threads = folders, list(columns), threads
        self.missing: dict[str, str] = {}
        self.results: dict = {"load": {}, "after_load": {}, "at_end": {}, "seconds": {}, "ids": {}, "next": {}, "versions": {}, "notes": {}}
        self.workers: dict[str, Process] = {}

    def start(self, column: Column) -> Process:
        log_file = self.folders.work / "logs" / f"{column.key}.txt"
        return Process(column.command(self.folders, self.threads), column.environment(self.threads), log_file)

    def drop(self, column: Column, why: Failed) -> None:
        log(f"{column.title}: {why}")
        self.missing[column.key] = str(why)
        self.columns.remove(column)
        worker = self.workers.pop(column.key, None)
        if worker:
            worker.close()

    def load(self, rounds: int) -> None:
        """Fresh processes in turn; the first of each only warms the file cache."""
        for turn in range(rounds + 1):
            for column in list(self.columns):
                try:
                    worker = self.start(column)
                except Failed as why:
                    self.drop(column, why)
                    continue
                worker.close()
                hello = worker.hello
                if turn == 0:
                    self.results["versions"].update(hello.get("versions", {}))
                    self.results["notes"][column.key] = hello.get("notes", {})
                    continue
                self.results["load"].setdefault(column.key, []).append(hello["seconds"])
                self.results["after_load"].setdefault(column.key, []).append(hello["peak_bytes"])
            log(f"load, round {turn} of {rounds}")

    def start_all(self) -> None:
        for column in list(self.columns):
            try:
                self.workers[column.key] = self.start(column)
                self.workers[column.key].pause()
            except Failed as why:
                self.drop(column, why)

    def ids(self, prompts: int) -> None:
        """Answers of all engines to all prompts; also warms everything up."""
        for column in list(self.columns):
            try:
                self.results["ids"][column.key] = [
                    self.workers[column.key].ask(op="ids", prompt=prompt, beams=beams)["ids"]
                    for beams in (1, 3) for prompt in range(prompts)
                ]
                for request in SHORT.values():
                    self.workers[column.key].ask(**request)
            except Failed as why:
                self.drop(column, why)
            log(f"answers of {column.title}")

    def next_tokens(self, prompts: int) -> None:
        """What everybody would say next at every place of the reference's greedy answers."""
        answers = self.results["ids"].get(REFERENCE)
        for column in list(self.columns) if answers else []:
            try:
                self.results["next"][column.key] = [
                    self.workers[column.key].ask(op="next", prompt=prompt, tokens=answers[prompt][:-1])["ids"] for prompt in range(prompts)
                ]
            except Failed as why:
                self.drop(column, why)

    def measure(self, what: dict[str, dict], rounds: int) -> None:
        for turn in range(rounds):
            for name, request in what.items():
                # Whoever comes first changes from round to round.
                order = self.columns[turn % len(self.columns):] + self.columns[: turn % len(self.columns)]
                for column in order:
                    if name == "six_once" and column.engine != SEES_AGAIN:
                        continue
                    try:
                        seconds = self.workers[column.key].ask(**request)["seconds"]
                    except Failed as why:
                        self.drop(column, why)
                        continue
                    self.results["seconds"].setdefault(name, {}).setdefault(column.key, []).append(seconds)
            log(f"{', '.join(what)}: round {turn + 1} of {rounds}")

    def finish(self) -> None:
        for column in self.columns:
            self.results["at_end"][column.key] = self.workers[column.key].ask(op="memory")["peak_bytes"]

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a cache folder outside the repository")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=7, help="of the short measurements")
    parser.add_argument("--load-rounds", type=int, default=5)
    parser.add_argument("--six-rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[c.key for c in COLUMNS], help="some of the columns")
    parser.add_argument("--out", type=pathlib.Path, help="the raw results (default: results.json in the cache folder)")
    parser.add_argument("--before", type=pathlib.Path, help="our worker of an earlier commit, measured as well")
    parser.add_argument("--page", help="the name of the machine's page, such as avx2 (default: none is written)")
    parser.add_argument("--title", help="the title of the page (default: the name of the processor)")
    options = parser.parse_args()
    folders = Folders(options.work.resolve())
    prepare(folders)
    asked = folders.prompts()
    measured = commit()  # it may move on meanwhile
    started = datetime.datetime.now(datetime.timezone.utc)
    columns = [c for c in COLUMNS if not options.only or c.key in options.only]
    columns += before(options.before.resolve()) if options.before else []
    run = Run(folders, columns, options.threads)
    run.load(options.load_rounds)
    try:
        run.start_all()
        run.ids(len(asked["prompts"]))
        run.next_tokens(len(asked["prompts"]))
        run.measure(SHORT, options.rounds)
        run.measure(LONG, options.six_rounds)
        run.finish()
    finally:
        run.close()
    results = {
        "date": started.date().isoformat(),
        "minutes": round((datetime.datetime.now(datetime.timezone.utc) - started).total_seconds() / 60, 1),
        "commit": measured, "machine": machine(), "threads": options.threads, "new_tokens": asked["new_tokens"],
        "columns": [{"key": c.key, "title": c.title, "ours": c.ours} for c in columns], "reference": REFERENCE,
        "title": options.title, "missing": run.missing, "prompts": asked["texts"], **run.results,
    }
    results["versions"] = {"rustc": rustc(), "python": sys.version.split()[0], **results["versions"]}
    out = options.out or folders.work / "results.json"
    out.write_text(json.dumps(results, indent=1) + "\n")
    log(f"{out} written")
    if options.page:
        report.write(results, options.page)


if __name__ == "__main__":
    main()
