"""What all measurements share: a private MongoDB server, the servers under test, process figures, and load."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.parse

from pymongo import MongoClient
from pymongo.errors import OperationFailure

HERE = pathlib.Path(__file__).resolve().parent
HOME = pathlib.Path(os.environ["BENCH_HOME"])
SCHEMAS = HERE / "schemas"
TICKS = os.sysconf("SC_CLK_TCK")
# How many processors others may use without a run counting as disturbed.
FOREIGN = float(os.environ.get("BENCH_FOREIGN", "0.2"))


class Mongod:
    """A private server, a replica set of one member, that keeps its data between runs."""

    def __init__(self):
        port = int(os.environ.get("BENCH_PORT", "27137"))
        folder = HOME / f"db-{port}"  # a replica set knows its members by their ports
        folder.mkdir(exist_ok=True)
        options = ["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "2", "--quiet"]
        command = [os.environ["MONGOD"], "--dbpath", folder, "--port", str(port), *options]
        refuse_taken("127.0.0.1", port)
        self.process = subprocess.Popen(command, stdout=open(HOME / "mongod.log", "w"), start_new_session=True)
        self.pid = self.process.pid
        self.client = MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=30_000)
        os.environ["BENCH_MONGODB"] = f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
        with contextlib.suppress(OperationFailure):  # it has been initiated before
            members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
            self.client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        end = time.monotonic() + 30
        while not self.client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > end:
                self.__exit__()
                sys.exit(f"the MongoDB server did not become primary, see {HOME / 'mongod.log'}")
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Server:
    """A server under test, as an adapter file describes it."""

    def __init__(self, adapter, schemas=SCHEMAS):
        self.adapter = tomllib.loads(pathlib.Path(adapter).read_text())
        self.name, self.base = self.adapter["name"], self.adapter["base"]
        self.address = urllib.parse.urlparse(self.base).netloc
        self.schemas, self.process = schemas, None

    def start(self):
        """Starts it; returns the seconds until it was ready."""
        host, port = self.address.split(":")
        refuse_taken(host, int(port))
        log = open(HOME / f"{self.name}.log", "w")
        environment = {**os.environ, "BENCH_SCHEMAS": str(self.schemas)}
        self.make_key(environment)
        began, command = time.monotonic(), ["bash", "-c", self.adapter["start"]]
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        while time.monotonic() - began < 90:
            with contextlib.suppress(OSError):
                if self.request("GET", self.adapter["ready"])[0] == 200:
                    return time.monotonic() - began
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended at start, see {log.name}")
            time.sleep(0.004)
        sys.exit(f"{self.name} was not ready in time, see {log.name}")

    def make_key(self, environment):
        """Makes the key that the adapter's headers send, once; the last line of what its command prints is the key."""
        if command := self.adapter.pop("key", None):
            made = subprocess.run(["bash", "-c", command], env=environment, check=True, stdout=subprocess.PIPE, text=True)
            key, headers = made.stdout.splitlines()[-1].strip(), self.adapter["headers"]
            self.adapter["headers"] = {name: value.replace("@key@", key) for name, value in headers.items()}

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with contextlib.suppress(ProcessLookupError):  # only what it left behind in its own session
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def pids(self):
        return family(self.process.pid)

    def request(self, method, path, headers={}, body=""):
        """Status and body of one answer."""
        connection = http.client.HTTPConnection(self.address, timeout=120)
        with contextlib.closing(connection):
            connection.request(method, path, body.encode() or None, headers)
            response = connection.getresponse()
            return response.status, response.read()


def refuse_taken(host, port):
    with socket.socket() as probe:
        if probe.connect_ex((host, port)) == 0:
            sys.exit(f"something listens on {host}:{port} already and would be measured instead: stop it")


def family(root):
    """A process and all that came of it."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(after_name(stat)[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def after_name(stat):
    """The fields of a `/proc/PID/stat` from the state on; the name before them may hold anything."""
    return stat.read_text().rpartition(")")[2].split()


def cpu(pids):
    """Seconds of processor time that the processes have used."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            ticks += sum(map(int, after_name(pathlib.Path(f"/proc/{pid}/stat"))[11:13]))
    return ticks / TICKS


def memory(pids):
    """MiB resident now, and at most since the last `clear_refs`."""
    found = {"VmRSS": 0, "VmHWM": 0}
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in found:
                    found[name] += int(value.split()[0]) / 1024
    return found["VmRSS"], found["VmHWM"]


def forget_peak(pids):
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def busy():
    """Seconds that all processors together have worked."""
    user, nice, system, _, _, interrupts, soft, *_ = map(int, pathlib.Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + interrupts + soft) / TICKS


def wait_for_quiet():
    """Waits until the machine has little else to do, for a minute at most."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        before = busy()
        time.sleep(0.7)
        if (busy() - before) / 0.7 < FOREIGN:
            return


class Load:
    """A rotation of requests, for wrk."""

    def __init__(self, server, requests, name):
        self.server, self.file = server, HOME / f"requests-{server.name}-{name}.lua"
        raw = (self.raw(*request).split("@unique@") for request in requests)
        lines = (lua(parts[0]) if len(parts) == 1 else "{" + ",".join(map(lua, parts)) + "}" for parts in raw)
        self.file.write_text("return {\n" + ",\n".join(lines) + "\n}\n")

    def raw(self, method, path, headers, body):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.server.address}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body.replace('@unique@', '0' * 16).encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def start(self, connections, seconds, skip=0):
        environment = {
            **os.environ,
            "REQUESTS": str(self.file),
            "UNIQUE": str(time.time_ns() // 1000),
            "SKIP": str(skip),
        }
        load = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "wrk.lua"]
        command = ["wrk", *load, self.server.base]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def run(self, connections, seconds, skip=0):
        """Runs the load to its end; returns what wrk counted."""
        return json.loads(self.start(connections, seconds, skip).communicate()[0].partition("\n@")[2])


def lua(text):
    """A Lua string literal."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03}" for b in text.encode()) + '"'


def measure(load, mongod, connections, seconds):
    """One run: what wrk counted, and milliseconds of processor time per request (seconds per 1,000)."""
    wait_for_quiet()
    pids = load.server.pids()
    figures = lambda: (cpu(pids), cpu([mongod.pid]), os.times().children_user + os.times().children_system, busy())
    before, began = figures(), time.monotonic()
    run = load.run(connections, seconds, skip=997)
    server, database, generator, all = (after - first for after, first in zip(figures(), before))
    requests = max(run["requests"], 1)
    return {
        **run,
        "rate": run["requests"] / run["seconds"],
        "cpu": server / requests * 1000,
        "mongod_cpu": database / requests * 1000,
        "foreign": (all - server - database - generator) / (time.monotonic() - began),
    }


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
