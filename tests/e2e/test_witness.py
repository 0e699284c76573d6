"""Two nations' ledgers witness each other: real nodes over TLS; forks, rollbacks and lies are found
at the partner's next sync, and stand until officers of both sides have spoken."""
import base64
import json
import shutil
import sqlite3
import ssl
import subprocess
import threading
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from setu_node import SETU, indicator, setu

NAMES = 'nation IN "India" { agency cert-in }\nnation JP "Japan" { agency jpcert, nisc }\n'


class Pair:
    """Japan serves, India pulls from it and witnesses."""

    def __init__(self, nodes):
        self.japan = nodes("jp", nation="JP", org="jpcert",
                           policy=NAMES + "release to JP\nrelease tlp:green to IN\n")
        self.india = nodes("in", nation="IN", org="cert-in",
                           policy=NAMES + "accept from JP\nrelease to IN\n")
        self.out = self.japan.collection("For India", alias="india")
        self.into = self.india.collection("From Japan", alias="japan")
        self.japan.cli("user add", "certin", "--role", "peer", "--org", "cert-in", "--nation", "IN",
                       "--cert", self.india.dir / "tls/node.pem")
        self.numbers = iter(range(10 ** 6))
        self.japan.start()
        self.india.cli("peer add", "jpcert", "--url", self.japan.url, "--nation", "JP", "--org",
                       "jpcert", "--from", "india", "--into", "japan", "--ca", self.japan.ca)

    def publish(self, count=3, tlp="green", node=None):
        node = node or self.japan
        path = node.dir.parent / "objects.jsonl"
        path.write_text("".join(json.dumps(indicator(next(self.numbers), tlp=tlp)) + "\n"
                                for _ in range(count)))
        node.imported("india", path)

    def sync(self, status=0):
        ran = self.india.cli("sync", "--json", status=status)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        return [x for x in lines if "ledger" in x], [x for x in lines if "pages" in x], ran.stderr

    def moved(self, old, new):
        """The partner's server is found at another port from now on."""
        db = sqlite3.connect(self.india.dir / "setu.db")
        db.execute("UPDATE peer SET url=replace(url,?,?)", (old, new))
        db.commit()
        db.close()

    def restart(self):
        old = self.japan.url
        self.japan.start()
        self.moved(old, self.japan.url)


@pytest.fixture
def pair(nodes):
    return Pair(nodes)


def witness_rows(node):
    return [json.loads(x) for x in node.cli("ledger witness", "--json").stdout.splitlines()]


def raw(node, path, token=None, cert=None, method="GET", body=None):
    """Status, headers, bytes."""
    c = node.client(token, cert=cert)
    headers = {"Accept": "*/*"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return c.request(method, path, body=body, headers=headers)


def as_india(pair, path, **more):
    cert = (pair.india.dir / "tls/node.pem", pair.india.dir / "tls/node.key")
    return raw(pair.japan, path, cert=cert, **more)


def broken(node, party):
    """The state of a partner, which metrics, doctor, `peer list` and `ledger witness` agree about."""
    row, = [x for x in witness_rows(node) if x["party"] == party]
    state = row["state"]
    listed = {json.loads(x)["ledger"] for x in node.cli("peer list", "--json").stdout.splitlines()}
    assert listed == {state}
    assert ("nothing is pulled" in node.cli("peer list").stdout) == (state != "good")
    doctor = node.cli("doctor", status=None).stdout
    assert (f"{party} does not show a ledger that continues" in doctor) == (state != "good")
    node.start()
    metrics = raw(node, "/metrics", node.admin_token).text
    node.stop()
    assert f'setu_ledger_partner_broken{{partner="{party}"}} {int(state != "good")}\n' in metrics
    return state


def size_in(note):
    return int(note.split("\n")[1])


def test_growth_is_countersigned_both_ways(pair):
    pair.publish()
    (seen,), (pulled,), told = pair.sync()
    assert seen["ledger"] == "consistent" and seen["before"] == 0 and seen["cosigned"]
    assert pulled["accepted"] == 3
    assert "its ledger's key was taken from its server" in told
    (again,), (pulled,), told = pair.sync()
    assert again["before"] == seen["size"] <= again["size"] and pulled["accepted"] == 0
    assert "key was taken" not in told
    for step in range(5):
        pair.publish(1 + step * 100)
        (now,), (pulled,), _ = pair.sync()
        assert now["ledger"] == "consistent" and now["size"] > again["size"]
        assert now["before"] == again["size"] and pulled["accepted"] == 1 + step * 100
        again = now
    ours, = witness_rows(pair.india)
    theirs, = witness_rows(pair.japan)
    assert ours["party"] == "JP/jpcert" and ours["state"] == "good"
    assert theirs["party"] == "IN/cert-in"
    assert theirs["cosigned"] == ours["seen"] and size_in(ours["seen"]) == again["size"]
    assert ours["log_key"] == pair.japan.cli("ledger key").stdout.strip()
    assert theirs["witness_key"] == pair.india.cli("ledger key", "--witness").stdout.strip()
    lines = ours["seen"].rstrip("\n").split("\n")
    assert [x.split()[1] for x in lines[4:]] == ["JP/jpcert/ledger", "IN/cert-in/witness"]


def test_the_checkpoint_shows_a_partner_its_own_countersignature(pair):
    pair.publish()
    pair.sync()
    pair.sync()  # nothing has happened in between: the head is the one that is countersigned
    shown = as_india(pair, "/ledger/checkpoint").text
    assert "IN/cert-in/witness" in shown and shown == witness_rows(pair.india)[0]["seen"]
    other = pair.japan.user("nisc-node", "peer", "nisc", "JP")
    # Adding the user has moved the head; countersign that one, too.
    pair.sync()
    shown = raw(pair.japan, "/ledger/checkpoint", other).text
    assert "IN/cert-in" not in shown  # recipients do not learn of each other
    assert "IN/cert-in/witness" in raw(pair.japan, "/ledger/checkpoint", pair.japan.admin_token).text


def forked(pair, name="copy"):
    """Japan's folder as it is now; later on both go on."""
    pair.japan.stop()
    copy = pair.japan.dir.parent / name
    shutil.copytree(pair.japan.dir, copy)
    pair.restart()
    return copy


def swap(pair, copy):
    pair.japan.stop()
    shutil.rmtree(pair.japan.dir)
    shutil.copytree(copy, pair.japan.dir)
    pair.restart()


@pytest.mark.parametrize("more", [0, 1, 200])
def test_a_fork_is_found_and_kept(pair, more):
    pair.publish()
    pair.sync()
    copy = forked(pair)
    pair.publish(50)
    (good,), _, _ = pair.sync()
    good_copy = forked(pair, "good")
    swap(pair, copy)
    setu("import", pair.japan.dir, "--collection", "india", pair.japan.dir.parent / "objects.jsonl")
    for _ in range(more):
        pair.publish(1)
    (bad,), pulled, told = pair.sync(status=1)
    if bad["size"] < good["size"]:
        assert bad["ledger"] == "rollback"
    else:
        assert bad["ledger"] == "fork"
    assert pulled == [] and "Nothing is pulled from it" in told
    row, = witness_rows(pair.india)
    assert row["state"] == bad["ledger"]
    assert size_in(row["seen"]) == good["size"] and size_in(row["evidence"]) == bad["size"]
    for note in (row["seen"], row["evidence"]):  # both are signed by the one who forked
        assert "JP/jpcert/ledger" in note
    assert row["found"] == [{"at": row["found"][0]["at"], "finding": bad["ledger"],
                             "before": row["seen"], "after": row["evidence"]}]
    assert broken(pair.india, "JP/jpcert") == bad["ledger"]
    # It stands, with the same evidence, also when the good history goes on.
    swap(pair, good_copy)
    pair.publish(5)
    (still,), pulled, told = pair.sync(status=1)
    assert still["ledger"] == bad["ledger"] and not pulled and "stands" in told
    again, = witness_rows(pair.india)
    assert (again["evidence"], again["found"]) == (row["evidence"], row["found"])


def test_a_fork_at_a_power_of_two(pair):
    """Of such a size a consistency proof does not hold the older root, so it must be computed."""
    pair.publish()
    pair.sync()
    copy = forked(pair)
    bad = pair.japan.dir.parent / "bad.jsonl"
    bad.write_text('{"type":"indicator"}\n')
    size = size_in(as_india(pair, "/ledger/checkpoint").text)
    while size & (size - 1):
        before = size
        pair.publish(1)
        size = size_in(as_india(pair, "/ledger/checkpoint").text)
        if (size - before) % 2 == 0 and size % 2:  # a refusal is one leaf more
            pair.japan.imported("india", bad, status=None)
            size = size_in(as_india(pair, "/ledger/checkpoint").text)
        assert size < 5000
    (good,), _, _ = pair.sync()
    assert good["size"] == size
    swap(pair, copy)
    pair.publish(size)
    (found,), _, _ = pair.sync(status=1)
    assert found["ledger"] == "fork" and found["size"] > size


def test_restore_is_a_rollback_until_both_sides_say_so(pair, tmp_path):
    officer_jp = pair.japan.user("aiko", "officer")
    officer_in = pair.india.user("asha", "officer")
    (tmp_path / "aiko").write_text(officer_jp)
    (tmp_path / "asha").write_text(officer_in)
    pair.publish()
    pair.sync()
    pair.japan.cli("backup", "-o", tmp_path / "backup.tar")
    pair.publish(20)
    (good,), _, _ = pair.sync()
    pair.japan.stop()
    old = pair.japan.url
    shutil.rmtree(pair.japan.dir)
    setu("restore", tmp_path / "backup.tar", pair.japan.dir)
    pair.japan.start()
    pair.moved(old, pair.japan.url)
    (bad,), pulled, told = pair.sync(status=1)
    assert bad["ledger"] == "rollback" and bad["before"] == good["size"] and not pulled
    assert "setu peer accept" in told
    accept = ["jpcert", "--officer", "asha", "--token-file", tmp_path / "asha", "--reason",
              "telephoned with Aiko"]
    refused = pair.india.cli("peer accept", *accept, status=None)
    assert refused.returncode != 0 and "no officer's confirmation" in refused.stderr
    pair.japan.cli("ledger confirm", "--officer", "aiko", "--token-file", tmp_path / "aiko",
                   "--reason", "a disk died")
    # Somebody who is no officer of home cannot accept it.
    (tmp_path / "reader").write_text(pair.india.user("ravi", "reader"))
    nobody = pair.india.cli("peer accept", "jpcert", "--officer", "ravi", "--token-file",
                            tmp_path / "reader", "--reason", "x", status=None)
    assert nobody.returncode != 0 and "only officers" in nobody.stderr
    pair.india.cli("peer accept", *accept)
    row, = witness_rows(pair.india)
    assert row["state"] == "good" and row["evidence"] == ""
    kept, = row["found"]  # what was found stays
    assert kept["finding"] == "rollback" and size_in(kept["before"]) == good["size"]
    assert size_in(kept["after"]) == bad["size"]
    (now,), (pulled,), _ = pair.sync()
    assert now["ledger"] == "consistent" and pulled["refused"] == 0
    pair.publish(5)
    (now,), (pulled,), _ = pair.sync()
    assert now["ledger"] == "consistent" and pulled["accepted"] == 5
    again = pair.india.cli("peer accept", *accept, status=None)
    assert again.returncode != 0 and "nothing stands against" in again.stderr
    # A later fork is not covered by that confirmation.
    copy = forked(pair)
    pair.publish(30)
    pair.sync()
    swap(pair, copy)
    pair.sync(status=1)


def test_entitlement(pair):
    pair.publish(2, "green")
    pair.publish(2, "amber")
    size = size_in(as_india(pair, "/ledger/checkpoint").text)
    lines = as_india(pair, f"/ledger/records?first=0&end={size}").text.splitlines()
    shown = [json.loads(x) for x in lines]
    kinds = [x["record"]["kind"] for x in shown]
    assert kinds.count("release") == 2 and set(kinds) == {"release"}
    assert all("audience" not in x for x in shown)
    everything = raw(pair.japan, f"/ledger/records?first=0&end={size}",
                     pair.japan.admin_token).text.splitlines()
    assert len(everything) == size
    # Of the others there are entries, which tell nothing.
    entries = as_india(pair, f"/ledger/tile/entries/000.p/{size}").body
    assert len(entries) == size * 34
    for line in everything:
        record = json.dumps(json.loads(line)["record"]).encode()
        assert record not in entries
    for role in ("reader", "contributor", "sensor"):
        token = pair.japan.user(role, role)
        for path in ("/ledger/checkpoint", "/ledger/tile/0/000.p/1", "/ledger/records?first=0&end=1",
                     "/metrics"):
            assert raw(pair.japan, path, token).status == 403, (role, path)
        assert raw(pair.japan, "/.well-known/setu", token).status == 200
    foreign = pair.japan.user("auditor-in", "auditor", "cert-in", "IN")
    assert raw(pair.japan, "/ledger/checkpoint", foreign).status == 403
    auditor = pair.japan.user("auditor-jp", "auditor")
    assert raw(pair.japan, "/ledger/records?first=0&end=5", auditor).text.count("\n") == 5
    assert as_india(pair, "/metrics").status == 403
    assert raw(pair.japan, "/ledger/checkpoint", "setu_wrong").status == 401


def test_paths_methods_headers(pair):
    pair.publish(300)
    size = size_in(as_india(pair, "/ledger/checkpoint").text)
    assert size > 256
    full = as_india(pair, "/ledger/tile/0/000")
    assert full.status == 200 and len(full.body) == 256 * 32
    assert "immutable" in full.headers["Cache-Control"]
    assert full.headers["Content-Type"] == "application/octet-stream"
    part = as_india(pair, "/ledger/tile/0/000.p/3")
    assert part.body == full.body[:96]
    assert len(as_india(pair, "/ledger/tile/1/000.p/1").body) == 32
    for path in ("tile/0/1", "tile/0/0000", "tile/0/x000", "tile/0/000.p/0", "tile/0/000.p/256",
                 "tile/0/009", "tile/9/000", "tile/64/000", "tile/0/000.p/03", "tile/entries/x1",
                 "tile/0/../0/000", "nothing", "tile", "", "tile/0/999"):
        answer = as_india(pair, "/ledger/" + path)
        assert answer.status == 404, path
        assert answer.headers["Content-Type"].startswith("application/taxii+json")
    for query in ("", "?first=0", "?first=5&end=4", "?first=0&end=1001", "?first=a&end=3",
                  "?first=0&end=1&first=0", "?first=0&end=1&x=1", "?first=-1&end=1"):
        assert as_india(pair, "/ledger/records" + query).status == 400, query
    assert as_india(pair, f"/ledger/records?first={size}&end={size + 9}").body == b""
    head = as_india(pair, "/ledger/checkpoint", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 100
    assert as_india(pair, "/ledger/checkpoint", method="DELETE").status == 405
    assert as_india(pair, "/ledger/cosignature").status == 405
    metrics = raw(pair.japan, "/metrics", pair.japan.admin_token).text
    assert f"setu_ledger_leaves {size}" in metrics


def test_countersignatures_that_are_none(pair):
    pair.publish()
    pair.sync()
    note = witness_rows(pair.india)[0]["seen"]
    key = pair.india.cli("ledger key", "--witness").stdout.strip()
    other = pair.india.cli("ledger key").stdout.strip()

    def post(**body):
        return as_india(pair, "/ledger/cosignature", method="POST", body=json.dumps(body).encode())

    assert post(key=key, checkpoint=note).status == 200
    lines = note.split("\n")
    bad = [
        dict(key=key, checkpoint=note[:-3]),
        dict(key=other, checkpoint=note),  # the log's, not a witness's
        dict(key=key, checkpoint="\n".join(lines[:-2]) + "\n"),  # without its signature
        dict(key=key, checkpoint=note.replace("JP/jpcert/ledger\n", "JP/other/ledger\n", 1)),
        dict(key=key), dict(checkpoint=7), dict(),
    ]
    for body in bad:
        assert 400 <= post(**body).status < 500, body
    assert as_india(pair, "/ledger/cosignature", method="POST", body=b"{").status == 400
    assert as_india(pair, "/ledger/cosignature", method="POST", body=b"[]").status == 422
    assert raw(pair.japan, "/ledger/cosignature", pair.japan.admin_token, method="POST",
               body=b"{}").status == 403
    assert witness_rows(pair.japan)[0]["cosigned"] == note


class Liar(BaseHTTPRequestHandler):
    """Hands requests on to the real node, with the caller's certificate, and alters answers."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        c = HTTPSConnection(self.server.to[0], self.server.to[1], context=self.server.context)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        c.request(self.command, self.path, body or None, headers)
        r = c.getresponse()
        data = r.read()
        status, data = self.server.lie(self.path, r.status, data)
        self.send_response(status)
        for k, v in r.getheaders():
            if k.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(k, v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def liar(pair):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.japan.dir / "tls/node.pem", pair.japan.dir / "tls/node.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    out = ssl.create_default_context(cafile=pair.japan.ca)
    out.load_cert_chain(pair.india.dir / "tls/node.pem", pair.india.dir / "tls/node.key")
    host, port = pair.japan.url.removeprefix("https://").rstrip("/").split(":")
    server.to, server.context = (host, int(port)), out
    server.lie = lambda path, status, data: (status, data)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    pair.moved(pair.japan.url, f"https://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def test_lies_on_the_way(pair, liar):
    pair.publish(20)
    pair.sync()
    pair.publish(20)

    def lies(where, change):
        liar.lie = lambda path, status, data: change(status, data) if where in path \
            else (status, data)

    note = as_india(pair, "/ledger/checkpoint").body
    for at in range(0, len(note) - 1, 7):  # any byte of the checkpoint
        lies("/ledger/checkpoint", lambda status, data, at=at: (status, flip(data, at)))
        (seen,), pulled, _ = pair.sync(status=1)
        assert seen["ledger"] == "bad-signature" and not pulled, at
    assert broken(pair.india, "JP/jpcert") == "bad-signature"
    lies("/ledger/tile/", lambda status, data: (status, flip(data, 5)))
    (seen,), pulled, _ = pair.sync(status=1)
    assert seen["ledger"] == "bad-proof" and not pulled
    assert broken(pair.india, "JP/jpcert") == "bad-proof"
    for change in (lambda status, data: (status, data[:-1]), lambda status, data: (404, b"{}"),
                   lambda status, data: (403, b"{}")):
        lies("/ledger/tile/", change)
        (seen,), pulled, _ = pair.sync(status=1)
        assert seen["ledger"] == "bad-proof" and not pulled
    lies("/ledger/tile/", lambda status, data: (503, b"{}"))  # the network's trouble
    (seen,), pulled, _ = pair.sync(status=3)
    assert seen["ledger"] == "unknown" and not pulled
    for status in (403, 404):
        lies("/ledger/checkpoint", lambda _, data, status=status: (status, b"{}"))
        (seen,), pulled, told = pair.sync(status=1)
        assert seen["ledger"] == "no-ledger" and not pulled and "does not any more" in told
    lies("/ledger/checkpoint", lambda status, data: (status, b"x" * (3 << 20)))
    (seen,), pulled, told = pair.sync(status=3)
    assert seen["ledger"] == "unknown" and not pulled and "larger than 1 MiB" in told
    other = setu("ledger", "key", pair.india.dir).stdout.strip()
    for text in (b"{}", b"[]", b"no"):
        lies("/.well-known/setu", lambda status, data, text=text: (status, text))
        seen, pulled, told = pair.sync(status=1)
        assert not pulled and "does not any more" in told
    ours = pair.japan.cli("ledger key").stdout.strip()
    lies("/.well-known/setu",
         lambda status, data: (status, data.replace(ours.encode(), other.encode())))
    (seen,), pulled, told = pair.sync(status=1)
    assert not pulled and "the key is not that of" in told and seen["ledger"] == "other-key"
    liar.lie = lambda path, status, data: (404, b"{}") if "well-known" in path else (status, data)
    seen, pulled, told = pair.sync(status=1)
    assert not pulled and "does not any more" in told
    liar.lie = lambda path, status, data: (status, data)
    (seen,), (pulled,), _ = pair.sync()  # nothing of all this stands against Japan
    assert seen["ledger"] == "consistent" and pulled["accepted"] == 20
    row, = witness_rows(pair.india)
    assert row["state"] == "good" and row["evidence"] == ""
    found = {x["finding"] for x in row["found"]}  # but what was shown is kept
    assert found == {"bad-signature", "bad-proof", "no-ledger", "other-key"}
    assert broken(pair.india, "JP/jpcert") == "good"


def test_a_server_that_is_no_setu(pair, liar):
    pair.publish(4)
    liar.lie = lambda path, status, data: (404, b"{}") if "well-known" in path else (status, data)
    seen, (pulled,), _ = pair.sync()
    assert seen == [] and pulled["accepted"] == 4
    # It shows its keys, but this account may not see the log: no partner node to it.
    liar.lie = lambda path, status, data: (403, b"{}") if "/ledger/" in path else (status, data)
    seen, (pulled,), _ = pair.sync()
    assert seen == [] and pulled["accepted"] == 0 and witness_rows(pair.india) == []
    # Once it showed one, or its key was given by hand, it must.
    pair.india.cli("peer add", "jpcert", "--url", f"https://127.0.0.1:{liar.server_port}",
                   "--nation", "JP", "--org", "jpcert", "--from", "For India", "--into", "japan",
                   "--ledger-key", pair.japan.cli("ledger key").stdout.strip())
    (seen,), pulled, told = pair.sync(status=1)
    assert seen["ledger"] == "no-ledger" and not pulled and "nothing is pulled from jpcert" in told


def test_a_key_that_was_given(pair):
    pair.publish()
    wrong = pair.india.cli("ledger key").stdout.strip()
    given = ["second", "--url", pair.japan.url, "--nation", "JP", "--org", "jpcert", "--from",
             "For India", "--into", "japan", "--ca", pair.japan.ca, "--ledger-key"]
    refused = pair.india.cli("peer add", *given, wrong, status=None)
    assert refused.returncode != 0 and "the key is not that of" in refused.stderr
    right = pair.japan.cli("ledger key").stdout.strip()
    altered = right[:-4] + base64.b64encode(base64.b64decode(right[-4:])[::-1]).decode()
    assert pair.india.cli("peer add", *given, altered, status=None).returncode != 0
    pair.india.cli("peer add", *given, right)
    assert witness_rows(pair.india)[0]["log_key"] == right
    (seen,), _, told = pair.sync()
    assert seen["ledger"] == "consistent" and "key was taken" not in told


def test_two_syncs_at_once_find_nothing(pair, liar):
    """Who fetched a checkpoint before another, newer one was judged has seen no rollback."""
    pair.publish()
    pair.sync()
    inner = []

    def lie(path, status, data):
        if path == "/ledger/checkpoint" and not inner:
            inner.append(None)
            pair.publish(5)
            inner[0] = pair.sync()
        return status, data

    liar.lie = lie
    (outer,), _, told = pair.sync()
    (first,), (pulled,), _ = inner[0]
    assert first["ledger"] == outer["ledger"] == "consistent" and pulled["accepted"] == 5
    assert outer["before"] == first["size"] and "rollback" not in told
    row, = witness_rows(pair.india)
    assert row["state"] == "good" and row["found"] == []


def test_syncs_in_a_crowd(pair):
    pair.publish()
    running = [subprocess.Popen([SETU, "sync", str(pair.india.dir)], text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for _ in range(6)]
    for ran in running:
        told = ran.communicate()[1]
        assert ran.returncode != 1, told
    row, = witness_rows(pair.india)
    assert row["state"] == "good" and row["found"] == []
    assert witness_rows(pair.japan)[0]["cosigned"]


def test_junk_below_a_checkpoint_goes_no_further(pair, liar):
    junk = "".join(f"\u2014 US/cisa/witness {base64.b64encode(bytes([i] * 76)).decode()}\n"
                   for i in range(98)).encode()
    liar.lie = lambda path, status, data: (status, data + junk) if path.endswith("/checkpoint") \
        else (status, data)
    pair.publish()
    (seen,), _, _ = pair.sync()
    assert seen["ledger"] == "consistent" and seen["cosigned"]
    row, = witness_rows(pair.india)
    assert "cisa" not in row["seen"] and len(row["seen"].splitlines()) == 6
    key = pair.india.cli("ledger key", "--witness").stdout.strip()
    post = json.dumps({"key": key, "checkpoint": row["seen"] + junk.decode()}).encode()
    assert as_india(pair, "/ledger/cosignature", method="POST", body=post).status == 200
    row, = witness_rows(pair.japan)
    assert "cisa" not in row["cosigned"] and len(row["cosigned"].splitlines()) == 6


def test_an_earlier_countersignature_takes_no_later_ones_place(pair):
    pair.publish()
    pair.sync()
    early = witness_rows(pair.india)[0]["seen"]
    pair.publish()
    pair.sync()
    late = witness_rows(pair.india)[0]["seen"]
    post = json.dumps({"checkpoint": early}).encode()
    assert as_india(pair, "/ledger/cosignature", method="POST", body=post).status == 200
    assert witness_rows(pair.japan)[0]["cosigned"] == late != early


def test_ranges_without_end(pair):
    pair.publish()
    for first in (2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1):
        answer = as_india(pair, f"/ledger/records?first={first}&end={first}")
        assert (answer.status, answer.body) == (200, b""), first
    assert as_india(pair, f"/ledger/records?first={2 ** 64}&end={2 ** 64}").status == 400
