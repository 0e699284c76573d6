"""A server under many hands: settings, connections that misbehave, several at once, two processes."""
import json
import re
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from urllib.parse import urlsplit

import pytest
from taxii2client.v21 import Server

from setu_node import (PATIENCE_S, ROOT, SETU, TAXII, Client, assert_same, error_of, indicator,
                       raw_objects, wait_for)

pytestmark = pytest.mark.threads


def connection(node):
    url = urlsplit(node.url)
    plain = socket.create_connection((url.hostname, url.port), PATIENCE_S)
    return ssl.create_default_context(cafile=node.ca).wrap_socket(plain,
                                                                  server_hostname=url.hostname)


def head(node, method, path, *headers):
    return ("\r\n".join([f"{method} {path} HTTP/1.1", "Host: x",
                         f"Authorization: Bearer {node.admin_token}", f"Accept: {TAXII}", *headers])
            + "\r\n\r\n").encode()


def together(*jobs):
    """Runs them at the same time; what each returned."""
    results = [None] * len(jobs)

    def run(n):
        try:
            results[n] = jobs[n]()
        except BaseException as e:
            results[n] = e
    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(jobs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        if isinstance(r, BaseException):
            raise r
    return results


# ---- settings

def test_page_max(nodes):
    node = nodes("page-max", conf="page-max 3\n")
    collection = node.collection("Small pages")
    node.start()
    client = node.admin
    objects = [indicator(n) for n in range(8)]
    client.post(collection, objects)
    for params in ({}, {"limit": 10}, {"limit": 3}):
        pages = [p.ids() for p in client.pages(collection, **params)]
        assert [len(p) for p in pages] == [3, 3, 2]
        assert sum(pages, []) == [o["id"] for o in objects]


def test_public_url_and_api_root(nodes):
    """Behind a proxy the server tells the address that clients see."""
    node = nodes("proxy", name="Großer Knoten", conf=(
        "public-url https://cti.example.org/exchange/\napi-root threats\n"))
    node.collection("C")
    node.start()
    discovery = node.admin.get("/taxii2/").json()
    assert discovery["title"] == "Großer Knoten"
    assert discovery["default"] == "https://cti.example.org/exchange/threats/"
    assert discovery["api_roots"] == [discovery["default"]]
    assert node.admin.get("/threats/collections/").json()["collections"]
    error_of(node.admin.request("GET", "/api/"), 404)


def test_own_certificate(nodes, tmp_path):
    node = nodes("own-certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", cert, "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    node.start("--tls-cert", str(cert), "--tls-key", str(key))
    node.ca = str(cert)
    server = Server(f"{node.url}/taxii2/", user="admin", password=node.admin_token, verify=node.ca)
    assert server.default.title == "Node"


# ---- connections

def test_pipelined_requests(nodes):
    """Several requests in one packet: as many answers, in order."""
    node = nodes("pipelined")
    collection = node.collection("Pipelined")
    node.start()
    path = f"/api/collections/{collection}/objects/"
    objects = [indicator(n) for n in range(3)]
    sent = b""
    for o in objects:
        body = json.dumps({"objects": [o]}).encode()
        sent += head(node, "POST", path, f"Content-Type: {TAXII}",
                     f"Content-Length: {len(body)}") + body
        sent += head(node, "GET", path)
    sent += head(node, "GET", "/nothing/", "Connection: close")
    with connection(node) as s:
        s.sendall(sent)
        got = b""
        while part := s.recv(65536):
            got += part
    statuses = re.findall(rb"HTTP/1.1 (\d+)", got)
    assert statuses == [b"202", b"200"] * 3 + [b"404"]
    for o in objects:
        assert got.count(o["id"].encode()) >= 2
    assert node.admin.all_ids(collection) == [o["id"] for o in objects]


def test_expect_continue(nodes):
    """Asked first, the server says whether the body is worth sending."""
    node = nodes("expect", conf="max-body-bytes 5000\n")
    collection = node.collection("Expect")
    node.start()
    path = f"/api/collections/{collection}/objects/"
    body = json.dumps({"objects": [indicator()]}).encode()

    def ask(authorization, length):
        s = connection(node)
        s.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {authorization}\r\n"
                   f"Content-Type: {TAXII}\r\nExpect: 100-continue\r\n"
                   f"Content-Length: {length}\r\n\r\n").encode())
        return s, s.recv(65536)
    s, answer = ask(node.admin_token, len(body))
    assert answer.startswith(b"HTTP/1.1 100")
    s.sendall(body)
    assert s.recv(65536).startswith(b"HTTP/1.1 202")
    s.close()
    for token, length, status in (("wrong", len(body), b"401"), (node.admin_token, 5001, b"413")):
        s, answer = ask(token, length)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        s.close()


def test_refused_before_the_body(nodes):
    """Whoever may not add, and what is not for adding, is told so before a byte of it is sent."""
    node = nodes("before")
    collection = node.collection("Before")
    reader, auditor = node.user("reader", "reader"), node.user("auditor", "auditor")
    node.user("by-password", "reader", password="correct horse battery")
    node.start()
    objects = f"/api/collections/{collection}/objects/"
    nowhere = "/api/collections/00000000-0000-4000-8000-000000000000/objects/"
    password = "Basic " + b64encode(b"by-password:correct horse battery").decode()
    wrong = "Basic " + b64encode(b"by-password:wrong horse battery").decode()
    admin = "Bearer " + node.admin_token
    for who, path, content, accept, status in (
            (admin, objects, "application/json", TAXII, b"415"), (admin, objects, TAXII, "text/html", b"406"),
            (admin, nowhere, TAXII, TAXII, b"404"), (admin, "/nothing/", TAXII, TAXII, b"404"),
            (admin, "/taxii2/", TAXII, TAXII, b"405"), ("Bearer " + reader, objects, TAXII, TAXII, b"403"),
            ("Bearer " + auditor, objects, TAXII, TAXII, b"404"),
            (password, objects, TAXII, TAXII, b"403"), (wrong, objects, TAXII, TAXII, b"401")):
        for body in ("Content-Length: 90000000", "Transfer-Encoding: chunked"):
            with connection(node) as s:
                s.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {who}\r\n"
                           f"Accept: {accept}\r\nContent-Type: {content}\r\n{body}\r\n\r\n").encode())
                answer = s.recv(65536)
                assert answer.startswith(b"HTTP/1.1 " + status), (path, answer)
    # A short body is not worth a connection: it is read, and the connection serves on.
    client = node.client(reader)
    for _ in range(3):
        error_of(client.post(collection, [indicator()], status=None), 403)
        assert client.connection.sock is not None


# ---- signing in by password

def test_first_words_by_password(nodes):
    """Whatever the request is that a password comes with first, its body arrives whole."""
    node = nodes("passwords")
    collection = node.collection("Passwords")
    secret = "correct horse battery"
    for n in range(4):
        node.user(f"writer-{n}", password=secret)
    node.start()
    objects = [indicator(n, description="d" * 100_000) for n in range(4)]
    path = f"collections/{collection}/objects/"
    bodies = [json.dumps({"objects": [o]}).encode() for o in objects]
    clients = [node.client(user=f"writer-{n}", password=secret) for n in range(4)]
    clients[0].request("POST", path, body=bodies[0], status=202)
    clients[1].request("POST", path, body=iter([bodies[1][:9], bodies[1][9:]]), status=202,
                       headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
    clients[2].get(path)
    clients[2].request("POST", path, body=bodies[2], status=202)
    authorization = clients[3].authorization.encode()
    with connection(node) as s:
        s.sendall(b"POST /api/" + path.encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: "
                  + authorization + b"\r\nContent-Type: " + TAXII.encode()
                  + b"\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(bodies[3]))
        assert s.recv(65536).startswith(b"HTTP/1.1 100")
        s.sendall(bodies[3])
        assert s.recv(65536).startswith(b"HTTP/1.1 202")
    assert sorted(node.admin.all_ids(collection)) == sorted(o["id"] for o in objects)
    for c in clients[:3]:
        assert c.connection.sock is not None
        assert len(c.all_ids(collection)) == 4


def test_strangers_who_guess(nodes):
    """Each is refused or told to come back; who has signed in is served meanwhile, and the server
    ends while they wait."""
    node = nodes("guessing")
    node.user("with-password", password="correct horse battery")
    token = node.user("with-token")
    node.start()
    known = node.client(token)
    guess = b64encode(b"with-password:wrong horse battery").decode()
    request = (f"GET /api/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {guess}\r\n\r\n").encode()
    strangers = [connection(node) for _ in range(60)]
    for s in strangers:
        s.sendall(request)
    known.get("collections/")
    answers = [s.recv(65536) for s in strangers]
    statuses = {a.split(b" ")[1] for a in answers}
    assert statuses <= {b"401", b"503"} and b"401" in statuses
    assert all((b"Retry-After" in a) == (a.split(b" ")[1] == b"503") for a in answers)
    node.client(user="with-password", password="correct horse battery").get("collections/")
    for s in strangers:
        s.sendall(request)
    node.stop()
    for s in strangers:
        s.close()


def test_slow_and_silent_connections(nodes):
    """Those that never finish cost others nothing, and do not hold up the end for long."""
    node = nodes("slow")
    collection = node.collection("Slow")
    node.start()
    silent = [connection(node) for _ in range(100)]
    half = [connection(node) for _ in range(30)]
    for n, s in enumerate(half):
        begin = head(node, "POST", f"/api/collections/{collection}/objects/",
                     f"Content-Type: {TAXII}", "Content-Length: 1000")
        s.sendall(begin[:20] if n % 2 else begin + b'{"objects":[')
    client = node.admin
    for n in range(20):
        client.post(collection, [indicator(n)])
    assert len(client.all_ids(collection)) == 20
    for s in half[:10]:
        s.close()
    client.get("collections/")
    node.stop()  # which waits no longer than PATIENCE_S
    for s in silent + half[10:]:
        try:
            assert s.recv(65536)[:9] in (b"", b"HTTP/1.1 ")  # let go, perhaps with an error
        except ConnectionError:
            pass
        s.close()


def test_hundreds_of_clients_at_once(nodes):
    """Each POST gets an answer: done, or busy with a time to come back; done means done."""
    node = nodes("hundreds")
    collection = node.collection("Hundreds")
    token = node.user("writer")
    node.start()
    clients = [Client(node, token) for _ in range(60)]

    def work(c):
        done = []
        for n in range(5):
            o = indicator(n)
            answer = c.post(collection, [o], status=None)
            if answer.status == 202:
                assert answer.json()["success_count"] == 1
                done.append(o["id"])
            else:
                error_of(answer, 503)
                assert int(answer.headers["Retry-After"]) > 0
        c.close()
        return done
    done = sum(together(*[lambda c=c: work(c) for c in clients]), [])
    assert done
    assert_same(sorted(node.client(token).all_ids(collection)), sorted(done))


def test_the_same_post_at_the_same_time(nodes):
    """Sent again after a lost answer, or by two at once: one object, one date."""
    node = nodes("same")
    collection = node.collection("Same")
    token = node.user("writer")
    node.start()
    clients = [Client(node, token) for _ in range(6)]
    for n in range(10):
        batch = [json.dumps(indicator(i)) for i in range(10)]
        statuses = together(*[lambda c=c: c.post(collection, batch).json() for c in clients])
        assert [s["success_count"] for s in statuses] == [10] * len(clients)
        fresh = [x for s in statuses for x in s["successes"] if x["message"].startswith("released")]
        assert len(fresh) == 10
    for c in clients:
        c.close()
    listed = node.client(token).get(f"collections/{collection}/manifest/",
                                    **{"match[version]": "all"}).objects
    assert len(listed) == len({m["id"] for m in listed}) == 100


def test_conflicting_posts_at_the_same_time(nodes):
    """Two contents of one version: one of them stands, for all readers and for ever."""
    node = nodes("conflict")
    collection = node.collection("Conflict")
    token = node.user("writer")
    node.start()
    clients = [Client(node, token) for _ in range(4)]
    for _ in range(10):
        o = indicator()
        mine = [{**o, "name": f"content {n}"} for n in range(len(clients))]
        statuses = together(*[lambda c=c, m=m: c.post(collection, [m]).json()
                              for c, m in zip(clients, mine)])
        won = [n for n, s in enumerate(statuses) if s["success_count"]]
        assert len(won) == 1
        assert clients[0].get(f"collections/{collection}/objects/{o['id']}/",
                              **{"match[version]": "all"}).objects == [mine[won[0]]]
    for c in clients:
        c.close()


def test_pages_are_whole_while_others_delete_and_add(nodes):
    """A page shows one state: the pair below is always there in one form or the other, never in
    both and never in neither."""
    node = nodes("whole")
    collection = node.collection("Whole")
    token = node.user("writer")
    node.start()
    writer, reader = node.client(token), node.client(token)
    pair = [indicator("left"), indicator("right")]
    writer.post(collection, pair)
    ending = threading.Event()

    def write():
        for n in range(60):
            changed = [{**o, "modified": f"2026-02-01T00:00:00.{n:03}Z"} for o in pair]
            writer.post(collection, changed)
        ending.set()

    def read():
        pages = 0
        while not ending.is_set():
            objects = reader.get(f"collections/{collection}/objects/").objects
            assert sorted(o["id"] for o in objects) == sorted(o["id"] for o in pair)
            assert objects[0]["modified"] == objects[1]["modified"]
            every = reader.get(f"collections/{collection}/objects/", **{"match[version]": "all"})
            assert len(every.objects) % 2 == 0
            pages += 1
        return pages
    assert together(write, read)[1] > 0


def test_large_objects_make_short_pages(nodes, tmp_path):
    """A page is bounded in bytes as well: it ends before, and `next` goes on."""
    node = nodes("large")
    collection = node.collection("Large", "large")
    objects = [indicator(n, description=str(n % 10) * 4_000_000) for n in range(10)]
    file = tmp_path / "large.json"
    file.write_text("\n".join(map(json.dumps, objects)))
    assert node.imported("large", file)["accepted"] == 10
    node.start()
    pages = [raw_objects(p.text) for p in node.admin.pages(collection, limit=100)]
    assert [len(p) for p in pages] == [8, 2]
    assert_same(sum(pages, []), [json.dumps(o) for o in objects])
    # One object may not be larger than 16 MiB, but as large as that it passes alone.
    huge = indicator("huge", description="h" * (15 << 20))
    assert node.admin.post(collection, [huge]).json()["success_count"] == 1
    assert node.admin.get(f"collections/{collection}/objects/{huge['id']}/").objects == [huge]
    over = indicator("over", description="h" * (17 << 20))
    assert node.admin.post(collection, [over]).json()["failure_count"] == 1


def test_many_who_read_slowly(nodes, tmp_path):
    """What waits to be sent is bounded, all together; who would pass it is told to come back."""
    node = nodes("slow")
    collection = node.collection("Large")
    objects = [indicator(n, description=str(n) * 4_000_000) for n in range(8)]
    file = tmp_path / "large.json"
    file.write_text(json.dumps(objects))
    assert node.imported(collection, file)["accepted"] == 8
    node.start()
    path = f"/api/collections/{collection}/objects/"
    slow = [connection(node) for _ in range(24)]
    try:
        for c in slow:
            c.sendall(head(node, "GET", path))
        answers = [c.recv(1000).decode(errors="replace") for c in slow]
        served = [a.startswith("HTTP/1.1 200 ") for a in answers]
        assert 8 <= sum(served) < 24
        for busy in (a for a, ok in zip(answers, served) if not ok):
            assert busy.startswith("HTTP/1.1 503 ") and "Retry-After: " in busy
            assert "Date-Added" not in busy
        # What is done is told, whatever waits.
        assert node.admin.post(collection, [indicator("small")]).json()["success_count"] == 1
    finally:
        for c in slow:
            c.close()
    client = node.admin
    wait_for(lambda: client.get(path, status=None).status == 200, "room for a page")


def test_an_envelope_near_max_content_length(nodes):
    """Many small objects take more memory when parsed than as text."""
    node = nodes("many")
    collection = node.collection("Many")
    node.start()
    client = node.admin
    o = json.dumps(indicator("many", description="d" * 240))
    at = o.index("indicator--") + len("indicator--")
    objects = [f"{o[:at]}{n:08x}{o[at + 8:]}" for n in range(70_000)]
    assert 40_000_000 < sum(map(len, objects)) < client.get("").json()["max_content_length"]
    status = client.post(collection, objects).json()
    assert status["pending_count"] == len(objects)
    answers = []

    def is_complete():
        answers[:] = [client.get(f"status/{status['id']}/").json()]
        return answers[0]["status"] == "complete"
    wait_for(is_complete, "a complete status")
    assert answers[0]["success_count"] == len(objects)


# ---- two processes

def test_two_servers_on_one_node(nodes):
    """What one accepted the other serves at once, with its users, statuses and cursors."""
    node = nodes("two")
    collection = node.collection("Two")
    token = node.user("writer")
    node.start()
    second = subprocess.Popen([SETU, "serve", node.dir, "--listen", "127.0.0.1:0"], cwd=ROOT,
                              stdout=subprocess.PIPE)
    try:
        readable, _, _ = select.select([second.stdout], [], [], PATIENCE_S)
        assert readable
        url = json.loads(second.stdout.readline())["url"]
        here = Client(node, token)
        first_url, node.url = node.url, url
        there = Client(node, token)
        node.url = first_url
        objects = [indicator(n) for n in range(40)]
        for n, o in enumerate(objects):
            a, b = (here, there) if n % 2 else (there, here)
            status = a.post(collection, [o]).json()
            assert b.get(f"collections/{collection}/objects/{o['id']}/").objects == [o]
            assert b.get(f"status/{status['id']}/").json() == status
        page = here.get(f"collections/{collection}/objects/", limit=15)
        rest = there.get(f"collections/{collection}/objects/", next=page.json()["next"])
        assert_same(page.ids() + rest.ids(), [o["id"] for o in objects])
        together(*[lambda c=c: [c.post(collection, [indicator()]) for _ in range(30)]
                   for c in (here, there)])
        dates = [m["date_added"] for m in here.get(f"collections/{collection}/manifest/").objects]
        assert len(dates) == 100 and dates == sorted(set(dates))
        node.cli("user revoke", "writer")
        for c in (here, there):
            error_of(c.request("GET", "collections/"), 401)
            c.close()
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
        second.stdout.close()
