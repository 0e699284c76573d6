"""Killed at any moment, a node keeps what it acknowledged and nothing by halves."""
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from setu_node import KILLED, ROOT, SETU, Client, assert_same, indicator, raw_objects, wait_for

SEED = int(os.environ.get("SETU_TEST_SEED", time.time_ns() % 1000000))
ENVELOPE = 20
WRITERS = 3


@pytest.fixture
def chance():
    print(f"SETU_TEST_SEED={SEED}")
    return random.Random(SEED)


class Writer(threading.Thread):
    """Posts envelopes until the connection breaks; keeps what it sent and what was acknowledged."""

    def __init__(self, node, token, collection, sizes, may_stop=False):
        super().__init__()
        self.may_stop = may_stop
        self.client, self.collection, self.sizes = Client(node, token), collection, sizes
        self.sent, self.acknowledged, self.failure = [], [], None

    def run(self):
        try:
            while True:
                batch = [json.dumps(indicator(n, description="x" * self.sizes.randrange(3000)))
                         for n in range(ENVELOPE)]
                self.sent.append(batch)
                answer = self.client.post(self.collection, batch, status=None)
                if answer.status == 503 and self.may_stop:
                    assert answer.headers["Retry-After"]
                    return
                status = answer.json()
                assert (answer.status, status["success_count"]) == (202, ENVELOPE)
                self.acknowledged.append((status["id"], batch))
        except (OSError, http.client.HTTPException):
            pass  # the server was killed
        except BaseException as e:
            self.failure = e
        finally:
            self.client.close()


def integrity(node):
    db = sqlite3.connect(node.dir / "setu.db")
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        orphans = db.execute("SELECT count(*) FROM release WHERE object NOT IN"
                             " (SELECT id FROM object)").fetchone()
        assert orphans == (0,)
    finally:
        db.close()


def test_server_killed_while_clients_post(nodes, chance):
    node = nodes("killed")
    collection = node.collection("killed")
    token = node.user("writer")
    envelopes, certain = [], {}
    for _ in range(5):
        node.start()
        writers = [Writer(node, token, collection, random.Random(chance.random()))
                   for _ in range(WRITERS)]
        for w in writers:
            w.start()
        wait_for(lambda: any(w.acknowledged for w in writers), "an acknowledgement")
        time.sleep(chance.random() * 0.5)
        node.kill()
        for w in writers:
            w.join()
            assert w.failure is None, w.failure
            envelopes += w.sent
            certain.update(w.acknowledged)

        integrity(node)
        node.start()
        reader = node.client(token)
        there = set()
        for page in reader.pages(collection, limit=10000):
            there.update(raw_objects(page.text))
        for status_id, batch in certain.items():
            assert there.issuperset(batch), "an acknowledged object is gone"
            assert reader.get(f"status/{status_id}/").json()["success_count"] == ENVELOPE
        whole = [batch for batch in envelopes if batch[0] in there]
        assert_same(sorted(there), sorted(o for batch in whole for o in batch))
        # What was lost on the way may be sent again.
        for batch in envelopes[-WRITERS:]:
            assert reader.post(collection, batch).json()["success_count"] == ENVELOPE
        node.stop()
    assert len(certain) >= 5


def test_import_killed_and_run_again(nodes, enterprise, chance):
    node = nodes("import")
    total = len(enterprise.raw)
    seen_partial = 0
    for n in range(3):
        collection = node.collection(f"round {n}", f"round-{n}")
        running = subprocess.Popen(
            [SETU, "import", node.dir, "--collection", collection, "--json", enterprise.path],
            cwd=ROOT, stdout=subprocess.PIPE, env=KILLED)
        if n == 0:  # at least once in the middle of writing
            wait_for(lambda: node.rows("release"), "the first commit")
        else:
            time.sleep(chance.random() * 1.5)
        running.send_signal(signal.SIGKILL)
        output = running.communicate()[0]
        integrity(node)
        there = exported(node, collection)
        assert_same(there, enterprise.raw[:len(there)])
        counts = node.imported(collection, enterprise.path)
        assert counts["unchanged"] == len(there)
        assert counts["accepted"] + counts["unchanged"] == total
        assert counts["refused"] == counts["quarantined"] == counts["held"] == 0
        if n == 0:
            assert_same(exported(node, collection), enterprise.raw)
        seen_partial += 0 < len(there) < total
        if output:  # it was done before the signal came
            assert json.loads(output)["accepted"] == total
    assert seen_partial >= 1


def exported(node, collection):
    return raw_objects(node.cli("export", "--collection", collection).stdout)


@pytest.mark.threads
def test_stopping_finishes_what_was_begun(nodes):
    """SIGTERM under load: each client has a whole answer or a closed connection, what was answered
    with 202 is there, and who keeps coming does not keep the server."""
    node = nodes("stopped")
    collection = node.collection("stopped")
    token = node.user("writer")
    acknowledged = []
    for n in range(4):
        node.start()
        writers = [Writer(node, token, collection, random.Random(n), may_stop=True)
                   for _ in range(2 * WRITERS)]
        for w in writers:
            w.start()
        wait_for(lambda: all(w.acknowledged for w in writers), "acknowledgements")
        began = time.monotonic()
        node.stop()
        for w in writers:
            w.join()
            assert w.failure is None, w.failure
            acknowledged += w.acknowledged
        assert time.monotonic() - began < 30
    node.start()
    there = set()
    for page in node.client(token).pages(collection):
        there.update(raw_objects(page.text))
    for _, batch in acknowledged:
        assert there.issuperset(batch)
