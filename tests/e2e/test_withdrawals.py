"""What was shared is taken back: real nodes over TLS. Japan withdraws, India takes it out at its next
sync, passes it on to those it gave it to, and gives a receipt that its own ledger proves."""
import json
import shutil
import sqlite3

import pytest

from setu_node import indicator, later, setu
from test_witness import NAMES, Pair, raw

FIRST = "2026-02-01T00:00:00.000Z"


@pytest.fixture
def pair(nodes):
    return Pair(nodes)


def put(pair, *objects, node=None, collection="india"):
    node = node or pair.japan
    path = node.dir.parent / "some.jsonl"
    path.write_text("".join(json.dumps(o) + "\n" for o in objects))
    node.imported(collection, path)


def names_at(node, org, collection):
    """What an organisation reads, by its own export."""
    ran = node.cli("export", "--format", "stix", "--for", org, "--collection", collection)
    return {(o["id"], o.get("modified")) for o in json.loads(ran.stdout).get("objects", [])}


def holders(node, id_, *words, status=0):
    ran = node.cli("holders", id_, "--json", *words, status=status)
    return {x["org"]: x["state"] for x in map(json.loads, ran.stdout.splitlines())}


def records(node, kind):
    return [json.loads(x)["record"] for x in
            node.cli("ledger export", "--kind", kind).stdout.splitlines()]


def synced(pair, **more):
    return pair.sync(**more)[1][0]


def test_taken_back_with_a_receipt(pair):
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, b)
    assert synced(pair)["withdrawn"] == 0
    assert {x for x, _ in names_at(pair.india, "cert-in", "japan")} == {a["id"], b["id"]}
    assert holders(pair.japan, a["id"]) == {"cert-in": "reads", "jpcert": "reads", "nisc": "reads"}

    said = pair.japan.cli("withdraw", a["id"], "--reason", "sinkholed: it is ours").stdout
    assert "taken back" in said and "holders" in said
    assert holders(pair.japan, a["id"]) == {"cert-in": "unconfirmed"}
    assert holders(pair.japan, a["id"], "--all")["nisc"] == "withdrawn"

    report = synced(pair)
    assert report["withdrawn"] == 1 and report["accepted"] == 0
    assert {x for x, _ in names_at(pair.india, "cert-in", "japan")} == {b["id"]}
    assert holders(pair.japan, a["id"], status=1) == {}
    assert holders(pair.japan, a["id"], "--all", status=1)["cert-in"] == "removed"
    assert synced(pair)["withdrawn"] == 0

    withdrawal, = records(pair.japan, "withdrawal")
    assert withdrawal["reason"] == "sinkholed: it is ours" and withdrawal["object"] == a["id"]
    theirs, = records(pair.india, "receipt")
    ours, = records(pair.japan, "receipt")
    assert theirs["peer"] == "JP/jpcert" and theirs["outcome"] == "removed"
    assert ours["peer"] == "IN/cert-in" and ours["outcome"] == "confirmed-removed"
    assert ours["digest"] == theirs["digest"] and ours["object"] == theirs["object"] == a["id"]
    # India's own withdrawal says the same to those who had it from India.
    assert [x["reason"] for x in records(pair.india, "withdrawal")] == ["sinkholed: it is ours"]
    for node in (pair.japan, pair.india):
        node.cli("ledger verify")


def test_the_receipt_proves_itself(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.sync()
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    pair.sync()
    db = sqlite3.connect(pair.japan.dir / "setu.db")
    (proof,), = db.execute("SELECT proof FROM receipt WHERE given=0").fetchall()
    db.close()
    path = pair.japan.dir.parent / "receipt.json"
    path.write_text(proof)
    key = pair.india.cli("ledger key").stdout.split()[0]
    setu("ledger", "check-proof", path, "--key", key)
    path.write_text(proof.replace('"removed"', '"absent"'))
    setu("ledger", "check-proof", path, "--key", key, status=1)


def test_versions_and_what_is_released_again(pair):
    a = indicator(1, tlp="green")
    put(pair, a, later(a, FIRST))
    pair.sync()
    assert len(names_at(pair.india, "cert-in", "japan")) == 1
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    put(pair, later(a, FIRST))  # of the two versions one is released again, before India hears of it
    report = synced(pair)
    assert report["withdrawn"] == 1
    assert names_at(pair.india, "cert-in", "japan") == {(a["id"], FIRST)}
    assert holders(pair.japan, a["id"])["cert-in"] == "reads"
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong again")
    assert synced(pair)["withdrawn"] >= 1
    assert names_at(pair.india, "cert-in", "japan") == set()
    assert holders(pair.japan, a["id"], status=1) == {}


def test_what_others_gave_too_is_kept(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.sync()
    put(pair, a, node=pair.india, collection="japan")
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    assert synced(pair)["withdrawn"] == 1
    assert len(names_at(pair.india, "cert-in", "japan")) == 1
    assert holders(pair.japan, a["id"]) == {"cert-in": "kept"}
    assert [x["outcome"] for x in records(pair.india, "receipt")] == ["kept"]


def test_before_it_was_ever_pulled(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    report = synced(pair)
    assert report["withdrawn"] == 1 and report["accepted"] == 0
    assert [x["outcome"] for x in records(pair.india, "receipt")] == ["absent"]
    assert holders(pair.japan, a["id"], "--all", status=1)["cert-in"] == "removed"


def test_a_stricter_policy_travels(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.sync()
    new = pair.japan.dir.parent / "stricter.conf"
    new.write_text(NAMES + "release to JP\nrelease tlp:clear to IN\n")
    pair.japan.cli("policy apply", new)
    assert synced(pair)["withdrawn"] == 1
    assert names_at(pair.india, "cert-in", "japan") == set()
    assert "cert-in" not in holders(pair.japan, a["id"])


def test_a_receipt_that_was_lost_is_given_again(pair):
    """The partner's answer never came: what was taken out stays so, and the receipt is the same."""
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.sync()
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    pair.sync()
    db = sqlite3.connect(pair.india.dir / "setu.db")
    db.execute("UPDATE peer SET withdrawn=0")
    db.commit()
    db.close()
    assert synced(pair)["withdrawn"] == 1
    assert [x["outcome"] for x in records(pair.india, "receipt")] == ["removed"]
    assert len(records(pair.japan, "receipt")) == 1


def test_many(pair):
    some = [indicator(n, tlp="green") for n in range(250)]
    put(pair, *some)
    pair.sync()
    new = pair.japan.dir.parent / "none.conf"
    new.write_text(NAMES + "release to JP\n")
    pair.japan.cli("policy apply", new)
    assert synced(pair)["withdrawn"] == 250
    assert names_at(pair.india, "cert-in", "japan") == set()
    assert len(records(pair.japan, "receipt")) == 250
    for node in (pair.japan, pair.india):
        node.cli("ledger verify")


def test_only_to_those_it_concerns(pair):
    """Who was never given it does not hear of it, and nobody but a partner node asks."""
    green, amber = indicator(1, tlp="green"), indicator(2, tlp="amber")
    put(pair, green, amber)
    pair.sync()
    for o in (green, amber):
        pair.japan.cli("withdraw", o["id"], "--reason", "wrong")
    cert = (pair.india.dir / "tls/node.pem", pair.india.dir / "tls/node.key")
    path = "/ledger/withdrawals?collection=india&first=0"
    lines = raw(pair.japan, path, cert=cert).body.decode().splitlines()
    assert [json.loads(x)["record"]["object"] for x in lines] == [green["id"]]
    for token in (pair.japan.admin_token, pair.japan.user("reader", role="reader", org="nisc", nation="JP")):
        assert raw(pair.japan, path, token=token).status == 403
    for bad in ("", "?first=0", "?collection=india", "?collection=india&first=x",
                "?collection=india&first=0&first=0", "?collection=india&first=0&more=1"):
        assert raw(pair.japan, "/ledger/withdrawals" + bad, cert=cert).status == 400, bad
    assert raw(pair.japan, "/ledger/withdrawals?collection=none&first=0", cert=cert).status == 404


def test_receipts_that_are_none(pair):
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, b)
    pair.sync()
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    pair.sync()
    pair.japan.cli("withdraw", b["id"], "--reason", "wrong")
    cert = (pair.india.dir / "tls/node.pem", pair.india.dir / "tls/node.key")
    db = sqlite3.connect(pair.japan.dir / "setu.db")
    (leaf, proof), = db.execute("SELECT leaf,proof FROM receipt").fetchall()
    (other,), = db.execute("SELECT leaf FROM withdrawal WHERE leaf<>? AND audience="
                           "(SELECT audience FROM withdrawal WHERE leaf=?)", (leaf, leaf)).fetchall()
    db.close()
    good = json.loads(proof)

    def post(body):
        return raw(pair.japan, "/ledger/receipts", cert=cert, method="POST", body=body).status

    assert post(json.dumps({"receipts": [{"leaf": leaf, "proof": good}]})) == 200
    for body in ("", "[]", "{}", '{"receipts":{}}', '{"receipts":[1]}', '{"receipts":[{}]}',
                 json.dumps({"receipts": [{"leaf": other, "proof": good}]}),
                 json.dumps({"receipts": [{"leaf": 10 ** 9, "proof": good}]}),
                 json.dumps({"receipts": [{"leaf": -1, "proof": good}]}),
                 json.dumps({"receipts": [{"leaf": leaf, "proof": {**good, "index": 0}}]}),
                 json.dumps({"receipts": [{"leaf": leaf, "proof": good}] * 101})):
        assert post(body) in (400, 422), body
    assert post(json.dumps({"key": "JP/jpcert/ledger+00000000+AAAA",
                            "receipts": [{"leaf": leaf, "proof": good}]})) in (400, 409, 422)
    assert holders(pair.japan, b["id"]) == {"cert-in": "unconfirmed"}
    assert raw(pair.japan, "/ledger/receipts", token=pair.japan.admin_token, method="POST",
               body="{}").status == 403


def test_commands(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    node = pair.japan
    unknown = "indicator--11111111-1111-4111-8111-111111111111"
    for words, status, said in (
            (("withdraw", a["id"]), 2, "--reason"),
            (("withdraw", "nothing", "--reason", "x"), 1, "nothing"),
            (("withdraw", unknown, "--reason", "x"), 1, "no collection has it"),
            (("withdraw", a["id"], "--reason", "a\nb"), 2, "control"),
            (("withdraw", a["id"], "--reason", "x", "--collection", "none"), 1, "--collection"),
            (("holders", unknown), 1, "nobody"),
            (("holders",), 2, "holders")):
        ran = node.cli(*words, status=None)
        assert ran.returncode == status and said in ran.stderr, (words, ran.returncode, ran.stderr)
    ran = node.cli("withdraw", a["id"], "--reason", "x", "--collection", "india", "--json")
    assert json.loads(ran.stdout) == {"object": a["id"], "releases": 1}
    assert node.cli("withdraw", a["id"], "--reason", "x", status=1).stdout == ""


def test_what_is_listed_is_what_is_recorded(pair, tmp_path):
    """Lists of withdrawals and receipts that were changed behind the node's back are found."""
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, b)
    pair.sync()
    for o in (a, b):
        pair.japan.cli("withdraw", o["id"], "--reason", "wrong")
    pair.sync()
    changes = ("DELETE FROM withdrawal",
               "DELETE FROM withdrawal WHERE leaf=(SELECT max(leaf) FROM withdrawal)",
               "UPDATE withdrawal SET audience=1+audience%2",
               "UPDATE withdrawal SET at_us=at_us+1", "UPDATE withdrawal SET version=''",
               "UPDATE withdrawal SET stix_id='indicator--x'",
               "UPDATE withdrawal SET collection='x'",
               "INSERT INTO withdrawal SELECT 0,collection,audience,at_us,source,name,stix_id,version "
               "FROM withdrawal LIMIT 1",
               "UPDATE receipt SET outcome='kept'", "UPDATE receipt SET own=own+1",
               "UPDATE receipt SET party='XX/nobody'",
               "UPDATE receipt SET entry=zeroblob(32) WHERE leaf=(SELECT max(leaf) FROM receipt)")
    for number, node in enumerate((pair.japan, pair.india)):
        for change in changes:
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(node.dir, copy)
            setu("ledger", "verify", copy)
            db = sqlite3.connect(copy / "setu.db")
            touched = db.execute(change).rowcount
            db.commit()
            db.close()
            assert touched > 0, (number, change)
            setu("ledger", "verify", copy, status=1)


def test_an_invented_withdrawal_is_not_followed(pair):
    """What is shown as a leaf of the ledger that the partner signed, and is not in it."""
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, b)
    pair.sync()
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    db = sqlite3.connect(pair.japan.dir / "setu.db")
    (leaf,), = db.execute("SELECT leaf FROM withdrawal").fetchall()
    first, body = db.execute("SELECT first,body FROM leaves WHERE first<=? ORDER BY first DESC", (leaf,)).fetchone()
    db.execute("UPDATE leaves SET body=? WHERE first=?",
               (body.replace(a["id"].encode(), b["id"].encode()), first))
    db.commit()
    reports, _, said = pair.sync(status=3)
    assert f"what it shows as leaf {leaf} is not in the ledger that it signed" in said + json.dumps(reports)
    assert {x for x, _ in names_at(pair.india, "cert-in", "japan")} == {a["id"], b["id"]}
    assert records(pair.india, "receipt") == [] == records(pair.india, "withdrawal")
    db.execute("UPDATE leaves SET body=? WHERE first=?", (body, first))
    db.commit()
    db.close()
    assert synced(pair)["withdrawn"] == 1


def test_it_does_not_come_home_as_an_echo(pair):
    """Japan shows India's own object back to it while India withdraws: it stays withdrawn, until India
    gives it anew; and what Japan gives anew, India takes."""
    india, japan = pair.india, pair.japan
    for node, home, other in ((india, "IN", "JP"), (japan, "JP", "IN")):
        rules = node.dir.parent / "both.conf"
        rules.write_text(f"{NAMES}accept from {other}\nrelease to {home}\nrelease tlp:green to {other}\n")
        node.cli("policy apply", rules)
    india.user("jpcert", "peer", "jpcert", "JP", "--cert", japan.dir / "tls/node.pem")
    india.start()
    japan.cli("peer add", "cert-in", "--url", india.url, "--nation", "IN", "--org", "cert-in", "--from", "japan",
              "--into", "india", "--ca", india.ca)
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, node=india, collection="japan")
    put(pair, b)
    japan.cli("sync")
    india.cli("withdraw", a["id"], "--reason", "wrong")
    ran = india.cli("sync", "--json", "--verbose")
    refused = [x for x in map(json.loads, ran.stdout.splitlines()) if x.get("object") == a["id"]]
    assert [x["rule"] for x in refused] == ["setu-withdrawn"]
    assert names_at(india, "cert-in", "japan") == {(b["id"], b["modified"])}
    japan.cli("sync")
    assert {x for x, _ in names_at(japan, "jpcert", "india")} == {b["id"]}
    put(pair, a, node=india, collection="japan")
    japan.cli("sync")
    assert {x for x, _ in names_at(japan, "jpcert", "india")} == {a["id"], b["id"]}
    # And the other way: what Japan takes back and gives again comes in again.
    japan.cli("withdraw", b["id"], "--reason", "wrong")
    assert synced(pair)["withdrawn"] == 1
    put(pair, b)
    assert synced(pair)["accepted"] >= 1
    assert b["id"] in {x for x, _ in names_at(india, "cert-in", "japan")}


def test_an_empty_collection_is_not_asked_from_its_beginning_again(pair):
    a = indicator(1, tlp="green")
    put(pair, a)
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    assert [synced(pair)["withdrawn"] for _ in range(3)] == [1, 0, 0]


def test_what_waits_in_quarantine_waits_no_more(pair):
    rules = pair.india.dir.parent / "quarantine.conf"
    rules.write_text(NAMES + "quarantine from JP\nrelease to IN\n")
    pair.india.cli("policy apply", rules)
    a, b = indicator(1, tlp="green"), indicator(2, tlp="green")
    put(pair, a, b)
    assert synced(pair)["quarantined"] == 2
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    assert synced(pair)["withdrawn"] == 1
    waiting = [json.loads(x) for x in pair.india.cli("release list", "--json").stdout.splitlines()]
    assert [x["object"] for x in waiting] == [b["id"]]
    assert {x["outcome"] for x in records(pair.india, "receipt")} == {"removed"}
    pair.india.cli("ledger verify")


def test_a_redacted_copy_is_taken_back_with_its_original(pair):
    rules = pair.japan.dir.parent / "redact.conf"
    rules.write_text(NAMES + "release to JP\nrelease tlp:green to IN\nredact drop $.description to IN\n")
    pair.japan.cli("policy apply", rules)
    a = indicator(1, tlp="green", description="of a victim")
    put(pair, a)
    assert synced(pair)["accepted"] >= 1
    [(copy, _)] = [x for x in names_at(pair.india, "cert-in", "japan") if x[0].startswith("indicator")]
    assert copy != a["id"] and holders(pair.japan, a["id"])["cert-in"] == "reads"
    assert holders(pair.japan, copy)["cert-in"] == "reads"
    pair.japan.cli("withdraw", a["id"], "--reason", "wrong")
    assert holders(pair.japan, a["id"]) == {"cert-in": "unconfirmed"}
    assert synced(pair)["withdrawn"] >= 1
    assert not [x for x in names_at(pair.india, "cert-in", "japan") if x[0].startswith("indicator")]
    assert holders(pair.japan, a["id"], status=1) == {}
    for node in (pair.japan, pair.india):
        node.cli("ledger verify")
