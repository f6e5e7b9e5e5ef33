# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: each is started anew for each measurement, at a free port."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VRELO = ROOT / "build/release/vrelo"
LIMIT = ROOT / "build/release/bench/rawlimit"
TOKENS = ROOT / "bench/comparison/tokens.mjs"
NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"
PLAIN = ["--body", "{message}", "--content-type", "text/plain"]


class Running:
    """A server that listens: `target` is what `vrelo bench` is told of it, `pids` are its processes."""

    def __init__(self, port, target, pids):
        self.port = port
        self.target = target
        self.pids = pids


def pinned(core, argv):
    return argv if core is None else ["taskset", "--cpu-list", str(core), *argv]


@contextlib.contextmanager
def process(argv, **options):
    """Runs a program, and ends it."""
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **options)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


def port_of(child):
    line = child.stdout.readline()
    found = re.search(r"^listening on http://127\.0\.0\.1:(\d+)$", line)
    if not found:
        raise RuntimeError(f"a server did not start: {line!r}")
    return int(found[1])


@contextlib.contextmanager
def limit(core, threads=1):
    with process(pinned(core, [LIMIT, "--port", "0", "--threads", str(threads)])) as child:
        port = port_of(child)
        origin = f"http://127.0.0.1:{port}"
        target = [f"{origin}/sub", "--publish-url", f"{origin}/pub", *PLAIN]
        yield Running(port, target, [child.pid])


@contextlib.contextmanager
def vrelo(core, shards=1, log="memory:", settings=()):
    with tempfile.TemporaryDirectory(prefix="vrelo-compare-") as folder:
        argv = [VRELO, "serve", "--listen", "127.0.0.1:0", "--shards", str(shards), "--log", log]
        errors = open(os.path.join(folder, "errors"), "w", encoding="utf-8")
        with errors, process(
            pinned(core, [*argv, "--drain", "0", *settings]), cwd=folder, stderr=errors
        ) as child:
            port = port_of(child)
            yield Running(port, [f"http://127.0.0.1:{port}"], [child.pid])


class Guarded(Running):
    """vrelo that takes tokens of its own key."""

    def __init__(self, running, folder):
        super().__init__(running.port, running.target, running.pids)
        self.folder = folder

    def tokens(self, streams, events=None):
        """What `vrelo bench` is told of sets of tokens."""
        files = {"--token-file": streams, "--publish-token-file": events or streams}
        return [word for option, name in files.items() for word in (option, os.path.join(self.folder, name))]


@contextlib.contextmanager
def guarded(core, algorithm="HS256", **sets):
    """`sets`: by name, how many tokens, and a list of topics whose private events each may read."""
    wanted = {name: {"count": count, "subscribe": topics} for name, (count, topics) in sets.items()}
    with tempfile.TemporaryDirectory(prefix="vrelo-compare-") as folder:
        subprocess.run(["node", TOKENS, folder, algorithm], input=json.dumps(wanted), text=True, check=True)
        with vrelo(core, settings=("--config", os.path.join(folder, "hub.toml"))) as running:
            yield Guarded(running, folder)


NGINX = """
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 19000;
pid {folder}/pid; error_log {folder}/errors crit; load_module {module};
events {{ worker_connections 18000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=4096 reuseport;
    location = /sub {{
      nchan_subscriber eventsource; nchan_channel_id a; nchan_subscriber_first_message newest;
    }}
    location = /pub {{
      nchan_publisher; nchan_channel_id a; nchan_message_buffer_length 1000; nchan_message_timeout 1h;
    }}
  }}
}}
"""


@contextlib.contextmanager
def nchan(core):
    with tempfile.TemporaryDirectory(prefix="vrelo-compare-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(
            NGINX.format(folder=folder, port=port, module=NCHAN_MODULE), encoding="utf-8"
        )
        argv = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", str(config)]
        with process(pinned(core, argv)) as child:
            wait_for(port, child)
            origin = f"http://127.0.0.1:{port}"
            target = [f"{origin}/sub", "--header", "Accept: text/event-stream"]
            yield Running(port, [*target, "--publish-url", f"{origin}/pub", *PLAIN], [child.pid])


def wait_for(port, child):
    """nginx does not say when it listens."""
    while child.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
    raise RuntimeError("nginx did not start")
