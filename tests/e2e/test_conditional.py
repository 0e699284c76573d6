"""Pages that are kept: tags (RFC 9110 §8.8.3, §13.1.2), codings (§8.4.1, §12.5.3), and that nothing
that was taken back is ever given out again."""
import gzip
import json
import re
import subprocess
import threading

import pytest

from setu_node import error_of, indicator, later

TAG = re.compile(r'"[A-Za-z0-9_-]{22}(-gzip|-zstd)?"')
POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc, jpcert }
accept from JP
release to IN
release tlp:green to JP
"""


@pytest.fixture
def node(nodes):
    node = nodes(policy=POLICY)
    node.c = node.collection("pages", marking="green")
    node.objects = [indicator(n, description=f"{n} " + 40 * "said again and again ")
                    for n in range(30)]
    node.start()
    node.admin.post(node.c, node.objects)
    node.token = node.user("reader", "reader", "nisc", "JP")
    node.reader = node.client(node.token)
    return node


def page(client, node, path="objects/", status=200, tag=None, coding=None, **params):
    headers = {"If-None-Match": tag, "Accept-Encoding": coding}
    return client.get(f"collections/{node.c}/{path}", status=status, headers=headers, **params)


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout


PATHS = [("objects/", {}), ("objects/", {"limit": 7}), ("objects/", {"match[type]": "indicator"}),
         ("objects/", {"match[version]": "all", "added_after": "2020-01-01T00:00:00Z"}),
         ("manifest/", {}), ("manifest/", {"limit": 7})]


@pytest.mark.parametrize("path,params", PATHS)
def test_not_modified(node, path, params):
    first = page(node.reader, node, path, **params)
    tag = first.headers["ETag"]
    assert TAG.fullmatch(tag) and first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Vary"] == "Accept-Encoding"
    for sent in (tag, "W/" + tag, f'"other", {tag}', "*"):
        again = page(node.reader, node, path, 304, sent, **params)
        assert again.body == b"" and again.headers["ETag"] == tag
        assert again.headers["Vary"] == "Accept-Encoding"
    other = page(node.reader, node, path, 200, '"other"', **params)
    assert (other.body, other.headers["ETag"]) == (first.body, tag)
    head = node.reader.request("HEAD", f"collections/{node.c}/{path}", params, status=200)
    assert head.body == b"" and head.headers["ETag"] == tag
    head = node.reader.request("HEAD", f"collections/{node.c}/{path}", params,
                               headers={"If-None-Match": tag}, status=304)


def test_one_object_and_versions(node):
    one = node.objects[4]
    for path in (f"objects/{one['id']}/", f"objects/{one['id']}/versions/"):
        tag = page(node.reader, node, path).headers["ETag"]
        page(node.reader, node, path, 304, tag)
        node.admin.post(node.c, [later(one, "2027-01-01T00:00:00.000Z" if "versions" in path else
                                       "2026-12-01T00:00:00.000Z")])
        changed = page(node.reader, node, path, 200, tag)
        assert changed.headers["ETag"] != tag
    node.admin.delete(node.c, one["id"], **{"match[version]": "all"})
    error_of(page(node.reader, node, path, 404, "*"), 404)


def test_tags_differ_where_bytes_do(node):
    """By query, by what is on the page, by coding; they are the same for who sees the same, after
    a restart too."""
    tags = {}
    for path, params in PATHS + [("objects/", {"limit": n}) for n in range(1, 40)]:
        for coding in (None, "gzip", "zstd"):
            answer = page(node.reader, node, path, coding=coding, **params)
            tags.setdefault(answer.headers["ETag"], set()).add(answer.body)
    assert all(len(bodies) == 1 for bodies in tags.values())
    other = node.client(node.user("other", "reader", "jpcert", "JP"))
    tag = page(node.reader, node, limit=3).headers["ETag"]
    page(other, node, "objects/", 304, tag, limit=3)
    node.stop()
    node.start()
    page(node.client(node.token), node, "objects/", 304, tag, limit=3)


@pytest.mark.parametrize("path,params", PATHS)
def test_codings(node, path, params):
    plain = page(node.reader, node, path, **params)
    assert "Content-Encoding" not in plain.headers
    rows = [("gzip", "gzip", gzip.decompress), ("gzip, deflate, br", "gzip", gzip.decompress),
            ("gzip, zstd", "zstd", unzstd), ("gzip;q=0, *", None, bytes),
            ("identity", None, bytes), ("br", None, bytes)]
    for _ in range(2):  # made, and given out again
        for sent, coding, decode in rows:
            answer = page(node.reader, node, path, coding=sent, **params)
            assert answer.headers["Content-Encoding"] == coding, sent
            assert decode(answer.body) == plain.body
            assert answer.headers["X-TAXII-Date-Added-Last"] == \
                plain.headers["X-TAXII-Date-Added-Last"]
            assert len(answer.body) < len(plain.body) / 3 or coding is None
            # A tag names these very bytes.
            assert (answer.headers["ETag"] == plain.headers["ETag"]) == (coding is None)
            page(node.reader, node, path, 304, answer.headers["ETag"], coding=sent, **params)
            if coding:
                page(node.reader, node, path, 200, plain.headers["ETag"], coding=sent, **params)


def test_small_answers_and_errors_are_not_coded(node):
    small = page(node.reader, node, coding="gzip", **{"match[type]": "tool"})
    assert small.json() == {} and "Content-Encoding" not in small.headers
    missing = page(node.reader, node, "objects/indicator--none/", 404, coding="gzip")
    assert "Content-Encoding" not in missing.headers and error_of(missing, 404)


def test_what_is_too_large_to_keep_is_not_coded(node):
    """Else a reader could have the same page compressed again and again."""
    large = [indicator(n, description=900_000 * "x") for n in range(8)]
    node.admin.post(node.c, large)
    for limit, coding in ((36, "gzip"), (1000, None)):  # six of them and all
        answer = page(node.reader, node, coding="gzip", limit=limit)
        assert answer.headers["Content-Encoding"] == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        body = gzip.decompress(answer.body) if coding else answer.body
        assert [o["id"] for o in json.loads(body)["objects"]] == \
            [o["id"] for o in node.objects + large][:limit]


def test_changes_show_at_once(node):
    """Each change is on the next page of who may see it, and on no other's."""
    def pages(client):
        return {n: page(client, node, limit=n) for n in (5, 1000)}

    before, home = pages(node.reader), pages(node.admin)
    node.admin.post(node.c, [indicator("hidden", tlp="amber")])
    after = pages(node.reader)
    assert {n: (p.body, p.headers["ETag"]) for n, p in after.items()} == \
        {n: (p.body, p.headers["ETag"]) for n, p in before.items()}
    assert pages(node.admin)[5].headers["ETag"] == home[5].headers["ETag"]
    assert pages(node.admin)[1000].headers["ETag"] != home[1000].headers["ETag"]
    node.admin.post(node.c, [later(node.objects[2], "2027-01-01T00:00:00.000Z")])
    after = pages(node.reader)
    ids = [o["id"] for o in node.objects]
    assert after[5].ids() == ids[:2] + ids[3:6]
    assert after[1000].ids() == ids[:2] + ids[3:] + [ids[2]]
    # By another process.
    (node.dir / "new.conf").write_text(POLICY.replace("release tlp:green to JP", ""))
    node.cli("policy apply", node.dir / "new.conf")
    assert all(p.json() == {} for p in pages(node.reader).values())


def test_withdrawn_is_never_read_again(node):
    """Readers without pause; what was taken back before a request began is not in its answer."""
    gone, wrong, read, over = [], [], [0], threading.Event()
    clients = [node.client(node.token) for _ in range(4)]

    def read_on(client, params):
        while not over.is_set():
            taken = set(gone)
            answer = page(client, node, **params)
            body = gzip.decompress(answer.body) if answer.headers["Content-Encoding"] else answer.body
            if taken & {o["id"] for o in json.loads(body).get("objects", [])}:
                wrong.append(params)
            read[0] += 1

    ways = [{"limit": 5}, {"coding": "gzip"}, {"limit": 7, "match[type]": "indicator"},
            {"match[version]": "all"}]
    threads = [threading.Thread(target=read_on, args=w) for w in zip(clients, ways)]
    for t in threads:
        t.start()
    for o in node.objects[:25]:
        node.admin.delete(node.c, o["id"])
        gone.append(o["id"])
    over.set()
    for t in threads:
        t.join()
    assert not wrong and read[0] > 25
