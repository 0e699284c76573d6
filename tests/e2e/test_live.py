"""setu detect --live: a set that follows its collections while a pipe is read."""
import json
import subprocess
import threading
import time

import pytest

from setu_node import SETU, indicator, later, setu, wait_for
from taxii_double import COLLECTION, Double, Reply

POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc }
release to IN
release tlp:green to JP
"""


class Live:
    """A sensor that reads what the test writes."""

    def __init__(self, *words):
        self.process = subprocess.Popen([SETU, "detect", "--live", *map(str, words)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.alerts, self.said = [], []
        self.threads = [threading.Thread(target=self.read, args=a) for a in
                        ((self.process.stdout, self.alerts, json.loads),
                         (self.process.stderr, self.said, str))]
        for t in self.threads:
            t.start()
        self.line = 0
        wait_for(lambda: self.said, "the first word")

    def read(self, file, into, how):
        for line in file:
            into.append(how(line))

    def wait(self, text, count=1):
        wait_for(lambda: sum(text in s for s in self.said) >= count, f"{text} in {self.said}")

    def found(self, *values):
        """What is found of a line with these values and one that ends the waiting."""
        self.line += 1
        self.process.stdin.write(" ".join(values) + " control.example\n")
        self.process.stdin.flush()
        wait_for(lambda: any(a["line"] == self.line and a["observable"] == "control.example"
                             for a in self.alerts), f"the control of {self.line}")
        return [a["observable"] for a in self.alerts
                if a["line"] == self.line and a["observable"] != "control.example"]

    def end(self, status=0):
        self.process.stdin.close()
        assert self.process.wait(60) == status, self.said
        for t in self.threads:
            t.join()


@pytest.fixture
def control(tmp_path):
    path = tmp_path / "control"
    path.write_text("control.example\n")
    return path


@pytest.fixture
def served(nodes, tmp_path):
    node = nodes(policy=POLICY)
    node.c = node.collection("alerts", alias="alerts", marking="green")
    node.start()
    node.token = tmp_path / "token"
    node.token.write_text(node.user("sensor", "sensor"))
    node.admin.post(node.c, [indicator("old")])
    return node


def at(node, *words):
    return ("-i", f"{node.url}/api/collections/alerts/", "--ca", node.ca, "--token-file",
            node.token, *words)


def test_a_server_that_waits(served, control):
    node = served
    live = Live("-i", control, *at(node, "--live-poll", 1))
    assert live.found("host-old.example host-new.example") == ["host-old.example"]
    one = indicator("new")
    node.admin.post(node.c, [one, indicator("other")])
    live.wait("2 new or changed, 0 taken back")
    assert live.found("host-old.example host-new.example") == ["host-old.example",
                                                               "host-new.example"]
    node.admin.delete(node.c, one["id"])
    live.wait("0 new or changed, 1 taken back")
    assert live.found("host-old.example host-new.example host-other.example") == [
        "host-old.example", "host-other.example"]
    changed = later(one, "2026-02-01T00:00:00.000Z", pattern="[domain-name:value = 'again.example']")
    node.admin.post(node.c, [changed])
    live.wait("1 new or changed, 0 taken back")
    assert live.found("host-new.example again.example") == ["again.example"]
    node.admin.post(node.c, [later(changed, "2026-03-01T00:00:00.000Z", revoked=True)])
    live.wait("0 new or changed, 1 taken back", 2)
    assert live.found("host-new.example again.example host-other.example") == ["host-other.example"]
    live.end()


def test_a_directory_that_others_write(served, control, tmp_path):
    node = served
    live = Live("-i", control, "-i", node.dir)
    one = indicator("new", tlp="red")
    path = tmp_path / "one.json"
    path.write_text(json.dumps(one))
    node.imported(node.c, path)
    live.wait("1 new or changed, 0 taken back")
    assert live.found("host-old.example host-new.example") == ["host-old.example",
                                                               "host-new.example"]
    node.cli("withdraw", one["id"], "--reason", "a test")
    live.wait("0 new or changed, 1 taken back")
    assert live.found("host-old.example host-new.example") == ["host-old.example"]
    node.admin.post(node.c, [indicator("served")])
    live.wait("1 new or changed, 0 taken back", 2)
    assert live.found("host-served.example host-new.example") == ["host-served.example"]
    live.end()


def test_over_a_compiled_set(served, control, tmp_path):
    """What the set holds of an older version falls silent, and what is in it alone stays."""
    node = served
    alone, both = indicator("alone"), indicator("both")
    path, out = tmp_path / "feed.json", tmp_path / "set"
    path.write_text(json.dumps({"objects": [alone, both]}))
    setu("compile", "-o", out, path)
    node.admin.post(node.c, [both])
    live = Live("-i", out, "-i", control, *at(node))
    values = "host-alone.example host-both.example host-old.example moved.example"
    assert live.found(values) == ["host-alone.example", "host-both.example", "host-old.example"]
    node.admin.post(node.c, [later(both, "2026-02-01T00:00:00.000Z",
                                   pattern="[domain-name:value = 'moved.example']")])
    live.wait("1 new or changed, 0 taken back")
    assert live.found(values) == ["host-alone.example", "host-old.example", "moved.example"]
    live.end()


def test_two_collections_of_one_indicator(served, control):
    """Taken back from one, it is looked for as long as the other holds it."""
    node = served
    other = node.collection("other", alias="other", marking="green")
    one = indicator("twice")
    node.admin.post(node.c, [one])
    node.admin.post(other, [one, indicator("more")])
    live = Live("-i", control, *at(node, "--live-poll", 1),
                "-i", f"{node.url}/api/collections/other/")
    assert live.found("host-twice.example") == ["host-twice.example"] * 1
    gone = indicator("gone")
    node.admin.post(other, [gone])
    live.wait("1 new or changed, 0 taken back")
    assert live.found("host-gone.example") == ["host-gone.example"]
    node.admin.delete(other, gone["id"])
    live.wait("0 new or changed, 1 taken back")
    assert live.found("host-gone.example host-twice.example") == ["host-twice.example"]
    live.end()


def test_what_ends_while_it_is_looked_for(served, control):
    node = served
    live = Live("-i", control, *at(node))
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    node.admin.post(node.c, [indicator("short", valid_until=until)])
    live.wait("1 new or changed")
    wait_for(lambda: live.found("host-short.example host-old.example") == ["host-old.example"],
             "its end")
    live.end()


def test_a_server_that_is_away(served, control):
    node = served
    port = int(node.url.rsplit(":", 1)[1])
    live = Live("-i", control, *at(node))
    node.stop()
    live.wait("what is there already is still looked for")
    assert live.found("host-old.example") == ["host-old.example"]
    node.start(listen=f"127.0.0.1:{port}")
    node.admin.post(node.c, [indicator("back")])
    live.wait("it is followed again")
    wait_for(lambda: live.found("host-back.example") == ["host-back.example"], "what came")
    live.end()


# ---- servers that know nothing of waiting


def row(n, name, **more):
    return (f"2026-02-01T00:00:00.{n:06d}Z", indicator(name, **more))


def manifest(double):
    """Answers as a server that has one."""
    def answer(r):
        rows = [(d, o) for d, o in double.objects
                if "match[id]" not in r.query or o["id"] in r.query["match[id]"].split(",")]
        return Reply({"objects": [{"id": o["id"], "date_added": d, "version": o["modified"]}
                                  for d, o in rows]})
    return answer


@pytest.mark.parametrize("dates", [True, False])
def test_a_plain_server(control, dates):
    with Double([row(n, n) for n in range(5)], page=2) as double:
        double.dates = dates
        double.at[f"/api/collections/{COLLECTION}/manifest/"] = manifest(double)
        live = Live("-i", control, "-i", f"{double.url}/api/collections/{COLLECTION}/",
                    "--live-poll", 1)
        values = " ".join(f"host-{n}.example" for n in range(7))
        everything = values.split()
        assert live.found(values) == everything[:5]
        double.objects.append(row(5, 5))
        wait_for(lambda: live.found(values) == everything[:6], "what is new")
        del double.objects[1]
        wait_for(lambda: live.found(values) == [everything[0], *everything[2:6]], "what is gone")
        assert not any("wait" in r.query for r in double.requests)
        live.end()


def test_a_manifest_that_lies(control):
    """What is only missing in a list is asked for by its id before it is believed."""
    with Double([row(n, n) for n in range(5)]) as double:
        whole = manifest(double)

        def short(r):
            if "match[id]" in r.query:
                return whole(r)
            return Reply({"objects": whole(r).body and json.loads(whole(r).body)["objects"][:2]})

        double.at[f"/api/collections/{COLLECTION}/manifest/"] = short
        live = Live("-i", control, "-i", f"{double.url}/api/collections/{COLLECTION}/",
                    "--live-poll", 1)
        wait_for(lambda: len([r for r in double.requests if "match[id]" in r.query]) > 2, "questions")
        values = " ".join(f"host-{n}.example" for n in range(5))
        assert live.found(values) == values.split()
        live.end()
        assert not any("taken back" in s for s in live.said)


def test_no_manifest(control):
    with Double([row(1, 1)]) as double:
        live = Live("-i", control, "-i", f"{double.url}/api/collections/{COLLECTION}/",
                    "--live-poll", 1)
        live.wait("what is taken back there is not seen")
        double.objects.append(row(2, 2))
        wait_for(lambda: live.found("host-2.example") == ["host-2.example"], "what is new")
        live.end()


def test_many_changes_at_once(served, control):
    """Sets follow one another while lines are read; none is looked at after it was freed."""
    node = served
    live = Live("-i", control, *at(node))
    for n in range(40):
        node.admin.post(node.c, [indicator(f"{n}-{k}") for k in range(25)])
        assert live.found("host-old.example") == ["host-old.example"]
    wait_for(lambda: live.found("host-39-24.example") == ["host-39-24.example"], "the last")
    values = [f"host-{n}-{k}.example" for n in range(40) for k in range(25)]
    assert live.found(*values) == values
    live.end()


def test_counts_over_sets_that_change(served, control, tmp_path):
    """Sightings are counted by what was seen, whichever set it was found with."""
    node = served
    live = Live("-i", control, *at(node), "--sightings", f"{node.url}/api/collections/alerts/",
                "--sightings-window", 3600, "--spool", tmp_path / "spool")
    live.found("host-old.example")
    new = [indicator(f"new-{n}") for n in range(3)]
    for o in new:
        node.admin.post(node.c, [o])
        live.wait("1 new or changed, 0 taken back", new.index(o) + 1)
        live.found("host-old.example", "host-new-2.example", "host-new-0.example")
    live.end()
    got = {s["sighting_of_ref"]: s["count"] for s in
           node.admin.get(f"collections/{node.c}/objects/", **{"match[type]": "sighting"}).objects}
    assert got[new[0]["id"]] == 3 and got[new[2]["id"]] == 1 and sorted(got.values()) == [1, 3, 4]


def test_summary_and_mute_over_sets_that_change(served, control):
    node = served
    live = subprocess.Popen([SETU, "detect", "--live", "--summary", "--mute-share", "0.3",
                             *map(str, at(node))], text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    live.stdin.write("host-old.example\n" * 1200)
    live.stdin.flush()
    assert "1 used" in live.stderr.readline()
    node.admin.post(node.c, [indicator("new")])
    while "1 new or changed" not in (said := live.stderr.readline()):
        assert said
    live.stdin.write("host-new.example\n" * 3 + "host-old.example\n" * 10)
    out, said = live.communicate()
    rows = {r["observable"]: r["count"] for r in map(json.loads, out.splitlines())}
    assert rows == {"host-old.example": 1000, "host-new.example": 3}
    assert "210 alerts are not told" in said


@pytest.mark.parametrize("words, text", [
    (("-i", "FILE"), "--live needs a URL or a node's directory"),
])
def test_wrong_usage(served, control, words, text):
    names = {"FILE": control, "DIR": served.dir}
    ran = setu("detect", "--live", *[names.get(w, w) for w in words], status=2)
    assert text in ran.stderr
