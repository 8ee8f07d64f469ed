"""Measures servers beside each other on the workloads W1 to W7, and reports ratios to the first: see README.md."""

import argparse
import json
import subprocess
import sys
import time

import books
import lab
import report

WORKLOADS = ["W1", "W2", "W3", "W5", "W4", "W6", "W7"]
# How many documents an answer has, and how many the database has of a write.
ANSWERED = {"W1": 1, "W2": 20, "W3": 100, "W7": books.COUNT}
WRITTEN = {"W4": 1, "W6": 100}
# What a server may not have yet.
OPTIONAL = {"W6", "W7"}


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh compare FOLIO", description=__doc__)
    parser.add_argument("adapters", nargs="*", default=["limit", "folio"], help="limit folio; naive and folio-key are there too")
    parser.add_argument("--work", default=",".join(WORKLOADS))
    parser.add_argument("--conc", default="1,16,64", help="connections")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--secs", type=int, default=10, help="of a run")
    parser.add_argument("--warm", type=int, default=2, help="seconds before it")
    parser.add_argument("--attempts", type=int, default=3, help="of a run that others disturb")
    return parser.parse_args()


class Contestant(lab.Server):
    """A server with the workloads that it has."""

    def prepare(self, mongod, requests, workloads):
        database = mongod.client.bench
        self.start_seconds = min(self.start_again() for _ in range(3))
        time.sleep(1.5)
        self.idle = lab.memory(self.pids())[0]
        self.requests = {work: list(requests.of(self.adapter, work)) for work in workloads if work in self.adapter}
        known = requests.known[0][1]
        self.requests = {work: found for work, found in self.requests.items() if self.check(work, database, known)}
        self.loads = {work: lab.Load(self, found, work) for work, found in self.requests.items() if work != "W7"}
        print(f"checked {self.name}: {', '.join(self.requests)}", flush=True)

    def start_again(self):
        self.stop()
        return self.start()

    def check(self, work, database, isbn):
        """Whether the server has the workload. One that does not do what it says ends everything."""
        if work in WRITTEN:
            books.empty_writes(database)
        method, path, headers, body = self.requests[work][0]
        for number in range(body.count(books.UNIQUE)):
            body = body.replace(books.UNIQUE, f"{number:016}", 1)
        status, answer = self.request(method, path, headers, body)
        if work in OPTIONAL and status in (400, 404, 405):
            print(f"{self.name} leaves {work} out: {status} {answer[:120].decode(errors='replace')}", flush=True)
            return False
        good = 200 <= status < 300
        good &= work not in ANSWERED or answer.count(b'"isbn"') == ANSWERED[work]
        good &= work != "W1" or isbn.encode() in answer
        good &= work not in WRITTEN or database.books_w.count_documents({}) == WRITTEN[work]
        good &= work != "W5" or database.books.find_one({"isbn": isbn})["stock"] == 100
        if not good:
            sys.exit(f"{self.name} does {work} wrong: {status} {answer[:400]!r}")
        return True

    def run(self, work, connections, mongod, options):
        if work == "W7":
            return self.export(mongod)
        load, database = self.loads[work], mongod.client.bench
        for seconds in (options.warm, options.secs):
            if work in WRITTEN:
                time.sleep(0.3)  # what the load before has still in flight
                books.empty_writes(database)
            if seconds is options.warm:
                load.run(connections, seconds)
        return lab.measure(load, mongod, connections, options.secs)

    def export(self, mongod):
        lab.wait_for_quiet()
        pids = self.pids()
        lab.forget_peak(pids)
        before = lab.cpu(pids), lab.cpu([mongod.pid])
        _, path, headers, _ = self.requests["W7"][0]
        fields = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
        command = ["curl", "-sf", "-o", "/dev/null", "-w", "%{time_total}", *fields, self.base + path]
        seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        used = lab.cpu(pids) - before[0], lab.cpu([mongod.pid]) - before[1]
        return {"seconds": seconds, "cpu": used[0], "mongod_cpu": used[1], "peak": lab.memory(pids)[1], "foreign": 0}


def rounds(contestants, mongod, options):
    """Every run of every contestant, in turn, so that what changes on the machine meets all alike."""
    for repetition in range(options.reps):
        for work in options.work.split(","):
            for connections in [1] if work == "W7" else map(int, options.conc.split(",")):
                for contestant in contestants:
                    if work not in contestant.requests:
                        continue
                    place = {"target": contestant.name, "work": work, "c": connections, "rep": repetition}
                    yield {**place, **least_disturbed(lambda: contestant.run(work, connections, mongod, options), options)}


def least_disturbed(run, options):
    attempts = []
    for _ in range(options.attempts):
        attempts.append(run())
        if attempts[-1]["foreign"] < lab.FOREIGN:
            break
    return min(attempts, key=lambda attempt: attempt["foreign"])


def main():
    options = arguments()
    contestants = [Contestant(lab.HERE / "adapters" / f"{name}.toml") for name in options.adapters]
    results = lab.HOME / time.strftime("compare-%Y%m%d-%H%M%S.jsonl")
    with lab.Mongod() as mongod, open(results, "w") as out:
        books.load(mongod.client.bench)
        requests = books.Requests(mongod.client.bench)
        try:
            for contestant in contestants:
                contestant.prepare(mongod, requests, options.work.split(","))
            for record in rounds(contestants, mongod, options):
                print(json.dumps(record), file=out, flush=True)
                print(report.line(record), flush=True)
            for contestant in contestants:
                after = lab.memory(contestant.pids())[0]
                footprint = {"start": contestant.start_seconds, "idle": contestant.idle, "after": after}
                print(json.dumps({"target": contestant.name, "work": "footprint", "c": 0, **footprint}), file=out)
        finally:
            for contestant in contestants:
                contestant.stop()
    print(f"\n{results}\n\n{report.markdown([results])}")


if __name__ == "__main__":
    main()
