# SPDX-License-Identifier: Apache-2.0
"""The workloads that are compared, and what of each counts: one measurement returns figures by name."""

import concurrent.futures
import contextlib
import functools
import json
import re
import signal
import subprocess
import tempfile
import threading

from . import servers

SERVER_CORE, LOAD_CORE = 0, 1

ROW_A = ["--readers", 1000, "--events", 200, "--rate", 100]
ROW_C = ["--readers", 1000, "--events", 1000, "--rate", 0, "--publishers", 4]


def load_e(events=20_000):
    return ["--readers", 1, "--events", events, "--rate", 0, "--publishers", 8]


def bench(server, arguments, core=None, target=None, faultless=True, nice=0):
    """Runs `vrelo bench` and returns its report."""
    argv = ["nice", "-n", str(nice), servers.VRELO, "bench", *(target or server.target), *map(str, arguments)]
    argv.append("--json")
    for pid in server.pids:
        argv += ["--server", str(pid)]
    done = subprocess.run(servers.pinned(core, argv), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1) or (faultless and done.returncode != 0):
        raise RuntimeError(f"{argv}: status {done.returncode}\n{done.stdout}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def beside(server, arguments, target=None, core=LOAD_CORE):
    """Another load, for as long as the block runs: one that ends before, or that the server fails, is an error."""
    argv = [servers.VRELO, "bench", *(target or server.target), *map(str, arguments), "--json"]
    with servers.process(servers.pinned(core, argv)) as child:
        yield child
        if child.poll() is not None:
            raise RuntimeError(f"{argv}: ended too early, with status {child.returncode}\n{child.stdout.read()}")
        child.send_signal(signal.SIGINT)
        text = child.communicate()[0]
    report = json.loads(text) if text else None
    if not (report and report["stopped"] and is_sound(report)):
        raise RuntimeError(f"{argv}: {text!r}")


def is_sound(report):
    """Whether the server has done everything that was asked of it so far."""
    streams, events, deliveries = (report[part] for part in ("streams", "events", "deliveries"))
    return (
        streams["open"] == streams["wanted"] and streams["cut"] == 0
        and (events["accepted"] > 0 or events["wanted"] == 0) and events["failed"] == 0
        and deliveries["doubled"] == 0 and deliveries["out_of_order"] == 0
    )


@contextlib.contextmanager
def meanwhile(function, *arguments):
    """Calls the function in another thread. Where it fails, so does the block, at its end."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(function, *arguments)
        try:
            yield future
        finally:
            future.result()


def wait_for_streams(server, count, is_over):
    """`is_over()`: nobody opens them any more."""
    while True:
        was_over = is_over()
        text = subprocess.run(
            ["curl", "--silent", f"http://127.0.0.1:{server.port}/metrics"],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout
        found = re.search(r"^vrelo_streams (\d+)", text, re.MULTILINE)
        if found and int(found[1]) >= count:
            return
        if was_over:
            raise RuntimeError(f"the load ended before there were {count} streams")


def cpu(report):
    return report["server"]["cpu_us_per_delivery"]


def latency(report, quantile):
    return report["deliveries"]["latency_ms"][quantile]


def fan_out(start, *arguments):
    """CPU and latency of events that go to all readers."""
    pins = (SERVER_CORE, LOAD_CORE)
    with start(pins[0]) as server:
        report = bench(server, arguments, pins[1])
    return {
        "CPU per delivery, µs": cpu(report),
        "p50, ms": latency(report, "p50"),
        "p99, ms": latency(report, "p99"),
        "events per second": report["events"]["per_second"],
    }


def row_a(start):
    return fan_out(start, *ROW_A)


def row_a_slowly(start):
    return fan_out(start, "--readers", 1000, "--events", 200, "--rate", 25)


def row_b(start):
    return fan_out(start, "--readers", 10000, "--events", 20, "--rate", 2)


def row_b_answers(start):
    """How long publishers wait while an event is on its way to 10,000 readers."""
    other = ["--readers", 0, "--events", 1000, "--rate", 100]
    with start(SERVER_CORE) as server:
        if len(server.target) == 1:  # a hub: a topic that none of those readers has
            other += ["--body", "topic=other&data={message}"]
        readers = ["--readers", 10000, "--events", 20, "--rate", 2]
        with meanwhile(bench, server, readers, LOAD_CORE) as delivering:
            wait_for_streams(server, 10000, delivering.done)
            report = bench(server, other, LOAD_CORE)
    return {"answer p99, ms": report["events"]["answer_ms"]["p99"]}


def row_c(start):
    return fan_out(start, *ROW_C)


def row_r(start):
    return fan_out(start, "--readers", 1000, "--events", 2000, "--rate", 1000)


def compared_with_a(alone, loaded):
    return {
        "CPU ÷ a's": cpu(loaded) / cpu(alone),
        "p99, ms": latency(loaded, "p99"),
    }


def row_p(start):
    with start(SERVER_CORE) as server:
        origin = server.target[0]
        alone = bench(server, ROW_A, LOAD_CORE)
        target = [
            f"{origin}/.well-known/mercure?match=own-{{reader}}&match=shared",
            "--body", "topic=shared&data={message}",
        ]
        own = ["--body", "topic=own-{number}&data={message}", "--readers", 0, "--events", 1000, "--rate", 100]
        with beside(server, own):
            loaded = bench(server, ROW_A, LOAD_CORE, target)
    return compared_with_a(alone, loaded)


def row_d(start, query="?match=vrelo-bench"):
    with start(None) as server:
        target = server.target
        if len(target) == 1:
            target = [f"{target[0]}/.well-known/mercure{query}", "--body", "{message}"]
        report = bench(server, ["--readers", 10000, "--events", 0, "--settle", "1s"], None, target)
    return {"bytes per stream": report["server"]["bytes_per_stream"]}


THREE_TOPICS = "?" + "&".join(f"match=https://example.com/a/{c}/topic-{{reader}}-12345678" for c in "xyz")


def row_e(start, events=20_000):
    with start(None) as server:
        report = bench(server, load_e(events))
    return {"events per second": report["events"]["per_second"]}


def row_e64(start, publishers=64, body=None):
    arguments = ["--readers", 0 if body else 1, "--events", 100000, "--rate", 0, "--publishers", publishers]
    if body:
        arguments += ["--body", body]
    with start(None) as server:
        report = bench(server, arguments)
    return {"events per second": report["events"]["per_second"]}


class Queues:
    """Watches how many bytes the kernel holds for the streams of a server."""

    def __init__(self, port):
        self.port = port
        self.most = 0  # for one
        self.sockets = 0  # that were seen at one time
        self.is_over = threading.Event()

    def watch(self):
        while not self.is_over.wait(0.1):
            text = subprocess.run(
                ["ss", "-tmnH", f"sport = :{self.port}"], stdout=subprocess.PIPE, text=True, check=True
            ).stdout
            held = [int(queued) for queued in re.findall(r",w(\d+),", text)]
            self.most = max([self.most, *held])
            self.sockets = max(self.sockets, len(held))


def row_f(start):
    readers = 50
    load = ["--readers", readers, "--stalled", 10, "--events", 10000, "--size", 1024, "--rate", 0, "--publishers", 4]
    with start(SERVER_CORE) as server:
        queues = Queues(server.port)
        with meanwhile(queues.watch):
            try:
                report = bench(server, load, LOAD_CORE, faultless=start is not servers.limit)
            finally:
                queues.is_over.set()
    if queues.sockets < readers or queues.most == 0:
        raise RuntimeError(f"`ss` saw {queues.sockets} of {readers} streams, and {queues.most} bytes held for one")
    return {
        "events per second": report["events"]["per_second"],
        "KiB held per stalled reader": queues.most / 1024,
        "lost": report["deliveries"]["lost"],
    }


def row_k(start):
    with start(SERVER_CORE) as server:
        report = bench(server, ["--readers", 10000, "--events", 0, "--settle", 0], LOAD_CORE)
    return {"connects per second": report["streams"]["per_second"]}


def row_n(start, topics):
    """Row a, while others have `topics` topics of their own, none of which gets an event."""
    per_reader = max(1, topics // 1000)
    query = "&".join(f"match=t{{reader}}-{n}" for n in range(per_reader))
    with start(SERVER_CORE) as server:
        alone = bench(server, ROW_A, LOAD_CORE)
        other = [f"{server.target[0]}/.well-known/mercure?{query}", "--body", "{message}"]
        readers = min(topics, 1000)
        with beside(server, ["--readers", readers, "--events", 0, "--settle", "1h"], other) as child:
            wait_for_streams(server, readers, lambda: child.poll() is not None)
            loaded = bench(server, ROW_A, LOAD_CORE)
    return compared_with_a(alone, loaded)


PRIVATE = ["--body", "topic=vrelo-bench&private=on&data={message}"]
SHARED = ["vrelo-bench"]
OTHERS = [f"https://example.com/users/{{token}}/of-others/{number}" for number in range(49)]


def row_tokens(start):
    """Row a with private events and a token of each reader's own."""
    with start(SERVER_CORE) as server:
        alone = bench(server, ROW_A, LOAD_CORE)
    figures = {"CPU per delivery, µs": cpu(alone), "p99, ms": latency(alone, "p99")}
    if start is not servers.limit:
        with servers.guarded(SERVER_CORE, own=(1000, SHARED), publisher=(1, [])) as server:
            loaded = bench(server, [*ROW_A, *PRIVATE, *server.tokens("own", "publisher")], LOAD_CORE)
        figures = {
            "CPU per delivery, µs": cpu(loaded),
            "p99, ms": latency(loaded, "p99"),
            "CPU ÷ a's": cpu(loaded) / cpu(alone),
        }
    return figures


def row_grants(_start):
    """Row a with private events and 50 grants of each reader's own, beside one: for longer, since the two are close."""
    load = ["--readers", 1000, "--events", 1000, "--rate", 100]
    sets = {"one": (1000, SHARED), "fifty": (1000, [*OTHERS, *SHARED]), "publisher": (1, [])}
    with servers.guarded(SERVER_CORE, **sets) as server:
        one, fifty = (
            bench(server, [*load, *PRIVATE, *server.tokens(name, "publisher")], LOAD_CORE)
            for name in ("one", "fifty")
        )
    return {"CPU ÷ that of one": cpu(fifty) / cpu(one), "p99, ms": latency(fifty, "p99")}


def row_d_tokens(_start):
    """Row d with a token of each reader's own, which grants it a topic of its own."""
    with servers.guarded(None, own=(10000, OTHERS[:1])) as server:
        report = bench(server, ["--readers", 10000, "--events", 0, "--settle", "1s", *server.tokens("own")])
    return {"bytes per stream": report["server"]["bytes_per_stream"]}


def row_e_tokens(start):
    with servers.guarded(None, one=(1, SHARED)) as server, start(None) as other:
        alone = bench(other, load_e())
        return {
            "rate ÷ without": bench(server, [*load_e(), *PRIVATE, *server.tokens("one")])["events"]["per_second"]
            / alone["events"]["per_second"],
        }


VERIFIED = ["--readers", 0, "--events", 20000, "--rate", 0, "--publishers", 8, "--pipeline", 64]


def row_verified(start, algorithm=None, tokens=20000):
    """Publishes, each with a token that the hub has not seen, unless they are fewer."""
    if algorithm:
        start = functools.partial(servers.guarded, algorithm=algorithm, tokens=(tokens, []))
    with start(SERVER_CORE) as server:
        shown = server.tokens("tokens") if algorithm else []
        report = bench(server, [*VERIFIED, *shown], LOAD_CORE)
    return {
        "events per second": report["events"]["per_second"],
        "CPU per event, µs": report["server"]["cpu_us_per_event"],
    }


HISTORY = ["--body", "topic=history&data={message}", "--readers", 0, "--events", 10000, "--rate", 0,
           "--publishers", 64]


def behind(server, readers=1000):
    """Readers that are 10,000 events behind; returns after how many seconds the last has everything. They take what
    other readers leave of the processor that they share with those: else these would wait for them, and not for
    the server."""
    hub = f"{server.target[0]}/.well-known/mercure"
    target = [f"{hub}?match=history&last_event_id=earliest", "--body", "topic=history&data={message}"]
    load = ["--readers", readers, "--events", 1, "--rate", 0, "--settle", 0, "--timeout", "60s"]
    return latency(bench(server, load, LOAD_CORE, target, nice=19), "max") / 1000


SMALL_WINDOW = ("--window-bytes", "1MiB")  # less than what readers have missed


def row_h(start, restart=False):
    """Row a for ten seconds, while readers come who are behind: once, and then again and again. The window is too
    small to have what they need, so that it is read from the disk."""
    load = ["--readers", 1000, "--events", 1000, "--rate", 100]
    took = []
    with tempfile.TemporaryDirectory(prefix="vrelo-compare-") as folder:
        start = functools.partial(
            start, log=f"sqlite:{folder}/bench.db", settings=SMALL_WINDOW
        )

        def disturbed(server, is_enough):
            with meanwhile(bench, server, load, LOAD_CORE) as live:
                wait_for_streams(server, 1000, live.done)
                while not live.done() and not is_enough():
                    took.append(behind(server))
            return latency(live.result(), "p99")

        with contextlib.ExitStack() as running:
            server = running.enter_context(start(SERVER_CORE))
            bench(server, HISTORY, LOAD_CORE)
            alone = latency(bench(server, load, LOAD_CORE), "p99")
            if restart:
                running.close()
                server = running.enter_context(start(SERVER_CORE))
            once = disturbed(server, lambda: took)
            throughout = disturbed(server, lambda: False)
    return {
        "all caught up, s": max(took),
        "p99 of a, ms": once,
        "p99 of a ÷ without": once / alone,
        "the same, with such readers again and again": throughout / alone,
    }


def row_two(start, arguments):
    with start(None) as server:
        report = bench(server, arguments)
    return {"CPU per delivery, µs": cpu(report), "p99, ms": latency(report, "p99")}


SQLITE = functools.partial(servers.vrelo, log="sqlite:bench.db")
ALL = {"limit": servers.limit, "vrelo": servers.vrelo, "nchan": servers.nchan}
TWO = {
    "limit": functools.partial(servers.limit, threads=2),
    "vrelo": functools.partial(servers.vrelo, shards=2),
}
OURS = {"vrelo": servers.vrelo}
BOTH = {"limit": servers.limit, "vrelo": servers.vrelo}
ON_DISK = {"vrelo": SQLITE}
RANDOM_IDS = "topic=t-{number}&id=urn:random:{random}&data={message}"


class Row:
    """`measure(start)` is called once a round for each of `candidates`. `goals`: by figure, what is to be
    reached, as a text and as a function of vrelo's value and its ratio to the limit's."""

    def __init__(self, name, about, measure, candidates, goals):
        self.name = name
        self.about = about
        self.measure = measure
        self.candidates = candidates
        self.goals = goals


def at_most_times(limit):
    return (f"≤ {limit} × limit", lambda value, ratio: ratio is not None and ratio <= limit)


def at_least_times(limit):
    return (f"≥ {limit} × limit", lambda value, ratio: ratio is not None and ratio >= limit)


def at_most(limit):
    return (f"≤ {limit:,}", lambda value, ratio: value <= limit)


def at_least(limit):
    return (f"≥ {limit:,}", lambda value, ratio: value >= limit)


ROWS = [
    Row("a", "1,000 readers, 100 events/s", row_a, ALL,
        {"CPU per delivery, µs": at_most_times(1.05), "p99, ms": at_most_times(1.15)}),
    Row("a25", "the same, 25 events/s: for machines on which a is more than a core can do", row_a_slowly, BOTH,
        {"CPU per delivery, µs": at_most_times(1.05), "p99, ms": at_most_times(1.15)}),
    Row("b", "10,000 readers, 2 events/s", row_b, ALL, {"CPU per delivery, µs": at_most_times(1.05)}),
    Row("b2", "the same; 100 other publishes/s meanwhile", row_b_answers, OURS, {"answer p99, ms": at_most(5)}),
    Row("c", "1,000 readers, a burst from 4 publishers", row_c, ALL, {"CPU per delivery, µs": at_most_times(0.05)}),
    Row("r", "1,000 readers, 1,000 events/s", row_r, BOTH,
        {"events per second": at_least(990), "p99, ms": at_most(15)}),
    Row("p", "1,000 readers, each of a topic of its own too, which get 100 events/s in all", row_p, OURS,
        {"CPU ÷ a's": at_most(1.2)}),
    Row("d", "10,000 idle readers of one topic", row_d, ALL, {"bytes per stream": at_most(500)}),
    Row("d3", "10,000 idle readers, each of three topics of its own",
        functools.partial(row_d, query=THREE_TOPICS), OURS, {"bytes per stream": at_most(700)}),
    Row("dt", "10,000 idle readers, each with a token of its own for a topic of its own", row_d_tokens, OURS, {}),
    Row("e", "1 reader, 8 publishers", row_e, ALL, {"events per second": at_least_times(1.2)}),
    Row("e300k", "the same, 300,000 events instead of 20,000", functools.partial(row_e, events=300_000), BOTH,
        {"events per second": at_least_times(1.2)}),
    Row("e64", "SQLite, 64 publishers", row_e64, ON_DISK, {"events per second": at_least(60000)}),
    Row("e8", "SQLite, 8 publishers", functools.partial(row_e64, publishers=8), ON_DISK,
        {"events per second": at_least(20000)}),
    Row("e50k", "SQLite, 64 publishers, a topic and a random id for each event",
        functools.partial(row_e64, body=RANDOM_IDS), ON_DISK, {"events per second": at_least(40000)}),
    *(Row(f"v-{name}", about, functools.partial(row_verified, **tokens), OURS, {})
      for name, about, tokens in (
          ("none", "8 publishers, no reader, no token", {}),
          ("HS256", "the same, with a new token by HS256 for each event", {"algorithm": "HS256"}),
          ("ES256", "the same, by ES256", {"algorithm": "ES256"}),
          ("one", "the same, with one token for all", {"algorithm": "ES256", "tokens": 1}))),
    Row("f", "50 readers, 10 of which stall; a burst of 10,000 events of 1 KiB", row_f, BOTH,
        {"events per second": at_least_times(3), "KiB held per stalled reader": at_most(128), "lost": at_most(0)}),
    Row("h", "1,000 readers, each 10,000 events behind, while a runs for 10 s", row_h, ON_DISK,
        {"all caught up, s": at_most(20), "p99 of a ÷ without": at_most(2)}),
    Row("h2", "the same, just after a restart", functools.partial(row_h, restart=True), ON_DISK,
        {"all caught up, s": at_most(20), "p99 of a ÷ without": at_most(2)}),
    Row("k", "10,000 readers connect", row_k, ALL, {"connects per second": at_least_times(0.8)}),
    *(Row(f"n{topics}", f"a, with {topics:,} other topics subscribed",
          functools.partial(row_n, topics=topics), OURS, {"CPU ÷ a's": at_most(1.05)})
      for topics in (1, 1000, 100000)),
    Row("n50", "a, private events, each reader with a token of 50 topics, 49 of them its own, instead of one",
        row_grants, OURS, {"CPU ÷ that of one": at_most(1.05)}),
    Row("at", "a, private events and a token each", row_tokens, BOTH,
        {"CPU per delivery, µs": at_most_times(1.05), "p99, ms": at_most_times(1.15)}),
    Row("et", "e, private events and tokens", row_e_tokens, OURS, {}),
    Row("2a", "a, with two shards", functools.partial(row_two, arguments=ROW_A), TWO,
        {"CPU per delivery, µs": at_most_times(1.05)}),
    Row("2c", "c, with two shards", functools.partial(row_two, arguments=ROW_C), TWO,
        {"CPU per delivery, µs": at_most_times(0.1)}),
]


def growth(start, readers):
    """CPU and memory with more and more readers, of about 200,000 deliveries each time."""
    events = max(10, 200_000 // readers)
    load = ["--readers", readers, "--events", events, "--rate", min(100, 20000 / readers)]
    with start(SERVER_CORE) as server:
        report = bench(server, load, LOAD_CORE)
    return {"CPU per delivery, µs": cpu(report), "bytes per stream": report["server"]["bytes_per_stream"]}


def growth_of_history(readers):
    """Readers that are 10,000 events behind, as those of row h, with nothing beside them."""
    with tempfile.TemporaryDirectory(prefix="vrelo-compare-") as folder:
        log = f"sqlite:{folder}/bench.db"
        with servers.vrelo(SERVER_CORE, log=log, settings=SMALL_WINDOW) as server:
            bench(server, HISTORY, LOAD_CORE)
            return {"all caught up, s": behind(server, readers)}


GROWTH = [100, 300, 1000, 3000, 10000, 15000]
GROWTH_OF_HISTORY = [100, 300, 1000, 3000, 10000]
