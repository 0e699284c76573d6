"""The review of a round, on the two nodes whose dialogue it is."""
import json
import re
import shutil
import subprocess
import uuid
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import dialogue_pair
import pytest
from dialogue_pair import identity_of

from setu_node import ROOT, TLP, indicator, setu

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime.now(timezone.utc).replace(microsecond=0)
EXTENSIONS = {
    "instrument": "d65c730d-3f0a-4cb8-8482-f020d832f950", "round": "067d878a-89ed-45fb-978f-b1905450af5b",
    "commitment": "bdd068e4-1559-4013-a3f4-ae3d22d40a6f", "measure": "521b801e-6ff1-4740-9d8b-08be221a1dd5",
    "assessment": "4576adaf-29a7-4e50-b5e7-ba887e6815a0",
}
HOSTILE = "<script>alert('x')</script> & \"quoted\" \u202eesrever"


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Pair(dialogue_pair.Pair):
    """What a dialogue of theirs has left in the two nodes; indicators go abroad too."""

    def __init__(self, folder):
        super().__init__(folder)
        self.nodes = (self.jp, self.india)
        for node, other in (self.nodes, self.nodes[::-1]):
            rules = folder / "policy.conf"
            rules.write_text(f"{dialogue_pair.NAMES}accept from {other.nation}\nrelease to {node.nation}\n"
                             f"release tlp:clear, tlp:green to {other.nation}\n")
            node.cli("policy apply", rules)

    def publish(self, node, *objects):
        path = self.folder / "objects.json"
        path.write_text(json.dumps({"objects": objects}))
        assert node.imported("dialogue", path)["accepted"] == len(objects)

    def say(self, node, *objects):
        path = self.folder / "said.json"
        path.write_text(json.dumps(objects))
        ran = node.cli("dialogue add", path, "--json")
        assert all(json.loads(line)["status"] == "accepted" for line in ran.stdout.splitlines())

    def review(self, node, as_of, *words, number=4):
        """The JSON text and the page."""
        page, data = self.folder / "review.html", self.folder / "review.json"
        node.cli("review", "--round", number, "--as-of", as_of, "-o", page, "-o", data, *words)
        return data.read_text(), page.read_text()


def said(node, what, at, **members):
    extension = "extension-definition--" + EXTENSIONS[what]
    return {"type": "dialogue-" + what, "spec_version": "2.1", "id": f"dialogue-{what}--{uuid.uuid4()}",
            "created_by_ref": identity_of(node), "created": stamp(at), "modified": stamp(at),
            "object_marking_refs": [TLP["green"]],
            "extensions": {extension: {"extension_type": "new-sdo"}}, **members}


def assessment(node, at, commitment, state, **members):
    return said(node, "assessment", at, commitment_ref=commitment["id"], side=node.nation, assessed=stamp(at),
                state=state, text={"en": f"{node.nation} says {state}"}, **members)


def aim(node, at, commitment, query, unit, target, direction="at-least", days=365, **members):
    return said(node, "measure", at, commitment_ref=commitment["id"], query=query, unit=unit, target=target,
                direction=direction, window_days=days, **members)


def technique(fgt):
    return f"attack-pattern--{uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, 'https://fight.mitre.org/'), fgt)}"


def sighting(node, of, seen, at):
    return {"type": "sighting", "spec_version": "2.1", "id": f"sighting--{uuid.uuid4()}",
            "created_by_ref": identity_of(node), "created": stamp(at), "modified": stamp(at),
            "first_seen": stamp(seen), "sighting_of_ref": of["id"], "object_marking_refs": [TLP["green"]]}


class Dialogue:
    """What both sides have promised, said and sent."""

    def __init__(self, pair):
        jp, india, start = pair.jp, pair.india, NOW - 100 * DAY
        own = {"created_by_ref": identity_of(india), "modified": stamp(NOW - 20 * DAY)}
        theirs = {"created_by_ref": identity_of(jp), "modified": stamp(NOW - 20 * DAY)}
        self.sent = [indicator(n, "green", **own) for n in range(7)]
        self.sent += [indicator(n, "clear", **own) for n in range(7, 10)]
        self.got = [indicator(n, "green", **theirs) for n in range(20, 26)]
        self.secret = [indicator(n, "red", **own) for n in range(40, 46)]
        pair.publish(india, *self.sent, *self.secret)
        pair.publish(jp, *self.got)

        self.instrument = said(india, "instrument", start, kind="memorandum", sides=["IN", "JP"],
                               title={"en": "Memorandum of Cooperation", "ja": "サイバー協力覚書"},
                               text={"en": "The sides cooperate.\nThey meet each year.", "ja": "双方は協力する。"})
        ref = {"instrument_ref": self.instrument["id"], "series": "India-Japan Cyber Dialogue", "sides": ["IN", "JP"]}
        self.round = said(
            india, "round", start, ordinal=4, status="held", date=stamp(start)[:10], mode="virtual", host="IN",
            heads=[{"side": "IN", "name": "Asha Rao", "title": HOSTILE}, {"side": "JP", "name": "Ken Mori"}],
            agencies={"IN": ["MEA", "CERT-In"], "JP": ["MOFA"]},
            statement={"en": "Both sides reviewed progress. " + HOSTILE, "ja": "双方は進捗を確認した。"}, **ref)
        self.commitments = {}
        owners = {"IN": ["MEA"], "JP": ["MOFA"]}
        for name, members in {
                "met": {"due": stamp(NOW - 10 * DAY)[:10]},
                "shares": {"kind": "recurring", "every_months": 12},
                "answers": {"due": stamp(NOW - 5 * DAY)[:10]},
                "differs": {"kind": "capability"},
                "abstains": {"kind": "recurring", "every_months": 12, "norms": ["f"]},
                "old": {"kind": "capability"},
                "new": {"kind": "capability"}}.items():
            c = said(india, "commitment", start + HOUR, text={"en": f"Promise {name}.", "ja": f"約束 {name}。"},
                     paragraph=name, round_ref=self.round["id"], owners=owners, **{"kind": "dated", **members})
            self.commitments[name] = c
        c = self.commitments
        c["new"]["supersedes_ref"] = c["old"]["id"]
        aims = [aim(jp, start + HOUR, c["shares"], "objects-exchanged", "objects", 6),
                aim(jp, start + HOUR, c["answers"], "requests-in-time", "percent", 100),
                aim(jp, start + HOUR, c["abstains"], "objects-exchanged", "objects", 1),
                aim(jp, start + HOUR, c["new"], "lead-time", "seconds", 86400, "at-most")]
        pair.say(india, self.instrument, self.round, *c.values())
        pair.sync()
        pair.say(jp, *aims)
        for node in pair.nodes:
            pair.say(node, assessment(node, NOW - 9 * DAY, c["met"], "met"),
                     assessment(node, NOW - 9 * DAY, c["differs"], "met" if node is jp else "slipped"))
        # A side speaks for itself alone.
        pair.say(india, {**assessment(india, NOW - 2 * DAY, c["new"], "lapsed"), "side": "JP"})
        self.requests(pair)
        # Japan saw five of India's indicators, one of them twice; India six of Japan's.
        self.seen = [sighting(jp, o, NOW - 2 * DAY, NOW - HOUR) for o in self.sent[:5] + self.sent[:1]]
        self.seen_at_home = [sighting(india, o, NOW + DAY, NOW - HOUR) for o in self.got]
        pair.publish(jp, *self.seen)
        pair.publish(india, *self.seen_at_home)
        pair.sync()
        # Six more of India's were taken back, and are gone in Japan too.
        taken = [indicator(n, "green", **own) for n in range(60, 66)]
        pair.publish(india, *taken)
        pair.sync()
        for o in taken:
            india.cli("withdraw", o["id"], "--reason", "wrong")
        jp.cli("sync")
        self.techniques(pair)
        self.at = stamp(datetime.now(timezone.utc) + 2 * DAY)

    def techniques(self, pair):
        """Each node has the matrix by itself. India tied two of its techniques to indicators, one of Japan's and one that it
        keeps; Japan saw five by rules, and one by an indicator of India's that India tied to it."""
        jp, india = pair.nodes
        matrix = pair.folder / "fight.yaml"
        matrix.write_text("tactics: [{id: TA0005, name: Evasion}]\ntechniques:\n"
                          + "".join(f"- {{id: {t}, name: n, tactics: [TA0005]}}\n" for t in ("FGT1", "FGT2.1", "FGT1499")))
        for node in pair.nodes:
            node.collection("Matrix", "matrix", "clear")
            node.cli("import", "--collection", "matrix", "--fight", matrix)
        self.rules = [json.loads(line)["technique"] for line in setu("detect", "--5g", "rules", "--json").stdout.splitlines()]
        self.seen_by_rule = [technique(t) for t in sorted(set(self.rules))[:5]]
        self.one, self.two, self.ruled = (technique(t) for t in ("FGT1", "FGT2.1", "FGT1499"))

        def tie(node, by, what, tlp="green"):
            return {"type": "relationship", "spec_version": "2.1", "id": f"relationship--{uuid.uuid4()}",
                    "created_by_ref": identity_of(node), "created": stamp(NOW - HOUR), "modified": stamp(NOW - HOUR),
                    "relationship_type": "indicates", "source_ref": by["id"], "target_ref": what,
                    "object_marking_refs": [TLP[tlp]]}

        pair.publish(india, tie(india, self.sent[0], self.one), tie(india, self.got[0], self.one),
                     tie(india, self.secret[0], self.two, "red"))
        pair.publish(jp, *(sighting(jp, {"id": t}, NOW - 2 * DAY, NOW - HOUR) for t in self.seen_by_rule * 2))
        pair.sync()

    def requests(self, pair):
        """Two to India, one answered in time and one not; one to Japan; and one of an exercise."""
        def ask(node, to, hours, *words):
            ran = node.cli("request new", "--to", to, "--kind", "takedown", "--summary", "Take it down", "--tlp",
                           "green", "--at", stamp(NOW - 3 * DAY), "--answer-within", f"{hours}h", "--json", *words)
            return json.loads(ran.stdout.splitlines()[0])["object"]
        self.in_time, self.late = (ask(pair.jp, "cert-in", hours) for hours in (24, 6))
        self.to_japan = ask(pair.india, "jpcert", 24)
        self.exercise = ask(pair.jp, "cert-in", 24, "--exercise")
        pair.sync()
        for request in (self.in_time, self.late):
            pair.india.cli("request answer", request, "--text", "done", "--at", stamp(NOW - 3 * DAY + 10 * HOUR))
        pair.jp.cli("request decline", self.to_japan, "--reason-code", "legal", "--reason", "no law for it",
                    "--at", stamp(NOW - 3 * DAY + 2 * HOUR))
        pair.sync()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("pair"))
    pair.dialogue = Dialogue(pair)
    yield pair
    pair.stop()


def shared_json(text):
    """The bytes of the member, as they stand."""
    start = text.index('"shared":') + len('"shared":')
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def shared_html(page):
    return re.search(r'<section id="shared".*?</section>', page, re.S)[0]


def numbers(review, part, name):
    [found] = [m for m in review[part]["measures"] if m["name"] == name]
    return found["sides"]


def test_both_nodes_write_the_same_bytes(pair):
    d = pair.dialogue
    jp, india = (pair.review(node, d.at) for node in pair.nodes)
    assert shared_json(jp[0]) == shared_json(india[0])
    assert shared_html(jp[1]) == shared_html(india[1])
    assert json.loads(jp[0])["shared_sha256"] == json.loads(india[0])["shared_sha256"]
    assert json.loads(jp[0])["shared_sha256"] in shared_html(jp[1])
    assert jp[0] != india[0] and jp[1] != india[1]  # each has a part of its own
    # Again, and through the other side's rights: the same.
    again = pair.review(pair.india, d.at)
    assert (shared_json(again[0]), shared_html(again[1])) == (shared_json(india[0]), shared_html(india[1]))
    assert shared_json(pair.review(pair.india, d.at, "--for", "jpcert")[0]) == shared_json(jp[0])
    # An earlier instant, before the assessments and the requests, is another review, the same on both.
    early = stamp(NOW - 15 * DAY)
    then = [shared_json(pair.review(node, early)[0]) for node in pair.nodes]
    assert then[0] == then[1] != shared_json(jp[0])
    assert all(not c["assessments"] for c in json.loads(then[0])["commitments"])
    # A day means its end.
    day = stamp(NOW + DAY)[:10]
    whole = [shared_json(pair.review(pair.india, at)[0]) for at in (day, day + "T23:59:59.999999Z")]
    assert whole[0] == whole[1]


def test_states_follow_from_words_and_numbers(pair):
    review = json.loads(pair.review(pair.jp, pair.dialogue.at)[0])["shared"]
    found = {c["paragraph"]: c for c in review["commitments"]}
    assert {name: c["state"] for name, c in found.items()} == {
        "met": "met", "shares": "on-track", "answers": "slipped", "differs": "disputed",
        "abstains": "not-measurable", "old": "superseded", "new": "not-measurable"}
    assert [c["paragraph"] for c in review["commitments"] if c["slipped"]] == ["answers", "differs"]
    assert [c["paragraph"] for c in review["commitments"]][:2] == ["met", "answers"]  # by due date
    assert found["met"]["text"] == pair.dialogue.commitments["met"]["text"]
    [refused] = found["abstains"]["measures"]
    assert "declaratory" in refused["why"] and "sides" not in refused and refused["reached"] == "unknown"
    [alone] = found["new"]["measures"]
    assert "own node" in alone["why"] and "sides" not in alone
    assert found["new"]["assessments"] == [] and "speaks for JP" in " ".join(review["findings"])
    assert all(n["measures"] == [] for n in review["norms"] if n["id"] in "fk")


def test_numbers_are_those_of_what_was_done(pair):
    d = pair.dialogue
    jp, india = (json.loads(pair.review(node, d.at)[0]) for node in pair.nodes)
    exchanged = numbers(india, "shared", "objects-exchanged")
    parts = {(p["label"], p["marking"]): p.get("cases") for p in exchanged["IN"]["parts"]}
    assert parts["indicator", "green"] == 7
    assert parts["indicator", "clear"] is None  # three of them: fewer than five
    assert exchanged["IN"]["at_least"] is True
    used = numbers(india, "shared", "objects-used")
    assert used["JP"]["value"] == 5 and used["IN"]["value"] == 6
    assert {e["id"] for e in used["JP"]["evidence"]} == {o["id"] for o in d.sent[:5]}
    in_time = numbers(india, "shared", "requests-in-time")
    assert (in_time["IN"]["value"], in_time["IN"]["cases"]) == (50.0, 2)
    assert {(e["id"], e["value"]) for e in in_time["IN"]["evidence"]} == {(d.in_time, 1), (d.late, 0)}
    assert numbers(india, "shared", "requests-declined")["JP"]["value"] == 1
    assert numbers(india, "shared", "request-time-to-answer")["IN"]["median"] == 10 * 3600
    assert numbers(india, "shared", "rounds-held")["IN"]["value"] == 0  # the window begins behind it
    # Each node's own: India's releases were seen before they were released, Japan's after it had them.
    assert numbers(india, "own", "time-to-detection")["IN"]["outcome"] == "no-cases"
    confirmed = numbers(india, "own", "withdrawals-confirmed")["IN"]
    assert (confirmed["value"], confirmed["cases"]) == (100.0, 6)
    assert numbers(india, "own", "withdrawal-time")["IN"]["cases"] == 6
    lead = numbers(india, "own", "lead-time")
    assert lead["IN"]["cases"] == 6 and lead["JP"]["outcome"] == "not-measurable"
    assert all("leaf" in e for e in lead["IN"]["evidence"])
    assert numbers(india, "own", "novelty")["IN"]["value"] == 100
    assert numbers(jp, "own", "partner-availability")["JP"]["outcome"] == "not-measurable"
    leaf = lead["IN"]["evidence"][0]
    [record] = [json.loads(line)["record"] for line in pair.india.cli("ledger export").stdout.splitlines()
                if json.loads(line)["index"] == leaf["leaf"]]
    assert (record["kind"], record["object"]) == ("acceptance", leaf["id"])


def test_techniques(pair):
    d = pair.dialogue
    jp, india = (json.loads(pair.review(node, d.at)[0]) for node in pair.nodes)
    detected, seen = (numbers(india, "shared", "techniques-" + word) for word in ("detected", "sighted"))
    assert [e["id"] for e in detected["IN"]["evidence"]] == [d.one], "what is secret ties nothing that both hold"
    assert {e["id"] for e in detected["JP"]["evidence"]} == set(d.seen_by_rule)
    assert {e["id"] for e in seen["JP"]["evidence"]} == {*d.seen_by_rule, d.one} and seen["JP"]["value"] == 6
    # India saw its own tie's technique by Japan's indicator: one, which is fewer than five.
    assert seen["IN"]["outcome"] == "floored"
    covered = numbers(india, "own", "techniques-covered")
    assert covered["JP"]["outcome"] == "not-measurable"
    assert {e["id"]: e["value"] for e in covered["IN"]["evidence"]} == {d.one: 1, d.two: 1, d.ruled: 1}
    assert {p["label"]: p["cases"] for p in covered["IN"]["parts"]} == {
        "mitre-fight: by indicator": 2, "mitre-fight: by rule": 1}
    covered = numbers(jp, "own", "techniques-covered")["JP"]
    assert (covered["value"], covered["cases"]) == (66.7, 3)
    assert {p["label"]: p["cases"] for p in covered["parts"]} == {
        "mitre-fight: by indicator": 1, "mitre-fight: by rule": 1, "mitre-fight: not": 1}
    page = pair.review(pair.india, d.at)[1]
    assert d.one in page and "techniques-covered" in page


def test_checkpoints_of_both_ledgers(pair):
    for node, other in (pair.nodes, pair.nodes[::-1]):
        text, page = pair.review(node, pair.dialogue.at)
        own = json.loads(text)["own"]
        name, its = f"{node.nation}/{node.org}/ledger\n", f"{other.nation}/{other.org}/ledger\n"
        assert own["ledger"]["checkpoint"].startswith(name)
        assert own["ledger"]["countersigned"].startswith(name)
        assert own["partner_ledger"]["checkpoint"].startswith(its) and own["partner_ledger"]["state"] == "good"
        assert name in page and its in page
        assert own["measures"][-3]["name"] == "ledger-witnessed"
        assert numbers(json.loads(text), "own", "ledger-witnessed")[node.nation]["value"] > 50


def test_nothing_is_in_it_that_may_not_be(pair):
    d = pair.dialogue
    for node in pair.nodes:
        for text in pair.review(node, d.at):
            assert not [o["id"] for o in d.secret if o["id"] in text]
            assert d.exercise not in text
            assert "host-" not in text  # no pattern, no value
    # Who may not read the dialogue's objects has no review of it.
    ran = pair.india.cli("review", "--round", 4, "--json", "--for", "cisa", status=1)
    assert "hold no such instrument" in ran.stderr and ran.stdout == ""


class Page(HTMLParser):
    """What a reader with a screen reader, or with nothing but paper, needs of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.levels, self.open, self.text = [], [], [], [], []
        self.svg, self.scopes = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        assert tag not in ("script", "img", "link", "iframe", "object", "form"), tag
        assert not [k for k in a if k.startswith("on")], (tag, a)
        if "id" in a:
            self.ids.append(a["id"])
        if "lang" in a:
            assert re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]+)*", a["lang"])
        if tag == "a":
            self.links.append(a["href"])
        if tag == "th":
            self.scopes.append(a.get("scope"))
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "svg":
            self.svg.append(a)
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "rect":
            assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_accessible_and_needs_nothing(pair):
    _, text = pair.review(pair.india, pair.dialogue.at)
    page = Page(text)
    assert page.open == [] and text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert len(set(page.ids)) == len(page.ids)
    assert page.links and all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert page.scopes and set(page.scopes) <= {"col", "row"}
    assert page.svg and all(s["role"] == "img" for s in page.svg)
    for s in page.svg:
        assert all(i in page.ids for i in s["aria-labelledby"].split())
    assert text.count("<svg") == text.count("</title>") - 1 == text.count("<desc")
    assert text.count("<table") == text.count("<caption")
    assert page.levels[0] == 1 and all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:]))
    assert "http:" not in text and "https:" not in text and "url(" not in text
    # Words of others are words, whatever they hold.
    words = "".join(page.text)
    assert "<script>alert('x')</script> & \"quoted\" \ufffdesrever" in words and "\u202e" not in text
    assert '<div lang="ja">' in text and "双方は協力する。" in words
    assert words.index("The sides cooperate.") < words.index("Promise met.") < words.index("objects-exchanged")


def test_the_documented_measures_are_those_there_are(pair):
    """docs/REVIEW.md has each measure in the order of the review, with its unit and part."""
    review = json.loads(pair.review(pair.india, pair.dialogue.at)[0])
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (shared|own) \|", (ROOT / "docs/REVIEW.md").read_text(), re.M)
    for part in ("shared", "own"):
        assert [(m["name"], m["unit"]) for m in review[part]["measures"]] == \
            [(name, unit) for name, unit, its in rows if its == part]


def test_wrong_words(pair):
    for words, status, told in (
            (["--round", 9, "--json"], 1, "both sides hold no round 9"),
            (["--round", 4], 2, "give -o FILE or --json"),
            (["--round", 4, "--json", "--as-of", "yesterday"], 2, "--as-of yesterday"),
            (["--round", 4, "--json", "--partner", "nobody"], 1, "--partner"),
            (["--round", 4, "--json", "--instrument", "Treaty"], 1, "hold no such instrument"),
            (["--round", 4, "-o", "/nonexistent/review.html"], 3, "/nonexistent")):
        ran = pair.india.cli("review", *words, status=status)
        assert told in ran.stderr and ran.stdout == "", ran


BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")


@pytest.mark.skipif(not BROWSER, reason="no Chromium: `scripts/deps test` installs it")
def test_a_browser_shows_and_prints_it(pair, tmp_path):
    """Laid out without a word of complaint and without anything asked of a network."""
    _, text = pair.review(pair.india, pair.dialogue.at)
    page, picture, paper = (tmp_path / name for name in ("review.html", "review.png", "review.pdf"))
    page.write_text(text)
    for words in ((f"--screenshot={picture}", "--window-size=1000,2400"), (f"--print-to-pdf={paper}",)):
        ran = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                              "--enable-logging=stderr", "--virtual-time-budget=2000",
                              f"--user-data-dir={tmp_path / 'profile'}", *words, page.as_uri()],
                             capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        assert "CONSOLE" not in ran.stderr and "Refused to" not in ran.stderr, ran.stderr
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 20000
    assert paper.read_bytes().startswith(b"%PDF") and paper.stat().st_size > 20000
