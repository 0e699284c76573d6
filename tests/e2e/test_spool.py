"""Sightings that nobody takes wait in a folder, and go first when somebody does."""
import base64
import json
import shutil
import signal
import subprocess

import pytest

from setu_node import SETU, free_port, indicator, setu, wait_for


@pytest.fixture
def sensor(nodes, tmp_path):
    """A node with an indicator, a sensor's token, and a log in which it is seen."""
    node = nodes("n", nation="IN", org="cert-in")
    node.collection("Alerts", alias="alerts", marking="green")
    node.seen = indicator(1)
    feed = tmp_path / "feed.json"
    feed.write_text(json.dumps({"objects": [node.seen]}))
    node.imported("alerts", feed)
    node.input = tmp_path / "log"
    node.input.write_text("host-1.example\nhost-1.example\n")
    node.token_file = tmp_path / "token"
    node.token_file.write_text(node.user("probe", "sensor"))
    node.feed, node.spool = feed, tmp_path / "spool"
    node.identity = "identity--2f6a1c3e-7a5b-4c3d-8e9f-0a1b2c3d4e5f"
    return node


def detect(node, url, *words, status=0):
    return setu("detect", "-i", node.feed, "--sightings", url, "--sightings-collection", "alerts", "--spool", node.spool,
                "--token-file", node.token_file, "--ca", node.ca, *words, node.input, status=status)


def sightings(node):
    objects = json.loads(node.cli("export", "--collection", "alerts").stdout)["objects"]
    return [o for o in objects if o["type"] == "sighting"]


def waiting(node):
    return sorted(p.name for p in node.spool.iterdir())


def test_they_wait_while_nobody_is_there(sensor):
    away = f"https://127.0.0.1:{free_port()}/api/"
    sensor.start()
    sensor.stop()
    # Without an identity nobody knows who saw it: that is an error, and nothing is scanned.
    assert "no way for sightings" in detect(sensor, away, status=3).stderr
    for n in (1, 2):
        ran = detect(sensor, away, "--identity", sensor.identity)
        assert len(ran.stdout.splitlines()) == 2 and "sightings: 1 wait in" in ran.stderr
        assert len(waiting(sensor)) == n
    kept = shutil.copytree(sensor.spool, str(sensor.spool) + ".copy")
    sensor.start()
    ran = detect(sensor, sensor.url + "/api/")
    assert "sightings: 3 taken, 0 refused" in ran.stderr and waiting(sensor) == []
    found = sightings(sensor)
    assert [s["count"] for s in found] == [2, 2, 2] and {s["sighting_of_ref"] for s in found} == {sensor.seen["id"]}
    # The answer was lost: they go again, and are the same.
    shutil.copytree(kept, sensor.spool, dirs_exist_ok=True)
    sensor.input.write_text("nothing\n")
    assert "sightings: 2 taken" in detect(sensor, sensor.url + "/api/", status=1).stderr
    assert sightings(sensor) == found and waiting(sensor) == []


@pytest.mark.parametrize("words, policy, stands", [
    ((), "", False),
    (("--evidence",), "", True),
    (("--evidence",), "refuse from any types observed-data, artifact\n", False),
])
def test_lines_of_the_log_where_sensor_and_policy_allow_it(sensor, words, policy, stands):
    line = "secret 10.9.8.7 asked for host-1.example"
    sensor.input.write_text(f"{line}\n" + "again host-1.example\n" * 5)
    with open(sensor.dir / "policy.conf", "a") as f:
        f.write(policy)
    sensor.start()
    ran = detect(sensor, sensor.url + "/api/", *words, status=3 if policy else 0)
    objects = json.loads(sensor.cli("export", "--collection", "alerts").stdout)["objects"]
    (sighting,) = [o for o in objects if o["type"] == "sighting"]
    lines = [base64.b64decode(o["payload_bin"]).decode() for o in objects if o["type"] == "artifact"]
    observed = [o for o in objects if o["type"] == "observed-data"]
    assert sighting["count"] == 6 and ("observed_data_refs" in sighting) == bool(words)
    if not stands:
        assert not lines and not observed
        assert ("1 taken, 3 refused" if words else "1 taken, 0 refused") in ran.stderr
        return
    (data,) = observed
    assert sorted(lines) == sorted([line, "again host-1.example"]) and data["number_observed"] == 2
    assert sighting["observed_data_refs"] == [data["id"]]
    assert set(data["object_refs"]) == {o["id"] for o in objects if o["type"] == "artifact"}
    for o in objects:
        if o["type"] in ("artifact", "observed-data"):
            assert o.get("object_marking_refs") == sighting.get("object_marking_refs")


def test_what_is_no_envelope_stands_in_nobodys_way(sensor):
    """Also with a node's directory as the target."""
    sensor.spool.mkdir()
    bad = "2026-01-01T00:00:00.000000Z-000000.json"
    (sensor.spool / bad).write_text("{")
    ran = setu("detect", "-i", sensor.feed, "--sightings", sensor.dir, "--spool", sensor.spool, sensor.input, status=3)
    assert len(ran.stdout.splitlines()) == 2 and f"{bad}.bad" in ran.stderr and "1 taken, 1 refused" in ran.stderr
    assert waiting(sensor) == [bad + ".bad"] and len(sightings(sensor)) == 1
    setu("detect", "-i", sensor.feed, "--sightings", sensor.dir, "--spool", sensor.spool, sensor.input)
    assert len(sightings(sensor)) == 2


def test_wrong_words(sensor, tmp_path):
    ran = setu("detect", "-i", sensor.feed, "--spool", sensor.spool, sensor.input, status=2)
    assert "--spool DIR needs --sightings" in ran.stderr
    (tmp_path / "file").write_text("")
    ran = setu("detect", "-i", sensor.feed, "--sightings", sensor.dir, "--spool", tmp_path / "file", sensor.input, status=3)
    assert "--spool" in ran.stderr


def test_in_windows_while_a_log_is_followed(sensor):
    """Told while the log goes on; while the node is away they wait, and nothing is told twice."""
    port = free_port()
    sensor.start(listen=f"127.0.0.1:{port}")
    sensor.input.write_text("host-1.example\n")
    words = [SETU, "detect", "-i", sensor.feed, "--sightings", sensor.url + "/api/", "--sightings-collection",
             "alerts", "--spool", sensor.spool, "--token-file", sensor.token_file, "--ca", sensor.ca, "--identity",
             sensor.identity, "-f", "--sightings-window", "1", sensor.input]
    running = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def counted():
        return sum(s["count"] for s in sightings(sensor))

    def more(n):
        with open(sensor.input, "a") as f:
            f.write("host-1.example\n" * n)
    wait_for(lambda: counted() == 1, "the first window")
    more(3)
    wait_for(lambda: counted() == 4, "the second")
    sensor.stop()
    more(5)
    wait_for(lambda: waiting(sensor), "what waits")
    sensor.start(listen=f"127.0.0.1:{port}")
    more(7)
    wait_for(lambda: counted() == 16, "all of them")
    running.send_signal(signal.SIGTERM)
    _, error = running.communicate(timeout=60)
    assert running.returncode in (0, 3), error
    assert counted() == 16 and waiting(sensor) == []
    found = sightings(sensor)
    assert len(found) >= 3 and len({s["id"] for s in found}) == len(found)
    assert all(s["where_sighted_refs"] == [sensor.identity] for s in found)


def test_windows_need_a_spool(sensor):
    ran = setu("detect", "-i", sensor.feed, "--sightings", sensor.dir, "--sightings-window", "5", sensor.input, status=2)
    assert "--spool" in ran.stderr
