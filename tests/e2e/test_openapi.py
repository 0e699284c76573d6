"""docs/openapi-taxii.yaml is what a server answers: schemathesis makes requests of it, right and wrong
ones, and judges each answer by it."""
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

from setu_node import PATIENCE_S, ROOT, indicator, later

SEED = os.environ.get("SETU_TEST_SEED", str(time.time_ns() % 1000000))
CASES = 12  # of each kind and operation
SETTINGS = """
[generation]
# A parameter that we do not know counts for nothing, so one more is not wrong.
allow-extra-parameters = false
"""


def description(node, client):
    """The file, with what is there in this node where it says no more than what form it has."""
    page = yaml.safe_load((ROOT / "docs" / "openapi-taxii.yaml").read_text())
    objects = [indicator(n) for n in range(5)]
    objects.append(later(objects[0], "2026-01-02T00:00:00.120Z"))
    status = client.post(node.c, objects).json()
    following = client.get(f"collections/{node.c}/objects/", limit=2).json()["next"]
    values = {"collection": [node.c, "alias", "nowhere"],
              "object": [o["id"] for o in objects] + ["indicator--of-no-one"],
              "status": [status["id"], "00000000-0000-4000-8000-000000000000"],
              "next": [following], "wait": [0]}
    for name, some in values.items():
        page["components"]["parameters"][name]["schema"] = {"enum": some}
    return page


def test_the_server_is_as_it_is_described(nodes, tmp_path):
    print(f"SETU_TEST_SEED={SEED}")
    node = nodes("openapi")
    node.c = node.collection("C", "alias")
    token = node.user("writer")
    node.start()
    page = description(node, node.client(token))
    (tmp_path / "openapi.json").write_text(json.dumps(page))
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    ran = subprocess.run(
        [Path(sys.executable).parent / "st", "run", "openapi.json", "--url", node.url,
         "--tls-verify", node.ca, "--header", f"Authorization: Bearer {token}",
         "--max-examples", str(CASES), "--seed", SEED, "--continue-on-failure", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=10 * PATIENCE_S)
    told = ran.stdout[-20000:] + ran.stderr[-2000:]
    assert ran.returncode == 0, told
    operations = sum(len(set(path) & {"get", "post", "delete"}) for path in page["paths"].values())
    assert f"Tested: {operations}\n" in ran.stdout, told
    assert int(re.search(r"(\d+) generated", ran.stdout).group(1)) > 30 * operations, told
