"""The first use that README.md tells, command by command, with this machine's places in it."""
import json
import re
import shlex
import subprocess

import pytest

from setu_node import ROOT, SETU, setu


class Server:
    """The `setu serve` of the text, started again after the policy was edited."""

    def __init__(self, words):
        self.words, self.process = words, None

    def start(self):
        self.stop()
        self.process = subprocess.Popen([SETU, *self.words[1:]], cwd=ROOT, stdout=subprocess.PIPE)
        return json.loads(self.process.stdout.readline())["url"]

    def stop(self):
        if self.process:
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
              "/var/log/suricata/eve.json": ROOT / "examples/logs/eve.json"}
    try:
        for block in re.findall(r"(?:^    .*\n)+", text, re.M):
            for there, here in places.items():
                block = block.replace(there, str(here))
            if "release" in block:
                with open(india / "policy.conf", "a") as policy:
                    policy.write(block)
                places["https://127.0.0.1:6443"] = server.start()
                continue
            for words in map(shlex.split, block.replace("\\\n", " ").splitlines()):
                if words[1] == "serve":
                    server = Server(words)
                    server.start()
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
    finally:
        if server:
            server.stop()
    # The last command detected something and told of it.
    assert json.loads(ran.stdout.splitlines()[0])["indicator"] and " 0 refused" in ran.stderr
    assert '"sighting"' in setu("export", india).stdout
    # Japan gets a part of the case.
    assert 10 < len(json.loads(setu("export", india, "--for", "nisc").stdout)["objects"]) < 62
