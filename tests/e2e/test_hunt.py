"""`setu detect --index` and `setu hunt`: looking back in logs for what is learnt today."""
import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
from test_detect import CORPUS, bundle, detect, indicator, made, run


def hunt(*words):
    status, out, error = run("hunt", *words)
    return status, [json.loads(line) for line in out.decode().splitlines()], error


def told(alerts):
    return sorted((Path(a["input"]).name, a["line"], a["offset"], a["seen"], a["indicator"]) for a in alerts)


@pytest.fixture
def logs(tmp_path):
    """Two logs of some blocks each, and their index."""
    words = []
    for n, name in enumerate(("a.log", "b.log")):
        lines = [f"{i} nothing of note here, line {i} of {name}\n" for i in range(60000)]
        lines[7 + n] = f"from 198.51.100.{7 + n} to www.bad.example\n"
        lines[50000] = "GET hxxp://bad[.]example/x\n"
        words.append(made(tmp_path / name, "".join(lines)))
    status, out, error = run("detect", "--index", tmp_path / "ix", *words)
    assert (status, out) == (0, b"") and "2 written, 0 there" in error
    return words


def test_it_finds_what_detect_finds(tmp_path, logs):
    names = made(tmp_path / "names", "bad.example\n198.51.100.8\n")
    stix = bundle(tmp_path / "b.json", indicator("[ipv4-addr:value = '198.51.100.7']", name="n"))
    whole = detect("-i", names, "-i", stix, *logs)
    assert whole[0] == 0 and len(whole[1]) == 6
    status, alerts, error = hunt(tmp_path / "ix", "-i", stix, names)
    assert (status, told(alerts)) == (0, told(whole[1])) and [a["name"] for a in alerts].count("n") == 1
    for value, count in (("bad.example", 4), ("198.51.100.0/24", 2), ("www.bad.example", 2), ("198.51.100.7", 1)):
        status, alerts, error = hunt(tmp_path / "ix", value)
        assert status == 0 and len(alerts) == count and "hunt: 2 logs, " in error
        read, size = error.split("hunt: 2 logs, ")[1].split(" bytes")[0].split(" of ")
        assert int(read) < int(size), value
    status, alerts, error = hunt(tmp_path / "ix", "203.0.113.9", "none.example")
    assert (status, alerts) == (1, []) and "hunt: 2 logs, 0 of " in error


def test_detect_writes_it_beside_its_alerts(tmp_path, logs):
    names = made(tmp_path / "names", "bad.example\n")
    status, alerts, error = detect("-i", names, "--index", tmp_path / "new", *logs)
    assert status == 0 and len(alerts) == 4 and "index: 2 written" in error
    status, alerts, error = detect("-i", names, "--index", tmp_path / "new", *logs)
    assert status == 0 and "0 written, 2 there" in error
    assert len(hunt(tmp_path / "new", "bad.example")[1]) == 4


def test_logs_move_on(tmp_path, logs):
    """Rotated by renaming, written on, gone; and what has no index."""
    os.rename(logs[0], logs[0] + ".1")
    status, alerts, error = hunt(tmp_path / "ix", "198.51.100.7")
    assert status == 0 and alerts[0]["input"].endswith("a.log.1")
    with open(logs[1], "a") as f:
        f.write("late 198.51.100.77\n")
    status, alerts, error = hunt(tmp_path / "ix", "198.51.100.77")
    assert status == 0 and len(alerts) == 1 and "changed since the index" in error
    os.unlink(logs[1])
    status, alerts, error = hunt(tmp_path / "ix", "198.51.100.7")
    assert status == 3 and len(alerts) == 1 and "it is gone" in error and "1 not read" in error
    packed = tmp_path / "c.log.gz"
    packed.write_bytes(gzip.compress(b"bad.example\n"))
    # Alone, 0 says that there is an index; beside alerts the status is theirs.
    status, _, error = run("detect", "--index", tmp_path / "ix2", packed)
    assert status == 3 and "1 inputs of which none is kept" in error and f"no index of {packed}: it is packed" in error
    names = made(tmp_path / "names", "bad.example\n")
    status, alerts, error = detect("-i", names, "--index", tmp_path / "ix2", packed)
    assert (status, len(alerts)) == (0, 1) and f"no index of {packed}: it is packed" in error
    os.mkfifo(tmp_path / "pipe")
    capture = made(tmp_path / "c.pcap", bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    for other, why in (tmp_path / "pipe", "it is no file"), (capture, "it is a capture"):
        status, _, error = run("detect", "--index", tmp_path / "ix2", other)
        assert status == 3 and f"no index of {other}: {why}" in error


def test_wrong_words(tmp_path, logs):
    log, empty = logs[0], tmp_path / "empty"
    empty.mkdir()
    for words, status, said in (
            (["hunt"], 2, "INDEX"), (["hunt", tmp_path / "ix"], 2, "a value or a set is needed"),
            (["hunt", tmp_path / "ix", "no value!"], 2, "neither a value nor a file"),
            (["hunt", tmp_path / "none", "bad.example"], 3, "none"),
            (["hunt", empty, "bad.example"], 3, "holds no index"),
            (["hunt", log, "bad.example"], 3, "it is no index of a log"),
            (["hunt", tmp_path / "ix", "bad.example", "--as-of", "yesterday"], 2, "--as-of"),
            (["detect", "--index", tmp_path / "x"], 2, "--index DIR needs INPUT"),
            (["detect", "--index", log, log], 3, "log"),
            (["detect", "--index", tmp_path / "x", tmp_path / "none"], 3, "none")):
        got, out, error = run(*map(str, words))
        assert (got, out) == (status, b"") and said in error, (words, got, error)


def test_validity_is_judged_as_detect_does(tmp_path, logs):
    old = bundle(tmp_path / "old.json", indicator("[domain-name:value = 'bad.example']",
                                                  valid_until="2026-02-01T00:00:00Z"))
    assert hunt(tmp_path / "ix", "-i", old)[:2] == (detect("-i", old, *logs)[0], [])
    status, alerts, _ = hunt(tmp_path / "ix", "-i", old, "--as-of", "2026-01-15T00:00:00Z")
    assert status == 0 and len(alerts) == 4
    assert len(hunt(tmp_path / "ix", "-i", old, "--as-of", "2026-02-01T05:29:59+05:30")[1]) == 4


def test_the_generated_logs(tmp_path):
    """Every planted hit is found by hunting for its indicator alone; every negative gives nothing."""
    source = CORPUS / "detect" / "gen.c"
    if not source.exists():
        pytest.skip(f"{source} is not there; SETU_CORPUS names the folder that holds detect/gen.c")
    subprocess.run(["cc", "-O2", "-w", "-o", tmp_path / "gen", source, "-lm"], check=True)
    subprocess.run([tmp_path / "gen", tmp_path, "11", "6", "400", "200", "10000"], check=True, capture_output=True)
    names = [str(tmp_path / f) for f in ("access.log", "conn.log", "dns.log", "eve.json", "syslog.log")]
    assert run("detect", "--index", tmp_path / "ix", *names)[0] == 0
    status, whole, _ = detect("-i", str(tmp_path / "ind_10k.txt"), *names)
    assert status == 0 and len(whole) > 20
    wanted = {}
    for a in whole:
        wanted.setdefault(a["indicator"], []).append(a)
    for value, alerts in wanted.items():
        one = made(tmp_path / "one", value + "\n")
        status, got, error = hunt(tmp_path / "ix", one)
        assert (status, told(got)) == (0, told(alerts)), (value, error)
