"""`setu peer` and `setu sync` against servers that are odd, broken or hostile."""
import json
import os
import shutil
import signal
import stat
import subprocess
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from taxii_double import COLLECTION, Double, Reply, bomb, indicator, rows

SETU = os.environ.get("SETU", "build/setu")
OBJECTS = f"/api/collections/{COLLECTION}/objects/"
POLICY = """
nation IN "India" { agency cert-in }
nation JP "Japan" { agency jpcert }
accept from JP
release to IN
"""


def setu(*args, status=0, **more):
    ran = subprocess.run([SETU, *map(str, args)], capture_output=True, text=True, timeout=120, **more)
    assert ran.returncode == status, (args, ran.returncode, ran.stdout, ran.stderr)
    return ran


def lines(ran):
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("template") / "node"
    setu("init", home, "--name", "CERT-In", "--nation", "IN", "--org", "cert-in", "--json")
    setu("collection", "add", home, "--title", "From Japan", "--alias", "japan", "--json")
    (home / "policy.conf").write_text(POLICY)
    return home


@pytest.fixture
def node(template, tmp_path):
    return Path(shutil.copytree(template, tmp_path / "node"))


def add(node, url, *more, name="jpcert", source="shared", status=0):
    return setu("peer", "add", node, name, "--url", url, "--nation", "JP", "--org", "jpcert",
                "--from", source, "--into", "japan", *more, status=status)


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("a-secret-token\n")
    return path


def subscribe(node, double, *more, source="shared"):
    path = node.parent / "token"
    path.write_text("a-secret-token\n")
    add(node, double.url, *(more or ["--token-file", path]), source=source)


def sync(node, *more, status=0):
    ran = setu("sync", node, "--json", *more, status=status)
    return lines(ran)[-1], ran


def cursor(node):
    return lines(setu("peer", "list", node, "--json"))[0]["cursor"]


def held(node):
    ran = setu("export", node)
    return {o["id"] for o in json.loads(ran.stdout).get("objects", [])}


# ---- pages ----

@pytest.mark.parametrize("next_is,same_date", [("position", False), ("position", True),
                                               ("constant", True), ("none", False)])
def test_all_pages_come_and_come_once(node, next_is, same_date):
    with Double(rows(25, same_date), page=10) as double:
        double.next_is = next_is
        subscribe(node, double)
        report, _ = sync(node)
        assert (report["pages"], report["accepted"], report["unchanged"]) == (3, 25, 0)
        assert "added_after" not in double.seen()[0].query
        assert cursor(node) == double.objects[-1][0]
        report, _ = sync(node)
        assert (report["pages"], report["accepted"], report["unchanged"]) == (1, 0, 0)
        assert double.seen()[-1].query["added_after"] == double.objects[-1][0]
        assert len(held(node)) == 25


def test_requests_are_taxii(node):
    with Double(rows(1)) as double:
        subscribe(node, double)
        sync(node)
        for r in double.requests:
            wanted = "*/*" if r.path == "/.well-known/setu" else "application/taxii+json;version=2.1"
            assert r.headers["Accept"] == wanted
            assert r.headers["Authorization"] == "Bearer a-secret-token"
            assert r.headers["User-Agent"].startswith("setu/")
            assert "gzip" in r.headers["Accept-Encoding"]
            assert r.path.endswith("/") or r.path == "/.well-known/setu"


def test_an_interrupted_pull_goes_on_where_it_stood(node):
    with Double(rows(30), page=10) as double:
        subscribe(node, double)
        double.pages = lambda r: (double.answer_objects(r) if len(double.seen()) < 3
                                  else Reply({"title": "broken"}, 500))
        report, ran = sync(node, status=3)
        assert (report["pages"], report["accepted"]) == (2, 20)
        assert "broken" in report["error"] and "500" in ran.stderr
        double.pages = double.answer_objects
        report, _ = sync(node)
        # One object may come twice: others may share the last page's last date_added.
        assert report["accepted"] == 10 and report["unchanged"] <= 1
        assert len(held(node)) == 30


def test_objects_that_share_a_date_survive_an_interruption(node):
    with Double(rows(30, same_date=True), page=10) as double:
        subscribe(node, double)
        double.pages = lambda r: double.answer_objects(r) if len(double.seen()) < 2 else Reply(status=500)
        sync(node, status=3)
        double.pages = double.answer_objects
        assert sync(node)[0]["accepted"] == 20
        assert len(held(node)) == 30


@pytest.mark.parametrize("date", ["undefined", "", "2026-13-01T00:00:00Z"])
def test_a_date_that_is_none_moves_no_cursor(node, date):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply({"objects": [indicator(1)]},
                                       headers={"X-TAXII-Date-Added-Last": date})
        assert sync(node)[0]["accepted"] == 1
        assert cursor(node) == ""


def test_a_date_far_ahead_does_not_hide_what_comes_later(node):
    with Double([("2083-01-01T00:00:00.000000Z", indicator(1))]) as double:
        subscribe(node, double)
        assert sync(node)[0]["accepted"] == 1
        assert cursor(node) == ""
        double.objects.insert(0, ("2026-02-01T00:00:00.000000Z", indicator(2)))
        assert sync(node)[0]["accepted"] == 1


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_server_that_goes_round_is_left(node, length):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply({"objects": [indicator(len(double.seen()) % length)],
                                        "more": True, "next": f"n{len(double.seen()) % length}"})
        report, _ = sync(node, status=3)
        assert "does not advance" in report["error"]
        assert len(double.seen()) <= 4 * length + 4


@pytest.mark.parametrize("headers", [{}, {"X-TAXII-Date-Added-Last": "2026-02-01T00:00:00.000000Z"}])
def test_more_without_a_way_on_is_an_error(node, headers):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply({"objects": [indicator(len(double.seen()))], "more": True},
                                       headers=headers)
        report, _ = sync(node, status=3)
        assert "does not advance" in report["error"]
        assert len(double.seen()) <= 2


# ---- what may not happen ----

def test_no_redirect_is_followed(node):
    with Double() as other, Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply(status=302, headers={"Location": other.url + OBJECTS})
        report, _ = sync(node, status=3)
        assert "redirect" in report["error"] and other.url in report["error"]
        assert other.requests == []


def test_no_credentials_go_to_another_host(node):
    with Double() as other, Double() as double:
        subscribe(node, double)
        double.api_roots = [other.url + "/api/", "//127.0.0.1:%d/api/" % other.port]
        report, _ = sync(node, status=3)
        assert "on another host" in report["error"]
        assert other.requests == []
        double.objects = rows(1)
        double.api_roots += ["/api/"]
        assert sync(node)[0]["accepted"] == 1
        assert other.requests == []


def test_the_token_is_shown_nowhere(node, token):
    with Double() as double:
        double.at["/taxii2/"] = Reply({"title": "no"}, 401)
        shown = add(node, double.url, "--token-file", token)
        listed = setu("peer", "list", node, "--json")
        failed = setu("sync", node, "--verbose", status=3)
        for ran in (shown, listed, failed):
            assert "a-secret-token" not in ran.stdout + ran.stderr


def test_words_of_the_server_cannot_drive_the_terminal(node):
    with Double([("2026-02-01T00:00:00.000000Z", indicator(1, type="\x1b[31mred\u202e"))]) as double:
        subscribe(node, double)
        ran = setu("sync", node, "--verbose")
        assert "1 refused" in ran.stdout and not set("\x1b\u202e") & set(ran.stdout)
        double.pages = lambda r: Reply({"title": "\x1b]0;owned\x07\n" + "x" * 5000}, 400)
        ran = setu("sync", node, status=3)
        assert "\x1b" not in ran.stderr and "\x07" not in ran.stderr
        assert len(ran.stderr.splitlines()) == 1 and len(ran.stderr) < 600


@pytest.mark.parametrize("url", [
    "http://192.0.2.1/taxii2/", "ftp://127.0.0.1/", "https://user:pass@127.0.0.1/", "127.0.0.1",
    "https://127.0.0.1/?a=b", "https://127.0.0.1/#a", "https://127.0.0.1/a b", "http://127.example/",
    "file:///etc/passwd", "https://", "https://127.0.0.1/\n",
])
def test_urls_that_are_refused(node, url):
    ran = add(node, url, status=2)
    assert "--url" in ran.stderr
    assert lines(setu("peer", "list", node, "--json")) == []


# ---- answers that are none ----

@pytest.mark.parametrize("reply,says", [
    (Reply(b"<html>", media="text/html"), "text/html"),
    (Reply({}, media="application/taxii+json;version=2.0"), "version=2.0"),
    (Reply({}, media=None), "of no type"),
    (Reply(b"{\"objects\":["), "JSON"),
    (Reply([]), "no JSON object"),
    (Reply(b""), "JSON"),
    (Reply(b'{"more":true,"more":false}'), "two members"),
    (Reply(b"[" * 5000), ""),
    (Reply(b"{}", headers={"Content-Encoding": "gzip"}), "compression"),
    (Reply({"objects": {}}), "objects"),
    (Reply({"more": "yes"}), "more"),
    (Reply({"more": True, "next": 7}), "next"),
    (Reply({"more": True, "next": "x" * 5000}), "next"),
])
def test_answers_that_are_none(node, reply, says):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: reply
        report, _ = sync(node, status=3)
        assert says in report["error"] and OBJECTS in report["error"]
        assert len(double.seen()) == 1


@pytest.mark.parametrize("media", ["application/taxii+json", "Application/TAXII+JSON; version=2.1",
                                   'application/taxii+json; charset=utf-8; version="2.1"'])
def test_media_types_that_are_taxii(node, media):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply({"objects": [indicator(1)]}, media=media)
        assert sync(node)[0]["accepted"] == 1


def test_a_cut_answer_is_asked_for_again(node):
    whole = json.dumps({"objects": [indicator(1)]}).encode()
    with Double() as double:
        subscribe(node, double)
        cut = Reply(whole[:40], declared=len(whole))
        double.pages = lambda r: cut if len(double.seen()) < 2 else Reply(whole)
        assert sync(node)[0]["accepted"] == 1
        double.pages = lambda r: cut
        report, _ = sync(node, status=3)
        assert "cut off" in report["error"] and report["accepted"] == 0


def test_a_connection_that_breaks_is_tried_again(node):
    with Double(rows(3)) as double:
        subscribe(node, double)
        double.pages = lambda r: None if len(double.seen()) < 2 else double.answer_objects(r)
        assert sync(node)[0]["accepted"] == 3


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(node):
    with Double(rows(3)) as double:
        subscribe(node, double)
        double.pages = lambda r: (bomb(300) if int(r.query["limit"]) > 1000
                                  else double.answer_objects(r))
        assert sync(node)[0]["accepted"] == 3
        double.objects += [("2026-03-01T00:00:00.000000Z", indicator(9))]
        double.pages = lambda r: Reply(b"{", declared=300 << 20)
        report, _ = sync(node, status=3)
        assert "256 MiB" in report["error"]
        assert [r.query["limit"] for r in double.seen()[-3:]] == ["5000", "500", "50"]


def test_a_slow_server_is_waited_for(node):
    whole = json.dumps({"objects": [indicator(1)]}).encode()
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply(parts=[whole[i:i + 40] for i in range(0, len(whole), 40)])
        assert sync(node)[0]["accepted"] == 1


# ---- busy servers ----

@pytest.mark.parametrize("status,after", [(503, "1"), (429, "1"), (503, None), (503, "date")])
def test_a_busy_server_is_asked_again_when_it_says(node, status, after):
    with Double(rows(2)) as double:
        subscribe(node, double)

        def pages(r):
            if len(double.seen()) > 1:
                return double.answer_objects(r)
            value = formatdate(time.time() + 2, usegmt=True) if after == "date" else after
            return Reply({"title": "busy"}, status, {"Retry-After": value} if value else {})

        double.pages = pages
        start = time.monotonic()
        assert sync(node)[0]["accepted"] == 2
        assert time.monotonic() - start >= (0.4 if after is None else 0.9)
        assert len(double.seen()) == 2


def test_a_server_that_is_busy_for_long_is_left(node):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: Reply({"title": "maintenance"}, 503, {"Retry-After": "3600"})
        report, _ = sync(node, status=3)  # an hour's wait would not end within its timeout
        assert "maintenance" in report["error"] and len(double.seen()) == 1


def test_one_partner_that_is_down_does_not_stop_the_others(node, token):
    with Double() as gone:
        pass
    with Double(rows(2)) as double:
        add(node, gone.url, "--token-file", token, name="aaa")
        add(node, double.url, "--token-file", token, name="bbb")
        ran = setu("sync", node, "--json", status=3)
        first, second = lines(ran)
        assert "error" in first and first["peer"] == "aaa"
        assert (second["peer"], second["accepted"]) == ("bbb", 2)
        assert "aaa" in ran.stderr and "check that the server runs" in ran.stderr
        setu("sync", node, "bbb")
        assert "no partner" in setu("sync", node, "ccc", status=1).stderr


# ---- finding the collection ----

@pytest.mark.parametrize("path,source", [
    ("", "shared"), ("/", COLLECTION), ("", "Shared"), ("/taxii2/", "shared"), ("/api", "shared"),
    ("/api/", COLLECTION), ("/api/collections/", "shared"), ("/api/collections/" + COLLECTION, "shared"),
    (f"/api/collections/{COLLECTION}/", "Shared"), (OBJECTS, COLLECTION),
])
def test_the_collection_is_found(node, token, path, source):
    with Double(rows(1)) as double:
        add(node, double.url + path, "--token-file", token, source=source)
        assert sync(node)[0]["accepted"] == 1


@pytest.mark.parametrize("root", ["/api/", "http://127.0.0.1:{port}/api/", "http://127.0.0.1:{port}/api"])
def test_api_roots_may_be_relative_or_absolute(node, root):
    with Double(rows(1)) as double:
        double.api_roots = ["/locked/", root.format(port=double.port)]
        double.at["/locked/collections/"] = Reply({"title": "not yours"}, 403)
        subscribe(node, double)
        assert sync(node)[0]["accepted"] == 1


def test_collections_that_are_not_found(node):
    with Double() as double:
        subscribe(node, double, source="shraed")
        assert '"Shared"' in sync(node, status=3)[0]["error"]
        double.collections = []
        assert "none" in sync(node, status=3)[0]["error"]
        double.api_roots = []
        assert "API root" in sync(node, status=3)[0]["error"]


def test_a_title_that_is_not_unique_is_no_answer(node):
    with Double() as double:
        double.collections = [{"id": i, "title": "same"} for i in (COLLECTION, "b" + COLLECTION[1:])]
        subscribe(node, double, source="same")
        assert "2 collections" in sync(node, status=3)[0]["error"]


def test_an_id_that_is_a_path_is_no_collection(node):
    with Double() as double:
        double.collections = [{"id": i, "title": "evil"} for i in ("../../x", "a/b", "?q", "")]
        subscribe(node, double, source="evil")
        assert "no collection" in sync(node, status=3)[0]["error"]


# ---- TLS and credentials ----

def test_tls_with_the_given_authority(node, token):
    with Double(rows(1), tls=node / "tls") as double:
        add(node, double.url, "--token-file", token, "--ca", node / "tls/ca.pem")
        assert sync(node)[0]["accepted"] == 1


def test_tls_with_another_authority(node, token, tmp_path):
    setu("init", tmp_path / "other", "--name", "Other", "--nation", "JP", "--json")
    with Double(rows(1), tls=tmp_path / "other/tls") as double:
        add(node, double.url, "--token-file", token, "--ca", node / "tls/ca.pem")
        add(node, double.url, "--token-file", token, name="system")
        ran = setu("sync", node, "--json", status=3)
        assert all("certificate" in report["error"] for report in lines(ran))
        assert double.requests == []


def test_tls_with_a_certificate_of_another_host(node, token):
    with Double(rows(1), tls=node / "tls", host="127.0.0.2") as double:
        add(node, double.url, "--token-file", token, "--ca", node / "tls/ca.pem")
        assert "certificate" in sync(node, status=3)[0]["error"]
        assert double.requests == []


def test_the_nodes_own_certificate_is_shown(node):
    with Double(rows(1), tls=node / "tls", client_ca=node / "tls/ca.pem") as double:
        add(node, double.url, "--ca", node / "tls/ca.pem")
        assert sync(node)[0]["accepted"] == 1
        assert double.requests[0].headers["Authorization"] is None


def test_basic(node, tmp_path):
    (tmp_path / "password").write_text("pass:word é\n")
    with Double(rows(1)) as double:
        add(node, double.url, "--user", "certin", "--password-file", tmp_path / "password")
        assert sync(node)[0]["accepted"] == 1
        assert double.requests[0].headers["Authorization"] == \
            "Basic Y2VydGluOnBhc3M6d29yZCDDqQ=="


def test_wrong_credentials_are_told(node):
    with Double() as double:
        subscribe(node, double)
        double.at["/taxii2/"] = Reply({"title": "Unauthorized"}, 401, {"WWW-Authenticate": "Bearer"})
        report, _ = sync(node, status=3)
        assert "401" in report["error"] and "check the token" in report["error"]


# ---- what is kept, what is refused ----

def test_the_node_is_self_contained(node, token, tmp_path):
    with Double(rows(2), tls=node / "tls") as double:
        (tmp_path / "ca.pem").write_bytes((node / "tls/ca.pem").read_bytes())
        add(node, double.url, "--token-file", token, "--ca", tmp_path / "ca.pem")
        token.unlink()
        (tmp_path / "ca.pem").unlink()
        moved = node.rename(tmp_path / "moved")
        assert stat.S_IMODE((moved / "peers/jpcert.token").stat().st_mode) == 0o600
        assert stat.S_IMODE((moved / "peers").stat().st_mode) == 0o700
        assert sync(moved)[0]["accepted"] == 2


def test_a_second_collection_of_the_same_partner(node):
    other = "b" + COLLECTION[1:]
    with Double(rows(2)) as double:
        double.collections += [{"id": other, "title": "More"}]
        subscribe(node, double)
        add(node, double.url, source="More")  # with the credentials given before
        assert "already" in add(node, double.url, source="More", status=1).stderr
        assert [r["accepted"] for r in lines(setu("sync", node, "--json"))] == [2, 0]
        assert {r.headers["Authorization"] for r in double.requests} == {"Bearer a-secret-token"}
        ran = setu("peer", "add", node, "jpcert", "--url", double.url, "--nation", "AU", "--org",
                   "acsc", "--from", "x", "--into", "japan", status=1)
        assert "another name" in ran.stderr


@pytest.mark.parametrize("more,status,says", [
    (["--token-file", "/nonexistent"], 3, "/nonexistent"),
    (["--ca", "Makefile"], 1, "--ca"),
    (["--user", "x"], 2, "--password-file"),
    (["--into", "nowhere"], 2, "twice"),
])
def test_partners_that_are_refused(node, more, status, says):
    ran = subprocess.run([SETU, "peer", "add", node, "jpcert", "--url", "https://127.0.0.1/",
                          "--nation", "JP", "--org", "jpcert", "--from", "a", "--into", "japan", *more],
                         capture_output=True, text=True)
    assert ran.returncode == status and says in ran.stderr
    assert lines(setu("peer", "list", node, "--json")) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "A", "x" * 200])
def test_names_that_are_no_file_names(node, token, name):
    add(node, "https://127.0.0.1/", "--token-file", token, name=name, status=2)
    assert not (node / "peers").exists()


def test_refusals_are_told_and_stop_nothing(node):
    bad = indicator(2)
    del bad["pattern"]
    with Double([(f"2026-02-01T00:00:0{i}Z", o) for i, o in enumerate([indicator(1), bad, indicator(3)])]
                ) as double:
        subscribe(node, double)
        report, ran = sync(node, "--verbose")
        assert (report["accepted"], report["refused"]) == (2, 1)
        told = lines(ran)[0]
        assert (told["object"], told["status"]) == (bad["id"], "refused")
        assert told["rule"].startswith("stix21-") and told["message"]
        text = setu("sync", node)
        assert text.stdout.startswith('jpcert "shared": 1 pages, 0 accepted')


def test_what_was_refused_comes_once_the_policy_takes_it(node):
    with Double(rows(25), page=10) as double:
        subscribe(node, double)
        (node / "policy.conf").write_text(POLICY.replace("accept from JP", "refuse from JP"))
        report, ran = sync(node)
        assert (report["accepted"], report["refused"]) == (0, 25) and held(node) == set()
        told, = ran.stderr.splitlines()
        assert "25 refused" in told and f"setu sync {node} jpcert --from-start" in told
        (node / "policy.conf").write_text(POLICY)
        report, ran = sync(node)
        assert (report["accepted"], report["refused"]) == (0, 0) and ran.stderr == ""
        report, _ = sync(node, "--from-start")
        assert (report["accepted"], report["unchanged"], report["refused"]) == (25, 0, 0)
        assert "added_after" not in double.seen()[-3].query and len(held(node)) == 25
        assert cursor(node) == double.objects[-1][0]
        report, _ = sync(node, "--from-start")
        assert (report["accepted"], report["unchanged"]) == (0, 25)
        report, _ = sync(node)
        assert (report["pages"], report["accepted"], report["unchanged"]) == (1, 0, 0)


def test_an_interrupted_pull_from_the_start_goes_on(node):
    with Double(rows(30), page=10) as double:
        subscribe(node, double)
        (node / "policy.conf").write_text(POLICY.replace("accept from JP", "refuse from JP"))
        assert sync(node)[0]["refused"] == 30
        (node / "policy.conf").write_text(POLICY)
        before = len(double.seen())
        double.pages = lambda r: (double.answer_objects(r) if len(double.seen()) < before + 2
                                  else Reply({"title": "broken"}, 500))
        assert sync(node, "--from-start", status=3)[0]["accepted"] == 10
        double.pages = double.answer_objects
        assert sync(node)[0]["accepted"] == 20
        assert len(held(node)) == 30


def test_from_the_start_is_the_first_round_only(node):
    with Double(rows(3)) as double:
        subscribe(node, double)
        sync(node)
        running = subprocess.Popen([SETU, "sync", node, "--every", "1", "--from-start", "--json"],
                                   stdout=subprocess.PIPE, text=True)
        wait_until(lambda: len(double.seen()) >= 3)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=60)
        assert [json.loads(line)["unchanged"] for line in out.splitlines()][:2] == [3, 0]


@pytest.mark.parametrize("theirs,kept", [("tlp:green", True), ("red", False), ("amber+strict", False),
                                         ("no such colour", False), (7, False), (None, True)])
def test_the_stricter_default_marking_holds(node, theirs, kept):
    with Double(rows(1)) as double:
        if theirs is not None:
            double.collections[0]["x_setu_default_marking"] = theirs
        subscribe(node, double)
        assert sync(node)[0]["accepted"] == 1
        assert bool(held(node)) == kept  # here released at home up to amber


# ---- again and again ----

def wait_until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_every_goes_on_until_it_is_stopped(node, stop):
    with Double(rows(1)) as double:
        subscribe(node, double)
        running = subprocess.Popen([SETU, "sync", node, "--every", "1", "--json"],
                                   stdout=subprocess.PIPE, text=True)
        wait_until(lambda: double.seen())
        double.objects.append(("2026-03-01T00:00:00.000000Z", indicator(7)))
        wait_until(lambda: len(double.seen()) >= 3)
        running.send_signal(stop)
        out, _ = running.communicate(timeout=60)
        assert running.returncode == 0
        assert sum(json.loads(line)["accepted"] for line in out.splitlines()) == 2


def test_a_server_that_hangs_does_not_hold_up_the_end(node):
    with Double() as double:
        subscribe(node, double)
        double.pages = lambda r: double.stop.wait(30) and None
        running = subprocess.Popen([SETU, "sync", node, "--every", "1"], stdout=subprocess.PIPE)
        wait_until(lambda: double.seen())
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        assert running.returncode == 0


def test_once_and_every_exclude_each_other(node):
    assert "exclude" in setu("sync", node, "--once", "--every", "5", status=2).stderr


def test_without_a_partner_it_says_so(node):
    assert "peer add" in setu("sync", node).stderr
