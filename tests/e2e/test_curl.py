"""curl, as people ask a TAXII server by hand and scripts do: what they type works as it stands."""
import json
import subprocess

import pytest

from setu_node import PATIENCE_S, TAXII, indicator

PASSWORD = "correct horse: battery"


@pytest.fixture(scope="module")
def node(module_nodes):
    n = module_nodes("curl")
    n.c = n.collection("Curl", "curl-alias")
    n.token = n.user("writer")
    n.user("by-password", password=PASSWORD)
    return n.start()


@pytest.fixture
def curl(node, tmp_path):
    def run(path, *words, sign_in=("--user", f"by-password:{PASSWORD}"), status=200, stdin=None):
        """Headers of the last answer as a dictionary, and its body."""
        head, body = tmp_path / "head", tmp_path / "body"
        body.write_bytes(b"")
        ran = subprocess.run(
            ["curl", "--silent", "--show-error", "--dump-header", head, "--output", body, "--cacert",
             node.ca, "--globoff", *sign_in, *words, node.url + path], input=stdin,
            capture_output=True, timeout=PATIENCE_S)
        assert ran.returncode == 0, ran.stderr
        first, *lines = head.read_text().strip().split("\n\n")[-1].split("\n")
        assert int(first.split(" ")[1]) == status, (first, body.read_bytes()[:500])
        return {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body.read_bytes()
    return run


def add(node, curl, objects, *words):
    said = () if any(w.startswith("Content-Type:") for w in words) else \
        ("--header", f"Content-Type: {TAXII}")
    return json.loads(curl(f"/api/collections/{node.c}/objects/", *said, "--data-binary", "@-", *words,
                           status=202,
                           stdin=json.dumps({"objects": objects}).encode())[1])


def test_from_discovery_to_deletion(node, curl):
    root = json.loads(curl("/taxii2/")[1])["default"]
    collections = json.loads(curl(f"{root}collections/")[1])["collections"]
    assert [c["id"] for c in collections] == [node.c]
    objects = [indicator(n) for n in range(5)]
    assert add(node, curl, objects)["success_count"] == 5
    path = f"{root}collections/curl-alias/objects/"
    headers, body = curl(f"{path}?limit=2&match[type]=indicator,malware")
    page = json.loads(body)
    assert headers["content-type"] == TAXII and page["objects"] == objects[:2]
    last = headers["x-taxii-date-added-last"]
    for way in (f"next={page['next']}", f"added_after={last}"):
        assert json.loads(curl(f"{path}?{way}")[1])["objects"] == objects[2:]
    one = f"{path}{objects[0]['id']}/"
    assert json.loads(curl(one)[1])["objects"] == objects[:1]
    assert json.loads(curl(f"{one}versions/")[1]) == {"versions": [objects[0]["modified"]]}
    assert curl(one, "--request", "DELETE")[1] == b""
    assert json.loads(curl(one, status=404)[1])["http_status"] == "404"
    for o in objects[1:]:
        curl(f"{path}{o['id']}/", "--request", "DELETE")
    assert json.loads(curl(path)[1]) == {}


@pytest.mark.parametrize("words", [
    (), ("--header", "Accept: application/taxii+json"), ("--header", f"Accept: {TAXII}"),
    ("--header", "Accept:"), ("--http1.0",), ("--compressed",), ("--tlsv1.2", "--tls-max", "1.2"),
    ("--tlsv1.3",), ("--user-agent", ""), ("--header", "Connection: close"), ("--get", "--data", "limit=5"),
    ("--get", "--data-urlencode", "match[type]=indicator")])
def test_options_that_change_nothing(node, curl, words):
    objects = [indicator(n, description="d" * 2000) for n in range(3)]
    add(node, curl, objects)
    path = f"/api/collections/{node.c}/objects/"
    assert json.loads(curl(path, *words)[1])["objects"] == objects
    for o in objects:
        curl(f"{path}{o['id']}/", "--request", "DELETE")


@pytest.mark.parametrize("words", [
    ("--header", "Expect: 100-continue"), ("--header", "Transfer-Encoding: chunked"), ("--http1.0",),
    ("--header", "Content-Type: application/taxii+json"), ("--header", "Accept:")])
def test_ways_to_send_a_body(node, curl, words):
    big = indicator("big", description="d" * 200000)
    assert add(node, curl, [big], *words)["success_count"] == 1
    curl(f"/api/collections/{node.c}/objects/{big['id']}/", "--request", "DELETE")


def test_ways_to_sign_in(node, curl):
    for how in (("--header", f"Authorization: Bearer {node.token}"), ("--user", f"writer:{node.token}"),
                ("--oauth2-bearer", node.token), ("--anyauth", "--user", f"writer:{node.token}")):
        assert json.loads(curl("/api/collections/", sign_in=how)[1])["collections"]
    assert "basic" in curl("/api/", sign_in=(), status=401)[0]["www-authenticate"].lower()


def test_head_and_what_is_not_allowed(node, curl):
    headers, _ = curl("/api/", "--head")
    assert int(headers["content-length"]) > 0
    headers, _ = curl("/api/", "--request", "OPTIONS", status=405)
    assert headers["allow"] == "GET, HEAD"
