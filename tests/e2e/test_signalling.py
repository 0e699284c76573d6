"""What a sensor in a mobile core tells others: sightings of techniques."""
import json
import lzma
import re
import uuid

import pytest

from setu_node import CORPUS, ROOT, setu

FIGHT = uuid.uuid5(uuid.NAMESPACE_URL, "https://fight.mitre.org/")
DERIVED = CORPUS / "5g" / "derived"
INCIDENT = "extension-definition--c85e03d7-72fa-4e15-b0a9-6f4d1b2e8c70"


def capture(name):
    path = DERIVED / name
    if not path.exists():
        pytest.skip(f"{path} is missing: SETU_CORPUS names the folder of the corpus")
    return path


def identity_of(node):
    return re.search(r"^identity (\S+)", (node.dir / "setu.conf").read_text(), re.M)[1]


def technique(fgt):
    return f"attack-pattern--{uuid.uuid5(FIGHT, fgt)}"


def test_both_nations_sight_the_same_technique(nodes, tmp_path):
    """Two sensors, two captures, two nodes: the sightings are of one object, with counts and nothing else."""
    both = nodes("in", nation="IN", org="cert-in"), nodes("jp", nation="JP", org="jpcert")
    seen = []
    for node, names in zip(both, (["04-gtp-in-gtp.pcap", "05-pfcp-in-gtp.pcap"], ["04-gtp-in-gtp.pcap"])):
        node.collection("Sightings", alias="s", marking="amber")
        ran = setu("detect", "--5g", "--sightings", node.dir, *map(capture, names))
        alerts = [json.loads(line) for line in ran.stdout.splitlines()]
        assert f"{len(names)} taken, 0 refused" in ran.stderr
        objects = json.loads(node.cli("export", "--collection", "s").stdout)["objects"]
        by_rule = {o["extensions"][INCIDENT]["rules"][0]: o for o in objects}
        assert {r: o["count"] for r, o in by_rule.items()} == {
            r: sum(a["rule"] == r for a in alerts) for r in {a["rule"] for a in alerts}}
        for o in objects:
            assert o["where_sighted_refs"] == [o["created_by_ref"]] == [identity_of(node)]
            assert o["extensions"][INCIDENT]["techniques"] == ["FGT1599.505"]
            times = [a["time"] for a in alerts if a["rule"] == o["extensions"][INCIDENT]["rules"][0]]
            assert (o["first_seen"][:23], o["last_seen"][:23]) == (min(times)[:23], max(times)[:23])
        text = json.dumps(objects)
        assert not [a for a in alerts if a["session"] and a["session"] in text]
        seen.append({o["sighting_of_ref"] for o in objects})
        out = tmp_path / "sightings.json"
        out.write_text(json.dumps({"objects": objects}))
        setu("check", out)
    assert seen == [{technique("FGT1599.505")}] * 2


def test_a_sighting_finds_the_technique_of_the_matrix(nodes):
    node = nodes("in", nation="IN", org="cert-in")
    node.collection("Matrix", alias="m", marking="clear")
    node.cli("import", "--collection", "m", "--fight", ROOT / "tests/fuzz/corpus/fight/small")
    objects = json.loads(node.cli("export", "--collection", "m").stdout)["objects"]
    assert technique("FGT5001") in {o["id"] for o in objects}


def test_rules_name_techniques_that_fight_has():
    source = CORPUS / "stix" / "mitre-fight-3.0.1.yaml.xz"
    if not source.exists():
        pytest.skip(f"{source} is not there; SETU_CORPUS names the folder that holds stix/")
    known = set(re.findall(r"^\s*-?\s*id: (FGT[0-9.]+)\s*$", lzma.decompress(source.read_bytes()).decode(), re.M))
    rules = [json.loads(line) for line in setu("detect", "--5g", "rules", "--json").stdout.splitlines()]
    assert len(rules) > 20 and not [r for r in rules if r["technique"] not in known]
