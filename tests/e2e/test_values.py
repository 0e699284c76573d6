"""Values that two readers of JSON may take for different ones: names that stand twice, numbers without end, text that is
none. What is taken is what Python's reader reads, bound to I-JSON (RFC 7493), and it is the same for whoever reads it next."""
import json
import re
from random import Random

import pytest

from setu_node import error_of, indicator, later

DEPTH = 64  # of nesting, LIMIT_JSON_DEPTH
ABOVE = 3  # the envelope, its list and the object


@pytest.fixture(scope="module")
def node(module_nodes):
    node = module_nodes()
    node.c = node.collection("Values", "values")
    node.start("--plain-http")
    return node


class NoIJson(ValueError):
    pass


def members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise NoIJson("a name stands twice")
    return dict(pairs)


def constant(word):
    raise NoIJson(word)


def look_at(value, depth):
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise NoIJson("too deep")
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            look_at(part, depth - 1)
    elif isinstance(value, str):
        value.encode()  # fails on a lone surrogate
    elif isinstance(value, (int, float)):
        try:
            if abs(float(value)) < float("inf"):
                return
        except OverflowError:
            pass
        raise NoIJson("beyond all doubles")


def reference(text):
    """The value of the bytes, by another reader; raises ValueError where they are no I-JSON, or no property's value."""
    value = json.loads(text.decode(), object_pairs_hook=members, parse_constant=constant)
    look_at(value, DEPTH - ABOVE)
    if value is None or value == []:
        raise NoIJson("a property has a value, and no list is empty (STIX 2.1 §2.7)")
    return value


def post(node, text):
    """An indicator with this text as the value of a property: (taken or not, its id)."""
    o = indicator("value", x_value=None)
    body = json.dumps({"objects": [o]}).encode().replace(b'"x_value": null', b'"x_value": ' + text)
    answer = node.admin.request("POST", "collections/values/objects/", body=body)
    if answer.status == 202:
        return answer.json()["success_count"] == 1, o
    error_of(answer, answer.status)
    assert answer.status in (400, 422), (text, answer.body)
    return False, o


def stored(node, o):
    return node.admin.get(f"collections/values/objects/{o['id']}/")


KNOWN = [b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"a":{"b":1,"b":2}}', b'[{"":1,"":1}]', b'{"a":1,"A":2}', b"1e400", b"-1e400",
         b"1e308", b"1e-400", b"-0", b"-0.0", b"01", b"+1", b"1.", b".1", b"1e", b"0x10", b"NaN", b"Infinity", b"-Infinity",
         b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"1" * 400,
         b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"', b'"\xff"',
         b'"\x00"', b'"\\u0000"', b'"\t"', b'"\\x41"', b'"\\/"', b"'a'", b"[1,]", b"[,1]", b"{a:1}", b'{"a":1,}', b"/**/1", b"1//",
         b"nul", b"nulll", b"True", b"[" * 61 + b"1" + b"]" * 61, b"[" * 62 + b"1" + b"]" * 62, b'"\xef\xbb\xbf"', b"\xef\xbb\xbf1", b"\x0c1", b"\xc2\xa01"]


def mutated(random):
    """A value of some depth, and often a byte of it changed, taken away, doubled."""
    def value(depth):
        kind = random.randrange(8 if depth else 6)
        if kind == 0:
            return random.choice(["0", "-1", "2.50", "1e3", "-0", "1E-7", "123456789012345678901"])
        if kind < 4:
            return json.dumps("".join(random.choice('ab"\\\n\u00e9\u0939\U0001f600') for _ in range(random.randrange(4))),
                              ensure_ascii=random.random() < .5)
        if kind < 6:
            return random.choice(["null", "true", "false"])
        parts = [value(depth - 1) for _ in range(random.randrange(4))]
        if kind == 6:
            return "[" + ",".join(parts) + "]"
        return "{" + ",".join(f'"{random.choice("abcdefgh")}":{p}' for p in parts) + "}"
    text = bytearray(value(4).encode())
    for _ in range(random.randrange(3)):
        at = random.randrange(len(text) or 1)
        what = random.randrange(3)
        if what == 0 and text:
            text[at] = random.choice(b'"\\{}[],:0e-.a\x00\x1f\x80\xc3\xed\xff ')
        elif what == 1:
            del text[at:at + 1]
        else:
            text[at:at] = text[at:at + 1 + random.randrange(4)]
    return bytes(text)


def closed_in_itself(text):
    """It cannot end the object around it: another member there would be another matter, and rightly taken."""
    return not re.search(rb'[,}\]]', text) or text[:1] in b'{["'


def agree(node, text):
    try:
        want, fine = reference(text), True
    except (ValueError, RecursionError):
        want, fine = None, False
    taken, o = post(node, text)
    assert taken == fine, (text, "was taken" if taken else "was refused")
    if not taken:
        assert stored_status(node, o) == 404
        return False
    got = node.admin.get(f"collections/values/objects/{o['id']}/").objects[0]["x_value"]
    assert json.dumps(got) == json.dumps(want), text  # types too: 1 is not 1.0 is not true
    # Whoever writes what was read anew, in another order and form, says the same: it is no other content.
    again = {**{k: o[k] for k in reversed(o)}, "x_value": want}
    status = node.admin.post("values", [json.dumps(again, ensure_ascii=False)]).json()
    assert status["success_count"] == 1, (text, status)
    return True


def stored_status(node, o):
    return node.admin.request("GET", f"collections/values/objects/{o['id']}/").status


@pytest.mark.parametrize("text", KNOWN, ids=[repr(t)[2:34] for t in KNOWN])
def test_t26_what_readers_take_differently(node, text):
    agree(node, text)


def test_t26_agrees_with_another_reader(node):
    random = Random(26)
    texts = [t for t in (mutated(random) for _ in range(1500)) if closed_in_itself(t)]
    taken = sum(agree(node, text) for text in texts)
    assert len(texts) / 4 < taken < len(texts) * 3 / 4  # else one side is not looked at


def test_t26_a_name_of_the_object_that_stands_twice(node):
    o = json.dumps(indicator("twice"))
    for name in ('"id"', '"type"', '"modified"', '"name"', '"object_marking_refs"'):
        text = o[:-1] + f', {name}: "x"' + (f', {name}: "y"}}' if name not in o else "}")
        answer = node.admin.request("POST", "collections/values/objects/", body=('{"objects":[' + text + "]}").encode())
        assert answer.status in (400, 422), (name, answer.body)
        assert "two members of this name" in error_of(answer, answer.status)["description"]


def test_t27_precision_survives(node):
    """A number keeps its text, and numbers that only doubles confuse are different content."""
    for text in (b"9007199254740993", b"1e308", b"0.1", b"1.0", b"5e-324", b"123456789.123456789", b"-0.0"):
        taken, o = post(node, text)
        assert taken
        assert b'"x_value": ' + text in stored(node, o).body, text


def test_t27_versions_are_instants(node):
    """However many digits say it, an instant is one version; the latest is the last by time, not by text."""
    o = indicator("instants", modified="2026-01-01T00:00:00.100Z")
    forms = ["2026-01-01T00:00:00.10Z", "2026-01-01T00:00:00.100000Z", "2026-01-01T00:00:00.1000000Z"]
    latest = later(o, "2026-01-01T00:00:00.1000010Z", name="latest")
    first = later(o, "2026-01-01T00:00:00.0999Z", name="first")
    for version in (o, latest, first):
        assert node.admin.post("values", [version]).json()["success_count"] == 1
    versions = node.admin.get(f"collections/values/objects/{o['id']}/versions/").json()["versions"]
    assert versions == [o["modified"], latest["modified"], first["modified"]]
    assert [x["name"] for x in stored(node, o).objects] == ["latest"]
    for form in forms:
        assert node.admin.post("values", [later(o, form)]).json()["success_count"] == 1, form
        status = node.admin.post("values", [later(o, form, name="other content")]).json()
        assert status["failure_count"] == 1, form
    assert node.admin.get(f"collections/values/objects/{o['id']}/versions/").json()["versions"] == versions
