"""What the examples for Ray Data and Daft share: a folder of photos, questions to a running `florence serve`, typed rows.

For photos in a bucket, `photos` and `open` below are what to replace.
"""

import argparse
import asyncio
import itertools
import json
import pathlib
import random
import sys
import time

import httpx
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
# In pixels of the photo as stored.
BOX = pa.struct([("label", pa.string())] + [(name, pa.float32()) for name in ("confidence", "x1", "y1", "x2", "y2")])
ANSWER = pa.struct([
    ("text", pa.string()),  # of a caption or of OCR
    ("boxes", pa.list_(BOX)),
    ("value", pa.string()),  # all of it, as the JSON of the API
    ("raw_text", pa.string()),  # what the model generated, not for cascades
    ("error", pa.string()),
])
# Statuses that are tried again, and those that are in the end an error of this photo alone; all others fail the job.
PASSING = {408, 503, 504}
ABOUT_THE_PHOTO = {413, 415, 500, 504}


def schema(tasks):
    """The columns of a table of answers: `error` for the photo, and a struct for each task."""
    photo = [("path", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("error", pa.string())]
    return pa.schema(photo + [(task, ANSWER) for task in tasks])


def photos(folder):
    """The paths of all photos below a folder, without hidden ones."""
    root = pathlib.Path(folder).resolve(strict=True)
    found = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def todo(folder, answers, chunk):
    """Tables of `chunk` paths: the photos that have no row in the Parquet files of the folder `answers`.

    Rows with an error count as done. What a killed process left of a file is deleted.
    """
    paths = pa.table({"path": photos(folder)}, pa.schema([("path", pa.string())]))
    files = [file for file in pathlib.Path(answers).glob("*.parquet") if complete(file)]
    if files:
        done = ds.dataset(files, schema=paths.schema).to_table()
        paths = paths.join(done, "path", join_type="left anti").sort_by("path")
    return [paths.slice(start, chunk) for start in range(0, len(paths), chunk)]


def complete(file):
    try:
        pq.read_metadata(file)
        return True
    except pa.ArrowInvalid:
        print(f"{file} has no end and is deleted", file=sys.stderr)
        file.unlink()
        return False


class Florence:
    """Asks the same questions about each photo, `in_flight` photos at a time over one HTTP session."""

    def __init__(self, url, tasks, text=None, in_flight=16, patience=600):
        self.url, self.tasks, self.in_flight, self.patience = url.rstrip("/"), tasks, in_flight, patience
        self.request = json.dumps({"questions": [{"task": task, **({"text": text} if text else {})} for task in tasks]})
        self.session = None  # belongs to the event loop that asks first

    async def ask(self, path):
        """A row of `schema`. What is wrong with the photo is in `error`; a server that stays away is an exception."""
        if self.session is None:
            self.session = httpx.AsyncClient(base_url=self.url, timeout=600)
            self.slots = asyncio.Semaphore(self.in_flight)
            self.server = asyncio.create_task(self.send("GET", "/v1/tasks"))
        limit = (await self.server).json()["limits"]["max_bytes"]
        async with self.slots:
            try:
                image = await asyncio.to_thread(pathlib.Path(path).read_bytes)
            except OSError as error:
                return {"path": path, "error": str(error)}
            # The server would answer before it has read all, which looks like a lost connection.
            if len(image) + len(self.request) + 1000 > limit:
                return {"path": path, "error": f"{len(image)} bytes, and the server takes {limit} in a request"}
            response = await self.send("POST", "/v1/run", data={"request": self.request}, files={"image": image})
        if response.status_code != 200:
            return {"path": path, "error": message(response)}
        body = response.json()
        answers = zip(self.tasks, map(answer, body["answers"]), strict=True)
        return {"path": path, **body["size"], **dict(answers)}

    async def send(self, *request, **body):
        """Waits for a busy or restarting server, up to `patience` seconds."""
        start = time.monotonic()
        for attempt in itertools.count():
            pause = min(10, 0.2 * 2**attempt) * random.uniform(0.5, 1)
            try:
                response = await self.session.request(*request, **body)
                status, reason = response.status_code, f"{response.status_code} {response.text}"
                after = response.headers.get("retry-after", "")
                pause = max(pause, int(after) if after.isdigit() else 0)
            except httpx.TransportError as error:
                status, reason = 503, repr(error)
            if status in PASSING and time.monotonic() + pause < start + self.patience:
                await asyncio.sleep(pause)
            elif status == 200 or status in ABOUT_THE_PHOTO:
                return response
            else:
                raise RuntimeError(f"{self.url}: {reason}")


def message(response):
    """What the server says about an error; a proxy in front of it may say something else."""
    try:
        return response.json()["error"]["message"]
    except (ValueError, LookupError):
        return response.reason_phrase


def answer(entry):
    """An ANSWER, of an entry of the response's `answers`."""
    if "error" in entry:
        return {"error": entry["error"]["message"]}
    value = entry["value"]["value"]
    caption = value.get("caption", value) if isinstance(value, dict) else {}
    return {
        "text": caption.get("text"),
        "boxes": list(boxes(value)),
        "value": json.dumps(entry["value"], ensure_ascii=False),
        "raw_text": entry.get("raw_text"),
    }


def boxes(value, label=""):
    """Everything in an answer that has a box or a quadrilateral; outlines are only in `value`."""
    if isinstance(value, dict):
        label = next((value[key] for key in ("label", "phrase", "text") if key in value), label)
        if "bbox" in value:
            yield {"label": label, "confidence": value["confidence"], **value["bbox"]}
        elif "quad" in value:
            x, y = zip(*((point["x"], point["y"]) for point in value["quad"]["points"]))
            sides = {"x1": min(x), "y1": min(y), "x2": max(x), "y2": max(y)}
            yield {"label": label, "confidence": value["confidence"], **sides}
        else:
            value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from boxes(item, label)


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of a running `florence serve`")
    parser.add_argument("photos", help="folder")
    parser.add_argument("answers", help="folder of Parquet files, continued if it exists")
    parser.add_argument("--task", action="append", required=True, help="repeatable: each photo is encoded once")
    parser.add_argument("--text", help="input of the tasks")
    parser.add_argument("--in-flight", type=int, default=16, help="photos at a time; with all clients, below the server's --queue")
    parser.add_argument("--patience", type=float, default=600, help="seconds for a photo, if the server is busy or away")
    parser.add_argument("--chunk", type=int, default=1000, help="photos of a file, which an interruption loses at most")
    return parser.parse_args()
