"""Cases of abuse of the release gate, against a real node over HTTPS. Their numbers are those of the
threat model: what leaks (T8 to T11, T13), what fails open (T12, T14, T15), what acts on another's
behalf (T16, T17), what comes in poisoned (T19)."""
import itertools
import json
import re
import shutil
from urllib.parse import quote

import pytest

from setu_node import TLP, error_of, indicator, later, setu

POLICY = """
nation IN "India" { agency home, second   operator telco }
nation JP "Japan" { agency nisc   operator docomo }
nation AU "Australia" { agency acsc }
community canary-circle { IN, AU }
refuse from any except canary-circle label "exercise"
accept from JP
accept from AU
deny label "national-only" to any except IN
hold label "held" to any except canary-circle
release to IN
release tlp:clear, tlp:green to any
release tlp:amber to AU
redact drop $.x_victim to any except IN
redact drop-reference to any except IN
"""
CANARY = "canary-7f3a"
NOWHERE = "indicator--00000000-0000-4000-8000-000000000000"


def hidden(n=0, **more):
    """What nisc of Japan may not see, full of words to look for."""
    return indicator(f"{CANARY}-name-{n}", "amber", description=f"{CANARY}-description",
                     labels=[f"{CANARY}-label"], x_note=f"{CANARY}-note", **more)


def public(n=0, **more):
    return indicator(f"public-{n}", "green", **more)


def relation(source, target, tlp="green", **more):
    o = {**indicator("relation", tlp), "type": "relationship", "relationship_type": "related-to",
         "source_ref": source["id"], "target_ref": target["id"], **more}
    o["id"] = o["id"].replace("indicator", "relationship")
    return {k: v for k, v in o.items() if k not in ("pattern", "pattern_type", "valid_from", "name")}


def of_type(o, kind, **more):
    o = {**o, "type": kind, "id": o["id"].replace("indicator", kind), **more}
    return {k: v for k, v in o.items() if k not in ("pattern", "pattern_type", "valid_from")}


class Place:
    """A node, its people, and every byte that a reader was sent."""

    def __init__(self, node):
        self.node = node
        self.tokens = {org: node.user(f"u-{org}", role, org, nation) for org, nation, role in (
            ("home", "IN", "contributor"), ("second", "IN", "contributor"),
            ("nisc", "JP", "contributor"), ("docomo", "JP", "reader"),
            ("acsc", "AU", "contributor"))}
        self.shared = node.collection("Shared", "shared", "amber+strict")
        self.other = node.collection("Other", "other", "amber+strict")

    def serve(self):
        self.node.start()
        self.users = {org: self.node.client(token) for org, token in self.tokens.items()}
        return self


@pytest.fixture
def place(nodes):
    return Place(nodes(policy=POLICY)).serve()


def routes(collection, ids):
    """Every path that reads, with the ids in it."""
    at = f"/api/collections/{collection}/"
    yield from ("/taxii2/", "/api/", "/api/collections/", at)
    for what in ("objects", "manifest"):
        for query in ("", "?match[version]=all", "?match[version]=first", "?limit=1", "?limit=2",
                      "?match[type]=indicator", "?match[type]=relationship,report",
                      "?added_after=2020-01-01T00:00:00Z", "?limit=0", "?next=x", "?match[x]=y"):
            yield f"{at}{what}/{query}"
    for i in ids:
        yield f"{at}objects/{i}/"
        yield f"{at}objects/{i}/versions/"
        yield f"{at}objects/?match[id]={i}&match[version]=all"
        yield f"{at}manifest/?match[id]={i}"


def told(client, path, method="GET", **more):
    """All that an answer says, but for its date."""
    answer = client.request(method, path, **more)
    headers = sorted((k, v) for k, v in answer.headers.items() if k != "Date")
    return answer.status, headers, answer.body


def pages(client, collection, what="objects"):
    """The bodies of all pages of one, so that `next` and `more` are looked at too."""
    out, path = [], f"/api/collections/{collection}/{what}/?limit=1"
    while True:
        answer = client.request("GET", path)
        out.append(answer.body)
        if not answer.json().get("more"):
            return out
        path = (f"/api/collections/{collection}/{what}/?limit=1&next="
                + quote(answer.json()["next"], safe=""))


def graph():
    """Objects that nisc sees and objects that it does not, which refer to each other both ways."""
    a, b = public(1), public(2, x_victim=f"{CANARY}-victim")
    x, y = hidden(1), hidden(2, x_victim=f"{CANARY}-victim")
    over = relation(a, x)
    inside = relation(x, y, "amber", description=f"{CANARY}-relation")
    seen = relation(a, b)
    sighting = of_type(public(3), "sighting", sighting_of_ref=x["id"])
    report = of_type(public(4), "report", published="2026-01-01T00:00:00Z",
                     object_refs=[a["id"], b["id"], x["id"], over["id"]])
    note = of_type(hidden(5), "note", content=f"{CANARY}-content", object_refs=[a["id"]])
    del sighting["name"], note["name"]
    return {"seen": [a, b, seen, report], "unseen": [x, y, inside, over, sighting, note]}


# ---- what leaks

def test_t8_two_nodes_that_differ_in_what_is_hidden_answer_alike(nodes):
    first = Place(nodes("first", policy=POLICY))
    g = graph()
    second = nodes("second", policy=POLICY)
    shutil.rmtree(second.dir)
    shutil.copytree(first.node.dir, second.dir)
    twin = object.__new__(Place)
    twin.node, twin.tokens, twin.shared = second, first.tokens, first.shared
    first.serve(), twin.serve()
    for o in g["seen"][:3]:
        first.users["home"].post("shared", [o])
        twin.users["home"].post("shared", [o])
        for x in g["unseen"]:
            first.users["home"].post("shared", [x])
    for p in (first, twin):
        p.users["home"].post("shared", [g["seen"][3]])
        p.users["home"].post("shared", [later(g["seen"][0], "2026-02-01T00:00:00.000Z", name="new")])
    first.users["home"].delete("shared", g["unseen"][0]["id"])
    ids = [o["id"] for o in g["seen"] + g["unseen"]] + [NOWHERE]
    dates = [[o["date_added"] for o in p.users["nisc"].get(
        "collections/shared/manifest/", **{"match[version]": "all"}).objects] for p in (first, twin)]
    assert len(dates[0]) == len(dates[1]) >= 4

    tags = [[], []]

    def plain(text, n):
        for k, d in enumerate(dates[n]):
            text = text.replace(d, f"<{k}>")
        for tag in re.findall(r'"[A-Za-z0-9_-]{22}"', text):  # a MAC over dates: which are the same
            tags[n] += [tag] if tag not in tags[n] else []
            text = text.replace(tag, f"<tag {tags[n].index(tag)}>")
        return text

    for path in routes("shared", ids):
        # `next` is a MAC over a date, so its presence counts and not its bytes
        said = [[plain(str(x), n) if i != 2 else b'"next"' in x for i, x in enumerate(
            told(p.users["nisc"], path))] for n, p in enumerate((first, twin))]
        bodies = [told(p.users["nisc"], path)[2].decode() for p in (first, twin)]
        without = [plain(b.split('"next"')[0], n) for n, b in enumerate(bodies)]
        said = [[s[0], s[1].replace(str(len(b)), "<length>"), s[2]] for s, b in zip(said, bodies)]
        assert said[0] == said[1], path
        assert without[0] == without[1], path
        if '"next"' not in bodies[0]:
            assert len(bodies[0]) == len(bodies[1]), path
    assert len(pages(first.users["nisc"], "shared")) == len(pages(twin.users["nisc"], "shared"))


def test_t9_granular_markings_part_by_part(place):
    parts = {
        "name": ("name", f"{CANARY}-a"),
        "labels.[1]": ("labels", ["open", f"{CANARY}-b"]),
        "external_references.[0].description": (
            "external_references", [{"source_name": "open", "external_id": "1",
                                    "description": f"{CANARY}-c"}]),
        "x_dict.zz": ("x_dict", {"zz": f"{CANARY}-d", "aa": "open"}),
        "x_dict.aa": ("x_dict", {"zz": "open", "aa": f"{CANARY}-e"}),
        "x_deep.[1].[0]": ("x_deep", [["open"], [f"{CANARY}-f", "open"]]),
        "x_list": ("x_list", [f"{CANARY}-g", f"{CANARY}-h"]),
    }
    for n, ((selector, (name, value)), colour) in enumerate(
            itertools.product(parts.items(), ("amber", "amber+strict", "red"))):
        o = public(n, **{name: value})
        o["granular_markings"] = [{"marking_ref": TLP[colour], "selectors": [selector]}]
        assert place.users["home"].post("shared", [o]).json()["success_count"] == 1, selector
    for client in ("nisc", "docomo"):
        answer = place.users[client].get("collections/shared/objects/", **{"match[version]": "all"})
        assert CANARY not in answer.text
        assert len(answer.objects) == 3 * len(parts) + 1  # and the marking of copies
        for o in answer.objects:
            assert "granular_markings" not in o
    # A language is no way around: a marking by `lang` says no more than its language.
    o = public("lang", description=f"{CANARY}-lang")
    o["granular_markings"] = [{"lang": "ja", "selectors": ["description"]},
                              {"marking_ref": TLP["red"], "selectors": ["description"]}]
    place.users["home"].post("shared", [o])
    assert CANARY not in place.users["nisc"].get("collections/shared/objects/").text


def test_t10_what_is_hidden_and_what_is_not_there_are_one_answer(place):
    ids = [hidden(n)["id"] for n in range(3)]
    for i in ids:
        place.users["home"].post("shared", [hidden(id=i)])
    place.users["home"].post("shared", [public()])
    nothing = [indicator()["id"] for _ in ids]
    for org, collection in itertools.product(("nisc", "docomo"), ("shared", place.shared)):
        client = place.users[org]
        for path in ("objects/{}/", "objects/{}/versions/", "objects/?match[id]={}",
                     "manifest/?match[id]={}", "objects/{}/?match[version]=all",
                     "objects/{}/versions/?limit=1", "objects/{}/?added_after=2020-01-01T00:00:00Z"):
            said = {repr(told(client, f"/api/collections/{collection}/{path.format(i)}"))
                    .replace(i, "ID") for i in ids + nothing}
            assert len(said) == 1, (org, path, said)
        said = {repr(told(client, f"/api/collections/{collection}/objects/{i}/", "DELETE"))
                for i in ids + nothing}
        assert len(said) == 1, said
    # A collection is no oracle either.
    said = {repr(told(place.users["nisc"], f"/api/collections/{c}/objects/"))
            for c in ("nothing", "00000000-0000-4000-8000-000000000000", "SHARED")}
    assert len(said) == 1


def test_t11_nothing_of_the_hidden_side_of_a_graph(place):
    g = graph()
    objects = [o for pair in itertools.zip_longest(g["unseen"], g["seen"]) for o in pair if o]
    for _ in range(2):  # whatever comes first
        assert place.users["home"].post("shared", objects).json()["failure_count"] == 0
        objects.reverse()
    bodies = b"".join(pages(place.users["nisc"], "shared") + pages(
        place.users["nisc"], "shared", "manifest"))
    for path in routes("shared", [o["id"] for o in g["seen"]]):
        bodies += told(place.users["nisc"], path)[2]
    assert CANARY.encode() not in bodies
    for o in g["unseen"]:
        assert o["id"].encode() not in bodies, o
    seen = place.users["nisc"].get("collections/shared/objects/").objects
    assert sorted(o["type"] for o in seen) == [
        "indicator", "indicator", "marking-definition", "relationship", "report"]
    # What stands for a copy is the copy's id, everywhere.
    known = {o["id"] for o in seen}
    for o in seen:
        for ref in [*o.get("object_refs", []), *(o[k] for k in ("source_ref", "target_ref") if k in o)]:
            assert ref in known, (o, ref)


def test_t13_a_circle_that_one_is_not_in_has_no_name(place, tmp_path):
    """No byte that leaves for nisc, and none of the log, names the circle, its members' part in it,
    or what was released to them."""
    g = graph()
    home, nisc = place.users["home"], place.users["nisc"]
    home.post("shared", [*g["seen"], *g["unseen"]])
    home.post("shared", [hidden(9, id=NOWHERE.replace("0000-4", "0009-4"))])
    sent = []
    own = public("own", created_by_ref="identity--00000000-0000-4000-8000-00000000beef")
    for o in (public("x", labels=["exercise"]), public("y", labels=["held"]), own,
              {**own, "name": "other content"}, later(g["unseen"][0], "2026-03-01T00:00:00.000Z")):
        answer = nisc.post("shared", [o])
        for body in (answer.body, nisc.get(f"/api/status/{answer.json()['id']}/").body):
            sent.append(body.replace(o["id"].encode(), b"ID"))  # which it sent itself
        assert "canary-circle" not in answer.text and "except" not in answer.text, answer.text
        assert "acsc" not in answer.text and "released" not in answer.text, answer.text
    ids = [o["id"] for o in g["seen"] + g["unseen"]] + [NOWHERE]
    for path in routes("shared", []):
        sent.append(repr(told(nisc, path)).encode())
    for i in ids:  # an answer may repeat the id that it was asked for
        for path in ("objects/{}/", "objects/{}/versions/", "manifest/?match[id]={}"):
            sent.append(told(nisc, f"/api/collections/shared/{path.format(i)}")[2])
    sent += pages(nisc, "shared") + pages(nisc, "other")
    out = tmp_path / "export.json"
    export = setu("export", place.node.dir, "--format", "stix", "--for", "nisc", "-o", out,
                  status=None)
    sent += [export.stdout.encode(), out.read_bytes() if out.exists() else b""]
    text = b"\n".join(sent).decode()
    for word in ("canary-circle", f"{CANARY}-", "acsc", *(o["id"] for o in g["unseen"][:5])):
        assert word not in text, word
    log = place.node.log()
    assert CANARY not in log and "canary-circle" not in log


# ---- what fails open

@pytest.mark.parametrize("policy", [
    "",
    "# nothing but words\n",
    'nation IN "India" { agency home, second }\n',
    'nation IN "India" { agency home }\nnation JP "Japan" { agency nisc }\n'
    'release types malware to any\n',
    'nation IN "India" { agency home }\nrelease to any until 2020-01-01\n',
    'nation IN "India" { agency home }\nagreement old "Old" from 2010-01-01 until 2011-01-01\n'
    'release to any under old\n',
    'nation IN "India" { agency home }\nhold to any\n',
])
def test_t12_nothing_said_is_nothing_released(nodes, policy):
    p = Place(nodes(policy=policy)).serve()
    assert p.users["home"].post("shared", [public(), hidden()]).json()["failure_count"] == 0
    assert len(p.users["home"].all_ids("shared")) == 2
    for org in ("second", "nisc", "docomo", "acsc"):
        assert p.users[org].all_ids("shared") == []


@pytest.mark.parametrize("rule", [
    "release to nobody", "release to any except any", "release to agency of FR", "release to",
    "release to canary-circle", "release tlp:pink to any", "release to any except"])
def test_t12_a_policy_that_names_nobody_is_none(nodes, rule):
    n = nodes(policy='nation IN "India" { agency home }\n' + rule + "\n")
    assert "policy.conf" in setu("serve", n.dir, "--listen", "127.0.0.1:0", status=3).stderr


@pytest.mark.parametrize("damage", [
    "UPDATE audience SET text=''", "UPDATE audience SET text='*'", "UPDATE audience SET text='all'",
    "UPDATE audience SET text='+* '", "UPDATE audience SET text='+JP +JP'",
    "UPDATE audience SET text=NULLIF('x','y')", "DELETE FROM audience",
    "UPDATE release SET audience=0", "UPDATE release SET audience=99999"])
def test_t12_a_damaged_audience_is_nobody(nodes, damage):
    import sqlite3
    p = Place(nodes(policy=POLICY)).serve()
    p.users["home"].post("shared", [public()])
    assert len(p.users["nisc"].all_ids("shared")) == 1
    p.node.stop()
    db = sqlite3.connect(p.node.dir / "setu.db")
    db.execute(damage)
    db.commit()
    db.close()
    p.serve()
    for org in ("nisc", "docomo", "acsc", "home"):
        assert p.users[org].all_ids("shared") == [], org


def test_t14_a_field_that_is_left_out_or_wrong_opens_nothing(place):
    o = hidden(created_by_ref="identity--00000000-0000-4000-8000-00000000beef")
    red = json.dumps(TLP["red"])
    o["object_marking_refs"] = [TLP["red"]]
    o["granular_markings"] = [{"marking_ref": TLP["red"], "selectors": ["name"]}]
    wrong = ["null", "7", '""', "[]", "{}", '"x"', "true", '[null]', '[7]', '[[]]', '[{}]']
    cases = []
    for field in ("type", "spec_version", "id", "created", "modified", "object_marking_refs",
                  "granular_markings", "created_by_ref", "labels", "revoked", "pattern"):
        for value in [None, *wrong]:
            x = {**o, "id": indicator()["id"]}
            x.pop(field, None)
            text = json.dumps(x)
            cases.append(text if value is None else text[:-1] + f',"{field}":{value}}}')
        x = {"revoked": False, **o, "id": indicator()["id"]}
        again = json.dumps(x[field])
        cases += [json.dumps(x)[:-1] + f',"{field}":{again}}}',
                  f'{{"{field}":{again},' + json.dumps(x)[1:]]
    clear = json.dumps([TLP["clear"]])
    x = json.dumps({**o, "id": indicator()["id"]})
    cases += [x[:-1] + f',"object_marking_refs":{clear}}}', x[:-1] + f',"Object_Marking_Refs":{clear}}}',
              x.replace(red, red.upper()), x.replace(red, json.dumps(TLP["red"] + " ")),
              x.replace(red, red + "," + json.dumps(TLP["clear"])),
              x.replace("object_marking_refs", "object_marking_ref")]
    for text in cases:
        for body in (f'{{"objects":[{text}]}}',):
            answer = place.users["home"].request(
                "POST", "/api/collections/shared/objects/", body=body.encode())
            assert answer.status in (202, 400, 422), (text, answer.status, answer.text)
    for org in ("nisc", "docomo", "acsc", "second"):
        body = b"".join(pages(place.users[org], "shared"))
        assert CANARY.encode() not in body, org
    # Nor does a question that is asked twice, or of the wrong kind.
    place.users["home"].post("shared", [hidden(77)])
    for query in ("match[id]=&match[id]=x", "limit=1&limit=2", "next=&next=", "match[type]=",
                  "match[version]=all,last", "match[version]=all&match[version]=all",
                  "added_after=&added_after=", "added_after=null", "limit=-1", "limit=1e9",
                  "match[id][]=x", "match=all", "match[spec_version]="):
        answer = place.users["nisc"].request("GET", f"/api/collections/shared/objects/?{query}")
        assert answer.status in (200, 400) and CANARY not in answer.text, (query, answer.text)


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get",
           "PROPFIND", "DEBUG", "QUERY"]


def spellings(path):
    yield path
    yield path.rstrip("/")
    yield path + "/"
    yield path.replace("/", "//")
    yield path.replace("/objects", "/./objects")
    yield path.replace("/objects", "/x/../objects")
    yield path.replace("/objects", "%2fobjects")
    yield path.replace("objects", "%6fbjects").replace("manifest", "%6danifest")
    yield path.replace("objects", "OBJECTS").replace("manifest", "Manifest")
    yield path.replace("/api", "/API")
    yield path.replace("objects", "objects;x=1")
    yield path + "%00"
    yield path + "?_method=DELETE&method=DELETE&override=1"


def test_t15_other_methods_and_spellings_change_no_decision(place):
    secret, open_one = hidden(), public()
    place.users["home"].post("shared", [secret, open_one])
    before = place.node.rows()
    client = place.users["docomo"]
    paths = ["/taxii2/", "/api/", "/api/collections/", "/api/collections/shared/",
             "/api/collections/shared/manifest/", "/api/collections/shared/objects/",
             f"/api/collections/shared/objects/{secret['id']}/",
             f"/api/collections/shared/objects/{secret['id']}/versions/",
             f"/api/collections/shared/objects/{open_one['id']}/",
             "/api/status/00000000-0000-4000-8000-000000000000/"]
    override = {h: "DELETE" for h in ("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override")}
    for method, path in itertools.product(METHODS, paths):
        for spelling in dict.fromkeys(spellings(path)):
            body = b"{}" if method in ("POST", "PUT", "PATCH") else None
            try:
                answer = client.request(method, spelling, body=body, headers=override)
            except OSError:  # the library may close what is no request at all
                continue
            assert answer.status in (200, 400, 403, 404, 405, 406, 415), (
                method, spelling, answer.status)
            assert CANARY not in answer.text and secret["id"] not in answer.text.replace(
                spelling, ""), (method, spelling)
            if method not in ("GET", "HEAD"):
                assert answer.status >= 400, (method, spelling, answer.status)
    assert place.node.rows() == before


# ---- what acts on another's behalf

def test_t16_allowed_for_one_and_done_to_another(place):
    home, nisc, acsc = (place.users[o] for o in ("home", "nisc", "acsc"))
    mine, theirs, secret = public("nisc"), public("home"), hidden()
    nisc.post("shared", [mine])
    home.post("shared", [theirs, secret])
    home.post("other", [theirs])
    before = place.node.rows("release"), place.node.rows("object")
    # One's own id in the path, another's in the query; and the other way round.
    for path, query in ((mine, theirs), (theirs, mine), (mine, secret), (secret, mine)):
        answer = nisc.request("DELETE", f"/api/collections/shared/objects/{path['id']}/",
                              {"match[id]": query["id"]})
        assert answer.status in (400, 403, 404), answer.text
    # One's own in one collection, another's collection in the path.
    nisc.delete("other", mine["id"], status=404)
    nisc.delete("other", theirs["id"], status=403)
    assert (place.node.rows("release"), place.node.rows("object")) == before
    # Inside something that is allowed: another's object as a member, a copy, a later version.
    for o in (later(theirs, "2026-02-01T00:00:00.000Z"),
              later(theirs, "2026-02-01T00:00:00.000Z", revoked=True),
              later(secret, "2026-02-01T00:00:00.000Z")):
        status = nisc.post("shared", [public("ok"), o]).json()
        assert status["failure_count"] == 1 and status["success_count"] == 1, status
        nested = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001",
                  "objects": [o]}
        status = nisc.post("shared", [nested]).json()
        assert status["failure_count"] == 1
        body = json.dumps(nested).encode()
        status = nisc.request("POST", "/api/collections/shared/objects/", body=body).json()
        assert status["failure_count"] == 1 and status["success_count"] == 0, status
    # A status is its submitter's; a cursor is its collection's.
    status = home.post("shared", [hidden()]).json()
    for who in (nisc, acsc, place.users["second"]):
        error_of(who.get(f"/api/status/{status['id']}/", status=404), 404)
    for n in range(3):
        home.post("shared", [public(n)])
        home.post("other", [public(n)])
    cursor = nisc.get("collections/shared/objects/", limit=1).json()["next"]
    error_of(nisc.get("collections/other/objects/", status=400, next=cursor), 400)
    # The name of one and the token of another.
    tokens = place.tokens
    for name, token in (("u-home", tokens["nisc"]), ("u-nisc", tokens["home"]), ("admin", tokens["home"])):
        c = place.node.client(user=name, password=token)
        error_of(c.get("/api/collections/", status=401), 401)
    # In another's name.
    ours = {json.loads(x)["org"]: json.loads(x)["identity"]
            for x in place.node.cli("user list", "--json").stdout.splitlines()}
    status = nisc.post("shared", [public("forged", created_by_ref=ours["home"])]).json()
    assert status["failure_count"] == 1, status
    status = nisc.post("shared", [public("forged", created_by_ref=ours["acsc"])]).json()
    assert "forged" not in acsc.get("collections/shared/objects/").text or status["success_count"]


NAMES = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User",
         "X-Forwarded-Email", "X-Forwarded-Groups", "X-Real-IP", "X-Remote-User", "Remote-User",
         "REMOTE_USER", "X-User", "X-Org", "X-Nation", "X-Role", "X-Admin", "X-Setu-User",
         "X-Setu-Org", "X-Setu-Nation", "X-Setu-Role", "X-Setu-Approved", "X-Setu-From-Partner",
         "X-Setu-Audience", "X-Client-Cert", "X-SSL-Client-Cert", "X-SSL-Client-Verify",
         "X-SSL-Client-S-DN", "SSL_CLIENT_CERT", "X-ARR-ClientCert", "Forwarded", "Via", "Origin",
         "Referer", "Cookie", "X-Original-URL", "X-Rewrite-URL", "X-Accel-Redirect", "X-Sendfile",
         "X-HTTP-Method-Override", "X-API-Key", "X-Auth-Token", "Proxy-Authorization", "From",
         "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last", "X-Correlation-Id", "Expect-CT",
         "If-None-Match", "If-Modified-Since", "If-Match", "Range", "TE", "Upgrade", "Prefer",
         "X-Sync", "X-Internal", "X-Debug", "X-Trace", "Max-Forwards", "Destination", "Depth"]
VALUES = ["admin", "u-home", "127.0.0.1", "home", "IN", "true", "1", "SUCCESS",
          "for=127.0.0.1;proto=https;host=localhost", "/api/collections/other/objects/"]


def test_t17_no_header_and_no_parameter_of_a_client_raises_it(place):
    o = hidden()
    place.users["home"].post("shared", [o, public()])
    client = place.users["docomo"]
    paths = ["/taxii2/", "/api/collections/", "/api/collections/shared/objects/",
             "/api/collections/shared/manifest/?match[version]=all",
             f"/api/collections/shared/objects/{o['id']}/"]
    for path in paths:
        plain = told(client, path)
        for name in NAMES:
            for value in VALUES:
                said = told(client, path, headers={name: value})
                assert said == plain, (path, name, value, said)
        if "objects/?" in path or path.endswith("objects/"):
            for p in ("user", "org", "nation", "role", "for", "as", "admin", "audience", "approved",
                      "from_partner", "sync", "all", "debug", "token", "x_setu_role"):
                join = "&" if "?" in path else "?"
                assert told(client, f"{path}{join}{p}=admin")[2] == plain[2], p
    # Who has no credentials gets none by them.
    nobody = place.node.client()
    plain = told(nobody, "/api/collections/")
    assert plain[0] == 401
    for name, value in itertools.product(NAMES, VALUES):
        assert told(nobody, "/api/collections/", headers={name: value}) == plain, (name, value)
    # A contributor from abroad stays that when it writes.
    for name in NAMES[:24]:
        answer = place.users["nisc"].request(
            "POST", "/api/collections/shared/objects/", headers={name: "admin"},
            body=json.dumps({"objects": [later(o, "2026-02-01T00:00:00.000Z")]}).encode())
        assert answer.json()["failure_count"] == 1, (name, answer.text)


# ---- what comes in poisoned

V4 = ["0.0.0.0/0", "0.0.0.0", "127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "10.1.2.3", "172.16.0.1",
      "172.16.0.0/12", "192.168.0.0/16", "192.168.1.1", "169.254.169.254", "100.64.0.1",
      "224.0.0.1", "240.0.0.1", "255.255.255.255", "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1",
      "9.9.9.9", "208.67.222.222", "0.0.0.0/1", "128.0.0.0/1", "198.18.0.1", "8.0.0.0/6"]
V6 = ["::/0", "::", "::1", "fe80::1", "fc00::1", "fd00::/8", "ff02::1", "2000::/3",
      "2001:4860:4860::8888", "2606:4700:4700::1111", "2620:fe::fe"]
DOMAINS = ["google.com", "com", "co.uk", "jp", "in", "gov.in", "go.jp", "localhost",
           "microsoft.com", "windowsupdate.com", "amazonaws.com", "a.root-servers.net", "apple.com",
           "facebook.com", "youtube.com", "wikipedia.org", "cloudflare.com", "net", "org"]
URLS = ["https://google.com/", "http://microsoft.com/", "http://127.0.0.1/", "http://10.0.0.1/",
        "http://8.8.8.8/", "https://com/"]
MD5 = ["d41d8cd98f00b204e9800998ecf8427e"]
SHA1 = ["da39a3ee5e6b4b0d3255bfef95601890afd80709"]
SHA256 = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]


def poison():
    for kind, path, values in (("ipv4-addr", "value", V4), ("ipv6-addr", "value", V6),
                               ("domain-name", "value", DOMAINS), ("url", "value", URLS),
                               ("file", "hashes.MD5", MD5), ("file", "hashes.'SHA-1'", SHA1),
                               ("file", "hashes.'SHA-256'", SHA256)):
        for v in values:
            yield f"[{kind}:{path} = '{v}']"
            yield f"[{kind}:{path} IN ('{v}')]"
            yield f"[{kind}:{path} = '{v}' OR domain-name:value = 'bad.example.net']"
    yield from ("[domain-name:value MATCHES '.*']", "[domain-name:value MATCHES '^.+$']",
                "[domain-name:value LIKE '%']", "[domain-name:value LIKE '%.com']",
                "[url:value MATCHES '.*']", "[url:value LIKE 'http%']",
                "[ipv4-addr:value ISSUBSET '0.0.0.0/0']", "[ipv6-addr:value ISSUBSET '::/0']",
                "[ipv4-addr:value ISSUPERSET '8.8.8.8/32']", "[domain-name:value LIKE '_%']",
                "[email-addr:value LIKE '%@gmail.com']", "[ipv4-addr:value LIKE '%']",
                "[ipv4-addr:value != '203.0.113.1']", "[domain-name:value NOT LIKE 'x']",
                "[domain-name:value > 'a']", "[EXISTS domain-name:value]",
                "[ipv4-addr:value NOT IN ('203.0.113.1')]", "[url:value >= '']",
                "[domain-name:value LIKE '%' AND domain-name:value LIKE '%o%']",
                "[ipv4-addr:value NOT ISSUBSET '203.0.113.0/24']",
                "[domain-name:value LIKE '%'] FOLLOWEDBY [domain-name:value LIKE '%']")


def test_t19_poisoned_indicators_reach_nobody(nodes, tmp_path):
    patterns = list(dict.fromkeys(poison()))
    assert len(patterns) >= 190
    n = nodes(policy=POLICY.replace("accept from JP\n",
                                    "quarantine from any if warninglist\naccept from JP\n"))
    p = Place(n).serve()
    passed = []
    for start in range(0, len(patterns), 50):
        some = [{**public(k), "pattern": x, "description": f"{CANARY}-poison"}
                for k, x in enumerate(patterns[start:start + 50])]
        status = p.users["nisc"].post("shared", some).json()
        held = {f["id"] for f in status.get("failures", [])
                if f.get("x_setu_status") in ("quarantined", "refused")}
        passed += [o["pattern"] for o in some if o["id"] not in held]
    assert passed == [], passed
    values = [{"type": "ipv4-addr", "spec_version": "2.1", "value": v, "x_note": f"{CANARY}-poison",
               "id": indicator()["id"].replace("indicator", "ipv4-addr")} for v in V4]
    status = p.users["nisc"].post("shared", values).json()
    assert status["success_count"] == 0, status
    good = public("good", pattern="[domain-name:value = 'c2.bad-actor.net']")
    p.users["nisc"].post("shared", [good])
    for org in p.users:
        body = b"".join(pages(p.users[org], "shared"))
        assert b"poison" not in body and good["id"].encode() in body, org
    for what in ("stix", "text"):
        out = setu("export", n.dir, "--format", what, status=None).stdout
        assert "8.8.8.8" not in out and "google" not in out, out[:500]
