"""The command line when things are wrong: exit status, a sentence on stderr, nothing left behind."""
import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import uuid

import pytest

from setu_node import ROOT, SETU, assert_same, error_of, free_port, indicator, raw_objects, setu

COMMANDS = re.findall(r"^  (\w+(?: \w+)?)  ", setu("--help").stdout, re.M) if os.access(
    ROOT / SETU, os.X_OK) else []


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("cli")
    n.c = n.collection("Main", "main")
    return n


def complaint(ran, status, *words):
    """`setu COMMAND: what: why: what to do` on stderr, nothing on stdout."""
    assert (ran.returncode, ran.stdout) == (status, ""), (ran.returncode, ran.stdout, ran.stderr)
    lines = ran.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("setu"), ran.stderr
    for word in words:
        assert word in ran.stderr, ran.stderr
    return ran


# ---- helps and usage

def test_there_are_commands():
    assert len(COMMANDS) >= 12 and "user add" in COMMANDS and "serve" in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    out = setu(*command.split(), "--help").stdout
    assert f"setu {command}" in out and len(out.splitlines()) >= 3
    assert setu(*command.split(), "x", "--help", "y").stdout == out


def test_setu_alone():
    assert setu(status=2).stdout == setu("--help").stdout == setu("help").stdout
    assert re.fullmatch(r"setu \d+\.\d+\.\d+\n", setu("--version").stdout)


@pytest.mark.parametrize("words", [
    ["nothing"], ["user"], ["user", "x"], ["collection"], ["policy", "undo"], [""], ["-x"],
    ["--nothing"], ["initialise"], ["user add"],
])
def test_unknown_commands(words):
    complaint(setu(*words, status=None), 2, "--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_options(command, tmp_path):
    words = [*command.split(), tmp_path / "x"]
    complaint(setu(*words, "--no-such-option", status=None), 2, "--no-such-option", "--help")
    complaint(setu(*words, "-Z", status=None), 2, "-Z")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("words", [
    "init", "init {new} --name N", "init {new} --nation IN", "init {new} --name N --nation",
    "init {new} --name N --nation India", "init {new} --name N --nation in",
    "init {new} --name N --nation IN --name M", "init {new} {new} --name N --nation IN",
    "init {new} --name= --nation IN", "init {new} --name N --nation IN --org A_B",
    "init {new} --name N --nation IN --listen garbage", "init {new} --name N --nation IN --listen :1",
    "init {new} --name N --nation IN --listen h:70000", "init {new} --name N --nation IN --listen h:",
    "init {new} --name N --nation IN --listen 127.0.0.1:1\vx:1",
    "init {new} --name N --nation IN --hosts " + "h" * 500,
    "user add {dir} a\x07b --role reader --org o --nation IN",
    "init {new} --name N --nation IN --identity indicator--1", "init {new} --json=1 --name N --nation IN",
    "serve", "serve {dir} {dir}", "serve {dir} --listen nonsense", "serve {dir} --listen 127.0.0.1",
    "serve {dir} --listen 127.0.0.1:70000", "serve {dir} --listen 127.0.0.1:x",
    "serve {dir} --listen :0", "serve {dir} --listen", "serve {dir} --tls-cert x",
    "serve {dir} --tls-key x", "serve {dir} --plain-http=yes", "serve {dir} --listen no.such.invalid:1",
    "user add {dir}", "user add {dir} n --role reader --org o", "user add {dir} n --org o --nation IN",
    "user add {dir} n --role king --org o --nation IN", "user add {dir} n --role reader --org O --nation IN",
    "user add {dir} a:b --role reader --org o --nation IN",
    "user add {dir} n --role reader --org o --nation IND",
    "user add {dir} n --role reader --org o --nation IN --expires tomorrow",
    "user add {dir} n --role reader --org o --nation IN --expires 2026-01-01T00:00:00Z",
    "user add {dir} n --role reader --org o --nation IN --expires 2099-01-01T00:00:00+5:30",
    "user add {dir} n --role reader --org o --nation IN --identity x",
    "collection add {dir} --title a\x1bb", "collection add {dir}", "collection add {dir} --title T --default-marking pink",
    "collection add {dir} --title T --alias a/b", "collection add {dir} --title T --id 7",
    "import {dir}", "import {dir} --collection main", "import {dir} /dev/null", "export",
    "export {dir} --format xml", "export {dir} --versions some", "export {dir} --ca x",
    "export {dir} --token-file x", "export https://127.0.0.1:1 --for x",
    "export https://127.0.0.1:1 --versions last", "export https://127.0.0.1:1 --user x",
    "export http://192.0.2.1/", "check", "check --pattern",
    "check --pattern x --spec-version 3", "policy check", "policy explain {dir}",
    "policy explain {dir} indicator--00000000-0000-4000-8000-000000000000",
])
def test_wrong_usage(node, tmp_path, words):
    before = node.rows()
    words = [w.format(dir=node.dir, new=tmp_path / "new") for w in words.split()]
    complaint(setu(*words, status=None), 2)
    assert not (tmp_path / "new").exists() and node.rows() == before


def test_password_like_a_token(node):
    complaint(node.cli("user add", "token-like", "--role", "reader", "--org", "o", "--nation", "IN",
                       "--password-stdin", stdin="setu_correct horse\n", status=None), 2, "setu_")


def test_short_password(node):
    complaint(node.cli("user add", "short", "--role", "reader", "--org", "o", "--nation", "IN",
                       "--password-stdin", stdin="eleven char\n", status=None), 2, "password")


# ---- what is named is not there, or not what it should be

@pytest.mark.parametrize("command", [
    "serve", "user list", "user add {} n --role reader --org o --nation IN", "user revoke {} n",
    "collection list", "collection add {} --title T", "import {} --collection c /dev/null", "export",
    "policy explain {} indicator--00000000-0000-4000-8000-000000000000 --for x",
])
@pytest.mark.parametrize("what", ["nothing", "an empty folder", "a file", "a half node"])
def test_dir_is_no_node(node, tmp_path, command, what):
    there = tmp_path / "dir"
    if what == "an empty folder":
        there.mkdir()
    elif what == "a file":
        there.write_text("x")
    elif what == "a half node":
        shutil.copytree(node.dir, there)
        (there / "setu.db").unlink()
    before = sorted(tmp_path.rglob("*"))
    words = command.format(there).split() if "{}" in command else [*command.split(), there]
    complaint(setu(*words, status=None), 3, str(there), "setu init")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_node_that_cannot_be_looked_at(tmp_path):
    """It may well be one: no word of making another."""
    there = tmp_path / "dir"
    there.symlink_to(there)
    complaint(ran := setu("user", "list", there, status=None), 3, str(there), "symbolic links")
    assert "setu init" not in ran.stderr


@pytest.mark.parametrize("name, text", [
    ("setu.conf", "nonsense 1\n"), ("setu.conf", "max-body-bytes 12\n"),
    ("setu.conf", "page-max 0\n"), ("setu.conf", "page-max 10001\n"), ("setu.conf", "nation IN\n"),
    ("policy.conf", "release everything\n"), ("policy.conf", "release to XX\n"),
    ("policy.conf", "\xff\n"), ("node.key", "short"),
])
def test_a_broken_file_of_the_node(node, tmp_path, name, text):
    there = tmp_path / "dir"
    shutil.copytree(node.dir, there)
    (there / name).write_bytes(text.encode("latin-1"))
    words = complaint(setu("serve", there, "--listen", "127.0.0.1:0", status=None), 3,
                      str(there / name)).stderr
    if name != "node.key" and text != "nation IN\n":
        assert re.search(r"line 1\b|:1:", words), words


@pytest.mark.parametrize("name", ["setu.conf", "policy.conf", "node.key", "tls/node.pem",
                                  "tls/node.key", "tls/ca.pem"])
def test_a_missing_file_of_the_node(node, tmp_path, name):
    there = tmp_path / "dir"
    shutil.copytree(node.dir, there)
    (there / name).unlink()
    complaint(setu("serve", there, "--listen", "127.0.0.1:0", status=None), 3, str(there))


def test_key_of_another_certificate(node, tmp_path):
    other = tmp_path / "other"
    setu("init", other, "--name", "Other", "--nation", "JP")
    complaint(setu("serve", node.dir, "--listen", "127.0.0.1:0", "--tls-cert",
                   other / "tls/node.pem", "--tls-key", node.dir / "tls/node.key", status=None), 3)
    for words in (["--tls-cert", tmp_path / "absent", "--tls-key", node.dir / "tls/node.key"],
                  ["--tls-cert", "/dev/null", "--tls-key", node.dir / "tls/node.key"]):
        complaint(setu("serve", node.dir, "--listen", "127.0.0.1:0", *words, status=None), 3)


@pytest.mark.parametrize("change", ["newer", "older", "another program's", "no database", "cut",
                                    "empty"])
def test_another_database(node, tmp_path, change):
    there = tmp_path / "dir"
    shutil.copytree(node.dir, there)
    file = there / "setu.db"
    if change in ("newer", "older", "another program's"):
        db = sqlite3.connect(file)
        db.execute({"newer": "PRAGMA user_version=1000", "older": "PRAGMA user_version=0",
                    "another program's": "PRAGMA application_id=7"}[change])
        db.close()
    elif change == "no database":
        file.write_bytes(os.urandom(20000))
    elif change == "cut":
        with open(file, "r+b") as f:
            f.truncate(50)
    else:
        file.write_bytes(b"")
    before = file.read_bytes()
    for words in (["serve", there, "--listen", "127.0.0.1:0"], ["user", "list", there],
                  ["export", there]):
        ran = complaint(setu(*words, status=None), 3, "setu.db")
        if change in ("newer", "older"):
            assert "schema" in ran.stderr
    assert file.read_bytes() == before


def test_init_leaves_what_is_there(tmp_path):
    for what in ("file", "full"):
        there = tmp_path / what
        if what == "file":
            there.write_text("mine")
        else:
            there.mkdir()
            (there / "mine").write_text("mine")
        complaint(setu("init", there, "--name", "N", "--nation", "IN", status=None), 1, str(there))
    assert (tmp_path / "file").read_text() == (tmp_path / "full/mine").read_text() == "mine"
    complaint(setu("init", tmp_path / "no/such/folder", "--name", "N", "--nation", "IN",
                   status=None), 3, "no/such/folder: ")
    (tmp_path / "empty").mkdir()
    before = (tmp_path / "empty").stat()
    # It fails late, at a file of more than 8 KiB, and the folder is the one it was.
    complaint(setu("init", tmp_path / "empty", "--name", "N", "--nation", "IN", status=None,
                   restore_signals=False, preexec_fn=lambda: resource.setrlimit(
                       resource.RLIMIT_FSIZE, (8192, 8192))), 3)
    assert (tmp_path / "empty").stat().st_ino == before.st_ino
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "full"]
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    complaint(setu("init", tmp_path / "link", "--name", "N", "--nation", "IN", status=None), 1)
    (tmp_path / "link").unlink()
    setu("init", tmp_path / "empty", "--name", "N", "--nation", "IN")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "full"]
    again = setu("init", tmp_path / "empty", "--name", "N", "--nation", "IN", status=None)
    complaint(again, 1)
    modes = {p.relative_to(tmp_path / "empty").as_posix(): p.stat().st_mode & 0o777
             for p in (tmp_path / "empty").rglob("*")}
    for secret in ("node.key", "tls/ca.key", "tls/node.key"):
        assert modes[secret] == 0o600, modes
    assert (tmp_path / "empty").stat().st_mode & 0o077 == 0


def test_what_to_do_is_said(node, tmp_path):
    """`what: why: what to do`."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps(indicator()))
    absent = tmp_path / "absent.json"
    for words, status, hint in (
            (["import", node.dir, "--collection", "nope", file], 1, "setu collection list"),
            (["export", node.dir, "--collection", "nope"], 1, "setu collection list"),
            (["import", node.dir, "--collection", "main", absent], 3, "name a file"),
            (["check", absent], 3, "name a file"),
            (["user", "revoke", node.dir, "nobody"], 1, "setu user list"),
            (["user", "add", node.dir, "admin", "--role", "reader", "--org", "o", "--nation", "IN"], 1,
             "choose another"),
            (["policy", "explain", node.dir, indicator()["id"], "--for", "admin"], 1, "setu export")):
        complaint(setu(*words, status=None), status, hint)


def test_names_that_are_taken(node):
    node.collection("One", "taken")
    complaint(node.cli("collection add", "--title", "Two", "--alias", "taken", status=None), 1, "taken")
    node.user("taken-too")
    complaint(node.cli("user add", "taken-too", "--role", "reader", "--org", "o", "--nation", "IN",
                       status=None), 1, "taken-too")
    complaint(node.cli("user revoke", "nobody", status=None), 1, "nobody")


# ---- import

@pytest.mark.parametrize("command", ["import", "check", "policy check"])
@pytest.mark.parametrize("what", ["absent", "below a file", "a loop", "folder"])  # an empty one
def test_unreadable_file(node, tmp_path, command, what):
    file = tmp_path / "file"
    if what == "folder":
        file.mkdir()
    elif what == "below a file":
        file.write_text("{}")
        file = file / "x"
    elif what == "a loop":
        file.symlink_to(file)
    words = [node.dir, "--collection", "main"] if command == "import" else []
    complaint(setu(*command.split(), *words, file, status=None), 3, str(file))


def test_import_of_a_folder(node, tmp_path):
    collection = node.collection("folder", "folder")
    objects = [indicator(n) for n in range(6)]
    (tmp_path / "b/deep").mkdir(parents=True)
    files = {"a.json": [0], "b/1.jsonl": [1, 2], "b/deep/x.ndjson": [3], "c.json": [4],
             "note.txt": [5], ".hidden.json": [5]}
    for name, which in files.items():
        (tmp_path / name).write_text("\n".join(json.dumps(objects[n]) for n in which))
    assert node.imported(collection, tmp_path)["accepted"] == 5
    out = node.cli("export", "--collection", "folder").stdout
    assert raw_objects(out) == [json.dumps(o) for o in objects[:5]]
    (tmp_path / "b/deep/y.json").symlink_to("y.json")
    assert "y.json" in setu("check", tmp_path, status=3).stderr


def test_import_of_lines(node, tmp_path):
    """They are taken in together, as long as each is an object."""
    collection = node.collection("lines", "lines")
    objects = [json.dumps(indicator(n)) for n in range(700)]
    bundle = json.dumps({"type": "bundle", "id": "bundle--" + str(uuid.uuid4()),
                         "objects": [indicator("in a bundle")]})
    deep = json.dumps(indicator("deep", x_deep="?")).replace('"?"', "[" * 63 + "]" * 63)
    file = tmp_path / "lines.jsonl"
    for text, accepted in (("\n\r\n" + " \r\n\n".join(objects), 700), (bundle + "\n" + bundle, 1),
                           (json.dumps(indicator()) + "\n" + deep, 2)):
        file.write_text(text)
        assert node.imported(collection, file)["accepted"] == accepted
    out = node.cli("export", "--collection", "lines").stdout
    assert raw_objects(out)[:700] == objects and deep in out
    ids = {json.loads(o)["id"] for o in objects}
    assert len({received for stix_id, received in node.rows("object", "stix_id, received_us")
                if stix_id in ids}) == 1
    # What stands before the first line that is no object of its own is taken in.
    for bad in (["{"], ["7"], ["{},{}"], ['{"a":1', '"b":2},{"c":3}']):
        one, two = json.dumps(indicator()), json.dumps(indicator())
        file.write_text("\n".join([one, *bad, two]))
        ran = node.cli("import", "--collection", "lines", file, status=1)
        assert f"{file}:2:" in ran.stderr and "1 accepted" in ran.stdout, ran


def test_check_counts_what_it_does_not_show(tmp_path):
    objects = [dict(indicator(n), labels=[1] * 1000) for n in range(3)]
    for name, text in [("a.json", json.dumps(objects)), ("b.jsonl", "\n".join(map(json.dumps, objects)))]:
        file = tmp_path / name
        file.write_text(text)
        done = setu("check", file, status=1)
        assert len(done.stdout.splitlines()) == 100
        assert f"{file}: 3000 errors and 0 warnings; 2900 of them are not shown" in done.stderr


def test_check_shows_errors_behind_many_warnings(tmp_path):
    objects = [dict(indicator(n), confidence=1, x_rank=n) for n in range(300)] + [{"type": "tool"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, objects)))
    done = setu("check", tmp_path, status=1)
    assert "tool must have `id`" in done.stdout
    assert " 0 errors" not in done.stderr and "are not shown" in done.stderr


@pytest.mark.parametrize("text, place", [
    ("", ""), ("nonsense", ":1:1"), ('{"type":"bundle",\n"objects":[}', ":2:12"),
    ('{"type":"bundle","objects":7}', ""), ("7", ""), ('{"objects":[1]', ":1:15"),
    ("[" * 100 + "]" * 100, ""), ('{"a":1,"a":2}', ""),
])
def test_import_of_what_is_no_stix(node, tmp_path, text, place):
    file = tmp_path / "file"
    file.write_text(text)
    before = node.rows()
    ran = node.cli("import", "--collection", "main", file, status=None)
    complaint(ran, 1, f"{file}{place}")
    assert node.rows() == before


def test_import_tells_what_was_refused(node, tmp_path):
    collection = node.collection("refusing")
    good, bad = [indicator(n) for n in range(3)], [
        {**indicator("bad"), "pattern": "["}, {"type": "indicator"}, 7, None,
        {**indicator("number"), "id": 7}]
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps({"type": "bundle", "id": "bundle--" + indicator()["id"][11:],
                                "objects": [good[0], *bad[:3], good[1], *bad[3:], good[2]]}))
    ran = node.cli("import", "--collection", collection, "--json", "--verbose", file, status=1)
    *lines, totals = map(json.loads, ran.stdout.splitlines())
    assert (totals["accepted"], totals["refused"]) == (3, 5)
    assert [line["status"] for line in lines] == ["refused"] * 5
    assert all(line["rule"] and line["message"] for line in lines)
    assert lines[0]["object"] == bad[0]["id"]
    out = node.cli("export", "--collection", collection).stdout
    assert raw_objects(out) == [json.dumps(o) for o in good]
    # JSON lines, standard input, an array, an envelope, one object.
    more = [indicator(n) for n in range(5)]
    forms = ["\n".join(json.dumps(o) for o in more[:2]) + "\n", json.dumps(more[2:3]),
             json.dumps({"objects": more[3:4]}), json.dumps(more[4])]
    for form in forms:
        ran = node.cli("import", "--collection", collection, "--json", "-", stdin=form)
        assert json.loads(ran.stdout)["accepted"] == form.count('"indicator"')
    out = node.cli("export", "--collection", collection).stdout
    assert raw_objects(out) == [json.dumps(o) for o in good + more]


def test_words_of_a_file_cannot_drive_the_terminal(node, tmp_path):
    """Nor write lines of their own."""
    evil = "\x1b[31m\n\x9bx\u202e"
    file = tmp_path / "evil.json"
    file.write_text(json.dumps([{"type": "indicator", "id": f"indicator--{evil}"}, indicator(**{evil: 1}),
                                {**indicator(), "external_references": [
                                    {"source_name": "cve", "external_id": evil}]}]))
    for words in (["check", file], ["import", node.dir, "--collection", "main", "-v", file]):
        ran = setu(*words, status=1)
        for line in (ran.stdout + ran.stderr).splitlines():
            assert line.isprintable() and re.match(f"{file}:1:|refused |0 accepted", line), line


def test_the_same_version_twice_in_the_wild(node, enterprise, ics):
    """The two files of ATT&CK hold objects of one version with different content; what came first
    stands, and the others are named (STIX 2.1 §3.6)."""
    collection = node.collection("both domains", "both")
    node.imported("both", ics.path)
    ours = dict(zip(ics.ids, ics.raw))
    clash = [i for i, o in zip(enterprise.ids, enterprise.raw) if i in ours
             and json.loads(ours[i]) != json.loads(o)
             and json.loads(ours[i]).get("modified") == json.loads(o).get("modified")]
    ran = node.cli("import", "--collection", collection, "--json", "--verbose", enterprise.path,
                   status=1)
    *lines, totals = map(json.loads, ran.stdout.splitlines())
    assert clash and sorted(line["object"] for line in lines) == sorted(clash)
    assert {line["rule"] for line in lines} == {"stix21-3.6-versioning"}
    assert totals["refused"] == len(clash)
    assert totals["accepted"] + totals["unchanged"] == len(enterprise.raw) - len(clash)


def test_wrong_collection(node, tmp_path):
    node.collection("Same title")
    node.collection("Same title")
    file = tmp_path / "one.json"
    file.write_text(json.dumps(indicator()))
    complaint(node.cli("import", "--collection", "Same title", file, status=None), 1, "id or alias")
    complaint(node.cli("import", "--collection", "nothing", file, status=None), 1, "nothing")
    complaint(node.cli("import", "--collection", "main", "--org", "nobody", file, status=None), 1,
              "nobody")
    complaint(node.cli("export", "--collection", "nothing", status=None), 1, "nothing")
    complaint(node.cli("export", "--for", "nobody", status=None), 1, "nobody")


# ---- listening

def test_port_in_use(node):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        address = f"127.0.0.1:{s.getsockname()[1]}"
        complaint(setu("serve", node.dir, "--listen", address, status=None), 3, address, "in use",
                  "--listen")


def test_listen_as_setu_conf_says(nodes):
    port = free_port()
    n = nodes("listen")
    text = (n.dir / "setu.conf").read_text()
    (n.dir / "setu.conf").write_text(re.sub(r"(?m)^listen .*$", f"listen 127.0.0.1:{port}", text))
    running = subprocess.Popen([SETU, "serve", n.dir], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        ready = json.loads(running.stdout.readline())
        assert ready["url"] == f"https://127.0.0.1:{port}"
        assert ready["ca"] == str(n.dir / "tls/ca.pem")
    finally:
        running.terminate()
        assert running.wait(60) == 0
        running.stdout.close()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "198.51.100.7:6443"])
def test_plain_http_only_on_loopback(node, address):
    complaint(setu("serve", node.dir, "--plain-http", "--listen", address, status=None), 2,
              "--plain-http", "loopback")


def test_plain_http_on_loopback(nodes):
    n = nodes("plain")
    n.start("--plain-http")
    assert n.url.startswith("http://127.0.0.1:")
    assert n.admin.get("collections/").json() == {}
    error_of(n.client().request("GET", "collections/"), 401)
    n.stop()


@pytest.mark.parametrize("command", ["--help", "user list {}", "collection list {} --json",
                                     "export {}"])
def test_stdout_full(node, command):
    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is missing")
    words = [w.format(node.dir) for w in command.split()]
    with open("/dev/full", "w") as full:
        ran = subprocess.run([SETU, *words], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, text=True)
    assert ran.returncode == 3
    assert command == "--help" or "standard output" in ran.stderr


# ---- a full disk

@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own of 12 MiB, and how to give it room."""
    there = tmp_path / "disk"
    there.mkdir()
    ran = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", there],
                         capture_output=True, text=True)
    if ran.returncode:
        pytest.skip(f"no small file system can be mounted here: {ran.stderr.strip()}")
    try:
        yield there, lambda: subprocess.run(
            ["mount", "-o", "remount,size=160m", there], check=True)
    finally:
        subprocess.run(["umount", "-l", there], check=True)


def integrity(node):
    db = sqlite3.connect(node.dir / "setu.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_import_fills_the_disk(small_disk, nodes, enterprise):
    disk, give_room = small_disk
    nodes.tmp = disk
    node = nodes("full")
    collection = node.collection("Full", "full")
    ran = node.cli("import", "--collection", collection, "--json", enterprise.path, status=None)
    assert ran.returncode == 3, (ran.returncode, ran.stdout, ran.stderr)
    assert re.search("no space|full", ran.stderr, re.I), ran.stderr
    accepted = json.loads(ran.stdout)["accepted"]
    assert 0 < accepted < len(enterprise.raw)
    # Even with no room left it can be read: what was acknowledged, perhaps a batch more, all whole and
    # in order. A batch that found no room may lie between two that did.
    there = raw_objects(node.cli("export", "--collection", "full").stdout)
    assert len(there) >= accepted
    stands = set(there)
    assert_same(there, [o for o in enterprise.raw if o in stands])
    give_room()
    assert_same(raw_objects(node.cli("export", "--collection", "full").stdout), there)
    counts = node.imported("full", enterprise.path)
    assert counts["unchanged"] == len(there)
    assert counts["unchanged"] + counts["accepted"] == len(enterprise.raw)
    integrity(node)


def test_server_on_a_full_disk(small_disk, nodes):
    """It answers 507, goes on reading, and writes again when there is room."""
    disk, give_room = small_disk
    nodes.tmp = disk
    node = nodes("full")
    collection = node.collection("Full")
    node.start()
    client = node.client(node.admin_token)
    acknowledged = []
    for _ in range(200):
        batch = [json.dumps(indicator(n, description="x" * 10000)) for n in range(20)]
        answer = client.post(collection, batch, status=None)
        if answer.status != 202:
            break
        acknowledged += batch
    error_of(answer, 507)
    assert acknowledged
    listed = [o for p in client.pages(collection) for o in raw_objects(p.text)]
    assert_same(listed, acknowledged)
    give_room()
    client.post(collection, batch)
    listed = [o for p in client.pages(collection) for o in raw_objects(p.text)]
    assert_same(listed, acknowledged + batch)
    node.server.terminate()
    assert node.server.wait(60) == 0
    node.server.stdout.close()
    node.server = None
    integrity(node)
