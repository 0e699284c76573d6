"""The files of examples/: made by their generator, within documentation ranges, and in agreement
with a slow reading of every line that shares only the normal forms with the planting."""
import ipaddress
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
import cases  # noqa: E402
import generate  # noqa: E402

COPY_MARKING = "marking-definition--aa3b1327-7041-4757-b62f-e0ac57af1e16"
LOGS = {name: (EXAMPLES / "logs" / name).read_text().split("\n")[:-1] for name in generate.LINES}
BUNDLES = {nation: json.loads((EXAMPLES / folder / "case.json").read_text())
           for nation, folder in (("IN", "india"), ("JP", "japan"))}
OBJECTS = [(home, o) for home, b in BUNDLES.items() for o in b["objects"]]
ALERTS = [json.loads(line)
          for line in (EXAMPLES / "expected-alerts.jsonl").read_text().splitlines()]


def test_files_are_what_the_generator_makes():
    ran = subprocess.run([sys.executable, EXAMPLES / "generate.py", "--check"],
                         capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_an_edited_file_is_noticed(tmp_path):
    for source in ("generate.py", "cases.py", "expected-alerts.jsonl", "india/case.json",
                   "japan/case.json", "README.md", *("logs/" + log for log in LOGS)):
        target = tmp_path / source
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((EXAMPLES / source).read_bytes())
    (tmp_path / "logs/syslog.log").write_text("edited\n")
    ran = subprocess.run([sys.executable, tmp_path / "generate.py", "--check"],
                         capture_output=True, text=True)
    assert ran.returncode == 1 and "logs/syslog.log" in ran.stderr and "eve" not in ran.stderr


def references(value):
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("_ref"):
                yield item
            elif key.endswith("_refs"):
                yield from item
            else:
                yield from references(item)


def test_bundles_are_whole():
    ids = [o["id"] for _, o in OBJECTS]
    assert len(ids) == len(set(ids))
    known = set(ids) | set(cases.MARKING.values())
    for _, o in OBJECTS:
        kind, _, text = o["id"].partition("--")
        assert kind == o["type"] and o["spec_version"] == "2.1"
        assert uuid.UUID(text).version == (5 if kind in cases.SCO_KINDS else 4)
        assert set(references(o)) <= known, o["id"]
        if "modified" in o:
            assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", o["created"])
            assert o["created"] <= o["modified"]
    used = {m for _, o in OBJECTS for m in o["object_marking_refs"]}
    assert used == set(cases.MARKING.values()) | {cases.STATEMENT}


def test_what_is_released_names_nothing_that_is_not():
    for to in cases.PARTIES:
        gets = {o["id"] for home, o in OBJECTS if not cases.withheld(o, home, to)}
        hidden = {o["id"] for _, o in OBJECTS} - gets
        for _, o in OBJECTS:
            if o["id"] in gets and cases.creator(o) != to:
                assert not hidden & set(references(o)), (to, o["id"])


@pytest.mark.parametrize("home", BUNDLES)
def test_the_policies_release_what_cases_says(nodes, tmp_path, home):
    """Each object whole, as a copy or not at all, to each organisation that reads at the node."""
    folder = {"IN": "india", "JP": "japan"}[home]
    node = nodes(folder + "-node", nation=home, org=cases.NODE[home],
                 policy=(EXAMPLES / folder / "policy.conf").read_text())
    for to, (nation, _) in cases.PARTIES.items():
        node.user("reads-" + to, "reader", to, nation, "--identity", cases.id_of("identity", to))
    node.collection("Shared", "shared")
    mine = [o for h, o in OBJECTS if h == home]
    for org in cases.PARTIES:  # each brings in its own
        own = [o for o in mine if (cases.creator(o) or node.org) == org]
        (tmp_path / org).write_text(json.dumps(own))
        if own:
            node.imported("shared", tmp_path / org, words=["--org", org])
    for to in cases.PARTIES:
        gets = [o for o in mine if not cases.refusal(o, home, to)]
        whole = {o["id"] for o in gets if not list(cases.changes(o, home, to))}
        copied = sorted(o["type"] for o in gets if o["id"] not in whole)
        read = {o["id"] for o in json.loads(node.cli("export", "--for", to).stdout)["objects"]}
        others = sorted(i.split("--")[0] for i in read - whole - {COPY_MARKING})
        assert (whole - read, others) == (set(), copied), to


def test_counts_in_the_readme():
    text = (EXAMPLES / "README.md").read_text()
    india, japan = (len(b["objects"]) for b in BUNDLES.values())
    assert f"{india} and {japan} objects" in text
    assert f"{sum(map(len, LOGS.values())):,} lines" in text
    assert f"{len(ALERTS)} alerts on {len({(a['input'], a['line']) for a in ALERTS})} lines" in text
    got = {home: [o for h, o in OBJECTS if h == home and o["type"] == "indicator"
                  and not cases.withheld(o, home, generate.READER)] for home in BUNDLES}
    all_of = {home: [o for h, o in OBJECTS if h == home and o["type"] == "indicator"]
              for home in BUNDLES}
    assert (f"{len(got['IN'])} of\nIndia's {len(all_of['IN'])} and {len(got['JP'])} of "
            f"Japan's {len(all_of['JP'])}") in text


# ---- documentation ranges ----

NETWORKS = [ipaddress.ip_network(n) for n in (
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20",
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
NAMES = re.compile(r"(?:.*\.)?(?:example|test|invalid|example\.(?:com|net|org)|in-addr\.arpa)\.?",
                   re.IGNORECASE)
# Last labels of dotted words in the logs that are no host names.
NOT_NAMES = {"html", "png", "css", "js", "m3u8", "bin", "txt", "so", "sh", "php", "orig_h",
             "orig_p", "resp_h", "resp_p"}


def documentation(text):
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return bool(NAMES.fullmatch(text))
    if network.version == 6 and network.network_address.ipv4_mapped:
        network = ipaddress.ip_network(network.network_address.ipv4_mapped)
    return any(network.version == n.version and network.subnet_of(n) for n in NETWORKS)


def host_of(value):
    return re.sub(r"^https?://|^.*@|(?::\d+)?/(?!\d+$).*$", "", value)


def test_indicators_and_observables_are_documentation_values():
    for _, o in OBJECTS:
        for value in cases.values(o) if o["type"] == "indicator" else [o.get("value", "a.test")]:
            assert re.fullmatch(r"[0-9a-f]{32,128}", value) or documentation(host_of(value)), value


# ---- a slow reading of the lines ----

DOT = r"(?:\.|\[\.\]|\(dot\)|\[dot\])"
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
HOST = rf"{LABEL}(?:{DOT}{LABEL})+(?:\.(?![\w-]))?"
TOKEN = re.compile(
    rf"(?P<url>\b[Hh](?:[Tt]{{2}}|xx)[Pp][Ss]?:(?:\\?/){{2}}[^\s\"<>]+)"
    rf"|(?P<email>[\w.+-]+(?:@|\[@\]){HOST})"
    r"|(?<![\w:.])(?P<ipv6>(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d+(?:\.\d+){3}|[0-9A-Fa-f]{0,4}))"
    r"(?![\w:.])"
    rf"|(?<![\w.-])(?P<host>{HOST})(?![\w-])"
    r"|(?<![\w.-])(?P<hash>[0-9A-Fa-f]{32,})(?![\w-])")
HASH_KINDS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


def kind_of_host(text):
    labels = re.split(DOT, text.rstrip("."))
    if not labels[-1].isdigit():
        return "domain"
    four = len(labels) == 4 and all(n.isdigit() and int(n) < 256 for n in labels)
    return "ipv4" if four else None


def tokens(line):
    """(kind, bytes as they stand), hosts of URLs and e-mails included."""
    for found in TOKEN.finditer(line):
        group, text = found.lastgroup, found.group()
        if group == "host" and kind_of_host(text):
            yield kind_of_host(text), text
        elif group == "hash" and len(text) in HASH_KINDS:
            yield HASH_KINDS[len(text)], text
        elif group == "email":
            yield "email", text
            yield "domain", re.split(r"@\]?", text)[1]
        elif group == "url":
            yield "url", text
            host = re.sub(r"^[^/\\]*(?:\\?/){2}", "", text)
            if re.match(r"\[[0-9A-Fa-f]*:", host):
                yield "ipv6", host[1:host.index("]")]
            else:
                host = re.match(HOST, host).group()
                yield kind_of_host(host), host
        elif group == "ipv6":
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue
            yield "ipv4" if address.ipv4_mapped else "ipv6", text


def lookup():
    """(kind, value) of the tests that suffice alone, to indicator ids."""
    halves = {"198.51.100.91", "udm-keys.example", "sync.nrf-cache.example", "198.51.100.77"}
    table = {}
    for o in generate.readable_indicators().values():
        for value in set(cases.values(o)) - halves:
            table.setdefault(value, []).append(o["id"])
    return table


def reading():
    table = lookup()
    ranges = [(ipaddress.ip_network(v), ids) for v, ids in table.items() if re.search(r"/\d+$", v)]
    for log, lines in LOGS.items():
        for number, line in enumerate(lines, 1):
            for kind, seen in tokens(line):
                text = generate.normal(kind, seen)
                at = (log, number, kind, text, seen)
                yield from ((*at, "exact", i) for i in table.get(text, []))
                if kind == "domain":
                    for n in range(1, text.count(".") + 1):
                        above = text.split(".", n)[n]
                        yield from ((*at, "subdomain", i) for i in table.get(above, []))
                elif kind in ("ipv4", "ipv6"):
                    address = ipaddress.ip_address(text)
                    yield from ((*at, "inside", i) for net, ids in ranges if address in net
                                for i in ids)


def test_a_slow_reading_finds_the_expected_alerts_and_no_others():
    fields = ("input", "line", "kind", "observable", "seen", "relation", "indicator")
    expected = [tuple(a[f] for f in fields) for a in ALERTS]
    assert all(tuple(a) == fields for a in ALERTS) and len(expected) == len(set(expected))
    found = set(reading())
    assert sorted(set(expected) - found) == [] and sorted(found - set(expected)) == []


def test_seen_stands_on_its_line():
    for a in ALERTS:
        assert a["seen"] in LOGS[a["input"]][a["line"] - 1]


@pytest.mark.parametrize("log", LOGS)
def test_logs(log):
    lines = LOGS[log]
    assert len(lines) == generate.LINES[log]
    assert (EXAMPLES / "logs" / log).stat().st_size < 900 * 1024
    for line in lines:
        if log.endswith(".json"):
            json.loads(line)
        for kind, seen in tokens(line):
            if kind in ("md5", "sha1", "sha256", "sha512", "url", "email"):
                continue
            text = generate.refang(seen)
            if kind != "domain" or text.rpartition(".")[2] not in NOT_NAMES:
                assert documentation(text), line


def test_planted():
    assert len(generate.HITS) >= 60 and len(generate.NEAR_MISSES) >= 60
    assert {a["kind"] for a in ALERTS} == {
        "ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512"}
    assert {a["relation"] for a in ALERTS} == {"exact", "subdomain", "inside"}
