"""What is not released costs as many instructions as what does not exist, and is answered with the
same bytes. Counted by callgrind, not by a clock."""
import json
import os
import random
import re
import subprocess
import uuid

import pytest

from setu_node import ROOT, SETU, indicator

COUNT = 1000
POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc, jpcert }
accept from JP
hold label "ask" to JP for 2 officers
release to IN
release tlp:green to nisc
release label "other" to jpcert
"""
# What a reader of nisc may not have, by what stands in the way of it.
HIDDEN = {
    "home's own": {"tlp": "amber"},
    "another reader's": {"tlp": "amber", "labels": ["other"]},
    "held": {"tlp": "green", "labels": ["ask"]},
}
PATHS = ["objects/{}/", "objects/{}/versions/", "objects/?match[id]={}",
         "objects/?match[id]={}&match[version]=all", "manifest/?match[id]={}"]
PROBE = os.path.join(os.path.dirname(SETU), "tests/exchange/probe")


def sanitized():
    with open(SETU, "rb") as f:
        text = f.read()
    return b"__asan_init" in text or b"__tsan_init" in text


@pytest.fixture(scope="module")
def node(module_nodes):
    node = module_nodes(policy=POLICY)
    node.reader = node.user("reader", "reader", "nisc", "JP")
    node.at = node.collection("timing", marking="green")
    node.ids = {}
    everything = [indicator(n, tlp="green") for n in range(COUNT)]
    node.ids["released"] = [o["id"] for o in everything]
    for name, properties in HIDDEN.items():
        made = [indicator(n, **properties) for n in range(COUNT)]
        node.ids[name] = [o["id"] for o in made]
        everything += made
    random.Random(4).shuffle(everything)
    lines = node.dir.parent / "objects.jsonl"
    lines.write_text("".join(json.dumps(o) + "\n" for o in everything))
    node.imported(node.at, lines)
    return node


def ask(node, path, ids, counted=True):
    """The answers, with each id written as `ID`, and the instructions of all of them."""
    out = node.dir.parent / "callgrind.out"
    valgrind = ["valgrind", "--tool=callgrind", "--toggle-collect=probe_answer",
                f"--callgrind-out-file={out}"] if counted else []
    uris = "".join(f"/api/collections/{node.at}/{path.format(i)}\n" for i in ids)
    ran = subprocess.run([*valgrind, PROBE, node.dir, node.reader], input=uris, text=True,
                         capture_output=True, cwd=ROOT, timeout=600)
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers = ran.stdout.splitlines()
    assert len(answers) == len(ids)
    count = counted and int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])
    return [a.replace(i, "ID") for a, i in zip(answers, ids)], count


@pytest.mark.parametrize("path", PATHS)
def test_hidden_costs_what_missing_costs(node, path):
    if sanitized():
        pytest.skip("valgrind cannot run what a sanitizer has changed; the plain build is counted")
    missing = [f"indicator--{uuid.uuid4()}" for _ in range(COUNT)]
    said, limit = ask(node, path, missing)
    assert len(set(said)) == 1
    for name in HIDDEN:
        answers, count = ask(node, path, node.ids[name])
        assert answers == said, name
        assert abs(count / limit - 1) < 0.01, (name, count / COUNT, limit / COUNT)


def test_released_is_answered_otherwise(node):
    """What is counted above are real look-ups: the same ones find what is released."""
    for path in PATHS:
        answers, _ = ask(node, path, node.ids["released"], counted=False)
        assert all(a.startswith("200 ") and ("ID" in a or "2026-01-01" in a) for a in answers), path
