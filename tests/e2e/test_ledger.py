"""The auditor: a ledger is verified on the spot and from afar, a release is proven to a stranger,
records are exported; and a node that is killed while it takes objects in keeps store and ledger in
agreement."""
import base64
import hashlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from setu_node import KILLED, ROOT, SETU, TAXII, indicator, later, setu, wait_for

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
    in_india = datetime.fromisoformat(middle).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    assert in_india.endswith("+05:30") and exported(node, "--since", in_india) == since
    releases = exported(node, "--kind", "release")
    assert releases == [x for x in records if x["record"]["kind"] == "release"]
    assert all(hashlib.sha256(base64.b64decode(x["audience_salt"]) + x["audience"].encode()).hexdigest()
               == x["record"]["audience"] for x in releases)
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
    assert "the ledger is for partner nodes and auditors" in verify(status=3).stderr
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
    assert setu("ledger", "verify", tmp_path / "nothing", status=None).returncode == 3


def test_a_record_that_law_has_erased(node, tmp_path):
    """By an officer, with a reason that stays; not by anybody else, nor what others rely on."""
    o, other = indicator(6000, "green"), indicator(6001, "green")
    node.admin.post(node.at, [o, other])
    for name, role in (("eraser", "officer"), ("auditor-1", "auditor")):
        (tmp_path / name).write_text(node.user(name, role))
    mine = [x for x in exported(node, "--kind", "release") if x["record"]["object"] == o["id"]]

    def erase(leaf, officer="eraser", **more):
        return node.cli("ledger erase", str(leaf), "--officer", officer, "--token-file", tmp_path / officer, "--reason",
                        "court order 7", **more)
    for x in mine:
        assert f"leaf {x['index']}" in erase(x["index"]).stdout
    assert "erased already" in erase(mine[0]["index"], status=1).stderr
    erasures = [x for x in exported(node, "--kind", "erasure")]
    assert [x["record"]["leaf"] for x in erasures] == [x["index"] for x in mine]
    assert all(x["record"]["actor"] == "IN/home/eraser" and x["record"]["reason"] == "court order 7"
               for x in erasures)
    assert "rely on" in erase(erasures[0]["index"], status=1).stderr
    assert erase(3, "auditor-1", status=None).returncode == 1
    assert "three" in erase("three", status=2).stderr
    said = node.cli("ledger verify").stdout
    assert f"{len(mine)} of them without their record" in said
    for version in ([], ["--version", o["modified"]]):
        ran = prove(node, o, "nisc", 1, *version)
        assert "was erased" in ran


def test_what_is_erased_is_gone_from_the_disk(nodes, tmp_path):
    node = nodes(policy=POLICY)
    at = node.collection("ledger", alias="ledger")
    agent, officer = node.user("very-secret-agent", "contributor"), tmp_path / "officer"
    officer.write_text(node.user("eraser", "officer"))
    node.start()
    node.client(agent).post(at, [indicator(n, "green") for n in range(50)])
    told = [x["index"] for x in exported(node) if "very-secret-agent" in json.dumps(x["record"])]
    assert len(told) > 50  # the user's own records among them
    for leaf in told:
        node.cli("ledger erase", str(leaf), "--officer", "eraser", "--token-file", officer, "--reason", "law")
    node.stop()
    bytes_ = b"".join(path.read_bytes() for path in node.dir.glob("setu.db*"))
    assert b"IN/home/eraser" in bytes_ and b"IN/home/very-secret-agent" not in bytes_
    node.cli("ledger verify")


def test_an_export_is_recorded_before_it_leaves(node, tmp_path):
    """Killed while nobody reads its output, it has said what it was about to give out."""
    objects = [indicator(n, "green", description="d" * 1000) for n in range(7000, 7300)]
    node.admin.post(node.at, objects)
    before = len(exported(node, "--kind", "export"))
    running = subprocess.Popen([SETU, "export", node.dir, "--for", "nisc"], stdout=subprocess.PIPE)
    wait_for(lambda: len(exported(node, "--kind", "export")) > before, "the record")
    running.kill()
    running.wait()
    running.stdout.close()
    record = exported(node, "--kind", "export")[before]["record"]
    assert record["count"] >= 300 and record["recipient"] == "JP/nisc"


def test_recipients_see_neither_people_nor_each_other(node):
    agent = node.client(node.user("agent-asha", "contributor"))
    o = indicator(6100, "green")
    agent.post(node.at, [o])
    agent.delete(node.at, o["id"])
    peer = node.client(node.user("a-peer", "peer", "nisc", "JP"))
    size = len(exported(node))
    shown, guesses = "", set()
    for first in range(0, size, 1000):
        shown += peer.request("GET", f"/ledger/records?first={first}&end={min(size, first + 1000)}",
                              headers={"Accept": "*/*"}, status=200).text
    assert o["id"] in shown and "asha" not in shown and '"audience"' in shown
    for x in exported(node):
        if x.get("audience"):
            guesses.add(hashlib.sha256(x["audience"].encode()).hexdigest())
    assert guesses and not any(guess in shown for guess in guesses)
    assert "agent-asha" in json.dumps(exported(node, "--kind", "acceptance"))


class Killed:
    """A node that is killed while objects come in, and what it acknowledged."""

    def __init__(self, node):
        self.node, self.chance, self.sent, self.turn = node, random.Random(7), set(), 0
        self.at = node.collection("kill", alias="kill", marking="green")

    def objects(self):
        self.turn += 1
        return [indicator(self.turn * 1000 + n, "green") for n in range(60)]

    def import_begun(self, file, objects):
        file.write_text("".join(json.dumps(o) + "\n" for o in objects))
        return subprocess.Popen([SETU, "import", self.node.dir, "--collection", "kill", file],
                                cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=KILLED)

    def post_without_waiting(self, client, objects):
        client.connection.request(
            "POST", f"/api/collections/{self.at}/objects/", json.dumps({"objects": objects}),
            {"Accept": TAXII, "Content-Type": TAXII,
             "Authorization": f"Bearer {self.node.admin_token}"})

    def check(self, last=False):
        """What was acknowledged has its leaf, and every leaf its effect."""
        verified = json.loads(self.node.cli("ledger verify", "--json").stdout.splitlines()[-1])
        assert verified["ok"] and verified["objects"] >= len(self.sent)
        if self.turn % 10 and not last:
            return
        stored = {o["id"] for o in json.loads(self.node.cli("export").stdout).get("objects", [])}
        assert self.sent <= stored
        leaves = {x["record"]["object"] for x in exported(self.node, "--kind", "acceptance")}
        assert leaves == stored


KILLS = 100  # of each door


def test_import_killed_again_and_again(nodes, tmp_path):
    k = Killed(nodes(policy=POLICY))
    began, objects = time.monotonic(), k.objects()
    assert k.import_begun(tmp_path / "lines", objects).wait() == 0
    whole_s, killed = time.monotonic() - began, 0
    k.sent.update(o["id"] for o in objects)
    while killed < KILLS:
        objects = k.objects()
        running = k.import_begun(tmp_path / "lines", objects)
        time.sleep(k.chance.random() * whole_s)
        running.send_signal(signal.SIGKILL)
        if running.wait() == 0:
            k.sent.update(o["id"] for o in objects)
        else:
            killed += 1
        k.check()
    k.check(last=True)


def test_server_killed_again_and_again(nodes):
    k = Killed(nodes(policy=POLICY))
    for _ in range(KILLS):
        objects = k.objects()
        k.node.start()
        client = k.node.client(k.node.admin_token)
        for n in range(k.chance.randrange(1, 12)):
            client.post(k.at, objects[n * 5:n * 5 + 5])
            k.sent.update(o["id"] for o in objects[n * 5:n * 5 + 5])
        k.post_without_waiting(client, objects[-5:])
        time.sleep(k.chance.random() * 0.004)
        k.node.kill()
        k.node.clients = []
        k.check()
    k.check(last=True)
