"""A real node in a temporary folder, its command line, and a small HTTPS client for its TAXII API
that sends exactly what a test says."""
import http.client
import json
import os
import select
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
import uuid
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
SETU = os.environ.get("SETU", "build/setu")
CORPUS = Path(os.environ.get("SETU_CORPUS", "../shared/corpus"))
TAXII = "application/taxii+json;version=2.1"
# Sanitizers make the program several times slower; nothing may hang for longer than this.
PATIENCE_S = 120

# Of a process that a test kills whenever it happens to be: a look for leaks at its end, cut off, would be a report.
KILLED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

TLP = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


def setu(*words, status=0, stdin=None, **more):
    """Runs one command; `status` is what its exit status must be (None: whatever)."""
    ran = subprocess.run([SETU, *map(str, words)], input=stdin, capture_output=True, text=True,
                         cwd=ROOT, timeout=600, **more)
    if status is not None:
        assert ran.returncode == status, (words, ran.returncode, ran.stdout[-2000:], ran.stderr)
    return ran


def indicator(n=None, tlp=None, **properties):
    """An indicator of its own; `n` only makes it recognisable."""
    o = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": f"indicator {n}", "pattern": f"[domain-name:value = 'host-{n}.example']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
    }
    if tlp:
        o["object_marking_refs"] = [TLP[tlp]]
    o.update(properties)
    return o


def later(o, modified, **properties):
    """A later version of the same object."""
    return {**o, "modified": modified, **properties}


def raw_objects(text, list_name="objects"):
    """Each object of a bundle or envelope as it is written there, in order."""
    decoder = json.JSONDecoder()
    start = text.find(f'"{list_name}"')
    if start < 0:
        return []
    at = text.index("[", start) + 1
    out = []
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return out
        _, end = decoder.raw_decode(text, at)
        out.append(text[at:end])
        at = end


def assert_same(got, want):
    """Lists are equal. Says where they part; a diff of megabytes would say nothing."""
    for n, (a, b) in enumerate(zip(got, want)):
        assert a == b, f"item {n} differs: {a!r:.500} is not {b!r:.500}"
    assert len(got) == len(want), f"{len(got)} items are not {len(want)}"


class Answer:
    """A whole answer of the server."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    @property
    def objects(self):
        return self.json().get("objects", [])

    def ids(self):
        return [o["id"] for o in self.objects]


class Client:
    """One connection, kept alive, and one way to sign in."""

    def __init__(self, node, token=None, user=None, password=None, authorization=None, cert=None,
                 timeout=PATIENCE_S):
        self.node = node
        url = urlsplit(node.url)
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=node.ca)
            if cert:
                context.load_cert_chain(*map(str, cert))
            self.connection = http.client.HTTPSConnection(url.hostname, url.port, context=context,
                                                          timeout=timeout)
        else:
            self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
        if token:
            authorization = f"Bearer {token}"
        elif user is not None:
            authorization = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        self.authorization = authorization

    def close(self):
        self.connection.close()

    def request(self, method, path, params=None, body=None, headers=None, status=None,
                encode_chunked=False):
        """`path` below the API root, or absolute; None as a header's value leaves it away."""
        if not path.startswith("/"):
            path = "/api/" + path
        if params:
            path += "?" + urlencode(params)
        sent = {"Accept": TAXII, "Authorization": self.authorization}
        if body is not None:
            sent["Content-Type"] = TAXII
        sent.update(headers or {})
        sent = {k: v for k, v in sent.items() if v is not None}
        try:
            self.connection.request(method, path, body=body, headers=sent,
                                    encode_chunked=encode_chunked)
            response = self.connection.getresponse()
            answer = Answer(response, response.read())
        except BaseException:
            self.connection.close()
            raise
        if status is not None:
            assert answer.status == status, (method, path, answer.status, answer.body[:1000])
        return answer

    def get(self, path, status=200, headers=None, **params):
        return self.request("GET", path, params, status=status, headers=headers)

    def post(self, collection, objects, status=202):
        """Adds objects (dicts, or JSON texts that are sent as they are)."""
        texts = [o if isinstance(o, str) else json.dumps(o) for o in objects]
        body = '{"objects":[' + ",".join(texts) + "]}"
        return self.request("POST", f"collections/{collection}/objects/", body=body.encode(),
                            status=status)

    def pages(self, collection, what="objects", **params):
        """Every page, by `next`."""
        while True:
            answer = self.get(f"collections/{collection}/{what}/", **params)
            yield answer
            content = answer.json()
            if not content.get("more"):
                return
            params["next"] = content["next"]

    def all_ids(self, collection, **params):
        return [i for page in self.pages(collection, **params) for i in page.ids()]

    def delete(self, collection, object_id, status=200, **params):
        return self.request("DELETE", f"collections/{collection}/objects/{object_id}/", params,
                            status=status)


def error_of(answer, status):
    """The error resource (TAXII 2.1 §3.6.1), after what every error must be."""
    assert answer.status == status, (answer.status, answer.body[:1000])
    assert answer.headers["Content-Type"] == TAXII
    error = answer.json()
    assert isinstance(error["title"], str) and error["title"]
    assert error["http_status"] == str(status)
    for leak in ("sqlite", "SELECT ", "src/", ".c:", "setu.db"):
        assert leak not in answer.text, answer.text
    return error


class Node:
    """DIR and, while it runs, its server."""

    def __init__(self, folder, name="Node", nation="IN", org="home", policy=None, conf=""):
        self.dir = Path(folder)
        made = setu("init", self.dir, "--name", name, "--nation", nation, "--org", org, "--json")
        self.nation, self.org = nation, org
        self.admin_token = json.loads(made.stdout)["token"]
        if policy is not None:
            (self.dir / "policy.conf").write_text(policy)
        if conf:
            with open(self.dir / "setu.conf", "a") as f:
                f.write(conf)
        self.server = None
        self.clients = []

    # ---- the command line

    def cli(self, command, *words, status=0, stdin=None):
        return setu(*command.split(), self.dir, *words, status=status, stdin=stdin)

    def collection(self, title, alias=None, marking="green", **more):
        words = ["--title", title, "--default-marking", marking, "--json"]
        if alias:
            words += ["--alias", alias]
        return json.loads(self.cli("collection add", *words, **more).stdout)["id"]

    def user(self, name, role="contributor", org=None, nation=None, *words, password=None):
        """Adds a user; returns the token, or None where there is a password or certificate."""
        words = ["--role", role, "--org", org or self.org, "--nation", nation or self.nation,
                 "--json", *words]
        if password:
            words.append("--password-stdin")
        ran = self.cli("user add", name, *words, stdin=password and password + "\n")
        return json.loads(ran.stdout).get("token")

    def imported(self, collection, *files, status=0, words=(), **more):
        """Counts of `setu import`."""
        ran = self.cli("import", "--collection", collection, "--json", *words, *files,
                       status=status, **more)
        return json.loads(ran.stdout.splitlines()[-1])

    # ---- the server

    def start(self, *words, env=None, listen="127.0.0.1:0"):
        assert self.server is None
        self.server = subprocess.Popen(
            [SETU, "serve", self.dir, "--listen", listen, *words], cwd=ROOT,
            stdout=subprocess.PIPE, stderr=open(self.dir.parent / (self.dir.name + ".log"), "ab"),
            env=env and {**os.environ, **env})
        readable, _, _ = select.select([self.server.stdout], [], [], PATIENCE_S)
        line = self.server.stdout.readline() if readable else b""
        assert line, f"not ready: {self.log()}"
        ready = json.loads(line)
        assert ready["ready"] is True
        self.url, self.ca = ready["url"], ready["ca"]
        return self

    def rows(self, table=None, columns="*"):
        """Every row of the database, or of a table: two that are equal mean that nothing was left
        behind but leaves of the ledger, and what the node notes of its own work."""
        db = sqlite3.connect(f"file:{self.dir / 'setu.db'}?mode=ro", uri=True)
        try:
            if table:
                return list(db.execute(f"SELECT {columns} FROM {table}"))
            tables = [t for t, in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
            found = {t: sorted(db.execute(f"SELECT * FROM {t}"), key=repr) for t in tables}
            for t in ("leaves", "node"):
                del found[t]
            found["value"] = [v for v in found["value"]
                              if v[0] not in ("decided", "policy-recorded", "ledger-head")]
            return found
        finally:
            db.close()

    def log(self):
        return (self.dir.parent / (self.dir.name + ".log")).read_text(errors="replace")

    def stop(self):
        """SIGTERM; a server must end by itself, with 0 and without a word of complaint."""
        for c in self.clients:
            c.close()
        self.clients = []
        if self.server is None:
            return
        server, self.server = self.server, None
        assert server.poll() is None, f"the server ended by itself: {server.returncode} {self.log()}"
        server.send_signal(signal.SIGTERM)
        try:
            status = server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise
        finally:
            server.stdout.close()
        assert status == 0, (status, self.log())
        assert "ERROR" not in self.log().upper(), self.log()

    def kill(self):
        """SIGKILL: a power cut for the program."""
        server, self.server = self.server, None
        server.kill()
        server.wait()
        server.stdout.close()

    def client(self, token=None, **how):
        c = Client(self, token, **how)
        self.clients.append(c)
        return c

    @property
    def admin(self):
        return self.client(self.admin_token)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.01)
