"""setu detect -f DIR: logs that come, are renamed, cut off, copied, packed and removed while their folder is followed."""
import gzip
import json
import lzma
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from setu_node import CORPUS, wait_for
from test_detect import SETU, detect, made
from test_follow import Follower, append, values


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def follow(tmp_path, *words, **more):
    return Follower(tmp_path, *words, inputs=("logs",), **more)


def rounds(seconds=2.2):
    """What must not be told gets the time to be told: two rounds of looking and more."""
    time.sleep(seconds)


def told(f):
    """Of each alert the file's name, line and value."""
    return sorted((a["input"].split("/logs/")[1], a["line"], a["observable"]) for a in f.alerts())


def once(f, *numbers):
    assert sorted(f.seen()) == sorted(f"10.0.0.{n}" for n in numbers)


def test_files_and_folders_that_come(tmp_path, logs):
    append(logs / "a.log", "10.0.0.1\n")
    append(logs / ".hidden", "10.0.0.90\n")
    append(tmp_path / "elsewhere", "10.0.0.91\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    append(logs / "b.log", "10.0.0.2\n10.0.")
    append(logs / "a.log", "10.0.0.3\n")
    (logs / "sub" / "below").mkdir(parents=True)
    append(logs / "sub" / "below" / "c.log", "10.0.0.4\n")
    (logs / "link").symlink_to(tmp_path / "elsewhere")
    os.link(logs / "b.log", logs / "other-name-of-b")
    append(logs / ".later", "10.0.0.92\n")
    append(logs / "empty", "")
    f.wait("10.0.0.2", "10.0.0.3", "10.0.0.4")
    append(logs / "b.log", "0.5\n")
    append(logs / "empty", "10.0.0.6\n")
    f.wait("10.0.0.5", "10.0.0.6")
    rounds()
    f.end()
    assert told(f) == [("a.log", 1, "10.0.0.1"), ("a.log", 2, "10.0.0.3"), ("b.log", 1, "10.0.0.2"),
                       ("b.log", 2, "10.0.0.5"), ("empty", 1, "10.0.0.6"), ("sub/below/c.log", 1, "10.0.0.4")]


def test_a_folder_that_is_empty_at_first(tmp_path, logs):
    f = follow(tmp_path)
    rounds(0.5)
    append(logs / "app.log", "10.0.0.1\n")
    f.wait("10.0.0.1")
    f.end()


def test_renamed_by_rotation(tmp_path, logs):
    log = logs / "app.log"
    append(log, "10.0.0.1\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    for turn in range(2, 6):
        for n in range(turn, 1, -1):
            if (logs / f"app.log.{n - 1}").exists():
                (logs / f"app.log.{n - 1}").rename(logs / f"app.log.{n}")
        append(log, f"10.0.0.{turn * 10}\n")
        log.rename(logs / "app.log.1")
        append(logs / "app.log.1", f"10.0.0.{turn * 10 + 1}\n")  # by who has it open still
        append(log, f"10.0.0.{turn * 10 + 2}\n")
        f.wait(*[f"10.0.0.{turn * 10 + i}" for i in range(3)])
    # Who has not noticed for long writes into the renamed file, which has another name by now.
    rounds()
    append(logs / "app.log.1", "10.0.0.99\n")
    f.wait("10.0.0.99")
    rounds()
    f.end()
    once(f, 1, *[t * 10 + i for t in range(2, 6) for i in range(3)], 99)
    assert [a["input"].split("/")[-1] for a in f.alerts() if a["observable"] == "10.0.0.99"] == ["app.log.1"]


def test_text_that_was_not_read_is_told_at_the_end(tmp_path, logs):
    """0 says that everything was."""
    log = logs / "app.log"
    append(log, "10.0.0.1\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    log.rename(logs / "app.log.1")
    append(log, "10.0.0.2\n")
    append(logs / "b.log", "10.0.0.3\n")
    f.process.send_signal(signal.SIGTERM)
    _, error = f.process.communicate(timeout=60)
    all_told = {"10.0.0.2", "10.0.0.3"} <= set(f.seen())
    assert (f.process.returncode, all_told) in ((3, False), (0, True))
    assert ("not read to" in error.decode()) == (f.process.returncode == 3)


def test_renamed_by_rotation_comes_in_order(tmp_path, logs):
    """The old file is read to its end before the new one of its name."""
    log = logs / "app.log"
    count = 3000
    append(log, *[f"{'x' * 200} {v}\n" for v in values(count)])
    words = [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count + 1))), "-f", logs]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = running.stdout.readline()  # it reads, and waits for who takes its alerts
    log.rename(logs / "app.log.1")
    append(log, f"{values(count + 1)[-1]}\n")
    rounds()
    seen = [json.loads(first)["observable"]]
    while len(seen) < count + 1:
        seen.append(json.loads(running.stdout.readline())["observable"])
    assert seen == values(count + 1)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    running.stdout.close()


def test_rotated_while_nobody_takes_the_alerts(tmp_path, logs):
    """Nothing is told for longer than two rotations take, and nothing is lost by them."""
    log, count = logs / "app.log", 3000
    lines = [f"{'x' * 200} {v}\n" for v in values(count + 4)]
    append(log, *lines[:count])
    words = [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count + 4))), "-f", logs]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = running.stdout.readline()
    for n in range(3):  # a new log each time; the one before is packed, and the one before that removed
        if n:
            packed = logs / "app.log.2.gz"
            packed.write_bytes(gzip.compress((logs / "app.log.1").read_bytes()))
            (logs / "app.log.1").unlink()
        if n == 2:
            packed.unlink()
        log.rename(logs / "app.log.1")
        append(log, lines[count + n])
        rounds(2.8)
    seen = [json.loads(first)["observable"]]
    while len(seen) < count + 3:
        seen.append(json.loads(running.stdout.readline())["observable"])
    rounds(4)
    append(log, lines[count + 3])
    assert json.loads(running.stdout.readline())["observable"] == values(count + 4)[-1]
    assert seen[:count] == values(count) and sorted(seen[count:]) == sorted(values(count + 4)[count:-1])
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    running.stdout.close()


def test_copied_and_cut_off(tmp_path, logs):
    log = logs / "app.log"
    append(log, "10.0.0.1\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    for turn in range(2, 5):
        if (logs / "app.log.1").exists():
            (logs / "app.log.1").rename(logs / f"app.log.{turn - 1}")
        append(log, f"line {turn} 10.0.0.{turn * 10}\n")  # it may be seen in the copy alone
        shutil.copy(log, logs / "app.log.1")
        os.truncate(log, 0)
        rounds(0.5)
        append(log, f"10.0.0.{turn * 10 + 1}\n")
        f.wait(f"10.0.0.{turn * 10}", f"10.0.0.{turn * 10 + 1}")
    rounds()
    f.end()
    once(f, 1, *[t * 10 + i for t in range(2, 5) for i in range(2)])


def test_the_same_line_after_each_rotation(tmp_path, logs):
    log = logs / "app.log"
    append(log, "10.0.0.1\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    log.rename(logs / "app.log.1")
    append(log, "10.0.0.1\n")
    wait_for(lambda: len(f.seen()) == 2, "the new file")
    os.truncate(log, 0)
    rounds(0.5)
    append(log, "10.0.0.1\n")
    wait_for(lambda: len(f.seen()) == 3, "the file that was cut off")
    rounds()
    f.end()
    once(f, 1, 1, 1)


def test_the_last_line_of_what_is_packed(tmp_path, logs):
    log = logs / "app.log"
    append(log, "10.0.0.1\n10.0.0.2 without an end")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    rounds(1.5)
    (logs / "app.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    f.wait("10.0.0.2")
    rounds(4)
    f.end()
    once(f, 1, 2)


def test_captures_that_come(tmp_path, logs):
    capture = CORPUS / "5g" / "derived" / "04-gtp-in-gtp.pcap"
    if not capture.exists():
        pytest.skip(f"{capture} is missing: SETU_CORPUS names the folder of the corpus")
    wanted = [a["rule"] for a in detect("--5g", capture)[1]]
    assert wanted
    f = follow(tmp_path, "--5g")
    rounds(1.2)
    (logs / "taken.pcap").write_bytes(capture.read_bytes())
    wait_for(lambda: f.alerts(), "what rules say")
    append(logs / "app.log", "10.0.0.1\n")
    f.wait("10.0.0.1")
    rounds()
    error = f.end()
    assert [a["rule"] for a in f.alerts() if "rule" in a] == wanted and error.count(" frames") == 1


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_by_rotation(tmp_path, logs, pack):
    log, end = logs / "app.log", ".gz" if pack is gzip.compress else ".xz"
    append(log, "10.0.0.1\n", "x\n" * 1000)
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    append(log, "10.0.0.2\n")
    log.rename(logs / "app.log.1")
    append(log, "10.0.0.3\n")
    (logs / f"app.log.1{end}").write_bytes(pack((logs / "app.log.1").read_bytes()))
    (logs / "app.log.1").unlink()
    f.wait("10.0.0.2", "10.0.0.3")
    rounds(4)
    (logs / f"app.log.1{end}").rename(logs / f"app.log.2{end}")
    append(log, "10.0.0.4\n")
    f.wait("10.0.0.4")
    (logs / "app.log-20261127").write_bytes(log.read_bytes())  # a copy, which is packed too
    os.truncate(log, 0)
    (logs / f"app.log-20261127{end}").write_bytes(pack((logs / "app.log-20261127").read_bytes()))
    (logs / "app.log-20261127").unlink()
    rounds(4)
    append(log, "10.0.0.5\n")
    f.wait("10.0.0.5")
    rounds()
    f.end()
    once(f, 1, 2, 3, 4, 5)


def test_packed_files_that_come(tmp_path, logs):
    f = follow(tmp_path)
    rounds(1.2)
    whole = gzip.compress(b"10.0.0.1\n" + random.Random(1).randbytes(40000).hex().encode() + b"\n10.0.0.2\n")
    with open(logs / "one.gz", "wb") as g:  # it is read when it is there as a whole
        g.write(whole[:20000])
        g.flush()
        time.sleep(0.7)
        g.write(whole[20000:])
    (logs / "two.xz").write_bytes(lzma.compress(b"10.0.0.3\n"))
    f.wait("10.0.0.1", "10.0.0.2", "10.0.0.3")
    (logs / "broken.gz").write_bytes(gzip.compress(b"10.0.0.4\n" * 9)[:-6])
    f.wait("10.0.0.4")
    append(logs / "later", "10.0.0.5\n")
    f.wait("10.0.0.5")
    rounds()
    error = f.end(3)
    assert [v for v in f.seen() if v != "10.0.0.4"].count("10.0.0.1") == 1
    once(f, 1, 2, 3, *[4] * 9, 5)
    assert error.count("broken.gz") == 1 and "ends too early" in error


def test_a_log_whose_name_only_looks_rotated(tmp_path, logs):
    append(logs / "syslog", "10.0.0.1\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1")
    append(logs / "syslog-ng.log", "10.0.0.2\n")
    (logs / "syslog.other.gz").write_bytes(gzip.compress(b"10.0.0.3\n"))
    f.wait("10.0.0.2", "10.0.0.3")
    for _ in range(25):  # and one that never rests
        append(logs / "syslog-busy", "x\n")
        time.sleep(0.1)
    append(logs / "syslog-busy", "10.0.0.4\n")
    f.wait("10.0.0.4")
    f.end()
    once(f, 1, 2, 3, 4)


def test_removed_and_moved_away(tmp_path, logs):
    log, other = logs / "app.log", logs / "other.log"
    append(log, "10.0.0.1\n")
    append(other, "10.0.0.2\n")
    f = follow(tmp_path)
    f.wait("10.0.0.1", "10.0.0.2")
    with open(log, "ab") as g:
        log.unlink()
        g.write(b"10.0.0.3\n10.0.0.4")  # its last line is no whole one
    append(other, "10.0.0.5\n")
    other.rename(tmp_path / "other.log")
    f.wait("10.0.0.3", "10.0.0.4", "10.0.0.5")

    def held():
        links = [os.readlink(p) for p in (f"/proc/{f.process.pid}/fd/{n}" for n in
                                          os.listdir(f"/proc/{f.process.pid}/fd")) if os.path.islink(p)]
        return [x for x in links if "app.log" in x or "other.log" in x]

    wait_for(lambda: not held(), "the files to be let go")
    append(log, "10.0.0.6\n")
    f.wait("10.0.0.6")
    (tmp_path / "other.log").rename(other)  # it comes back, and goes on
    append(other, "10.0.0.7\n")
    f.wait("10.0.0.7")
    rounds()
    f.end()
    once(f, *range(1, 8))


def test_what_cannot_be_read(tmp_path, logs):
    who = []
    if os.geteuid() == 0:  # who reads everything but without these
        who = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if not shutil.which("setpriv") or subprocess.run([*who, "true"]).returncode != 0:
            pytest.skip("root reads everything")
    secret, below = logs / "secret.log", logs / "below"
    append(logs / "app.log", "10.0.0.1\n")
    f = follow(tmp_path, before=who)
    f.wait("10.0.0.1")
    append(tmp_path / "secret", "10.0.0.2\n")
    (tmp_path / "secret").chmod(0)
    (tmp_path / "secret").rename(secret)
    below.mkdir()
    append(below / "x.log", "10.0.0.3\n")
    below.chmod(0)
    rounds(3.5)
    secret.chmod(0o600)
    below.chmod(0o700)
    f.wait("10.0.0.2", "10.0.0.3")
    error = f.end(3)
    once(f, 1, 2, 3)
    assert error.count("cannot open") == 1 and str(secret) in error
    assert error.count("cannot look through") == 1 and str(below) in error


def test_more_files_than_are_followed(tmp_path, logs):
    count = 260
    for n in range(count):
        append(logs / f"{n:03}.log", f"{values(count)[n]}\n")
    f = follow(tmp_path)
    wait_for(lambda: len(f.seen()) == 256, "256 files")
    rounds()
    assert len(f.seen()) == 256
    for a in f.alerts()[:10]:
        os.unlink(a["input"])
    f.wait(*values(count))
    error = f.end(3)
    assert error.count("not followed yet") == 1
    assert sorted(f.seen()) == sorted(values(count))


def test_a_folder_and_a_file(tmp_path, logs):
    append(logs / "a.log", "10.0.0.1\n")
    append(tmp_path / "b.log", "10.0.0.2\n")
    append(logs / ".hidden", "10.0.0.3\n")
    (logs / "link").symlink_to(tmp_path / "elsewhere")
    append(tmp_path / "elsewhere", "10.0.0.4\n")
    f = Follower(tmp_path, inputs=("logs/a.log", "logs", "b.log", "logs/.hidden", "logs/link"))
    f.wait(*[f"10.0.0.{n}" for n in range(1, 5)])
    append(logs / "c.log", "10.0.0.5\n")
    append(logs / "a.log", "10.0.0.6\n")
    (logs / "a.log").rename(logs / "a.log.1")
    append(tmp_path / "b.log", "10.0.0.7\n")
    f.wait("10.0.0.5", "10.0.0.6", "10.0.0.7")
    append(logs / "a.log", "10.0.0.8\n")
    append(logs / ".hidden", "10.0.0.9\n")
    f.wait("10.0.0.8", "10.0.0.9")
    rounds()
    f.end()
    once(f, *range(1, 10))


@pytest.mark.parametrize("how", ["renamed", "copied", "packed"])
def test_a_checkpoint_of_a_folder(tmp_path, logs, how):
    """What was told is not told again by the next run, whatever rotation did to the files meanwhile."""
    log, mark = logs / "app.log", tmp_path / "mark"
    append(log, "10.0.0.1\n", "x\n" * 200)
    (logs / "old.gz").write_bytes(gzip.compress(b"10.0.0.2\n" * 100))
    f = follow(tmp_path, "--checkpoint", mark)
    f.wait("10.0.0.1", "10.0.0.2")
    append(log, "10.0.0.3\n")
    f.wait("10.0.0.3")
    wait_for(lambda: mark.exists() and '"line":"203"' in mark.read_text() and '"line":"101"' in mark.read_text(),
             "the checkpoint")
    f.kill()
    append(log, "10.0.0.4\n")
    if how == "renamed":
        log.rename(logs / "app.log.1")
    else:
        data = log.read_bytes()
        (logs / "app.log.1").write_bytes(data) if how == "copied" else \
            (logs / "app.log.1.gz").write_bytes(gzip.compress(data))
        os.truncate(log, 0)
    append(log, "10.0.0.5\n")
    f.start()
    f.wait("10.0.0.4", "10.0.0.5")
    rounds()
    f.end()
    f.start()
    rounds()
    f.end(1)
    once(f, 1, *[2] * 100, 3, 4, 5)


@pytest.mark.parametrize("name", ["log", "log.gz"])
def test_who_is_stopped_tells_nothing_again(tmp_path, logs, name):
    count = 12000
    text = "".join(f"{'x' * 100} {v}\n" for v in values(count)).encode()
    (logs / name).write_bytes(gzip.compress(text) if name == "log.gz" else text)
    words = [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count))), "-f", "--checkpoint",
             tmp_path / "mark", logs]
    told, runs = [], 0
    while len(told) < count:
        running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        told += [running.stdout.readline() for _ in range(min(500, count - len(told)))]
        running.send_signal(signal.SIGTERM)
        told += running.stdout.readlines()
        running.wait(60)
        running.stdout.close()
        runs += 1
        assert told[-1]
    assert [json.loads(t)["observable"] for t in told] == values(count) and runs > 1
    assert [json.loads(t)["line"] for t in told] == list(range(1, count + 1))


def test_many_packed_files(tmp_path, logs):
    count = 300
    for n, v in enumerate(values(count)):
        (logs / f"{n}.gz").write_bytes(gzip.compress(f"{v}\n".encode()))
    f = follow(tmp_path, "--checkpoint", tmp_path / "mark")
    f.wait(*values(count))
    f.end()
    f.start()
    append(logs / "log", "10.0.2.1\n")
    f.wait("10.0.2.1")
    rounds()
    f.end()
    assert sorted(f.seen()) == sorted([*values(count), "10.0.2.1"])


def test_killed_again_and_again(tmp_path, logs):
    """Every value that was written is told at least once, whenever the sensor is killed and its logs are
    rotated, and what the checkpoint holds is told once."""
    chance = random.Random(11)
    log, mark = logs / "app.log", tmp_path / "mark"
    append(log, "")
    wanted = values(3000)
    f = follow(tmp_path, "--checkpoint", mark)
    at = rotated = 0
    for turn in range(20):
        n = chance.randrange(50, 150)
        append(log, *[f"line with {v} in it\n" for v in wanted[at:at + n]])
        at += n
        f.wait(wanted[at - n])
        if chance.random() < 0.5:
            rotated += 1
            old = logs / f"app.log-{20261100 + rotated}"
            if chance.random() < 0.5:
                log.rename(old)
            else:
                shutil.copy(log, old)
                os.truncate(log, 0)
            if chance.random() < 0.4:
                f.wait(wanted[at - 1])
                (logs / (old.name + ".gz")).write_bytes(gzip.compress(old.read_bytes()))
                old.unlink()
            append(log, "")
        if chance.random() < 0.4:
            f.wait(wanted[at - 1])
            settled = mark.stat().st_mtime_ns
            append(logs / "tick", f"{turn}\n")
            wait_for(lambda: mark.stat().st_mtime_ns > settled, "the checkpoint")
        f.kill()
        f.start()
    f.wait(*wanted[:at])
    rounds()
    error = f.end(None)  # 1: the last run had nothing left to tell
    seen = f.seen()
    assert set(seen) == set(wanted[:at]) and rotated > 3
    assert len(seen) < 2 * at, (len(seen), at, error)
