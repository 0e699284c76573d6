"""Two nodes, Tokyo and Delhi, that talk: each pulls the other's collection "dialogue" into its own."""
import json
import re
from datetime import datetime, timezone

from setu_node import Node

TYPES = "dialogue, extension-definition, identity"
NAMES = 'nation IN "India" { agency cert-in, nciipc, dot }\nnation JP "Japan" { agency jpcert, nisc }\n' \
        'nation US "United States" { agency cisa }\n'


def policy(home, other, more=""):
    return f"{NAMES}accept from {other}\nrelease to {home}\n{more}" \
           f"release tlp:clear, tlp:green, tlp:amber types {TYPES} to {other}\n"


def identity_of(node):
    return re.search(r"^identity (\S+)", (node.dir / "setu.conf").read_text(), re.M)[1]


class Pair:
    """Two nodes that pull each other's collection "dialogue" into their own."""

    def __init__(self, folder, from_japan=""):
        self.folder = folder
        self.jp = Node(folder / "jp", "Tokyo", "JP", "jpcert", policy("JP", "IN", from_japan))
        self.india = Node(folder / "in", "Delhi", "IN", "cert-in", policy("IN", "JP"))
        for node in (self.jp, self.india):
            node.collection("Dialogue", "dialogue", "amber")
        for node, other in ((self.jp, self.india), (self.india, self.jp)):
            node.user("partner", "peer", other.org, other.nation, "--identity", identity_of(other),
                      "--cert", other.dir / "tls/node.pem")
            node.start()
        for node, other in ((self.jp, self.india), (self.india, self.jp)):
            node.cli("peer add", other.org, "--url", other.url, "--nation", other.nation, "--org",
                     other.org, "--from", "dialogue", "--into", "dialogue", "--ca", other.ca)

    def sync(self):
        """All that either side released comes to the other; nothing is refused."""
        for node in (self.india, self.jp):
            for line in node.cli("sync", "--json").stdout.splitlines():
                assert json.loads(line).get("refused", 0) == 0, line

    def both(self, words, *more):
        return [json.loads(node.cli(words, *more, "--json").stdout) for node in (self.jp, self.india)]

    def stop(self):
        self.jp.stop()
        self.india.stop()


def lines(ran):
    return [json.loads(line) for line in ran.stdout.splitlines()]


def utc(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def stamp(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
