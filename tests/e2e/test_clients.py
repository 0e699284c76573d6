"""The clients that people use, over HTTPS: taxii2-client and the TAXII stores of stix2."""
import json

import pytest
import requests
import stix2
from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server, Status, as_pages

from setu_node import TAXII, indicator, later

PASSWORD = "a pass:word with a colon, ä and 🛰"


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("clients")
    n.token = n.user("writer")
    n.user("with-password", "contributor", password=PASSWORD)
    return n.start()


@pytest.fixture
def collection(node, request):
    """taxii2client's collection, empty, for this test alone."""
    node.last = node.collection(request.node.name)
    return Collection(f"{node.url}/api/collections/{node.last}/", user="writer",
                      password=node.token, verify=node.ca)


def envelope(*objects):
    return {"objects": list(objects)}


def test_discovery(node):
    server = Server(f"{node.url}/taxii2/", user="writer", password=node.token, verify=node.ca)
    assert server.title == "Node"
    assert server.default is server.api_roots[0]
    assert server.default.url == f"{node.url}/api/"
    root = server.default
    assert root.title == "Node"
    assert TAXII in root.versions
    assert root.max_content_length > 0
    made = node.collection("Found by discovery", alias="found")
    root.refresh()
    found = [c for c in root.collections if c.id == made]
    assert [(c.title, c.alias, c.can_read, c.can_write) for c in found] == [
        ("Found by discovery", "found", True, True)]
    assert found[0].media_types == ["application/stix+json;version=2.1"]


@pytest.mark.parametrize("how", ["basic token", "basic password", "bearer", "Token"])
def test_ways_to_sign_in(node, how):
    session = requests.Session()
    if how == "Token":
        auth = {"auth": TokenAuth(node.token)}
    elif how == "bearer":
        class Bearer(requests.auth.AuthBase):
            def __call__(self, r):
                r.headers["Authorization"] = f"Bearer {node.token}"
                return r
        auth = {"auth": Bearer()}
    elif how == "basic password":
        # requests sends Latin-1 for str; RFC 7617 with charset="UTF-8" wants these bytes.
        auth = {"user": "with-password", "password": PASSWORD.encode()}
        auth["user"] = auth["user"].encode()
    else:
        auth = {"user": "writer", "password": node.token}
    root = ApiRoot(f"{node.url}/api/", verify=node.ca, **auth)
    assert root.title == "Node"
    session.close()


def test_add_then_read(node, collection):
    first = indicator("first")
    second = later(first, "2026-02-01T00:00:00.000Z", name="second version")
    status = collection.add_objects(envelope(first))
    assert (status.status, status.total_count, status.success_count) == ("complete", 1, 1)
    assert [(s["id"], s["version"]) for s in status.successes] == [(first["id"], first["modified"])]
    collection.add_objects(envelope(second))

    assert collection.get_objects()["objects"] == [second]
    assert collection.get_objects(version="all")["objects"] == [first, second]
    assert collection.get_object(first["id"])["objects"] == [second]
    assert collection.get_object(first["id"], version="first")["objects"] == [first]
    assert collection.object_versions(first["id"])["versions"] == [
        first["modified"], second["modified"]]
    manifest = collection.get_manifest(version="all")["objects"]
    assert [(m["id"], m["version"]) for m in manifest] == [
        (first["id"], first["modified"]), (first["id"], second["modified"])]
    assert manifest[0]["date_added"] < manifest[1]["date_added"]
    after = collection.get_objects(added_after=manifest[0]["date_added"])
    assert after["objects"] == [second]


def test_status_is_kept(node, collection):
    status = collection.add_objects(envelope(indicator(1), {**indicator(2), "pattern": 7}))
    assert (status.total_count, status.success_count, status.failure_count) == (2, 1, 1)
    assert status.failures[0]["message"]
    again = Status(f"{node.url}/api/status/{status.id}/", user="writer", password=node.token,
                   verify=node.ca)
    assert again._raw == status._raw
    assert again.custom_properties == {}


@pytest.mark.parametrize("what", ["objects", "manifest"])
@pytest.mark.parametrize("per_request", [1, 7, 50, 10000])
def test_as_pages(node, collection, what, per_request):
    objects = [indicator(n) for n in range(50)]
    collection.add_objects(envelope(*objects))
    get = collection.get_objects if what == "objects" else collection.get_manifest
    pages = list(as_pages(get, per_request=per_request))
    assert len(pages) == -(-50 // per_request)
    assert [o["id"] for p in pages for o in p["objects"]] == [o["id"] for o in objects]


def test_filters_and_deletion(node, collection):
    a, b = indicator("a"), indicator("b")
    name = {"type": "domain-name", "spec_version": "2.1", "value": "c2.example",
            "id": "domain-name--f00cd2f8-35ba-5d02-9e2c-6a33ecafa3f9"}
    collection.add_objects(envelope(a, b, name))
    assert collection.get_objects(type="domain-name")["objects"] == [name]
    assert collection.get_objects(type=["domain-name", "indicator"], id=[a["id"]])["objects"] == [a]
    assert collection.get_objects(spec_version="2.0") == {}
    collection.delete_object(a["id"])
    assert collection.get_objects()["objects"] == [b, name]
    with pytest.raises(requests.HTTPError) as caught:
        collection.get_object(a["id"])
    assert caught.value.response.status_code == 404


def test_empty_collection(node, collection):
    assert collection.get_objects() == {}
    assert collection.get_manifest() == {}
    assert list(as_pages(collection.get_objects, per_request=5)) == [{}]


def test_stix2_store(node, collection):
    store = stix2.TAXIICollectionStore(collection)
    malware = stix2.Malware(name="Example", is_family=False)
    seen = stix2.Indicator(name="Example", pattern="[ipv4-addr:value = '203.0.113.7']",
                           pattern_type="stix")
    link = stix2.Relationship(seen, "indicates", malware)
    store.add([malware, seen, link])
    store.sink.add(stix2.Bundle(stix2.IPv4Address(value="203.0.113.7")))
    revised = seen.new_version(name="Example, revised")
    store.add(revised)

    assert store.get(malware.id) == malware
    assert store.get(seen.id) == revised
    assert sorted(o.modified for o in store.all_versions(seen.id)) == [seen.modified,
                                                                        revised.modified]
    assert [o.id for o in store.query([stix2.Filter("type", "=", "relationship")])] == [link.id]
    assert {o.type for o in store.query()} == {"malware", "indicator", "relationship", "ipv4-addr"}
    assert [r.id for r in store.relationships(malware)] == [link.id]
    assert store.get("indicator--00000000-0000-4000-8000-000000000000") is None


def test_stix2_source_pages(node, collection):
    objects = [stix2.parse(json.dumps(indicator(n))) for n in range(30)]
    sink = stix2.TAXIICollectionSink(collection)
    sink.add(stix2.Bundle(*objects))
    source = stix2.TAXIICollectionSource(collection, items_per_page=4)
    assert sorted(o.id for o in source.query()) == sorted(o.id for o in objects)


def test_foreign_properties_and_types_come_back_whole(node, collection):
    odd = {**indicator("odd"), "x_acme_score": 1e2, "x_acme_text": "\u2028\U0001f6f0\"\\\t",
           "x_acme_deep": {"a": [{"b": [True, -0.0]}]}}
    own = {"type": "x-acme-thing", "spec_version": "2.1", "x_acme": {"n": 1},
           "id": "x-acme-thing--6ba0cf1a-5a36-4b5c-9b1a-3f9c7b2f6f10",
           "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}
    status = collection.add_objects(envelope(own, odd))
    assert status.failures == []
    assert collection.get_objects()["objects"] == [own, odd]
