"""Medians of what `compare.py` measured, as Markdown, beside the first server of the file.

usage: report.py FILE.jsonl...
"""

import collections
import json
import statistics
import sys

import lab


class Results:
    """The records by workload, connections and server."""

    def __init__(self, files):
        self.records = collections.defaultdict(list)
        for file in files:
            for record in map(json.loads, open(file)):
                self.records[record["work"], record["c"], record["target"]].append(record)
        self.targets = list(dict.fromkeys(target for _, _, target in self.records))
        self.works = sorted({work for work, _, _ in self.records} - {"W7", "footprint"})

    def median(self, place, field):
        return statistics.median(record[field] for record in self.records[place])

    def ratio(self, place, field):
        first = (*place[:2], self.targets[0])
        return f"{self.median(place, field) / self.median(first, field):.2f}" if first in self.records else "–"

    def places(self, work):
        return sorted((place for place in self.records if place[0] == work), key=lambda p: (p[1], self.targets.index(p[2])))


def markdown(files):
    results = Results(files)
    sections = [workload(results, work) for work in results.works]
    return "\n".join([*sections, *export(results), footprint(results), spread(results)])


def workload(results, work):
    head = ["server", "connections", "requests/s", "p50 ms", "p99 ms", "CPU s/1k", "mongod CPU s/1k", "bad"]
    first = results.targets[0]
    rows = []
    for place in results.places(work):
        median = lambda field: results.median(place, field)
        bad = sum(record["refused"] + record["broken"] for record in results.records[place])
        times = [f"{median('p50'):.2f}", f"{median('p99'):.2f}", f"{median('cpu'):.4f}", f"{median('mongod_cpu'):.4f}"]
        ratios = [results.ratio(place, "rate"), results.ratio(place, "cpu")]
        rows.append([place[2], place[1], f"{median('rate'):.0f}", *times, bad, *ratios])
    return f"### {work}\n\n" + lab.table([*head, f"requests/s ÷ {first}", f"CPU ÷ {first}"], rows)


def export(results):
    fields = ["seconds", "cpu", "mongod_cpu", "peak"]
    rows = [[p[2], *(f"{results.median(p, f):.2f}" for f in fields), results.ratio(p, "cpu")] for p in results.places("W7")]
    head = ["server", "seconds", "CPU s", "mongod CPU s", "peak RSS MiB", f"CPU ÷ {results.targets[0]}"]
    return ["### W7\n\n" + lab.table(head, rows)] if rows else []


def footprint(results):
    rows = []
    for place in results.places("footprint"):
        start, idle, after = (results.median(place, field) for field in ("start", "idle", "after"))
        rows.append([place[2], f"{start * 1000:.0f}", f"{idle:.0f}", f"{after:.0f}"])
    return "### Footprint\n\n" + lab.table(["server", "start to ready, ms", "idle RSS MiB", "RSS after load MiB"], rows)


def spread(results):
    """How far apart the repetitions of the first server are: what is nearer to 1 than this says nothing."""
    rows = []
    for work in results.works:
        for place in results.places(work):
            if place[2] == results.targets[0]:
                of = lambda field: sorted(record[field] for record in results.records[place])
                ratios = [f"{values[-1] / values[0]:.2f}" for values in (of("rate"), of("cpu")) if values[0]]
                rows.append([work, place[1], *ratios])
    head = ["workload", "connections", "requests/s, most ÷ least", "CPU, most ÷ least"]
    return f"### Spread of the repetitions of {results.targets[0]}\n\n" + lab.table(head, rows)


def line(record):
    """A record for whoever waits."""
    shown = ("rate", "p50", "p99", "cpu", "mongod_cpu", "seconds", "peak", "refused", "broken", "foreign")
    figures = " ".join(f"{name}={record[name]:.4g}" for name in shown if name in record)
    return f"{record['work']} c={record['c']} {record['target']}: {figures}"


if __name__ == "__main__":
    print(markdown(sys.argv[1:]))
