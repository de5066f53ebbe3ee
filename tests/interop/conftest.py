"""A real server for each test module; nothing about it is known but its URLs."""

import json
import os
import random
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIR_BIN", str(ROOT / "target/release/weir"))


def free_tcp_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def free_udp_ports(count):
    """The first of `count` ports in a row that were free a moment ago."""
    for _ in range(100):
        first = random.randrange(20_000, 32_000)
        sockets = []
        try:
            for port in range(first, first + count):
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sockets.append(udp)
                udp.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for udp in sockets:
                udp.close()
    raise RuntimeError("no free UDP ports")


class Server:
    """One process of `weir serve`."""

    def __init__(self, folder, **more):
        self.http = f"http://127.0.0.1:{free_tcp_port()}"
        self.environment = dict(
            os.environ,
            WEIR_DATA_DIR=str(folder / "data"),
            WEIR_HTTP_LISTEN=self.http.removeprefix("http://"),
            WEIR_MEDIA_LISTEN=f"127.0.0.1:{free_udp_ports(os.cpu_count() or 1)}",
            NO_COLOR="1",
            **more,
        )
        self.log_path = folder / "console.log"
        self.log = self.log_path.open("w")
        self.process = subprocess.Popen(
            [BINARY, "serve"], env=self.environment, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + 10
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"weir did not become ready:\n{self.log_path.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.http}/readyz", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)

    def create_channel(self, name):
        """The name's stream key."""
        made = subprocess.run(
            [BINARY, "channel", "create", name, "--json"], env=self.environment, cwd=self.log_path.parent,
            check=True, capture_output=True, text=True,
        )
        return json.loads(made.stdout)["streamKey"]

    def state(self, channel):
        with urllib.request.urlopen(f"{self.http}/api/v1/channels/{channel}/state", timeout=5) as response:
            return json.load(response)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(12)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Person:
    """Somebody in a browser."""

    def __init__(self, server, path, body):
        self.server, self.cookie = server, ""
        answer = self.open("POST", path, body)
        self.cookie = answer.headers["set-cookie"].split(";")[0]

    def open(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Origin": self.server.http, "Cookie": self.cookie}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.http + "/api/v1/" + path, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=10)

    def call(self, method, path, body=None):
        with self.open(method, path, body) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture
def server(request):
    with tempfile.TemporaryDirectory(prefix="weir-interop-") as folder:
        weir = Server(Path(folder))
        failures = request.session.testsfailed
        yield weir
        weir.stop()
        if request.session.testsfailed > failures:
            print(weir.log_path.read_text()[-6000:])
