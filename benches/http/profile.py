"""Records where a server's processor time goes under load, and prints the share of each part: see README.md."""

import argparse
import collections
import re
import subprocess
import time

import books
import lab

KERNEL, ALLOCATION, REST = "kernel", "allocation", "rest"
# The first that a symbol names is the part that it belongs to.
PARTS = {
    "folio: encoding": r"folio::(codec|json|etag)|blake3",
    "folio: query": r"folio::(query|access|schema)|percent_encoding",
    "folio: logging": r"folio::(metrics|http::trace)|tracing|prometheus",
    "folio: the rest": r"folio::",
    "limit": r"limit::",
    "driver and bson": r"mongodb::|bson::|hickory|rustls::|futures_util::|futures_core::",
    "tokio": r"tokio::|tokio_util::|mio::|parking_lot",
    "hyper and axum": r"hyper::|hyper_util::|axum::|axum_core::|tower|http::|http_body|httparse|matchit|bytes::",
}
NAMED = re.compile("|".join(f"(?P<p{i}>{pattern})" for i, pattern in enumerate(PARTS.values())))
ALLOCATOR = re.compile(r"^(_?_?(libc_)?(malloc|calloc|realloc|free|cfree|posix_memalign)|_int_\w+|malloc_\w+|unlink_chunk|mi_|_mi_|__rust_|__rdl_)")


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh profile FOLIO", description=__doc__)
    parser.add_argument("--adapter", default="folio")
    parser.add_argument("--work", default="W1,W2,W3")
    parser.add_argument("--conc", type=int, default=16, help="connections")
    parser.add_argument("--secs", type=int, default=10, help="of a recording")
    parser.add_argument("--symbols", type=int, default=15, help="how many of the most expensive to list")
    return parser.parse_args()


def record(server, load, options, file):
    """The samples of one recording, as `perf script` prints them."""
    running = load.start(options.conc, options.secs + 3)
    time.sleep(2)
    pids = ",".join(map(str, server.pids()))
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "999", "--call-graph", "dwarf,4096", "-p", pids]
    subprocess.run([*command, "-o", file, "--", "sleep", str(options.secs)], check=True)
    running.communicate()
    script = ["perf", "script", "-i", file, "--no-inline", "-F", "ip,sym,dso"]
    return subprocess.run(script, check=True, capture_output=True, text=True).stdout


def samples(script):
    """Each sample's frames as symbol and object, the innermost first."""
    for block in script.split("\n\n"):
        frames = (re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line) for line in block.splitlines())
        if frames := [(frame[1], frame[2]) for frame in frames if frame]:
            yield frames


def part(frames):
    """The part that a sample belongs to. What a crate calls of the language's and the system's libraries is its own,
    except for memory and the kernel."""
    symbol, place = frames[0]
    if "kernel" in place or place == "[unknown]" and symbol == "[unknown]" or "vdso" in place:
        return KERNEL
    for symbol, _ in frames:
        if ALLOCATOR.match(symbol):
            return ALLOCATION
        if named := NAMED.search(symbol):
            return list(PARTS)[int(named.lastgroup[1:])]
    return REST


def readable(symbol):
    return re.sub(r"::h[0-9a-f]{16}$", "", symbol)


def main():
    options = arguments()
    works = options.work.split(",")
    shares, symbols = {}, {}
    with lab.Mongod() as mongod:
        books.load(mongod.client.bench)
        requests = books.Requests(mongod.client.bench)
        server = lab.Server(lab.HERE / "adapters" / f"{options.adapter}.toml")
        try:
            server.start()
            for work in works:
                load = lab.Load(server, requests.of(server.adapter, work), work)
                found = list(samples(record(server, load, options, lab.HOME / f"perf-{work}.data")))
                shares[work] = collections.Counter(map(part, found))
                symbols[work] = collections.Counter((part(frames), readable(frames[0][0])) for frames in found)
        finally:
            server.stop()
    percent = lambda count, work: f"{100 * count / shares[work].total():.1f} %"
    rows = [[name, *(percent(shares[work][name], work) for work in works)] for name in [KERNEL, *PARTS, ALLOCATION, REST]]
    print("\n" + lab.table(["part", *works], [row for row in rows if any(shares[work][row[0]] for work in works)]))
    for work in works:
        rows = [[percent(count, work), *what] for what, count in symbols[work].most_common(options.symbols)]
        print(f"### {work}: {shares[work].total()} samples\n\n" + lab.table(["share", "part", "symbol"], rows))


if __name__ == "__main__":
    main()
