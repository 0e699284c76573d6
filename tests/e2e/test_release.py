"""What each reader sees: two nations, every colour of TLP, labels, granular markings. The expected
sets come from a reading of the policy in Python; every endpoint must show them and nothing else."""
import itertools
import json

import pytest

from setu_node import TLP, assert_same, error_of, indicator, later, raw_objects, setu

POLICY = """
nation IN "India" { agency home, second   operator telco }
nation JP "Japan" { agency nisc, jpcert   operator docomo }
nation AU "Australia" { agency acsc }

accept from JP types indicator, malware

deny label "national-only" to any except IN
deny tlp:green types malware to docomo        # beats the release of green below

release to IN
release tlp:clear to any
release tlp:green to JP
release tlp:amber types indicator to agency of JP
"""

# name: (organisation, nation); agencies, operators, organisations and nations the policy omits.
READERS = {
    "home": ("home", "IN"), "second": ("second", "IN"), "telco": ("telco", "IN"),
    "new-in": ("new-in", "IN"), "nisc": ("nisc", "JP"), "jpcert": ("jpcert", "JP"),
    "docomo": ("docomo", "JP"), "new-jp": ("new-jp", "JP"), "acsc": ("acsc", "AU"),
    "anssi": ("anssi", "FR"), "false-home": ("home", "JP"), "false-nisc": ("nisc", "FR"),
}
SUBMITTERS = ["home", "telco", "nisc"]
COLOURS = [None, "clear", "green", "amber", "amber+strict", "red"]
TLP1 = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
ORDER = ["clear", "green", "amber", "amber+strict", "red"]
NOWHERE = "indicator--00000000-0000-4000-8000-000000000000"


def reads(reader, submitter, default, o):
    """The policy above and the floors, as docs/POLICY.md tells them."""
    org, nation = READERS[reader]
    source = READERS[submitter]
    if (org, nation) == source:
        return True
    marks = set(o.get("object_marking_refs", []))
    colours = [c for c in ORDER if marks & {TLP[c], TLP1.get(c)}]
    tlp = colours[-1] if colours else default
    if tlp in ("red", "amber+strict"):
        return False
    if tlp == "amber" and source[1] != "IN" and nation not in ("IN", source[1]):
        return False
    if "national-only" in o.get("labels", []) and nation != "IN":
        return False
    if (org, nation) == ("docomo", "JP") and tlp == "green" and o["type"] == "malware":
        return False
    if nation == "IN" or tlp == "clear":
        return True
    if nation == "JP" and tlp == "green":
        return True
    return tlp == "amber" and o["type"] == "indicator" and (org, nation) in (
        ("nisc", "JP"), ("jpcert", "JP"))


def malware(**properties):
    o = indicator("malware")
    o = {k: o[k] for k in ("spec_version", "created", "modified", "name", "object_marking_refs")
         if k in o}
    return {"type": "malware", "is_family": False, **o,
            "id": indicator()["id"].replace("indicator", "malware"), **properties}


def make_objects():
    out = []
    for make, tlp, labels in itertools.product((indicator, malware), COLOURS,
                                               ([], ["x"], ["x", "national-only"])):
        more = {"labels": labels} if labels else {}
        if tlp:
            more["object_marking_refs"] = [TLP[tlp]]
        out.append(make(**more))
    out += [indicator(object_marking_refs=[i]) for i in TLP1.values()]
    # Milder parts open nothing, and whoever gets the whole may have them: see test_redaction.py for
    # those that divide the readers.
    for below, wholes in (("clear", (None, "clear", "amber")), ("green", (None, "amber"))):
        for whole in wholes:
            more = {"object_marking_refs": [TLP[whole]]} if whole else {}
            out.append(indicator(**more, granular_markings=[
                {"marking_ref": TLP[below], "selectors": ["name"]}]))
    # Two colours: the stricter one counts.
    out.append(indicator(object_marking_refs=[TLP["clear"], TLP["red"]]))
    out.append(indicator(object_marking_refs=[TLP1["green"], TLP["clear"]]))
    return out


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("release", policy=POLICY)
    n.tokens = {r: n.user(f"user-{r}", "contributor", *READERS[r]) for r in READERS}
    n.defaults = {"green": n.collection("Green", "green-default"),
                  "amber": n.collection("Amber", "amber-default", marking="amber")}
    n.start()
    n.rows_of = {d: [] for d in n.defaults}  # (submitter, object) in order
    for default, collection in n.defaults.items():
        for submitter in SUBMITTERS:
            objects = make_objects()
            status = n.client(n.tokens[submitter]).post(collection, objects).json()
            assert status["success_count"] == len(objects), status.get("failures", [])[:3]
            n.rows_of[default] += [(submitter, o) for o in objects]
    return n


def expected(node, default, reader):
    return [o for s, o in node.rows_of[default] if reads(reader, s, default, o)]


def test_the_expected_sets_differ(node):
    """The model says something about everyone, and not the same of all."""
    sizes = {r: len(expected(node, "green", r)) for r in READERS}
    total = len(node.rows_of["green"])
    assert all(0 < s < total for s in sizes.values())
    assert sizes["anssi"] == sizes["acsc"] == sizes["false-nisc"] < sizes["docomo"] \
        < sizes["new-jp"] == sizes["false-home"] < sizes["jpcert"] < sizes["nisc"] < sizes["home"]
    assert sizes["second"] == sizes["new-in"] < sizes["home"] == sizes["telco"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("default", ["green", "amber"])
def test_lists(node, reader, default):
    client, collection = node.client(node.tokens[reader]), node.defaults[default]
    want = expected(node, default, reader)
    ids = [o["id"] for o in want]
    base = f"collections/{collection}"
    assert_same(raw_objects(client.get(f"{base}/objects/").text), [json.dumps(o) for o in want])
    assert_same(client.get(f"{base}/manifest/").ids(), ids)
    # Pages of one: as many pages as objects, and the last one says that it is the last.
    for what in ("objects", "manifest"):
        pages = list(client.pages(collection, what, limit=1))
        assert_same([p.ids() for p in pages], [[i] for i in ids])
    dates = [m["date_added"] for m in client.get(f"{base}/manifest/").objects]
    middle = len(want) // 2
    assert client.get(f"{base}/objects/", added_after=dates[middle]).ids() == ids[middle + 1:]
    for wanted_type in ("indicator", "malware"):
        assert client.get(f"{base}/objects/", **{"match[type]": wanted_type}).ids() == [
            o["id"] for o in want if o["type"] == wanted_type]
    for versions in ("all", "first", "last,first", "2026-01-01T00:00:00Z"):
        for what in ("objects", "manifest"):
            assert client.get(f"{base}/{what}/", **{"match[version]": versions}).ids() == ids
    every = ",".join(o["id"] for _, o in node.rows_of[default])
    for what in ("objects", "manifest"):
        assert client.get(f"{base}/{what}/", **{"match[id]": every}).ids() == ids


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("default", ["green", "amber"])
def test_single_objects(node, reader, default):
    """What is not released cannot be told from what does not exist, down to the last byte."""
    client, base = node.client(node.tokens[reader]), f"collections/{node.defaults[default]}/objects"

    def bytes_of(answer):
        headers = [(k, v) for k, v in answer.headers.items() if k != "Date"]
        return answer.status, headers, answer.body

    absent = {what: bytes_of(client.request("GET", f"{base}/{NOWHERE}/{what}"))
              for what in ("", "versions/")}
    absent["DELETE"] = bytes_of(client.delete(node.defaults[default], NOWHERE, status=None))
    assert all(a[0] == 404 for a in absent.values())
    seen = {o["id"] for o in expected(node, default, reader)}
    for _, o in node.rows_of[default]:
        for what in ("", "versions/"):
            answer = client.request("GET", f"{base}/{o['id']}/{what}")
            if o["id"] in seen:
                assert answer.status == 200
                assert answer.json() == ({"versions": [o["modified"]]} if what else
                                         {"objects": [o]})
            else:
                assert bytes_of(answer) == absent[what]
        if o["id"] not in seen:
            answer = client.delete(node.defaults[default], o["id"], status=None)
            assert bytes_of(answer) == absent["DELETE"]
            one = {"match[id]": o["id"], "match[version]": "all"}
            assert client.get(f"{base}/", **one).json() == {}
    # Nothing was deleted on the way.
    assert_same(client.all_ids(node.defaults[default]),
                [o["id"] for o in expected(node, default, reader)])


@pytest.mark.parametrize("reader", ["home", "telco", "docomo", "anssi"])
def test_export_is_the_same_gate(node, reader):
    words = [] if reader == "home" else ["--for", f"user-{reader}"]
    for default in ("green", "amber"):
        out = node.cli("export", "--collection", f"{default}-default", *words).stdout
        want = expected(node, default, reader)
        assert_same(raw_objects(out), [json.dumps(o) for o in want])


@pytest.mark.parametrize("reader", ["telco", "docomo", "anssi"])
def test_export_of_a_server_is_what_its_user_reads(node, reader, tmp_path):
    (tmp_path / "token").write_text(node.tokens[reader] + "\n")
    words = ["--ca", node.ca, "--token-file", tmp_path / "token"]
    want = [json.dumps(o) for o in expected(node, "green", reader)]
    for place in ([node.url, "--collection", "green-default"],
                  [f"{node.url}/api/collections/{node.defaults['green']}/"]):
        out = setu("export", *place, *words).stdout
        assert json.loads(out)["type"] == "bundle"
        assert_same(raw_objects(out), want)
    failed = setu("export", node.url, "--collection", "none", *words, status=1)
    assert "none" in failed.stderr and failed.stdout == ""
    (tmp_path / "token").write_text("wrong")
    failed = setu("export", *place, *words, status=3)
    assert "401" in failed.stderr and failed.stdout == ""


def test_explain_is_the_same_gate(node):
    by_org = {"telco": "telco", "nisc": "nisc", "docomo": "docomo", "acsc": "acsc"}
    rows = node.rows_of["green"]
    for n, (submitter, o) in enumerate(rows):
        if n % 9:
            continue
        for reader, org in by_org.items():
            out = json.loads(node.cli("policy explain", o["id"], "--for", org, "--json",
                                      status=None).stdout)
            want = "release" if reads(reader, submitter, "green", o) else "deny"
            assert out["decision"] == want, (submitter, reader, o, out)


def test_explain_is_one_line_whatever_the_objects_bytes(nodes, tmp_path):
    node = nodes("pretty")
    node.collection("Shared", "shared")
    o, pretty = indicator(1), tmp_path / "pretty.json"
    pretty.write_text(json.dumps(o, indent=2).replace("\n", "\r\n"))
    node.imported("shared", pretty)
    said = node.cli("policy explain", o["id"], "--for", "home", "--json").stdout
    assert len(said.splitlines()) == 1 and json.loads(said)["copy"] == o


def test_a_foreign_next_opens_nothing(node):
    """A cursor is a place in the collection, not a right to read it."""
    collection = node.defaults["green"]
    path = f"collections/{collection}/objects/"
    given = node.client(node.tokens["home"]).get(path, limit=3).json()["next"]
    reader = node.client(node.tokens["anssi"])
    want = [o["id"] for o in expected(node, "green", "anssi")]
    listed = reader.get(path, next=given).ids()
    assert listed == want[-len(listed):] and set(listed) <= set(want)


# ---- versions with different markings

@pytest.fixture
def collection(node, request):
    return node.collection(request.node.name)


@pytest.mark.parametrize("colours", list(itertools.permutations(["clear", "green", "amber", "red"], 3)),
                         ids="-".join)
def test_versions_of_different_colours(node, colours):
    """Each reader has its own history: first, last and all are those of what it may see."""
    collection = node.collection("versions " + "-".join(colours))
    first = indicator("versions")
    history = [later(first, f"2026-0{n + 1}-01T00:00:00.000Z", object_marking_refs=[TLP[c]])
               for n, c in enumerate(colours)]
    node.client(node.tokens["home"]).post(collection, history)
    for reader in READERS:
        client = node.client(node.tokens[reader])
        seen = [o for o in history if reads(reader, "home", "green", o)]
        base = f"collections/{collection}"
        path = f"{base}/objects/{first['id']}/"
        if not seen:
            error_of(client.request("GET", path), 404)
            error_of(client.request("GET", f"{path}versions/"), 404)
            assert client.get(f"{base}/objects/", **{"match[version]": "all"}).json() == {}
            continue
        for query, want in ((None, seen[-1:]), ("last", seen[-1:]), ("first", seen[:1]),
                            ("all", seen), (history[1]["modified"], [o for o in seen
                                                                    if o == history[1]])):
            params = {"match[version]": query} if query else {}
            assert client.get(path, **params).objects == want
            assert client.get(f"{base}/objects/", **params).objects == want
            assert [m["version"] for m in client.get(f"{base}/manifest/", **params).objects] == [
                o["modified"] for o in want]
        assert client.get(f"{path}versions/").json()["versions"] == [o["modified"] for o in seen]


# ---- arrivals

@pytest.mark.parametrize("source, o, accepted", [
    ("home", {"type": "tool"}, True), ("telco", {"type": "tool"}, True),
    ("nisc", {"type": "indicator"}, True), ("docomo", {"type": "malware"}, True),
    ("new-jp", {"type": "indicator"}, True), ("nisc", {"type": "tool"}, False),
    ("acsc", {"type": "indicator"}, False), ("anssi", {"type": "indicator"}, False),
    ("false-nisc", {"type": "indicator"}, False),
])
def test_arrivals(node, source, o, accepted):
    collection = node.collection(f"arrivals {source} {o['type']}")
    made = {"indicator": indicator, "malware": malware}.get(o["type"])
    if made:
        o = made()
    else:
        base = indicator("tool")
        o = {"type": "tool", "id": base["id"].replace("indicator", "tool"), "name": "tool",
             **{k: base[k] for k in ("spec_version", "created", "modified")}}
    before = node.rows()
    client = node.client(node.tokens[source])
    status = client.post(collection, [o]).json()
    assert (status["success_count"], status["failure_count"]) == ((1, 0) if accepted else (0, 1))
    if accepted:
        assert client.all_ids(collection) == [o["id"]]
        return
    assert status["failures"][0]["message"] and status["failures"][0]["x_setu_rule"]
    after = node.rows()
    assert after.pop("status") != before.pop("status")
    assert after == before, "a refused object left something behind"
    assert node.admin.all_ids(collection) == []


def test_sent_by_two(node, collection):
    """Whoever brings the very same object too may read it from then on; nobody else may."""
    o = indicator("both", tlp="red")
    home, nisc, jpcert = (node.client(node.tokens[r]) for r in ("home", "nisc", "jpcert"))
    home.post(collection, [o])
    assert nisc.all_ids(collection) == []
    assert nisc.post(collection, [o]).json()["success_count"] == 1
    assert nisc.all_ids(collection) == [o["id"]]
    assert home.all_ids(collection) == [o["id"]]
    assert jpcert.all_ids(collection) == []
    manifest = [node.client(node.tokens[r]).get(f"collections/{collection}/manifest/").objects[0]
                for r in ("home", "nisc")]
    assert manifest[0]["date_added"] < manifest[1]["date_added"]


def test_a_late_reader_sees_what_was_released_before(node, collection):
    """Organisations that are set up after an object came."""
    clear, green, red = (indicator(c, tlp=c) for c in ("clear", "green", "red"))
    node.client(node.tokens["home"]).post(collection, [clear, green, red])
    late_jp = node.client(node.user("late-jp", "reader", "late", "JP"))
    late_fr = node.client(node.user("late-fr", "reader", "late", "FR"))
    late_home = node.client(node.user("late-home", "reader", "home", "IN"))
    assert late_jp.all_ids(collection) == [clear["id"], green["id"]]
    assert late_fr.all_ids(collection) == [clear["id"]]
    assert late_home.all_ids(collection) == [clear["id"], green["id"], red["id"]]


def test_the_policy_that_init_writes(module_nodes):
    """At home all within the floors; abroad nothing, not even clear."""
    node = module_nodes("default-policy")
    collection = node.collection("Default")
    home, colleague = node.user("h"), node.user("c", "reader", "other", "IN")
    abroad = [node.user(f"abroad-{n}", "contributor", "nisc", n) for n in ("JP", "FR")]
    node.start()
    objects = [indicator(c, tlp=c) for c in COLOURS]
    node.client(home).post(collection, objects)
    assert node.client(home).all_ids(collection) == [o["id"] for o in objects]
    assert node.client(colleague).all_ids(collection) == [o["id"] for o in objects[:4]]
    for token in abroad:
        assert node.client(token).get(f"collections/{collection}/objects/").json() == {}
        status = node.client(token).post(collection, [indicator("in", tlp="clear")]).json()
        assert status["failure_count"] == 1
    node.stop()
