#!/usr/bin/env python3
"""Photos in S3, answers to S3: in one process whose `florence-sql --resume` is killed in the middle, and on a cluster.

The store is moto, a server of the protocol of S3 on loopback, behind a proxy that answers one request in twenty with 503. Every photo has to
end up with exactly one row, equal to what `florence run` says of the same files in a folder. Needs the packages moto[s3,server] and boto3.
"""

import argparse
import http.client
import http.server
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import boto3
from moto.server import ThreadedMotoServer

from faults import ROOT, Cluster, answers_of_run, compare, make_photos, sql


def flaky(port):
    """A proxy that refuses one request in twenty before it comes to the store."""
    lock = threading.Lock()

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        requests = failed = 0

        def log_message(self, *_):
            pass

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                Proxy.requests += 1
                fails = Proxy.requests % 20 == 7
                Proxy.failed += fails
            if fails:
                status, headers, content = 503, [], b"<Error><Code>SlowDown</Code></Error>"
            else:
                store = http.client.HTTPConnection("127.0.0.1", port)
                store.request(self.command, self.path, body, dict(self.headers))
                response = store.getresponse()
                status, headers, content = response.status, response.getheaders(), response.read()
                store.close()
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("connection", "content-length", "date", "server", "transfer-encoding"):
                    self.send_header(name, value)
            length = next((value for name, value in headers if name.lower() == "content-length"), len(content))
            self.send_header("Content-Length", length if self.command == "HEAD" else len(content))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    # A program that is killed leaves its requests.
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, Proxy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "crates/florence-datafusion/target/debug")
    parser.add_argument("--florence", type=pathlib.Path, default=ROOT / "target/debug/florence")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--port", type=int, default=50850)
    args = parser.parse_args()
    programs, florence = args.programs.resolve(), args.florence.resolve()

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1", AWS_ALLOW_HTTP="true")
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
    proxy_port, proxy = flaky(port)
    os.environ["AWS_ENDPOINT"] = f"http://127.0.0.1:{proxy_port}"

    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        folder = pathlib.Path(work, "photos")
        folder.mkdir()
        make_photos(folder, args.photos)
        client.create_bucket(Bucket="photos")
        client.create_bucket(Bucket="answers")
        for photo in folder.iterdir():
            client.put_object(Bucket="photos", Key=f"2026 summer/{photo.name}", Body=photo.read_bytes())
        expected = answers_of_run(florence, folder, args.photos)

        images = ["--images", "photos=s3://photos/2026 summer/", "--set", "florence.num_beams=1", "--set", "datafusion.execution.target_partitions=8"]
        failed = False
        print(f"{'way':10} {'rows':>7} {'lost':>6} {'duplicated':>10} {'different':>10} {'requests':>9} {'with 503':>9} {'seconds':>8}")
        for way in ("resume", "cluster"):
            before, start = (proxy.requests, proxy.failed), time.monotonic()
            if way == "resume":
                command = [programs / "florence-sql", "--quiet", *images, "--from", "photos", "--chunk", str(args.photos // 5),
                           "--resume", f"s3://answers/{way}", "SELECT path, florence(path, 'od') AS answer FROM todo"]
                killed = subprocess.Popen(command)
                while client.list_objects_v2(Bucket="answers").get("KeyCount", 0) < 2 and killed.poll() is None:
                    time.sleep(0.1)
                if killed.poll() is not None:
                    sys.exit("the program ended before it was killed: use more photos")
                killed.kill()
                killed.wait()
                subprocess.run(command, check=True)
            else:
                cluster = Cluster(programs, args.port)
                try:
                    sql(programs, "--cluster", cluster.url, *images,
                        f"COPY (SELECT path, florence(path, 'od') AS answer FROM photos) TO 's3://answers/{way}/' STORED AS PARQUET")
                finally:
                    cluster.stop()
            took = time.monotonic() - start
            rows = sql(programs, f"CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION 's3://answers/{way}/'; SELECT path, answer FROM done")
            lost, duplicated, different = compare(rows, expected)
            print(f"{way:10} {len(rows):7} {lost:6} {duplicated:10} {different:10} {proxy.requests - before[0]:9} {proxy.failed - before[1]:9} {took:8.1f}")
            failed |= bool(lost or duplicated or different)
        moto.stop()
        sys.exit(failed)


if __name__ == "__main__":
    main()
