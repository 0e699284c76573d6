"""What a sensor in a mobile core tells others: sightings of techniques, and notices of incidents."""
import datetime
import json
import lzma
import re
import uuid

import pytest

from setu_node import CORPUS, ROOT, setu
from test_guard import codings, known

FIGHT = uuid.uuid5(uuid.NAMESPACE_URL, "https://fight.mitre.org/")
DERIVED = CORPUS / "5g" / "derived"
INCIDENT = "extension-definition--c85e03d7-72fa-4e15-b0a9-6f4d1b2e8c70"
ME = "identity--2f6a1c3e-7a5b-4c3d-8e9f-0a1b2c3d4e5f"


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


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
        alerts = lines_of(ran.stdout)
        assert f"{len(names)} taken, 0 refused" in ran.stderr
        objects = json.loads(node.cli("export", "--collection", "s").stdout)["objects"]
        by_rule = {o["extensions"][INCIDENT]["rules"][0]: o for o in objects}
        assert {r: o["count"] for r, o in by_rule.items()} == {
            r: sum(a["rule"] == r for a in alerts) for r in {a["rule"] for a in alerts}}
        for o in objects:
            assert o["where_sighted_refs"] == [o["created_by_ref"]] == [identity_of(node)]
            assert o["extensions"][INCIDENT]["techniques"] == ["FGT1599.505"]
            times = [a["time"] for a in alerts if a["rule"] == o["extensions"][INCIDENT]["rules"][0]]
            first, last = (datetime.datetime.fromisoformat(o[k].replace("Z", "+00:00"))
                           for k in ("first_seen", "last_seen"))
            told = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (min(times), max(times))]
            minute = datetime.timedelta(minutes=1)
            assert first <= told[0] < first + minute and last - minute < told[1] <= last
            assert {t.second for t in (first, last)} == {t.microsecond for t in (first, last)} == {0}
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
    rules = lines_of(setu("detect", "--5g", "rules", "--json").stdout)
    assert len(rules) > 20 and not [r for r in rules if r["technique"] not in known]


def test_rules_keep_to_the_time_that_is_asked_for(tmp_path):
    """The five packets of the capture, and what a window of them leaves, in alerts and in sightings."""
    out = tmp_path / "s.json"

    def alerts(*words):
        return lines_of(setu("detect", "--5g", *words, capture("04-gtp-in-gtp.pcap"), status=None).stdout)

    times = sorted(a["time"] for a in alerts())
    assert len(set(times)) == 5
    assert sorted(a["time"] for a in alerts("--since", times[1], "--until", times[3], "--sightings-out", out,
                                            "--identity", ME)) == times[1:3]
    sighting, = json.loads(out.read_text())["objects"]
    assert sighting["count"] == 2


# ---- notices ----

def test_a_notice_of_an_attack(nodes, tmp_path):
    """Exact at home, bands for the partner: from the capture by the alerts to what the other nation reads."""
    alerts, notice, config = tmp_path / "alerts.jsonl", tmp_path / "notice.json", tmp_path / "5g.conf"
    names = ["01-pfcp-delete-from-non-owner.pcap", "03-pfcp-far-redirect.pcap", "04-gtp-in-gtp.pcap"]
    ran = setu("detect", "--5g", "--5g-key", tmp_path / "key", *map(capture, names))
    alerts.write_text(ran.stdout)
    config.write_text("gnb 192.168.70.129 id e000 plmn 20895 tac 40960\n")
    told = setu("notice", alerts, "--5g-config", config, "--noticed", "2026-11-27T10:00:00Z", "--json",
                "-o", notice, "--identity", ME, "--tlp", "green").stdout
    figures = json.loads(told)
    assert (figures["alerts"], figures["alerts_without_session"]) == (7, 0)
    # One user agent, one session: the deletion and the redirection name it too.
    assert (figures["users"], figures["sessions"]) == (1, 1)
    assert figures["ran_nodes"] == ["192.168.70.129"] and figures["tracking_areas"] == ["20895-40960"]
    assert figures["slices"] == ["1-000001"]
    assert [(d["clock"], d["by"]) for d in figures["due"]] == [
        ("in-telecom-report", "2026-11-27T16:00:00Z"), ("in-telecom-details", "2026-11-28T10:00:00Z")]
    incident, = json.loads(notice.read_text())["objects"]
    x = incident["extensions"][INCIDENT]
    assert x["users_band"] == x["sessions_band"] == x["nodes_band"] == "fewer than 10"
    assert (x["from"], x["until"]) == ("2021-12-08T21:00:00Z", "2021-12-08T22:00:00Z")
    assert set(x["techniques"]) == {"FGT1499", "FGT5008", "FGT1599.505"}
    setu("check", notice)
    home = nodes("home", nation="IN", org="cert-in", policy="""
nation IN "India" { agency cert-in }
nation JP "Japan" { agency nisc }
release to any
""")
    home.collection("Incidents", alias="i", marking="green")
    home.user("nisc", "reader", "nisc", "JP")
    home.cli("import", "--collection", "i", notice)
    got, = json.loads(home.cli("export", "--collection", "i", "--for", "nisc").stdout)["objects"]
    assert got == incident


def test_a_notice_that_grows(tmp_path):
    first, later, alerts = tmp_path / "1.json", tmp_path / "2.json", tmp_path / "a.jsonl"

    def alert(n):
        return json.dumps({"time": f"2026-01-01T10:00:{n % 60:02}Z", "rule": "gtp-in-gtp", "interface": "n3",
                           "direction": "uplink", "teid": n, "session": f"{n:032x}", "ran_node": "192.0.2.1"}) + "\n"

    alerts.write_text(alert(1))
    assert setu("notice", alerts, "-o", first, "--identity", ME).stdout.startswith("alerts: 1\n")
    alerts.write_text("".join(alert(n) for n in range(120)))
    setu("notice", alerts, "-o", later, "--identity", ME, "--earlier", first)
    one, two = (json.loads(p.read_text())["objects"][0] for p in (first, later))
    assert one["id"] == two["id"] and one["created"] == two["created"] and one["modified"] < two["modified"]
    assert two["extensions"][INCIDENT]["users_band"] == "100 to 999"
    alerts.write_text(alert(1))
    refused = setu("notice", alerts, "-o", first, "--identity", ME, "--earlier", later, status=None)
    assert refused.returncode == 1 and "only grows" in refused.stderr
    assert json.loads(first.read_text())["objects"] == [one], "what was refused writes nothing"


def test_what_notice_does_not_take(tmp_path):
    alerts, text = tmp_path / "a.jsonl", tmp_path / "b.txt"
    alerts.write_text('{"time":"2026-01-01T10:00:00Z","rule":"gtp-in-gtp"}\n{"time":"2026-01-01T10:00:00Z","rule":"x"}\n')
    text.write_text("no JSON\n")
    for words, status, said in (
            ([alerts], 1, f'{alerts}:2: there is no rule "x"'), ([text], 1, f"{text}:1"),
            (["--from", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"], 2, "before"),
            (["--from", "2026-01-02T00:00:00Z", "--until", "2026-01-02T05:30:00+05:30"], 2, "before"),
            (["--of", "none", alerts], 2, '"none" is no rule'), (["-o", tmp_path / "o", alerts], 2, "--identity"),
            ([tmp_path / "absent"], 3, "absent")):
        ran = setu("notice", *words, status=None)
        assert ran.returncode == status and said in ran.stderr, (words, ran)
    alerts.write_text("")
    assert setu("notice", alerts, status=1).stdout.startswith("alerts: 0\n")


def test_no_identifier_of_a_subscriber_is_in_what_others_get(tmp_path):
    """Every capture's alerts, and alerts whose every text is an identifier, in each coding that the guard knows."""
    values = known()
    captures = sorted([*(CORPUS / "5g").glob("real/*.pcap*"), *DERIVED.glob("*.pcap")])
    sightings, notice = tmp_path / "s.json", tmp_path / "n.json"
    ran = setu("detect", "--5g", "--sightings-out", sightings, "--identity", ME, *captures)
    lines = lines_of(ran.stdout)
    for _, value in values:
        for _, text in codings(value):
            lines.append({"time": "2026-01-01T10:00:00Z", "input": text, "rule": "gtp-in-gtp", "message": text,
                          "interface": text, "direction": text, "ran_node": text, "sst": 1, "sd": text[:6],
                          "severity": text, "technique": text, "session": (text * 32)[:32]})
            lines.append({"time": "2026-01-01T10:00:00Z", "input": text, "indicator": text, "observable": text,
                          "seen": text, "name": text, "labels": [text], "session": (text * 32)[:32]})
    alerts = tmp_path / "a.jsonl"
    alerts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert any(v in alerts.read_text() for _, v in values)
    setu("notice", alerts, "-o", notice, "--identity", ME)
    for path in (sightings, notice):
        text = path.read_text()
        assert '"gtp-in-gtp"' in text
        assert not [(g, v, name) for g, v in values for name, coded in codings(v) if coded in text], path


def test_what_is_sent_is_what_the_schema_says(tmp_path):
    """Names and words of the extension are the schema's; its names, and those that stay local, are STIX's."""
    notice, sightings = tmp_path / "n.json", tmp_path / "s.json"
    ran = setu("detect", "--5g", "--sightings-out", sightings, "--identity", ME, *sorted(DERIVED.glob("*.pcap")),
               capture("04-gtp-in-gtp.pcap"))
    setu("notice", "-o", notice, "--identity", ME, stdin=ran.stdout)
    schema = json.loads((ROOT / "schemas/telecom-incident.json").read_text())["properties"]
    for path in (notice, sightings):
        for o in json.loads(path.read_text())["objects"]:
            x = o["extensions"][INCIDENT]
            assert set(x) <= set(schema)
            for name, value in x.items():
                words = schema[name].get("enum") or schema[name].get("items", {}).get("enum")
                assert not words or set(value if isinstance(value, list) else [value]) <= set(words), name
            assert all(re.fullmatch(schema["techniques"]["items"]["pattern"], t) for t in x["techniques"])
    definitions = json.loads((ROOT / "schemas/telecom-extensions.json").read_text())["objects"][1:]
    for d in definitions:
        names = json.loads((ROOT / f"schemas/{d['name']}.json").read_text())["properties"]
        assert set(d["x_setu_local_only"]) <= set(names)
        # STIX 2.1 section 3.1
        assert not [n for n in names if not re.fullmatch(r"[a-z][a-z0-9_]{2,249}", n)]
