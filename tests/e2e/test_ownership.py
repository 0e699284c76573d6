"""Whose an object is: its creator's where that organisation is known here, else its first
submitter's. Observables, whose ids follow from their values, are each submitter's own."""
import json

import pytest

from setu_node import TLP, error_of, indicator, later, setu

POLICY = """
nation IN "India" { agency home, second }
nation JP "Japan" { agency nisc, jpcert }
nation AU "Australia" { agency acsc }
accept from JP
accept from AU
release tlp:amber to any
release tlp:clear, tlp:green to any
"""
ADDRESS = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"  # of 198.51.100.3 (STIX 2.1 §2.9)


def address(tlp):
    return {"type": "ipv4-addr", "spec_version": "2.1", "id": ADDRESS, "value": "198.51.100.3",
            "object_marking_refs": [TLP[tlp]]}


@pytest.fixture
def node(nodes):
    n = nodes(policy=POLICY)
    n.collection("Shared", "shared", "green")
    n.start()
    return n


@pytest.fixture
def who(node):
    """A client of each organisation, and the identities the node knows them by."""
    clients = {}
    for org, nation in (("home", "IN"), ("second", "IN"), ("nisc", "JP"), ("jpcert", "JP"),
                        ("acsc", "AU")):
        clients[org] = node.client(node.user(f"u-{org}", "contributor", org, nation))
    lines = node.cli("user list", "--json").stdout.splitlines()
    clients["identity"] = {u["org"]: u["identity"] for u in map(json.loads, lines)}
    return clients


def refused(answer, words):
    status = answer.json()
    assert status["failure_count"] == 1 and words in status["failures"][0]["message"], status


def test_the_creator_keeps_its_object_whoever_was_first(who):
    o = indicator(created_by_ref=who["identity"]["jpcert"])
    assert who["nisc"].post("shared", [o]).json()["success_count"] == 1
    newer = later(o, "2026-03-01T00:00:00.000Z", name="by its creator")
    assert who["jpcert"].post("shared", [newer]).json()["success_count"] == 1
    refused(who["acsc"].post("shared", [later(o, "2026-04-01T00:00:00.000Z")]), "owns this id")
    taken = later(o, "2026-05-01T00:00:00.000Z", created_by_ref=who["identity"]["acsc"])
    refused(who["acsc"].post("shared", [taken]), "owns this id")


def test_a_foreigner_does_not_speak_for_an_organisation_of_this_nation(who):
    o = indicator(created_by_ref=who["identity"]["second"])
    refused(who["nisc"].post("shared", [o]), "alone may speak")
    assert who["second"].post("shared", [o]).json()["success_count"] == 1
    assert who["nisc"].post("shared", [o]).json()["success_count"] == 1  # what it was shown it may repeat


def test_what_a_partner_created_stays_bound_to_it_when_home_hands_it_in(who):
    o = indicator(tlp="amber", created_by_ref=who["identity"]["jpcert"])
    assert who["home"].post("shared", [o]).json()["success_count"] == 1
    assert o["id"] in who["nisc"].all_ids("shared")
    assert o["id"] not in who["acsc"].all_ids("shared")
    plain = indicator(tlp="amber")
    who["home"].post("shared", [plain])
    assert plain["id"] in who["acsc"].all_ids("shared")


def test_an_observable_of_one_says_nothing_to_another(who):
    assert who["home"].post("shared", [address("red")]).json()["success_count"] == 1
    for org in ("nisc", "second"):
        answer = who[org].post("shared", [address("green")])
        answer = answer.json()
        told = answer["successes"][0].get("message")
        assert answer["success_count"] == 1, answer
        assert told == (None if org == "nisc" else "released to everybody (policy.conf:8)"), answer
    [seen] = [o for o in who["acsc"].get("/api/collections/shared/objects/").objects
              if o["id"] == ADDRESS]
    assert seen["object_marking_refs"] == [TLP["green"]]
    again = who["nisc"].post("shared", [address("green")]).json()["successes"][0]
    assert "here already" in again["message"]
    who["nisc"].delete("shared", ADDRESS)
    assert ADDRESS in who["home"].all_ids("shared") and ADDRESS in who["acsc"].all_ids("shared")
    who["second"].delete("shared", ADDRESS)
    assert ADDRESS not in who["acsc"].all_ids("shared")
    assert ADDRESS in who["home"].all_ids("shared")


def test_markings_in_capitals_count(who):
    o = indicator()
    o["object_marking_refs"] = ["marking-definition--" + TLP["red"].split("--")[1].upper()]
    who["home"].post("shared", [o])
    assert o["id"] in who["home"].all_ids("shared")
    assert o["id"] not in who["second"].all_ids("shared")
    assert o["id"] not in who["nisc"].all_ids("shared")


def test_thousands_of_versions_are_one_step_each(who):
    o = indicator()
    versions = [later(o, f"2026-02-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z")
                for n in range(4000)]
    assert who["home"].post("shared", versions).json()["success_count"] == 4000
    last = who["nisc"].get("/api/collections/shared/objects/").objects
    assert [v["modified"] for v in last] == [versions[-1]["modified"]]
    assert len(who["nisc"].all_ids("shared", **{"match[version]": "all"})) == 4000


def test_one_identity_is_of_one_organisation(node, who):
    taken = who["identity"]["jpcert"]
    setu("user", "add", node.dir, "x", "--role", "reader", "--org", "acsc", "--nation", "AU",
         "--identity", taken, status=1)


def test_explain_says_where_policy_and_record_differ(node, who):
    o = indicator(tlp="green")
    who["home"].post("shared", [o])
    (node.dir / "policy.conf").write_text(POLICY.replace("release tlp:clear, tlp:green to any", ""))
    said = json.loads(setu("policy", "explain", node.dir, o["id"], "--for", "nisc", "--json").stdout)
    assert said["decision"] == "deny" and said["released"] is True
    assert "an earlier policy" in setu("policy", "explain", node.dir, o["id"], "--for", "nisc").stdout
