"""match[…], versions and DELETE (TAXII 2.1 §3.4.1, §5.6 to §5.8), each answer against a reading of
the same query in a few lines of Python."""
import itertools
import json
import os
import random
import time
from datetime import datetime

import pytest

from setu_node import assert_same, error_of, indicator

SEED = int(os.environ.get("SETU_TEST_SEED", time.time_ns() % 1000000))
TIMES = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.120Z", "2026-01-02T00:00:00.1200001Z",
         "2026-03-01T00:00:00.000000Z", "2026-12-31T23:59:59.999999Z"]
# The same instants, written otherwise.
OTHERWISE = {TIMES[0]: "2026-01-01T00:00:00Z", TIMES[1]: "2026-01-02T00:00:00.12Z",
             TIMES[3]: "2026-03-01T00:00:00.0Z"}


def instant(text):
    """Microseconds; further digits are cut."""
    text = text.rstrip("Z")
    whole, _, fraction = text.partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**6 + int(
        (fraction + "000000")[:6])


def make_objects():
    """Versions arrive out of order, and among others."""
    base = {n: indicator(n, modified=TIMES[0]) for n in range(6)}
    malware = {"type": "malware", "spec_version": "2.1", "name": "m", "is_family": False,
               "id": "malware--6ba0cf1a-5a36-4b5c-9b1a-3f9c7b2f6f10",
               "created": TIMES[0], "modified": TIMES[0]}
    marking = {"type": "marking-definition", "spec_version": "2.1", "created": TIMES[3],
               "definition_type": "statement", "definition": {"statement": "(c)"},
               "id": "marking-definition--6ba0cf1a-5a36-4b5c-9b1a-3f9c7b2f6f11"}
    address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "203.0.113.9",
               "id": "ipv4-addr--6ba0cf1a-5a36-4b5c-9b1a-3f9c7b2f6f12"}

    def at(n, t):
        return {**base[n], "modified": TIMES[t], "name": f"{n} at {t}"}
    return [at(0, 1), at(1, 0), malware, at(0, 4), address, at(0, 0), at(2, 3), at(1, 3), at(0, 3),
            marking, {**malware, "modified": TIMES[1]}, at(3, 4), at(2, 1), at(4, 0), at(5, 1)]


class Model:
    """The rows of a collection, oldest first, and what a query finds."""

    def __init__(self, objects, manifest):
        self.rows = [(o, m["version"], m["date_added"]) for o, m in zip(objects, manifest)]

    def find(self, ids=None, types=None, versions=("last",), after=None):
        out = []
        for o, version, date in self.rows:
            mine = [instant(v) for p, v, _ in self.rows if p["id"] == o["id"]]
            wanted = {"first": min(mine), "last": max(mine)}
            at = instant(version)
            if (ids is None or o["id"] in ids) and (types is None or o["type"] in types) and \
                    (after is None or instant(date) > instant(after)) and \
                    any(v == "all" or at == wanted.get(v) or (v[0].isdigit() and at == instant(v))
                        for v in versions):
                out.append((o, version))
        return out


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("filters")
    n.c = n.collection("Filters")
    n.token = n.user("writer")
    n.start()
    client = n.client(n.token)
    objects = make_objects()
    for o in objects:
        assert client.post(n.c, [o]).json()["success_count"] == 1
    manifest = client.get(f"collections/{n.c}/manifest/", **{"match[version]": "all"})
    assert [m["id"] for m in manifest.objects] == [o["id"] for o in objects]
    n.model = Model(objects, manifest.objects)
    return n


def check(node, client, query, **wanted):
    """Objects, manifest, and the same again in pages of two."""
    found = node.model.find(**wanted)
    base = f"collections/{node.c}"
    assert_same(client.get(f"{base}/objects/", **query).objects, [o for o, _ in found])
    assert_same([(m["id"], m["version"]) for m in client.get(f"{base}/manifest/", **query).objects],
                [(o["id"], v) for o, v in found])
    paged = [o for p in client.pages(node.c, limit=2, **query) for o in p.objects]
    assert_same(paged, [o for o, _ in found])


def test_versions(node):
    client = node.client(node.token)
    words = ["first", "last", *TIMES, *OTHERWISE.values()]
    check(node, client, {})
    check(node, client, {"match[version]": "all"}, versions=["all"])
    for n in (1, 2):
        for some in itertools.combinations(words, n):
            if len({instant(w) for w in some if w[0].isdigit()} | set(some) - {
                    w for w in some if w[0].isdigit()}) == n:
                check(node, client, {"match[version]": ",".join(some)}, versions=some)


def test_fields_together(node):
    """Values of a field are alternatives, fields all hold; drawn at random."""
    print(f"SETU_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    client = node.client(node.token)
    ids = sorted({o["id"] for o, _, _ in node.model.rows}) + [
        "indicator--00000000-0000-4000-8000-000000000000"]
    types = ["indicator", "malware", "marking-definition", "ipv4-addr", "tool"]
    dates = [d for _, _, d in node.model.rows] + ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]
    own = [v for o, v, _ in node.model.rows if o["type"] == "ipv4-addr"]
    for _ in range(150):
        query, wanted = {}, {}
        if chance.random() < 0.5:
            wanted["ids"] = chance.sample(ids, chance.randint(1, 4))
            query["match[id]"] = ",".join(wanted["ids"])
        if chance.random() < 0.5:
            wanted["types"] = chance.sample(types, chance.randint(1, 3))
            query["match[type]"] = ",".join(wanted["types"])
        if chance.random() < 0.6:
            wanted["versions"] = chance.choice(
                [["all"], ["last"], ["first"], ["first", "last"], [chance.choice(TIMES)], own,
                 ["last", chance.choice(TIMES)]])
            query["match[version]"] = ",".join(wanted["versions"])
        if chance.random() < 0.4:
            wanted["after"] = query["added_after"] = chance.choice(dates)
        if chance.random() < 0.2:
            query["match[spec_version]"] = chance.choice(["2.1", "2.0,2.1"])
        check(node, client, query, **wanted)


def test_spec_version(node):
    client = node.client(node.token)
    for none in ("2.0", "1.0", "3.0", "x"):
        for what in ("objects", "manifest"):
            answer = client.get(f"collections/{node.c}/{what}/", **{"match[spec_version]": none})
            assert answer.json() == {}
            # Beside another filter, in either order.
            for query in ({"match[spec_version]": none, "match[type]": "indicator"},
                          {"match[type]": "indicator", "match[spec_version]": none}):
                assert client.get(f"collections/{node.c}/{what}/", **query).json() == {}
        one = next(o["id"] for o, _, _ in node.model.rows)
        path = f"collections/{node.c}/objects/{one}/"
        assert client.get(path, **{"match[spec_version]": none}).json() == {}
        assert client.get(path + "versions/", **{"match[spec_version]": none}).json() == {}
        error_of(client.request("GET", f"collections/{node.c}/objects/{indicator()['id']}/",
                                {"match[spec_version]": none}), 404)


def test_one_object(node):
    client = node.client(node.token)
    for object_id in {o["id"] for o, _, _ in node.model.rows}:
        path = f"collections/{node.c}/objects/{object_id}/"
        for versions in (["last"], ["first"], ["all"], ["first", "last"], [TIMES[1]], [TIMES[3]]):
            found = node.model.find(ids=[object_id], versions=versions)
            answer = client.get(path, **{"match[version]": ",".join(versions)})
            assert answer.objects == [o for o, _ in found]
            assert found or answer.json() == {}
        every = node.model.find(ids=[object_id], versions=["all"])
        assert client.get(f"{path}versions/").json() == {"versions": [v for _, v in every]}
        assert client.get(f"{path}versions/", added_after="2099-01-01T00:00:00Z").json() == {}
        first = client.get(f"{path}versions/", limit=1).json()
        assert first["versions"] == [every[0][1]] and first.get("more", False) is (len(every) > 1)


def test_an_empty_page_has_no_dates(node):
    answer = node.client(node.token).get(f"collections/{node.c}/objects/",
                                         added_after="2099-01-01T00:00:00Z")
    assert answer.json() == {}
    assert answer.headers["X-TAXII-Date-Added-First"] is None
    assert answer.headers["X-TAXII-Date-Added-Last"] is None


# ---- DELETE

@pytest.fixture
def versions(node, request):
    """A collection with one object in four versions, and another object beside it."""
    c = node.collection(request.node.name)
    client = node.client(node.token)
    o = indicator("deleted")
    history = [{**o, "modified": t} for t in (TIMES[0], TIMES[1], TIMES[3], TIMES[4])]
    beside = indicator("beside")
    client.post(c, [*history, beside])
    return client, c, history, beside


@pytest.mark.parametrize("query, left", [
    ({}, []), ({"match[version]": "all"}, []), ({"match[version]": "first"}, [1, 2, 3]),
    ({"match[version]": "last"}, [0, 1, 2]), ({"match[version]": "first,last"}, [1, 2]),
    ({"match[version]": "2026-01-02T00:00:00.12Z"}, [0, 2, 3]),
    ({"match[version]": f"{TIMES[0]},{TIMES[4]},2020-01-01T00:00:00Z"}, [1, 2]),
])
def test_delete(node, versions, query, left):
    client, c, history, beside = versions
    answer = client.delete(c, history[0]["id"], **query)
    assert answer.body == b"" and answer.headers["Content-Type"].startswith("application/taxii")
    left = [history[n] for n in left]
    path = f"collections/{c}/objects/{history[0]['id']}/"
    everything = {"match[version]": "all"}
    assert client.get(f"collections/{c}/objects/", **everything).objects == [*left, beside]
    assert [m["version"] for m in client.get(f"collections/{c}/manifest/", **everything).objects] \
        == [o["modified"] for o in [*left, beside]]
    if left:
        assert client.get(path).objects == left[-1:]
        assert client.get(f"collections/{c}/objects/").objects == [left[-1], beside]
        assert client.get(f"{path}versions/").json()["versions"] == [o["modified"] for o in left]
    else:
        error_of(client.request("GET", path), 404)
        error_of(client.request("GET", f"{path}versions/"), 404)
        error_of(client.delete(c, history[0]["id"], status=None), 404)


def test_delete_what_is_not_there(node, versions):
    client, c, history, _ = versions
    before = node.rows()
    error_of(client.delete(c, history[0]["id"], status=None,
                           **{"match[version]": "2020-01-01T00:00:00Z"}), 404)
    error_of(client.delete(c, history[0]["id"], status=None,
                           **{"match[spec_version]": "2.0"}), 404)
    error_of(client.delete(c, indicator()["id"], status=None), 404)
    error_of(client.delete(node.c, history[0]["id"], status=None), 404)
    assert node.rows() == before


def test_delete_is_for_the_owner(node, versions):
    client, c, history, beside = versions
    other = node.client(node.user(f"other-{time.time_ns()}", org="other-agency"))
    before = node.rows()
    refused = other.delete(c, beside["id"], status=None)
    error_of(refused, 403)
    assert node.rows() == before
    # A colleague of the owner may, and so may the administrator of the node.
    colleague = node.client(node.user(f"colleague-{time.time_ns()}"))
    colleague.delete(c, history[0]["id"])
    theirs = indicator("theirs")
    other.post(c, [theirs])
    error_of(client.delete(c, theirs["id"], status=None), 403)
    node.admin.delete(c, theirs["id"])
    assert client.all_ids(c) == [beside["id"]]


def test_delete_in_one_of_two_collections(node, versions):
    client, c, history, beside = versions
    second = node.collection("second of " + c)
    client.post(second, [beside])
    client.delete(c, beside["id"])
    assert client.get(f"collections/{second}/objects/").objects == [beside]
    assert beside["id"] not in client.all_ids(c)


def test_deleted_and_added_again(node, versions):
    client, c, history, beside = versions
    client.delete(c, history[0]["id"])
    last = client.get(f"collections/{c}/manifest/").headers["X-TAXII-Date-Added-Last"]
    # What was deleted binds nobody: other content may stand under the same version.
    again = {**history[3], "name": "other content"}
    assert client.post(c, [again]).json()["success_count"] == 1
    assert client.get(f"collections/{c}/objects/", added_after=last).objects == [again]
    assert json.loads(client.get(f"collections/{c}/objects/{again['id']}/versions/").text) == {
        "versions": [again["modified"]]}


def test_many_versions_are_passed_over_in_pages(nodes):
    """A page that would pass over very many rows ends early, empty if need be; `next` goes on."""
    node = nodes()
    at = node.collection("versions")
    one = indicator(1, modified=TIMES[0])
    versions = [{**one, "modified": f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z"}
                for n in range(10050)]
    lines = node.dir.parent / "objects.jsonl"
    lines.write_text("".join(json.dumps(o) + "\n" for o in versions))
    node.imported(at, lines)
    node.start()
    for what, query in (("objects", {}), ("manifest", {"match[type]": "indicator"})):
        pages = list(node.admin.pages(at, what, limit=5, **query))
        sizes = [len(p.json().get("objects", [])) for p in pages]
        assert sizes == [0, 1], sizes
        assert all(("X-TAXII-Date-Added-Last" in p.headers) == (n > 0) for p, n in zip(pages, sizes))
    first = node.admin.get(f"collections/{at}/objects/", **{"match[version]": "first"}).json()
    assert first["objects"] == versions[:1] and first["more"] is True
