"""`setu doctor`: each thing it looks at is damaged once, and it says what, and what to do."""
import json
import os
import shutil
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from setu_node import indicator, setu
from test_cli import small_disk  # noqa: F401 (a fixture)

NAMES = ('nation IN "India" { agency cert-in }\nnation JP "Japan" { agency jpcert }\n'
         "accept from JP\nrelease to IN\nrelease tlp:green to JP\n")
CHECKS = ["directory", "configuration", "keys", "certificates", "policy", "disk", "database",
          "policy in force", "ledger", "clock", "restore", "backup", "partners", "witnesses", "users", "desk",
          "envelopes"]
DAY_US = 86400 * 1000000


def doctor(folder, *words):
    ran = setu("doctor", folder, "--json", *words, status=None)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(set(f) == {"check", "status", "message", "action"} for f in found)
    bad = [f for f in found if f["status"] == "error"]
    assert ran.returncode == (1 if bad else 0), (ran.returncode, found, ran.stderr)
    assert all(f["message"] for f in found), found
    assert all(f["action"] for f in found if f["status"] != "ok"), found
    return found


def trouble(folder, *words):
    return [(f["status"], f["check"], f["message"]) for f in doctor(folder, *words)
            if f["status"] != "ok"]


@pytest.fixture(scope="module")
def template(module_nodes, tmp_path_factory):
    """A node in order: objects, partners, people, a backup, something at the desk."""
    node = module_nodes("template", org="cert-in", policy=NAMES +
                        "hold tlp:amber types incident to JP for 1 officer\n")
    (node.dir / "policy.conf").write_text(
        NAMES.replace("release to IN", "hold tlp:amber types incident to JP for 1 officer\nrelease to IN"))
    tmp = tmp_path_factory.mktemp("doctor")
    collection = node.collection("One", "one")
    (tmp / "token").write_text("secret")
    node.cli("peer add", "jpcert", "--url", "https://127.0.0.1:9/", "--nation", "JP", "--org", "jpcert",
             "--from", "x", "--into", "one", "--ca", node.dir / "tls/ca.pem", "--token-file",
             tmp / "token")
    node.user("meera", "officer")
    incident = {"type": "incident", "spec_version": "2.1", "name": "i",
                "id": "incident--00000000-0000-4000-8000-000000000001",
                "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
                "object_marking_refs": ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]}
    (tmp / "in.json").write_text(json.dumps(
        {"objects": [incident, *(indicator(n, "green") for n in range(300))]}))
    node.imported(collection, tmp / "in.json")
    assert "incident--" in node.cli("release list").stdout
    node.cli("backup", "-o", tmp / "b.tar")
    return node


@pytest.fixture
def node(template, tmp_path):
    shutil.copytree(template.dir, tmp_path / "node")
    return tmp_path / "node"


def test_in_order(node):
    found = doctor(node)
    assert [f["check"] for f in found] == CHECKS
    assert trouble(node) == [] == trouble(node, "--thorough")
    text = setu("doctor", node).stdout.splitlines()
    assert len(text) == len(CHECKS) and all(line.startswith("ok       ") for line in text)
    assert any("600" in line or "leaves" in line for line in text)


def test_fresh_and_none(nodes, tmp_path):
    """A new node lacks a backup and nothing else; what is no node is said to be none."""
    node = nodes("fresh")
    assert trouble(node.dir) == [("warning", "backup", "none was ever taken")]
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        assert "setu doctor: " in setu("doctor", tmp_path / folder, status=3).stderr


def test_beside_a_server(nodes):
    node = nodes("served")
    collection = node.collection("served")
    node.start()
    for n in range(5):
        node.admin.post(collection, [indicator(n)])
        assert [c for _, c, _ in trouble(node.dir, "--thorough")] == ["backup"]


# ---- files

def append(name, text):
    return lambda d: (d / name).write_text((d / name).read_text() + text)


def chmod(name, mode):
    return lambda d: (d / name).chmod(mode)


def remove(name):
    return lambda d: (d / name).unlink()


def write(name, text):
    def damage(d):
        (d / name).write_text(text)
        if name.endswith((".key", ".token")):
            (d / name).chmod(0o600)
    return damage


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def certificate(start, end, hosts="DNS:localhost,IP:127.0.0.1"):
    """Another certificate under the node's authority, with these days from now."""
    def damage(d):
        tls, now = d / "tls", datetime.now(timezone.utc)
        (tls / "ext").write_text(f"subjectAltName={hosts}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("req", "-new", "-key", tls / "node.key", "-subj", "/CN=x", "-out", tls / "csr")
        (tls / "db").write_text("")
        (tls / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={tls}/db\nnew_certs_dir={tls}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        day = [(now + timedelta(days=n)).strftime("%Y%m%d%H%M%SZ") for n in (start, end)]
        openssl("ca", "-batch", "-config", tls / "conf", "-cert", tls / "ca.pem", "-keyfile",
                tls / "ca.key", "-in", tls / "csr", "-out", tls / "node.pem", "-startdate", day[0],
                "-enddate", day[1], "-extfile", tls / "ext", "-notext")
        for extra in tls.iterdir():
            if extra.name not in ("ca.pem", "ca.key", "node.pem", "node.key"):
                extra.unlink()
    return damage


def other_pair(*names):
    """Files of another node take the place of this one's."""
    def damage(d):
        setu("init", d.parent / "other", "--name", "O", "--nation", "IN")
        for name in names:
            shutil.copy(d.parent / "other" / name, d / name)
    return damage


def sparse_wal(d):
    with open(d / "setu.db-wal", "wb") as f:
        f.truncate(300 << 20)


FILES = [
    (chmod("", 0o777), "error", "directory", "others may write in"),
    (chmod("", 0o755), "warning", "directory", "others may look into"),
    (append("setu.conf", "colour green\n"), "error", "configuration", "no setting is called"),
    (remove("setu.conf"), "error", "configuration", "setu.conf"),
    (chmod("node.key", 0o640), "error", "keys", "others may read"),
    (chmod("tls/node.key", 0o604), "error", "keys", "others may read"),
    (chmod("tls/ca.key", 0o644), "error", "keys", "others may read"),
    (chmod("peers/jpcert.token", 0o644), "error", "keys", "others may read"),
    (remove("node.key"), "error", "keys", "is missing"),
    (write("node.key", "short"), "error", "keys", "has 5 bytes and not 32"),
    (remove("tls/node.key"), "error", "keys", "is missing"),
    (remove("tls/node.key"), "error", "certificates", "node.key"),
    (remove("tls/node.pem"), "error", "certificates", "node.pem"),
    (remove("tls/ca.pem"), "error", "certificates", "ca.pem"),
    (write("tls/node.pem", "x"), "error", "certificates", "not a certificate"),
    (write("tls/ca.pem", "x"), "error", "certificates", "not a certificate"),
    (other_pair("node.key"), "error", "ledger", "node.key is not the one that signed it"),
    (other_pair("tls/node.key"), "error", "certificates", "does not fit"),
    (other_pair("tls/node.key", "tls/node.pem"), "error", "certificates", "was not signed by"),
    (certificate(-20, -10), "error", "certificates", "tls/node.pem has expired"),
    (certificate(10, 20), "error", "certificates", "is valid from"),
    (certificate(-1, 10), "warning", "certificates", "tls/node.pem expires on"),
    (certificate(-1, 100, "DNS:elsewhere.example"), "warning", "certificates",
     "is not for 127.0.0.1, which setu.conf has as listen"),
    (append("setu.conf", "public-url https://cti.example.org/x\n"), "warning", "certificates",
     "is not for cti.example.org"),
    (append("policy.conf", "release everything\n"), "error", "policy", "policy.conf"),
    (remove("policy.conf"), "error", "policy", "policy.conf"),
    (append("policy.conf", "release tlp:green to JP\n"), "warning", "policy", "line "),
    (append("policy.conf", "deny tlp:red to any\n"), "warning", "policy in force",
     "was edited in place"),
    (sparse_wal, "warning", "disk", "setu.db-wal has 300 MiB"),
    (remove("setu.db"), "error", "database", "setu.db"),
    (remove("peers/jpcert.token"), "error", "partners", "jpcert.token"),
    (remove("peers/jpcert-ca.pem"), "error", "partners", "jpcert-ca.pem"),
    (write("peers/jpcert-ca.pem", "x"), "error", "partners", "not a certificate"),
]


@pytest.mark.parametrize("damage,status,check,says", FILES)
def test_files(node, damage, status, check, says):
    damage(node)
    found = trouble(node)
    assert [f for f in found if f[:2] == (status, check) and says in f[2]], found


def test_own_certificates_are_in_order(node):
    """What the damages above are made with is not what is found."""
    certificate(-1, 100)(node)
    assert trouble(node) == []
    remove("tls/ca.key")(node)  # kept elsewhere: a careful administrator does
    assert trouble(node) == []


def test_little_room(template, small_disk):  # noqa: F811
    disk, _ = small_disk
    shutil.copytree(template.dir, disk / "node")
    assert ("error", "disk") in [f[:2] for f in trouble(disk / "node")]


# ---- the database

def page(number, data):
    """Writes over a page; number from the end when negative."""
    def damage(d):
        with open(d / "setu.db", "r+b") as f:
            size = f.seek(0, os.SEEK_END)
            f.seek(number * 8192 if number >= 0 else size + number * 8192)
            f.write(data * (8192 // len(data)))
    return damage


def sql(text, *values):
    def damage(d):
        db = sqlite3.connect(d / "setu.db")
        db.execute(text, values)
        db.commit()
        db.close()
    return damage


def truncate(d):
    os.truncate(d / "setu.db", os.path.getsize(d / "setu.db") // 2)


def leaf_record(change):
    """Alters the last row of leaves, where records and salts stand."""
    def damage(d):
        db = sqlite3.connect(d / "setu.db")
        first, entries, body = db.execute(
            "SELECT first,entries,body FROM leaves ORDER BY first DESC LIMIT 1").fetchone()
        entries, body = change(bytearray(entries), bytearray(body))
        db.execute("UPDATE leaves SET entries=?,body=? WHERE first=?",
                   (bytes(entries), bytes(body), first))
        db.commit()
        db.close()
    return damage


def flip(what):
    def change(entries, body):
        (entries if what == "entry" else body)[-5] ^= 1
        return entries, body
    return leaf_record(change)


def future(us):
    return int(time.time() * 1e6) + us


def waits(d):
    """The desk's entry came long ago."""
    sql("UPDATE desk SET at_us=at_us-?,expires_us=?", 60 * DAY_US, future(DAY_US))(d)


ENVELOPE = "INSERT INTO envelope(uuid,user,collection,at_us,bytes,body) VALUES('u',1,1,?,7,'{}')"
WITNESS = ("INSERT INTO witness(party,log_key,witness_key,seen,cosigned,evidence,state,seen_us,cosigned_us,"
           "accepted_us) VALUES('JP/jpcert','k','k','seen','cosigned','evidence',?,?,?,0)")
DATABASE = [
    (page(0, b"\0"), "error", "database", "setu.db"),
    (page(5, b"\x5a"), "error", "database", "setu.db"),
    (page(-2, b"\x5a"), "error", "database", "setu.db"),
    (truncate, "error", "database", "setu.db"),
    (write("setu.db", "no database"), "error", "database", "setu.db"),
    (sql("PRAGMA user_version=99"), "error", "database", "has schema 99"),
    (sql("PRAGMA application_id=1"), "error", "database", "is no database of Setu"),
    (sql("INSERT OR REPLACE INTO value VALUES('sweep','3')"), "warning", "policy in force",
     "not all objects are decided about"),
    (sql("DELETE FROM leaves WHERE first=(SELECT max(first) FROM leaves WHERE first<100)"), "error",
     "ledger", "ledger"),
    (sql("DELETE FROM node WHERE number=(SELECT max(number) FROM node WHERE level=1) AND level=1"),
     "error", "ledger", "damaged"),
    (sql("UPDATE node SET hash=zeroblob(32) WHERE level=1 AND number="
         "(SELECT max(number) FROM node WHERE level=1)"), "error", "ledger", "do not hold"),
    (flip("entry"), "error", "ledger", "do not hold"),
    (flip("body"), "error", "ledger", "do not hold"),
    (sql("UPDATE leaves SET count=count+1 WHERE first=(SELECT max(first) FROM leaves)"), "error",
     "ledger", "damaged"),
    (sql("UPDATE value SET value=replace(value,'IN/','JP/') WHERE key='ledger-head'"), "error", "ledger",
     "the head that was signed last"),
    (sql("DELETE FROM value WHERE key='ledger-head'"), "error", "ledger", "the head that was signed"),
    (sql("UPDATE collection SET last_us=?", future(DAY_US)), "warning", "clock", "date_added"),
    (sql("INSERT OR REPLACE INTO value VALUES('restored','5 5 1795682583398463\n')"), "error", "restore",
     "no officer has confirmed"),
    (sql("DELETE FROM value WHERE key='backup'"), "warning", "backup", "none was ever taken"),
    (sql("UPDATE value SET value='1700000000000000 7' WHERE key='backup'"), "warning", "backup",
     "the last one is of 2023-11-14"),
    (sql("UPDATE peer SET cursor='2999-01-01T00:00:00.000Z'"), "warning", "partners",
     "pulled up to 2999-01-01"),
    (sql(WITNESS, "rollback", future(0), future(0)), "error", "witnesses",
     "JP/jpcert does not show a ledger that continues what was countersigned: rollback"),
    (sql(WITNESS, "", future(-8 * DAY_US), future(0)), "warning", "witnesses",
     "the ledger of JP/jpcert was last countersigned on"),
    (sql(WITNESS, "", future(0), future(-8 * DAY_US)), "warning", "witnesses",
     "JP/jpcert has not countersigned this node's ledger since"),
    (sql("UPDATE user SET expires_us=? WHERE name='meera'", future(DAY_US)), "warning", "users",
     "meera (officer of cert-in) may sign in until"),
    (sql("UPDATE user SET revoked_us=1 WHERE role IN('admin','officer')"), "warning", "users",
     "nobody can approve"),
    (sql("UPDATE user SET role='king' WHERE name='meera'"), "error", "users", 'the role "king"'),
    (sql(ENVELOPE, future(-11 * 60 * 1000000)), "warning", "envelopes",
     "1 that were acknowledged are not decided about, 7 bytes, the oldest for 1"),
    (waits, "warning", "desk", "incident--00000000-0000-4000-8000-000000000001) waits since"),
]


@pytest.mark.parametrize("damage,status,check,says", DATABASE)
def test_database(node, damage, status, check, says):
    damage(node)
    found = trouble(node)
    assert [f for f in found if f[:2] == (status, check) and says in f[2]], found


def test_thorough_finds_what_a_quick_look_does_not(node):
    """An entry of an index is another than its row's."""
    db = sqlite3.connect(node / "setu.db")
    root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name='desk_object'").fetchone()
    db.close()
    with open(node / "setu.db", "r+b") as f:
        f.seek(root * 8192 - 1)  # the only entry stands at the page's end: (object, collection, rowid)
        last = f.read(1)
        f.seek(root * 8192 - 1)
        f.write(bytes([last[0] ^ 2]))
    assert trouble(node) == []
    assert [f[:2] for f in trouble(node, "--thorough")][:1] == [("error", "database")]
