"""Envelopes that take long (TAXII 2.1 §4.3, §5.5): acknowledged as pending, decided about later, whatever
happens to the process meanwhile."""
import json
import sqlite3
import time
import uuid
from contextlib import closing

import pytest

from test_backup import restored
from setu_node import PATIENCE_S, error_of, indicator, later, wait_for

AT_ONCE = 10000  # LIMIT_EXCHANGE_AT_ONCE_OBJECTS
USER_BYTES, ORG_BYTES, ALL_BYTES = 128 << 20, 192 << 20, 512 << 20
MANY = AT_ONCE + 1


def envelope(count=MANY):
    return [indicator(n) for n in range(count)]


def names(objects):
    return [(o["id"], o["modified"]) for o in objects]


def named(status, *lists):
    return [(d["id"], d["version"]) for which in lists for d in status.get(which, [])]


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("pending")
    n.main = n.collection("Main", "main")
    n.writer, n.second = n.user("writer"), n.user("second")
    n.other = n.user("other", org="another")
    n.start()
    return n


@pytest.fixture
def writer(node):
    return node.client(node.writer)


def database(node):
    return closing(sqlite3.connect(node.dir / "setu.db", timeout=PATIENCE_S))


def waiting(node):
    with database(node) as db:
        return db.execute("SELECT count(*) FROM envelope").fetchone()[0]


def completed(client, status_id):
    """The status once it is complete; until then it is pending and names as many."""
    answers = []

    def is_complete():
        answers.append(client.get(f"status/{status_id}/").json())
        assert answers[-1]["status"] in ("pending", "complete")
        return answers[-1]["status"] == "complete"
    wait_for(is_complete, "a complete status")
    for a in answers:
        assert len(a.get("pendings", [])) == a["pending_count"]
        assert (a["pending_count"] == 0) == (a["status"] == "complete")
        assert a["success_count"] + a["failure_count"] + a["pending_count"] == a["total_count"]
    return answers[-1]


def assert_pending(answer, objects):
    status = answer.json()
    assert status["status"] == "pending"
    assert (status["total_count"], status["pending_count"]) == (len(objects), len(objects))
    assert (status["success_count"], status["failure_count"]) == (0, 0)
    assert "successes" not in status and "failures" not in status
    return status


def test_as_many_as_are_decided_about_at_once(node, writer):
    status = writer.post(node.main, envelope(AT_ONCE)).json()
    assert (status["status"], status["success_count"], status["pending_count"]) == \
        ("complete", AT_ONCE, 0)
    assert waiting(node) == 0


def test_pending_then_complete(node, writer):
    objects = envelope()
    status = assert_pending(writer.post(node.main, objects), objects)
    assert named(status, "pendings") == names(objects)
    assert all(set(d) == {"id", "version"} for d in status["pendings"])
    done = completed(writer, status["id"])
    assert named(done, "successes") == names(objects)
    assert done["failure_count"] == 0 and "failures" not in done and "pendings" not in done
    for key in ("id", "request_timestamp", "total_count"):
        assert done[key] == status[key]
    assert writer.get(f"status/{status['id']}/").json() == done
    added = {i for page in writer.pages(node.main, limit=10000) for i in page.ids()}
    assert {o["id"] for o in objects} <= added
    assert waiting(node) == 0


def test_what_has_no_version_is_named_by_one_value(node, writer):
    objects = [{"type": "ipv4-addr", "spec_version": "2.1", "value": f"198.51.{n >> 8}.{n & 255}",
                "id": f"ipv4-addr--{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}"}
               for n in range(MANY)]
    status = assert_pending(writer.post(node.main, objects), objects)
    done = completed(writer, status["id"])
    assert named(done, "successes", "failures") == named(status, "pendings")


def test_bad_objects_are_failures_at_the_end(node, writer):
    objects = envelope()
    bad = {0, 5000, MANY - 1}
    for n in bad:
        objects[n]["pattern"] = "[domain-name:value ="
    status = assert_pending(writer.post(node.main, objects), objects)
    done = completed(writer, status["id"])
    assert named(done, "failures") == names(objects[n] for n in sorted(bad))
    assert named(done, "successes") == names(o for n, o in enumerate(objects) if n not in bad)
    assert all(f["message"] and f["x_setu_rule"] for f in done["failures"])


def test_sent_twice(node, writer):
    objects = envelope()
    first = writer.post(node.main, objects).json()
    second = writer.post(node.main, objects).json()
    assert first["id"] != second["id"]
    assert named(completed(writer, first["id"]), "successes") == names(objects)
    done = completed(writer, second["id"])
    assert named(done, "successes") == names(objects)
    assert {d["x_setu_status"] for d in done["successes"]} == {"unchanged"}
    with database(node) as db:
        got = db.execute("SELECT count(*) FROM object WHERE stix_id=?", [objects[7]["id"]])
        assert got.fetchone() == (1,)


def test_status_is_for_its_submitter(node, writer):
    status = writer.post(node.main, envelope()).json()
    other = node.client(node.second)
    error_of(other.get(f"status/{status['id']}/", status=404), 404)
    completed(writer, status["id"])
    error_of(other.get(f"status/{status['id']}/", status=404), 404)


def test_no_envelope_is_told_at_once(node, writer):
    objects = envelope()
    del objects[-1]["id"]
    error_of(writer.post(node.main, objects, status=422), 422)
    body = json.dumps({"objects": envelope()})[:-1].encode()
    error_of(writer.request("POST", f"collections/{node.main}/objects/", body=body), 400)
    error_of(node.client(node.user("looks", "reader")).post(node.main, envelope(), status=403), 403)
    assert waiting(node) == 0


def user_id(node, name):
    with database(node) as db:
        return db.execute("SELECT id FROM user WHERE name=?", [name]).fetchone()[0]


def let_wait(node, yes):
    """As after a restore that nobody has confirmed: nothing that waits is taken up."""
    with database(node) as db, db:
        db.execute("INSERT OR REPLACE INTO value(key,value) VALUES('restored',?)",
                   [b"0 0 0\n" if yes else b""])


def occupy(node, user, size):
    """One that nobody can read, and that counts for so many bytes."""
    with database(node) as db, db:
        db.execute("INSERT INTO envelope(uuid,user,collection,at_us,bytes,body) VALUES(?,?,1,1,?,?)",
                   [str(uuid.uuid4()), user, size, b"no json"])


@pytest.fixture
def waits(node):
    let_wait(node, True)
    yield
    with database(node) as db, db:
        db.execute("DELETE FROM envelope")
    let_wait(node, False)


@pytest.fixture
def occupied(node, waits):
    return lambda name, size: occupy(node, user_id(node, name), size)


def assert_too_much(client, node, objects):
    answer = client.post(node.main, objects, status=503)
    error_of(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_bytes_of_one_user_are_bounded(node, writer, occupied):
    objects = envelope()
    occupied("writer", USER_BYTES - 1000)
    assert_too_much(writer, node, objects)
    small = [indicator("small")]
    assert writer.post(node.main, small).json()["status"] == "complete"
    other = node.client(node.second)
    status = assert_pending(other.post(node.main, objects), objects)
    # The one that cannot be read does not keep the others waiting.
    let_wait(node, False)
    assert named(completed(other, status["id"]), "successes") == names(objects)
    wait_for(lambda: waiting(node) == 0, "the one that cannot be read")
    again = writer.post(node.main, objects).json()
    assert {d["x_setu_status"] for d in completed(writer, again["id"])["successes"]} == {"unchanged"}


def test_bytes_of_one_organisation_are_bounded(node, writer, occupied):
    """Who has many users has no more room than others."""
    occupied("second", ORG_BYTES - 1000)
    assert_too_much(writer, node, envelope())
    objects = envelope()
    assert_pending(node.client(node.other).post(node.main, objects), objects)


def test_organisations_take_turns(node, writer, waits):
    own = [writer.post(node.main, envelope()).json()["id"] for _ in range(3)]
    other = node.client(node.other).post(node.main, envelope()).json()["id"]
    let_wait(node, False)
    wait_for(lambda: waiting(node) == 0, "all")
    with database(node) as db:
        at = dict(db.execute("SELECT uuid,at_us FROM status"))
    assert at[own[0]] < at[own[1]] < at[own[2]]
    assert at[other] < at[own[1]]


def test_how_much_waits_can_be_seen(node, writer, waits):
    def figures():
        text = node.admin.request("GET", "/metrics", headers={"Accept": None}).text
        return {k: int(v) for k, v in (x.split() for x in text.splitlines() if x.startswith("setu_pending_"))}
    assert figures() == {"setu_pending_envelopes": 0, "setu_pending_bytes": 0, "setu_pending_oldest_seconds": 0}
    body = json.dumps({"objects": envelope()}).encode()
    for _ in range(2):
        writer.request("POST", f"collections/{node.main}/objects/", body=body, status=202)
    with database(node) as db, db:
        db.execute("UPDATE envelope SET at_us=at_us-7000*1000000 WHERE id=(SELECT min(id) FROM envelope)")
    found = figures()
    assert found["setu_pending_envelopes"] == 2 and found["setu_pending_bytes"] == 2 * len(body)
    assert found["setu_pending_oldest_seconds"] >= 7000
    looks = [json.loads(x) for x in node.cli("doctor", "--json", status=None).stdout.splitlines()]
    assert [x["status"] for x in looks if x["check"] == "envelopes"] == ["warning"]


def test_bytes_of_all_are_bounded(node, writer, occupied):
    occupied("other", ALL_BYTES - 1000)
    assert_too_much(writer, node, envelope())
    assert writer.post(node.main, [indicator("small too")]).json()["status"] == "complete"


def killed_while_pending(node, client, objects):
    """Its status, of a node that was killed before it was decided about."""
    for _ in range(10):
        status = assert_pending(client.post(node.main, objects), objects)
        node.kill()
        if waiting(node) == 1:
            return status
        node.start()  # the machine was slow to kill: another one
        client = node.client(node.writer)
        objects[:] = envelope(len(objects))
    raise AssertionError("never killed before it was decided about")


def test_killed_between(nodes):
    node = nodes("killed")
    node.main = node.collection("Main", "main")
    node.writer, node.second = node.user("writer"), node.user("second")
    node.start()
    objects = envelope(3 * MANY)
    status = killed_while_pending(node, node.client(node.writer), objects)
    with database(node) as db:  # as old as no other status is kept
        db.execute("UPDATE status SET at_us=1")
        db.commit()
    node.start()
    client = node.client(node.writer)
    client.post(node.main, [indicator("expires what is old")])
    error_of(node.client(node.second).get(f"status/{status['id']}/", status=404), 404)
    done = completed(client, status["id"])
    assert named(done, "successes") == names(objects)
    assert done["request_timestamp"] == status["request_timestamp"]
    assert waiting(node) == 0
    with database(node) as db:  # kept from its end on
        assert db.execute("SELECT at_us FROM status WHERE uuid=?", [status["id"]]).fetchone()[0] > \
            (time.time() - 3600) * 1e6
    node.kill()
    node.start()
    assert node.client(node.writer).get(f"status/{status['id']}/").json() == done


def test_two_servers_take_up_the_same(nodes):
    node = nodes("both")
    node.main = node.collection("Main", "main")
    node.writer = node.user("writer")
    node.start()
    objects = envelope(2 * MANY)
    status = killed_while_pending(node, node.client(node.writer), objects)
    node.start()
    first, node.server = node.server, None
    try:
        node.start()
        done = completed(node.client(node.writer), status["id"])
    finally:
        first.terminate()
        assert first.wait(PATIENCE_S) == 0
        first.stdout.close()
    assert named(done, "successes") == names(objects)
    assert all("x_setu_status" not in d for d in done["successes"])
    with database(node) as db:
        assert db.execute("SELECT count(*) FROM object WHERE type='indicator'").fetchone() == \
            (len(objects),)


def test_decided_as_things_are_by_then(nodes):
    """The policy changes and the sender is revoked while it waits."""
    node = nodes("meanwhile")
    node.main = node.collection("Main", "main")
    node.writer = node.user("writer")
    node.start()
    objects = envelope(3 * MANY)
    first = killed_while_pending(node, node.client(node.writer), objects)
    policy = node.dir / "policy.conf"
    policy.write_text(policy.read_text() + "\nrefuse from any types indicator\naccept from any\n")
    node.start()
    client = node.client(node.writer)
    done = completed(client, first["id"])
    assert named(done, "failures") == names(objects) and done["success_count"] == 0
    assert {f["x_setu_rule"].split(":")[0] for f in done["failures"]} == {"policy.conf"}
    second = killed_while_pending(node, client, objects)
    node.cli("user revoke", "writer")
    node.start()
    wait_for(lambda: waiting(node) == 0, "the envelope")
    with database(node) as db:
        text = db.execute("SELECT json FROM status WHERE uuid=?", [second["id"]]).fetchone()[0]
    done = json.loads(text)
    assert named(done, "failures") == names(objects)
    assert {f["x_setu_rule"] for f in done["failures"]} == {"setu-pending"}
    assert "revoked" in done["failures"][0]["message"]


def test_what_was_taken_back_since_stays_away(nodes):
    """An envelope is older than what happened while it waited, although it is decided about later."""
    node = nodes("overtaken")
    node.main = node.collection("Main", "main")
    token = node.user("writer")
    node.start()
    kept, gone = indicator("kept"), indicator("gone")
    node.client(token).post(node.main, [kept, gone])
    for _ in range(10):
        objects = [kept, gone, *envelope()]
        status = node.client(token).post(node.main, objects).json()
        node.kill()
        if waiting(node):
            break
        node.start()  # it was quicker: once more
    assert waiting(node) == 1
    node.cli("withdraw", gone["id"], "--reason", "false-positive")
    node.start()
    client = node.client(token)
    done = completed(client, status["id"])
    assert [f["id"] for f in done["failures"]] == [gone["id"]] and done["success_count"] == len(objects) - 1
    assert done["failures"][0]["x_setu_rule"] == "setu-withdrawn"
    assert client.get(f"collections/{node.main}/objects/{kept['id']}/").ids() == [kept["id"]]
    error_of(client.request("GET", f"collections/{node.main}/objects/{gone['id']}/"), 404)
    # Sent anew, it is new.
    assert client.post(node.main, [gone]).json()["success_count"] == 1


def test_a_restored_node_decides_when_an_officer_has_confirmed_it(nodes, tmp_path):
    """What a backup holds that waits is decided about when somebody has looked at what it does not hold."""
    node = nodes("before")
    node.main = node.collection("Main", "main")
    node.writer, officer = node.user("writer"), node.user("meera", "officer")
    node.start()
    objects = envelope()
    status = killed_while_pending(node, node.client(node.writer), objects)
    node.cli("backup", "-o", tmp_path / "b.tar")
    for confirmed_while_it_runs in (True, False):
        again = restored(nodes, node, tmp_path / "b.tar", f"again-{confirmed_while_it_runs}")
        secret = again.dir / "officer.token"
        secret.write_text(officer)
        again.start()
        client = again.client(again.writer)
        # Others come meanwhile: what is small is decided about at once, the rest waits too.
        assert client.post(again.main, [indicator("small")]).json()["status"] == "complete"
        more = envelope()
        second = assert_pending(client.post(again.main, more), more)
        assert client.get(f"status/{status['id']}/").json() == status
        assert waiting(again) == 2
        if not confirmed_while_it_runs:
            again.stop()
        again.cli("ledger confirm", "--officer", "meera", "--token-file", secret, "--reason", "a disk")
        if not confirmed_while_it_runs:
            again.start()
            client = again.client(again.writer)
        assert named(completed(client, status["id"]), "successes") == names(objects)
        assert named(completed(client, second["id"]), "successes") == names(more)
        again.stop()


def change(node, sql, *values):
    with database(node) as db, db:
        db.execute(sql, values)


def refused(node):
    """The ids in the ledger's records of refusals."""
    lines = node.cli("ledger export", "--kind", "refusal").stdout.splitlines()
    return [json.loads(x)["record"]["object"] for x in lines]


@pytest.mark.parametrize("sql, message", [
    ("UPDATE envelope SET body='no json'", "(malformed)"),
    ("UPDATE envelope SET body='{\"objects\":7}'", "(not valid)"),
    ("UPDATE envelope SET collection=999", "collection is not there any more"),
    ("DELETE FROM user WHERE name='gone'", "sender is not there any more"),
    # More than LIMIT_EXCHANGE_ENVELOPE_OBJECTS.
    ("UPDATE envelope SET body='{\"objects\":['||replace(printf('%1000000s',''),' ','{},')||'{}]}'",
     "more than 1000000 objects at once: send it in parts"),
], ids=["no json", "no envelope", "no collection", "no user", "too much"])
def test_what_nothing_would_mend_is_a_failure(node, waits, sql, message):
    token = node.user("gone")
    try:
        objects = envelope()
        client = node.client(token)
        status = assert_pending(client.post(node.main, objects), objects)
        change(node, sql)
        let_wait(node, False)
        wait_for(lambda: waiting(node) == 0, "the envelope")
        with database(node) as db:
            done = json.loads(db.execute("SELECT json FROM status WHERE uuid=?",
                                         [status["id"]]).fetchone()[0])
        assert done["status"] == "complete"
        for key in ("id", "request_timestamp", "total_count"):
            assert done[key] == status[key]
        assert named(done, "failures") == names(objects)
        assert all(message in f["message"] and f["x_setu_rule"] == "setu-pending" for f in done["failures"])
        assert refused(node)[-MANY:] == [o["id"] for o in objects]
    finally:
        change(node, "DELETE FROM user WHERE name='gone'")


def test_what_may_pass_is_tried_again(node, waits, writer):
    """The node's own trouble is no fault of what waits. Who looks after the node is told whose it is."""
    objects = envelope()
    status = assert_pending(writer.post(node.main, objects), objects)
    change(node, "ALTER TABLE leaves RENAME TO elsewhere")
    try:
        let_wait(node, False)
        wait_for(lambda: node.log().count(status["id"]) > 1, "a second try")
        line = [x for x in node.log().splitlines() if status["id"] in x][0]
        assert f"from writer ({node.org} of {node.nation}) waits on" in line
        assert waiting(node) == 1
    finally:
        change(node, "ALTER TABLE elsewhere RENAME TO leaves")
    assert named(completed(writer, status["id"]), "successes") == names(objects)


def test_what_waits_can_be_taken_back(node, writer, waits):
    """By its sender's organisation, as what can be seen; nobody else learns that it waits."""
    gone, recalled, kept, seen = (indicator(n) for n in ("gone", "recalled", "kept", "seen"))
    newer = later(seen, "2026-02-01T00:00:00.000Z")
    relation = {"type": "relationship", "spec_version": "2.1", "id": f"relationship--{uuid.uuid4()}",
                "created": gone["created"], "modified": gone["modified"], "relationship_type": "related-to",
                "source_ref": kept["id"], "target_ref": kept["id"]}
    writer.post(node.main, [seen])
    objects = [gone, recalled, kept, newer, relation, *envelope()]
    status = assert_pending(writer.post(node.main, objects), objects)
    second, other = node.client(node.second), node.client(node.other)
    error_of(other.delete(node.main, gone["id"], status=None), 404)
    theirs = assert_pending(other.post(node.main, [gone, *objects[5:]]), objects[4:])
    error_of(second.delete(node.main, indicator()["id"], status=None), 404)
    error_of(second.delete(node.main, gone["id"], status=None, **{"match[version]": gone["modified"]}), 404)
    answer = second.delete(node.main, gone["id"])
    assert answer.body == b""
    error_of(second.delete(node.main, gone["id"], status=None), 404)
    writer.delete(node.main, seen["id"])
    node.cli("withdraw", recalled["id"], "--reason", "false-positive")
    assert "no collection has it" in node.cli("withdraw", indicator()["id"], "--reason", "x", status=1).stderr
    assert writer.get(f"status/{status['id']}/").json() == status
    let_wait(node, False)
    done = completed(writer, status["id"])
    assert named(done, "failures") == names([gone, recalled, newer])
    assert {f["x_setu_rule"] for f in done["failures"]} == {"setu-withdrawn"}
    assert done["success_count"] == len(objects) - 3
    # Another organisation's is its own.
    assert completed(other, theirs["id"])["failure_count"] == 0
    with database(node) as db:
        assert db.execute("SELECT count(*) FROM withdrawn").fetchone() == (0,)
    # Sent anew, it is new.
    assert writer.post(node.main, [recalled]).json()["success_count"] == 1


PIECE = 10000  # LIMIT_EXCHANGE_TRANSACTION_OBJECTS


@pytest.fixture
def halfway(nodes):
    """Has a node take up an envelope, and kills it when it has come as far as the second piece. Returns the status."""
    node = nodes("pieces")
    node.main = node.collection("Main", "main")
    node.writer = node.user("writer")

    def come_so_far(objects):
        change(node, f"CREATE TRIGGER stop BEFORE UPDATE OF decided ON envelope WHEN NEW.decided>{PIECE}"
                     " BEGIN SELECT RAISE(ABORT,'so far'); END")
        node.start()
        status = assert_pending(node.client(node.writer).post(node.main, objects), objects)
        wait_for(lambda: "so far" in node.log(), "the second piece")
        assert node.client(node.writer).get(f"status/{status['id']}/").json() == status
        with database(node) as db:
            assert db.execute("SELECT decided FROM envelope").fetchall() == [(PIECE,)]
        assert objects[0]["id"] in node.client(node.writer).all_ids(node.main)
        node.kill()
        change(node, "DROP TRIGGER stop")
        return status
    node.come_so_far = come_so_far
    return node


def test_killed_between_pieces(halfway):
    """Others have their turn between the pieces of a large envelope, and each object is decided about once."""
    node = halfway
    objects = envelope(3 * PIECE + 5)
    for n in (3, PIECE + 3, 3 * PIECE + 3):
        objects[n]["pattern"] = "[domain-name:value ="
    objects[7]["name"] = 'quotes " and \\ and \u00e4'
    status = node.come_so_far(objects)
    node.start()
    done = completed(node.client(node.writer), status["id"])
    assert named(done, "failures") == names(objects[n] for n in (3, PIECE + 3, 3 * PIECE + 3))
    assert done["success_count"] == len(objects) - 3
    assert all("x_setu_status" not in d and d["message"] == done["successes"][0]["message"]
               for d in done["successes"])
    assert all(f["message"] == done["failures"][0]["message"] and f["x_setu_rule"] for f in done["failures"])
    assert refused(node) == [objects[n]["id"] for n in (3, PIECE + 3, 3 * PIECE + 3)]
    accepted = [json.loads(x)["record"]["object"]
                for x in node.cli("ledger export", "--kind", "acceptance").stdout.splitlines()]
    assert len(accepted) == len(set(accepted)) == len(objects) - 3
    with database(node) as db:
        assert db.execute("SELECT (SELECT count(*) FROM envelope)+(SELECT count(*) FROM piece)").fetchone() == (0,)


@pytest.mark.parametrize("sql, message", [
    ("UPDATE user SET revoked_us=1 WHERE name='writer'", "revoked"),
    ("UPDATE envelope SET body='no json'", "(malformed)"),
], ids=["revoked", "no json"])
def test_what_fails_between_pieces_ends_the_rest(halfway, sql, message):
    node = halfway
    objects = envelope(2 * PIECE + 5)
    status = node.come_so_far(objects)
    change(node, sql)
    node.start()
    wait_for(lambda: waiting(node) == 0, "the envelope")
    with database(node) as db:
        done = json.loads(db.execute("SELECT json FROM status WHERE uuid=?", [status["id"]]).fetchone()[0])
    assert named(done, "successes") == names(objects[:PIECE])
    assert named(done, "failures") == names(objects[PIECE:])
    assert all(message in f["message"] for f in done["failures"])


def test_what_hangs_together_is_decided_about_together(nodes):
    """A definition at the end says that a property of the first object stays at home: no part may go first."""
    node = nodes("together")
    node.main = node.collection("Main", "main")
    writer = node.user("writer")
    change(node, "CREATE TRIGGER stop BEFORE UPDATE OF decided ON envelope BEGIN SELECT RAISE(ABORT,'in parts'); END")
    node.start()
    client = node.client(writer)
    definition = {"type": "extension-definition", "spec_version": "2.1", "id": f"extension-definition--{uuid.uuid4()}",
                  "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
                  "created_by_ref": f"identity--{uuid.uuid4()}", "name": "x", "schema": "s", "version": "1.0.0",
                  "extension_types": ["property-extension"]}
    objects = [*envelope(2 * PIECE), definition]
    done = completed(client, client.post(node.main, objects).json()["id"])
    assert named(done, "successes") == names(objects)
