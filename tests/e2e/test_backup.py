"""A backup of a node at work is one state of it, the node comes back of it, and nothing passes for one
that is none."""
import hashlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from setu_node import ROOT, SETU, indicator, raw_objects, setu, wait_for
from test_cli import small_disk  # noqa: F401 (a fixture)
from test_durability import Writer, integrity

NAMES = 'nation IN "India" { agency cert-in, nciipc }\nnation JP "Japan" { agency jpcert }\n'


def backup(node, file, *words, **more):
    ran = setu("backup", node.dir, "-o", file, "--json", *words, **more)
    return json.loads(ran.stdout) if ran.returncode == 0 else ran


def restored(nodes, node, file, folder):
    """The node of a backup, with the people of the one it was taken of."""
    made = object.__new__(type(node))
    made.__dict__.update(node.__dict__, dir=nodes.tmp / folder, server=None, clients=[])
    made.restored = json.loads(setu("restore", file, made.dir, "--json").stdout)
    nodes.made.append(made)
    return made


def left_beside(folder, *known):
    return sorted(p.name for p in folder.iterdir() if p.name not in known)


# ---- at work

@pytest.mark.threads
def test_under_load(nodes, tmp_path):
    """While clients post: each backup holds all that was acknowledged when it began, nothing by halves,
    and is what the node itself holds up to one moment."""
    node = nodes("busy")
    collection = node.collection("busy")
    token = node.user("writer")
    node.start()
    writers = [Writer(node, token, collection, random.Random(n), may_stop=True) for n in range(3)]
    for w in writers:
        w.start()
    taken = []
    for n in range(3):
        before = [len(w.acknowledged) for w in writers]
        wait_for(lambda: all(len(w.acknowledged) > b + 3 for w, b in zip(writers, before)), "load")
        sure = [batch for w in writers for _, batch in list(w.acknowledged)]
        made = backup(node, tmp_path / f"{n}.tar")
        assert hashlib.sha256((tmp_path / f"{n}.tar").read_bytes()).hexdigest() == made["digest"]
        taken.append((made, sure))
    wait_for(lambda: len(writers[0].acknowledged) > len(taken[-1][1]) / 3, "more load")
    node.stop()
    for w in writers:
        w.join()
        assert w.failure is None, w.failure
    rows, sizes = node.rows("object"), []
    for n, (made, sure) in enumerate(taken):
        back = restored(nodes, node, tmp_path / f"{n}.tar", f"back-{n}")
        integrity(back)
        there = back.rows("object")
        assert there == rows[:len(there)]
        sizes.append(len(there))
        back.start()
        reader = back.client(token)
        held = set()
        for page in reader.pages(collection, limit=10000):
            held.update(raw_objects(page.text))
        assert all(held.issuperset(batch) for batch in sure), "an acknowledged object is missing"
        for w in writers:
            whole = [held.issuperset(batch) for batch in w.sent]
            assert [not held.isdisjoint(batch) for batch in w.sent] == whole
            assert whole == sorted(whole, reverse=True), "not a beginning of what was sent"
        assert reader.post(collection, [indicator(n)]).json()["success_count"] == 1
        back.stop()
        assert back.restored["size"] == made["size"] == back.restored["leaf"]
    assert sizes == sorted(set(sizes)) and sizes[-1] < len(rows)


def test_while_the_policy_changes(nodes, tmp_path):
    """policy.conf in a backup is the one that decided, however often it is changed meanwhile."""
    node = nodes("policy", org="cert-in")
    collection = node.collection("policy")
    for n in range(50):
        (tmp_path / "some.json").write_text(json.dumps(
            {"objects": [indicator(i, "green") for i in range(40)]}))
        node.imported(collection, tmp_path / "some.json")
    texts = [NAMES + "release to IN\n" + extra for extra in ("", "release tlp:green to JP\n")]
    for n, text in enumerate(texts):
        (tmp_path / f"{n}.conf").write_text(text)
    end = threading.Event()

    def change():
        n = 0
        while not end.is_set():
            node.cli("policy apply", tmp_path / f"{n % 2}.conf")
            n += 1

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for n in range(12):
            backup(node, tmp_path / f"{n}.tar")
    finally:
        end.set()
        changing.join()
    seen = set()
    for n in range(12):
        back = restored(nodes, node, tmp_path / f"{n}.tar", f"back-{n}")
        text = (back.dir / "policy.conf").read_text()
        values = dict(back.rows("value"))
        assert values["policy-recorded"].decode() == hashlib.sha256(text.encode()).hexdigest()
        seen.add(text)
        # What it no longer releases was taken back in the same moment.
        audiences = dict(back.rows("audience"))
        if text == texts[0]:
            assert not any("JP" in audiences[a] for _, a in back.rows("release", "object,audience"))
    assert len(seen - set(texts)) <= 1, "other texts than those two, and the first one's"


# ---- what others hold of it

def test_what_was_pulled_since_is_pulled_again(nodes, tmp_path):
    japan = nodes("japan", nation="JP", org="jpcert", policy=NAMES + "release to any\n")
    there = japan.collection("For India", "india")
    india = nodes("india", org="cert-in", policy=NAMES + "accept from JP\nrelease to IN\n")
    india.collection("From Japan", "japan")
    japan.user("in", "peer", "cert-in", "IN", "--cert", india.dir / "tls/node.pem")
    japan.start()
    india.cli("peer add", "jpcert", "--url", japan.url, "--nation", "JP", "--org", "jpcert",
              "--from", "india", "--into", "japan", "--ca", japan.ca)
    admin = japan.admin
    first, second = ([indicator(n, "green") for n in range(i, i + 300)] for i in (0, 300))
    admin.post(there, first)

    def sync(node):
        return json.loads(node.cli("sync", "--json").stdout.splitlines()[-1])

    assert sync(india)["accepted"] == 300
    backup(india, tmp_path / "b.tar")
    admin.post(there, second)
    assert sync(india)["accepted"] == 300
    back = restored(nodes, india, tmp_path / "b.tar", "back")
    assert "taken up to" in back.cli("peer list").stdout
    report = sync(back)
    assert (report["accepted"], report["unchanged"]) == (300, 0)
    held = {o["id"] for o in json.loads(back.cli("export").stdout)["objects"]}
    assert held == {o["id"] for o in first + second}


def test_pollers_miss_nothing(nodes, tmp_path):
    """Whoever polls the node has seen what the restored one does not know any more; what that one
    releases comes behind it."""
    node = nodes("polled")
    collection = node.collection("polled")
    node.start()
    client = node.admin
    client.post(collection, [indicator(1)])
    backup(node, tmp_path / "b.tar")
    client.post(collection, [indicator(n) for n in range(2, 500)])
    page = client.get(f"collections/{collection}/objects/", limit=1000)
    last = page.headers["X-TAXII-Date-Added-Last"]
    node.stop()
    back = restored(nodes, node, tmp_path / "b.tar", "back").start()
    reader = back.admin
    assert reader.get(f"collections/{collection}/objects/", added_after=last).objects == []
    new = indicator("new")
    reader.post(collection, [new])
    got = reader.get(f"collections/{collection}/objects/", added_after=last)
    assert got.ids() == [new["id"]]


# ---- until an officer confirms

def test_it_says_so(nodes, tmp_path):
    node = nodes("node")
    officer = node.user("meera", "officer")
    other = node.user("guest", "officer", "nciipc")
    for name, token in (("officer", officer), ("other", other), ("wrong", "setu_no")):
        (tmp_path / name).write_text(token)
    backup(node, tmp_path / "b.tar")
    back = restored(nodes, node, tmp_path / "b.tar", "back")
    assert back.restored["confirmed"] is False

    def ready():
        server = subprocess.Popen([SETU, "serve", back.dir, "--listen", "127.0.0.1:0"], cwd=ROOT,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = json.loads(server.stdout.readline())
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=60)[1].decode()
        assert server.returncode == 0
        return line.get("unconfirmed_restore"), said

    def confirm(name, secret, status, reason="a disk failed"):
        return back.cli("ledger confirm", "--officer", name, "--token-file", tmp_path / secret,
                        "--reason", reason, status=status)

    def doctor():
        ran = back.cli("doctor", "--json", status=None)
        found = [json.loads(line) for line in ran.stdout.splitlines()]
        return ran.returncode, [f["status"] for f in found if f["check"] == "restore"]

    said, log = ready()
    assert said is True and "no officer has confirmed" in log
    assert "no officer has confirmed" in back.cli("peer list").stderr
    assert doctor() == (1, ["error"])
    assert "only officers of home" in confirm("guest", "other", 1).stderr
    assert "--officer meera" in confirm("meera", "wrong", 3).stderr
    confirm("meera", "officer", 2, reason="")
    assert doctor() == (1, ["error"])
    assert "is confirmed" in confirm("meera", "officer", 0).stdout
    assert ready() == (None, "")
    assert back.cli("peer list").stderr == ""
    assert doctor() == (0, ["ok"])
    assert "no restore of this node waits" in confirm("meera", "officer", 1).stderr
    # The node it was taken of knows nothing of all this.
    assert "no restore of this node waits" in setu(
        "ledger", "confirm", node.dir, "--officer", "meera", "--token-file", tmp_path / "officer",
        "--reason", "x", status=1).stderr


# ---- files

def test_file(nodes, tmp_path):
    node = nodes("node")
    (node.dir / "peers").mkdir()
    (node.dir / "peers/jp.token").write_text("secret")
    (node.dir / "tls/old").mkdir()
    (node.dir / "tls/.hidden").write_text("x")
    file = tmp_path / "b.tar"
    made = backup(node, file)
    assert set(made) == {"file", "at", "bytes", "files", "size", "digest"}
    assert file.stat().st_mode & 0o777 == 0o600 and file.stat().st_size == made["bytes"]
    with tarfile.open(file) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == [
        "setu-backup.json", "setu.conf", "policy.conf", "node.key", "tls/ca.key", "tls/ca.pem",
        "tls/node.key", "tls/node.pem", "peers/jp.token", "setu.db", "SHA256SUMS"]
    assert all(m.mode == 0o600 for m in members if m.name.endswith((".key", ".token", ".db")))
    before = file.read_bytes()
    refused = backup(node, file, status=1)
    assert "exists: choose another name, or give --force" in refused.stderr
    assert file.read_bytes() == before
    assert backup(node, file, "--force")["size"] == made["size"] + 1  # it knows of the first one
    assert left_beside(tmp_path) == ["b.tar", "node"]
    assert setu("backup", node.dir, status=2).stderr.startswith("setu backup: --output FILE is needed")
    (node.dir / "tls/two words.pem").write_text("x")
    assert "rename it" in backup(node, tmp_path / "c.tar", status=1).stderr
    assert left_beside(tmp_path) == ["b.tar", "node"]


def limited(most):
    """A file may have so many bytes; a write beyond is an error, as on a full disk."""
    return dict(restore_signals=False, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (most, most)))


@pytest.fixture
def large(nodes, tmp_path):
    """A node of some 3 MB, and a backup of it."""
    node = nodes("large")
    collection = node.collection("large")
    (tmp_path / "in.json").write_text(json.dumps(
        {"objects": [indicator(n, description="x" * 10000) for n in range(200)]}))
    node.imported(collection, tmp_path / "in.json")
    (tmp_path / "in.json").unlink()
    backup(node, tmp_path / "b.tar")
    return node


def test_files_may_not_grow(large, tmp_path):
    """It fails at whatever byte, and nothing is left."""
    size = (tmp_path / "b.tar").stat().st_size
    for most in [0, 1, 511, 100000, *range(size // 7, size - 50000, size // 7)]:
        ran = setu("backup", large.dir, "-o", tmp_path / "c.tar", status=3, **limited(most))
        assert "setu backup: " in ran.stderr, ran.stderr
        ran = setu("restore", tmp_path / "b.tar", tmp_path / "back", status=3, **limited(most))
        assert "setu restore: " in ran.stderr, ran.stderr
        assert left_beside(tmp_path) == ["b.tar", "large"]


def test_full_disk(large, small_disk, tmp_path):  # noqa: F811
    disk, give_room = small_disk
    filler = disk / "filler"
    filler.write_bytes(b"x" * (9 << 20))  # 3 MiB are left: for less than a backup and its copy
    ran = setu("backup", large.dir, "-o", disk / "b.tar", status=3)
    assert "full" in ran.stderr.lower() or "no space" in ran.stderr.lower(), ran.stderr
    ran = setu("backup", large.dir, "-o", disk / "b.tar", status=3)
    assert left_beside(disk) == ["filler"]
    filler.write_bytes(b"x" * (11 << 20))
    ran = setu("restore", tmp_path / "b.tar", disk / "back", status=3)
    assert "no space" in ran.stderr.lower() or "full" in ran.stderr.lower(), ran.stderr
    assert left_beside(disk) == ["filler"]
    give_room()
    backup(large, disk / "b.tar")
    setu("restore", disk / "b.tar", disk / "back")


def test_killed(large, tmp_path):
    """SIGTERM at any moment: the file stands whole, or nothing does."""
    for n in range(25):
        running = subprocess.Popen([SETU, "backup", large.dir, "-o", tmp_path / "c.tar"], cwd=ROOT,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(n * 0.002)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        if (tmp_path / "c.tar").exists():
            setu("restore", tmp_path / "c.tar", tmp_path / "back")
            subprocess.run(["rm", "-r", tmp_path / "back", tmp_path / "c.tar"], check=True)
        assert left_beside(tmp_path) == ["b.tar", "large"]


# ---- files of others

def tar_of(members, **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **options) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def member(name, data=b"x", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return info, data if kind == tarfile.REGTYPE else None


def test_files_of_others(large, tmp_path):
    with tarfile.open(tmp_path / "b.tar") as tar:
        whole = [(m, tar.extractfile(m).read()) for m in tar.getmembers()]
    huge = tarfile.TarInfo("setu.db")
    huge.size = 1 << 50
    hostile = {
        "empty": b"",
        "zeros": b"\0" * 10240,
        "text": b"release to any\n" * 1000,
        "gzip": b"\x1f\x8b" + os.urandom(5000),
        "other": tar_of([member("hello")]),
        "up": tar_of([member("../../evil")]),
        "absolute": tar_of([member(str(tmp_path / "evil"))]),
        "symlink": tar_of([member("setu-backup.json", kind=tarfile.SYMTYPE, link="/etc/passwd")]),
        "hardlink": tar_of([member("setu-backup.json", kind=tarfile.LNKTYPE, link="/etc/passwd")]),
        "device": tar_of([member("setu-backup.json", kind=tarfile.CHRTYPE)]),
        "fifo": tar_of([member("setu-backup.json", kind=tarfile.FIFOTYPE)]),
        "folder": tar_of([member("tls", kind=tarfile.DIRTYPE)]),
        "pax": tar_of([member("setu-backup.json" + "x" * 200)], format=tarfile.PAX_FORMAT),
        "huge": tar_of([whole[0]]) [:1024] + huge.tobuf(tarfile.GNU_FORMAT),
        "a link among its files": tar_of(
            [whole[0], member("tls/ca.pem", kind=tarfile.SYMTYPE, link="/etc/passwd"), *whole[1:]]),
        "owner": tar_of([(m, d) for m, d in whole if not setattr(m, "uid", 1000)]),
    }
    for what, data in hostile.items():
        (tmp_path / "bad.tar").write_bytes(data)
        ran = setu("restore", tmp_path / "bad.tar", tmp_path / "back", status=1)
        assert ran.stderr.startswith("setu restore: ") and str(tmp_path / "bad.tar") in ran.stderr, what
        assert ran.stdout == ""
        assert left_beside(tmp_path) == ["b.tar", "bad.tar", "large"], what
    setu("restore", tmp_path / "none.tar", tmp_path / "back", status=3)
    setu("restore", large.dir, tmp_path / "back", status=3)
    setu("restore", "/dev/zero", tmp_path / "back", status=3)
    assert left_beside(tmp_path) == ["b.tar", "bad.tar", "large"]
