"""`setu dialogue new`, `add`, `list`: rounds and commitments in the store, by the policy."""
import json

import pytest

from setu_node import ROOT, Node, indicator, setu

NAMES = 'nation IN "India" { agency cert-in, nciipc }\nnation JP "Japan" { agency jpcert }\n'
POLICY = NAMES + """
release to IN
release types "dialogue-instrument", "dialogue-round", extension-definition, identity to JP
"""
FOUNDING = ROOT / "tests/golden/dialogue/founding.txt"


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "in", org="cert-in", policy=POLICY)
    node.collection("Dialogue", "dialogue")
    return node


def lines(ran):
    return [json.loads(line) for line in ran.stdout.splitlines()]


def listed(node, *words, **more):
    return lines(node.cli("dialogue list", *words, "--json", **more))


def test_the_public_record_is_loaded_by_one_command(node):
    added = lines(node.cli("dialogue add", "--record", "india-japan", "--json"))
    assert [r["status"] for r in added] == ["accepted"] * 6
    rounds = {o["object"]["ordinal"]: o["object"] for o in listed(node, "round")}
    assert sorted(rounds) == [1, 2, 3, 4, 5]
    assert rounds[4]["date"] == "2022-06-30" and rounds[4]["mode"] == "virtual"
    assert all(r["external_references"] for r in rounds.values())
    again = lines(node.cli("dialogue add", "--record", "india-japan", "--json"))
    assert [r["status"] for r in again] == ["unchanged"] * 6
    # Definitions of the types stand beside them, and all of it is good STIX.
    export = json.loads(node.cli("export").stdout)["objects"]
    assert sum(o["type"] == "extension-definition" for o in export) == 2
    (node.dir / "all.json").write_text(json.dumps(export))
    setu("check", node.dir / "all.json")
    # What a rule names goes abroad, and the definitions with it.
    abroad = json.loads(node.cli("export", "--for", "jpcert").stdout)["objects"]
    assert {o["id"] for o in abroad} == {o["id"] for o in export}


def test_a_statement_becomes_a_round_that_an_officer_corrects(node, tmp_path):
    (tmp_path / "right.json").write_text('{"date": "2022-06-30", "labels": ["checked"]}')
    ran = node.cli("dialogue new", "round", "--statement", FOUNDING, "--from",
                   tmp_path / "right.json", "--tlp", "green", "--json")
    assert "weekday-date" in ran.stderr and "next-ordinal" in ran.stderr
    [round4] = listed(node, "round")
    assert round4["object"]["date"] == "2022-06-30" and round4["object"]["ordinal"] == 4
    assert round4["id"] == lines(ran)[0]["object"]
    (tmp_path / "more.json").write_text('{"labels": null, "agenda": ["5G"]}')
    node.cli("dialogue new", "round", "--revise", round4["id"], "--from", tmp_path / "more.json")
    [now] = listed(node, "round")
    assert now["id"] == round4["id"] and now["created"] == round4["created"]
    assert now["version"] > round4["version"]
    assert "labels" not in now["object"] and now["object"]["agenda"] == ["5G"]
    assert now["object"]["heads"] == round4["object"]["heads"]


def commitment(tmp_path, name="c.json", **members):
    (tmp_path / name).write_text(json.dumps({
        "kind": "dated", "due": "2027-03-31", "owners": {"IN": ["MEA"], "JP": ["MOFA"]},
        "text": {"en": "Both sides will name points of contact."},
        "round_ref": "dialogue-round--00000000-0000-4000-8000-000000000001", **members}))
    return tmp_path / name


def test_what_is_said_reaches_whom_the_policy_names(node, tmp_path):
    ran = node.cli("dialogue new", "commitment", "--from", commitment(tmp_path))
    assert "released to IN" in ran.stdout and "JP" not in ran.stdout
    token = tmp_path / "token"
    token.write_text(node.user("tanaka", "contributor", "jpcert", "JP"))
    assert listed(node, "--as", "tanaka", "--token-file", token) == []
    assert len(listed(node)) == 1
    # A user speaks for the user's own organisation, and cannot revise what another has said.
    token.write_text(node.user("rao", "contributor", "nciipc"))
    rao = ("--as", "rao", "--token-file", token)
    [mine] = listed(node)
    ran = node.cli("dialogue new", "commitment", "--revise", mine["id"], "--from",
                   commitment(tmp_path), *rao, status=1)
    assert "it is another's" in ran.stderr
    node.cli("dialogue new", "commitment", "--from", commitment(tmp_path), *rao)
    assert [o["org"] for o in listed(node)] == ["cert-in", "nciipc"]


def test_exercises_are_kept_apart(node, tmp_path):
    node.cli("dialogue new", "commitment", "--from", commitment(tmp_path))
    node.cli("dialogue new", "commitment", "--from", commitment(tmp_path), "--exercise")
    [live], [drill] = listed(node), listed(node, "--exercise")
    assert live["id"] != drill["id"] and not live["exercise"] and drill["exercise"]
    assert "[exercise]" in node.cli("dialogue list", "--exercise").stdout


@pytest.mark.parametrize("content, said", [
    ('{"kind": "dated"}', "needs `text`"),
    ('{"id": "x"}', "`id` is not for the members to say"),
    ("[1", "--from"),
    ("7", "no JSON object"),
])
def test_what_is_not_as_the_schema_says_is_not_stored(node, tmp_path, content, said):
    (tmp_path / "bad.json").write_text(content)
    ran = node.cli("dialogue new", "commitment", "--from", tmp_path / "bad.json", status=1)
    assert said in ran.stderr and ran.stderr.startswith("setu dialogue new: ")
    assert listed(node, "--faulty") == [] and node.rows("object") == []


def test_files_are_added_whole_or_not_at_all(node, tmp_path):
    node.cli("dialogue new", "commitment", "--from", commitment(tmp_path))
    [one] = listed(node)
    good = {**one["object"], "id": one["id"][:-1] + ("1" if one["id"][-1] != "1" else "2")}
    bad = {**good, "id": "dialogue-commitment--00000000-0000-4000-8000-00000000000a",
           "kind": "hoped for"}
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"objects": [good, bad]}, indent=1))
    ran = node.cli("dialogue add", path, status=1)
    assert f"{path}:" in ran.stderr and "$.kind" in ran.stderr
    assert len(listed(node)) == 1
    path.write_text(json.dumps([good, indicator(1)]))
    node.cli("dialogue add", path)
    assert len(listed(node)) == 2
    # What came in before a file that fails is told.
    path.write_text(json.dumps([{**good, "id": good["id"][:-2] + "77"}]))
    ran = node.cli("dialogue add", path, tmp_path / "absent.json", status=3)
    assert ran.stdout.startswith("accepted ") and "absent.json" in ran.stderr
    assert len(listed(node)) == 3
    # By another door a thing may come in that no schema would let pass: it is shown as that.
    path.write_text(json.dumps([bad]))
    node.imported("dialogue", path)
    assert len(listed(node)) == 3
    assert [o["id"] for o in listed(node, "--faulty") if "fault" in o] == [bad["id"]]


@pytest.mark.parametrize("words, status, said", [
    (["dialogue add"], 2, "nothing to add"),
    (["dialogue add", "--record", "india-france"], 1, "india-japan"),
    (["dialogue add", "absent.json"], 3, "absent.json"),
    (["dialogue new", "treaty", "--from", "x"], 2, "no type of the dialogue"),
    (["dialogue new", "round"], 2, "no members"),
    (["dialogue new", "measure", "--statement", str(FOUNDING)], 2, "drafts a round"),
    (["dialogue new", "round", "--statement", "README.md"], 1, "no round"),
    (["dialogue new", "round", "--statement", str(FOUNDING), "--tlp", "blue"], 2, "--tlp blue"),
    (["dialogue new", "round", "--statement", str(FOUNDING), "--collection", "none"], 1,
     "setu collection add"),
    (["dialogue list", "--as", "admin"], 2, "belong together"),
    (["dialogue list", "nothing"], 2, "no type of the dialogue"),
])
def test_wrong_words(node, words, status, said):
    ran = node.cli(words[0], *words[1:], status=status)
    assert said in ran.stderr and ran.stderr.count("\n") <= 40
