"""What the end-to-end tests share: nodes that are made, served and stopped, and the corpus."""
import json
import lzma
import os
import shutil

import pytest

import setu_node


@pytest.fixture(scope="session", autouse=True)
def _surroundings():
    """Paths in SETU and SETU_CORPUS count from the repository's root. What a site sets for clients
    (another CA bundle, a proxy) must not stand between a test and its node."""
    os.chdir(setu_node.ROOT)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    if not os.access(setu_node.SETU, os.X_OK):
        pytest.exit(f"{setu_node.SETU} is missing: `make` builds it, SETU names another", 3)


class Nodes:
    """Makes nodes and ends them all."""

    def __init__(self, tmp):
        self.tmp, self.made = tmp, []

    def __call__(self, folder="node", **how):
        node = setu_node.Node(self.tmp / folder, **how)
        self.made.append(node)
        return node

    def end(self):
        failures = []
        for node in self.made:
            try:
                node.stop()
            except AssertionError as e:
                failures.append(e)
        for node in self.made:
            shutil.rmtree(node.dir, ignore_errors=True)
        assert not failures, failures


@pytest.fixture
def nodes(tmp_path):
    made = Nodes(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="module")
def module_nodes(tmp_path_factory):
    """The same for a whole module, where tests only read or keep to collections of their own."""
    made = Nodes(tmp_path_factory.mktemp("nodes"))
    yield made
    made.end()


class Attack:
    """ATT&CK: the file as `setu import` takes it, and each object as it is written there."""

    def __init__(self, path, text):
        self.path = path
        self.raw = setu_node.raw_objects(text)
        self.ids = [json.loads(o)["id"] for o in self.raw]


def _attack(tmp_path_factory, name):
    packed = setu_node.CORPUS / "stix" / f"{name}.json.xz"
    if not packed.exists():
        pytest.skip(f"{packed} is missing: SETU_CORPUS names the folder of the corpus")
    path = tmp_path_factory.mktemp("corpus") / f"{name}.json"
    with lzma.open(packed) as f, open(path, "wb") as out:
        shutil.copyfileobj(f, out)
    return Attack(path, path.read_text())


@pytest.fixture(scope="session")
def enterprise(tmp_path_factory):
    return _attack(tmp_path_factory, "attack-enterprise")


@pytest.fixture(scope="session")
def ics(tmp_path_factory):
    return _attack(tmp_path_factory, "attack-ics")
