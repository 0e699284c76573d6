"""setu detect -f and --checkpoint: logs that grow, are renamed and cut off, and a sensor that is killed."""
import base64
import gzip
import json
import os
import random
import signal
import subprocess
import time

import pytest

from setu_node import CORPUS, free_port, wait_for
from test_detect import ME, SETU, bundle, detect, indicator, made, run

TERMS = "marking-definition--8e1c2a3b-4d5e-4f60-8a7b-9c0d1e2f3a4b"


def values(count):
    return [f"10.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(count)]


class Follower:
    def __init__(self, tmp_path, *words, inputs=("log",), count=3000, before=()):
        self.before = before
        self.words = ["-i", made(tmp_path / "set", "\n".join(values(count))), "-f", *words,
                      *[str(tmp_path / i) for i in inputs]]
        self.out = tmp_path / "alerts"
        self.start()

    def start(self):
        self.file = open(self.out, "ab")
        self.process = subprocess.Popen([*self.before, SETU, "detect", *map(str, self.words)], stdout=self.file,
                                        stderr=subprocess.PIPE)

    def alerts(self):
        text = self.out.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]

    def seen(self):
        return [a["observable"] for a in self.alerts() if "observable" in a]

    def wait(self, *wanted):
        wait_for(lambda: set(wanted) <= set(self.seen()), f"alerts of {wanted}")

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.file.close()

    def end(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=60)
        self.file.close()
        assert status is None or self.process.returncode == status, error
        return error.decode()


def append(path, *texts):
    with open(path, "ab") as f:
        for text in texts:
            f.write(text.encode())


def test_lines_that_come_later(tmp_path):
    log, other = tmp_path / "log", tmp_path / "other"
    append(log, "a 10.0.0.1\n")
    append(other, "")
    f = Follower(tmp_path, inputs=("log", "other"))
    f.wait("10.0.0.1")
    append(other, "b 10.0.0.2\n")
    f.wait("10.0.0.2")
    append(log, "c 10.0.")
    append(log, "0.33 and\n")  # a line counts when it is whole
    f.wait("10.0.0.33")
    f.end()
    assert {(a["observable"], a["line"], a["offset"]) for a in f.alerts()} == {
        ("10.0.0.1", 1, 2), ("10.0.0.2", 1, 2), ("10.0.0.33", 2, 13)}


def test_through_rotation(tmp_path):
    log = tmp_path / "log"
    append(log, "10.0.0.1\n")
    f = Follower(tmp_path)
    f.wait("10.0.0.1")
    log.rename(tmp_path / "log.1")
    append(tmp_path / "log.1", "10.0.0.2\n")  # by who has it open still
    f.wait("10.0.0.2")
    append(log, "10.0.0.3\n")
    f.wait("10.0.0.3")
    log.unlink()
    time.sleep(0.3)
    append(log, "10.0.0.4\n")
    f.wait("10.0.0.4")
    with open(log, "r+b") as g:  # copytruncate
        g.truncate(0)
    time.sleep(0.5)
    append(log, "10.0.0.5\n")
    f.wait("10.0.0.5")
    f.end()
    assert sorted(f.seen()) == [f"10.0.0.{n}" for n in range(1, 6)]
    assert all(a["line"] == (2 if a["observable"] == "10.0.0.2" else 1) for a in f.alerts())


def held(process):
    """Numbers of the files that it has open."""
    found = set()
    for n in os.listdir(f"/proc/{process.pid}/fd"):
        try:
            found.add(os.stat(f"/proc/{process.pid}/fd/{n}").st_ino)
        except FileNotFoundError:
            pass  # closed just now
    return found


def rotate(log, number, text, process, late=""):
    """Returns once the new file is open, whatever is read. `late` comes from who has the old one open still."""
    log.rename(log.parent / f"{log.name}.{number}")
    append(log.parent / f"{log.name}.{number}", late)
    append(log, text)
    inode = log.stat().st_ino
    wait_for(lambda: inode in held(process), f"{log}, number {number}, to be opened")


class Blocked:
    """Follows a log of which nobody takes the alerts until all() is called."""

    def __init__(self, tmp_path, more):
        self.log, self.count = tmp_path / "log", 3000 + more
        self.lines = [f"{'x' * 200} {v}\n" for v in values(self.count)]
        append(self.log, *self.lines[:3000])
        words = [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(self.count))), "-f", self.log]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.first = self.process.stdout.readline()

    def take(self, count):
        return [json.loads(t)["observable"] for t in [self.first, *[self.process.stdout.readline() for _ in range(count - 1)]]]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error.decode()


def test_rotated_again_and_again(tmp_path):
    log = tmp_path / "log"
    append(log, "10.0.0.1\n")
    f = Follower(tmp_path)
    f.wait("10.0.0.1")
    for n in range(1, 9):
        rotate(log, n, f"10.0.0.{n + 1}\n", f.process, f"10.0.1.{n}\n")
        (tmp_path / f"log.{n}").unlink()
    f.wait("10.0.0.9")
    f.end()
    assert f.seen() == ["10.0.0.1"] + [v for n in range(1, 9) for v in (f"10.0.1.{n}", f"10.0.0.{n + 1}")]


def test_rotated_again_while_nobody_takes_the_alerts(tmp_path):
    f = Blocked(tmp_path, 6)
    for n in range(6):
        rotate(f.log, n, f.lines[3000 + n], f.process)
        (tmp_path / f"log.{n}").unlink()
    assert f.take(f.count) == values(f.count)
    assert f.end()[0] == 0


def test_rotated_more_often_than_can_wait(tmp_path):
    f = Blocked(tmp_path, 65)
    for n in range(63):  # with the first one
        rotate(f.log, n, f.lines[3000 + n], f.process)
    for n in range(63, 65):  # seen, and gone before it could wait
        f.log.rename(tmp_path / f"log.{n}")
        append(f.log, f.lines[3000 + n])
        time.sleep(1.5)
    # The last one has its name still, and is read when there is room.
    assert f.take(f.count - 1) == values(f.count)[:3063] + values(f.count)[3064:]
    status, error = f.end()
    assert status == 3 and f"1 file that had the name {f.log} was not read: 64 files that had it before wait" in error
    assert "stopped" not in error


def test_a_new_file_that_cannot_be_opened(tmp_path):
    log = tmp_path / "log"
    append(log, "10.0.0.1\n")
    f = Follower(tmp_path)
    f.wait("10.0.0.1")
    log.rename(tmp_path / "log.1")
    log.mkdir()
    time.sleep(1.5)  # it is told after a second
    log.rmdir()
    append(log, "10.0.0.2\n")
    f.wait("10.0.0.2")
    error = f.end(3)
    assert f"{log} is no file" in error


def test_files_that_wait_are_in_the_checkpoint(tmp_path):
    """A sensor that is killed leaves those that it had not begun to the next, under whatever name."""
    log, mark = tmp_path / "log", tmp_path / "mark"
    append(log, "10.0.0.1\n")
    f = Follower(tmp_path, "--checkpoint", mark)
    f.wait("10.0.0.1")
    for n in range(1, 5):
        rotate(log, n, f"10.0.0.{n + 1}\n", f.process)
        number, turn = f'"inode":"{log.stat().st_ino}"', 0
        while number not in (mark.read_text() if mark.exists() else ""):
            turn += 1
            assert turn < 600, "it is not in the checkpoint"
            append(tmp_path / "log.1", "one more by who is late\n")  # so it is not ended yet
            time.sleep(0.1)
    append(tmp_path / "log.1", "10.0.1.1\n")
    f.kill()
    assert "10.0.0.5" not in f.seen()
    append(tmp_path / "log.2", "10.0.1.2\n")
    log.rename(tmp_path / "log.5")
    append(log, "10.0.0.6\n")
    f.start()
    f.wait(*[f"10.0.0.{n}" for n in range(1, 7)], "10.0.1.1", "10.0.1.2")
    f.end()
    assert [v for v in f.seen() if v.startswith("10.0.0.")] == [f"10.0.0.{n}" for n in range(1, 7)]


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("words", [[], ["-f"]])
def test_stopped_while_it_catches_up(tmp_path, stop, words):
    """What was renamed while no sensor ran is read on by the third run where the second was stopped."""
    log, count = tmp_path / "log", 30000
    found = made(tmp_path / "set", "\n".join(values(count + 2)))
    words = [SETU, "detect", "-i", found, *words, "--checkpoint", tmp_path / "mark", log]
    append(log, f"{'x' * 300} {values(1)[0]}\n")
    assert detect(*words[2:4], *words[-3:])[0] == 0
    append(log, *[f"{'x' * 100} {v}\n" for v in values(count)[1:]])
    log.rename(tmp_path / "log.1")
    append(log, f"{values(count + 1)[-1]}\n")
    told = set()
    for turn in range(2):
        running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        told |= {json.loads(running.stdout.readline())["observable"] for _ in range(500)}
        running.send_signal(stop)
        rest, error = running.stdout.readlines(), running.stderr.read()
        running.wait(60)
        told |= {json.loads(line)["observable"] for line in rest if line.endswith(b"}\n")}
        if stop == signal.SIGTERM:
            assert running.returncode == 3 and b"interrupted" in error
    status, alerts, _ = detect("-i", found, *words[-3:])
    assert status == 0 and told | {a["observable"] for a in alerts} | set(values(1)) == set(values(count + 1))


def test_text_that_was_not_read_is_told_at_the_end(tmp_path):
    """0 says that everything was."""
    log = tmp_path / "log"
    append(log, "10.0.0.1\n")
    f = Follower(tmp_path)
    f.wait("10.0.0.1")
    log.rename(tmp_path / "log.1")
    append(log, "10.0.0.2\n")
    f.process.send_signal(signal.SIGTERM)
    _, error = f.process.communicate(timeout=60)
    assert (f.process.returncode, "10.0.0.2" in f.seen()) in ((3, False), (0, True))
    assert (f"stopped: {log} was not read to its end" in error.decode()) == (f.process.returncode == 3)
    # A line that was begun counts when it is whole, as ever.
    append(log, "10.0.0.3\nand a half")
    f = Follower(tmp_path)
    f.wait("10.0.0.3")
    f.end()
    # A reader of the alerts that takes none keeps the rest from being read.
    append(log, *[f"{'x' * 200} {v}\n" for v in values(3000)] * 10)
    f = subprocess.Popen([SETU, "detect", *map(str, f.words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    f.stdout.readline()
    f.send_signal(signal.SIGTERM)
    f.stdout.readlines()
    error = f.stderr.read()
    assert f.wait(60) == 3 and b"was not read to its end" in error


def test_a_checkpoint_goes_on(tmp_path):
    log, mark = tmp_path / "log", tmp_path / "mark"
    words = ["-i", made(tmp_path / "set", "\n".join(values(100))), "--checkpoint", mark, log]
    append(log, "10.0.0.1\n10.0.0.2\n10.0.")
    assert [a["observable"] for a in detect(*words)[1]] == ["10.0.0.1", "10.0.0.2"]
    append(log, "0.3\n10.0.0.4\n")
    status, alerts, _ = detect(*words)
    assert [(a["observable"], a["line"], a["offset"]) for a in alerts] == [
        ("10.0.0.3", 3, 18), ("10.0.0.4", 4, 27)]
    assert detect(*words)[:2] == (1, [])
    # Renamed, it is known still; a new one of its name is read from its start.
    log.rename(tmp_path / "log.1")
    append(tmp_path / "log.1", "10.0.0.5\n")
    append(log, "10.0.0.6\n")
    assert [a["observable"] for a in detect(*words[:-1], tmp_path / "log.1", log)[1]] == ["10.0.0.5", "10.0.0.6"]
    # Written anew in place.
    log.write_text("10.0.0.7 and more than before\n")
    assert [a["observable"] for a in detect(*words)[1]] == ["10.0.0.7"]
    # Many threads tell in order.
    with open(log, "ab") as f:
        f.write(b"x" * 99 + b"\n" + b"\n" * 3000000 + b"10.0.0.8\n" * 5)
    assert [a["line"] for a in detect(*words, "-j", "2")[1]] == list(range(3000003, 3000008))
    assert detect(*words)[:2] == (1, [])


def test_a_checkpoint_that_is_none(tmp_path):
    log = made(tmp_path / "log", "10.0.0.1\n")
    words = ["-i", made(tmp_path / "set", "10.0.0.1"), "--checkpoint"]
    for text in ("nothing", "{}", '{"device":"1","inode":"x","head":"1","offset":"1","line":"1"}'):
        status, out, error = run("detect", *words, made(tmp_path / "mark", text), log)
        assert (status, out) == (3, b"") and "mark" in error
    status, _, error = run("detect", *words, tmp_path / "no" / "mark", log)
    assert status == 3 and "mark" in error


@pytest.mark.parametrize("words", [["-f"], ["-f", "-"], ["-f", "/dev/null"], ["-f", "--interface", "lo", "x"]])
def test_what_cannot_be_followed(tmp_path, words):
    status, out, error = run("detect", "-i", made(tmp_path / "set", "10.0.0.1"), *words)
    assert status in (2, 3) and out == b"" and error


def test_killed_again_and_again(tmp_path):
    """Every value that was written is told at least once, whenever the sensor is killed and the log
    rotated."""
    chance = random.Random(7)
    log = tmp_path / "log"
    append(log, "")
    wanted = values(3000)
    f = Follower(tmp_path, "--checkpoint", tmp_path / "mark")
    at = rotated = 0
    for _ in range(20):
        n = chance.randrange(50, 150)
        append(log, *[f"line with {v} in it\n" for v in wanted[at:at + n]])
        at += n
        f.wait(wanted[at - n])
        if chance.random() < 0.4:
            rotated += 1
            log.rename(tmp_path / f"log.{rotated}")
            append(log, "")
        if chance.random() < 0.3:
            f.wait(wanted[at - 1])
        f.kill()
        f.start()
    f.wait(*wanted[:at])
    error = f.end(None)  # 1: the last run had nothing left to tell
    told = f.seen()
    assert set(told) == set(wanted[:at]) and rotated > 3
    assert len(told) < 2 * at, (len(told), at, error)


@pytest.mark.parametrize("window", [(), ("--sightings-window", "1")])
def test_sightings_of_who_is_killed(tmp_path, window):
    """What counts as read counts as seen, once, whenever the sensor is killed; with windows at least once."""
    log, mark, spool = tmp_path / "log", tmp_path / "mark", tmp_path / "spool"
    objects = [indicator(f"[ipv4-addr:value = '{v}']", object_marking_refs=[TERMS]) for v in values(20)]
    words = ["-i", bundle(tmp_path / "b.json", *objects), "--checkpoint", mark, "--spool", spool, *window,
             "--sightings", f"https://127.0.0.1:{free_port()}/api/", "--identity", ME]
    chance, written = random.Random(5), 0
    append(log, "")
    f = Follower(tmp_path, *words)
    for turn in range(12):
        for _ in range(chance.randrange(1, 30)):
            append(log, f"line {written} {values(20)[written % 20]}\n" * 3)
            written += 3
        if turn % 3 == 0:
            wait_for(lambda: len({a["line"] for a in f.alerts()}) == written, "all to be told")
        if turn == 6 and not window:
            wait_for(lambda: b"sighting_of" in mark.read_bytes(), "what was seen to be kept")
            assert b"line " not in mark.read_bytes() and b"10.0.0." not in mark.read_bytes()
            assert b"payload" not in mark.read_bytes()
        time.sleep(chance.random() / 2)
        f.kill()
        f.start()
    wait_for(lambda: len({a["line"] for a in f.alerts()}) == written, "all to be told")
    f.end(status=None)
    counts = {}
    for envelope in spool.glob("*.json"):
        for s in json.loads(envelope.read_text())["objects"]:
            assert s["first_seen"] <= s["last_seen"] and TERMS in s["object_marking_refs"]
            counts[s["sighting_of_ref"]] = counts.get(s["sighting_of_ref"], 0) + s["count"]
    exact = {o["id"]: sum(3 for n in range(0, written, 3) if n % 20 == i) for i, o in enumerate(objects)}
    exact = {i: n for i, n in exact.items() if n}
    if window:
        assert counts.keys() == exact.keys() and all(counts[i] >= n for i, n in exact.items())
    else:
        assert counts == exact
    assert b"sighting_of" not in mark.read_bytes()  # they wait in the spool now


def test_sightings_stay_while_nobody_asks_for_them(tmp_path):
    log, mark, out = tmp_path / "log", tmp_path / "mark", tmp_path / "out.json"
    o = indicator("[ipv4-addr:value = '10.0.0.1']")
    append(log, "10.0.0.1\n")
    words = ["-i", bundle(tmp_path / "b.json", o), "--checkpoint", mark]
    f = Follower(tmp_path, *words, "--sightings-out", out)
    wait_for(lambda: mark.exists() and b"sighting_of" in mark.read_bytes(), "what was seen to be kept")
    f.kill()
    append(log, "10.0.0.1\n")
    assert detect(*map(str, words), str(log))[0] == 0
    assert b"sighting_of" in mark.read_bytes()
    append(log, "10.0.0.1\n")
    assert detect(*map(str, words), "--sightings-out", str(out), str(log))[0] == 0
    (sighting,) = json.loads(out.read_text())["objects"]
    assert sighting["count"] == 2 and sighting["sighting_of_ref"] == o["id"]
    mark.write_text('{"sighting_of":"indicator--x","count":"many"}\n')
    status, _, error = detect(*map(str, words), "--sightings-out", str(out), str(log))
    assert status == 3 and str(mark) in error


def kept(mark):
    """The lines of logs that the checkpoint holds."""
    records = [json.loads(r) for r in mark.read_text().splitlines()] if mark.exists() else []
    return [base64.b64decode(line["payload_bin"]) for r in records for line in r.get("lines", [])]


def observed(objects):
    """The lines behind the one sighting, and that."""
    known = {o["id"]: o for o in objects}
    (sighting,) = [o for o in objects if o["type"] == "sighting"]
    data = [known[i] for i in sighting.get("observed_data_refs", [])]
    for d in data:
        assert sighting["first_seen"] <= d["first_observed"] <= d["last_observed"] <= sighting["last_seen"]
        assert d["number_observed"] == len(d["object_refs"])
    return [base64.b64decode(known[i]["payload_bin"]) for d in data for i in d["object_refs"]], sighting


def test_evidence_of_who_is_killed(nodes, tmp_path):
    """Lines that were read before the kill are in what the node gets after it, and the checkpoint that
    holds them meanwhile is its owner's alone."""
    node = nodes("n", nation="IN", org="cert-in")
    node.collection("Alerts", alias="alerts", marking="green")
    log, mark = tmp_path / "log", tmp_path / "mark"
    feed = bundle(tmp_path / "b.json", indicator("[ipv4-addr:value = '10.0.0.1']"))
    node.imported("alerts", feed)
    lines = [b"%d: 10.0.0.1 \xff \"\\" % n for n in range(5)]
    mark.write_text("")
    mark.chmod(0o644)
    append(log, "")
    f = Follower(tmp_path, "-i", feed, "--checkpoint", mark, "--evidence", "--sightings", node.dir,
                 "--sightings-collection", "alerts")
    for n, part in enumerate((lines[:1], lines[:2], lines[2:])):
        if n:
            f.kill()
            f.start()
        with open(log, "ab") as g:
            g.writelines(line + b"\n" for line in part)
        wait_for(lambda: kept(mark) == lines[:n + 1], "lines to be kept")
        assert mark.stat().st_mode & 0o777 == 0o600
    f.end()
    found, sighting = observed(json.loads(node.cli("export", "--collection", "alerts").stdout)["objects"])
    assert sorted(found) == lines[:3] and sighting["count"] == 6
    assert kept(mark) == [] and b"payload" not in mark.read_bytes()


def test_lines_are_kept_for_who_asks_for_them(tmp_path):
    log, mark, out = tmp_path / "log", tmp_path / "mark", tmp_path / "out.json"
    words = ["-i", bundle(tmp_path / "b.json", indicator("[ipv4-addr:value = '10.0.0.1']")), "--checkpoint", str(mark)]
    asked = ("--sightings-out", str(out), "--evidence")
    append(log, "one 10.0.0.1\n")
    f = Follower(tmp_path, *words, *asked)
    wait_for(lambda: kept(mark), "the line to be kept")
    f.kill()
    append(log, "two 10.0.0.1\n")
    assert detect(*words, str(log))[0] == 0
    assert kept(mark) == [b"one 10.0.0.1"]  # nobody asks for sightings
    held = mark.read_text()
    # Sightings without lines go out without them, and no other run finds them.
    f = Follower(tmp_path, *words, *asked[:2])
    append(log, "three 10.0.0.1\n")
    wait_for(lambda: '"count":"2"' in mark.read_text(), "what was seen to be kept")
    assert b"payload" not in mark.read_bytes()
    f.kill()
    assert detect(*words, *asked, str(log))[0] == 1
    assert observed(json.loads(out.read_text())["objects"])[0] == []
    mark.write_text(held)
    assert detect(*words, *asked, str(log))[0] == 0
    found, sighting = observed(json.loads(out.read_text())["objects"])
    assert found == [b"one 10.0.0.1", b"three 10.0.0.1"] and sighting["count"] == 2


def test_a_checkpoint_whose_lines_are_none(tmp_path):
    log, mark, out = made(tmp_path / "log", "two 10.0.0.1\n"), tmp_path / "mark", tmp_path / "out.json"
    o = indicator("[ipv4-addr:value = '10.0.0.1']")
    words = ["-i", bundle(tmp_path / "b.json", o), "--checkpoint", str(mark), "--sightings-out", str(out)]
    was = {"sighting_of": o["id"], "count": "1", "first_us": "1767225600000000", "last_us": "1767225600000000",
           "tlp": "", "marks": ""}
    line = {"us": "1767225600000000", "payload_bin": "b25lIDEwLjAuMC4x"}
    whole = json.dumps({**was, "lines": [line]}) + "\n"
    for text in [json.dumps({**was, "lines": bad}) for bad in (
            7, {"us": "1"}, ["b25l"], [{**line, "us": 1}], [{**line, "us": "-1"}], [{**line, "us": "1767225600000001"}],
            [{**line, "payload_bin": "=b25l"}], [{**line, "payload_bin": ""}], [line, {"us": "1"}],
            [{**line, "payload_bin": base64.b64encode(b"x" * 1025).decode()}])] + [whole[:-9]]:
        mark.write_text(text)
        for evidence in ((), ("--evidence",)):
            status, alerts, error = detect(*words, *evidence, log)
            assert status == 3 and alerts == [] and str(mark) in error, text
    for text, wanted in ((json.dumps(was), []),  # of a version that kept no lines
                         (whole, [b"one 10.0.0.1"]), (json.dumps({**was, "lines": [line] * 9}), [b"one 10.0.0.1"])):
        mark.write_text(text)
        assert detect(*words, "--evidence", log)[0] == 0
        found, sighting = observed(json.loads(out.read_text())["objects"])
        assert found == [*wanted, b"two 10.0.0.1"] and sighting["count"] == 2


def test_fields_of_many_logs_at_once(tmp_path):
    inputs = [f"log{n}" for n in range(6)]
    for name in inputs:
        append(tmp_path / name, *[f'{{"a":{{"b":["{"x" * (n % 900)}","{v}"]}},"c":"{v}"}}\n' for n, v in enumerate(values(3000))])
    f = Follower(tmp_path, "--fields", "a.b", inputs=inputs)
    wait_for(lambda: f.out.read_bytes().count(b"\n") >= 3000 * len(inputs), "alerts of all")
    f.end()
    for name in inputs:
        assert [a["observable"] for a in f.alerts() if a["input"].endswith(name)] == values(3000)


def test_what_is_found_too_often_in_logs_that_grow_in_turn(tmp_path):
    inputs = ["one", "two"]
    for name in inputs:
        append(tmp_path / name, *["10.0.0.1\n"] * 990)
    f = Follower(tmp_path, "--mute-share", "0.01", inputs=inputs)
    for n in range(2, 22):
        append(tmp_path / inputs[n % 2], "10.0.0.1\n" * 20 + f"10.0.0.{n}\n")
        f.wait(f"10.0.0.{n}")
    error = f.end()
    # Of each the first thousand lines, with a line of another indicator now and then between.
    told = [(a["input"].rsplit("/")[-1], a["line"]) for a in f.alerts() if a["observable"] == "10.0.0.1"]
    assert sorted(told) == sorted((i, n) for i in inputs for n in range(1, 1001))
    assert "10.0.0.1 is found in more than a share of 0.01: muted, 380 alerts are not told" in error
    # A log that begins anew is judged anew.
    f = Follower(tmp_path, "--mute-share", "0.01", inputs=inputs[:1])
    f.wait("10.0.0.20")
    (tmp_path / "one").rename(tmp_path / "old")
    append(tmp_path / "one", "10.0.0.33\n", "10.0.0.1\n", "10.0.0.34\n")
    f.wait("10.0.0.34")
    f.end()
    assert [(a["observable"], a["line"]) for a in f.alerts()[-3:]] == [("10.0.0.33", 1), ("10.0.0.1", 2), ("10.0.0.34", 3)]


def test_a_summary_that_was_not_told_counts_as_not_read(tmp_path):
    log, mark = tmp_path / "log", tmp_path / "mark"
    append(log, *["10.0.0.1\n"] * 7)
    words = ["--summary", "--checkpoint", mark]
    f = Follower(tmp_path, *words)
    time.sleep(1)  # it would have written by then
    f.kill()
    f.start()
    time.sleep(0.5)
    f.end()
    assert [a["count"] for a in f.alerts()] == [7]
    status, out, _ = run("detect", *f.words[:2], *words, log)
    assert (status, out) == (1, b"")


@pytest.mark.parametrize("words", [["-f"], ["-j", "1"], ["-j", "4"]])
def test_who_is_stopped_tells_nothing_again(tmp_path, words):
    log, count = tmp_path / "log", 30000
    append(log, *[f"{'x' * 100} {v}\n" for v in values(count)])
    words = [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count))), *words, "--checkpoint",
             tmp_path / "mark", log]
    told = []
    while len(told) < count:
        running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        told += [running.stdout.readline() for _ in range(500)]
        running.send_signal(signal.SIGTERM)
        told += running.stdout.readlines()
        running.wait(60)
        running.stdout.close()
        assert told[-1]
    assert [json.loads(t)["observable"] for t in told] == values(count)


def test_another_file_with_the_number_of_a_log_that_is_gone(tmp_path):
    log, mark, other = tmp_path / "log", tmp_path / "mark", tmp_path / "other"
    append(log, "10.0.0.1\n")
    append(other, "10.0.0.2\n10.0.0.3\n")
    words = ["-i", made(tmp_path / "set", "\n".join(values(9))), "--checkpoint", mark, log]
    assert detect(*words)[0] == 0
    known = json.loads(mark.read_text())
    mark.write_text(json.dumps({**known, "inode": str(other.stat().st_ino)}) + "\n")
    assert [a["observable"] for a in detect(*words)[1]] == ["10.0.0.1"]


def test_what_is_packed_is_read_once(tmp_path):
    """Between it and a later line there was time to read it again."""
    packed, log = tmp_path / "packed", tmp_path / "log"
    packed.write_bytes(gzip.compress(b"10.0.0.1\n"))
    append(log, "")
    f = Follower(tmp_path, inputs=("packed", "log"))
    f.wait("10.0.0.1")
    time.sleep(0.5)
    append(log, "10.0.0.2\n")
    f.wait("10.0.0.2")
    (tmp_path / "new").write_bytes(gzip.compress(b"10.0.0.3\n"))
    (tmp_path / "new").rename(packed)
    f.wait("10.0.0.3")
    f.end()
    assert f.seen() == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_slow_reader_loses_nothing(tmp_path):
    log = tmp_path / "log"
    count = 20000
    append(log, *[f"{v}\n" for v in values(count)])
    running = subprocess.Popen([SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count))), "-f",
                                "--checkpoint", tmp_path / "mark", log], stdout=subprocess.PIPE)
    time.sleep(1)
    # The pipe is full, so nothing beyond what went into it counts as told.
    held = (tmp_path / "mark").read_text() if (tmp_path / "mark").exists() else ""
    told = [json.loads(running.stdout.readline()) for _ in range(count)]
    assert [a["line"] for a in told] == list(range(1, count + 1))
    assert f'"line":"{count + 1}"' not in held
    mark = tmp_path / "mark"
    wait_for(lambda: mark.exists() and f'"line":"{count + 1}"' in mark.read_text(), "the checkpoint")
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    running.stdout.close()


def test_rules_and_figures_of_captures(tmp_path):
    """What rules of signalling say of a capture, and its figures, are those without -f."""
    captures = [CORPUS / "5g" / "derived" / n for n in ("04-gtp-in-gtp.pcap", "05-pfcp-in-gtp.pcap")]
    if not all(c.exists() for c in captures):
        pytest.skip(f"{captures[0].parent} is missing: SETU_CORPUS names the folder of the corpus")
    key = tmp_path / "key"
    wanted, figures = [], []
    for c in captures:
        status, alerts, error = detect("--5g", "--5g-key", key, c)
        assert status == 0
        wanted += [json.dumps(a) for a in alerts]
        figures += [line for line in error.splitlines() if " frames" in line]
    assert wanted and len(figures) == 2
    log = tmp_path / "log"
    append(log, "")
    f = Follower(tmp_path, "--5g", "--5g-key", key, *map(str, captures))
    wait_for(lambda: len(f.alerts()) >= len(wanted), "what rules say")
    append(log, "10.0.0.1\n")
    f.wait("10.0.0.1")
    error = f.end()
    assert sorted(json.dumps(a) for a in f.alerts() if "rule" in a) == sorted(wanted)
    assert sorted(line for line in error.splitlines() if " frames" in line) == sorted(figures)
