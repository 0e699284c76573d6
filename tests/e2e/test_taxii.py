"""What TAXII 2.1 asks of every resource and endpoint, as docs/TAXII.md numbers it, where no other file
of these tests asks already."""
import json
import re
import sqlite3
import subprocess
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest

from setu_node import PATIENCE_S, TAXII, assert_same, error_of, indicator, later

FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
STIX = "application/stix+json;version=2.1"
# The types that STIX 2.1 defines: domain objects, relationship objects, observables, meta objects.
TYPES = """attack-pattern campaign course-of-action grouping identity incident indicator
    infrastructure intrusion-set location malware malware-analysis note observed-data opinion report
    threat-actor tool vulnerability relationship sighting artifact autonomous-system directory
    domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex network-traffic
    process software url user-account windows-registry-key x509-certificate extension-definition
    language-content marking-definition""".split()
MARKING = {"type": "marking-definition", "spec_version": "2.1",
           "id": "marking-definition--2f5d3c52-6d8e-4a0f-8a3e-6d2c1a6f5a01",
           "created": "2026-02-01T00:00:00.500Z", "definition_type": "statement",
           "definition": {"statement": "(c)"}}
ADDRESS = {"type": "ipv4-addr", "spec_version": "2.1", "value": "203.0.113.77",
           "id": "ipv4-addr--2f5d3c52-6d8e-4a0f-8a3e-6d2c1a6f5a02"}


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("taxii", conf="max-body-bytes 20000\n")
    n.c = n.collection("Filled", "filled")
    n.empty = n.collection("Empty")
    n.writer, n.reader = n.user("writer"), n.user("reader", "reader")
    n.start()
    n.objects = [indicator(i) for i in range(6)]
    n.objects += [later(n.objects[0], "2026-02-01T00:00:00.000Z"), MARKING, ADDRESS]
    n.posted = n.client(n.writer).post(
        n.c, [*n.objects, {**indicator("bad"), "pattern": 7}]).json()
    return n


@pytest.fixture
def client(node):
    return node.client(node.writer)


def path_of(node, what="objects/"):
    return f"collections/{node.c}/{what}"


# ---- resources: names, types, what is required (§2, §3.6 to §3.8, §4, §5)

def timestamp(v):
    return isinstance(v, str) and re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", v) and datetime.fromisoformat(v[:-1])


def identifier(v):
    return isinstance(v, str) and str(uuid.UUID(v)) == v and uuid.UUID(v).version == 4


def text(v):
    return isinstance(v, str) and v != ""


def boolean(v):
    return v is True or v is False


def count(v):
    return type(v) is int and 0 <= v < 2**53


def positive(v):
    return count(v) and v > 0


def list_of(one):
    return lambda v: isinstance(v, list) and len(v) > 0 and all(one(x) for x in v)


def resource(required, optional=(), others=None):
    """Judges an object by the table of its properties; beside them only our own may stand."""
    required, optional = dict(required), dict(optional)

    def judge(v):
        assert isinstance(v, dict), v
        assert set(required) <= set(v), (v, required)
        for name, value in v.items():
            kind = {**required, **optional}.get(name, others)
            assert kind or name.startswith("x_setu_"), f"{name} stands in no table"
            assert re.fullmatch("[a-z][a-z0-9_]{1,249}", name), name
            assert not kind or kind(value), (name, value)
        return True
    return judge


def root_url(v):
    url = urlsplit(v)
    return not url.query and not url.fragment and v.endswith("/") and (
        (url.scheme == "https" and url.netloc) or re.match("/[^/.]", v))


DETAILS = resource({"id": text, "version": text}, {"message": text})
COLLECTION = resource(
    {"id": identifier, "title": text, "can_read": boolean, "can_write": boolean},
    {"description": text, "alias": text, "media_types": list_of(text)})
TABLES = {
    "discovery": resource({"title": text}, {"description": text, "contact": text, "default": text,
                                            "api_roots": list_of(root_url)}),
    "api-root": resource({"title": text, "versions": list_of(text), "max_content_length": positive},
                         {"description": text}),
    "status": resource(
        {"id": identifier, "status": lambda v: v in ("complete", "pending"), "total_count": count,
         "success_count": count, "failure_count": count, "pending_count": count},
        {"request_timestamp": timestamp, "successes": list_of(DETAILS),
         "failures": list_of(DETAILS), "pendings": list_of(DETAILS)}),
    "collections": resource({}, {"collections": list_of(COLLECTION)}),
    "collection": COLLECTION,
    "manifest": resource({}, {"more": boolean, "next": text, "objects": list_of(resource(
        {"id": text, "date_added": timestamp, "version": text},
        {"media_type": lambda v: v == STIX}))}),
    "envelope": resource({}, {"more": boolean, "next": text, "objects": list_of(
        lambda o: isinstance(o, dict) and o["type"] in TYPES and text(o["id"]))}),
    "versions": resource({}, {"more": boolean, "next": text, "versions": list_of(text)}),
    "error": resource({"title": text}, {"description": text, "error_id": text, "error_code": text,
                                        "http_status": text, "external_details": text,
                                        "details": lambda v: isinstance(v, dict)}),
}


def endpoints(node):
    """Each GET endpoint of the summary in §3.1, with the resource that it answers, more than once
    where that has several shapes."""
    one = f"{path_of(node)}{node.objects[0]['id']}/"
    return [
        ("/taxii2/", {}, "discovery"), ("", {}, "api-root"), ("collections/", {}, "collections"),
        (path_of(node, ""), {}, "collection"), (f"collections/{node.empty}/", {}, "collection"),
        (path_of(node, "manifest/"), {}, "manifest"), (path_of(node), {}, "envelope"),
        (path_of(node, "manifest/"), {"limit": 2}, "manifest"), (path_of(node), {"limit": 2}, "envelope"),
        (f"collections/{node.empty}/manifest/", {}, "manifest"),
        (f"collections/{node.empty}/objects/", {}, "envelope"),
        (one, {}, "envelope"), (one, {"match[version]": "all", "limit": 1}, "envelope"),
        (f"{one}versions/", {}, "versions"), (f"{one}versions/", {"limit": 1}, "versions"),
        (f"{one}versions/", {"added_after": "2099-01-01T00:00:00Z"}, "versions"),
        (f"status/{node.posted['id']}/", {}, "status"),
    ]


def test_resources_are_as_their_tables_say(node, client):
    for path, params, kind in endpoints(node):
        answer = client.get(path, **params)
        assert answer.headers["Content-Type"] == TAXII
        found = json.loads(answer.body.decode("utf-8", "strict"), object_pairs_hook=once)
        assert TABLES[kind](found), (path, found)
        assert found.get("more", True) is True, "absent means false"
        assert ("next" in found) == ("more" in found)


def once(pairs):
    """I-JSON: no name twice."""
    assert len({name for name, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def test_collections_none_and_many(nodes):
    """None: an empty object. Many: in one order, whoever asks and how often."""
    node = nodes("many")
    node.start()
    assert node.admin.get("collections/").json() == {}
    made = [node.collection(f"Title {9 - n}") for n in range(10)]
    reader = node.client(node.user("reader", "reader"))
    orders = [[c["id"] for c in c.get("collections/").json()["collections"]]
              for c in (reader, node.admin, reader)]
    assert sorted(orders[0]) == sorted(made)
    node.stop()
    node.start()
    orders.append([c["id"] for c in node.admin.get("collections/").json()["collections"]])
    assert all(o == orders[0] for o in orders)


def test_discovery_and_its_default_root(node, client):
    """`default` is one of `api_roots`, letter by letter, and what stands there answers."""
    found = client.get("/taxii2/").json()
    assert found["default"] in found["api_roots"]
    root = client.get(urlsplit(found["default"]).path).json()
    assert TAXII in root["versions"]
    assert client.get("collections/").json()["collections"]


# ---- headers (§3.1, §3.2, §8.2.1)

def test_every_answer_has_the_media_type(node, client):
    """Answers of every status that this server gives of itself."""
    o = indicator("to go")
    client.post(node.empty, [o])
    gone = client.delete(node.empty, o["id"])
    assert (gone.headers["Content-Type"], gone.body) == (TAXII, b"")
    objects, reader = path_of(node), node.client(node.reader)
    for answer, status in (
            (client.get(objects, status=None, limit=0), 400),
            (node.client().get(objects, status=None), 401),
            (reader.post(node.c, [o], status=None), 403),
            (client.get("status/7/", status=None), 404), (client.get("nothing/", status=None), 404),
            (client.request("PUT", objects), 405),
            (client.get(objects, status=None, headers={"Accept": "text/html"}), 406),
            (client.post(node.c, [indicator("large", description="x" * 21000)], status=None), 413),
            (client.request("POST", objects, body=b"{}", headers={"Content-Type": "text/html"}), 415),
            (client.request("POST", objects, body=b"{}"), 422)):
        TABLES["error"](error_of(answer, status))
        assert answer.headers["Date"]


def test_accept_when_adding_and_deleting(node, client):
    """Accept counts for POST and DELETE as for GET, and nothing is done where the answer would not do."""
    o = indicator("kept")
    client.post(node.empty, [o])
    one = f"collections/{node.empty}/objects/{o['id']}/"
    body = json.dumps({"objects": [indicator("refused")]}).encode()
    for accept, ok in (("application/taxii+json;version=2.0", False), ("text/html", False),
                       ("application/taxii+json", True)):
        how = {"Accept": accept}
        posted = client.request("POST", f"collections/{node.empty}/objects/", body=body, headers=how)
        deleted = client.request("DELETE", one, headers=how)
        assert (posted.status, deleted.status) == ((202, 200) if ok else (406, 406))
        client.get(one, status=404 if ok else 200)
    client.delete(node.empty, json.loads(body)["objects"][0]["id"])
    assert client.all_ids(node.empty) == []


def test_without_user_agent(node, client):
    sent = {"User-Agent": None}
    assert client.get("/taxii2/", headers=sent).json()["title"]
    client.request("GET", path_of(node), headers={"User-Agent": ""}, status=200)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_dates_of_a_page(node, client, limit):
    """The two headers are date_added of the first and the last item of this page, on all four
    endpoints."""
    dates = {(m["id"], m["version"]): m["date_added"] for m in client.get(
        path_of(node, "manifest/"), **{"match[version]": "all"}).objects}
    assert list(dates.values()) == sorted(dates.values()) and len(set(dates.values())) == len(dates)
    one = node.objects[0]["id"]

    def version(o):
        return o.get("modified") or o.get("created") or next(v for i, v in dates if i == o["id"])
    for what, params in (("objects/", {"match[version]": "all"}), ("objects/", {}),
                         ("manifest/", {"match[version]": "all"}), ("manifest/", {}),
                         (f"objects/{one}/", {"match[version]": "all"}),
                         (f"objects/{one}/versions/", {})):
        for _ in range(100):
            answer = client.get(path_of(node, what), limit=limit, **params)
            page = answer.json()
            if "versions" in page:
                shown = [dates[one, v] for v in page["versions"]]
            else:
                shown = [dates[o["id"], o.get("version") or version(o)] for o in page["objects"]]
            assert shown == sorted(shown)
            assert (answer.headers[FIRST], answer.headers[LAST]) == (shown[0], shown[-1])
            if not page.get("more"):
                break
            params = {**params, "next": page["next"]}
        else:
            pytest.fail("pages without end")


# ---- filtering and paging (§3.4, §3.5)

def test_limit_and_more(node, client):
    """`more` stands exactly where something is left: also where a page ends with the last item."""
    one = f"objects/{node.objects[0]['id']}/"
    for what, params, whole in (("objects/", {}, 8), ("objects/", {"match[version]": "all"}, 9),
                                ("manifest/", {}, 8), ("objects/", {"match[type]": "indicator"}, 6),
                                (one, {"match[version]": "all"}, 2), (f"{one}versions/", {}, 2)):
        every = client.get(path_of(node, what), **params).json()
        name = "versions" if "versions" in every else "objects"
        assert len(every[name]) == whole and "more" not in every
        for limit in range(1, whole + 2):
            page = client.get(path_of(node, what), limit=limit, **params).json()
            assert page[name] == every[name][:limit]
            assert page.get("more", False) is (limit < whole)


def test_a_next_again_and_elsewhere(node, client):
    """Asked again it gives the same. With other parameters it is a place, and the filters that stand
    beside it hold; nothing that they leave out comes."""
    params = {"match[version]": "all"}
    first = client.get(path_of(node), limit=3, **params).json()
    pages = [client.get(path_of(node), limit=3, next=first["next"], **params) for _ in range(3)]
    assert len({p.body for p in pages}) == 1
    assert pages[0].objects == node.objects[3:6]
    rest = client.get(path_of(node), next=first["next"], **params).objects
    assert rest == node.objects[3:]
    narrowed = client.get(path_of(node), next=first["next"], **{"match[type]": "ipv4-addr"}).objects
    assert narrowed == [ADDRESS]
    manifest = client.get(path_of(node, "manifest/"), next=first["next"], **params).ids()
    assert manifest == [o["id"] for o in node.objects[3:]]
    # Beside added_after it is `next` that counts, whatever stands there.
    for after in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        assert client.get(path_of(node), next=first["next"], added_after=after,
                          **params).objects == rest
    # In another user's hands it opens nothing that is not that user's.
    error_of(node.client(node.user("auditor", "auditor")).get(
        path_of(node), status=None, next=first["next"]), 404)


def test_added_after_of_any_precision(node, client):
    """Later than, not at; digits beyond microseconds are cut, digits that are left away are zeros."""
    listed = client.get(path_of(node, "manifest/"), **{"match[version]": "all"}).objects
    for n, record in enumerate(listed):
        at = datetime.fromisoformat(record["date_added"][:-1])
        before = at - timedelta(microseconds=1)
        exact = record["date_added"]
        for after, skipped in (
                (exact, n + 1), (exact[:-1] + "999Z", n + 1), (exact[:-1] + "000000000Z", n + 1),
                (before.isoformat(timespec="microseconds") + "Z", n),
                (before.isoformat(timespec="microseconds") + "999999Z", n),
                (re.sub(r"\.?0*Z$", "Z", exact) if exact[-2] == "0" else exact, n + 1)):
            found = client.get(path_of(node, "manifest/"), added_after=after,
                               **{"match[version]": "all"}).json().get("objects", [])
            assert_same(found, listed[skipped:])
    second = datetime.fromisoformat(listed[0]["date_added"][:19])
    for digits in range(0, 10):
        early = (second - timedelta(seconds=1)).isoformat() + ("." + "9" * digits if digits else "") + "Z"
        assert client.get(path_of(node, "manifest/"), added_after=early,
                          **{"match[version]": "all"}).objects == listed


def test_no_stix_type_is_an_error(node, client):
    held = {o["type"] for o in node.objects}
    for kind in [*TYPES, "x-acme-thing"]:
        found = client.get(path_of(node), **{"match[type]": kind}).json()
        assert {o["type"] for o in found.get("objects", [])} == held & {kind}


def test_versions_of_what_has_none(node, client):
    """`created` where there is no `modified`; an instant of the server's where there is neither, the
    same everywhere and for ever, and one that can be asked for."""
    versions = {}
    for o in (MARKING, ADDRESS):
        one = f"{path_of(node)}{o['id']}/"
        found = {client.get(f"{one}versions/").json()["versions"][0] for _ in range(3)}
        found |= {m["version"] for m in client.get(path_of(node, "manifest/")).objects
                  if m["id"] == o["id"]}
        found |= {s["version"] for s in node.posted["successes"] if s["id"] == o["id"]}
        found |= {s["version"] for s in client.post(node.c, [o]).json()["successes"]}
        assert len(found) == 1, found
        versions[o["id"]] = found.pop()
        assert client.get(one, **{"match[version]": versions[o["id"]]}).objects == [o]
        assert client.get(one, **{"match[version]": "2020-01-01T00:00:00Z"}).json() == {}
    assert versions[MARKING["id"]] == MARKING["created"]
    assert timestamp(versions[ADDRESS["id"]])


# ---- status (§4.3)

def test_a_status_names_every_object(node):
    status = node.posted
    for name, number in (("successes", 9), ("failures", 1)):
        assert len(status[name]) == number
    assert (status["status"], status["total_count"], status["success_count"],
            status["failure_count"], status["pending_count"]) == ("complete", 10, 9, 1, 0)
    assert [s["id"] for s in status["successes"]] == [o["id"] for o in node.objects]
    assert status["failures"][0]["message"] and "pendings" not in status
    for s, o in zip(status["successes"], node.objects):
        assert o["type"] == "ipv4-addr" or s["version"] == o.get("modified", o.get("created"))


def test_a_status_is_kept_for_a_day(nodes):
    """Over a restart, and until 24 hours have passed, whatever is written meanwhile; later it is 404."""
    node = nodes("statuses")
    c = node.collection("Statuses")
    token = node.user("writer")
    node.start()
    client = node.client(token)
    statuses = [client.post(c, [indicator(n)]).json() for n in range(3)]
    node.stop()
    hour_us = 3600 * 10**6
    with sqlite3.connect(node.dir / "setu.db") as db:  # as if it were another day
        for status, hours in zip(statuses, (0, 24, 26)):
            assert db.execute("UPDATE status SET at_us = at_us - ? WHERE uuid = ?",
                              (hours * hour_us, status["id"])).rowcount == 1
    db.close()
    node.start()
    client = node.client(token)
    client.post(c, [indicator("later")])
    for status in statuses[:2]:
        assert client.get(f"status/{status['id']}/").json() == status
    error_of(client.get(f"status/{statuses[2]['id']}/", status=None), 404)


# ---- who may (§5.2.1, §5.3 to §5.8)

@pytest.mark.parametrize("role, reads, writes, deletes", [
    ("reader", True, False, 403), ("contributor", True, True, 200), ("officer", True, True, 200),
    ("auditor", False, False, 404), ("admin", True, True, 200), ("sensor", True, True, 403),
    ("peer", True, False, 403)])
def test_what_a_collection_says_of_its_user_is_so(node, role, reads, writes, deletes):
    c = node.collection("For a " + role)
    user = node.client(node.user("a-" + role, role))
    said = user.get(f"collections/{c}/").json()
    assert (said["can_read"], said["can_write"]) == (reads, writes)
    listed = next(x for x in user.get("collections/").json()["collections"] if x["id"] == c)
    assert listed == said
    o = indicator(role)
    node.client(node.writer).post(c, [o])
    for what in ("objects/", "manifest/", f"objects/{o['id']}/", f"objects/{o['id']}/versions/"):
        user.get(f"collections/{c}/{what}", status=200 if reads else 404)
    user.post(c, [indicator(1)], status=202 if writes else 403 if reads else 404)
    user.delete(c, o["id"], status=deletes)


# ---- custom properties (§7.1)

def test_custom_properties_of_an_envelope(node, client):
    """Those that are not understood count for nothing; those of an object are part of it."""
    o = {**indicator("custom"), "x_example_com_score": {"impact": "high"}}
    body = {"x_example_com_batch": 7, "objects": [o], "more": False, "next": "n"}
    status = client.request("POST", f"collections/{node.empty}/objects/",
                            body=json.dumps(body).encode(), status=202).json()
    assert status["success_count"] == 1
    assert client.get(f"collections/{node.empty}/objects/").json() == {"objects": [o]}
    client.delete(node.empty, o["id"])


# ---- transport (§8.2)

def test_no_early_data(node):
    """A client may send early data where a ticket of TLS 1.3 says how much; there is none that does."""
    url = urlsplit(node.url)
    ran = subprocess.run(
        ["openssl", "s_client", "-connect", url.netloc, "-CAfile", node.ca, "-tls1_3", "-ign_eof"],
        input="GET /taxii2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", text=True,
        capture_output=True, timeout=PATIENCE_S)
    assert "TLSv1.3" in ran.stdout and "HTTP/1.1 401" in ran.stdout
    assert set(re.findall(r"Max Early Data: (\d+)", ran.stdout)) <= {"0"}, ran.stdout
