"""A TAXII 2.1 server of a few lines whose oddities are chosen by the test: what a client meets in the
world, and what a hostile one could send. It keeps every request it saw."""
import functools
import json
import socket
import ssl
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

MEDIA = "application/taxii+json;version=2.1"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


class Reply:
    """An answer: `body` is what is sent as JSON, or the bytes; `declared` lies about their number."""

    def __init__(self, body=b"", status=200, headers=None, media=MEDIA, declared=None, parts=None):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.media, self.declared, self.parts = status, media, declared, parts
        self.headers = headers or {}


class Request:
    def __init__(self, handler, number):
        split = urlsplit(handler.path)
        self.path, self.number = unquote(split.path), number
        self.query = {k: v[0] for k, v in parse_qs(split.query).items()}
        self.headers = handler.headers


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        double = self.server.double
        with double.lock:
            request = Request(self, len(double.requests))
            double.requests.append(request)
        reply = double.answer(request)
        if reply is None:  # the connection breaks without an answer
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        if reply.media:
            self.send_header("Content-Type", reply.media)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = sum(map(len, reply.parts)) if reply.parts else len(reply.body)
        self.send_header("Content-Length", str(reply.declared or length))
        self.end_headers()
        for part in reply.parts or [reply.body]:
            self.wfile.write(part)
            if reply.parts:
                double.stop.wait(double.pause)
        if reply.declared:
            self.close_connection = True

    def log_message(self, *_):
        pass


class Double:
    """`pages` answers GET objects; anything else follows `at` (a path to a Reply or a function)."""

    def __init__(self, objects=(), page=1000, tls=None, client_ca=None, host="127.0.0.1"):
        self.objects = list(objects)  # (date_added, object), oldest first
        self.page, self.requests, self.at = page, [], {}
        self.next_is = "position"  # or "constant", "none"
        self.dates = True  # X-TAXII-Date-Added headers
        self.api_roots = ["/api/"]
        self.collections = [{"id": COLLECTION, "title": "Shared", "alias": "shared",
                             "can_read": True, "can_write": False}]
        self.pages = self.answer_objects
        self.lock, self.stop, self.pause = threading.Lock(), threading.Event(), 0.2
        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads, self.server.double = True, self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "node.pem", tls / "node.key")
            if client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.server.shutdown()
        self.server.server_close()

    def seen(self, end="/objects/"):
        return [r for r in self.requests if r.path.endswith(end)]

    def answer(self, r):
        if r.path in self.at:
            reply = self.at[r.path]
            return reply(r) if callable(reply) else reply
        if r.path == "/taxii2/":
            return Reply({"title": "double", "api_roots": self.api_roots})
        if r.path == "/api/collections/":
            return Reply({"collections": self.collections} if self.collections else {})
        for c in self.collections:
            if r.path == f"/api/collections/{c['id']}/":
                return Reply(c)
            if r.path == f"/api/collections/{c['id']}/objects/":
                return self.pages(r)
        return Reply({"title": "no such thing"}, 404)

    def answer_objects(self, r):
        rows = [row for row in self.objects if row[0] > r.query.get("added_after", "")]
        if self.next_is == "constant":  # one cursor for the whole walk, kept by the server
            self.walked = getattr(self, "walked", 0) if "next" in r.query else 0
            start, self.walked = self.walked, self.walked + self.page
        else:
            start = int(r.query.get("next", "0"))
        count = min(self.page, int(r.query["limit"]))
        part, more = rows[start:start + count], start + count < len(rows)
        body = {"objects": [o for _, o in part]} if part else {}
        if more:
            body["more"] = True
            if self.next_is != "none":
                body["next"] = "again" if self.next_is == "constant" else str(start + count)
        headers = {}
        if part and self.dates:
            headers = {"X-TAXII-Date-Added-First": part[0][0],
                       "X-TAXII-Date-Added-Last": part[-1][0]}
        return Reply(body, headers=headers)


@functools.lru_cache
def bomb(mebibytes):
    """So many MiB of JSON blanks in a few hundred kilobytes."""
    stream = zlib.compressobj(1, zlib.DEFLATED, 31)
    body = b"".join(stream.compress(b" " * (1 << 20)) for _ in range(mebibytes)) + stream.flush()
    return Reply(body, headers={"Content-Encoding": "gzip"})


def indicator(n, **more):
    return {"type": "indicator", "spec_version": "2.1",
            "id": f"indicator--{n:08d}-1111-4111-8111-111111111111",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
            "name": f"host {n}", "pattern": f"[ipv4-addr:value = '192.0.2.{n % 250}']",
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z", **more}


def rows(count, same_date=False):
    return [(f"2026-02-01T00:00:00.{0 if same_date else n:06d}Z", indicator(n))
            for n in range(1, count + 1)]
