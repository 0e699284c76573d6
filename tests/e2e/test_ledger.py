"""The auditor: a ledger is verified on the spot and from afar, a release is proven to a stranger,
records are exported; and a node that is killed while it takes objects in keeps store and ledger in
agreement."""
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from setu_node import ROOT, SETU, indicator, later, setu

POLICY = """
nation IN "India" { agency home, second }
nation JP "Japan" { agency nisc, jpcert }
accept from JP
release to IN
release tlp:green to JP
release label "for-nisc" to nisc
redact drop $.description to jpcert
"""


@pytest.fixture(scope="module")
def node(module_nodes):
    node = module_nodes(policy=POLICY)
    node.at = node.collection("ledger", alias="ledger", marking="green")
    node.green = indicator(1, "green", description="how it came to us")
    node.amber = indicator(2, "amber")
    node.one = indicator(3, "amber", labels=["for-nisc"])
    node.start()
    node.admin.post(node.at, [node.green, node.amber, node.one])
    node.admin.post(node.at, [indicator(n, "green") for n in range(10, 400)])
    node.key = node.cli("ledger key").stdout.strip()
    return node


def prove(node, o, who, status=0, *more):
    path = node.dir.parent / f"proof-{who}.json"
    ran = node.cli("ledger prove", o["id"], "--for", who, "-o", path, *more, status=status)
    return (path, ran.stdout) if status == 0 else ran.stderr


def check(path, key, *more, status=0):
    ran = setu("ledger", "check-proof", path, "--key", key, *more, status=status)
    return ran.stdout if status == 0 else ran.stderr


def test_a_release_is_proven_offline(node, tmp_path):
    path, _ = prove(node, node.one, "nisc")
    said = json.loads(check(path, node.key, "--for", "JP/nisc", "--json"))
    record = said["record"]
    assert record["kind"] == "release" and record["object"] == node.one["id"]
    lines = POLICY.split("\n")
    home, nisc = lines.index("release to IN") + 1, lines.index('release label "for-nisc" to nisc') + 1
    assert record["lines"] == f"{home},{nisc}"  # both decided, each for some of the recipients
    assert record["policy"] == hashlib.sha256(POLICY.encode()).hexdigest()
    assert record["digest"] == hashlib.sha256(json.dumps(node.one).encode()).hexdigest()
    (tmp_path / "object").write_text(json.dumps(node.one))
    (tmp_path / "other").write_text(json.dumps(node.one) + " ")
    (tmp_path / "key").write_text(node.key + "\n")
    text = check(path, tmp_path / "key", "--object", tmp_path / "object")
    assert "It holds" in text and "JP/nisc" in text and node.one["id"] in text
    assert "is not the object" in check(path, node.key, "--object", tmp_path / "other", status=1)
    assert "no release to JP/jpcert" in check(path, node.key, "--for", "JP/jpcert", status=1)
    assert "give a nation" in check(path, node.key, "--for", "nisc", status=2)
    other = node.cli("ledger key", "--witness").stdout.strip()
    assert check(path, other, status=1)
    assert "no release of" in prove(node, node.amber, "nisc", 1)
    assert "no release of" in prove(node, node.one, "nisc", 1, "--version", "2020-01-01T00:00:00Z")
    assert "--for" in prove(node, node.one, "nobody-known", 1)


def test_a_copy_is_proven_as_what_they_have(node):
    reader = node.client(node.user("jpcert-reader", "reader", "jpcert", "JP"))
    ids = {o["name"]: o["id"] for o in reader.get(f"collections/{node.at}/objects/").objects
           if "name" in o}
    path, said = prove(node, node.green, "jpcert")
    record = json.loads(check(path, node.key, "--json"))["record"]
    assert record["object"] == ids["indicator 1"] != node.green["id"]
    assert ids["indicator 1"] in said
    path, _ = prove(node, node.green, "nisc")
    assert json.loads(check(path, node.key, "--json"))["record"]["object"] == node.green["id"]


def test_no_byte_of_a_proof_can_change(node, tmp_path):
    path, _ = prove(node, node.one, "nisc")
    whole = path.read_bytes()
    good = json.loads(whole)
    for at in random.Random(5).sample(range(len(whole)), 400):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
        (tmp_path / "p").write_bytes(changed)
        ran = setu("ledger", "check-proof", tmp_path / "p", "--key", node.key, status=None)
        if ran.returncode == 0:  # a name of a member that means nothing, or its value
            same = json.loads(changed)
            for name in ("record", "salt", "index", "inclusion"):
                assert same[name] == good[name], (at, name)
        else:
            assert ran.returncode == 1, (at, ran.stderr)


def test_withdrawn_is_still_proven(node):
    gone = indicator(5000, "green")
    node.admin.post(node.at, [gone])
    path, said = prove(node, gone, "nisc")
    assert "taken back" not in said
    node.admin.delete(node.at, gone["id"])
    path, said = prove(node, gone, "nisc")
    assert "taken back since" in said
    assert check(path, node.key)


def test_only_what_was_withdrawn_counts_as_withdrawn(node):
    """Another version, another collection: what was proven they still have."""
    o = indicator(5001, "green")
    newer = later(o, "2026-03-01T00:00:00.000Z")
    other = node.collection("a second")
    for at in (node.at, other):
        node.admin.post(at, [o])
        node.admin.post(at, [newer])
    node.admin.delete(other, o["id"], **{"match[version]": o["modified"]})
    node.admin.delete(node.at, o["id"])
    path, said = prove(node, o, "nisc")
    assert "taken back" not in said
    record = json.loads(check(path, node.key, "--json"))["record"]
    assert (record["version"], record["collection"]) == (newer["modified"], other)
    node.admin.delete(other, o["id"])
    assert "taken back since" in prove(node, o, "nisc")[1]


def exported(node, *words):
    return [json.loads(x) for x in node.cli("ledger export", *words).stdout.splitlines()]


def test_export_has_every_record(node):
    records = exported(node)
    assert [x["index"] for x in records] == list(range(len(records)))
    verified = json.loads(node.cli("ledger verify", "--json").stdout.splitlines()[-1])
    assert verified["ok"] and verified["size"] == len(records)
    entries = b""
    for i in range(0, len(records), 256):
        width = min(256, len(records) - i)
        tail = f".p/{width}" if width < 256 else ""
        entries += node.admin.request("GET", f"/ledger/tile/entries/{i // 256:03}{tail}",
                                      headers={"Accept": "*/*"}, status=200).body
    for x in records:
        text = json.dumps(x["record"], separators=(",", ":"), ensure_ascii=False)
        salted = base64.b64decode(x["salt"]) + text.encode()
        at = x["index"] * 34
        assert entries[at:at + 34] == b"\0\x20" + hashlib.sha256(salted).digest()
    middle = records[len(records) // 2]["record"]["at"]
    since = exported(node, "--since", middle)
    assert since == [x for x in records if x["record"]["at"] >= middle]
    releases = exported(node, "--kind", "release")
    assert releases == [x for x in records if x["record"]["kind"] == "release"]
    assert all(hashlib.sha256(x["audience"].encode()).hexdigest() == x["record"]["audience"]
               for x in releases)
    assert "--kind" in node.cli("ledger export", "--kind", "nothing", status=2).stderr
    assert "--since" in node.cli("ledger export", "--since", "yesterday", status=None).stderr


def test_verified_from_afar(node, tmp_path):
    token = tmp_path / "token"
    url = ["ledger", "verify", node.url, "--ca", node.ca, "--token-file", token, "--json"]

    def verify(*more, status=0):
        ran = setu(*url, *more, status=status)
        return json.loads(ran.stdout.splitlines()[-1]) if status == 0 else ran

    token.write_text(node.admin_token)
    here = json.loads(node.cli("ledger verify", "--json").stdout.splitlines()[-1])
    far = verify("--ledger-key", node.key)
    assert (far["size"], far["root"], far["ok"]) == (here["size"], here["root"], True)
    assert far["records"] == far["size"]
    token.write_text(node.user("partner", "peer", "nisc", "JP"))
    partner = verify()
    assert partner["ok"] and 0 < partner["records"] < partner["size"]
    token.write_text(node.user("mere-reader", "reader"))
    assert "the ledger is for partner nodes and auditors" in verify(status=1).stderr
    other = node.cli("ledger key", "--witness").stdout.strip()
    token.write_text(node.admin_token)
    lied = verify("--ledger-key", other, status=1)
    assert json.loads(lied.stdout.splitlines()[0])["finding"] == "head"


def test_damage_is_found_on_the_command_line(node, tmp_path):
    """What is found is unit-tested byte for byte; here: what is said, and the exit status."""
    node.stop()
    copy = tmp_path / "copy"
    shutil.copytree(node.dir, copy)
    node.start()
    clean = setu("ledger", "verify", copy).stdout
    assert "the log is whole and its head is signed" in clean
    db = sqlite3.connect(copy / "setu.db")
    db.execute("UPDATE leaves SET body=replace(body,'release','RELEASE') WHERE first=0 OR 1")
    db.execute("DELETE FROM object WHERE id=1")
    db.commit()
    db.close()
    ran = setu("ledger", "verify", copy, status=1)
    assert "record and salt do not give the entry" in ran.stdout and "leaf" in ran.stdout
    assert "does not hold" in ran.stdout
    wrong = setu("ledger", "verify", copy, "--ledger-key", "nonsense+x", status=None)
    assert wrong.returncode != 0 and "--ledger-key" in wrong.stderr
    assert "credentials" in setu("ledger", "verify", copy, "--user", "x", status=2).stderr
    assert setu("ledger", "verify", tmp_path / "nothing", status=None).returncode == 1


def acknowledged(path):
    return [line for line in path.read_text().splitlines() if line]


@pytest.mark.parametrize("door", ["import", "post"])
def test_killed_again_and_again(nodes, tmp_path, door):
    """SIGKILL while objects come in: what was acknowledged is there with its leaf, and every leaf has
    its effect. A hundred times for each door."""
    node = nodes(policy=POLICY)
    node.at = node.collection("kill", alias="kill", marking="green")
    chance = random.Random(7)
    sent = {}
    for turn in range(100):
        objects = [indicator(turn * 1000 + n, "green") for n in range(60)]
        if door == "import":
            file = tmp_path / "lines"
            file.write_text("".join(json.dumps(o) + "\n" for o in objects))
            p = subprocess.Popen([SETU, "import", node.dir, "--collection", "kill", file], cwd=ROOT,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * 0.02)
            p.send_signal(signal.SIGKILL)
            if p.wait() == 0:
                sent.update({o["id"]: o for o in objects})
        else:
            node.start()
            client = node.client(node.admin_token)
            done = chance.randrange(1, 12)
            for n in range(done):
                client.post(node.at, objects[n * 5:n * 5 + 5])
                sent.update({o["id"]: o for o in objects[n * 5:n * 5 + 5]})
            client.connection.request(  # and one whose answer nobody waits for
                "POST", f"/api/collections/{node.at}/objects/",
                json.dumps({"objects": objects[-5:]}),
                {"Accept": "application/taxii+json;version=2.1",
                 "Content-Type": "application/taxii+json;version=2.1",
                 "Authorization": f"Bearer {node.admin_token}"})
            time.sleep(chance.random() * 0.004)
            node.kill()
            node.clients = []
        if turn % 10 == 9:
            verified = json.loads(node.cli("ledger verify", "--json").stdout.splitlines()[-1])
            assert verified["ok"] and verified["objects"] >= len(sent)
    stored = {o["id"] for o in json.loads(node.cli("export").stdout)["objects"]}
    assert set(sent) <= stored
    leaves = {x["record"]["object"] for x in exported(node, "--kind", "acceptance")}
    assert leaves == stored


def test_exports_strict_reads_and_failed_sign_ins_are_recorded(nodes):
    node = nodes(policy=POLICY, conf="ledger-reads amber\n")
    node.at = node.collection("records", alias="records", marking="green")
    node.start()
    node.admin.post(node.at, [indicator(1, "green"), indicator(2, "amber"), indicator(3, "red")])
    reader = node.client(node.user("asha", "reader"))
    path = f"collections/{node.at}/objects/"
    assert len(reader.get(path).objects) == 3
    reader.get(f"collections/{node.at}/manifest/")  # no object leaves
    green = [o["id"] for o in reader.get(path).objects if o["name"] == "indicator 1"][0]
    reader.get(path + green + "/")
    node.cli("export", "--for", "nisc", "--collection", "records")
    for n in range(300):
        assert node.client("setu_wrong").get("collections/", status=401)
        if n % 50 == 0:
            node.client(user="admin", password="guess").get("collections/", status=401)
    assert node.client().get("collections/", status=401)  # nobody tried anything
    node.stop()
    reads = [x["record"] for x in exported(node, "--kind", "read")]
    assert [(r["actor"], r["marking"], r["count"]) for r in reads] == 2 * [("IN/home/asha", "red", 2)]
    assert reads[0]["collection"] == node.at
    done, = [x["record"] for x in exported(node, "--kind", "export")]
    assert (done["recipient"], done["count"], done["format"]) == ("JP/nisc", 1, "stix")
    failed = [x["record"] for x in exported(node, "--kind", "sign-in-failure")]
    assert 2 <= len(failed) <= 4 and all(r["address"] == "127.0.0.1" for r in failed)
    more = sum(int(r["reason"].split()[0]) for r in failed if r["reason"][0].isdigit())
    assert more + sum(not r["reason"][0].isdigit() for r in failed) == 306
    assert json.loads(node.cli("ledger verify", "--json").stdout.splitlines()[-1])["ok"]


def test_reads_may_be_left_out(nodes):
    node = nodes(policy=POLICY, conf="ledger-reads off\n")
    node.at = node.collection("records", alias="records", marking="green")
    node.start()
    node.admin.post(node.at, [indicator(3, "red")])
    assert len(node.admin.get(f"collections/{node.at}/objects/").objects) == 1
    node.stop()
    assert exported(node, "--kind", "read") == []
    bad = nodes("bad", policy=POLICY)
    with open(bad.dir / "setu.conf", "a") as f:
        f.write("ledger-reads purple\n")
    assert "red, amber+strict" in bad.cli("ledger export", status=None).stderr
