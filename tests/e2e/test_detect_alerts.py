"""Alerts in the forms of others, and indicators that are found too often."""
import json
import re

import pytest

from test_detect import bundle, detect, indicator, made, run

VALUES = {"ipv4-addr": ("198.51.100.7", "[ipv4-addr:value = '198.51.100.7']"),
          "ipv6-addr": ("2001:db8::7", "[ipv6-addr:value = '2001:db8::7']"),
          "domain-name": ("evil.example", "[domain-name:value = 'evil.example']"),
          "url": ("http://bad.example/a?b=c", "[url:value = 'http://bad.example/a?b=c']"),
          "email-addr": ("bob@mail.example", "[email-addr:value = 'bob@mail.example']"),
          "file": ("d41d8cd98f00b204e9800998ecf8427e",
                   "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']")}
NAME = 'one | two = three \\ four "five"'


@pytest.fixture
def set_of_all(tmp_path):
    return bundle(tmp_path / "set.json", *[indicator(p, name=NAME, labels=["a", "b"])
                                           for _, p in VALUES.values()])


def log(tmp_path):
    text = "".join(f"2026-11-24 {kind} \"{value}\" seen\n" for kind, (value, _) in VALUES.items())
    return made(tmp_path / "a=log|1.txt", text)


def alerts_as(form, *words):
    status, out, error = run("detect", *words, "--format", form)
    assert status == 0, error
    return out.decode().splitlines()


def test_forms_tell_the_same(tmp_path, set_of_all):
    words = ["-i", set_of_all, log(tmp_path)]
    ours = [json.loads(line) for line in alerts_as("json", *words)]
    assert {a["observable"] for a in ours} == {v for v, _ in VALUES.values()}

    def same(a, b):
        return {k: v for k, v in a.items() if k != "time"} == {k: v for k, v in b.items() if k != "time"}
    ecs = [json.loads(line) for line in alerts_as("ecs", *words)]
    ocsf = [json.loads(line) for line in alerts_as("ocsf", *words)]
    assert all(same(a["setu"], b) for a, b in zip(ecs, ours, strict=True))
    assert all(same(a["unmapped"], b) for a, b in zip(ocsf, ours, strict=True))
    for a, b in zip(ecs, ours, strict=True):
        (match,) = a["threat"]["enrichments"]
        assert a["event"]["kind"] == "alert" and a["log"]["file"]["path"] == b["input"]
        assert match["matched"]["atomic"] == b["observable"] and match["indicator"]["id"] == [b["indicator"]]
        found = match["indicator"]
        kind = found["type"]
        assert VALUES[kind][0] == b["observable"]
        held = {"ipv4-addr": found.get("ip"), "ipv6-addr": found.get("ip"),
                "domain-name": found.get("url", {}).get("domain"), "url": found.get("url", {}).get("full"),
                "email-addr": found.get("email", {}).get("address"),
                "file": found.get("file", {}).get("hash", {}).get("md5")}
        assert held[kind] == b["observable"]
    for a, b in zip(ocsf, ours, strict=True):
        assert (a["class_uid"], a["category_uid"], a["type_uid"]) == (2004, 2, 2004 * 100 + a["activity_id"])
        assert a["observables"][0]["value"] == b["observable"] and isinstance(a["time"], int)
        assert a["observables"][0]["name"] == "unmapped.observable"
    assert {(a["observables"][0]["type_id"], a["unmapped"]["kind"]) for a in ocsf} >= {
        (2, "ipv4"), (2, "ipv6"), (1, "domain"), (6, "url"), (5, "email")}
    assert len({a["finding_info"]["uid"] for a in ocsf}) == len(ocsf)


def test_cef_can_be_read_back(tmp_path, set_of_all):
    words = ["-i", set_of_all, log(tmp_path)]
    ours = [json.loads(line) for line in alerts_as("json", *words)]
    for line, a in zip(alerts_as("cef", *words), ours, strict=True):
        head = re.split(r"(?<!\\)\|", line, maxsplit=7)
        assert len(head) == 8 and head[0] == "CEF:0" and head[6] == "Unknown"
        plain = [re.sub(r"\\(.)", r"\1", part) for part in head[:7]]
        assert plain[4] == a["indicator"] and plain[5] == f"{NAME}: {a['observable']}"
        fields = dict(re.findall(r"(\w+)=((?:\\.|[^=\\])*)(?= \w+=|$)", head[7]))
        fields = {k: re.sub(r"\\(.)", r"\1", v) for k, v in fields.items()}
        assert fields["cs1"] == a["observable"] and fields["filePath"] == a["input"]
        assert fields["cn1"] == str(a["line"]) and fields["msg"] == a["seen"]
        assert re.fullmatch("[0-9a-f]{16}", fields["externalId"])


def test_an_unknown_form(tmp_path, set_of_all):
    status, out, error = run("detect", "-i", set_of_all, "--format", "xml", log(tmp_path))
    assert (status, out) == (2, b"") and "json, ecs, ocsf or cef" in error


def test_what_is_found_too_often_is_told_once_more_and_no_more(tmp_path):
    often, rare = indicator("[ipv4-addr:value = '192.0.2.53']", name="a resolver"), indicator("[ipv4-addr:value = '198.51.100.9']")
    words = ["-i", bundle(tmp_path / "set.json", often, rare), "--mute-share", "0.01"]
    lines = [f"{n} dns 192.0.2.53 {'198.51.100.9' if n in (50, 4000) else ''}\n" for n in range(5000)]
    path = made(tmp_path / "log", "".join(lines))
    status, alerts, error = detect(*words, path)
    assert status == 0
    told = [a for a in alerts if a["indicator"] == often["id"]]
    assert len(told) == 1000 and [a["line"] for a in alerts if a["indicator"] == rare["id"]] == [51, 4001]
    assert "a resolver" in error and "4000 alerts are not told" in error and rare["id"] not in error
    # Another input is judged anew; what is rare there is told.
    other = made(tmp_path / "other", "x\n" * 3000 + "192.0.2.53\n")
    _, alerts, _ = detect(*words, path, other)
    assert [a["line"] for a in alerts if a["input"] == other] == [3001]


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "x", "0.1x", "nan", ""])
def test_shares_that_are_none(tmp_path, set_of_all, share):
    status, out, error = run("detect", "-i", set_of_all, f"--mute-share={share}", log(tmp_path))
    assert (status, out) == (2, b"") and "--mute-share" in error


def test_lines_of_a_time(tmp_path):
    log = made(tmp_path / "log", "2026-11-24T01:00:00Z 10.0.0.1\n2026-11-24 02:00:00,5 10.0.0.2\n"
               'x - - [24/Nov/2026:08:30:00 +0530] "GET /" 10.0.0.3\n1795489200 10.0.0.4\nno time 10.0.0.5\n')
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), log]

    def seen(*more):
        return [a["observable"][-1] for a in detect(*words, *more)[1]]
    assert seen() == list("12345")
    assert seen("--since", "2026-11-24T02:00:00Z") == list("2345")
    assert seen("--until", "2026-11-24T02:00:00.5Z") == list("15")
    assert seen("--since", "2026-11-24T03:00:00Z", "--until", "2026-11-24T03:00:00.000001Z") == list("345")
    assert seen("--since", "2027-01-01T00:00:00Z") == ["5"]
    assert seen("--since", "2026-11-24T11:00:00+09:00") == list("2345")
    assert seen("--since", "2026-11-24T08:30:00.0+05:30", "--until", "2026-11-23T22:00:00.000001-05:00") == list("345")
    for more in (["--since", "yesterday"], ["--until", "2026-13-01T00:00:00Z"], ["--since", "2026-01-01T00:00:00"],
                 ["--until", "2026-01-01T00:00:00+25:00"],
                 ["--since", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"]):
        status, out, error = run("detect", *words, *more)
        assert (status, out) == (2, b"") and ("--since" in error or "--until" in error)


def test_the_time_that_a_line_says(tmp_path):
    # Of all but the last, the other reading would be outside.
    log = made(tmp_path / "log", "2026-11-24 02:44:17 +0530 10.0.0.1\n2026-11-24 06:14:17 JST 10.0.0.2\n"
               '{"ts":1795468457.5,"uri":"/2025-01-01T00:00:00Z","ip":"10.0.0.3"}\n9876543210 called 10.0.0.4\n'
               "2026-11-24 02:44:17 10.0.0.5\n")
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), log]
    found = detect(*words, "--since", "2026-11-23T21:00:00Z", "--until", "2026-11-24T03:00:00+05:30")[1]
    assert [a["observable"][-1] for a in found] == list("1234")


def test_fields(tmp_path):
    lines = ['{"src":{"ip":"10.0.0.1"},"dst":{"ip":"10.0.0.2"},"note":"10.0.0.3","list":[{"url":"http:\\/\\/10.0.0.4\\/a"}]}',
             '{"id.orig_h":"10.0.0.5","id":{"resp_h":"10.0.0.6"}, "src" : "10.0.0.7"}', "a\t10.0.0.8\tx 10.0.0.9 y\tb",
             "10.0.0.10 no field", '{"src.port.ip":"10.0.0.12","src":{"a.b":{"ip":"10.0.0.13"}},"srcs.ip":"10.0.0.14"}']
    log = made(tmp_path / "log", "\n".join(lines) + "\n")
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), log]

    def seen(fields):
        return [int(a["observable"].split(".")[3]) for a in detect(*words, "--fields", fields)[1] if a["kind"] == "ipv4"]
    assert seen("src.ip") == [1] and seen("src") == [1, 7, 12, 13] and seen("dst,note") == [2, 3]
    assert seen("list.url") == seen("list") == [4] and seen("id.orig_h") == [5] and seen("id.resp_h") == [6]
    assert seen("src.port") == [12] and seen("src.a") == seen("src.a.b") == seen("src.a.b.ip") == [13]
    assert seen("2") == [8] and seen("3,1") == [9] and seen("2,src.ip") == [1, 8]
    assert seen("nothing") == seen("ip") == seen("src.i") == seen("4") == []
    for bad in (",", "a,,b", "0", " "):
        status, out, error = run("detect", *words, f"--fields={bad}")
        assert (status, out) == (2, b"") and "--fields" in error, bad


# Whoever writes one field of a line must not be able to hide another.
BROKEN = [b'{"src":"%b"', b'{"src":"%b","ua":"\xff"}', b'{"ua":"\\ud800","src":"%b"}', b'{"ua":"\x01","src":"%b"}', b'{"src":"%b","n":NaN}',
          b'{"n":01,"src":"%b"}', b'{"n":1e999,"src":"%b"}', b'{"src":"%b",}', b'{"src":"%b"},', b'{"a":1,"a":2,"src":"%b"}',
          b'{"src":"%b","d":' + b"[" * 5000 + b"]" * 5000 + b"}", b" \t{'src':'%b'}", b'\xef\xbb\xbf{"src":"%b"', b'\0\0{"src":"%b"\0',
          b'{"src":"%b"}{"src":"x"}', b'{"src":"%b","pad":"' + b"x" * (3 << 20) + b'"}', b'{"pad":"' + b"x" * (3 << 20) + b'","src":"%b"}']


def test_fields_of_what_is_nearly_json(tmp_path):
    lines = [line.replace(b"%b", b"10.0.0.%d" % n) for n, line in enumerate(BROKEN)]
    lines += [b'\xef\xbb\xbf{"src":"10.0.1.1","dst":"10.0.1.2"}', b'\t {"src":"10.0.1.3","dst":"10.0.1.4"} \r', b'\0\0{"src":"10.0.1.5"}']
    log = tmp_path / "log"
    log.write_bytes(b"\n".join(lines))
    words = ["-i", made(tmp_path / "set", "10.0.0.0/16"), str(log), "--fields"]

    def seen(fields):
        return [a["observable"] for a in detect(*words, fields)[1]]
    broken = [f"10.0.0.{n}" for n in range(len(BROKEN))]
    assert seen("src") == broken + ["10.0.1.1", "10.0.1.3", "10.0.1.5"]
    assert seen("dst") == broken + ["10.0.1.2", "10.0.1.4"] and seen("2") == broken


@pytest.mark.parametrize("threads", ["1", "4"])
def test_lines_longer_than_a_piece(tmp_path, threads):
    # Their first piece has columns and a time, the others are read from their midst.
    parts = ["2026-11-24T02:14:17Z\t10.0.0.1\t", "x" * (5 << 18), " 10.0.0.2 ", "2025-01-01T00:00:00Z\t" * 60000, "10.0.0.3\t\n"]
    log = made(tmp_path / "log", "1\t10.0.0.4\n" + "".join(parts) + "1\t10.0.0.5\n2025-01-01T00:00:00Z\t10.0.0.6")
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), log, "-j", threads]

    def seen(*more):
        return [int(a["observable"].split(".")[3]) for a in detect(*words, *more)[1]]
    assert seen("--fields", "2") == [4, 1, 2, 3, 5, 6] and seen("--fields", "1") == [1, 2, 3]
    assert seen("--since", "2026-01-01T00:00:00Z") == [4, 1, 2, 3, 5]
    assert seen("--until", "2026-01-01T00:00:00Z") == [4, 2, 3, 5, 6]


ZEEK = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tquery\n#types\ttime\taddr\taddr\tstring\n"


@pytest.mark.parametrize("threads", ["1", "4"])
def test_columns_by_the_names_that_zeek_gives_them(tmp_path, threads):
    # The names change in the midst of the log, far from where pieces border too.
    other = "#fields\tquery\tid.resp_h\n"
    quiet = "x\ty\tz\n" * 200000
    log = (ZEEK + "1\t10.0.0.1\t10.0.0.2\t10.0.0.3\n" + quiet + "2\t10.0.0.4\t10.0.0.5\t10.0.0.6\n" + other +
           "10.0.0.7\t10.0.0.8\n" + quiet + "10.0.0.9\t10.0.0.10\n#fields\n10.0.0.11\t#fields\tquery\n10.0.0.12\tx\n" +
           "no 10.0.0.13 columns\n")
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), made(tmp_path / "log", log), "-j", threads]

    def seen(fields, *more):
        return [int(a["observable"].split(".")[3]) for a in detect(*words, *more, "--fields", fields)[1]]
    assert seen("query") == [3, 6, 7, 9, 11, 12] and seen("id.resp_h") == [2, 5, 8, 10]
    assert seen("id") == [1, 2, 4, 5, 8, 10] and seen("id.orig") == seen("quer") == []
    assert seen("id.orig_h,4") == [1, 3, 4, 6] and seen("1") == [7, 9, 11, 12]


def test_names_of_columns_when_reading_goes_on(tmp_path):
    log = tmp_path / "log"
    words = ["-i", made(tmp_path / "set", "10.0.0.0/24"), str(log), "--fields", "id.resp_h", "--checkpoint", str(tmp_path / "mark")]
    log.write_text(ZEEK + "1\t10.0.0.1\t10.0.0.2\t-\n")
    assert [a["observable"] for a in detect(*words)[1]] == ["10.0.0.2"]
    with open(log, "a") as f:
        f.write("1\t10.0.0.3\t10.0.0.4\t-\n")
    assert [a["observable"] for a in detect(*words)[1]] == ["10.0.0.4"]
