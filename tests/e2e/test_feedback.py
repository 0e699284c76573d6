"""setu feedback: what a reader thinks of an indicator reaches its producer."""
import json

import pytest

from setu_node import indicator, setu

POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc }
accept from JP
release to IN
release tlp:green to JP
redact drop $.description to nisc
"""


@pytest.fixture(scope="module")
def node(module_nodes, tmp_path_factory):
    node = module_nodes(policy=POLICY)
    node.c = node.collection("Shared", "shared")
    node.start()
    node.o = indicator(1, "green", description="how it came to us")
    node.admin.post(node.c, [node.o])
    node.token_file = tmp_path_factory.mktemp("token") / "token"
    node.nisc = node.user("nisc-reader", "contributor", "nisc", "JP")
    node.token_file.write_text(node.nisc)
    return node


def opinions(client, node):
    return client.get(f"collections/{node.c}/objects/", **{"match[type]": "opinion"}).objects


def test_at_the_node_itself(node):
    said = node.cli("feedback", node.o["id"], "false-positive", "--comment", 'our own "resolver"').stdout
    assert "taken" in said and "false-positive" in said
    (o,) = opinions(node.admin, node)
    assert (o["opinion"], o["labels"], o["object_refs"]) == ("strongly-disagree", ["false-positive"], [node.o["id"]])
    assert o["explanation"] == 'our own "resolver"' and o["created_by_ref"].startswith("identity--")


def test_about_what_the_node_does_not_have(node):
    said = setu("feedback", node.dir, "indicator--00000000-0000-4000-8000-000000000000", "false-positive", status=None)
    assert said.returncode in (1, 2) and "is in no collection of this node" in said.stderr
    assert len(opinions(node.admin, node)) == 1


def test_about_a_copy_from_abroad(node):
    """Who has a redacted copy speaks of that; the producer reads of the original."""
    theirs = node.client(node.nisc)
    (copy,) = theirs.get(f"collections/{node.c}/objects/", **{"match[type]": "indicator"}).objects
    assert copy["id"] != node.o["id"]
    words = [node.url, copy["id"], "confirmed", "--collection", "shared", "--ca", node.ca, "--token-file",
             node.token_file, "--tlp", "green"]
    assert "taken" in setu("feedback", *words).stdout
    told = [o for o in opinions(node.admin, node) if o["opinion"] == "strongly-agree"]
    assert [o["object_refs"] for o in told] == [[node.o["id"]]]


@pytest.mark.parametrize("words,status,says", [
    (["indicator--x", "false-positive"], 2, "identifier"), (["ID", "wrong"], 2, "say false-positive"),
    (["ID", "useful", "--tlp", "blue"], 2, "--tlp"), (["ID"], 2, "feedback"),
    (["ID", "useful", "--identity", "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"], 2, "identity"),
    (["ID", "useful", "--collection", "nowhere"], 1, "nowhere"), (["ID", "useful", "--comment", "x" * 5000], 2, "--comment")])
def test_what_is_wrong_is_said(node, words, status, says):
    before = node.rows("object")
    ran = node.cli("feedback", *[node.o["id"] if w == "ID" else w for w in words], status=None)
    assert ran.returncode == status and says in ran.stderr, (ran.returncode, ran.stderr)
    assert node.rows("object") == before
