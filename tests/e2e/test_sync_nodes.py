"""Two nodes: what one releases arrives at the other, once, and nothing else does."""
import json
import os
import subprocess

import pytest
from taxii_double import indicator

SETU = os.environ.get("SETU", "build/setu")
TLP = {"green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
       "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"}
NAMES = 'nation IN "India" { agency cert-in }\nnation JP "Japan" { agency jpcert }\n'


def setu(*args, status=0):
    ran = subprocess.run([SETU, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert ran.returncode == status, (args, ran.stdout, ran.stderr)
    return ran.stdout


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    home = tmp_path_factory.mktemp("nodes")
    india, japan = home / "in", home / "jp"
    setu("init", india, "--name", "CERT-In", "--nation", "IN", "--org", "cert-in")
    setu("init", japan, "--name", "JPCERT", "--nation", "JP", "--org", "jpcert")
    setu("collection", "add", india, "--title", "From Japan", "--alias", "japan")
    setu("collection", "add", japan, "--title", "For India", "--alias", "india")
    (india / "policy.conf").write_text(NAMES + "accept from JP\nrelease to IN\n")
    (japan / "policy.conf").write_text(NAMES + "release to JP\nrelease tlp:green to IN\n")
    setu("user", "add", japan, "certin", "--role", "peer", "--org", "cert-in", "--nation", "IN",
         "--cert", india / "tls/node.pem")
    server = subprocess.Popen([SETU, "serve", japan, "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, text=True)
    url = json.loads(server.stdout.readline())["url"]
    setu("peer", "add", india, "jpcert", "--url", url, "--nation", "JP", "--org", "jpcert",
         "--from", "india", "--into", "japan", "--ca", japan / "tls/ca.pem")
    yield india, japan
    server.terminate()
    assert server.wait(10) == 0


def publish(node, path, objects):
    path.write_text(json.dumps({"objects": objects}))
    setu("import", node, "--collection", "india", path)


def sync(node):
    return json.loads(setu("sync", node, "--json").splitlines()[-1])


def held(node):
    return {o["id"]: o for o in json.loads(setu("export", node)).get("objects", [])}


def test_what_is_released_arrives_once(nodes, tmp_path):
    india, japan = nodes
    green = [indicator(n, object_marking_refs=[TLP["green"]], x_note="ü 1.50")
             for n in range(1, 12001)]
    secret = [indicator(n, object_marking_refs=[TLP["red"]]) for n in range(20001, 20011)]
    publish(japan, tmp_path / "first.json", green[:6000] + secret + green[6000:])
    report = sync(india)
    assert (report["accepted"], report["refused"]) == (12000, 0) and report["pages"] >= 3
    assert held(india) == {o["id"]: o for o in green}
    again = sync(india)
    assert again["accepted"] == again["unchanged"] == 0

    newer = dict(green[0], modified="2026-06-01T00:00:00.000Z", name="revised")
    publish(japan, tmp_path / "second.json", [newer])
    assert sync(india)["accepted"] == 1
    assert held(india)[newer["id"]]["name"] == "revised"
