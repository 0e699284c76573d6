"""Redacted copies over the wire: what a partner gets in the place of an object, that it stays one
object over its versions, and that what comes back about it finds the original at home."""
import json

import pytest

from setu_node import TLP, error_of, indicator, later

NAMES = """
nation IN "India" { agency home, second }
nation JP "Japan" { agency nisc   operator docomo }
nation AU "Australia" { agency acsc }
accept from JP types sighting, opinion, identity
"""
OPEN = "release to IN\nrelease tlp:clear, tlp:green to JP, AU\n"
MARKING = "marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16"


def sdo(kind, **properties):
    base = indicator()
    return {"type": kind, **{k: base[k] for k in ("spec_version", "created", "modified")},
            "id": base["id"].replace("indicator", kind), **properties}


def relationship(source, target, **properties):
    return sdo("relationship", relationship_type="indicates", source_ref=source["id"],
               target_ref=target["id"], **properties)


@pytest.fixture
def make(nodes):
    def made(rules):
        node = nodes("redaction", policy=NAMES + rules)
        node.shared = node.collection("Shared", "shared")
        node.tokens = {org: node.user(org, "contributor", org, nation) for org, nation in (
            ("home", "IN"), ("second", "IN"), ("nisc", "JP"), ("docomo", "JP"), ("acsc", "AU"))}
        node.start()
        node.who = {org: node.client(token) for org, token in node.tokens.items()}
        return node
    return made


def read(node, org, **params):
    return node.who[org].get(f"collections/{node.shared}/objects/", **params).objects


def without_marking(objects):
    return [o for o in objects if o["id"] != MARKING]


def test_a_copy_is_an_object_of_its_own(make):
    node = make("redact drop $.x_victim to any except IN\n" + OPEN)
    first = indicator(1, x_victim="bank of the north")
    plain = indicator(2)
    node.who["home"].post(node.shared, [first, plain])
    assert read(node, "second") == [first, plain]
    marking, copy, same = read(node, "nisc")
    assert same == plain, "nothing is dropped of it, so it goes out as it is"
    assert marking["id"] == MARKING and marking["definition"]["statement"]
    assert copy["id"] != first["id"] and copy["id"].startswith("indicator--")
    assert copy["object_marking_refs"] == [MARKING] and "x_victim" not in copy
    assert copy["created_by_ref"].startswith("identity--")
    ours = {k: v for k, v in first.items() if k not in ("id", "x_victim")}
    assert {k: copy[k] for k in ours} == ours
    # The original is not there at all, by any route.
    client = node.who["nisc"]
    error_of(client.request("GET", f"collections/{node.shared}/objects/{first['id']}/"), 404)
    assert first["id"] not in client.get(f"collections/{node.shared}/manifest/").text
    # A later version of the original is a later version of the same copy.
    second = later(first, "2026-02-01T00:00:00.000Z", name="renamed")
    node.who["home"].post(node.shared, [second])
    versions = client.get(f"collections/{node.shared}/objects/{copy['id']}/versions/").json()
    assert versions["versions"] == [first["modified"], second["modified"]]
    assert read(node, "nisc", **{"match[id]": copy["id"]})[0]["name"] == "renamed"
    # Taken back, it is gone in every form.
    node.who["home"].delete(node.shared, first["id"])
    assert without_marking(read(node, "nisc")) == [plain] and read(node, "second") == [plain]


def test_references_lead_to_the_copies(make):
    node = make("redact drop $.x_victim to JP\n" + OPEN)
    a, b = indicator(1, x_victim="bank"), sdo("malware", name="m", is_family=False)
    r = relationship(a, b)
    # In whatever order they come.
    node.who["home"].post(node.shared, [r, b])
    assert read(node, "nisc") == [r, b]
    node.who["home"].post(node.shared, [a])
    after = without_marking(read(node, "nisc"))
    copy = next(o for o in after if o["type"] == "indicator")
    link = next(o for o in after if o["type"] == "relationship")
    assert link["id"] != r["id"] and link["source_ref"] == copy["id"]
    assert link["target_ref"] == b["id"]
    assert a["id"] not in json.dumps(after) and r["id"] not in json.dumps(after)
    assert read(node, "acsc") == [r, b, a], "no rule redacts for Australia"


def test_what_comes_back_is_led_home(make):
    node = make("redact drop $.x_victim to JP\n" + OPEN)
    a = indicator(1, x_victim="bank")
    node.who["home"].post(node.shared, [a])
    copy = next(o for o in read(node, "nisc") if o["type"] == "indicator")
    seen = sdo("sighting", sighting_of_ref=copy["id"], count=3)
    assert node.who["nisc"].post(node.shared, [seen]).json()["success_count"] == 1
    at_home = next(o for o in read(node, "second") if o["type"] == "sighting")
    assert at_home["sighting_of_ref"] == a["id"] and at_home["count"] == 3
    theirs = next(o for o in read(node, "nisc") if o["type"] == "sighting")
    assert theirs == seen, "its author reads what it wrote"
    assert a["id"] not in json.dumps(read(node, "nisc"))
    # What we sent comes back as it was, or not at all.
    status = node.who["nisc"].post(node.shared, [copy]).json()
    assert status["success_count"] == 0 or "message" in status["successes"][0]
    changed = later(copy, "2026-03-01T00:00:00.000Z", name="theirs now")
    assert node.who["nisc"].post(node.shared, [changed]).json()["failure_count"] == 1


def test_drop_reference(make):
    node = make("redact drop-reference to JP\ndeny label \"secret\" to any except IN\n" + OPEN)
    hidden = sdo("malware", name="m", is_family=False, labels=["secret"])
    shown = indicator(1)
    link = relationship(shown, hidden)
    report = sdo("report", name="r", published="2026-01-01T00:00:00Z",
                 object_refs=[shown["id"], hidden["id"]])
    node.who["home"].post(node.shared, [link, report, hidden, shown])
    got = without_marking(read(node, "nisc"))
    assert hidden["id"] not in json.dumps(got)
    assert [o["type"] for o in got].count("relationship") == 0, "its target_ref is required"
    assert next(o for o in got if o["type"] == "report")["object_refs"] == [shown["id"]]
    out = json.loads(node.cli("policy explain", link["id"], "--for", "nisc", "--json").stdout)
    assert out["decision"] == "deny" and "target_ref" in out["rule"]["text"]
    # Released later, it is named again.
    again = later(hidden, "2026-02-01T00:00:00.000Z", labels=["open"])
    node.who["home"].post(node.shared, [again])
    got = read(node, "nisc")
    assert link in got and report in got and again in got
    assert [o for o in got if o["type"] == "report"] == [report]


def test_observables(make):
    node = make("redact prefix ipv4-addr value /24 to JP\n" + OPEN)
    from uuid import UUID, uuid5
    space = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

    def address(value):
        return {"type": "ipv4-addr", "spec_version": "2.1", "value": value,
                "id": f"ipv4-addr--{uuid5(space, json.dumps({'value': value}, separators=(',', ':')))}"}
    one, two = address("198.51.100.7"), address("198.51.100.9")
    node.who["home"].post(node.shared, [one, two])
    got = without_marking(read(node, "nisc"))
    assert [o["value"] for o in got] == ["198.51.100.0/24"], "both become one"
    assert got[0]["id"] == address("198.51.100.0/24")["id"]
    node.who["home"].delete(node.shared, one["id"])
    assert [o["value"] for o in without_marking(read(node, "nisc"))] == ["198.51.100.0/24"]
    node.who["home"].delete(node.shared, two["id"])
    assert without_marking(read(node, "nisc")) == []


def test_granular_markings(make):
    node = make(OPEN)
    o = indicator(1, description="how it was found", labels=["a", "b"], granular_markings=[
        {"marking_ref": TLP["red"], "selectors": ["description"]},
        {"marking_ref": TLP["amber"], "selectors": ["labels.[0]"]},
        {"marking_ref": TLP["green"], "selectors": ["labels.[1]"]}])
    node.who["home"].post(node.shared, [o])
    assert read(node, "home") == [o]
    second = without_marking(read(node, "second"))[0]
    assert "description" not in second and second["labels"] == ["a", "b"]
    nisc = without_marking(read(node, "nisc"))[0]
    assert nisc["labels"] == ["b"] and nisc["granular_markings"] == [
        {"marking_ref": TLP["green"], "selectors": ["labels.[0]"]}]
    assert second["id"] != nisc["id"] != o["id"]


def test_pseudonyms(make):
    node = make("redact pseudonym identity name to JP\n" + OPEN)
    o = sdo("identity", name="Department of X", identity_class="organization")
    node.who["home"].post(node.shared, [o])
    name = without_marking(read(node, "nisc"))[0]["name"]
    assert "Department" not in name
    assert node.cli("policy reveal", name).stdout.strip() == "Department of X"
    assert "no pseudonym" in node.cli("policy reveal", name[:-1] + "A", status=1).stderr
