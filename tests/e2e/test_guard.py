"""No identifier of a subscriber leaves the nation, in no coding and by no door; what a definition keeps
local does not leave the organisation. The values are those of the corpus of captures."""
import base64
import json
import os
import pathlib

import pytest

from setu_node import indicator, setu

CORPUS = pathlib.Path(os.environ.get("SETU_CORPUS", "corpus")) / "5g"
POLICY = """
nation IN "India" { agency home   operator airtel }
nation JP "Japan" { agency nisc }
release to any
"""
TRAFFIC = "extension-definition--4f1c2a0e-6b43-4d0f-9a55-3c7e1f0b8d21"
SUBSCRIBER = "extension-definition--9d27b6f4-0c1e-4f9b-8a36-51e2c7a4d9f3"


def known():
    """(group, value) of all captures, without what is no number of a network (fuzzed lengths, two digits)."""
    file = CORPUS / "IDENTIFIERS.json"
    if not file.exists():
        pytest.skip(f"{file} is missing: SETU_CORPUS names the folder of the corpus")
    pairs = {(group, value) for groups in json.loads(file.read_text()).values()
             for group, values in groups.items() for value in values}
    return sorted((g, v) for g, v in pairs if len(v) > 4 and (g != "imsi" or len(v) == 15))


def tbcd(digits):
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def codings(value):
    """Name and text of each way in which JSON can carry the value."""
    raw = value.encode()
    yield "as it is", value
    yield "in a sentence", f"seen with {value}, twice"
    yield "hexadecimal", raw.hex()
    yield "hexadecimal with colons", raw.hex(":")
    yield "base64", base64.b64encode(raw).decode()
    yield "base64 behind a byte", base64.b64encode(b"\x01" + raw).decode()
    yield "base64 behind two", base64.b64encode(b"id" + b" " + raw).decode()
    if value.isdigit():
        yield "TBCD", tbcd(value).hex()
        yield "TBCD in base64", base64.b64encode(tbcd(value)).decode()


def home_of(pairs):
    """The settings of a network whose subscribers these are."""
    plmns = {v[:5] for g, v in pairs if g in ("imsi", "diameter_user")
             or g == "diameter_subid" and len(v) == 15}
    numbers = {v[:6] for g, v in pairs if g == "msisdn" or g == "diameter_subid" and len(v) < 15}
    return f"home-plmns {' '.join(sorted(plmns))}\nhome-numbers {' '.join(sorted(numbers))}\n"


@pytest.fixture
def make(nodes):
    def made(conf=""):
        node = nodes("guard", policy=POLICY, conf=conf)
        node.shared = node.collection("Shared", "shared", marking="clear")
        tokens = {org: node.user(org, "contributor", org, nation) for org, nation in (
            ("airtel", "IN"), ("nisc", "JP"))}
        node.start()
        node.who = {org: node.client(token) for org, token in tokens.items()}
        return node
    return made


def leaves(node, org):
    """Every byte that an organisation can get of the collection, by TAXII and by an export."""
    client, base = node.who[org], f"collections/{node.shared}/"
    texts = [client.get(base + "objects/").text, client.get(base + "manifest/").text]
    texts += [node.cli("export", "--format", "stix", "--for", org).stdout]
    return "".join(texts)


def test_every_known_value_in_every_coding_stays_at_home(make):
    pairs = [(g, v) for g, v in known() if g != "suci_msin_nullscheme"]
    node = make(home_of(pairs))
    objects, hidden = [], []
    for group, value in pairs:
        for name, text in codings(value):
            objects.append(indicator(len(objects), name=f"object {len(objects)}", description=text))
            hidden.append((group, value, name, text))
    objects.append(indicator(len(objects), name="open", description="nothing of a subscriber"))
    node.who["airtel"].post(node.shared, objects)
    assert len(objects) > 150
    assert node.who["airtel"].get(f"collections/{node.shared}/objects/").objects == objects
    text = leaves(node, "nisc")
    assert "nothing of a subscriber" in text
    assert not [h for h in hidden if h[3] in text]
    assert text.count('"open"') == 2 and "object 0" not in text
    log = node.log()
    assert log.count("names a subscriber and stays at home") == len(objects) - 1
    assert not [v for _, v in pairs if v in log]


def test_what_is_local_by_definition_stays_with_its_organisation(make):
    node = make()
    value = "404109876543210"
    traffic = {"type": "network-traffic", "spec_version": "2.1", "protocols": ["ipv4", "gtp-user"],
               "id": "network-traffic--2568d22a-8998-58eb-99ec-3c8ca74f527d", "src_ref":
               "ipv4-addr--4d22aae0-2bf9-5427-8819-e4f6abf20a53", "extensions": {TRAFFIC: {
                   "extension_type": "property-extension", "qfi": 9, "teid": 470011,
                   "session": "00112233445566778899aabbccddeeff"}}}
    hit = indicator(1, extensions={SUBSCRIBER: {"extension_type": "property-extension",
                                                "imsi": [value], "cells": ["404-10-0000b5"]}})
    node.who["airtel"].post(node.shared, [traffic, hit])
    assert node.who["airtel"].get(f"collections/{node.shared}/objects/").objects == [traffic, hit]
    text = leaves(node, "nisc")
    assert not [w for w in (value, "470011", "00112233", "0000b5", SUBSCRIBER) if w in text]
    assert '"qfi":9' in text.replace(" ", ""), "what is not local goes, as a copy"
    explained = json.loads(node.cli("policy explain", hit["id"], "--for", "nisc", "--json").stdout)
    assert explained["decision"] == "release" and "keeps local" in explained["redactions"][0]["text"]
    assert value not in json.dumps(explained)


def test_the_home_network_is_read_from_the_settings(nodes):
    node = nodes("conf", policy=POLICY, conf="home-plmns 4041\n")
    error = setu("export", node.dir, "--format", "stix", status=1).stderr
    assert "home-plmns" in error and "404-10" in error
