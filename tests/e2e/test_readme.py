"""The first use that README.md tells, command by command, with this machine's places in it."""
import json
import re
import shlex
import shutil
import subprocess

import pytest

from setu_node import ROOT, SETU, setu


class Server:
    """The `setu serve` of the text."""

    def __init__(self, words):
        self.process = subprocess.Popen([SETU, *words[1:]], cwd=ROOT, stdout=subprocess.PIPE)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@pytest.fixture
def japan(nodes):
    node = nodes("japan", nation="JP", org="nisc")
    node.collection("Shared by Japan", "shared")
    return node.start()


def test_first_use(japan, tmp_path):
    text = (ROOT / "README.md").read_text()
    text = text[text.index("## First use"):text.index("## Where to read on")]
    india, token, tokens, server = tmp_path / "india", tmp_path / "token", {}, None
    places = {"/srv/setu": india, "0.0.0.0:6443": "127.0.0.1:0", "--every 5": "--once",
              "japan-node.pem": japan.dir / "tls/node.pem", "japan-ca.pem": japan.ca,
              "https://cti.nisc.example:6443": japan.url, "-file token": f"-file {token}",
              "meera.token": token, "new.conf": tmp_path / "new.conf",
              "/var/log/suricata/eve.json": ROOT / "examples/logs/eve.json"}
    try:
        for block in re.findall(r"(?:^    .*\n)+", text, re.M):
            for there, here in places.items():
                block = block.replace(there, str(here))
            if block.startswith("    nation"):
                with open(tmp_path / "new.conf", "a") as policy:
                    policy.write(block)
                continue
            for words in map(shlex.split, block.replace("\\\n", " ").splitlines()):
                if words[0] == "cp":
                    shutil.copy(*words[1:])
                elif words[1] == "serve":
                    server = Server(words)
                    places["https://127.0.0.1:6443"] = server.url
                elif words[0] == "curl":
                    words = [w.replace("$TOKEN", tokens["nciipc"]) for w in words]
                    ran = subprocess.run([*words, "-sS"], capture_output=True, text=True)
                    assert json.loads(ran.stdout)["api_roots"], ran
                elif words[1:3] == ["user", "add"] and "--cert" not in words:
                    tokens[words[4]] = json.loads(setu(*words[1:], "--json").stdout)["token"]
                    token.write_text(tokens[words[4]])
                else:
                    if words[1] == "sync":
                        japan.user("in", "peer", "cert-in", "IN", "--cert", india / "tls/node.pem")
                    ran = setu(*words[1:])
                    assert "explain" not in words or "national-only" in ran.stdout
                    assert "list" not in words or "incident--" in ran.stdout
                    assert "approve" not in words or "is approved." in ran.stdout
    finally:
        if server:
            server.stop()
    # The last command detected something and told of it.
    assert json.loads(ran.stdout.splitlines()[0])["indicator"] and " 0 refused" in ran.stderr
    assert '"sighting"' in setu("export", india).stdout
    # Japan gets a part of the case, and of what the officer approved a copy.
    objects = json.loads(setu("export", india, "--for", "nisc").stdout)["objects"]
    assert 10 < len(objects) < 65
    assert ["x_himadri_sites" in o for o in objects if o["type"] == "incident"] == [False]
