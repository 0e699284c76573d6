"""`setu import --fight`: MITRE FiGHT's matrix as STIX, the same on every node."""
import json
import lzma
import uuid

import pytest

from setu_node import CORPUS, ROOT, setu

FIGHT = uuid.uuid5(uuid.NAMESPACE_URL, "https://fight.mitre.org/")


def imported(node, path, *words, status=0):
    ran = node.cli("import", "--collection", "matrix", "--fight", path, "--json", *words, status=status)
    return json.loads(ran.stdout.splitlines()[-1])


def objects_of(node):
    return {o["id"]: o for o in json.loads(node.cli("export", "--collection", "matrix").stdout)["objects"]}


@pytest.fixture
def pair(nodes):
    both = nodes("in", nation="IN", org="cert-in"), nodes("jp", nation="JP", org="jpcert")
    for node in both:
        node.collection("Matrix", alias="matrix", marking="clear")
    return both


def test_a_small_matrix(pair):
    node = pair[0]
    small = ROOT / "tests/fuzz/corpus/fight/small"
    assert imported(node, small)["accepted"] == 9
    objects = objects_of(node)

    def of(kind, name):
        return objects[f"{kind}--{uuid.uuid5(FIGHT, name)}"]

    one, two = of("attack-pattern", "FGT5001"), of("attack-pattern", "FGT1014.501")
    assert (one["name"], one["description"], one["labels"]) == ("One", "say  it  so", ["Theoretical"])
    assert one["kill_chain_phases"] == [{"kill_chain_name": "mitre-fight", "phase_name": "defense-evasion"}]
    assert one["external_references"] == [{"source_name": "mitre-fight", "external_id": "FGT5001",
                                           "url": "https://fight.mitre.org/techniques/FGT5001"}]
    assert two["external_references"][1] == {"source_name": "mitre-attack", "external_id": "T1014.501"}
    assert of("relationship", "FGT1014.501 subtechnique-of FGT5001")["source_ref"] == two["id"]
    assert of("relationship", "FGM1 mitigates FGT5001")["description"] == "a"
    assert of("relationship", "FGM1 mitigates FGT5001 2")["description"] == "b"
    assert of("relationship", "FGG1 uses FGT5001")["target_ref"] == one["id"]
    assert imported(node, small)["unchanged"] == 9
    # A later version of FiGHT is a later version of its objects.
    later = imported(node, small, "--fight-date", "2026-07-01")
    assert later["accepted"] == 9
    assert {o["modified"] for o in objects_of(node).values() if "modified" in o} == {"2026-07-01T00:00:00.000Z"}


def test_two_nations_make_the_same_objects(pair, tmp_path):
    source = CORPUS / "stix" / "mitre-fight-3.0.1.yaml.xz"
    if not source.exists():
        pytest.skip(f"{source} is not there; SETU_CORPUS names the folder that holds stix/")
    path = tmp_path / "fight.yaml"
    path.write_bytes(lzma.decompress(source.read_bytes()))
    counts = [imported(node, path) for node in pair]
    assert counts[0]["accepted"] == counts[1]["accepted"] > 900 and counts[0]["refused"] == 0
    a, b = (objects_of(node) for node in pair)
    assert a == b
    kinds = [o["type"] for o in a.values()]
    assert [kinds.count(k) for k in ("attack-pattern", "course-of-action", "intrusion-set", "malware", "campaign")] \
        == [183, 93, 10, 23, 2]
    ids = {r["external_id"] for o in a.values() for r in o.get("external_references", [])}
    assert {"FGT5029", "FGT1014", "T1014"} <= ids
    refs = {o[end] for o in a.values() if o["type"] == "relationship" for end in ("source_ref", "target_ref")}
    assert refs <= set(a)
    out = tmp_path / "bundle.json"
    out.write_text(pair[0].cli("export", "--collection", "matrix").stdout)
    setu("check", out)


def test_wrong_files(pair, tmp_path):
    node, path = pair[0], tmp_path / "x.yaml"
    for text, said in (("a: [b\n", "line 2, column 1"), ("a: b\n", "is it fight.yaml?"), ("", "is it fight.yaml?"),
                       ("\tx: y\n", "line 1")):
        path.write_text(text)
        ran = node.cli("import", "--collection", "matrix", "--fight", path, status=None)
        assert ran.returncode in (1, 3) and said in ran.stderr and str(path) in ran.stderr, (text, ran)
    small = ROOT / "tests/fuzz/corpus/fight/small"
    for words, said in ((["--fight", small, "--fight-date", "yesterday"], "--fight-date yesterday"), ([], "FILE is needed")):
        assert said in node.cli("import", "--collection", "matrix", *words, status=2).stderr
