"""The commands of docs/OPERATIONS.md, in their order, with this machine's places in them."""
import json
import re
import shlex
import subprocess

from setu_node import ROOT, indicator, setu
from test_readme import Server


def test_operations(nodes, tmp_path):
    text = (ROOT / "docs/OPERATIONS.md").read_text()
    japan = nodes("japan", nation="JP", org="nisc")
    japan.collection("Shared by Japan", "shared")
    japan.start()
    india, again = tmp_path / "india", tmp_path / "again"
    (tmp_path / "backup").mkdir()
    # The lost node and the restored one never run at once: the longer name is replaced first.
    places = {"/srv/setu-again": again, "/srv/setu": india, "/backup": tmp_path / "backup",
              "japan-node.pem": japan.dir / "tls/node.pem", "japan-ca.pem": japan.ca,
              "https://cti.nisc.example:6443": japan.url, "0.0.0.0:6443": "127.0.0.1:0",
              "meera.token": tmp_path / "meera.token"}
    seen, outputs = [], {}
    for block in re.findall(r"(?:^    (?! ).*\n)+", text, re.M):
        for there, here in places.items():
            block = block.replace(there, str(here))
        for words in map(shlex.split, block.splitlines()):
            what = " ".join(w for w in words[:3] if not w.startswith("/"))
            seen.append(what)
            if words[0] == "tar":
                outputs[what] = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            elif words[1] == "serve":
                Server(words).stop()
            elif words[1] == "sync":
                japan.user("in", "peer", "cert-in", "IN", "--cert", india / "tls/node.pem")
                assert setu(*words[1:]).returncode == 0
            elif words[1] == "doctor":
                # What is restored waits for its officer; what runs has no error.
                ran = setu(*words[1:], status=None)
                assert ran.returncode == (1 if str(again) in words else 0), ran.stdout
                outputs[what] = ran.stdout
            elif words[1:3] == ["user", "add"] and "officer" in words:
                token = json.loads(setu(*words[1:], "--json").stdout)["token"]
                (tmp_path / "meera.token").write_text(token)
            elif words[1] == "withdraw":
                (tmp_path / "wrong.json").write_text(json.dumps({**indicator(1, "green"), "id": words[3]}))
                setu("import", india, "--collection", "shared", tmp_path / "wrong.json")
                outputs[what] = setu(*words[1:]).stdout
            elif words[1] == "holders": # only this node itself knew of it
                outputs[what] = setu(*words[1:], status=1).stdout
            else:
                outputs[what] = setu(*words[1:]).stdout
    for command in ("init", "user add", "collection add", "peer add", "peer list", "sync", "backup",
                    "restore", "doctor", "withdraw", "holders", "ledger key", "ledger witness", "ledger confirm", "serve"):
        assert [w for w in seen if w.startswith(f"setu {command}")], (command, seen)
    assert "setu.db" in outputs["tar tf"]
    assert json.loads(outputs["tar xOf"])["org"] == "cert-in"
    assert "IN/cert-in/ledger+" in outputs["setu ledger key"]
    assert "nisc" in outputs["setu ledger witness"]
    assert setu("doctor", again).returncode == 0


def test_the_table_names_every_check(nodes):
    """What the page says `setu doctor` looks at is what it looks at."""
    text = (ROOT / "docs/OPERATIONS.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+?) \|", text[text.index("| it looks at"):], re.M)
    node = nodes("node")
    found = [json.loads(line)["check"] for line in node.cli("doctor", "--json").stdout.splitlines()]
    assert rows[0] == "it looks at" and rows[1:] == found
