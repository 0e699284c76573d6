"""`setu import --motif`: GSMA MoTIF as STIX, the same on every node."""
import json
import uuid

import pytest

from setu_node import ROOT, setu

# MISP's name space of MoTIF, as its galaxy gives `uuid` to each technique.
MOTIF = uuid.UUID("5022ff98-cf0d-45d2-89b5-5c63104197cc")
SMALL = ROOT / "tests/fuzz/corpus/motif/small"


def imported(node, path, *words, status=0):
    ran = node.cli("import", "--collection", "matrix", "--motif", path, "--json", *words, status=status)
    return json.loads(ran.stdout.splitlines()[-1])


def text_of(node):
    return node.cli("export", "--collection", "matrix").stdout


def objects_of(node):
    return {o["id"]: o for o in json.loads(text_of(node)).get("objects", [])}


@pytest.fixture
def pair(nodes):
    both = nodes("in", nation="IN", org="cert-in"), nodes("jp", nation="JP", org="jpcert")
    for node in both:
        node.collection("Matrix", alias="matrix", marking="clear")
    return both


def test_the_ids_are_those_of_misp():
    """Known pairs of MoTIF's id and MISP's uuid: the name space is right."""
    assert str(uuid.uuid5(MOTIF, "MOT3001")) == "ef315196-4c0f-50d5-85b7-eb5fe3757ba3"
    assert str(uuid.uuid5(MOTIF, "MOT1565.001")) == "e63a74cc-381c-51c4-870c-94c5a70ea851"


def test_techniques_of_two_nations(pair, tmp_path):
    assert [imported(node, SMALL)["accepted"] for node in pair] == [5, 5]
    objects = objects_of(pair[0])
    assert objects == objects_of(pair[1])

    def of(kind, name):
        return objects[f"{kind}--{uuid.uuid5(MOTIF, name)}"]

    one, two, three = (of("attack-pattern", "MOT" + n) for n in ("9001", "9001.301", "9002.302"))
    assert (one["name"], one["description"]) == ("Look", "First they look around.")
    assert one["kill_chain_phases"] == [{"kill_chain_name": "gsma-motif", "phase_name": "initial-access"},
                                        {"kill_chain_name": "gsma-motif", "phase_name": "discovery"}]
    assert one["external_references"] == [
        {"source_name": "gsma-motif", "external_id": "MOT9001"},
        {"source_name": "gsma-motif", "description": "page 1 of https://motif.example/a.pdf"},
        {"source_name": "gsma-motif", "url": "https://motif.example/b"}]
    assert one["created"] == one["modified"] == "2024-03-21T00:00:00.000Z"
    assert "description" not in two and "kill_chain_phases" not in three
    part = of("relationship", "MOT9001.301 subtechnique-of MOT9001")
    assert (part["relationship_type"], part["source_ref"], part["target_ref"]) == ("subtechnique-of", two["id"], one["id"])
    assert of("identity", "identity")["name"] == "GSMA MoTIF" and one["created_by_ref"] == of("identity", "identity")["id"]
    assert [o["type"] for o in objects.values()].count("relationship") == 1
    out = tmp_path / "bundle.json"
    out.write_text(text_of(pair[0]))
    setu("check", out)


def test_a_second_import_adds_nothing(pair):
    node = pair[0]
    imported(node, SMALL)
    before = text_of(node)
    again = imported(node, SMALL)
    assert (again["accepted"], again["unchanged"]) == (0, 5) and objects_of(node) == \
        {o["id"]: o for o in json.loads(before)["objects"]}
    assert imported(node, SMALL, "--motif-date", "2026-01-01")["accepted"] == 5
    assert {o["modified"] for o in objects_of(node).values() if "modified" in o} == {"2026-01-01T00:00:00.000Z"}


def test_wrong_files(pair, tmp_path):
    node, path = pair[0], tmp_path / "x.json"
    whole = json.loads(SMALL.read_text())
    twice = {**whole, "values": whole["values"][:1] * 2}
    odd = {**whole, "values": [{"value": "a", "meta": {"external_id": "T1040"}}]}
    nameless = {**whole, "values": [{"meta": {"external_id": "MOT1"}}]}
    for text, said in (("{", "line 1, column"), ("[]", "is it clusters/gsma-motif.json"), ("", "line 1"),
                       (json.dumps({**whole, "type": "mitre-fight"}), "is it clusters/gsma-motif.json"),
                       (json.dumps({**whole, "values": []}), "is it clusters/gsma-motif.json"),
                       (json.dumps(twice, indent=1), "MOT9001 stands there twice"),
                       (json.dumps(odd), "meta.external_id as MOT3001.301"),
                       (json.dumps(nameless), "value 1 has no name")):
        path.write_text(text)
        ran = node.cli("import", "--collection", "matrix", "--motif", path, status=None)
        assert ran.returncode == 1 and said in ran.stderr and str(path) in ran.stderr, (text, ran)
    assert objects_of(node) == {}
    assert "--motif-date never" in node.cli("import", "--collection", "matrix", "--motif", SMALL, "--motif-date", "never",
                                            status=2).stderr
    assert node.cli("import", "--collection", "matrix", "--motif", tmp_path / "absent", status=3).stderr
