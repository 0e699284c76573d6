"""What a server of TAXII costs, as ratios within one run: taxii.py BUILD BUNDLE [PART...] prints rows for
bench/run. Parts: pages (of BUNDLE's objects, against libmicrohttpd and nginx serving the same bytes),
ingest (against SQLite alone, the disk's flushes, and slower ones), many (the same at BENCH_OBJECTS objects), peers.
All is on loopback, and shares the machine's processors with wrk."""
import concurrent.futures
import contextlib
import datetime
import http.client
import json
import os
import random
import re
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
SECONDS = float(os.environ.get("BENCH_SECONDS", 3))
OBJECTS = int(os.environ.get("BENCH_OBJECTS", 1000000))
ROUNDS = 3


def row(what, figure, command, ratio):
    print(f"{what:<36} {figure:>18}  {command:<44} {ratio}", flush=True)


def limited(ours, theirs, what, limit=None):
    """A ratio, what to, and what it should be at least."""
    return f"{ours / theirs:.2f} of {what} ({theirs:,.0f}/s)" + (f" (limit {limit})" if limit else "")


# ---- programs

def logged():
    """The end of what the programs said."""
    return Path("log").read_text(errors="replace")[-1000:]


@contextlib.contextmanager
def program(*words, cwd=None, env=None):
    """Runs while the block does; its first line of output."""
    p = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, cwd=cwd, env=env,
                         stderr=open("log", "ab"), start_new_session=True)
    try:
        yield p
    finally:
        p.send_signal(signal.SIGTERM)
        try:
            p.wait(60)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def first_line(p, seconds=60):
    ready, _, _ = select.select([p.stdout], [], [], seconds)
    line = p.stdout.readline() if ready else b""
    if not line:
        sys.exit(f"bench/taxii.py: {p.args[0]} did not start: {logged()}")
    return line


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"bench/taxii.py: nobody listens at port {port}: {logged()}")


def wrk(url, *more, token=None, connections=32, seconds=None):
    """Requests a second, and the 99th percentile in milliseconds."""
    words = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds or SECONDS:.0f}s", "--latency",
             "-H", f"Accept: {TAXII}"]
    if token:
        words += ["-H", f"Authorization: Bearer {token}"]
    # A script's own arguments stand behind the URL.
    own = more.index("--") if "--" in more else len(more)
    ran = subprocess.run([*words, *map(str, [*more[:own], url, *more[own:]])], capture_output=True,
                         text=True)
    out = ran.stdout
    if ran.returncode or "Non-2xx" in out or re.search(r"Socket errors: .*[1-9]", out):
        sys.exit(f"bench/taxii.py: wrk {url}: {out}{ran.stderr}")
    unit = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
    value, of = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", out).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), float(value) * unit[of]


def best(*measures):
    """Takes the measures by turns, so that what disturbs falls on all; the best of each."""
    found = [0.0] * len(measures)
    for _ in range(ROUNDS):
        for n, measure in enumerate(measures):
            found[n] = max(found[n], measure())
    return found


# ---- the node

class Node:
    def __init__(self, setu, name):
        self.setu, self.dir = setu, Path(name).resolve()
        self.token = self.run("init", "--name", "bench", "--nation", "IN", "--org", "cert-in",
                              "--json")["token"]
        self.collection = self.run("collection add", "--title", "bench", "--alias", "bench",
                                   "--default-marking", "green", "--json")["id"]

    def run(self, command, *words):
        out = subprocess.run([self.setu, *command.split(), self.dir, *words], check=True,
                             capture_output=True, text=True).stdout
        return json.loads(out.splitlines()[-1]) if out.strip() else None

    def load(self, file):
        return self.run("import", "--collection", "bench", "--json", file)

    def load_made(self, count):
        with subprocess.Popen([sys.executable, HERE / "policy.py", "objects", str(count)],
                              stdout=subprocess.PIPE) as maker:
            subprocess.run([self.setu, "import", self.dir, "--collection", "bench", "-"], check=True,
                           stdin=maker.stdout, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def serve(self, *words, env=None):
        with program(self.setu, "serve", self.dir, "--listen", "127.0.0.1:0", *words, env=env) as p:
            self.url = json.loads(first_line(p))["url"]
            self.pid = p.pid
            self.objects = f"{self.url}/api/collections/{self.collection}/objects/"
            yield self

    def connect(self):
        url = urlsplit(self.url)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=600)

    def ask(self, path, connection=None, body=None):
        c = connection or self.connect()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": TAXII}
        if body:
            headers["Content-Type"] = TAXII
        c.request("POST" if body else "GET", path, body, headers)
        answer = c.getresponse()
        found = answer.read()
        if answer.status not in (200, 202):
            sys.exit(f"bench/taxii.py: {path}: {answer.status} {found[:300]}")
        return found

    def rate(self, query, **more):
        return wrk(self.objects + query, token=self.token, **more)[0]

    def dates(self):
        db = sqlite3.connect(f"file:{self.dir / 'setu.db'}?mode=ro", uri=True)
        low, high = db.execute("SELECT min(date_added), max(date_added) FROM release").fetchone()
        db.close()
        return low / 1e6, low / 1e6 + (high - low) / 1e6 * 0.9

    def cold(self, count):
        """Pages that each were never asked for."""
        low, high = self.dates()
        return wrk(f"{self.objects}?limit={count}", "-s", HERE / "cold.lua", "--", f"{low:.6f}",
                   f"{high:.6f}", random.randrange(1 << 30), token=self.token)[0]

    def some_id(self):
        return json.loads(self.ask(f"/api/collections/{self.collection}/manifest/?limit=50"))[
            "objects"][-1]["id"]

    def rss_mib(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) >> 10


# ---- pages: against libmicrohttpd and nginx with the same bytes

NGINX = """worker_processes 2; daemon off; error_log {dir}/error.log; pid {dir}/pid;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  default_type {type}; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2;
  fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{plain}; root {dir}/files; }}
  server {{ listen 127.0.0.1:{tls} ssl; root {dir}/files; ssl_certificate {cert};
    ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; }} }}
"""


@contextlib.contextmanager
def nginx(node, files):
    folder = Path("nginx").resolve()
    (folder / "files").mkdir(parents=True)
    folder.chmod(0o755)
    for name, content in files.items():
        (folder / "files" / name).write_bytes(content)
    plain, tls = free_port(), free_port()
    tls_dir = node.dir / "tls"
    (folder / "conf").write_text(NGINX.format(
        dir=folder, type=TAXII.replace(";", "\\;"), plain=plain, tls=tls, cert=tls_dir / "node.pem",
        key=tls_dir / "node.key"))
    with program("nginx", "-p", folder, "-c", folder / "conf"):
        wait_for_port(plain)
        yield f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{tls}/"


def pages(build, bundle):
    node = Node(build / "setu", "pages")
    count = node.load(bundle)["accepted"]
    with node.serve("--plain-http"):
        one = f"{node.some_id()}/"
        path = f"/api/collections/{node.collection}/objects/"
        files = {str(n): node.ask(f"{path}?limit={n}") for n in (100, 1000)}
        files["one"] = node.ask(path + one)
        for name, content in files.items():
            Path(name).write_bytes(content)
        Path("tiny").write_text("{}")
        with program(build / "bench" / "mhd", 0, "100", "1000", "tiny") as mhd, \
                nginx(node, files) as (plain, tls):
            memory = f"http://127.0.0.1:{int(first_line(mhd))}/"
            for n, count_of in enumerate((100, 1000)):
                ours, theirs, file, cold = best(
                    lambda: node.rate(f"?limit={count_of}"), lambda: wrk(f"{memory}{n}")[0],
                    lambda: wrk(f"{plain}{count_of}")[0], lambda: node.cold(count_of))
                command = f"wrk -t 1 -c 32 URL/objects/?limit={count_of}"
                what = f"TAXII, a page of {count_of}"
                row(what, f"{ours:,.0f}/s", command,
                    limited(ours, theirs, "libmicrohttpd with the same bytes", 0.7))
                row(what, f"{ours:,.0f}/s", command, limited(ours, file, "nginx, from a file", 0.8))
                row(f"{what}, each another", f"{cold:,.0f}/s", "wrk -s bench/cold.lua",
                    limited(cold, theirs, "libmicrohttpd with one page's bytes", 0.4))
            ours, theirs = best(lambda: node.rate(one), lambda: wrk(f"{memory}2")[0])
            row("TAXII, one object", f"{ours:,.0f}/s", "wrk -t 1 -c 32 URL/objects/ID/",
                limited(ours, theirs, "libmicrohttpd saying {}", 0.6))
            row("TAXII, memory", f"{node.rss_mib()} MiB", "setu serve", f"{count:,} objects")
            tls_rows(node, tls)


def tls_rows(node, nginx_url):
    with node.serve():
        for count in (100, 1000):
            ours, theirs = best(lambda: node.rate(f"?limit={count}"),
                                lambda: wrk(f"{nginx_url}{count}")[0])
            row(f"TAXII over TLS, a page of {count}", f"{ours:,.0f}/s",
                f"wrk -t 1 -c 32 URL/objects/?limit={count}",
                limited(ours, theirs, "nginx over TLS, from a file", 0.8))


# ---- many objects

def many(build, _):
    node, small = Node(build / "setu", "many"), Node(build / "setu", "small")
    node.load_made(OBJECTS)
    small.load_made(24771)
    with node.serve("--plain-http"), small.serve("--plain-http"):
        for what, of in (("a page of 100", lambda n: n.rate("?limit=100")),
                         ("pages of 100, each another", lambda n: n.cold(100)),
                         ("pages of 1000, each another", lambda n: n.cold(1000)),
                         ("one object", lambda n: n.rate(f"{n.some_id()}/"))):
            ours, fewer = best(lambda: of(node), lambda: of(small))
            row(f"{OBJECTS:,} objects, {what}", f"{ours:,.0f}/s", "wrk -t 1 -c 32 URL",
                limited(ours, fewer, "the same with 24,771", 0.9))
        latency(node)
        row(f"{OBJECTS:,} objects, memory", f"{node.rss_mib()} MiB", "setu serve",
            f"{node.rss_mib() / 256:.2f} of 256 MiB (limit 1)")


def latency(node):
    """Pages under 32 connections while envelopes of 100 come in one after another."""
    ending, added = threading.Event(), 0

    def write():
        nonlocal added
        c, n = node.connect(), 0
        while not ending.is_set():
            node.ask(f"/api/collections/{node.collection}/objects/", c, envelope(fresh(100, n)))
            n, added = n + 100, added + 100
    writer = threading.Thread(target=write)
    writer.start()
    try:
        rate, p99 = wrk(f"{node.objects}?limit=100", token=node.token, seconds=2 * SECONDS)
    finally:
        ending.set()
        writer.join()
    row("a page of 100 beside ingest, p99", f"{p99:.1f} ms", "wrk -t 1 -c 32 --latency URL",
        f"{p99 / 20:.2f} of 20 ms (limit 1) at {rate:,.0f}/s, {added / 2 / SECONDS:,.0f} objects/s added")


# ---- ingest

def fresh(count, start=0):
    seed = random.randrange(1 << 32)
    return [json.dumps({
        "type": "indicator", "spec_version": "2.1", "pattern_type": "stix",
        "id": f"indicator--{seed:08x}-0000-4000-8000-{start + n:012x}",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "pattern": f"[domain-name:value = 'h{start + n}.example']",
        "valid_from": "2026-01-01T00:00:00Z"}).encode() for n in range(count)]


def envelope(texts):
    return b'{"objects":[' + b",".join(texts) + b"]}"


def sqlite_alone(rows, size):
    """Objects a second, in durable transactions of `size` rows."""
    Path("alone.db").unlink(missing_ok=True)
    db = sqlite3.connect("alone.db", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE object (n INTEGER PRIMARY KEY, id TEXT, version TEXT, bytes BLOB,"
                     " UNIQUE (id, version));")
    start = time.perf_counter()
    for n in range(0, len(rows), size):
        db.execute("BEGIN")
        db.executemany("INSERT INTO object (id, version, bytes) VALUES (?, ?, ?)", rows[n:n + size])
        db.execute("COMMIT")
    taken = time.perf_counter() - start
    db.close()
    return len(rows) / taken


FLUSHES = """
import os, time
with open("flushed", "wb", buffering=0) as f:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 2:
        f.write(b"x" * 4096)
        os.fdatasync(f.fileno())
        count += 1
    print(count / (time.perf_counter() - start))
"""


def flushes_per_second(env=None):
    """4 KiB and a flush, again and again, as a log that is committed does."""
    return float(subprocess.run([sys.executable, "-c", FLUSHES], check=True, capture_output=True,
                                env=env).stdout)


def posts(build, more_us):
    """One object a POST, 32 connections: many of them share a flush. Where flushes cost next to nothing this
    measures the processor, so also with flushes that take `more_us` longer, for both sides."""
    env = {**os.environ, "BENCH_FLUSH_US": str(more_us)}
    if more_us:
        slow = build / "bench" / "slow-flush.so"
        if not slow.exists():  # the loader would go on without it
            sys.exit(f"bench/taxii.py: {slow} is not there: make {slow}")
        env["LD_PRELOAD"] = str(slow)
    node = Node(build / "setu", f"singles-{more_us}")
    with node.serve("--plain-http", env=env):
        flushes, rate = best(lambda: flushes_per_second(env), lambda: wrk(
            node.objects, "-s", HERE / "posts.lua", "--", random.randrange(1 << 31),
            token=node.token)[0])
    what = f"the disk's flushes, each {more_us / 1000:.0f} ms longer" if more_us else "the disk's flushes"
    row("POST of one, 32 connections", f"{rate:,.0f}/s", "wrk -t 1 -c 32 -s bench/posts.lua URL",
        limited(rate, flushes, what, 5))


def ingest(build, bundle):
    objects = json.loads(Path(bundle).read_text())["objects"]
    texts = [json.dumps(o, ensure_ascii=False).encode() for o in objects]
    bodies = [envelope(texts[n:n + 1000]) for n in range(0, len(texts), 1000)]
    rows = [(o["id"], o.get("modified", o.get("created", "")), t) for o, t in zip(objects, texts)]
    alone, ours = 0.0, {1: 0.0, 4: 0.0}
    for turn in range(ROUNDS):
        alone = max(alone, sqlite_alone(rows, 1000))
        for clients in ours:
            node = Node(build / "setu", f"ingest-{clients}-{turn}")
            with node.serve("--plain-http"), concurrent.futures.ThreadPoolExecutor(clients) as pool:
                local = threading.local()

                def post(body):
                    if not hasattr(local, "c"):
                        local.c = node.connect()
                    return json.loads(node.ask(
                        f"/api/collections/{node.collection}/objects/", local.c, body))["success_count"]
                start = time.perf_counter()
                added = sum(pool.map(post, bodies))
                ours[clients] = max(ours[clients], added / (time.perf_counter() - start))
    for clients, rate in ours.items():
        row(f"POST of 1,000, {clients} connection(s)", f"{rate:,.0f} objects/s", "bench/taxii.py",
            limited(rate, alone, "SQLite alone, the same bytes", 0.5))
    for more_us in (0, 5000):
        posts(build, more_us)


# ---- others' servers

class Other:
    """A client of another's server: one connection, one request after another."""

    def __init__(self, name, port, authorization):
        self.name, self.authorization = name, authorization
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(self, path, body=None, kind=TAXII):
        headers = {"Accept": TAXII}
        if self.authorization:
            headers["Authorization"] = self.authorization
        if body:
            headers["Content-Type"] = kind
        self.connection.request("POST" if body else "GET", path, body, headers)
        answer = self.connection.getresponse()
        found = answer.read()
        if answer.status not in (200, 202):
            sys.exit(f"bench/taxii.py: {self.name}: {path}: {answer.status} {found[:300]} {logged()}")
        return json.loads(found)

    def added(self, path, texts, most_s=60):
        """Objects a second, in envelopes of 1,000: of those that it takes in that many seconds."""
        start, added, n = time.perf_counter(), 0, 0
        while n < len(texts) and time.perf_counter() - start < most_s:
            added += self.ask(path, envelope(texts[n:n + 1000]))["success_count"]
            n += 1000
        return added / (time.perf_counter() - start)

    def read(self, path):
        """Objects a second."""
        got, start = 0, time.perf_counter()
        while time.perf_counter() - start < 2 * SECONDS:
            got += len(self.ask(path)["objects"])
        return got / (time.perf_counter() - start)


def peers(build, bundle):
    attack = [json.dumps(o, ensure_ascii=False).encode() for o in json.loads(Path(bundle).read_text())["objects"]]
    venv = HERE.parent / "build" / "venv-bench" / "bin"
    texts = fresh(2000)
    node = Node(build / "setu", "peers")
    with node.serve("--plain-http"):
        path = f"/api/collections/{node.collection}/objects/"
        client = Other("setu", urlsplit(node.url).port, f"Bearer {node.token}")
        client.added(path, texts)
        rates = {n: best(lambda: node.rate(f"?limit={n}", connections=4))[0] * n for n in (100, 1000)}
    node = Node(build / "setu", "peers-attack")
    with node.serve("--plain-http"):
        added = Other("setu", urlsplit(node.url).port, f"Bearer {node.token}").added(
            f"/api/collections/{node.collection}/objects/", attack)
    for name, start, size, limit in (("medallion, memory backend", medallion, 1000, 1000),
                                     ("OpenTAXII, SQLite", opentaxii, 100, 20)):
        with start(venv, texts) as (other, collection):
            if start is opentaxii:
                other.added(collection, texts)
            theirs = other.read(f"{collection}?limit={size}")
            theirs_added = other.added(collection, attack)
        row(f"pages of {size} at 2,000 objects", f"{rates[size]:,.0f} objects/s",
            f"wrk -t 1 -c 4 URL/objects/?limit={size}",
            f"{rates[size] / theirs:,.0f} times {name} ({theirs:,.0f}/s) (limit {limit:,})")
        row("POST of 1,000, ATT&CK", f"{added:,.0f} objects/s", "bench/taxii.py",
            f"{added / theirs_added:,.0f} times {name} ({theirs_added:,.0f}/s) (limit 30)")


@contextlib.contextmanager
def medallion(venv, texts):
    """With 2,000 objects from its file."""
    collection = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
    now = datetime.datetime(2026, 1, 1)
    stamps = [(now + datetime.timedelta(microseconds=n)).isoformat(timespec="microseconds") + "Z"
              for n in range(len(texts))]
    objects = [json.loads(t) for t in texts]
    data = {
        "/discovery": {"title": "m", "default": "http://127.0.0.1/api/",
                       "api_roots": ["http://127.0.0.1/api/"]},
        "api": {
            "information": {"title": "api", "versions": [TAXII], "max_content_length": 104857600},
            "status": [],
            "collections": [{
                "id": collection, "title": "c", "can_read": True, "can_write": True,
                "media_types": [STIX],
                "objects": [{**o, "_date_added": s} for o, s in zip(objects, stamps)],
                "manifest": [{"id": o["id"], "date_added": s, "version": o["modified"],
                              "media_type": STIX} for o, s in zip(objects, stamps)]}]}}
    Path("medallion-data.json").write_text(json.dumps(data))
    Path("medallion.json").write_text(json.dumps({
        "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                    "filename": str(Path("medallion-data.json").resolve())},
        "users": {"u": "p"}, "taxii": {"max_page_size": 1000}}))
    port = free_port()
    with program(venv / "medallion", "--host", "127.0.0.1", "--port", port,
                 Path("medallion.json").resolve()):
        wait_for_port(port)
        yield Other("medallion", port, "Basic dTpw"), f"/api/collections/{collection}/objects/"


@contextlib.contextmanager
def opentaxii(venv, _):
    """Empty, under gunicorn with two workers, as its manual advises for more than a trial."""
    folder = Path("opentaxii").resolve()
    folder.mkdir()
    sql = {name: {"class": f"opentaxii.{kind}", "parameters": {
        "db_connection": f"sqlite:///{folder}/{name}.db", "create_tables": True, **more}}
        for name, kind, more in (
            ("auth", "auth.sqldb.SQLDatabaseAPI", {"secret": "x" * 40, "token_ttl_secs": 360000}),
            ("data", "persistence.sqldb.Taxii2SQLDatabaseAPI", {}))}
    (folder / "conf.yml").write_text(json.dumps({
        "domain": "localhost", "support_basic_auth": True, "auth_api": sql["auth"], "taxii1": None,
        "taxii2": {"title": "t", "description": "d", "contact": "c", "max_content_length": 104857600,
                   "persistence_api": sql["data"]},
        "logging": {"opentaxii": "error", "root": "error"}}))
    env = {**os.environ, "OPENTAXII_CONFIG": str(folder / "conf.yml")}

    def make(what, *words):
        ran = subprocess.run([venv / f"opentaxii-{what}", *words], env=env, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"bench/taxii.py: opentaxii-{what}: {ran.stdout[-500:]}{ran.stderr[-500:]}")
        return ran.stdout
    make("create-account", "--username", "u", "--password", "p", "--admin")
    make("add-api-root", "-t", "R", "--default")
    root = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", make("add-collection", "--help")).group()
    make("add-collection", "-r", root, "-t", "C", "-a", "c", "--public", "--public-write")
    port = free_port()
    with program(venv / "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "opentaxii.http:app", env=env):
        wait_for_port(port)
        other = Other("opentaxii", port, None)
        token = other.ask("/management/auth", json.dumps({"username": "u", "password": "p"}).encode(),
                          "application/json")["token"]
        other.authorization = f"Bearer {token}"
        yield other, f"/taxii2/{root}/collections/c/objects/"


def main():
    build, bundle, parts = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    all_parts = {"pages": pages, "ingest": ingest, "many": many, "peers": peers}
    for part in parts or all_parts:
        if part not in all_parts:
            sys.exit(f"bench/taxii.py: there is no part \"{part}\": {', '.join(all_parts)}")
    with tempfile.TemporaryDirectory(prefix="setu-bench.") as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        for part in parts or all_parts:
            all_parts[part](build, bundle)


if __name__ == "__main__":
    main()
