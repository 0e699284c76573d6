"""Writers that add, revise and take back, and pagers with every limit beside them: each pager gets
each version that is released to it and stays once, in the order of the releases, and nothing else;
also while the server is stopped and started again."""
import gzip
import http.client
import json
import random
import threading
import time

import pytest

from setu_node import PATIENCE_S, Client, free_port, indicator, later, wait_for

POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc, jpcert }
accept from JP
release to IN
release tlp:green to JP
"""
WRITERS, STEPS = 4, 40
LIMITS = (1, 2, 3, 7, 10, 50, 100, 1000)
LAST = "X-TAXII-Date-Added-Last"


class Steady(Client):
    """Asks again where the server is away or on its way out, as pollers do."""

    def request(self, *words, status=None, **more):
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = super().request(*words, **more)
                if answer.status != 503:
                    break
            except (OSError, http.client.HTTPException):
                if time.monotonic() > until:
                    raise
            time.sleep(0.02)
        assert status is None or answer.status == status, (words, answer.status, answer.body[:1000])
        return answer


class Writer(threading.Thread):
    """Adds a few objects at a time, most of them for all, and revises or takes back some of its own."""

    def __init__(self, node, number):
        super().__init__(daemon=True)
        self.node, self.client = node, Steady(node, node.token)
        self.chance = random.Random(number)
        self.stay, self.gone, self.hidden, self.failure = {}, set(), set(), None
        self.steps = 0

    def step(self, n):
        batch = [indicator(n, tlp="amber" if self.chance.random() < 0.2 else None)
                 for _ in range(self.chance.randrange(1, 6))]
        if self.stay and n % 3 == 0:
            one = self.stay[self.chance.choice(list(self.stay))]
            revised = later(one, f"2026-02-01T00:00:{n:02}.000Z")
            batch.append(revised)
        self.client.post(self.node.c, batch)
        for o in batch:
            if "object_marking_refs" in o:
                self.hidden.add(o["id"])
            else:
                self.stay[o["id"], o["modified"]] = o
        if n % 5 == 3:
            gone = self.chance.choice(sorted({i for i, _ in self.stay}))
            # Asked again it may be gone already.
            assert self.client.delete(self.node.c, gone, status=None).status in (200, 404)
            taken = {key for key in self.stay if key[0] == gone}
            self.gone |= taken
            for key in taken:
                del self.stay[key]

    def run(self):
        try:
            for n in range(STEPS):
                self.step(n)
                self.steps = n + 1
        except BaseException as e:
            self.failure = e
        finally:
            self.client.close()


class Pager(threading.Thread):
    """Follows the collection until it is told to end and nothing is left: by `next` where there is
    one, else by the last date; some by the last date alone, some compressed, some waiting."""

    def __init__(self, node, token, limit, number):
        super().__init__(daemon=True)
        self.node, self.client, self.limit = node, Steady(node, token), limit
        self.by_next, self.coded, self.waits = number % 2 == 0, number % 3 == 0, number % 4 == 1
        self.ending, self.seen, self.failure = threading.Event(), [], None

    def page(self, **params):
        answer = self.client.get(f"collections/{self.node.c}/objects/", limit=self.limit,
                                 headers={"Accept-Encoding": "gzip" if self.coded else "identity"},
                                 **params, **{"match[version]": "all"})
        if answer.headers["Content-Encoding"]:
            return answer, json.loads(gzip.decompress(answer.body))
        return answer, answer.json()

    def follow(self):
        where = {}
        while True:
            ending = self.ending.is_set()
            answer, page = self.page(**where, **({"wait": 1} if self.waits else {}))
            objects = page.get("objects", [])
            assert len(objects) <= self.limit
            self.seen += [(o["id"], o["modified"]) for o in objects]
            if objects:
                where = {"added_after": answer.headers[LAST]}
                if self.by_next and "next" in page:
                    where = {"next": page["next"]}
            elif ending:
                return

    def run(self):
        try:
            self.follow()
        except BaseException as e:
            self.failure = e
        finally:
            self.client.close()


@pytest.mark.threads
@pytest.mark.parametrize("restarts", [0, 3])
def test_pagers_beside_writers(nodes, restarts):
    node = nodes("pagers", policy=POLICY)
    node.c = node.collection("written", marking="green")
    node.token = node.user("writer", "admin")
    tokens = [node.user("home"), node.user("nisc", "reader", "nisc", "JP"),
              node.user("jpcert", "reader", "jpcert", "JP")]
    listen = f"127.0.0.1:{free_port()}"
    node.start(listen=listen)
    writers = [Writer(node, n) for n in range(WRITERS)]
    pagers = [Pager(node, tokens[n % 3], limit, n) for n, limit in enumerate(LIMITS)]
    for t in writers + pagers:
        t.start()
    for n in range(restarts):
        # Each begins where a part of the writing is done, so that some of it falls in.
        wait_for(lambda n=n: sum(w.steps for w in writers) > (n + 1) * WRITERS * STEPS // 5 or
                 not any(w.is_alive() for w in writers), "the writers")
        assert any(w.is_alive() for w in writers)
        node.stop()
        node.start(listen=listen)
    for w in writers:
        w.join()
    for p in pagers:
        p.ending.set()
    for t in writers + pagers:
        t.join()
        assert t.failure is None, t.failure

    stay = {key for w in writers for key in w.stay}
    gone = {key for w in writers for key in w.gone}
    hidden = {i for w in writers for i in w.hidden}
    assert len(stay) > 100 and len(gone) > 10 and len(hidden) > 10
    for n, p in enumerate(pagers):
        home = n % 3 == 0
        assert len(set(p.seen)) == len(p.seen), f"limit {p.limit}: twice"
        shown = {key for key in p.seen if key[0] not in hidden}
        assert stay <= shown <= stay | gone, f"limit {p.limit}"
        assert {key[0] for key in p.seen if key[0] in hidden} == (hidden if home else set())
        order = []
        for answer in node.client(tokens[n % 3]).pages(node.c, **{"match[version]": "all"}):
            order += [(o["id"], o["modified"]) for o in answer.json().get("objects", [])]
        left = set(order)
        assert [key for key in p.seen if key in left] == order, f"limit {p.limit}: order"
