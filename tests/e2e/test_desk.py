"""The release officer's work: what a rule holds, what is quarantined, limits, and edits of the policy
on a running node."""
import json

import pytest

from setu_node import TLP, indicator, later, wait_for

NAMES = """
nation IN "India" { agency home, second }
nation JP "Japan" { agency nisc   operator docomo }
"""


@pytest.fixture
def make(nodes, tmp_path):
    def made(rules):
        node = nodes("desk", policy=NAMES + rules)
        node.shared = node.collection("Shared", "shared")
        node.tokens = {name: node.user(name, role, org, nation) for name, role, org, nation in (
            ("analyst", "contributor", "home", "IN"), ("one", "officer", "home", "IN"),
            ("two", "officer", "home", "IN"), ("foreign", "officer", "nisc", "JP"),
            ("nisc", "contributor", "nisc", "JP"), ("docomo", "reader", "docomo", "JP"))}
        for name, token in node.tokens.items():
            (tmp_path / name).write_text(token)
        node.start()
        node.who = {name: node.client(token) for name, token in node.tokens.items()}
        return node
    return made


def read(node, name, **params):
    return node.who[name].get(f"collections/{node.shared}/objects/", **params).objects


def waiting(node, *words):
    return [json.loads(line) for line in node.cli("release list", "--json", *words).stdout.splitlines()]


@pytest.fixture
def decide(tmp_path):
    def decided(node, verb, number, officer, *words, status=0):
        return node.cli(f"release {verb}", number, "--officer", officer, "--token-file",
                        tmp_path / officer, *words, status=status)
    return decided


def test_a_hold_opens_with_enough_officers(make, decide):
    node = make("hold tlp:amber to JP for 2 officers\nrelease to IN\nrelease tlp:green to JP\n")
    green, amber = indicator(1), indicator(2, tlp="amber")
    status = node.who["one"].post(node.shared, [green, amber]).json()
    assert status["success_count"] == 2
    assert "waits for 2 officers" in status["successes"][1]["message"]
    assert read(node, "nisc") == [green]
    cursor = node.who["nisc"].get(f"collections/{node.shared}/manifest/").objects[-1]["date_added"]
    entry, = waiting(node)
    assert (entry["kind"], entry["object"], entry["audience"], entry["officers"]) == (
        "hold", amber["id"], "+JP", 2)
    assert entry["rule"]["text"].startswith("hold tlp:amber") and entry["approvals"] == []
    number = entry["id"]
    assert "submitted it" in decide(node, "approve", number, "one", status=1).stderr
    for who in ("analyst", "foreign"):
        assert "only officers" in decide(node, "approve", number, who, status=1).stderr
    decide(node, "approve", number, "two")
    decide(node, "approve", number, "two")  # once more is not another officer
    assert read(node, "nisc") == [green]
    token = node.user("four", "officer", "home", "IN")
    ran = node.cli("release approve", number, "--officer", "four", "--token-file", "-", stdin=token)
    assert "approved" in ran.stdout
    # A poller that has seen all finds it: it is new to it today.
    assert read(node, "nisc", added_after=cursor) == [amber]
    assert waiting(node) == [] and waiting(node, "--all")[0]["state"] == "approved"
    # The next version waits again.
    node.who["analyst"].post(node.shared, [later(amber, "2026-02-01T00:00:00.000Z")])
    assert len(waiting(node)) == 1 and len(read(node, "nisc", **{"match[version]": "all"})) == 2


def test_red_goes_to_named_recipients_only(make, decide):
    node = make("hold tlp:red to JP for 1 officer\nrelease to IN\n")
    red = indicator(1, tlp="red")
    node.who["analyst"].post(node.shared, [red])
    number = waiting(node)[0]["id"]
    assert waiting(node)[0]["by_name"] is True
    assert "by name" in decide(node, "approve", number, "one", status=2).stderr
    decide(node, "approve", number, "one", "--for", "nisc")
    assert read(node, "nisc") == [red] and read(node, "docomo") == []
    assert waiting(node)[0]["state"] == "waiting", "others still wait"
    decide(node, "refuse", number, "two", "--reason", "nobody else")
    assert waiting(node) == [] and waiting(node, "--all")[0]["reason"] == "nobody else"


def test_refused_stays(make, decide):
    node = make("hold tlp:green to JP for 1 officer\nrelease to IN\n")
    o = indicator(1, tlp="green")
    node.who["analyst"].post(node.shared, [o])
    number = waiting(node)[0]["id"]
    decide(node, "refuse", number, "one", "--reason", "too early")
    assert "refused" in decide(node, "approve", number, "two", status=1).stderr
    assert read(node, "nisc") == [] and read(node, "analyst") == [o]
    # Sent again, it is no new question.
    node.who["analyst"].post(node.shared, [o])
    assert waiting(node) == []


def test_quarantine(make, decide):
    node = make("quarantine from any if warninglist\naccept from JP\nrelease to IN, JP\n")
    bad = indicator(1, pattern="[domain-name:value = 'google.com']")
    good = indicator(2)
    status = node.who["nisc"].post(node.shared, [bad, good]).json()
    assert (status["success_count"], status["failure_count"]) == (1, 1)
    assert status["failures"][0]["x_setu_rule"].startswith("policy.conf:")
    assert read(node, "analyst") == [good]
    entry, = waiting(node)
    assert (entry["kind"], entry["object"], entry["from"]) == ("quarantine", bad["id"], "nisc")
    decide(node, "approve", entry["id"], "one")
    assert read(node, "analyst") == [good, bad] and waiting(node) == []


@pytest.mark.parametrize("pattern", [
    "[ipv4-addr:value ISSUBSET '0.0.0.0/0']", "[domain-name:value = '*.com']",
    "[domain-name:value = 'co.uk']", "[domain-name:value LIKE '%']", "[url:value MATCHES '.*']",
    "[ipv4-addr:value = '10.1.2.3']", "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"])
def test_poisoned_patterns(make, pattern):
    node = make("quarantine from any if warninglist\nrelease to IN\n")
    status = node.who["analyst"].post(node.shared, [indicator(1, pattern=pattern)]).json()
    assert status["failure_count"] == 1 and len(waiting(node)) == 1, status


def test_limits(make):
    node = make("accept from JP types indicator limit 5/hour\nrelease to IN, JP\n")
    sent = [indicator(n) for n in range(8)]
    status = node.who["nisc"].post(node.shared, sent).json()
    assert (status["success_count"], status["failure_count"]) == (5, 3)
    assert "limit" in status["failures"][0]["message"]
    assert read(node, "analyst") == sent[:5]
    home = [indicator(n) for n in range(8)]
    assert node.who["analyst"].post(node.shared, home).json()["success_count"] == 8


def test_delegates(make):
    node = make("refuse from any unless owner\ndelegate second for home\nrelease to IN\n")
    o = indicator(1)
    second = node.client(node.user("second", "contributor", "second", "IN"))
    assert node.who["analyst"].post(node.shared, [o]).json()["success_count"] == 1
    assert second.post(node.shared, [later(o, "2026-02-01T00:00:00.000Z")]).json()["success_count"] == 1
    third = node.client(node.user("third", "contributor", "third", "IN"))
    status = third.post(node.shared, [later(o, "2026-03-01T00:00:00.000Z")]).json()
    assert status["failures"][0]["x_setu_rule"] == "policy.conf:4"


def test_plan_and_apply_on_a_running_node(make, tmp_path):
    node = make("release to IN\nrelease tlp:green to JP\n")
    green = [indicator(n, tlp="green", x_victim=f"v{n}") for n in range(30)]
    clear = [indicator(n, tlp="clear") for n in range(20)]
    node.who["analyst"].post(node.shared, green + clear)
    assert read(node, "nisc") == green
    cursor = node.who["nisc"].get(f"collections/{node.shared}/manifest/").objects[-1]["date_added"]
    new = tmp_path / "new.conf"
    new.write_text(NAMES + "redact drop $.x_victim to docomo\nrelease to IN\n"
                   "release tlp:clear to any\nrelease tlp:green to docomo\n")
    before = node.rows("release")
    lines = [json.loads(x) for x in node.cli("policy plan", new, "--json").stdout.splitlines()]
    by = {(x["nation"], x["recipient"]): x for x in lines[:-1]}
    assert lines[-1]["objects"] == 50 and lines[-1]["changed"] == 50
    nisc, docomo = by["JP", "nisc"], by["JP", "docomo"]
    assert (nisc["released"], nisc["withdrawn"], nisc["redacted"]) == (20, 30, 0)
    assert (docomo["released"], docomo["withdrawn"], docomo["redacted"]) == (20, 0, 30)
    assert nisc["samples"]["withdrawn"] == [o["id"] for o in green[:10]]
    assert by["*", "*"]["released"] == 20
    assert node.rows("release") == before, "a plan changes nothing"
    assert "not" not in node.cli("policy apply", new).stderr
    assert read(node, "nisc") == clear
    assert read(node, "nisc", added_after=cursor) == clear, "new to it today"
    got = read(node, "docomo")
    assert [o for o in got if o["type"] == "indicator" and "x_victim" in o] == []
    assert len(got) == 51 and read(node, "analyst") == green + clear
    assert (node.dir / "policy.conf").read_text() == new.read_text()
    # The running node decides by it from now on.
    fresh = [indicator(99, tlp="clear"), indicator(98, tlp="green")]
    wait_for(lambda: node.who["analyst"].post(node.shared, fresh).status == 202, "the node")
    assert read(node, "nisc") == clear + fresh[:1]
    assert json.loads(node.cli("policy plan", new, "--json").stdout)["changed"] == 0
    # An error changes nothing.
    (tmp_path / "bad.conf").write_text(NAMES + "relaese to IN\n")
    for verb in ("plan", "apply"):
        assert ":4:1:" in node.cli(f"policy {verb}", tmp_path / "bad.conf", status=1).stderr
    assert (node.dir / "policy.conf").read_text() == new.read_text()


def test_approvals_outlive_an_apply(make, decide, tmp_path):
    rules = "hold tlp:amber to JP for 1 officer\nrelease to IN\n"
    node = make(rules)
    amber = indicator(1, tlp="amber")
    node.who["analyst"].post(node.shared, [amber])
    decide(node, "approve", waiting(node)[0]["id"], "one")
    new = tmp_path / "new.conf"
    new.write_text(NAMES + rules + "release tlp:clear to any\n")
    node.cli("policy apply", new)
    assert read(node, "nisc") == [amber]
    new.write_text(NAMES + "release to IN\n")
    node.cli("policy apply", new)
    assert read(node, "nisc") == [], "no rule holds it for approval any more"
