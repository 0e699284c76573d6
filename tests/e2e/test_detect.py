"""`setu detect`: the contract of its alerts, its sources of indicators, its sightings."""
import array
import base64
import bz2
import codecs
import fcntl
import gzip
import ipaddress
import json
import lzma
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import uuid
import zlib
from pathlib import Path

import pytest
from taxii_double import Double

ROOT = Path(__file__).resolve().parents[2]
SETU = Path(os.environ.get("SETU", ROOT / "build" / "setu")).resolve()
CORPUS = Path(os.environ.get("SETU_CORPUS", ROOT / ".." / "shared" / "corpus")).resolve()
sys.path.insert(0, str(ROOT / "examples"))
import cases  # noqa: E402
import generate  # noqa: E402

FIELDS = ["time", "input", "line", "offset", "kind", "observable", "seen", "relation",
          "indicator", "name", "tlp", "labels"]
ME = "identity--2f6a1c3e-7a5b-4c3d-8e9f-0a1b2c3d4e5f"


def run(*words, stdin=b"", cwd=None):
    ran = subprocess.run([SETU, *words], input=stdin, capture_output=True, cwd=cwd, timeout=120)
    return ran.returncode, ran.stdout, ran.stderr.decode()


def detect(*words, stdin=b"", cwd=None):
    """(exit status, alerts, stderr)"""
    status, out, error = run("detect", *words, stdin=stdin, cwd=cwd)
    return status, [json.loads(line) for line in out.decode().splitlines()], error


def made(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def indicator(pattern, **properties):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
            "pattern_type": "stix", "pattern": pattern, "valid_from": "2026-01-01T00:00:00Z",
            "indicator_types": ["malicious-activity"], **properties}


def bundle(path, *objects):
    return made(path, json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}",
                                  "objects": objects}, indent=1))


@pytest.fixture
def names(tmp_path):
    return made(tmp_path / "names.txt", "bad.example\n198.51.100.0/24\n")


def test_evidence_is_bounded_and_asked_for(tmp_path):
    many, long = indicator("[domain-name:value = 'many.example']"), indicator("[domain-name:value = 'long.example']")
    source, out = bundle(tmp_path / "b.json", many, long), tmp_path / "out.json"
    rest = b"x" * 3000
    log = b"".join(b"line %d many.example \xff\n" % n for n in range(9)) + rest + b" long.example " + rest + b"\n"
    words = ("-i", source, "--sightings-out", str(out))
    assert detect(*words, stdin=log)[0] == 0
    assert {o["type"] for o in json.loads(out.read_text())["objects"]} == {"sighting"}
    assert b"payload" not in out.read_bytes() and b"bGluZS" not in out.read_bytes() and b"line" not in out.read_bytes()
    assert detect(*words, "--evidence", stdin=log)[0] == 0
    objects = {o["id"]: o for o in json.loads(out.read_text())["objects"]}
    lines = {}
    for o in list(objects.values()):
        if o["type"] == "sighting":
            (data,) = [objects.pop(i) for i in o["observed_data_refs"]]
            assert data["type"] == "observed-data" and data["number_observed"] == len(data["object_refs"])
            assert o["first_seen"] <= data["first_observed"] <= data["last_observed"] <= o["last_seen"]
            artifacts = [objects.pop(i) for i in data["object_refs"]]
            assert all(a["type"] == "artifact" and a["mime_type"] == "text/plain" for a in artifacts)
            lines[o["sighting_of_ref"]] = [base64.b64decode(a["payload_bin"]) for a in artifacts]
    assert {o["type"] for o in objects.values()} == {"sighting"}
    assert lines[many["id"]] == [b"line %d many.example \xff" % n for n in range(3)]
    (line,) = lines[long["id"]]
    assert b"long.example" in line and 1000 < len(line) <= 1024
    assert run("check", str(out))[0] == 0
    status, _, error = detect("-i", source, "--evidence", stdin=log)
    assert status == 2 and "--evidence needs" in error


# ---- compiled sets ----


def test_a_compiled_set_finds_what_its_sources_do(tmp_path, names):
    stix = bundle(tmp_path / "b.json", indicator("[domain-name:value = 'stix.example']", name="n",
                                                 labels=["a,,b", "\u00fc"]))
    log = made(tmp_path / "log", "bad.example stix.example 198.51.100.3\n" * 3)
    target = str(tmp_path / "x.set")
    status, out, error = run("compile", "--json", "-o", target, names, stix)
    assert status == 0 and "3 used" in error
    assert {k: v for k, v in json.loads(out).items() if k != "seconds"} == {"indicators": 3, "values": 3}
    plain = detect("-i", names, "-i", stix, log)
    for threads in ((), ("-j", "1"), ("--threads", "7")):
        compiled = detect("-i", target, *threads, log)
        assert compiled[0] == plain[0] == 0 and len(compiled[1]) == 9
        for a, b in zip(compiled[1], plain[1]):
            assert {**a, "time": 0} == {**b, "time": 0}


def test_compile_replaces_a_compiled_set_and_nothing_else(tmp_path, names):
    target = str(tmp_path / "x.set")
    before = Path(names).read_bytes()
    for _ in range(2):
        assert run("compile", "-o", target, names)[0] == 0
    status, _, error = run("compile", "-o", names, names)
    assert status == 2 and f"{names} is there and no compiled set" in error
    assert Path(names).read_bytes() == before


def test_ecs_names_tlp_in_capitals(tmp_path):
    source = bundle(tmp_path / "b.json", indicator("[domain-name:value = 'bad.example']",
                                                   object_marking_refs=[cases.MARKING["GREEN1"]]))
    status, out, _ = run("detect", "--format", "ecs", "-i", source, stdin=b"bad.example\n")
    (alert,) = [json.loads(line) for line in out.splitlines()]
    (match,) = alert["threat"]["enrichments"]
    assert status == 0 and match["indicator"]["marking"] == {"tlp": "GREEN"}


def test_a_compiled_set_keeps_markings_for_sightings(tmp_path):
    mark = f"marking-definition--{uuid.uuid4()}"
    source = bundle(tmp_path / "b.json",
                    indicator("[domain-name:value = 'bad.example']", object_marking_refs=[mark]))
    target, out = str(tmp_path / "x.set"), tmp_path / "out.json"
    assert run("compile", "-o", target, source)[0] == 0
    assert detect("-i", target, "--sightings-out", str(out), stdin=b"bad.example\n")[0] == 0
    (sighting,) = json.loads(out.read_text())["objects"]
    assert sighting["object_marking_refs"] == [mark] and sighting["count"] == 1


def test_a_set_is_compiled_from_a_set_and_what_is_new(tmp_path):
    old = indicator("[domain-name:value = 'old.example']")
    new = {**old, "modified": "2026-02-01T00:00:00.000Z",
           "pattern": "[domain-name:value = 'new.example']"}
    one, two = str(tmp_path / "one.set"), str(tmp_path / "two.set")
    assert run("compile", "-o", one, bundle(tmp_path / "o.json", old))[0] == 0
    assert run("compile", "-o", two, one, bundle(tmp_path / "n.json", new))[0] == 0
    assert detect("-i", two, stdin=b"old.example\n")[0] == 1
    assert detect("-i", two, stdin=b"new.example\n")[0] == 0
    status, _, error = run("compile", "-o", two, one, two)
    assert status == 2 and "second compiled set" in error


def test_a_blinded_set_finds_what_its_sources_do_and_tells_nothing(tmp_path, names):
    secret = indicator("[domain-name:value = 'stix.example' OR ipv4-addr:value = '198.51.100.0/24']",
                       name="a secret name", description="told to nobody", labels=["secret-label"])
    stix, key, target = bundle(tmp_path / "b.json", secret), tmp_path / "key", tmp_path / "x.set"
    blind = ("--blind-key", str(key))
    status, _, error = run("compile", "-o", str(target), *blind, names, stix)
    assert status == 0, error
    assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_bytes()) == 32
    for word in (b"stix.example", b"example", b"198.51", b"secret", b"nobody", key.read_bytes()):
        assert word not in target.read_bytes()
    log = made(tmp_path / "log", "bad.example a.stix.example 198.51.100.3 other.example\n" * 3)
    plain = detect("-i", names, "-i", stix, log)
    found = detect("-i", str(target), *blind, log)
    assert plain[0] == found[0] == 0 and len(plain[1]) == len(found[1]) > 6
    for a, b in zip(found[1], plain[1]):
        assert [a[k] for k in ("line", "offset", "kind", "observable", "seen", "relation")] == \
            [b[k] for k in ("line", "offset", "kind", "observable", "seen", "relation")]
        assert a["name"] is None or a["name"] == ""
        assert (a["indicator"] == secret["id"]) == (b["indicator"] == secret["id"])

    # Beside others, in sightings, and looking back, by reading all.
    more = made(tmp_path / "more", "other.example\n")
    out = tmp_path / "out.json"
    _, alerts, _ = detect("-i", str(target), *blind, "-i", more, "--sightings-out", str(out), log)
    assert len(alerts) == len(found[1]) + 3
    (sighting,) = json.loads(out.read_text())["objects"]
    assert sighting["sighting_of_ref"] == secret["id"]
    index = str(tmp_path / "index")
    assert run("detect", "--index", index, log)[0] == 0
    status, hunted, _ = run("hunt", index, "-i", str(target), *blind)
    assert status == 0 and len(hunted.decode().splitlines()) == len(found[1])

    # What it cannot do it says.
    status, _, error = detect("-i", str(target), log)
    assert status == 2 and "--blind-key" in error
    other = made(tmp_path / "other.key", b"x" * 32)
    status, _, error = detect("-i", str(target), "--blind-key", other, log)
    assert status == 3 and "another key" in error
    for again in ((), blind):
        assert run("compile", "-o", str(tmp_path / "y.set"), *again, str(target))[0] in (2, 3)
    assert not (tmp_path / "y.set").exists()
    wide = made(tmp_path / "wide", "10.0.0.0/8\n")
    status, _, error = run("compile", "-o", str(tmp_path / "y.set"), *blind, wide)
    assert status == 3 and "/8" in error


def test_a_set_that_is_damaged_is_not_a_log_that_is_clean(tmp_path, names):
    target = tmp_path / "x.set"
    assert run("compile", "-o", str(target), names)[0] == 0
    good = target.read_bytes()
    for at in (9, 5000, len(good) // 2, len(good) - 5000):
        target.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        for log in (b"bad.example 198.51.100.3\n", pcap(ipv4("10.0.0.1", "198.51.100.7", 6, tcp(REQUEST)))):
            status, alerts, error = detect("-i", str(target), stdin=log)
            assert (status == 0 and len(alerts) == 2) or (status == 3 and "compile it again" in error)
    target.write_bytes(good[:len(good) // 2])
    status, _, error = detect("-i", str(target), stdin=b"bad.example\n")
    assert status == 3 and "compile it again" in error
    status, _, error = run("compile", "-o", str(tmp_path / "y.set"), made(tmp_path / "e", "# none\n"))
    assert status == 3 and "no indicator can be used" in error and not (tmp_path / "y.set").exists()


# ---- alerts ----


def test_an_alert_of_a_list(tmp_path, names):
    log = made(tmp_path / "a.log", b"quiet\nquery: Sub.BAD.example. IN A\r\n\x00\xff 198.51.100.7\n")
    status, alerts, error = detect("-i", names, log)
    assert status == 0 and "2 used, 0 not usable" in error
    assert [list(a) for a in alerts] == [FIELDS, FIELDS]
    first, second = alerts
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first.pop("time"))
    assert first == {"input": log, "line": 2, "offset": 13, "kind": "domain",
                     "observable": "sub.bad.example", "seen": "Sub.BAD.example.",
                     "relation": "subdomain", "indicator": "bad.example", "name": None,
                     "tlp": None, "labels": []}
    assert (second["line"], second["offset"], second["relation"]) == (3, 39, "inside")
    assert second["indicator"] == "198.51.100.0/24" and second["kind"] == "ipv4"


def test_an_alert_of_stix(tmp_path):
    o = indicator("[domain-name:value = 'bad.example']", name="Bad \"one\"", labels=["c2", "é"],
                  object_marking_refs=[cases.MARKING["GREEN1"]])
    status, alerts, _ = detect("-i", bundle(tmp_path / "b.json", o), "--json",
                               stdin=b"x bad.example")
    a, = alerts
    assert status == 0 and a["input"] == "-" and a["line"] == 1 and a["offset"] == 2
    assert (a["indicator"], a["name"], a["tlp"], a["labels"]) == (
        o["id"], "Bad \"one\"", "green", ["c2", "é"])


def test_one_value_in_two_feeds_is_two_alerts_and_twice_in_a_list_is_one(tmp_path, names):
    o = indicator("[domain-name:value = 'bad.example']")
    again = made(tmp_path / "again.txt", "bad.example\nbad.example\n")
    _, alerts, _ = detect("-i", names, "-i", again, "-i", bundle(tmp_path / "b.json", o),
                          stdin=b"bad.example\n")
    assert sorted(a["indicator"] for a in alerts) == sorted(["bad.example", o["id"]])


@pytest.mark.parametrize("inputs", [[], ["-"]])
def test_standard_input(names, inputs):
    assert detect("-i", names, *inputs, stdin=b"bad.example")[0] == 0
    assert detect("-i", names, *inputs, stdin=b"good.example")[:2] == (1, [])
    assert detect("-i", names, *inputs)[:2] == (1, [])


def test_a_pipe_that_stays_open_is_answered_at_once(names):
    with subprocess.Popen([SETU, "detect", "-i", names], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        p.stdin.write(b"one bad.example\ntwo")
        p.stdin.flush()
        assert json.loads(p.stdout.readline())["line"] == 1
        p.stdin.write(b" bad.example\n")
        p.stdin.flush()
        assert json.loads(p.stdout.readline())["offset"] == 20
        p.terminate()
        assert p.wait(60) == 0


SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("stop", SIGNALS)
def test_a_pipe_that_is_followed_until_a_signal(names, stop):
    """As after its end: the status tells whether there was an alert."""
    with subprocess.Popen([SETU, "detect", "-i", names], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        p.stdin.write("nothing of note\n")
        p.stdin.flush()
        left = array.array("i", [1])
        until = time.monotonic() + 60
        while left[0] and time.monotonic() < until:
            fcntl.ioctl(p.stdin, termios.FIONREAD, left)
        p.send_signal(stop)
        assert p.wait(60) == 1
        assert p.stdout.read() == "" and "interrupted: after 16 bytes of -" in p.stderr.read()


@pytest.fixture
def endless(tmp_path):
    """A file with one hit at its beginning that nobody reads to its end within a test."""
    path = tmp_path / "endless.log"
    path.write_text("bad.example\n")
    os.truncate(path, 1 << 40)
    return path


@pytest.mark.parametrize("stop", SIGNALS)
@pytest.mark.parametrize("how", ["named", "stdin", "among others"])
def test_a_file_that_is_not_read_to_its_end(tmp_path, endless, stop, how):
    o = indicator("[domain-name:value = 'bad.example']")
    out = tmp_path / "s.json"
    inputs = {"named": [endless], "stdin": [], "among others": [endless, "-", endless]}[how]
    with open(endless, "rb") as stdin, subprocess.Popen(
            [SETU, "detect", "-i", bundle(tmp_path / "b.json", o), "--sightings-out", out, *inputs],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        assert json.loads(p.stdout.readline())["seen"] == "bad.example"
        p.send_signal(stop)
        error = p.stderr.read()
        assert p.wait(60) == 3
    assert "interrupted: only the first" in error
    assert ("2 inputs were not scanned" in error) == (how == "among others")
    # What was seen before is told nevertheless.
    assert [s["sighting_of_ref"] for s in json.loads(out.read_text())["objects"]] == [o["id"]]


def test_offsets_in_a_large_input(tmp_path, names):
    """Several blocks, one line longer than a block: every seen stands where the alert says."""
    line = b"GET /index.html from 10.0.0.1 " * 3 + b"\n"
    text = bytearray()
    for i in range(60):
        text += line * 500 + b"z" * (i * 37) + b" bad.example "
        if i == 30:
            text += b"x" * 3_000_000 + b" bad.example " + b"y" * 1_500_000
    log = made(tmp_path / "large.log", bytes(text))
    status, alerts, _ = detect("-i", names, log)
    places = [m.start() for m in re.finditer(rb"bad\.example", text)]
    assert status == 0 and [a["offset"] for a in alerts] == places and len(places) == 61
    for a in alerts:
        assert a["line"] == text.count(b"\n", 0, a["offset"]) + 1


def test_memory_does_not_grow_with_the_input(tmp_path, names):
    program = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, stderr=-3);"
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    peaks = []
    for copies in (1, 40):
        log = made(tmp_path / f"{copies}.log", (b"w" * 900 + b" bad.example ") * 1000 * copies)
        ran = subprocess.run([sys.executable, "-c", program, SETU, "detect", "-i", names, log],
                             capture_output=True, check=True)
        peaks.append(int(ran.stdout))
    assert peaks[1] < peaks[0] + 8 * 1024  # KiB


# ---- time ----


def test_validity_is_judged_now_or_as_asked(tmp_path):
    past = indicator("[domain-name:value = 'past.example']", valid_until="2026-02-01T00:00:00Z")
    future = indicator("[domain-name:value = 'future.example']", valid_from="2099-01-01T00:00:00Z")
    path = bundle(tmp_path / "b.json", past, future)
    log = b"past.example future.example\n"

    def seen(*words):
        return [a["seen"] for a in detect("-i", path, *words, stdin=log)[1]]

    assert seen() == []
    assert seen("--as-of", "2026-01-15T00:00:00Z") == ["past.example"]
    assert seen("--as-of", "2026-01-31T23:59:59.999999Z") == ["past.example"]
    assert seen("--as-of", "2026-02-01T00:00:00Z") == []
    assert seen("--as-of", "2026-02-01T05:29:59+05:30") == ["past.example"]
    assert seen("--as-of", "2099-01-01T00:00:00Z") == ["future.example"]
    assert "2 not in force" in detect("-i", path, stdin=log)[2]


def test_the_newest_version_counts_and_revoking_removes(tmp_path):
    o = indicator("[domain-name:value = 'old.example']")
    newer = {**o, "modified": "2026-03-01T00:00:00.000Z",
             "pattern": "[domain-name:value = 'new.example']"}
    gone = {**newer, "modified": "2026-04-01T00:00:00.000Z", "revoked": True}
    log = b"old.example new.example\n"
    for i, order in enumerate(([o, newer], [newer, o])):
        path = bundle(tmp_path / f"{i}.json", *order)
        assert [a["seen"] for a in detect("-i", path, stdin=log)[1]] == ["new.example"]
    other = made(tmp_path / "gone.json", json.dumps(gone))
    status, alerts, error = detect("-i", other, "-i", path, stdin=log)
    assert (status, alerts) == (1, []) and "1 revoked" in error


# ---- what cannot be used or read ----


def test_what_cannot_be_used_is_named(tmp_path):
    objects = [indicator("rule x {}", pattern_type="yara"),
               indicator("[domain-name:value ="),
               indicator("[domain-name:value = 'a.example' AND domain-name:value = 'b.example']"),
               indicator("[domain-name:value = 'ok.example'] OR [process:pid = 4]"),
               indicator("[ipv4-addr:value = '300.1.1.1']")]
    path = bundle(tmp_path / "b.json", *objects)
    status, alerts, error = detect("-i", path, stdin=b"a.example b.example ok.example\n")
    assert status == 0 and [a["seen"] for a in alerts] == ["ok.example"]
    summary, = error.splitlines()
    assert summary.startswith("indicators: 1 used, 4 not usable, 1 used in part")
    assert all(o["id"] in summary for o in objects[:3]) and "yara" in summary
    assert "1 more" in summary
    lines = detect("-v", "-i", path, stdin=b"")[2].splitlines()
    assert len(lines) == 6 and lines[-1] == summary
    for o in objects:
        line, = (text for text in lines[:-1] if o["id"] in text)
        assert ("used in part" in line) == (o is objects[3])


def test_public_suffixes_match_alone_and_warninglists_leave_them_out(tmp_path):
    values = ["co.uk", "8.8.8.8", "10.0.0.0/8", "evil.example.net", "d41d8cd98f00b204e9800998ecf8427e"]
    log = b"a.co.uk co.uk 8.8.8.8 10.1.1.1 x.evil.example.net d41d8cd98f00b204e9800998ecf8427e\n"
    plain = made(tmp_path / "plain", "\n".join(values) + "\n")
    stix = bundle(tmp_path / "stix.json",
                  indicator("[ipv4-addr:value = '8.8.8.8' OR domain-name:value = 'evil.example.net']"),
                  indicator("[domain-name:value = 'co.uk']"))
    status, alerts, _ = detect("-i", plain, "-", stdin=log)
    assert status == 0
    assert [a["seen"] for a in alerts] == ["co.uk", "8.8.8.8", "10.1.1.1", "x.evil.example.net", values[4]]
    status, alerts, error = detect("-i", plain, "--warninglists", "-v", "-", stdin=log)
    assert status == 0 and [a["seen"] for a in alerts] == ["x.evil.example.net"]
    assert "1 used, 4 not usable" in error
    assert f"{plain}:1: co.uk: not usable: on the warning list top-site, public-suffix" in error
    assert f"{plain}:3: 10.0.0.0/8: not usable: on the warning list special-use" in error
    status, alerts, error = detect("-i", str(stix), "--warninglists", "-v", "-", stdin=log)
    assert status == 0 and [a["seen"] for a in alerts] == ["x.evil.example.net"]
    assert 'used in part: "8.8.8.8": on the warning list public-resolver' in error
    compiled = str(tmp_path / "set")
    assert run("compile", "--warninglists", "-o", compiled, plain)[0] == 0
    status, alerts, _ = detect("-i", compiled, "-", stdin=log)
    assert status == 0 and [a["seen"] for a in alerts] == ["x.evil.example.net"]


def test_a_list_with_a_line_that_is_no_value(tmp_path):
    path = made(tmp_path / "l.txt", "bad.example\nthis is no value\x1b[31m\n")
    status, _, error = detect("-v", "-i", path, stdin=b"bad.example\n")
    assert status == 0 and "1 used, 1 not usable" in error
    assert f"{path}:2: this is no value" in error and "\x1b" not in error


def test_exit_status_and_messages(tmp_path, names):
    log = made(tmp_path / "a.log", "bad.example\n")
    status, _, error = detect(log)
    assert status == 2 and "--indicators" in error
    assert detect("-i", names, "--as-of", "yesterday", log)[0] == 2
    assert detect("-i", names, "--user", "me", log)[0] == 2
    assert detect("-i", names, "--cert", "me.pem", log)[0] == 2
    assert detect("-i", "-", stdin=b"x")[0] == 2
    for wrong in ("foo", "identity--1", "indicator" + ME[8:]):
        status, _, error = detect("-i", names, "--identity", wrong, log)
        assert status == 2 and "--identity" in error
    (tmp_path / "empty").mkdir()
    for missing in ("no-such-file", str(tmp_path / "empty")):
        status, alerts, error = detect("-i", missing, log)
        assert (status, alerts) == (3, []) and missing in error
        # The other inputs are read nevertheless.
        status, alerts, error = detect("-i", names, missing, log)
        assert status == 3 and len(alerts) == 1 and missing in error
    broken = made(tmp_path / "b.json", '{"type": "bundle",\n "objects": [}')
    status, _, error = detect("-i", broken, log)
    assert status == 3 and "line 2" in error and broken in error
    misp = made(tmp_path / "misp.json", '{"Event": {"info": "x"}}')
    assert detect("-i", misp, log)[0] == 3


@pytest.mark.parametrize("content,says", [
    (b"", "no indicator can be used"),
    (b"# nothing yet\n", "no indicator can be used"),
    (b"what is this\n", "no indicator can be used"),
    (b'{"type": "bundle", "id": "bundle--8c1f2a40-5b1c-4c3d-8e9f-0a1b2c3d4e5f"}', "no indicator can"),
    (b"{}", "no indicator can be used"),
    (json.dumps([indicator("rule x {}", pattern_type="yara")]).encode(), "no indicator can be used"),
    ("bad.example\n".encode("utf-16"), "iconv"),
    ("bad.example\n".encode("utf-16-le"), "iconv"),
    (bz2.compress(b"bad.example\n"), "bzcat"),
    (gzip.compress(b"bad.example\n"), "zcat"),
    (b"\xfd7zXZ\0", "xzcat"),
    (b"\x28\xb5\x2f\xfd", "zstdcat"),
])
def test_a_feed_that_is_broken_is_not_a_log_that_is_clean(tmp_path, names, content, says):
    feed = made(tmp_path / "feed", content)
    for words, stdin in (["-i", feed], b"bad.example\n"), (["-i", "-", names], content):
        status, alerts, error = detect(*words, stdin=stdin)
        assert (status, alerts) == (3, []) and says in error, error
    # Beside another feed one that cannot be read at all stays an error, one that is empty is none.
    status, alerts, _ = detect("-i", names, "-i", feed, stdin=b"bad.example\n")
    assert (status, len(alerts)) == ((0, 1) if says.startswith("no indicator") else (3, 0))


def test_a_feed_with_nothing_in_force_is_an_answer(tmp_path):
    past = indicator("[domain-name:value = 'bad.example']", valid_until="2026-02-01T00:00:00Z")
    gone = indicator("[domain-name:value = 'bad.example']", revoked=True)
    for o, says in (past, "1 not in force"), (gone, "1 revoked"):
        status, alerts, error = detect("-i", bundle(tmp_path / "b.json", o), stdin=b"bad.example\n")
        assert (status, alerts) == (1, []) and says in error


def test_an_empty_collection_is_an_answer(tmp_path):
    home = str(tmp_path / "empty")
    assert run("init", home, "--name", "n", "--nation", "JP")[0] == 0
    assert run("collection", "add", home, "--title", "Feed")[0] == 0
    status, alerts, error = detect("-i", home, stdin=b"bad.example\n")
    assert (status, alerts) == (1, []) and "0 used" in error
    assert detect("-i", home, "-i", "/dev/null", stdin=b"bad.example\n")[0] == 3


def test_indicators_from_standard_input(tmp_path):
    log = made(tmp_path / "a.log", "bad.example\n")
    assert detect("-i", "-", log, stdin=b"bad.example\n")[0] == 0


def test_folders_are_read_file_by_file(tmp_path, names):
    logs = tmp_path / "logs"
    (logs / "b").mkdir(parents=True)
    (logs / "empty").mkdir()
    for name in ("c.log", "a.log", "b/z.log", "b/y.log.gz", ".hidden"):
        text = f"{name} bad.example\n".encode()
        made(logs / name, gzip.compress(text) if name.endswith("gz") else text)
    (logs / "link").symlink_to(logs / "a.log")
    (logs / "loop").symlink_to(logs)
    os.mkfifo(logs / "pipe")
    status, alerts, _ = detect("-i", names, logs, str(logs / "c.log"))
    assert status == 0 and [a["input"] for a in alerts] == \
        [str(logs / n) for n in ("a.log", "b/y.log.gz", "b/z.log", "c.log", "c.log")]
    status, alerts, error = detect("-i", names, logs / "empty", logs / "a.log")
    assert status == 3 and len(alerts) == 1 and "in which there is no file" in error
    status, _, error = run("detect", "--index", tmp_path / "ix", logs)
    assert status == 3 and f"no index of {logs / 'b/y.log.gz'}: it is packed" in error and "3 written" in error
    assert [a["line"] for a in (json.loads(x) for x in run("hunt", tmp_path / "ix", "bad.example")[1].splitlines())] == [1] * 3


def test_a_summary_takes_the_place_of_alerts(tmp_path, names):
    a = made(tmp_path / "a.log", "www.bad.example\nnothing\n198.51.100.7 bad.example\n")
    b = made(tmp_path / "b.log", "198.51.100.9\n" * 3)
    status, found, _ = detect("-i", names, "--summary", "-j", "1", a, b)
    assert status == 0
    short = [(s["indicator"], s["observable"], s["count"], Path(s["first"]["input"]).name, s["first"]["line"],
              Path(s["last"]["input"]).name, s["last"]["line"]) for s in found]
    assert short == [("198.51.100.0/24", "198.51.100.7", 4, "a.log", 3, "b.log", 3),
                     ("bad.example", "www.bad.example", 2, "a.log", 1, "a.log", 3)]
    stix = bundle(tmp_path / "b.json", indicator("[domain-name:value = 'bad.example']", name="n"))
    assert [s["name"] for s in detect("-i", stix, "--summary", a)[1]] == ["n"]
    assert detect("-i", names, "--summary", stdin=b"nothing\n")[:2] == (1, [])


ZSTD = shutil.which("zstd")
PACKERS = {"gzip": gzip.compress, "xz": lzma.compress,
           "zstd": lambda text: subprocess.run([ZSTD, "-q", "-c"], input=text, capture_output=True, check=True).stdout}


@pytest.mark.parametrize("packer", ["gzip", "xz", "zstd"])
def test_packed_logs_are_read_as_what_they_hold(tmp_path, names, packer):
    pack = PACKERS[packer]
    text = b"".join(b"%d nothing of note in this line\n" % n + b"bad.example\n" * (n % 5000 == 7) for n in range(60000))
    plain = detect("-i", names, made(tmp_path / "log", text))
    assert plain[0] == 0 and len(plain[1]) == 12

    def places(alerts):
        return [(a["line"], a["offset"], a["seen"]) for a in alerts]

    half = len(text) // 2
    for packed in pack(text), pack(text[:half]) + pack(text[half:]), pack(b"") + pack(text) + pack(b""):
        log = made(tmp_path / "packed", packed)
        for words, stdin in ((["-j", "1", log], b""), (["-j", "3", log], b""), ([], packed)):
            status, alerts, error = detect("-i", names, *words, stdin=stdin)
            assert (status, places(alerts)) == (0, places(plain[1])), error
    # What is cut off or damaged is told, and what stands before is not lost.
    packed = pack(text)
    if packer == "gzip":  # blocks of tapes are filled up so
        for padded in (packed + b"\0", packed + b"\0" * 600000, pack(text[:half]) + b"\0" * 511 + pack(text[half:])):
            status, alerts, error = detect("-i", names, made(tmp_path / "packed", padded))
            assert (status, places(alerts)) == (0, places(plain[1])), error
    for bad, says in ((packed[:len(packed) * 2 // 3], "ends too early"), (packed + b"more than a head of any format", "is damaged"),
                      (packed[:len(packed) // 2] + b"\0" * 2000 + packed[len(packed) // 2:], "is damaged")):
        status, alerts, error = detect("-i", names, made(tmp_path / "packed", bad))
        found = places(alerts)
        assert status == 3 and f"the {packer} data {says}" in error and found == places(plain[1])[:len(found)], error
    assert detect("-i", names, made(tmp_path / "packed", pack(b"")))[:2] == (1, [])
    # An index is kept of text alone, and a packed capture is named.
    status, _, error = run("detect", "--index", tmp_path / "ix", made(tmp_path / "packed", packed))
    assert status == 3 and "1 inputs of which none is kept" in error and "it is packed" in error
    capture = pack(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    status, _, error = detect("-i", names, made(tmp_path / "packed", capture))
    assert status == 3 and "a packed capture" in error


def test_a_small_file_that_holds_much_takes_little_memory(tmp_path, names):
    """A gigabyte of blanks in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    log = made(tmp_path / "much.gz", b"".join([*(packer.compress(b" " * (1 << 20)) for _ in range(1024)),
                                               packer.compress(b"\nbad.example\n"), packer.flush()]))
    out = subprocess.run(["/usr/bin/env", "python3", "-c", "import resource, subprocess, sys; "
                          "print(subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode, "
                          "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", SETU, "detect", "-i", names, log],
                         capture_output=True, check=True).stdout.split()
    assert out[0] == b"0" and int(out[1]) < 200 << 10, out  # KiB; sanitizers take their share


@pytest.mark.parametrize("content,says", [
    (b"\x04\x22\x4d\x18\x00rest", "lz4cat"),
    (bz2.compress(b"bad.example\n"), "bzcat"),
    (bz2.compress(b""), "bzcat"),
    (b"PK\3\4\x14\0\0\0\x08\0 and so on", "unzip -p"),
    ("bad.example\n".encode("utf-16"), "iconv -f utf-16 "),
    (codecs.BOM_UTF16_BE + "bad.example\n".encode("utf-16-be"), "iconv -f utf-16 "),
    ("2026 bad.example\n".encode("utf-16-le"), "iconv -f utf-16le"),
    ("2026 bad.example\n".encode("utf-16-be"), "iconv -f utf-16be"),
])
def test_an_input_whose_text_cannot_be_seen_was_not_read(tmp_path, names, content, says):
    """No alert of it is no sign that there is none."""
    log, clean = made(tmp_path / "a.log", content), made(tmp_path / "clean.log", "bad.example\n")
    for words, stdin, found in ([log], b"", 0), ([], content, 0), ([log, clean], b"", 1):
        status, alerts, error = detect("-i", names, *words, stdin=stdin)
        assert (status, len(alerts)) == (3, found) and says in error, error
    status, _, error = run("detect", "--index", tmp_path / "ix", log)
    assert status == 3 and says in error and log in error
    if "iconv" in says:
        status, alerts, error = detect("-i", names, made(tmp_path / "a.log.gz", gzip.compress(content)))
        assert (status, alerts) == (3, []) and says in error


@pytest.mark.parametrize("content", [
    b"BZh and others met\nbad.example\n", b"PKI at bad.example\n", b"\0" * 4096 + b"bad.example\n", b"a\0b\0c\nbad.example\n",
    b"a\0\nbad.example\n"])
def test_text_that_only_starts_like_what_is_none(tmp_path, names, content):
    status, alerts, error = detect("-i", names, made(tmp_path / "a.log", content))
    assert (status, len(alerts)) == (0, 1) and "warning" not in error


def test_a_full_standard_output(names):
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([SETU, "detect", "-i", names], input=b"bad.example\n", stdout=full,
                             stderr=subprocess.PIPE)
    assert ran.returncode == 3 and b"standard output" in ran.stderr


# ---- the examples ----


def readable_bundle(path):
    """What Tsubame's node shows Tsubame of both nations."""
    objects = [o for home, document in (("IN", cases.india()), ("JP", cases.japan()))
               for o in document["objects"] if not cases.withheld(o, home, generate.READER)]
    return bundle(path, *objects)


def test_examples(tmp_path):
    fields = ("input", "line", "kind", "observable", "seen", "relation", "indicator")
    expected = [json.loads(line) for line in
                (ROOT / "examples/expected-alerts.jsonl").read_text().splitlines()]
    status, alerts, error = detect("-i", readable_bundle(tmp_path / "b.json"), *generate.LINES,
                                   "--as-of", "2026-09-14T12:00:00Z", cwd=ROOT / "examples/logs")
    found = {tuple(a[f] for f in fields) for a in alerts}
    wanted = {tuple(a[f] for f in fields) for a in expected}
    assert status == 0, error
    assert sorted(wanted - found) == [] and sorted(found - wanted) == []
    for name in generate.LINES:
        text = (ROOT / "examples/logs" / name).read_bytes()
        for a in (a for a in alerts if a["input"] == name):
            seen = a["seen"].encode()
            assert text[a["offset"]:a["offset"] + len(seen)] == seen
            assert text.count(b"\n", 0, a["offset"]) + 1 == a["line"]


# ---- the corpus: planted hits and near misses in five formats ----


@pytest.mark.parametrize("count", [10_000, 100_000, 1_000_000])
def test_corpus(tmp_path_factory, count):
    source = CORPUS / "detect" / "gen.c"
    if not source.exists():
        pytest.skip(f"{source} is not there; SETU_CORPUS names the folder that holds detect/gen.c")
    at = tmp_path_factory.getbasetemp() / "corpus"
    if not at.exists():
        at.mkdir()
        subprocess.run(["cc", "-O2", "-w", "-o", at / "gen", source, "-lm"], check=True)
        # 6 MB of logs; a hit and a near miss on about 1 line in 100 each; a million indicators.
        subprocess.run([at / "gen", at, "7", "6", "100", "100", "1000000"], check=True,
                       capture_output=True)
        (at / "gen").unlink()
    indicators = {10_000: "ind_10k.txt", 100_000: "ind_100k.txt", 1_000_000: "ind_1M.txt"}[count]
    wanted = set()
    for row in (at / "expected.tsv").read_text().splitlines():
        file, line, index, _, _, value, _ = row.split("\t")
        if int(index) < count:
            wanted.add((file, int(line), value))
    logs = ["eve.json", "conn.log", "dns.log", "access.log", "syslog.log"]
    status, alerts, error = detect("-i", indicators, *logs, cwd=at)
    found = {(a["input"], a["line"], a["indicator"]) for a in alerts}
    assert status == 0 and f"{count} used, 0 not usable" in error and len(wanted) > 50
    assert sorted(wanted - found) == []
    # The table names the first indicator that holds an address; other ranges may hold it as well.
    lines = {(file, line) for file, line, _ in wanted}
    for a in alerts:
        if (a["input"], a["line"], a["indicator"]) not in wanted:
            assert a["relation"] == "inside" and (a["input"], a["line"]) in lines, a
            address = ipaddress.ip_address(a["observable"])
            assert address in ipaddress.ip_network(a["indicator"]), a


# ---- sightings ----


def test_sightings_into_a_file(tmp_path):
    amber = indicator("[domain-name:value = 'bad.example']",
                      object_marking_refs=[cases.MARKING["GREEN"], cases.MARKING["AMBER"]])
    plain = indicator("[ipv4-addr:value = '198.51.100.7']")
    unseen = indicator("[domain-name:value = 'unseen.example']")
    listed = made(tmp_path / "l.txt", "listed.example\n")
    out = tmp_path / "sightings.json"
    status, alerts, error = detect(
        "-i", bundle(tmp_path / "b.json", amber, plain, unseen), "-i", listed, "--identity", ME,
        "--sightings-out", str(out),
        stdin=b"hanako asked for bad.example\nx.bad.example 198.51.100.7 listed.example\n")
    assert status == 0 and len(alerts) == 4 and "2 written" in error
    assert b"hanako" not in out.read_bytes() and b"bad.example" not in out.read_bytes()
    found = {o["sighting_of_ref"]: o for o in json.loads(out.read_text())["objects"]}
    assert set(found) == {amber["id"], plain["id"]}
    s = found[amber["id"]]
    assert uuid.UUID(s.pop("id").removeprefix("sighting--")).version == 4
    assert s["created"] == s["modified"] and s["first_seen"] <= s["last_seen"] <= s["created"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", s["created"])
    assert {k: v for k, v in s.items() if k not in ("created", "modified", "first_seen",
                                                    "last_seen")} == {
        "type": "sighting", "spec_version": "2.1", "created_by_ref": ME, "count": 2,
        "sighting_of_ref": amber["id"], "where_sighted_refs": [ME],
        "object_marking_refs": [cases.MARKING["AMBER"]]}
    assert "object_marking_refs" not in found[plain["id"]]
    assert run("check", str(out))[0] == 0


@pytest.fixture
def node(tmp_path):
    home = str(tmp_path / "node")
    for words in (["init", home, "--name", "tsubame", "--nation", "JP", "--identity", ME],
                  ["collection", "add", home, "--title", "Feed", "--alias", "feed"],
                  ["import", home, "--collection", "feed", readable_bundle(tmp_path / "in.json")]):
        status, _, error = run(*words)
        assert status in (0, 1), error
    return home


def sightings_of(home):
    status, out, error = run("export", home)
    assert status == 0, error
    return [o for o in json.loads(out)["objects"]
            if o["type"] == "sighting" and o.get("created_by_ref") == ME]


LOGS = [str(ROOT / "examples/logs" / name) for name in generate.LINES]


def test_a_nodes_directory(node):
    expected = {json.loads(line)["indicator"] for line in
                (ROOT / "examples/expected-alerts.jsonl").read_text().splitlines()}
    status, alerts, error = detect("-i", node, *LOGS, "--sightings", node)
    assert status == 0, error
    assert {a["indicator"] for a in alerts} == expected
    assert {s["sighting_of_ref"] for s in sightings_of(node)} == expected
    assert f"{len(expected)} taken, 0 refused" in error
    counts = {s["sighting_of_ref"]: s["count"] for s in sightings_of(node)}
    assert sum(counts.values()) == len(alerts)


def test_an_unmarked_object_has_its_collections_marking(tmp_path, node):
    o = indicator("[domain-name:value = 'bad.example']")
    assert run("import", node, "--collection", "feed", bundle(tmp_path / "b.json", o))[0] == 0
    status, alerts, _ = detect("-i", node, "--sightings", node, stdin=b"bad.example\n")
    assert status == 0 and alerts[0]["tlp"] == "amber"
    s, = (s for s in sightings_of(node) if s["sighting_of_ref"] == o["id"])
    assert s["object_marking_refs"] == [cases.MARKING["AMBER"]]


@pytest.mark.parametrize("marks,tlp", [([], "amber"), (["GREEN"], "green"), (["RED"], "red")])
def test_two_copies_of_a_version_have_the_stricter_marking_in_any_order(tmp_path, node, marks, tlp):
    """The unmarked copy of the collection counts as amber there; so it does beside a file's."""
    o = indicator("[domain-name:value = 'bad.example']",
                  object_marking_refs=[cases.MARKING[m] for m in marks])
    o = {k: v for k, v in o.items() if v != []}
    plain = {k: v for k, v in o.items() if k != "object_marking_refs"}
    assert run("import", node, "--collection", "feed", bundle(tmp_path / "n.json", plain))[0] == 0
    file = bundle(tmp_path / "f.json", o)
    wanted = max("amber", tlp, key=["green", "amber", "red"].index)
    out = str(tmp_path / "s.json")
    for order in (["-i", node, "-i", file], ["-i", file, "-i", node]):
        _, (alert,), _ = detect(*order, "--sightings-out", out, stdin=b"bad.example\n")
        assert alert["tlp"] == wanted
        s, = json.loads(Path(out).read_text())["objects"]
        assert s["object_marking_refs"] == [cases.MARKING[wanted.upper()]]


def test_a_sighting_keeps_the_terms_of_use(tmp_path, node):
    terms = {"type": "marking-definition", "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
             "id": f"marking-definition--{uuid.uuid4()}", "definition_type": "statement",
             "definition": {"statement": "Copyright 2026"}}
    o = indicator("[domain-name:value = 'bad.example']",
                  object_marking_refs=[terms["id"], cases.MARKING["GREEN"]])
    assert run("import", node, "--collection", "feed",
               bundle(tmp_path / "b.json", terms, o))[0] == 0
    status, _, error = detect("-i", node, "--sightings", node, stdin=b"bad.example\n")
    assert status == 0 and "1 taken, 0 refused" in error
    s, = (s for s in sightings_of(node) if s["sighting_of_ref"] == o["id"])
    assert s["object_marking_refs"] == [cases.MARKING["GREEN"], terms["id"]]
    out = tmp_path / "s.json"
    detect("-i", node, "--sightings-out", str(out), stdin=b"bad.example\n")
    assert run("check", str(out))[0] == 0


def test_a_directory_without_that_collection(node):
    status, _, error = detect("-i", node, "--collection", "other", stdin=b"")
    assert status == 3 and node in error
    assert run("collection", "add", node, "--title", "Second")[0] == 0
    status, _, error = detect("-i", node, "--sightings", node, stdin=b"")
    assert status == 2 and "2 collections" in error


@pytest.fixture
def served(node, tmp_path):
    """(URL, options) of the node, served, and a sensor's credentials."""
    _, out, _ = run("user", "add", node, "soc", "--role", "sensor", "--org", "tsubame-5g",
                    "--nation", "JP", "--json")
    token = made(tmp_path / "token", json.loads(out)["token"] + "\n")
    with subprocess.Popen([SETU, "serve", node, "--listen", "127.0.0.1:0"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        ready = json.loads(p.stdout.readline())
        yield ready["url"], ["--ca", ready["ca"], "--token-file", token]
        p.terminate()
        assert p.wait(20) == 0


def test_a_servers_collection(node, served, tmp_path):
    url, how = served
    status, alerts, error = detect("-i", url, "--collection", "feed", *how, *LOGS,
                                   "--sightings", url)
    assert status == 0, error
    assert len({a["indicator"] for a in alerts}) > 20 and "0 refused" in error
    status, out, error = run("export", node, "--for", "soc")
    assert status == 0, error
    by_me = [o for o in json.loads(out)["objects"]
             if o["type"] == "sighting" and o.get("where_sighted_refs", []) ==
             [o.get("created_by_ref")] and o["sighting_of_ref"] in {a["indicator"] for a in alerts}]
    assert len(by_me) >= len({a["indicator"] for a in alerts})


@pytest.mark.parametrize("secret", ["token", "password", "certificate"])
def test_credentials_go_to_one_server(tmp_path, node, secret):
    file = made(tmp_path / "secret", "a-secret")
    how = {"token": ["--token-file", file], "password": ["--user", "me", "--password-file", file],
           "certificate": ["--cert", node + "/tls/node.pem", "--key", node + "/tls/node.key"]}[secret]
    with Double() as one, Double() as two:
        for words in (["-i", one.url, "-i", two.url], ["-i", one.url, "--sightings", two.url],
                      ["-i", one.url, "-i", one.url.replace("127.0.0.1", "localhost")],
                      ["-i", one.url, "-i", "https" + one.url[4:]]):
            status, _, error = detect(*words, "--identity", ME, "--collection", "shared", *how,
                                      stdin=b"bad.example\n")
            assert status == 2 and "one server" in error, error
        assert one.requests == two.requests == []
        status, alerts, error = detect("-i", one.url, "-i", one.url.upper().replace("HTTP", "http")
                                       + "/api/", *how, "--collection", "shared", stdin=b"x")
        assert (status, alerts) == (1, []) and "0 used" in error, error
        # Without credentials any number of servers may be asked.
        assert detect("-i", one.url, "-i", two.url, "--collection", "shared", stdin=b"x")[0] == 1
        assert two.requests


def test_a_server_is_asked_for_indicators_alone(tmp_path):
    """Page by page; one that filters nothing is read as well."""
    bad = indicator("[domain-name:value = 'bad.example']")
    note = {**bad, "type": "note", "id": bad["id"].replace("indicator", "note")}
    rows = [(f"2026-02-01T00:00:0{n}.000000Z", o) for n, o in enumerate([note, note, bad])]
    with Double(rows, page=2) as double:
        status, alerts, error = detect("-i", double.url, "--collection", "shared", stdin=b"bad.example\n")
        asked = [r.query for r in double.requests if r.path.endswith("/objects/")]
    assert status == 0 and len(alerts) == 1, error
    assert [q["match[type]"] for q in asked] == ["indicator"] * 2


def test_a_server_that_does_not_answer(names, tmp_path):
    status, _, error = detect("-i", "https://127.0.0.1:9/", "--collection", "x", stdin=b"")
    assert status == 3 and "127.0.0.1:9" in error
    out = tmp_path / "s.json"
    status, _, error = detect("-i", names, "--sightings", "https://127.0.0.1:9/", "--collection",
                              "x", "--identity", ME, "--sightings-out", str(out), stdin=b"")
    assert status == 3 and not out.exists()


def test_sightings_that_cannot_be_sent_are_kept(node, served, tmp_path):
    """A reader may not write: the post fails, the envelope is in the file."""
    url, how = served
    _, out, _ = run("user", "add", node, "look", "--role", "reader", "--org", "tsubame-5g",
                    "--nation", "JP", "--json")
    token = made(tmp_path / "reader", json.loads(out)["token"])
    kept = tmp_path / "kept.json"
    status, alerts, error = detect("-i", url, "--collection", "feed", *how[:2], "--token-file",
                                   token, *LOGS, "--sightings", url, "--sightings-out", str(kept))
    assert status == 3 and alerts, error
    assert len(json.loads(kept.read_text())["objects"]) == len({a["indicator"] for a in alerts})


# ---- captures ----

FRAME_FIELDS = ["time", "input", "frame", "offset", "kind", "observable", "seen", "relation",
                "indicator", "name", "tlp", "labels", "field"]
TUNNEL_FIELDS = ["interface", "direction", "teid", "qfi", "session", "ran_node", "sst", "sd"]
SIGNAL_FIELDS = ["time", "input", "frame", "rule", "severity", "technique", "interface", "session",
                 "message", "direction", "teid", "ran_node", "sst", "sd"]


def ipv4(src, dst, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed)
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack(">H", ~total & 0xffff) + head[12:] + payload


def udp(src, dst, payload):
    return struct.pack(">HHHH", src, dst, 8 + len(payload), 0) + payload


def pcap(*packets):
    """Raw IP packets, a second apart from 2026-01-01T00:00:00Z."""
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for n, p in enumerate(packets):
        out += struct.pack("<IIII", 1767225600 + n, 250000, len(p), len(p)) + p
    return out


REQUEST = b"GET /x HTTP/1.1\r\nHost: Sub.BAD.example\r\n\r\n"


def tcp(payload):
    return struct.pack(">HHIIHHHH", 4000, 80, 1, 0, 0x5018, 8192, 0, 0) + payload


def tunnelled(inner, teid=8, port=2152):
    container = b"\x00\x00\x00\x85\x01\x10\x05\x00"  # uplink, QFI 5
    gtpu = b"\x34\xff" + struct.pack(">HI", len(container) + len(inner), teid) + container + inner
    return ipv4("192.0.2.1", "192.0.2.2", 17, udp(2152, port, gtpu))


def test_a_capture_has_frames(tmp_path, names):
    bare = ipv4("10.0.0.1", "198.51.100.7", 6, tcp(REQUEST))
    path = made(tmp_path / "a.pcap", pcap(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, b"bad.example")),
                                          bare, tunnelled(bare)))
    status, alerts, _ = detect("-i", names, path)
    assert status == 0
    assert [(a["frame"], a["field"], a["kind"]) for a in alerts] == [
        (2, "destination", "ipv4"), (2, "http", "domain"),
        (3, "destination", "ipv4"), (3, "http", "domain")]
    assert [list(a) for a in alerts] == 2 * [FRAME_FIELDS] + 2 * [FRAME_FIELDS + TUNNEL_FIELDS]
    assert alerts[1]["time"] == "2026-01-01T00:00:01.250000Z"
    assert (alerts[1]["observable"], alerts[1]["relation"]) == ("sub.bad.example", "subdomain")
    assert {k: alerts[3][k] for k in TUNNEL_FIELDS} == {
        "interface": None, "direction": "uplink", "teid": 8, "qfi": 5, "session": None,
        "ran_node": None, "sst": None, "sd": None}


def test_a_capture_through_a_pipe_and_one_that_is_cut(tmp_path, names):
    whole = pcap(ipv4("10.0.0.1", "198.51.100.7", 6, tcp(REQUEST)))
    assert [a["frame"] for a in detect("-i", names, stdin=whole)[1]] == [1, 1]
    cut = made(tmp_path / "cut.pcap", whole + whole[24:40])
    status, alerts, error = detect("-i", names, cut)
    assert status == 3 and len(alerts) == 2 and "damaged behind frame 1" in error
    assert detect("-i", names, made(tmp_path / "no.pcap", whole[:10]))[0] == 3


def test_a_capture_is_looked_at_with_a_compiled_set(tmp_path, names):
    old = indicator("[domain-name:value = 'sub.bad.example']")
    stix = bundle(tmp_path / "b.json", old)
    target = str(tmp_path / "x.set")
    assert run("compile", "-o", target, names, stix)[0] == 0
    bare = ipv4("10.0.0.1", "198.51.100.7", 6, tcp(REQUEST))
    clean = 20000 * [ipv4("10.0.0.1", "192.0.2.7", 17, udp(1, 2, bytes(30)))]
    whole = pcap(bare, *clean, tunnelled(bare))
    path = made(tmp_path / "a.pcap", whole)
    plain = detect("-i", names, "-i", stix, path)
    assert plain[0] == 0 and [a["frame"] for a in plain[1]] == 3 * [1] + 3 * [20002]
    for threads in ((), ("-j", "1"), ("-j", "7")):
        assert detect("-i", target, *threads, path)[:2] == plain[:2]
    piped = detect("-i", target, stdin=whole)
    assert piped[0] == 0 and [{**a, "input": path} for a in piped[1]] == plain[1]
    newer = bundle(tmp_path / "n.json", {**old, "modified": "2026-02-01T00:00:00.000Z",
                                         "pattern": "[domain-name:value = 'other.example']"})
    both = detect("-i", target, "-i", newer, path)
    assert [a for a in plain[1] if a["indicator"] != old["id"]] == both[1] and len(both[1]) == 4


def test_a_pipe_with_a_capture_is_answered_at_once(names):
    whole = pcap(ipv4("10.0.0.1", "198.51.100.7", 6, tcp(REQUEST)))
    with subprocess.Popen([SETU, "detect", "-i", names], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdin.write(whole)
        p.stdin.flush()
        assert json.loads(p.stdout.readline())["frame"] == 1
        p.terminate()
        assert p.wait(60) == 0


def test_signalling_is_judged_alone_or_with_indicators(tmp_path, names):
    inner = ipv4("10.0.0.1", "192.0.2.2", 17, udp(8805, 8805, b"\x21\x36\x00\x0c" + bytes(12)))
    path = made(tmp_path / "a.pcap", pcap(tunnelled(inner)))
    status, alerts, error = detect("--5g", path)
    alert, = alerts
    assert status == 0 and list(alert) == SIGNAL_FIELDS and "1 frames" in error
    assert (alert["rule"], alert["frame"], alert["session"]) == ("core-protocol-from-ue", 1, None)
    assert detect("-i", names, path)[:2] == (1, [])
    assert detect(path)[0] == 2 and detect("--5g", "-i", names, stdin=b"bad.example")[0] == 0


def test_the_rules_are_listed_and_told_of_the_network(tmp_path):
    status, rules, _ = detect("--5g", "rules", "--json")
    assert status == 0 and {"gtp-in-gtp", "pfcp-seid-guessing", "ngap-new-gnb"} <= {
        r["rule"] for r in rules}
    assert b"G1  gtp-in-gtp" in run("detect", "--5g", "rules")[1]
    inner = ipv4("10.0.0.1", "192.0.2.9", 17, udp(9, 9, b""))
    path = made(tmp_path / "a.pcap", pcap(tunnelled(inner)))
    good = made(tmp_path / "good", "core 192.0.2.0/24\n")
    bad = made(tmp_path / "bad", "# none\ncor 192.0.2.0/24\n")
    assert [a["rule"] for a in detect("--5g", "--5g-config", good, path)[1]] == [
        "core-protocol-from-ue"]
    status, _, error = detect("--5g", "--5g-config", bad, path)
    assert status == 3 and "line 2" in error


def test_handles_of_sessions_are_of_one_key(tmp_path):
    capture = CORPUS / "5g" / "derived" / "04-gtp-in-gtp.pcap"
    if not capture.exists():
        pytest.skip(f"{capture} is missing: SETU_CORPUS names the folder of the corpus")
    key = str(tmp_path / "key")
    seen = [{a["session"] for a in detect("--5g", *more, capture)[1]}
            for more in (["--5g-key", key], ["--5g-key", key], [])]
    assert seen[0] == seen[1] != seen[2] and all(len(s) == 1 for s in seen)


def test_no_identity_of_a_subscriber_leaves_with_an_alert():
    """Every alert and figure of every capture, searched for what is known to be in them."""
    folder = CORPUS / "5g"
    if not (folder / "IDENTIFIERS.json").exists():
        pytest.skip(f"{folder} is missing: SETU_CORPUS names the folder of the corpus")
    known = {value for groups in json.loads((folder / "IDENTIFIERS.json").read_text()).values()
             for values in groups.values() for value in values if len(value) > 4}
    captures = sorted(map(str, [*folder.glob("real/*.pcap*"), *folder.glob("derived/*.pcap")]))
    status, out, error = run("detect", "--5g", *captures)
    assert status == 0 and len(captures) == 46
    text = out.decode().replace(str(folder), "") + error
    assert not [value for value in known if value in text]
