"""What comes over the wire and is no good request: bytes that could be two requests, heads and bodies
without end, connections that are slow or too many; and what is told of all: log, figures, health."""
import json
import os
import re
import resource
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from random import Random
from urllib.parse import urlsplit

import pytest

import setu_node
from setu_node import PATIENCE_S, TAXII, error_of, indicator, wait_for
from test_timing import sanitized

MIB = 1 << 20
pytestmark = pytest.mark.threads


class Raw:
    """Bytes to a server over plain HTTP, and what comes back."""

    def __init__(self, node):
        url = urlsplit(node.url)
        self.node = node
        self.socket = socket.create_connection((url.hostname, url.port), PATIENCE_S)
        self.came = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def head(self, line, *fields, token=None):
        lines = [line, "Host: x", f"Authorization: Bearer {token or self.node.admin_token}",
                 f"Accept: {TAXII}", *fields]
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def answer(self):
        """Status, fields, body of the next answer."""
        while b"\r\n\r\n" not in self.came:
            more = self.socket.recv(65536)
            assert more, f"closed after {self.came!r}"
            self.came += more
        head, self.came = self.came.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        want = int(fields.get("content-length", 0))
        while len(self.came) < want:
            more = self.socket.recv(65536)
            assert more, "closed within a body"
            self.came += more
        body, self.came = self.came[:want], self.came[want:]
        return int(first.split(" ")[1]), fields, body

    def refused(self, *statuses):
        """Answered with one of these, in TAXII's form, and closed."""
        status, fields, body = self.answer()
        assert status in statuses, (status, body)
        assert fields["content-type"] == TAXII and fields["connection"] == "close"
        assert json.loads(body)["http_status"] == str(status)
        assert self.ended()
        return json.loads(body)["description"]

    def ended(self):
        assert self.came == b""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def node(module_nodes):
    node = module_nodes(conf="max-body-bytes 1048576\n")
    node.c = node.collection("Wire", "wire")
    node.start("--plain-http")
    node.admin.post(node.c, [indicator(n) for n in range(20)])
    return node


def memory(node, what="VmHWM"):
    text = open(f"/proc/{node.server.pid}/status").read()
    return int(re.search(rf"^{what}:\s+(\d+) kB", text, re.M)[1]) << 10


def queued(raw):
    """Whether bytes of it wait to be acknowledged here, or to be read by the server."""
    ends = sorted((raw.socket.getsockname()[1], raw.socket.getpeername()[1]))
    with open("/proc/net/tcp") as table:
        for row in table:
            words = row.split()
            ports = [int(w.split(":")[1], 16) for w in words[1:3] if ":" in w]
            if sorted(ports) == ends and words[4] != "00000000:00000000":
                return True
    return False


def well(node):
    """A good client is served."""
    client = node.client(node.admin_token)
    assert len(client.get(f"collections/{node.c}/objects/", limit=5).objects) == 5
    client.close()


# ---- T24: requests that could be two

GET = "GET /api/ HTTP/1.1\r\n"
POST = "POST /api/collections/wire/objects/ HTTP/1.1\r\n"
SMUGGLED = {
    "length-and-coding": POST + "Host: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding-and-length": POST + "Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two-lengths": POST + "Host: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "one-length-twice": POST + "Host: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "length-list": POST + "Host: x\r\nContent-Length: 4, 4\r\n\r\nabcd",
    "length-signed": POST + "Host: x\r\nContent-Length: +4\r\n\r\nabcd",
    "two-hosts": GET + "Host: x\r\nHost: y\r\n\r\n",
    "no-host": GET + "\r\n",
    "blank-before-colon": GET + "Host : x\r\n\r\n",
    "coding-with-blank": POST + "Host: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare-lf": "GET /api/ HTTP/1.1\nHost: x\n\n",
    "bare-lf-within": GET + "Host: x\nA: b\r\n\r\n",
    "bare-cr": GET + "Host: x\r\nA: b\rC: d\r\n\r\n",
    "obs-fold": GET + "Host: x\r\nA: b\r\n c\r\n\r\n",
    "fold-first": GET + " A: b\r\nHost: x\r\n\r\n",
    "nul-in-path": "GET /api/\0/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "nul-in-value": GET + "Host: x\r\nA: \0\r\n\r\n",
    "tab-in-line": "GET\t/api/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "two-blanks": "GET  /api/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no-version": "GET /api/\r\nHost: x\r\n\r\n",
    "no-colon": GET + "Host: x\r\nabc\r\n\r\n",
    "two-authorizations": GET + "Host: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    "coding-in-1.0": "POST /api/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding-identity": POST + "Host: x\r\nTransfer-Encoding: identity\r\n\r\n",
    "coding-twice": POST + "Host: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "http-2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
CHUNKS = {"extension": "1;a\r\nb\r\n0\r\n\r\n", "trailer": "0\r\nA: b\r\n\r\n", "longer": "1\r\nab\r\n0\r\n\r\n",
          "lf": "1\nb\n0\n\n", "sign": "+1\r\nb\r\n0\r\n\r\n", "hex": "0x1\r\nb\r\n0\r\n\r\n",
          "huge": "ffffffffffffffff\r\n", "empty": "\r\n", "lf-at-end": "0\r\n\n"}


@pytest.mark.parametrize("name", SMUGGLED)
def test_t24_what_could_be_two_requests_is_refused(node, name):
    before = node.rows()
    raw = Raw(node).send((SMUGGLED[name] + GET + "Host: x\r\n\r\n").encode())
    raw.refused(*([501] if "coding-identity" == name or "coding-twice" == name
                  else [505] if name == "http-2" else [400]))
    assert node.rows() == before


@pytest.mark.parametrize("name", CHUNKS)
def test_t24_chunks(node, name):
    raw = Raw(node).head("POST /api/collections/wire/objects/ HTTP/1.1", f"Content-Type: {TAXII}",
                         "Transfer-Encoding: chunked")
    raw.send(CHUNKS[name].encode()).refused(400)


def test_requests_one_after_another(node):
    """Sent at once, answered in order; and byte by byte."""
    raw = Raw(node)
    for limit in (1, 2, 3):
        raw.head(f"GET /api/collections/wire/objects/?limit={limit} HTTP/1.1")
    assert [len(json.loads(raw.answer()[2])["objects"]) for _ in range(3)] == [1, 2, 3]
    body = json.dumps({"objects": [indicator("piece")]}).encode()
    chunks = b"".join(b"%x\r\n%c\r\n" % (1, c) for c in body) + b"0\r\n\r\n"
    text = (f"POST /api/collections/wire/objects/ HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\nContent-Type: "
            f"{TAXII}\r\nAuthorization: Bearer {node.admin_token}\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(0, len(text + chunks), 7):
        raw.send((text + chunks)[n:n + 7])
    status, _, said = raw.answer()
    assert status == 202 and json.loads(said)["success_count"] == 1
    raw.head("HEAD /api/collections/wire/ HTTP/1.1").head("GET /api/ HTTP/1.1", "Connection: close")
    while b"\r\n\r\n" not in raw.came:
        raw.came += raw.socket.recv(65536)
    head, raw.came = raw.came.split(b"\r\n\r\n", 1)
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) > 2  # and none of it follows
    status, fields, _ = raw.answer()
    assert (status, fields["connection"]) == (200, "close") and raw.ended()


@pytest.mark.parametrize("seed", range(4))
def test_however_the_bytes_come_the_answers_are_the_same(node, seed):
    """Requests of many kinds, refused ones and those that wait among them, behind one another: in pieces of
    any size each is answered, in order, as it is when it is alone."""
    random = Random(seed)
    name = b64encode(b"x:wrong").decode()
    fields = f"Host: x\r\nAccept: {TAXII}\r\nAuthorization: Bearer {node.admin_token}\r\n"
    path = "/api/collections/wire/"
    kinds = [
        (200, f"GET {path}objects/?limit=3 HTTP/1.1\r\n{fields}\r\n"),
        (200, f"GET {path}objects/?limit=3 HTTP/1.1\r\n{fields}Accept-Encoding: gzip\r\n\r\n"),
        (200, f"GET {path}objects/?wait=0&added_after=2100-01-01T00:00:00Z HTTP/1.1\r\n{fields}\r\n"),
        (200, f"\r\nGET /healthz HTTP/1.1\r\n{fields}\r\n"),
        (404, f"GET /nowhere/ HTTP/1.1\r\n{fields}\r\n"),
        (405, f"PUT {path} HTTP/1.1\r\n{fields}Content-Length: 10\r\n\r\n0\r\n\r\nGET /"),
        (401, f"POST {path}objects/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + "\r\n" * 2500),
        (401, f"POST {path}objects/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {name}\r\nContent-Length: 3\r\n\r\n{{}}\n"),
        (422, f"POST {path}objects/ HTTP/1.1\r\n{fields}Content-Type: {TAXII}\r\nContent-Length: 2\r\n\r\n{{}}"),
        (422, f"POST {path}objects/ HTTP/1.1\r\n{fields}Content-Type: {TAXII}\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
    ]
    asked = [random.choice(kinds) for _ in range(40)]
    data = "".join(text for _, text in asked).encode()
    raw = Raw(node)
    raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send():
        at = 0
        while at < len(data):
            size = random.choice([1, 2, 7, 100, 5000, 100000]) if seed else len(data)
            raw.send(data[at:at + size])
            at += size
    sender = threading.Thread(target=send)
    sender.start()
    for n, (status, text) in enumerate(asked):
        got, fields, body = raw.answer()
        assert got == status, (n, text, body)
        assert "connection" not in fields
    sender.join()
    raw.close()


def test_old_clients(node):
    raw = Raw(node).send(f"GET /healthz HTTP/1.0\r\n\r\n".encode())
    assert raw.answer()[0] == 200 and raw.ended()
    raw = Raw(node).send(b"\r\nGET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert raw.answer()[1]["connection"] == "keep-alive"
    assert raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 200
    # Half closed: whoever has said all is still answered.
    raw.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").socket.shutdown(socket.SHUT_WR)
    assert raw.answer()[0] == 200 and raw.ended()


def test_expect(node):
    body = json.dumps({"objects": [indicator("expected")]}).encode()
    raw = Raw(node).head("POST /api/collections/wire/objects/ HTTP/1.1", f"Content-Type: {TAXII}",
                         f"Content-Length: {len(body)}", "Expect: 100-continue")
    assert raw.answer()[0] == 100
    assert raw.send(body).answer()[0] == 202
    # Refused before a byte of it is sent.
    raw.head("POST /api/collections/wire/objects/ HTTP/1.1", f"Content-Type: {TAXII}",
             "Content-Length: 99999999", "Expect: 100-continue")
    raw.refused(413)


# ---- T25: heads without end

def test_t25_heads_without_end(node):
    Raw(node).send((GET + "Host: x\r\nA: " + "b" * 65536).encode()).refused(431)
    Raw(node).send((GET + "Host: x\r\n" + "A: b\r\n" * 10000).encode()).refused(431)
    Raw(node).send((GET + "Host: x\r\n" + "A: b\r\n" * 101 + "\r\n").encode()).refused(431)
    Raw(node).send(("GET /" + "a" * 70000).encode()).refused(414)
    assert "24576" in Raw(node).head("GET /api/?" + "a" * 25000 + " HTTP/1.1").answer()[2].decode()
    well(node)


# ---- T20, T21: bodies

def endless(node, raw, piece):
    """Sends until it is refused; how much went."""
    sent = 0
    raw.socket.setblocking(False)
    try:
        while True:
            readable, writable, _ = select.select([raw.socket], [raw.socket], [], PATIENCE_S)
            if readable:
                break
            if writable:
                sent += raw.socket.send(piece)
            assert sent < 64 * MIB
    except (BrokenPipeError, ConnectionResetError):
        pass
    raw.socket.setblocking(True)
    return sent


def test_t20_bodies_without_end(node):
    well(node)
    before = memory(node)
    path, kind = "POST /api/collections/wire/objects/ HTTP/1.1", f"Content-Type: {TAXII}"
    Raw(node).head(path, kind, "Content-Length: 1073741824").refused(413)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for first, piece in (("Transfer-Encoding: chunked", chunk), ("Content-Length: 900000", b" " * 4096)):
        for _ in range(8):
            raw = Raw(node).head(path, kind, first)
            endless(node, raw, piece)
            assert raw.answer()[0] in (400, 413)
            raw.close()
    # Longer than it says: the rest is a next request, and none.
    raw = Raw(node).head(path, kind, "Content-Length: 2").send(b"{}{}{}\r\n\r\n")
    assert raw.answer()[0] == 422  # an envelope without objects
    raw.refused(400)
    # A body of who asks for something: dropped, up to a limit.
    raw = Raw(node).head("GET /api/ HTTP/1.1", "Transfer-Encoding: chunked")
    endless(node, raw, chunk)
    assert raw.answer()[0] == 200 and raw.ended()
    assert Raw(node).head(path, kind, "Content-Encoding: gzip", "Content-Length: 2").send(b"{}").answer()[0] == 415
    if not sanitized():
        assert memory(node) < before + 32 * MIB
    well(node)


def test_t20_bodies_of_strangers_are_not_kept(nodes):
    """What was refused by its head is read to its end, for the connection's sake, and forgotten."""
    node = nodes()
    node.c = node.collection("Strangers", "strangers")
    node.start("--plain-http")
    node.admin.post("strangers", [indicator(n) for n in range(5)])
    before, most = memory(node, "VmRSS"), 1 << 20
    head = f"POST /api/collections/strangers/objects/ HTTP/1.1\r\nHost: x\r\nContent-Length: {most}\r\n\r\n"
    strangers = [Raw(node).send(head.encode() + b" " * (most - 1)) for _ in range(60)]
    # The server has read it all when its sockets hold nothing more of it.
    wait_for(lambda: not any(queued(raw) for raw in strangers), "the bodies to be read")
    if not sanitized():
        assert memory(node, "VmRSS") < before + 20 * MIB
    well(node)
    for raw in strangers:
        assert raw.send(b" ").answer()[0] == 401
        assert raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 200
        raw.close()


@pytest.mark.parametrize("text", ["[" * 500000, '{"objects":' * 90000, '{"objects":[' + "{}," * 300000 + "{}]}",
                                  '{"objects":[{"a":1e400}]}', '{"objects":["\ud800"]}', '{"objects":[-0]}', '\ufeff{"objects":[]}',
                                  '{"objects":[NaN]}', '{"objects":["\0"]}', '{"objects":[1e99999999]}'])
def test_t21_json_that_is_made_to_hurt(node, text):
    before = node.rows()
    answer = node.admin.request("POST", "collections/wire/objects/",
                                body=text.encode(errors="surrogatepass"))
    assert answer.status in (400, 413, 422)
    error_of(answer, answer.status)
    assert node.rows() == before
    well(node)


# ---- T23: slow ones, and many

def test_who_waits_makes_room(nodes):
    """Requests that wait for objects had all places, and nobody else was let in."""
    node = nodes(conf="max-connections 40\n")
    node.c = node.collection("Waited", "waited")
    node.start("--plain-http")
    node.admin.post(node.c, [indicator(n) for n in range(5)])
    path = "/api/collections/waited/objects/?wait=250&added_after=2099-01-01T00:00:00Z"
    waiting = []
    for _ in range(150):
        raw = Raw(node)
        try:
            waiting.append(raw.head(f"GET {path} HTTP/1.1"))
        except OSError:
            pass  # there was no room for it
    time.sleep(2.5)  # LIMIT_HTTP_WAIT_LEAST_MS, and some
    for _ in range(20):
        well(node)
    answered, _, _ = select.select([raw.socket for raw in waiting], [], [], PATIENCE_S)
    empty = 0
    for raw in waiting:
        if raw.socket not in answered:
            continue
        try:
            status, fields, body = raw.answer()
        except (OSError, AssertionError):
            continue  # closed before its request had come
        assert (status, body, fields["connection"]) == (200, b"{}", "close")
        assert raw.ended()
        empty += 1
    assert empty


def test_t23_slow_connections(nodes):
    """Twice as many as are allowed, and each sends so much that an inactivity timeout would not see
    it. Good clients are served all the while."""
    node = nodes(conf="max-connections 200\n")
    node.c = node.collection("Slow", "slow")
    node.start("--plain-http")
    node.admin.post(node.c, [indicator(n, description="d" * 20000) for n in range(200)])
    heads = [Raw(node).send(b"GET /api/ HTTP/1.1\r\nHost: x\r\n") for _ in range(130)]
    bodies = [Raw(node).head("POST /api/collections/slow/objects/ HTTP/1.1", f"Content-Type: {TAXII}",
                             "Content-Length: 100000") for _ in range(130)]
    readers = []
    for _ in range(130):
        raw = Raw(node)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        readers.append(raw.head("GET /api/collections/slow/objects/?limit=200 HTTP/1.1"))
    quiet = [Raw(node) for _ in range(100)]
    open_ones = [*heads, *bodies]
    until = time.monotonic() + 14
    while time.monotonic() < until:
        well(node)
        for raw in list(open_ones):
            try:
                raw.socket.send(b"A")
            except OSError:
                open_ones.remove(raw)
        time.sleep(0.3)
    assert not open_ones
    figures = node.admin.request("GET", "/metrics", headers={"Accept": None}).text
    assert int(re.search(r"^setu_http_evicted_total (\d+)", figures, re.M)[1]) > 200
    assert int(re.search(r"^setu_http_slow_total (\d+)", figures, re.M)[1]) > 0
    assert int(re.search(r"^setu_http_connections (\d+)", figures, re.M)[1]) <= 200
    for raw in [*heads, *bodies, *readers, *quiet]:
        raw.close()


def test_t23_who_has_just_begun_is_not_the_slowest(nodes):
    """All places are taken by those of the same address who have sent a little, long ago."""
    node = nodes(conf="max-connections 40\n")
    node.c = node.collection("Begun", "begun")
    node.start("--plain-http")
    path, kind = "POST /api/collections/begun/objects/ HTTP/1.1", f"Content-Type: {TAXII}"

    def slow():
        slow_ones.append(Raw(node).head(path, kind, "Content-Length: 100000", "Expect: 100-continue"))
        assert slow_ones[-1].answer()[0] == 100
        slow_ones[-1].send(b" " * 3000)
    slow_ones = []
    for _ in range(40):
        slow()
    time.sleep(1)
    for n in range(10):
        body = json.dumps({"objects": [indicator(n)]}).encode()
        good = Raw(node).head(path, kind, f"Content-Length: {len(body)}", "Expect: 100-continue")
        assert good.answer()[0] == 100
        for _ in range(2):
            slow()
        assert good.send(body).answer()[0] == 202
        good.close()
    for raw in slow_ones:
        raw.close()


def test_t23_a_slow_head_is_told_so(node):
    raw, body = Raw(node).send(b"GET /api/ HTTP/1.1\r\n"), Raw(node)
    body.head("POST /api/collections/wire/objects/ HTTP/1.1", f"Content-Type: {TAXII}", "Content-Length: 1000")
    raw.refused(408)
    body.refused(408)


def test_t23_who_reads_slowly_but_reads_is_served(nodes):
    """Though the kernel has taken megabytes and takes nothing more for longer than anybody may be quiet. Who
    takes only bytes is cut."""
    node = nodes()
    node.c = node.collection("Large", "large")
    node.start("--plain-http")
    node.admin.post("large", [indicator(n, description="d" * 90000) for n in range(150)])
    readers = []
    for _ in range(2):
        raw = Raw(node)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        readers.append(raw.head("GET /api/collections/large/objects/ HTTP/1.1"))
    slow, hopeless = readers
    until = time.monotonic() + 14
    while time.monotonic() < until:
        slow.came += slow.socket.recv(20000)
        hopeless.came += hopeless.socket.recv(1)
        time.sleep(0.3)
    assert len(slow.answer()[2]) > 150 * 90000
    with pytest.raises((AssertionError, ConnectionResetError)):
        hopeless.answer()


def test_t23_handshakes_that_never_end(nodes):
    node = nodes(conf="max-connections 100\n")
    node.c = node.collection("Hands")
    node.start()
    node.admin.post(node.c, [indicator(n) for n in range(5)])
    url = urlsplit(node.url)
    idle = [socket.create_connection((url.hostname, url.port), PATIENCE_S) for _ in range(300)]
    for s in idle[::3]:
        try:
            s.send(b"\x16\x03\x01\x02\x00\x01")
        except OSError:
            pass
    for _ in range(10):
        well(node)
    for s in idle:
        s.close()


def test_t23_fewer_files_than_connections(nodes, tmp_path, monkeypatch):
    """Nobody could be accepted, and so nobody evicted, once idle connections had taken all files."""
    few = tmp_path / "few-files"
    few.write_text(f'#!/bin/sh\nulimit -n 220\nexec "{setu_node.SETU}" "$@"\n')
    few.chmod(0o755)
    node = nodes()
    node.c = node.collection("Files")
    monkeypatch.setattr(setu_node, "SETU", str(few))
    node.start("--plain-http")
    monkeypatch.undo()
    node.admin.post(node.c, [indicator(n) for n in range(5)])
    idle = [Raw(node) for _ in range(400)]
    for _ in range(5):
        well(node)
    figures = node.admin.request("GET", "/metrics", headers={"Accept": None}).text
    assert int(re.search(r"^setu_http_evicted_total (\d+)", figures, re.M)[1]) > 200
    assert "max-connections is 16384, but" in node.log()
    for raw in idle:
        raw.close()


def test_loopback_has_no_limit_of_an_address(nodes):
    """tests/http/test_source.c has the addresses that do."""
    node = nodes(conf="max-connections-per-address 20\n")
    node.c = node.collection("Many")
    node.start("--plain-http")
    node.admin.post(node.c, [indicator(n) for n in range(5)])
    # Loopback is where a proxy may stand, so it counts for none.
    several = [Raw(node).send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(60)]
    assert all(raw.answer()[0] == 200 for raw in several)
    assert all(raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 200 for raw in several)


@pytest.fixture
def many_files():
    """As many open files as the system allows, and what was opened is closed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 10500:
        pytest.skip(f"only {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened = []
    yield opened
    for raw in opened:
        raw.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_wait_in_little_memory(nodes, many_files):
    if sanitized():
        pytest.skip("a sanitizer's memory is not the program's")
    node = nodes()
    node.c = node.collection("Waiters", "waiters")
    node.start("--plain-http")
    token = node.user("reader", "reader")
    before, client = memory(node, "VmRSS"), node.admin
    for _ in range(10000):
        many_files.append(Raw(node))
        many_files[-1].head("GET /api/collections/waiters/objects/?wait=280 HTTP/1.1", token=token)

    def waiting():
        text = client.request("GET", "/metrics", headers={"Accept": None}).text
        return int(re.search(r"^setu_http_requests_working (\d+)", text, re.M)[1]) >= 10000
    wait_for(waiting, "ten thousand who wait")
    assert memory(node, "VmRSS") - before < 100 * MIB
    assert len(os.listdir(f"/proc/{node.server.pid}/task")) < 64
    node.admin.post("waiters", [indicator(1)])
    for raw in many_files:
        status, _, body = raw.answer()
        assert status == 200 and json.loads(body)["objects"]


def test_who_hangs_up_waits_no_more(node):
    client = node.admin
    raw = Raw(node).head("GET /api/collections/wire/objects/?wait=250&added_after=2100-01-01T00:00:00Z HTTP/1.1")

    def working():
        text = client.request("GET", "/metrics", headers={"Accept": None}).text
        return int(re.search(r"^setu_http_requests_working (\d+)", text, re.M)[1])
    wait_for(lambda: working() == 1, "the one who waits")
    raw.close()
    wait_for(lambda: working() == 0, "the end of a wait that nobody waits for")


# ---- limits of users, log, figures, health

def test_requests_in_a_second(nodes):
    node = nodes(conf="max-requests-per-second 5\n")
    node.c = node.collection("Rate")
    node.start()
    tokens = [node.user(f"u{n}", "reader") for n in range(2)]
    clients = [node.client(t) for t in tokens]
    answers = [clients[0].request("GET", "/api/") for _ in range(50)]
    limited = [a for a in answers if a.status == 429]
    assert limited and len(limited) < 46
    assert error_of(limited[0], 429)["description"].endswith("5")
    assert limited[0].headers["Retry-After"] == "1"
    clients[1].get("")  # another's requests are another's
    wait_for(lambda: clients[0].request("GET", "/api/").status == 200, "a second later")


def test_access_log(nodes, tmp_path):
    log = tmp_path / "access.jsonl"
    node = nodes(conf=f"access-log {log}\n")
    node.c = node.collection("Logged", "logged")
    node.start()
    node.user("asha", "contributor", None, None, password="a good pass phrase")
    client = node.client(user="asha", password="a good pass phrase")
    client.post("logged", [indicator(n) for n in range(3)])
    client.get("collections/logged/objects/", limit=2)
    client.request("GET", "collections/nowhere/", status=404)
    node.client(authorization="Bearer setu_no").request("GET", "/api/", status=401)
    node.admin.request("GET", "/healthz", status=200)
    wait_for(lambda: log.exists() and len(log.read_text().splitlines()) == 5, "five lines")
    # A line stands where its answer was taken, which of several connections may come in any order.
    lines = sorted((json.loads(line) for line in log.read_text().splitlines()), key=lambda e: e["request"])
    assert [(e["method"], e["route"], e["status"], e["objects"]) for e in lines] == [
        ("POST", "objects", 202, 3), ("GET", "objects", 200, 2), ("GET", "", 404, 0), ("GET", "", 401, 0),
        ("GET", "healthz", 200, 0)]
    assert lines[0]["user"] == "IN/home/asha" and "user" not in lines[3]
    assert len({e["request"] for e in lines}) == 5 and all(e["us"] >= 0 and e["bytes"] > 0 for e in lines)
    assert all(e["address"] == "127.0.0.1" and re.fullmatch(r"\S+T\S+Z", e["time"]) for e in lines)
    # As log rotation does it.
    log.rename(tmp_path / "access.1")
    node.server.send_signal(signal.SIGHUP)
    wait_for(log.exists, "a new file")
    node.admin.request("GET", "/readyz", status=200)
    wait_for(lambda: log.read_text(), "a line in it")
    assert json.loads(log.read_text())["route"] == "readyz"


def test_access_log_of_who_hangs_up(nodes, tmp_path):
    """Who does not stay for the answer is told of all the same; a line has an end whatever the method."""
    log = tmp_path / "access.jsonl"
    node = nodes(conf=f"access-log {log}\n")
    node.c = node.collection("Left", "left")
    node.start("--plain-http")
    node.admin.post("left", [indicator(n, description="d" * 90000) for n in range(100)])
    raw = Raw(node)
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.head("GET /api/collections/left/objects/ HTTP/1.1").socket.recv(1)
    raw.close()
    wait_for(lambda: len(log.read_text().splitlines()) == 2, "a line for who left")
    # Refused, and gone before the body was whole.
    raw = Raw(node).send(b"POST /api/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    raw.close()
    wait_for(lambda: len(log.read_text().splitlines()) == 3, "a line for who was refused")
    assert Raw(node).send(b"A" * 20000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 401
    wait_for(lambda: len(log.read_text().splitlines()) == 4, "a line for an odd method")
    posted, left, refused, odd = [json.loads(line) for line in log.read_text().splitlines()]
    assert (left["status"], left["route"], left["objects"]) == (200, "objects", 100)
    assert 0 < left["bytes"] < 9000000
    assert (refused["method"], refused["status"], refused["bytes"]) == ("POST", 401, 0)
    assert odd["method"] == "A" * 32


def test_health_needs_no_name(node):
    for path in ("/healthz", "/readyz"):
        for method in ("GET", "HEAD"):
            answer = node.client().request(method, path, headers={"Accept": None, "Authorization": None}, status=200)
            assert method == "HEAD" or answer.json() == {"status": "ok"}
        error_of(node.client().request("POST", path, body=b"", headers={"Authorization": None}), 401)
        error_of(node.admin.request("GET", path + "x"), 404)


def test_figures(node):
    text = node.admin.request("GET", "/metrics", headers={"Accept": None}).text
    found = dict(re.findall(r'^(setu_\w+(?:\{[^}]*\})?) ([0-9.]+)$', text, re.M))
    assert float(found['setu_http_answers_total{status="2xx"}']) > 0
    assert float(found['setu_http_request_seconds_bucket{le="+Inf"}']) == float(found["setu_http_request_seconds_count"])
    assert float(found["setu_http_connections"]) >= 1
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [0-9.]+', line), line


# ---- SIGHUP

def self_signed(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder / f"{name}.pem", folder / f"{name}.key"


def shown(node):
    url = urlsplit(node.url)
    return ssl.get_server_certificate((url.hostname, url.port))


def test_reload(nodes, tmp_path):
    node = nodes()
    node.c = node.collection("Reloaded", "reloaded")
    node.start()
    node.admin.post("reloaded", [indicator(n) for n in range(20)])
    client = node.admin
    assert len(client.get("collections/reloaded/objects/").objects) == 20
    conf, pem, key = node.dir / "setu.conf", node.dir / "tls/node.pem", node.dir / "tls/node.key"
    text, before = conf.read_text(), shown(node)

    def reload():
        count = node.log().count("reload: ")
        node.server.send_signal(signal.SIGHUP)
        wait_for(lambda: node.log().count("reload: ") > count and node.log().endswith("\n"), "the reload")
    conf.write_text(text + "page-max 7\nmax-body-bytes 2000\n")
    new_pem, new_key = self_signed(tmp_path, "second")
    pem.write_bytes(new_pem.read_bytes())
    key.write_bytes(new_key.read_bytes())
    reload()
    # The connection goes on, and the settings hold for it too.
    assert len(client.get("collections/reloaded/objects/").objects) == 7
    error_of(client.post("reloaded", [indicator("x", description="d" * 3000)], status=None), 413)
    wait_for(lambda: shown(node) != before, "the new certificate")
    assert shown(node) == new_pem.read_text()
    # What cannot be read changes nothing; what lasts is named.
    key.write_text("nothing")
    conf.write_text(text + "page-max 5\nnation JP\n")
    reload()
    wait_for(lambda: "stay as they were" in node.log(), "a word about the key")
    assert "need a restart: nation" in node.log()
    assert shown(node) == new_pem.read_text()
    assert len(client.get("collections/reloaded/objects/").objects) == 5
    conf.write_text(text + "page-max many\n")
    reload()
    assert "page-max takes a whole number" in node.log()
    assert len(client.get("collections/reloaded/objects/").objects) == 5
    # The errors are what was asked for; Node.stop looks for others.
    log = node.dir.parent / (node.dir.name + ".log")
    log.write_text(log.read_text().replace("ERROR", "(told)").replace("error", "(told)"))
