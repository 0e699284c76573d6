"""date_added is unique and strictly increasing in a collection, whoever writes into it at the same
time, and a poller that follows it misses nothing."""
import json
import sqlite3
import subprocess
import threading

import pytest

from setu_node import ROOT, SETU, Client, assert_same, indicator, raw_objects

WRITERS = 3
ENVELOPES = 40


class Writer(threading.Thread):
    def __init__(self, node, token, collection):
        super().__init__()
        self.client, self.collection = Client(node, token), collection
        self.sent, self.failure = [], None

    def run(self):
        try:
            for n in range(ENVELOPES):
                batch = [json.dumps(indicator(n)) for _ in range(1 + n % 7)]
                self.client.post(self.collection, batch)
                self.sent += batch
        except BaseException as e:
            self.failure = e
        finally:
            self.client.close()


class Poller(threading.Thread):
    """Follows a collection by added_after until it is told to end and nothing new is left."""

    def __init__(self, node, token, collection):
        super().__init__()
        self.client, self.path = Client(node, token), f"collections/{collection}/objects/"
        self.ending, self.seen, self.failure = threading.Event(), [], None

    def run(self):
        params = {"limit": 300}
        try:
            while True:
                ending = self.ending.is_set()
                page = self.client.get(self.path, **params)
                objects = raw_objects(page.text)
                self.seen += objects
                if objects:
                    params["added_after"] = page.headers["X-TAXII-Date-Added-Last"]
                elif ending:
                    return
        except BaseException as e:
            self.failure = e
        finally:
            self.client.close()


@pytest.mark.threads
def test_writers_of_two_processes(nodes, ics, enterprise, tmp_path):
    node = nodes("order")
    token = node.user("writer")
    collections = [node.collection("one"), node.collection("two")]
    node.start()
    # A second file, so that two imports run beside the server, one into each collection; what stands
    # in both files may differ there, so it is left out.
    both = set(ics.ids)
    other = [o for o, i in zip(enterprise.raw, enterprise.ids) if i not in both][:6000]
    part = tmp_path / "part.json"
    part.write_text('{"objects":[' + ",".join(other) + "]}")
    threads = [Writer(node, token, c) for c in collections for _ in range(WRITERS)]
    pollers = [Poller(node, token, c) for c in collections]
    imports = []
    for t in threads + pollers:
        t.start()
    for file, c in ((ics.path, collections[0]), (part, collections[1])):
        imports.append(subprocess.Popen(
            [SETU, "import", node.dir, "--collection", c, "--json", file], cwd=ROOT,
            stdout=subprocess.PIPE))
    for i in imports:
        out = i.communicate()[0]
        assert i.returncode == 0, out
    for t in threads:
        t.join()
        assert t.failure is None, t.failure
    for p in pollers:
        p.ending.set()
        p.join()
        assert p.failure is None, p.failure

    client = node.client(token)
    for n, c in enumerate(collections):
        dates, ids = [], []
        for page in client.pages(c, "manifest", limit=10000, **{"match[version]": "all"}):
            dates += [o["date_added"] for o in page.json()["objects"]]
            ids += page.ids()
        assert_same(dates, sorted(set(dates)))
        sent = [o for t in threads if t.collection == c for o in t.sent]
        sent += ics.raw if n == 0 else other
        assert_same(sorted(pollers[n].seen), sorted(sent))
        assert_same([json.loads(o)["id"] for o in pollers[n].seen], ids)


def test_dates_across_a_restart_and_deletions(nodes):
    """A deleted object that is added again gets a new date, later than all."""
    node = nodes("again")
    token = node.user("writer")
    collection = node.collection("again")
    node.start()
    client = node.client(token)
    objects = [indicator(n) for n in range(5)]
    client.post(collection, objects)
    before = client.get(f"collections/{collection}/manifest/").json()["objects"]
    client.delete(collection, objects[4]["id"])
    node.stop()
    node.start()
    client = node.client(token)
    client.post(collection, [objects[4]])
    after = client.get(f"collections/{collection}/manifest/",
                       added_after=before[-1]["date_added"]).json()["objects"]
    assert [o["id"] for o in after] == [objects[4]["id"]]
    assert after[0]["date_added"] > before[-1]["date_added"]


def test_the_clock_goes_back(nodes):
    """The last date of a collection lies an hour ahead: dates go on from there, each its own."""
    node = nodes("clock")
    token = node.user("writer")
    collection = node.collection("clock")
    node.start()
    client = node.client(token)
    client.post(collection, [indicator("now")])
    now = client.get(f"collections/{collection}/manifest/").objects[0]["date_added"]
    db = sqlite3.connect(node.dir / "setu.db")
    with db:
        db.execute("UPDATE collection SET last_us = last_us + 3600000000")
    db.close()
    objects = [indicator(n) for n in range(30)]
    for o in objects:
        client.post(collection, [o])
    client.post(collection, [indicator(n) for n in range(30)])
    ahead = client.get(f"collections/{collection}/manifest/", added_after=now).objects
    dates = [m["date_added"] for m in ahead]
    assert len(dates) == 60
    assert dates == sorted(set(dates)) and dates[0] > now
    assert [m["id"] for m in ahead][:30] == [o["id"] for o in objects]
    paged = [i for p in client.pages(collection, limit=1) for i in p.ids()]
    assert paged[1:] == [m["id"] for m in ahead]
