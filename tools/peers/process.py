"""A worker as seen from outside: started, asked, and stopped whenever it is not its turn."""
from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time


class Failed(Exception):
    """A worker that cannot start or does not answer; the message is its own last line."""


class Process:
    def __init__(self, command: list[str], environment: dict[str, str], log: pathlib.Path):
        self.log = log
        self._log_file = log.open("w")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log_file, text=True,
            env={**os.environ, **environment},
        )
        try:
            self.hello = self._read()
        except Failed:
            self.close()
            raise

    def ask(self, **request) -> dict:
        self._signal(signal.SIGCONT)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return self._read()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None
        finally:
            self.pause()

    def pause(self) -> None:
        """Stops all threads and waits until they are: spinning ones would disturb whoever is next."""
        self._signal(signal.SIGSTOP)
        stat = pathlib.Path(f"/proc/{self._process.pid}/stat")
        deadline = time.monotonic() + 1
        while stat.exists() and time.monotonic() < deadline:
            if stat.read_text().rpartition(")")[2].split()[0] in "TZ":
                break
            time.sleep(0.001)

    def close(self) -> None:
        if self._process.poll() is None:
            self._signal(signal.SIGCONT)
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log_file.close()

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise Failed(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def _last_words(self) -> str:
        try:
            self._process.wait(timeout=5)  # what it says last may still be on its way
        except subprocess.TimeoutExpired:
            pass
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it ended without a word"
