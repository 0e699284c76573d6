"""Requests for assistance between two nodes that sync: who asks, who answers, what is due when."""
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from dialogue_pair import NAMES, TYPES, Pair, identity_of, lines, policy, stamp, utc
from setu_node import Node, TLP, indicator


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


def ask(node, *words, to="cert-in", kind="information", summary="Who runs this host?", **more):
    ran = node.cli("request new", "--to", to, "--kind", kind, "--summary", summary, "--json", *words, **more)
    made = lines(ran)
    assert [r["object"].split("--")[0] for r in made] == ["assistance-request", "assistance-move"]
    return made[0]["object"]


def show(node, request, *words):
    return json.loads(node.cli("request show", request, *words, "--json").stdout)


def listed(node, *words):
    return lines(node.cli("request list", *words, "--json"))


def due(request, clock):
    [found] = [d for d in request["deadlines"] if d["clock"] == clock]
    return found


NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def what_is_told(request):
    """Without when each node had it, and which side it is on."""
    return {k: [{w: x for w, x in s.items() if w != "arrived"} for s in v] if k == "steps" else v
            for k, v in request.items() if k != "side"}


def test_a_request_with_a_six_hour_clock_is_acknowledged_paused_and_answered(pair):
    start = NOW - 2 * DAY
    subject = indicator(1, "amber")
    pair.jp.imported("dialogue", write(pair, subject))
    request = ask(pair.jp, "--urgency", "urgent", "--subject", subject["id"], "--acknowledge-within", "6h",
                  "--answer-within", "1d", "--at", stamp(start), kind="takedown")
    # Nobody has taken a step yet: the clock stands at every hour where it must.
    for hours, state in ((0, "running"), (6, "running"), (7, "overdue")):
        asked = show(pair.jp, request, "--as-of", stamp(start + hours * HOUR))
        assert (asked["state"], due(asked, "acknowledge")["state"]) == ("sent", state)
    assert utc(due(asked, "acknowledge")["due"]) == start + 6 * HOUR

    assert listed(pair.india) == []
    pair.sync()
    [arrived] = listed(pair.india)
    assert (arrived["id"], arrived["side"], arrived["from"]["org"], arrived["to"]["org"]) == \
        (request, "asked", "jpcert", "cert-in")
    pair.india.cli("request acknowledge", request, "--at", stamp(start + 5 * HOUR))
    pair.india.cli("request pause", request, "--reason-code", "awaiting-authority", "--reason",
                   "a magistrate decides", "--at", stamp(start + 10 * HOUR))
    pair.india.cli("request resume", request, "--at", stamp(start + 20 * HOUR))
    pair.india.cli("request start", request, "--at", stamp(start + 21 * HOUR))
    pair.india.cli("request answer", request, "--text", "taken down", "--at", stamp(start + 33 * HOUR))
    pair.sync()
    jp, india = pair.both("request show", request)
    assert what_is_told(jp) == what_is_told(india)
    assert (jp["side"], india["side"], jp["state"]) == ("asking", "asked", "answered")
    assert [s["event"] for s in jp["steps"]] == ["move", "move", "pause", "resume", "move", "move"]
    assert all(s["counts"] for s in jp["steps"])
    assert due(jp, "acknowledge")["state"] == "met"
    # A day from the start, and the ten hours of the pause: answered one hour before.
    answer = due(jp, "answer")
    assert (utc(answer["due"]), answer["state"]) == (start + 34 * HOUR, "met")
    # The same life, looked at while it went on.
    for hours, state, clock in ((4, "sent", "running"), (5, "acknowledged", "running"),
                                (12, "acknowledged", "paused"), (20, "acknowledged", "running"),
                                (21, "in-progress", "running"), (33, "answered", "met")):
        then = show(pair.jp, request, "--as-of", stamp(start + hours * HOUR))
        assert (then["state"], due(then, "answer")["state"]) == (state, clock), hours


def write(pair, *objects):
    path = pair.folder / "objects.json"
    path.write_text(json.dumps({"objects": objects}))
    return path


def test_a_deadline_is_one_instant_on_every_clock(pair):
    """--answer-by and --acknowledge-within across zones: 09:00 UTC is 14:30 in Delhi, 18:00 in Tokyo."""
    start = (NOW - DAY).replace(hour=3, minute=0, second=0)
    by = (start + DAY).replace(hour=9)
    request = ask(pair.jp, "--at", stamp(start), "--answer-by", stamp(by))
    told = due(show(pair.jp, request), "answer")
    day = by.strftime("%Y-%m-%d")
    assert told["due"] == f"{day}T09:00:00.000Z"
    assert told["local"] == {"IN": f"{day}T14:30:00+05:30", "JP": f"{day}T18:00:00+09:00"}
    text = pair.jp.cli("request show", request).stdout
    assert f"by {day}T09:00:00Z  JP {day}T18:00:00+09:00  IN {day}T14:30:00+05:30" in text


def test_daylight_saving_elsewhere_moves_no_deadline(tmp_path):
    """A clock that runs through the hour that New York leaves out: 24 hours stay 24 hours."""
    node = Node(tmp_path / "us", "Washington", "US", "cisa", NAMES + "release to US\n")
    node.collection("Dialogue", "dialogue")
    node.user("partner", "peer", "jpcert", "JP", "--identity",
              "identity--00000000-0000-4000-8000-00000000000a")
    for start, shown in (("2026-03-07T12:00:00Z", "2026-03-08T08:00:00-04:00"),
                         ("2026-03-06T12:00:00Z", "2026-03-07T07:00:00-05:00"),
                         ("2025-11-01T12:00:00Z", "2025-11-02T07:00:00-05:00")):
        request = ask(node, "--at", start, "--answer-within", "24h", to="jpcert")
        told = due(show(node, request, "--as-of", start), "answer")
        assert utc(told["due"]) - utc(start) == DAY and told["local"]["US"] == shown
        assert utc(told["local"]["JP"]) == utc(told["due"])


def test_clocks_of_the_law_do_not_pause(pair):
    noticed = NOW - 9 * HOUR
    request = ask(pair.jp, "--clock", "cert-in-report", "--clock", "in-telecom-details", "--noticed", stamp(noticed),
                  "--at", stamp(noticed + HOUR), kind="notify-owner")
    pair.sync()
    pair.india.cli("request acknowledge", request, "--at", stamp(noticed + 2 * HOUR))
    pair.india.cli("request pause", request, "--reason-code", "legal", "--at", stamp(noticed + 3 * HOUR))
    told = show(pair.india, request)
    law = due(told, "cert-in-report")
    assert (utc(law["due"]), law["state"]) == (noticed + 6 * HOUR, "overdue")
    assert due(told, "in-telecom-details")["state"] == "running" and due(told, "answer")["state"] == "paused"
    pair.india.cli("request answer", request, "--partly", "--at", stamp(noticed + 8 * HOUR))
    told = show(pair.india, request)
    assert due(told, "cert-in-report")["state"] == "met-late" and due(told, "answer")["state"] == "running"
    assert due(told, "in-telecom-details")["state"] == "met"


def test_neither_side_speaks_for_the_other(pair):
    request = ask(pair.jp)
    pair.sync()
    for node, word, more in ((pair.jp, "acknowledge", ()), (pair.jp, "answer", ()),
                             (pair.jp, "pause", ("--reason-code", "legal")),
                             (pair.india, "withdraw", ())):
        ran = node.cli(f"request {word}", request, *more, status=1)
        assert ran.stderr.startswith(f"setu request {word}: "), ran.stderr
    assert show(pair.india, request)["state"] == "sent"
    # Nor by forging an object: what India writes in Japan's name is refused there, and does not count here.
    forged = json.loads(json.dumps(show(pair.jp, request)["object"]))
    step = {k: forged[k] for k in ("spec_version", "created_by_ref", "object_marking_refs", "exercise")}
    later = stamp(datetime.now(timezone.utc) + timedelta(seconds=2))
    step.update(type="assistance-move", id="assistance-move--00000000-0000-4000-8000-00000000beef",
                created=later[:-1] + ".000Z", modified=later[:-1] + ".000Z", request_ref=request,
                event="move", from_state="sent", to_state="withdrawn", occurred=later,
                extensions={"extension-definition--a169360f-c199-42d1-abca-bd5f064ca653":
                            {"extension_type": "new-sdo"}})
    pair.india.imported("dialogue", write(pair, step))
    told = show(pair.india, request, "--as-of", stamp(NOW + HOUR))
    [heard] = [s for s in told["steps"] if s["id"] == step["id"]]
    assert told["state"] == "sent" and not heard["counts"] and "not its author's" in heard["why"]
    ran = pair.jp.cli("sync", "--json", status=None)
    assert any(json.loads(line).get("refused") for line in ran.stdout.splitlines()), ran.stdout
    assert len(show(pair.jp, request)["steps"]) == 1
    pair.india.cli("request note", request, "--text", "after it")  # and nothing is in the way of the next


MOVE = "extension-definition--a169360f-c199-42d1-abca-bd5f064ca653"


def move(request, n, author, start, end, at, **members):
    at = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {"type": "assistance-move", "spec_version": "2.1", "created": at, "modified": at,
            "id": f"assistance-move--00000000-0000-4000-8000-{n:012d}", "created_by_ref": author,
            "extensions": {MOVE: {"extension_type": "new-sdo"}}, "request_ref": request, "event": "move",
            "from_state": start, "to_state": end, "occurred": at, "exercise": False, **members}


def test_what_counts_comes_from_its_author(tmp_path):
    """Objects that no command makes: each stands there with the reason why it does not count."""
    node = Node(tmp_path / "n", org="cert-in",
                policy=NAMES + f"accept from any types {TYPES}\nrelease to any\n")
    node.collection("Dialogue", "dialogue", "clear")
    ids = {}
    for n, (org, nation) in enumerate((("jpcert", "JP"), ("nisc", "JP"), ("cisa", "US"))):
        ids[org] = f"identity--00000000-0000-4000-8000-00000000000{n}"
        node.user(org, "contributor", org, nation, "--identity", ids[org])
    ids["cert-in"] = identity_of(node)
    request = ask(node, "--at", stamp(NOW - DAY), "--tlp", "clear", to="jpcert")
    at = NOW - 20 * HOUR
    path = tmp_path / "said.json"
    cases = [
        # whose node sent it, in whose name, what; why it does not count
        ("cisa", move(request, 1, ids["jpcert"], "sent", "answered", at), "not its author's"),
        ("cisa", move(request, 2, ids["cisa"], "sent", "answered", at), "no side of this request"),
        ("jpcert", move(request, 3, "identity--00000000-0000-4000-8000-0000000000ff", "sent", "answered", at),
         "no side of this request"),
        ("jpcert", move(request, 4, ids["jpcert"], "sent", "answered", at, exercise=True), "do not mix"),
        ("jpcert", move(request, 5, ids["jpcert"], "sent", "answered", at,
                        occurred=stamp(NOW - HOUR)), "before it happened"),
        ("jpcert", move(request, 6, ids["jpcert"], "sent", "withdrawn", at,), "by the side that asks only"),
        ("jpcert", move(request, 7, ids["jpcert"], "acknowledged", "answered", at), "is a move from acknowledged"),
        ("jpcert", move(request, 8, ids["jpcert"], "sent", "expired", at), "by the clock only"),
        ("nisc", move(request, 9, ids["jpcert"], "sent", "acknowledged", at + HOUR), None),  # a nation's own node
        ("jpcert", move(request, 10, ids["jpcert"], "acknowledged", "referred", at + 2 * HOUR,
                        reason_code="capacity", referred_to_ref=ids["nisc"]), None),
        ("nisc", move(request, 11, ids["nisc"], "referred", "answered", at + 3 * HOUR), None),
    ]
    for source, said, _ in cases:
        path.write_text(json.dumps([said]))
        node.imported("dialogue", path, words=("--org", source))
    told = {s["id"]: s for s in show(node, request)["steps"]}
    for source, said, why in cases:
        step = told[said["id"]]
        assert step["org"] == source and step["counts"] == (why is None), step
        assert why is None or why in step["why"], step
    assert show(node, request)["state"] == "answered"
    # What no schema would let pass is no step at all.
    path.write_text(json.dumps([move(request, 12, ids["jpcert"], "sent", "gone", at)]))
    node.imported("dialogue", path, words=("--org", "jpcert"))
    assert len(show(node, request)["steps"]) == len(told)


def test_a_stranger_is_no_side(pair, tmp_path):
    request = ask(pair.jp)
    pair.sync()
    token = tmp_path / "token"
    token.write_text(pair.india.user("rao", "contributor", "nciipc"))
    ran = pair.india.cli("request acknowledge", request, "--as", "rao", "--token-file", token, status=1)
    assert "only the side that asks" in ran.stderr
    # A referral makes it one.
    pair.india.cli("request acknowledge", request)
    pair.india.cli("request refer", request, "--to", "nciipc", "--reason-code", "capacity")
    pair.india.cli("request start", request, "--as", "rao", "--token-file", token)
    pair.india.cli("request answer", request, "--as", "rao", "--token-file", token)
    assert show(pair.india, request)["state"] == "answered"
    [one] = [r for r in listed(pair.india) if r["id"] == request]
    assert one["side"] == "asked"


def test_declined_withdrawn_expired(pair):
    declined, withdrawn = ask(pair.jp), ask(pair.jp)
    late = ask(pair.jp, "--at", stamp(NOW - 3 * HOUR), "--acknowledge-within", "1h", "--answer-within", "2h")
    pair.sync()
    ran = pair.india.cli("request decline", declined, status=2)
    assert "--reason-code" in ran.stderr
    pair.india.cli("request decline", declined, "--reason-code", "policy", "--reason", "not ours to give")
    pair.jp.cli("request withdraw", withdrawn)
    pair.sync()
    for node in (pair.jp, pair.india):
        assert show(node, declined)["state"] == "declined"
        gone = show(node, withdrawn)
        assert gone["state"] == "withdrawn" and due(gone, "answer")["state"] == "void"
        assert show(node, late)["state"] == "expired"
        for request in (declined, withdrawn):
            for word in ("acknowledge", "start", "answer", "withdraw"):
                ran = node.cli(f"request {word}", request, status=1)
                assert "a request does not go from" in ran.stderr or "by the side" in ran.stderr
    open_ids = {r["id"] for r in listed(pair.india, "--open")}
    assert late in open_ids and declined not in open_ids and withdrawn not in open_ids
    # Late, but an answer.
    pair.india.cli("request answer", late)
    told = show(pair.india, late)
    assert told["state"] == "answered" and due(told, "answer")["state"] == "met-late"


def test_two_sides_that_speak_at_once_agree_afterwards(pair):
    """India answers what Japan has withdrawn before; both see the same, and why one step does not count."""
    start = NOW - HOUR
    request = ask(pair.jp, "--at", stamp(start))
    pair.sync()
    pair.jp.cli("request withdraw", request, "--at", stamp(start + timedelta(minutes=10)))
    pair.india.cli("request answer", request, "--at", stamp(start + timedelta(minutes=20)))
    assert (show(pair.jp, request)["state"], show(pair.india, request)["state"]) == ("withdrawn", "answered")
    pair.sync()
    jp, india = pair.both("request show", request)
    assert what_is_told(jp) == what_is_told(india) and jp["state"] == "withdrawn"
    assert [s["counts"] for s in jp["steps"]] == [True, True, False]
    assert jp["steps"][-1]["why"] == "it is a move from sent, and the request is withdrawn"
    assert "(does not count)" in pair.jp.cli("request show", request).stdout


def test_notes_have_markings_of_their_own(pair):
    request = ask(pair.jp)
    first = lines(pair.jp.cli("request note", request, "--text", "It beacons every hour", "--json"))[0]["object"]
    pair.sync()
    pair.india.cli("request note", request, "--text", "Since when?", "--reply-to", first)
    inner = pair.india.cli("request note", request, "--text", "Ask the operator", "--tlp", "amber+strict")
    assert "JP" not in inner.stdout
    pair.sync()
    jp, india = pair.both("request show", request)
    assert [s.get("text") for s in jp["steps"]] == [None, "It beacons every hour", "Since when?"]
    assert jp["steps"][2]["reply_to"] == first
    assert [s.get("text") for s in india["steps"]][3:] == ["Ask the operator"]
    assert "Since when?" in pair.jp.cli("request show", request).stdout


def test_exercises_are_apart_in_every_layer(pair):
    request = ask(pair.jp, "--exercise", summary="Drill: a ransomware at a port")
    pair.sync()
    for node in (pair.jp, pair.india):
        assert request not in {r["id"] for r in listed(node)}
        assert request in {r["id"] for r in listed(node, "--exercise")}
        assert all(r["exercise"] for r in listed(node, "--exercise"))
    # A step takes the flag of its request; a rule can ask for it.
    pair.india.cli("request acknowledge", request)
    [step] = [s for s in lines(pair.india.cli("dialogue list", "move", "--exercise", "--json"))
              if s["object"]["request_ref"] == request and s["object"].get("to_state") == "acknowledged"]
    assert step["object"]["exercise"] is True
    assert "[exercise]" in pair.india.cli("request show", request).stdout


def test_a_rule_can_hold_exercises_back(tmp_path):
    node = Node(tmp_path / "n", org="cert-in",
                policy=policy("IN", "JP", "deny where exercise = true to JP\n"))
    node.collection("Dialogue", "dialogue")
    node.user("partner", "peer", "jpcert", "JP", "--identity",
              "identity--00000000-0000-4000-8000-00000000000a")
    drill = node.cli("request new", "--to", "jpcert", "--kind", "block", "--summary", "x", "--exercise")
    live = node.cli("request new", "--to", "jpcert", "--kind", "block", "--summary", "x")
    assert "JP" not in drill.stdout.replace("withheld from JP", "") and "released to" in live.stdout
    assert re.search(r"released to [^\n]*JP", live.stdout) and not re.search(r"released to [^\n]*JP", drill.stdout)


def test_escalation(pair):
    request = ask(pair.jp)
    ran = pair.jp.cli("request escalate", request, status=1)
    assert "to whom" in ran.stderr
    contact = "contact-point--00000000-0000-4000-8000-00000000c0de"
    pair.jp.cli("request escalate", request, "--contact", contact, "--reason", "no word for a day")
    told = show(pair.jp, request)
    assert told["escalated"] and told["steps"][-1]["contact"] == contact and told["state"] == "sent"
    named = ask(pair.jp, "--escalation", contact)
    pair.jp.cli("request escalate", named)
    assert show(pair.jp, named)["steps"][-1]["contact"] == contact


def test_an_id_may_be_told_by_its_beginning(pair):
    request = ask(pair.jp)
    uuid = request.split("--")[1]
    assert show(pair.jp, uuid[:13])["id"] == request
    for short in (uuid[:3], "zzzz", "assistance-request--00000000-0000-4000-8000-000000000000"):
        assert "there is no request" in pair.jp.cli("request show", short, status=1).stderr


@pytest.mark.parametrize("words, status, said", [
    (["--to", "nobody"], 1, "nobody is called"),
    (["--kind", "favour"], 1, "$.kind"),
    (["--summary", "x" * 501], 1, "$.summary"),
    (["--subject", "thing"], 1, "$.subject_refs[0]"),
    (["--urgency", "very"], 1, "$.urgency"),
    (["--acknowledge-within", "soon"], 2, "as in 30m"),
    (["--acknowledge-within", "0h"], 2, "as in 30m"),
    (["--answer-within", "400d"], 2, "up to a year"),
    (["--answer-by", "tomorrow"], 2, "--answer-by"),
    (["--answer-by", "2020-01-01T00:00:00Z"], 1, "not after"),
    (["--answer-by", "2099-01-01T00:00:00Z"], 1, "more than a year"),
    (["--clock", "lunch"], 1, "there is no clock lunch"),
    (["--at", "2099-01-01T00:00:00Z"], 1, "time to come"),
    (["--noticed", "2099-01-01T00:00:00Z"], 1, "noticed after"),
    (["--to", "cert-in"], 1, "to oneself"),
    (["--tlp", "purple"], 2, "--tlp"),
    (["--collection", "nowhere"], 1, "setu collection add"),
])
def test_wrong_requests_leave_nothing(pair, words, status, said):
    before = len(listed(pair.india))
    given = {"--to": "jpcert", "--kind": "information", "--summary": "x"}
    given.update(zip(words[::2], words[1::2]))
    ran = pair.india.cli("request new", *[w for p in given.items() for w in p], status=status)
    assert said in ran.stderr and ran.stderr.startswith("setu request new: ")
    assert len(listed(pair.india)) == before


def test_what_the_policy_does_not_release_does_not_arrive(pair):
    request = ask(pair.jp, "--tlp", "red")
    pair.sync()
    assert request not in {r["id"] for r in listed(pair.india)}
    assert TLP["red"] in show(pair.jp, request)["object"]["object_marking_refs"]


def test_steps_on_a_redacted_copy_find_the_request(tmp_path):
    """Who has only a copy, with an id of its own, answers that; the asking side sees its own request answered."""
    pair = Pair(tmp_path, "redact drop $.description to IN\n")
    try:
        request = ask(pair.jp, "--description", "a ministry's mail host")
        pair.sync()
        [copy] = listed(pair.india)
        assert copy["id"] != request and copy["state"] == "sent" and copy["side"] == "asked"
        assert "ministry" not in json.dumps(show(pair.india, copy["id"]))
        pair.india.cli("request acknowledge", copy["id"])
        pair.india.cli("request answer", copy["id"], "--text", "a reseller")
        pair.jp.cli("request note", request, "--text", "thank you")
        pair.sync()
        for node, name in ((pair.jp, request), (pair.india, copy["id"])):
            told = show(node, name)
            assert told["state"] == "answered" and all(s["counts"] for s in told["steps"])
            assert [s.get("text") for s in told["steps"]] == [None, None, "a reseller", "thank you"]
            assert len(listed(node)) == 1
    finally:
        pair.stop()


def test_a_draft_stays_at_home_until_it_is_sent(pair):
    ran = pair.jp.cli("request new", "--to", "cert-in", "--kind", "block", "--summary", "Block it", "--draft", "--json",
                      "--acknowledge-within", "2h", "--answer-within", "5h", "--tlp", "green")
    [made] = lines(ran)
    draft = made["object"]
    assert draft.startswith("assistance-request--")
    asked = show(pair.jp, draft)
    assert (asked["state"], asked["steps"], asked["deadlines"]) == ("draft", [], [])  # no clock runs
    pair.sync()
    assert draft not in [r["id"] for r in listed(pair.india)]
    # Nobody else at home reads it either, and nobody answers a draft.
    pair.jp.user("nisc-reader", role="reader", org="nisc", nation="JP")
    ran = pair.jp.cli("export", "--for", "nisc", "--collection", "dialogue")
    assert draft not in ran.stdout
    assert pair.jp.cli("request answer", draft, "--text", "x", status=None).returncode != 0
    ran = pair.india.cli("request send", draft, status=1)
    assert "there is no request" in ran.stderr

    pair.jp.cli("request send", draft, "--tlp", "green", "--answer-within", "8h")
    sent = show(pair.jp, draft)
    assert sent["state"] == "sent" and [s["event"] for s in sent["steps"]] == ["move"]
    begun = utc(sent["steps"][0]["occurred"])
    assert abs(utc(due(sent, "acknowledge")["due"]) - begun - 2 * HOUR) < timedelta(seconds=2)
    assert abs(utc(due(sent, "answer")["due"]) - begun - 8 * HOUR) < timedelta(seconds=2)
    pair.sync()
    [there] = [r for r in listed(pair.india) if r["id"] == draft]
    assert there["state"] == "sent"
    assert what_is_told(show(pair.india, draft)) == what_is_told(sent)
    # The version that was a draft never left.
    ran = pair.india.cli("export", "--versions", "all", "--collection", "dialogue")
    assert [o["id"] for o in json.loads(ran.stdout)["objects"]].count(draft) == 1
    pair.india.cli("request acknowledge", draft)
    pair.sync()
    assert show(pair.jp, draft)["state"] == "acknowledged"
    ran = pair.jp.cli("request send", draft, status=None)
    assert ran.returncode != 0 and "it is no draft any more: it is acknowledged" in ran.stderr
    for words, said in ((("--tlp", "pink"), "--tlp pink"), (("--answer-within", "soon"), "--answer-within soon")):
        assert said in pair.jp.cli("request send", draft, *words, status=2).stderr
