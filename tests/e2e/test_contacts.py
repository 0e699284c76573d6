"""Points of contact: who holds when, who follows whom, and whether tests are answered."""
import json
from datetime import datetime, timedelta, timezone

import pytest

from dialogue_pair import Pair, lines, stamp

NOW = datetime.now(timezone.utc).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


def add(node, name, *words, role="technical", **more):
    made = lines(node.cli("contact add", "--name", name, "--role", role, "--json", *words, **more))
    return made[0]["object"]


def listed(node, *words):
    return {c["name"]: c for c in lines(node.cli("contact list", *words, "--json"))}


def test_nisc_becomes_the_national_cybersecurity_office(pair):
    nisc = add(pair.jp, "NISC", "--valid-from", "2015-01-09T00:00:00Z", "--language", "ja", "--language", "en",
               "--name-in", "ja=内閣サイバーセキュリティセンター", "--key", "AB12 CD34", "--email", "desk@example.jp",
               "--phone", "+81 3 0000 0000", "--hours", "24x7", "--zone", "Asia/Tokyo")
    # 1 July 2025 begins in Tokyo nine hours before it does in UTC.
    change = "2025-06-30T15:00:00Z"
    nco = add(pair.jp, "National Cybersecurity Office", "--follows", nisc, "--valid-from", change,
              "--name-in", "ja=国家サイバー統括室")
    pair.sync()
    for node in (pair.jp, pair.india):
        assert set(listed(node)) == {"National Cybersecurity Office"}
        assert set(listed(node, "--as-of", "2025-06-30T14:59:59Z")) == {"NISC"}
        assert set(listed(node, "--as-of", "2025-06-30T23:59:59+09:00")) == {"NISC"}
        assert set(listed(node, "--as-of", change)) == {"National Cybersecurity Office"}
        both = listed(node, "--all")
        old, new = both["NISC"], both["National Cybersecurity Office"]
        assert (old["id"], old["successor"], old["holds"], old["valid_until"]) == \
            (nisc, nco, False, "2025-06-30T15:00:00.000Z")
        assert new["id"] == nco and new["holds"] and "valid_until" not in new
        assert old["object"]["languages"] == ["ja", "en"] and old["object"]["key_fingerprints"] == ["AB12 CD34"]
        assert old["object"]["names"]["ja"] == "内閣サイバーセキュリティセンター"
    told = pair.india.cli("contact list", "--all").stdout
    assert f"followed by {nco}" in told and "speaks ja, en" in told
    # Who asks the one that is no more is told who follows it.
    for words in (("contact ping", nisc), ("request new", "--kind", "information", "--summary", "x", "--to", nisc)):
        ran = pair.india.cli(*words, status=1)
        assert "held until 2025-06-30T15:00:00Z" in ran.stderr and nco in ran.stderr
    ran = pair.india.cli("contact add", "--name", "x", "--role", "technical", "--follows", nco, status=1)
    assert "another's" in ran.stderr


def test_pings_and_their_answers_are_recorded(pair):
    desk = add(pair.india, "CERT-In desk")
    pair.sync()
    first = NOW - 20 * HOUR
    for at in (first, first + 5 * HOUR):
        pair.jp.cli("contact ping", desk, "--at", stamp(at))
    pair.sync()
    tests = lines(pair.india.cli("request list", "--kind", "contact-test", "--json"))
    assert [t["side"] for t in tests] == ["asked", "asked"]
    # They are not among what is to be done.
    assert {t["id"] for t in tests}.isdisjoint(r["id"] for r in lines(pair.india.cli("request list", "--json")))
    pair.india.cli("contact answer", tests[0]["id"], "--text", "here", "--at", stamp(first + HOUR))
    pair.sync()
    for node in (pair.jp, pair.india):
        told = listed(node)["CERT-In desk"]
        assert (told["tests"], told["answered"]) == (2, 1)
        assert told["last_test"]["request"] == tests[1]["id"] and told["last_test"]["state"] == "sent"
    assert "1 of 2 tests answered; the last is sent" in pair.jp.cli("contact list").stdout
    # The first was answered in time, the second is overdue.
    found = {t["id"]: t["deadlines"][0]["state"]
             for t in lines(pair.jp.cli("request list", "--kind", "contact-test", "--json"))}
    assert found == {tests[0]["id"]: "met", tests[1]["id"]: "overdue"}
    again = pair.india.cli("contact answer", tests[0]["id"], status=1)
    assert "does not go from answered to answered" in again.stderr
    # Nobody answers a test of one's own, and a request is no test.
    assert "by the side that is asked only" in pair.jp.cli("contact answer", tests[1]["id"], status=1).stderr
    asked = lines(pair.jp.cli("request new", "--to", desk, "--kind", "information", "--summary", "x", "--json"))
    pair.sync()
    ran = pair.india.cli("contact answer", asked[0]["object"], status=1)
    assert "is no contact-test" in ran.stderr


def test_escalation_finds_the_diplomatic_contact(pair):
    request = lines(pair.jp.cli("request new", "--to", "cert-in", "--kind", "block", "--summary", "x",
                                "--json"))[0]["object"]
    ran = pair.jp.cli("request escalate", request, status=1)
    assert "no diplomatic contact point of the other side" in ran.stderr
    mea = add(pair.india, "MEA, Cyber Diplomacy", role="diplomatic")
    add(pair.india, "MEA before", "--valid-until", "2020-01-01T00:00:00Z", "--valid-from", "2019-01-01T00:00:00Z",
        role="diplomatic")
    add(pair.jp, "MOFA", role="diplomatic")
    pair.sync()
    pair.jp.cli("request escalate", request)
    told = json.loads(pair.jp.cli("request show", request, "--json").stdout)
    assert told["steps"][-1]["contact"] == mea
    add(pair.india, "MEA, another", role="diplomatic")
    pair.sync()
    ran = pair.jp.cli("request escalate", request, status=1)
    assert "several diplomatic contact points" in ran.stderr


def test_exercises_have_contacts_of_their_own(pair):
    add(pair.india, "Exercise control", "--exercise")
    assert "Exercise control" not in listed(pair.india, "--all")
    assert set(listed(pair.india, "--exercise")) == {"Exercise control"}


@pytest.mark.parametrize("words, status, said", [
    (["contact add", "--name", "x", "--role", "chief"], 1, "$.role"),
    (["contact add", "--name", "x"], 2, "--role"),
    (["contact add", "--name", "x", "--role", "technical", "--name-in", "ja"], 2, "--name-in ja"),
    (["contact add", "--name", "x", "--role", "technical", "--nation", "japan"], 1, "$.nation"),
    (["contact add", "--name", "x", "--role", "technical", "--valid-from", "now"], 2, "--valid-from"),
    (["contact add", "--name", "x", "--role", "technical", "--valid-from", "2026-01-02T00:00:00Z", "--valid-until",
      "2026-01-01T00:00:00Z"], 1, "`valid_until` is before `valid_from`"),
    (["contact add", "--name", "x", "--role", "technical", "--follows", "ffffffff"], 1, "no contact point"),
    (["contact add", "--name", "x", "--role", "technical", "--org", "nobody"], 1, "--org"),
    (["contact ping", "ffffffff"], 1, "no contact point"),
    (["contact answer", "ffffffff"], 1, "there is no request"),
])
def test_wrong_words(pair, words, status, said):
    before = len(listed(pair.jp, "--all"))
    ran = pair.jp.cli(words[0], *words[1:], status=status)
    assert said in ran.stderr and ran.stderr.startswith(f"setu {words[0]}: ")
    assert len(listed(pair.jp, "--all")) == before
