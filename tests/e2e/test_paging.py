"""All of ATT&CK Enterprise, listed in pages of every size while another client keeps adding: every
object once, in order of date_added, byte for byte as it was in the file."""
import json
import re
import threading

import pytest

from setu_node import Client, assert_same, indicator, later, raw_objects

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"


@pytest.fixture(scope="module")
def node(module_nodes, enterprise):
    n = module_nodes("attack")
    n.attack = n.collection("ATT&CK", "attack")
    counts = n.imported("attack", enterprise.path)
    assert counts["accepted"] == len(enterprise.raw) == 24771
    assert sum(v for k, v in counts.items() if k != "seconds") == len(enterprise.raw)
    n.posted = []  # of all tests of this module, in order
    n.token = n.user("reader", "reader")
    n.writer = n.user("writer")
    return n.start()


class Poster(threading.Thread):
    """Adds three objects at a time until it is told to end."""

    def __init__(self, node):
        super().__init__()
        self.node, self.ending, self.failure = node, threading.Event(), None
        self.client = Client(node, node.writer)

    def run(self):
        try:
            while not self.ending.wait(0.02):
                batch = [json.dumps(indicator(n)) for n in range(3)]
                status = self.client.post(self.node.attack, batch).json()
                assert status["success_count"] == 3
                self.node.posted += batch
        except BaseException as e:
            self.failure = e

    def __enter__(self):
        self.before = len(self.node.posted)
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        self.client.close()
        assert self.failure is None, self.failure
        assert len(self.node.posted) > self.before


def check_dates(pages):
    """Each page's dates, and that they go on where those of the page before ended."""
    last = ""
    for page in pages:
        first = page.headers[FIRST]
        assert INSTANT.fullmatch(first) and INSTANT.fullmatch(page.headers[LAST])
        assert last < first <= page.headers[LAST]
        last = page.headers[LAST]


def check_listed(listed, attack, posted_before, posted_after):
    """`listed` is the file, then what was posted: all that was there at the start, and perhaps some
    of what came meanwhile."""
    assert_same(listed[:len(attack.raw)], attack.raw)
    rest = listed[len(attack.raw):]
    assert len(posted_before) <= len(rest)
    assert_same(rest, posted_after[:len(rest)])


@pytest.mark.parametrize("limit", [1, 7, 100, 10000])
def test_every_object_once_by_next(node, enterprise, limit):
    listed, pages = [], []
    client = node.client(node.token)
    before = list(node.posted)
    with Poster(node):
        for page in client.pages("attack", limit=limit):
            objects = raw_objects(page.text)
            assert len(objects) <= limit
            if page.json().get("more"):
                assert len(objects) == limit
            listed += objects
            pages.append(page)
    check_dates(pages)
    check_listed(listed, enterprise, before, node.posted)


def test_every_object_once_by_time_alone(node, enterprise):
    """A poller that knows nothing of `next`: only added_after and the header."""
    listed, pages, params = [], [], {"limit": 997}
    client = node.client(node.token)
    before = list(node.posted)
    with Poster(node):
        while True:
            page = client.get("collections/attack/objects/", **params)
            objects = raw_objects(page.text)
            if not objects:
                break
            listed += objects
            pages.append(page)
            params["added_after"] = page.headers[LAST]
            if len(listed) > len(enterprise.raw) + len(before):
                break
    check_dates(pages)
    check_listed(listed, enterprise, before, node.posted)


def test_manifest_and_objects_agree(node, enterprise):
    client = node.client(node.token)
    records, objects = [], []
    for page in client.pages("attack", "manifest", limit=9000):
        assert page.json()["objects"][0]["date_added"] == page.headers[FIRST]
        assert page.json()["objects"][-1]["date_added"] == page.headers[LAST]
        records += page.json()["objects"]
    for page in client.pages("attack", limit=9000):
        objects += page.objects
    assert_same([r["id"] for r in records], [o["id"] for o in objects])
    for r, o in zip(records, objects):
        assert r["version"] == o.get("modified", o.get("created", r["version"]))
        assert r["media_type"] == "application/stix+json;version=2.1"
    dates = [r["date_added"] for r in records]
    assert all(INSTANT.fullmatch(d) for d in dates)
    assert_same(dates, sorted(set(dates)))


def test_pages_of_changing_size(node, enterprise):
    """`next` stands by itself: the client may ask for more or fewer from page to page, and again."""
    client = node.client(node.token)
    listed, params, sizes = [], {}, [1, 2, 500, 3, 10000, 1, 9999, 4000, 7]
    for size in sizes:
        page = client.get("collections/attack/objects/", limit=size, **params)
        assert client.get("collections/attack/objects/", limit=size, **params).body == page.body
        listed += raw_objects(page.text)
        params["next"] = page.json()["next"]
    assert_same(listed, enterprise.raw[:sum(sizes)])


def test_next_outlives_the_server(node, enterprise):
    page = node.client(node.token).get("collections/attack/objects/", limit=10)
    node.stop()
    node.start()
    page = node.client(node.token).get("collections/attack/objects/", limit=10,
                                       next=page.json()["next"])
    assert_same(raw_objects(page.text), enterprise.raw[10:20])


def test_default_page(node):
    page = node.client(node.token).get("collections/attack/objects/")
    assert len(page.objects) == 1000
    assert page.json()["more"] is True


def test_filtered_pages(node, enterprise):
    """A filter and pages together: the same as filtering the file."""
    wanted = [o for o in map(json.loads, enterprise.raw) if o["type"] in ("malware", "tool")]
    listed = []
    for page in node.client(node.token).pages("attack", limit=50, **{"match[type]": "malware,tool"}):
        listed += page.objects
    assert_same(listed, wanted)


def test_single_objects(node, enterprise):
    client = node.client(node.token)
    for n in range(0, len(enterprise.raw), 997):
        page = client.get(f"collections/{node.attack}/objects/{enterprise.ids[n]}/")
        assert raw_objects(page.text) == [enterprise.raw[n]]
        assert "more" not in page.json()


def test_pages_while_objects_change_and_go(node):
    """Revised and deleted meanwhile: what was not touched comes once, what was revised comes in one
    version or the other or in both, and nothing comes twice in one version."""
    collection = node.collection("changing")
    writer, reader = node.client(node.writer), node.client(node.token)
    objects = [indicator(n) for n in range(400)]
    writer.post(collection, objects)
    revised = [later(o, "2026-03-01T00:00:00.000Z", name="revised") for o in objects[0:400:10]]
    deleted = [o["id"] for o in objects[5:400:10]]

    listed = []
    changes = [lambda o=o: writer.post(collection, [o]) for o in revised] + [
        lambda i=i: writer.delete(collection, i) for i in deleted]
    for page in reader.pages(collection, limit=5):
        listed += page.objects
        if changes:
            changes.pop(len(listed) % len(changes))()
    assert not changes
    versions = [(o["id"], o["modified"]) for o in listed]
    assert len(set(versions)) == len(versions)
    untouched = {o["id"] for o in objects} - {o["id"] for o in revised} - set(deleted)
    assert_same([i for i, _ in versions if i in untouched],
                [o["id"] for o in objects if o["id"] in untouched])
    assert {(o["id"], o["modified"]) for o in revised} <= set(versions)
    assert_same(sorted(reader.all_ids(collection)),
                sorted({o["id"] for o in objects} - set(deleted)))
