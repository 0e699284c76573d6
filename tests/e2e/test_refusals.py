"""What a server must not take: the right status, TAXII's error body, and nothing left behind."""
import json
import socket
import sqlite3
import ssl
import uuid
from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from setu_node import PATIENCE_S, TAXII, Client, error_of, indicator

BODY_BYTES = 20000


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("refusals", conf=f"max-body-bytes {BODY_BYTES}\n")
    n.main = n.collection("Main", "main")
    n.other = n.collection("Other", "other")
    n.writer = n.user("writer")
    n.reader = n.user("reader", "reader")
    n.start()
    n.objects = [indicator(i) for i in range(3)]
    n.client(n.writer).post(n.main, n.objects)
    n.client(n.writer).post(n.other, [indicator("elsewhere"), indicator("elsewhere too")])
    return n


@pytest.fixture
def writer(node):
    return node.client(node.writer)


@pytest.fixture
def no_trace(node):
    before = node.rows()
    yield
    assert node.rows() == before


def objects_path(node):
    return f"collections/{node.main}/objects/"


def raw_request(node, data, finish=True):
    """Sends bytes as they are; what comes back until the server closes."""
    url = urlsplit(node.url)
    plain = socket.create_connection((url.hostname, url.port), PATIENCE_S)
    with ssl.create_default_context(cafile=node.ca).wrap_socket(
            plain, server_hostname=url.hostname) as s:
        s.sendall(data)
        answer = b""
        if not finish:
            return answer
        while True:
            part = s.recv(65536)
            answer += part
            if not part:
                return answer


# ---- bodies

WHOLE = json.dumps({"objects": [indicator("whole")]})
NAMELESS = {k: v for k, v in indicator("x").items() if k != "id"}
TYPELESS = {k: v for k, v in indicator("x").items() if k != "type"}
BODIES = [
    ("empty", "", 400),
    ("a word", "nonsense", 400),
    ("half", WHOLE[:len(WHOLE) // 2], 400),
    ("all but the last byte", WHOLE[:-1], 400),
    ("one byte too many", WHOLE + "}", 400),
    ("two texts", WHOLE + WHOLE, 400),
    ("trailing comma", '{"objects":[1,]}', 400),
    ("single quotes", "{'objects':[]}", 400),
    ("comment", "/* */" + WHOLE, 400),
    ("NaN", '{"objects":[NaN]}', 400),
    ("byte order mark", "\ufeff" + WHOLE, 400),
    ("NUL behind", WHOLE + "\0", 400),
    ("control character in a string", WHOLE.replace("whole", "a\nb"), 400),
    ("envelope with a key twice", '{"objects":[],"objects":[]}', 400),
    ("object with a key twice", WHOLE.replace('"name":', '"name": "a", "name":'), 400),
    ("object with its id twice", WHOLE.replace('"id":', '"id": "indicator--0", "id":'), 400),
    ("escaped key twice", WHOLE.replace('"name":', '"n\\u0061me": "a", "name":'), 400),
    ("lone high surrogate", WHOLE.replace("whole", "\\ud800"), 400),
    ("lone low surrogate", WHOLE.replace("whole", "\\udc00x"), 400),
    ("bad UTF-8", WHOLE.encode().replace(b"whole", b"\xff"), 400),
    ("cut UTF-8", WHOLE.encode().replace(b"whole", b"\xe2\x82"), 400),
    ("overlong UTF-8", WHOLE.encode().replace(b"whole", b"\xc0\xaf"), 400),
    ("UTF-16", WHOLE.encode("utf-16"), 400),
    ("nested 65 deep", '{"objects":' + "[" * 64 + "]" * 64 + "}", 422),
    ("nested 9,000 deep", '{"objects":' + "[" * 9000 + "]" * 9000 + "}", 422),
    ("not an envelope", "{}", 422),
    ("an array", "[]", 422),
    ("a string", '"objects"', 422),
    ("null", "null", 422),
    ("objects is no list", '{"objects":{}}', 422),
    ("objects is null", '{"objects":null}', 422),
    ("no objects", '{"objects":[]}', 422),
    ("an object alone", json.dumps(indicator("alone")), 422),
    ("a number among objects", WHOLE.replace("[{", "[7,{"), 422),
    ("null among objects", WHOLE.replace("}]", "},null]"), 422),
    ("no id", json.dumps({"objects": [indicator("good"), NAMELESS]}), 422),
    ("no type", json.dumps({"objects": [indicator("good"), TYPELESS]}), 422),
    ("id is a number", json.dumps({"objects": [indicator("good"), {**NAMELESS, "id": 7}]}), 422),
    ("id is null", json.dumps({"objects": [{**NAMELESS, "id": None}]}), 422),
    ("id is empty", json.dumps({"objects": [{**NAMELESS, "id": ""}]}), 422),
    ("type is a list", json.dumps({"objects": [{**TYPELESS, "type": ["indicator"]}]}), 422),
]


@pytest.mark.parametrize("name, body, status", BODIES, ids=[b[0] for b in BODIES])
def test_bodies_that_are_no_envelope(node, writer, no_trace, name, body, status):
    body = body if isinstance(body, bytes) else body.encode()
    error_of(writer.request("POST", objects_path(node), body=body), status)
    # The same in chunks; and the connection still serves.
    parts = [body[i:i + 1000] for i in range(0, len(body), 1000)]
    error_of(writer.request("POST", objects_path(node), body=iter(parts),
                            headers={"Transfer-Encoding": "chunked"}, encode_chunked=True), status)
    writer.get("collections/")


BAD_OBJECTS = [
    ("id of another type", {"id": f"malware--{uuid.uuid4()}"}),
    ("id is no UUID", {"id": "indicator--7"}),
    ("id of capitals", {"id": f"Indicator--{uuid.uuid4()}"}),
    ("id with a blank", {"id": f"indicator--{uuid.uuid4()} "}),
    ("pattern is missing", {"pattern": None}),
    ("pattern is broken", {"pattern": "[domain-name:value ="}),
    ("valid_from is a number", {"valid_from": 7}),
    ("modified before created", {"modified": "2025-01-01T00:00:00.000Z"}),
    ("modified with an offset", {"modified": "2026-01-01T00:00:00.000+05:30"}),
    ("empty list", {"labels": []}),
    ("confidence over 100", {"confidence": 101}),
]


@pytest.mark.parametrize("name, properties", BAD_OBJECTS, ids=[b[0] for b in BAD_OBJECTS])
def test_a_bad_object_among_good_ones(node, writer, name, properties):
    bad = {**indicator("bad"), **properties}
    bad = {k: v for k, v in bad.items() if v is not None}
    good = [indicator("before"), indicator("after")]
    status = writer.post(node.other, [good[0], bad, good[1]]).json()
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (3, 2, 1)
    assert [s["id"] for s in status["successes"]] == [g["id"] for g in good]
    assert status["failures"][0]["id"] == bad["id"]
    assert status["failures"][0]["message"]
    # TAXII 2.1 §4.3.1: the version is the modified property, where that is a timestamp.
    assert status["failures"][0]["version"] == (
        status["request_timestamp"] if "offset" in name else bad["modified"])
    listed = writer.all_ids(node.other)
    assert [g["id"] for g in good] == listed[-2:]
    assert bad["id"] not in listed


def test_the_same_version_with_other_content(node, writer):
    o = indicator("once")
    writer.post(node.main, [o])
    status = writer.post(node.main, [{**o, "name": "another"}]).json()
    assert status["failure_count"] == 1 and status["failures"][0]["version"] == o["modified"]
    again = writer.post(node.main, [json.dumps(o, indent=1, sort_keys=True)]).json()
    assert again["success_count"] == 1 and "already" in again["successes"][0]["message"]
    assert writer.get(f"{objects_path(node)}{o['id']}/").objects == [o]
    writer.delete(node.main, o["id"])


def test_revision_by_another_organisation(node, writer):
    o = indicator("ours")
    writer.post(node.main, [o])
    other = node.client(node.user("other-agency", org="other-agency"))
    newer = {**o, "modified": "2026-05-01T00:00:00.000Z", "revoked": True}
    status = other.post(node.main, [newer]).json()
    assert status["failures"][0]["x_setu_rule"] == "stix21-3.6-creator"
    assert writer.get(f"{objects_path(node)}{o['id']}/").objects == [o]
    writer.delete(node.main, o["id"])


def test_a_body_that_breaks_off(node, no_trace):
    """Content-Length says more than comes; the client goes away."""
    head = (f"POST /api/collections/{node.main}/objects/ HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {node.writer}\r\nContent-Type: {TAXII}\r\n")
    raw_request(node, f"{head}Content-Length: {len(WHOLE) + 1}\r\n\r\n{WHOLE}".encode(),
                finish=False)
    raw_request(node, f"{head}Transfer-Encoding: chunked\r\n\r\n{len(WHOLE):x}\r\n{WHOLE}\r\n"
                .encode(), finish=False)
    node.client(node.writer).get("collections/")


# ---- sizes

def exactly(size):
    """An envelope of so many bytes."""
    o = indicator("large", description="")
    room = size - len(json.dumps({"objects": [o]}))
    return json.dumps({"objects": [{**o, "description": "x" * room}]}).encode()


def test_the_largest_body(node, writer):
    assert writer.get("").json()["max_content_length"] == BODY_BYTES
    for chunked in (False, True):
        body = exactly(BODY_BYTES)
        assert len(body) == BODY_BYTES
        how = {"headers": {"Transfer-Encoding": "chunked"}, "encode_chunked": True} if chunked else {}
        status = writer.request("POST", f"collections/{node.other}/objects/",
                                body=iter([body]) if chunked else body, status=202, **how).json()
        assert status["success_count"] == 1


def test_a_body_too_large(node, no_trace):
    """Answered at once and closed: a client that goes on sending a longer one may lose the answer,
    so the longer ones send their head alone (below)."""
    answer = node.client(node.writer).request("POST", objects_path(node),
                                              body=exactly(BODY_BYTES + 1))
    error_of(answer, 413)


@pytest.mark.parametrize("size", [BODY_BYTES + 1, 10 * BODY_BYTES])
def test_chunks_too_large(node, no_trace, size):
    body = exactly(size)
    parts = iter([body[i:i + 5000] for i in range(0, size, 5000)])
    answer = node.client(node.writer).request(
        "POST", objects_path(node), body=parts, headers={"Transfer-Encoding": "chunked"},
        encode_chunked=True)
    error_of(answer, 413)


def test_a_length_beyond_all_numbers(node, no_trace):
    """Answered before anything of the body came."""
    for length in ("21000000", "99999999999", "18446744073709551616", "9" * 60):
        answer = raw_request(node, (
            f"POST /api/{objects_path(node)} HTTP/1.1\r\nHost: x\r\nContent-Type: {TAXII}\r\n"
            f"Authorization: Bearer {node.writer}\r\nContent-Length: {length}\r\n\r\n").encode())
        assert answer.startswith(b"HTTP/1.1 4"), answer


# ---- media types

CONTENT_TYPES = [
    (TAXII, 202), ("application/taxii+json", 202), ("application/taxii+json; version=2.1", 202),
    ('Application/TAXII+JSON;Version="2.1"', 202),
    ("application/taxii+json;version=2.1;charset=utf-8", 202),
    (None, 415), ("", 415), ("text/plain", 415), ("application/json", 415),
    ("application/stix+json;version=2.1", 415), ("application/taxii+json;version=2.0", 415),
    ("application/taxii+json;version=9.9", 415), ("application/vnd.oasis.taxii+json", 415),
    ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415),
    ("application/taxii+jsonx", 415), ("application/taxii", 415),
]


@pytest.mark.parametrize("media_type, status", CONTENT_TYPES)
def test_content_type(node, writer, media_type, status):
    before = node.rows()
    answer = writer.request("POST", f"collections/{node.other}/objects/",
                            body=json.dumps({"objects": [indicator("typed")]}).encode(),
                            headers={"Content-Type": media_type})
    if status == 202:
        assert answer.status == 202 and answer.headers["Content-Type"] == TAXII
    else:
        error_of(answer, status)
        assert node.rows() == before


ACCEPTS = [
    (TAXII, 200), ("application/taxii+json", 200), ("application/taxii+json; version=2.1", 200),
    ("Application/TAXII+JSON; Version=2.1", 200), ('application/taxii+json;version="2.1"', 200),
    ("application/taxii+json;version=2.1,application/stix+json;version=2.1", 200),
    ("text/html, application/taxii+json;version=2.1;q=0.5, */*;q=0.1", 200),
    ("application/json, text/plain, */*", 200), ("*/*", 200), ("application/*", 200),
    (None, 200), ("", 200),
    ("application/taxii+json;version=2.0", 406), ("application/taxii+json;version=9.9", 406),
    ("text/html", 406), ("application/vnd.oasis.stix+json; version=2.0", 406),
    ("application/taxii+json;version=2.1;q=0", 406), ("text/*", 406), ("nonsense", 406),
    ("application/taxii+json;version=2.0, text/html", 406),
]


@pytest.mark.parametrize("path", ["/taxii2/", "", "collections/", "objects", "manifest"])
@pytest.mark.parametrize("accept, status", ACCEPTS)
def test_accept(node, writer, path, accept, status):
    if path in ("objects", "manifest"):
        path = f"collections/{node.main}/{path}/"
    answer = writer.get(path, status=status, headers={"Accept": accept})
    if status == 406:
        error_of(answer, 406)
    assert answer.headers["Content-Type"] == TAXII


def test_range_means_nothing(node, writer):
    whole = writer.get(objects_path(node))
    part = writer.get(objects_path(node), headers={"Range": "items=0-0"})
    assert part.body == whole.body and part.headers["Content-Range"] is None


# ---- paths and methods

def resources(node):
    one = f"{objects_path(node)}{node.objects[0]['id']}"
    return {
        "/taxii2/": "GET, HEAD", "/api/": "GET, HEAD", "collections/": "GET, HEAD",
        f"collections/{node.main}/": "GET, HEAD",
        f"collections/{node.main}/manifest/": "GET, HEAD",
        objects_path(node): "GET, HEAD, POST", f"{one}/": "GET, HEAD, DELETE",
        f"{one}/versions/": "GET, HEAD",
    }


def test_with_and_without_a_slash(node, writer):
    for path in resources(node):
        with_slash, without = writer.get(path), writer.get(path.rstrip("/"))
        assert with_slash.body == without.body and with_slash.body
    by_alias = writer.get(objects_path(node).replace(node.main, "main"))
    assert by_alias.body == writer.get(objects_path(node)).body
    status = writer.post(node.other, [indicator("x")]).json()
    assert writer.get(f"status/{status['id']}").json() == status


def test_head(node, writer):
    for path in resources(node):
        get, head = writer.get(path), writer.request("HEAD", path, status=200)
        assert head.body == b""
        for header in ("Content-Type", "Content-Length", "X-TAXII-Date-Added-First"):
            assert head.headers[header] == get.headers[header]
        assert get.headers["Date"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "POST", "DELETE", "TRACE", "PROPFIND"])
def test_methods(node, no_trace, method):
    for path, allowed in resources(node).items():
        if method in allowed:
            continue
        answer = node.client(node.writer).request(method, path)
        error_of(answer, 405)
        assert answer.headers["Allow"] == allowed


NOWHERE = [
    "/", "/taxii", "/taxii/", "/taxii2/x/", "/favicon.ico", "/api2/", "/API/", "/api/x/",
    "/api/collections/{c}/x/", "/api/collections/{c}/manifest/x/",
    "/api/collections/{c}/objects/{o}/x/", "/api/collections/{c}/objects/{o}/versions/x/",
    "/api/collections/{no}/", "/api/collections/{no}/objects/", "/api/collections/{no}/manifest/",
    "/api/collections/{no}/objects/{o}/", "/api/collections/{no}/objects/{o}/versions/",
    "/api/collections/Main/", "/api/collections/{c}x/", "/api/collections/%20/",
    "/api/collections/{c}/objects/indicator--00000000-0000-4000-8000-000000000000/",
    "/api/collections/{c}/objects/indicator--00000000-0000-4000-8000-000000000000/versions/",
    "/api/collections/{c}/objects/7/", "/api/collections/{c}/objects/%27%3B--/",
    "/api/status/", "/api/status/{no}/", "/api/status/7/", "/api/status/{no}/x/",
    "/api//collections/", "//", "//taxii2/", "/../", "/api/../taxii2/", "/%2e%2e/taxii2/",
    "/api/collections/{c}/objects//", "/" + "x/" * 40, "/" + "a" * 5000,
]


@pytest.mark.parametrize("path", NOWHERE)
def test_unknown_paths(node, writer, path):
    path = path.format(c=node.main, o=node.objects[0]["id"], no=uuid.uuid4())
    error_of(writer.request("GET", path), 404)


def test_unknown_collection(node, writer, no_trace):
    nowhere = str(uuid.uuid4())
    error_of(writer.post(nowhere, [indicator(1)], status=None), 404)
    error_of(writer.delete(nowhere, node.objects[0]["id"], status=None), 404)


def test_escapes_in_paths(node, writer):
    o = node.objects[0]
    escaped = "".join(f"%{ord(c):02X}" for c in o["id"])
    lower = o["id"].replace("-", "%2d")
    for name in (escaped, lower):
        assert writer.get(f"{objects_path(node)}{name}/").objects == [o]
        assert writer.get(f"{objects_path(node)}{name}/versions/").json()["versions"]
    whole = "".join(f"%{ord(c):02x}" for c in node.main)
    assert writer.get(f"collections/{whole}/").json()["id"] == node.main
    # Decoded once only, and what cannot be decoded is said to be wrong.
    error_of(writer.request("GET", f"{objects_path(node)}{o['id'].replace('-', '%252D')}/"), 404)
    error_of(writer.request("GET", f"{objects_path(node)}{o['id']}%2Fversions/"), 404)
    for bad in ("%", "%2", "%zz", "%00", "%ff", "%c0%af", "%ed%a0%80"):
        error_of(writer.request("GET", f"{objects_path(node)}{o['id']}{bad}/"), 400)


# ---- queries

ONCE_ONLY = ["limit=5&limit=5", "limit=5&limit=6", "added_after={t}&added_after={t}",
             "next={n}&next={n}", "match[type]=malware&match[type]=indicator",
             "match[id]={o}&match[id]={o}", "match[version]=all&match[version]=all",
             "match[spec_version]=2.1&match[spec_version]=2.1"]
QUERIES = ["limit=0", "limit=-1", "limit=x", "limit=", "limit", "limit=1.5", "limit=1e3", "limit=+5",
           "limit=%205", "limit=0x10", "limit=9007199254740992", "limit=99999999999999999999",
           "limit=5%00",
           "added_after=yesterday", "added_after=", "added_after=0", "added_after=2026-01-01",
           "added_after=2026-13-01T00:00:00Z", "added_after=2026-02-30T00:00:00Z",
           "added_after=2026-01-01T00:00:00", "added_after=2026-01-01T00:00:00%2B00:00",
           "added_after=2026-01-01T24:00:00Z", "added_after=2026-01-01T00:00:00.Z",
           "next=", "next=x", "next=AAAA", "next={half}", "next={n}x", "next={changed}",
           "next={foreign}", "next=0", "next=%00",
           "match[version]=", "match[version]=newest", "match[version]=all,last",
           "match[version]=last,last", "match[version]=2026-01-01",
           "match[version]=2026-01-01T00:00:00Z,2026-01-01T00:00:00.000Z", "match[version]=all,all",
           "match[type]=", "match[type]=,", "match[type]=malware,", "match[id]=",
           "match[type]=mal%20ware", "match[id]=%C3%A9", "match[spec_version]=2.1,%0A",
           "match[foo]=1", "match[]=1", "match[ID]=x", "match[name]=x", "match[added_after]=x",
           "limit=5&%ff=1", "limit=5&a=%"] + ONCE_ONLY


@pytest.mark.parametrize("what", ["objects", "manifest"])
@pytest.mark.parametrize("query", QUERIES)
def test_queries(node, writer, query, what):
    path = f"/api/collections/{node.main}/{what}/"
    mine = writer.get(path, limit=1).json()["next"]
    foreign = writer.get(f"collections/{node.other}/{what}/", limit=1).json()["next"]
    changed = mine[:5] + ("A" if mine[5] != "A" else "B") + mine[6:]
    query = query.format(t="2026-01-01T00:00:00Z", n=mine, foreign=foreign, half=mine[:-8],
                         changed=changed, o=node.objects[0]["id"])
    error_of(writer.request("GET", f"{path}?{query}"), 400)


@pytest.mark.parametrize("query", ["match[id]={o}", "match[type]=indicator", "match[foo]=x"])
def test_queries_of_one_object(node, writer, no_trace, query):
    o = node.objects[0]["id"]
    query = query.format(o=o)
    for method, path in (("GET", f"{o}/"), ("GET", f"{o}/versions/"), ("DELETE", f"{o}/")):
        error_of(writer.request(method, f"{objects_path(node)}{path}?{query}"), 400)


def test_queries_that_are_fine(node, writer):
    path = objects_path(node)
    all_of_it = writer.get(path).body
    for query in ("", "&", "limit=1000000", "limit=007", "unknown=1", "added_after=1970-01-01T00:00:00Z",
                  "added_after=1970-01-01T00:00:00.123456789Z", "match%5Btype%5D=indicator",
                  "match[type]=indicator,malware", "match[version]=last&x=1", "limit=%31%30"):
        assert writer.request("GET", f"{path}?{query}", status=200).body == all_of_it, query


def test_queries_without_end(node, writer):
    for many in ("&".join(f"a{n}=1" for n in range(1001)), "&a" * 11000, "&" * 23000, "=&" * 11000):
        error_of(writer.request("GET", f"{objects_path(node)}?{many}"), 400)
    most = "&".join(f"a{n}=1" for n in range(1000))
    assert writer.request("GET", f"{objects_path(node)}?{most}", status=200).objects
    for n in (25000, 70000):
        error_of(writer.request("GET", f"{objects_path(node)}?a={'x' * n}"), 414)
    types = [f"x-type-{n}" for n in range(65)]
    assert writer.get(objects_path(node), **{"match[type]": ",".join(types[:64])}).json() == {}
    error_of(writer.request("GET", objects_path(node), {"match[type]": ",".join(types)}), 400)
    error_of(writer.request("GET", objects_path(node), {"match[id]": "x," * 1000 + "x"}), 400)
    ids = ",".join(f"indicator--{uuid.uuid4()}" for n in range(300))
    assert writer.get(objects_path(node), **{"match[id]": ids}).json() == {}


# ---- roles

def test_a_reader_adds_and_deletes_nothing(node, no_trace):
    reader = node.client(node.reader)
    listed = reader.get(f"collections/{node.main}/").json()
    assert (listed["can_read"], listed["can_write"]) == (True, False)
    error_of(reader.post(node.main, [indicator(1)], status=None), 403)
    error_of(reader.delete(node.main, node.objects[0]["id"], status=None), 403)
    assert reader.get(objects_path(node)).ids()


def test_an_auditor_sees_no_objects(node):
    auditor = node.client(node.user("auditor", "auditor"))
    error_of(auditor.request("GET", objects_path(node)), 404)
    error_of(auditor.request("GET", f"collections/{node.main}/manifest/"), 404)
    error_of(auditor.request("GET", f"{objects_path(node)}{node.objects[0]['id']}/"), 404)
    error_of(auditor.request("GET", f"{objects_path(node)}{node.objects[0]['id']}/versions/"), 404)
    error_of(auditor.post(node.main, [indicator(1)], status=None), 404)
    error_of(auditor.delete(node.main, node.objects[0]["id"], status=None), 404)


def test_a_sensor_adds_what_it_saw(node):
    sensor = node.client(node.user("sensor", "sensor"))
    status = sensor.post(node.other, [indicator(1)]).json()
    assert status["failure_count"] == 1
    seen = {"type": "domain-name", "spec_version": "2.1", "value": "seen.example",
            "id": f"domain-name--{uuid.uuid4()}"}
    assert sensor.post(node.other, [seen]).json()["success_count"] == 1
    error_of(sensor.delete(node.other, seen["id"], status=None), 403)


# ---- who is asking

def test_every_path_wants_credentials(node, no_trace):
    stranger = node.client()
    for path in [*resources(node), "/", "/nothing/", "status/7/"]:
        for method in ("GET", "POST", "DELETE", "PUT", "HEAD"):
            answer = stranger.request(method, path, body=b"{}" if method == "POST" else None)
            assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
            if method != "HEAD":
                error_of(answer, 401)


def basic(text):
    text = text if isinstance(text, bytes) else text.encode()
    return "Basic " + b64encode(text).decode()


AUTHORIZATIONS = [
    "Bearer", "Bearer ", "Bearer x", "Bearer {t}x", "Bearer {half}", "bearer", "Bearer {t} {t}",
    "Bearer " + "x" * 2000, "Bearer " + "x" * 20000, "Token", "Token x", "Basic", "Basic ",
    "Basic ====", "Basic x", "Basic {t}", "Digest username=writer", "Negotiate x", "{t}", " ", "x",
    ("", ""), ("writer", ""), ("", "{t}"), ("writer", "{t}x"), ("writer", "{half}"), ("admin", "{t}"),
    ("Writer", "{t}"), ("writer ", "{t}"), ("writer", "{t}\0"), ("writer\0", "{t}"),
    ("writer\0x", "{t}"), ("nobody", "{t}"), ("nobody", "x"), ("' OR 1=1 --", "x"),
    ("writer", "x" * 2000), ("w" * 2000, "x"), ("writer", "x" * 15000), ("wr\u0131ter", "{t}"),
    ("with-password", ""), ("with-password", "wrong password"), ("with-password", "correct horse"),
    ("with-password", "correct horse battery "), ("with-password", "{t}"),
    ("with-password", "correct horse battery\0"),
]


@pytest.mark.parametrize("authorization", AUTHORIZATIONS)
def test_wrong_credentials(node, authorization):
    if not getattr(node, "password_made", False):
        node.user("with-password", password="correct horse battery")
        node.password_made = True
    before = node.rows()
    words = {"t": node.writer, "half": node.writer[:20]}
    if isinstance(authorization, tuple):
        authorization = basic(":".join(authorization).format(**words))
    client = node.client(authorization=authorization.format(**words))
    answer = client.request("GET", "collections/")
    error_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert node.rows() == before


def test_credentials_with_bytes_of_no_text(node):
    for secret in (b"writer:\xff\xfe", b"\xff:x", b"\x00", b":", b"writer", b""):
        error_of(node.client(authorization=basic(secret)).request("GET", "collections/"), 401)
    for value in (b"Bearer \xff\xfe", b"Bearer a\0b", b"Basic \0"):
        answer = raw_request(node, b"GET /api/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             b"Authorization: " + value + b"\r\n\r\n")
        assert answer.split(b" ")[1] in (b"400", b"401"), answer


def test_all_refusals_read_the_same(node):
    """Wrong, unknown, revoked and expired cannot be told apart."""
    node.user("was-here")
    node.cli("user revoke", "was-here")
    expired = node.user("expired", "reader", None, None, "--expires", "2099-01-01T09:00:00+09:00")
    with sqlite3.connect(node.dir / "setu.db", timeout=30) as db:  # as if that time had come
        db.execute("UPDATE user SET expires_us=1 WHERE name='expired'")
    bodies = {node.client(user=u, password=p).request("GET", "collections/").body
              for u, p in (("writer", "wrong"), ("nobody", "wrong"), ("was-here", "wrong"),
                           ("expired", expired), ("expired", "wrong"))}
    bodies.add(node.client("wrong").request("GET", "collections/").body)
    assert len(bodies) == 1


def test_revoked_while_connected(node):
    token = node.user("leaving")
    bearer, basic_user = node.client(token), node.client(user="leaving", password=token)
    password = node.user("leaving-too", password="correct horse battery")
    assert password is None
    third = node.client(user="leaving-too", password="correct horse battery")
    for c in (bearer, basic_user, third):
        c.get("collections/")
    node.cli("user revoke", "leaving")
    node.cli("user revoke", "leaving-too")
    for c in (bearer, basic_user, third):
        error_of(c.request("GET", "collections/"), 401)
        error_of(c.post(node.main, [indicator(1)], status=None), 401)
    node.cli("user revoke", "leaving", status=1)
    node.cli("user add", "leaving", "--role", "reader", "--org", "home", "--nation", "IN", status=1)


def test_expires_while_connected(node):
    import datetime
    import time
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    token = node.user("short-lived", "reader", None, None, "--expires",
                      soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    client = node.client(token)
    client.get("collections/")
    time.sleep(max(0, (soon - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
    error_of(client.request("GET", "collections/"), 401)


def test_status_is_for_its_submitter(node, writer):
    status = writer.post(node.other, [indicator("mine")]).json()
    assert writer.get(f"status/{status['id']}/").json() == status
    unknown = writer.request("GET", f"status/{uuid.uuid4()}/")
    for other in (node.client(node.reader), node.admin, node.client(node.user("colleague"))):
        answer = other.request("GET", f"status/{status['id']}/")
        error_of(answer, 404)
        assert answer.body == unknown.body
