"""A node comes back of its backup, and its partner takes nothing on trust: it finds that the ledger is
an earlier one, keeps the evidence, and pulls again only when an officer on each side has said so."""
import json
import shutil

import pytest

from setu_node import free_port, indicator, setu

from test_backup import restored

NAMES = 'nation IN "India" { agency cert-in }\nnation JP "Japan" { agency jpcert }\n'


class Pair:
    """Japan publishes, India pulls and witnesses; Japan's node is the one that is lost."""

    def __init__(self, nodes, tmp_path):
        self.nodes, self.tmp = nodes, tmp_path
        self.japan = nodes("japan", nation="JP", org="jpcert", policy=NAMES + "release to any\n")
        self.collection = self.japan.collection("For India", "india")
        self.india = nodes("india", org="cert-in",
                           policy=NAMES + "accept from JP\nrelease to IN\n")
        self.india.collection("From Japan", "japan")
        self.japan.user("in", "peer", "cert-in", "IN", "--cert", self.india.dir / "tls/node.pem")
        for node, name in ((self.japan, "yuki"), (self.india, "meera")):
            (tmp_path / name).write_text(node.user(name, "officer"))
        self.listen = f"127.0.0.1:{free_port()}"
        self.japan.start(listen=self.listen)
        self.india.cli("peer add", "jpcert", "--url", self.japan.url, "--nation", "JP", "--org",
                       "jpcert", "--from", "india", "--into", "japan", "--ca", self.japan.ca)
        self.published = 0

    def publish(self, count=5):
        objects = [indicator(self.published + n, "green") for n in range(count)]
        self.published += count
        self.japan.admin.post(self.collection, objects)

    def sync(self, status=0):
        """What was said of the ledger, and how many objects came."""
        ran = self.india.cli("sync", "--json", status=status)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        ledger = [line for line in lines if "ledger" in line]
        pulled = [line["accepted"] for line in lines if "accepted" in line]
        assert len(ledger) == 1 and len(pulled) == (1 if status == 0 else 0), lines
        return ledger[0]["ledger"], pulled[0] if pulled else None, ran.stderr

    def backup(self):
        setu("backup", self.japan.dir, "-o", self.tmp / "b.tar", "--force")

    def restore(self):
        """The node is lost, and comes back at the same address."""
        self.japan.stop()
        self.japan = restored(self.nodes, self.japan, self.tmp / "b.tar", "japan-again")
        self.japan.start(listen=self.listen)

    def confirm(self, status=0):
        return self.japan.cli("ledger confirm", "--officer", "yuki", "--token-file",
                              self.tmp / "yuki", "--reason", "the disk failed", status=status)

    def accept(self, status=0, officer="meera"):
        return self.india.cli("peer accept", "jpcert", "--officer", officer, "--token-file",
                              self.tmp / officer, "--reason", "they telephoned", status=status)

    def doctor(self):
        ran = self.india.cli("doctor", "--json", status=None)
        return ran.returncode, [f["status"] for f in map(json.loads, ran.stdout.splitlines())
                                if f["check"] == "witnesses"]

    def witness(self):
        return json.loads(self.india.cli("ledger witness", "--json").stdout)


@pytest.fixture
def pair(nodes, tmp_path):
    return Pair(nodes, tmp_path)


def size_of(note):
    return int(note.split("\n")[1])


@pytest.mark.parametrize("grown", [False, True])
def test_the_whole_way(pair, grown):
    """`grown`: the restored node has a longer ledger than its partner has seen, so that the partner
    finds a fork and no rollback."""
    pair.publish()
    assert pair.sync()[:2] == ("consistent", 5)
    pair.backup()
    pair.publish()
    assert pair.sync()[:2] == ("consistent", 5)
    before = pair.witness()
    assert before["state"] == "good" and pair.doctor() == (0, ["ok"])

    pair.restore()
    if grown:
        pair.publish(40)
    found = "fork" if grown else "rollback"
    for _ in range(2):  # and it goes on saying so
        ledger, _, said = pair.sync(status=1)
        assert ledger == found and "Nothing is pulled" in said
    kept = pair.witness()
    assert kept["state"] == found and kept["seen"] == before["seen"]
    assert size_of(kept["evidence"]) > size_of(before["seen"]) if grown else \
        size_of(kept["evidence"]) < size_of(before["seen"])
    assert pair.doctor() == (1, ["error"])

    # Neither officer alone is enough.
    assert "no officer's confirmation" in pair.accept(status=1).stderr
    assert pair.sync(status=1)[0] == found
    pair.confirm()
    assert pair.sync(status=1)[0] == found
    pair.tmp.joinpath("nobody").write_text("setu_nobody")
    pair.accept(status=3, officer="nobody")
    assert pair.sync(status=1)[0] == found
    pair.accept()
    ledger, pulled, _ = pair.sync()
    assert ledger == "consistent" and pulled == (40 if grown else 0)
    assert pair.witness()["state"] == "good" and pair.doctor() == (0, ["ok"])
    assert "nothing stands against" in pair.accept(status=1).stderr

    pair.publish()
    assert pair.sync()[:2] == ("consistent", 5)
    held = json.loads(pair.india.cli("export").stdout)["objects"]
    assert len(held) == pair.published


def test_nothing_newer_was_seen(pair):
    """A backup of which the partner has not seen more is no gap for it."""
    pair.publish()
    assert pair.sync()[:2] == ("consistent", 5)
    pair.backup()
    pair.restore()
    assert pair.sync()[:2] == ("consistent", 0)
    pair.confirm()
    pair.publish()
    assert pair.sync()[:2] == ("consistent", 5)
    assert pair.doctor() == (0, ["ok"])


def test_an_old_confirmation_opens_nothing_new(pair):
    """What officers confirmed once does not cover the next time."""
    pair.publish()
    pair.sync()
    pair.backup()
    pair.publish()
    pair.sync()
    pair.restore()
    pair.sync(status=1)
    pair.confirm()
    pair.accept()
    pair.sync()
    # Again, from a backup that holds that confirmation.
    pair.backup()
    pair.publish()
    pair.sync()
    pair.japan.stop()
    shutil.rmtree(pair.japan.dir)
    pair.japan = restored(pair.nodes, pair.japan, pair.tmp / "b.tar", "third").start(listen=pair.listen)
    assert pair.sync(status=1)[0] == "rollback"
    assert pair.accept(status=1).returncode == 1
    assert pair.sync(status=1)[0] == "rollback"
    pair.confirm()
    pair.accept()
    assert pair.sync()[0] == "consistent"


def test_the_partner_itself_is_restored(pair):
    """What India pulled and witnessed since its backup, it pulls and witnesses again."""
    pair.publish()
    pair.sync()
    setu("backup", pair.india.dir, "-o", pair.tmp / "in.tar")
    pair.publish()
    pair.sync()
    pair.india = restored(pair.nodes, pair.india, pair.tmp / "in.tar", "india-again")
    assert pair.sync()[:2] == ("consistent", 5)
    assert pair.doctor()[1] == ["ok"]
