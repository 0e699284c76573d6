"""The two invented cases as STIX 2.1 bundles, and who may read which object of them.

Everything here is made up: the events, the actors, the operators, the victim. Addresses are of
RFC 5737, RFC 3849 and RFC 9637, names of RFC 2606, hashes those of the strings in HASHED. The
agencies exist; nothing here is a statement of theirs.

An object is named by a key; its id is a UUIDv4 made from that key, so it stays the same as long
as the key does. Observables (SCOs) have the UUIDv5 that STIX 2.1 section 2.9 prescribes.
"""
import hashlib
import json
import re
import uuid

# ---- names, times, hashes ----

# The strings whose hashes stand for files.
HASHED = {
    "loader": "Setu example: ECHOLATCH loader, ngap.bin",
    "config": "Setu example: ECHOLATCH configuration, peers.dat",
    "implant": "Setu example: ECHOLATCH implant, upf-healthd",
    "plugin": "Setu example: ECHOLATCH plug-in, libseid.so",
    "dropper": "Setu example: SEIDBREAKER dropper, amf-hotfix.sh",
    "strict": "Setu example: jump host tool, airavat only",
    "attachment": "Setu example: CRANEFOLD attachment, TAP3-statement.iso",
}


def digest(algorithm, key):
    return hashlib.new(algorithm, HASHED[key].encode()).hexdigest()


def id_of(kind, key):
    seed = hashlib.sha256(f"Setu example: {kind} {key}".encode()).digest()
    return f"{kind}--{uuid.UUID(bytes=seed[:16], version=4)}"


def instant(minute, key):
    """'2026-03-02T04:10' with the seconds and milliseconds that the key gives it."""
    seed = hashlib.sha256(key.encode()).digest()
    return f"{minute}:{seed[0] % 60:02}.{int.from_bytes(seed[1:3]) % 1000:03}Z"


# ---- markings: the published ids, strictest last; TLP 1 and TLP 2.0 ----

MARKING = {
    "WHITE": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "GREEN1": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "AMBER1": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "RED1": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    "RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
STRICTNESS = ["clear", "green", "amber", "amber+strict", "red"]
COLOUR = {"WHITE": "clear", "STRICT": "amber+strict"}
COLOUR_OF_ID = {i: COLOUR.get(n, n.rstrip("1").lower()) for n, i in MARKING.items()}
STATEMENT = id_of("marking-definition", "cert-in statement")

# ---- making objects ----


def sdo(kind, key, by, tlp, created, modified=None, **properties):
    """A domain object, relationship or sighting, created by organisation `by`."""
    markings = [MARKING[tlp]] + properties.pop("also_marked", [])
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": id_of(kind, key),
        "created_by_ref": id_of("identity", by),
        "created": instant(created, key),
        "modified": instant(modified or created, key),
        **properties,
        "object_marking_refs": markings,
    }


def indicator(key, by, tlp, created, name, pattern, **properties):
    properties = {
        "indicator_types": ["malicious-activity"],
        "pattern_type": "stix",
        "valid_from": instant(created, key),
        **properties,
    }
    modified = properties.pop("modified", None)
    return sdo("indicator", key, by, tlp, created, modified, name=name, pattern=pattern,
               **properties)


def relation(source, verb, target, by, tlp, created, **properties):
    key = f"{source[1]} {verb} {target[1]}"
    ends = [id_of(*end) if end[0] not in SCO_KINDS else end[1] for end in (source, target)]
    return sdo("relationship", key, by, tlp, created, relationship_type=verb, source_ref=ends[0],
               target_ref=ends[1], **properties)


SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
# STIX 2.1 section 6: the properties that make up the id, for the kinds used here.
SCO_KINDS = {
    "ipv4-addr": ["value"],
    "email-addr": ["value"],
    "domain-name": ["value"],
    "file": ["hashes", "name", "extensions", "parent_directory_ref"],
    "network-traffic": ["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols",
                        "extensions"],
    "email-message": ["from_ref", "subject", "body"],
}


def sco(kind, tlp, **properties):
    """Section 2.9: the id is the UUIDv5 of the contributing properties in RFC 8785 form (plain
    ASCII and integers here, so sorted compact JSON is that form). The caller gives one hash only
    or the MD5 first, which is the one that counts."""
    parts = {name: properties[name] for name in SCO_KINDS[kind] if name in properties}
    if "hashes" in parts:
        order = [h for h in ("MD5", "SHA-1", "SHA-256", "SHA-512") if h in parts["hashes"]]
        parts["hashes"] = {order[0]: parts["hashes"][order[0]]}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid.uuid5(SCO_NAMESPACE, text)}",
        **properties,
        "object_marking_refs": [MARKING[tlp]],
    }


def technique(key, by, tlp, created, name, source, external_id, phase, description):
    return sdo("attack-pattern", key, by, tlp, created, name=name, description=description,
               external_references=[{"source_name": source, "external_id": external_id}],
               kill_chain_phases=[{"kill_chain_name": source.replace("mitre-fight", "fight"),
                                   "phase_name": phase}])


def bundle(key, objects):
    return {"type": "bundle", "id": id_of("bundle", key), "objects": objects}


# ---- India: SLATE HERON in the user plane ----

SLATE_HERON = ("intrusion-set", "slate-heron")
ECHOLATCH = ("malware", "echolatch")
SEIDBREAKER = ("malware", "seidbreaker")
C2 = ("infrastructure", "echo-relays")
STAGING = ("infrastructure", "staging")
VICTIM = ("identity", "himadri-grid")
DISPATCH = ("identity", "himadri-dispatch")
INCIDENT = ("incident", "grid-slice-outage")


def india_people():
    return [
        sdo("identity", "cert-in", "cert-in", "CLEAR", "2026-01-12T05:30", name="CERT-In",
            description="Indian Computer Emergency Response Team. The agency is real, this case "
                        "is invented.", identity_class="organization", sectors=["government"]),
        sdo("identity", "nciipc", "nciipc", "CLEAR", "2026-01-12T05:30", name="NCIIPC",
            description="National Critical Information Infrastructure Protection Centre. The "
                        "agency is real, this case is invented.",
            identity_class="organization", sectors=["government"]),
        sdo("identity", "airavat-5g", "airavat-5g", "GREEN1", "2026-01-20T06:00",
            name="Airavat 5G", description="An invented Indian operator of 5G networks.",
            identity_class="organization", sectors=["telecommunications"]),
        sdo(*VICTIM, "nciipc", "AMBER1", "2026-03-05T08:40", name="Himadri Grid",
            description="An invented power distributor; its substations use a private slice of "
                        "Airavat 5G. Named to those who must act, and to nobody abroad.",
            identity_class="organization", sectors=["energy", "utilities"]),
        sdo(*DISPATCH, "nciipc", "GREEN", "2026-03-05T09:10", name="Himadri Load Dispatch Centre",
            description="An invented body of a state. It balances the grid that Himadri Grid "
                        "feeds, and was without its telemetry twice.",
            identity_class="organization", sectors=["government-regional", "energy"],
            contact_information="desk@dispatch.example"),
        {"type": "marking-definition", "spec_version": "2.1", "id": STATEMENT,
         "created_by_ref": id_of("identity", "cert-in"), "created": "2026-01-12T05:30:00.000Z",
         "name": "CERT-In, invented example",
         "definition_type": "statement",
         "definition": {"statement": "Invented example for Setu. Pass on with this notice."},
         "object_marking_refs": [MARKING["CLEAR"]]},
    ]


def india_actors():
    return [
        sdo(*SLATE_HERON, "cert-in", "GREEN", "2026-03-09T10:15", "2026-06-18T07:20",
            name="SLATE HERON", aliases=["GREY EGRET"],
            description="Enters mobile cores through partners of the roaming exchange, lives on "
                        "user plane functions and speaks to its relays inside GTP-U echoes.",
            goals=["Read the user plane of chosen subscribers",
                   "Be able to drop sessions of a slice at will"],
            resource_level="organization", primary_motivation="dominance",
            first_seen="2026-01-27T00:00:00.000Z", also_marked=[STATEMENT]),
        sdo(*ECHOLATCH, "cert-in", "GREEN", "2026-03-04T09:30", "2026-05-22T11:05",
            name="ECHOLATCH", is_family=True, malware_types=["backdoor"],
            description="Implant for Linux user plane functions. Answers GTP-U Echo Requests whose "
                        "Private Extension holds a key, and carries commands in the reply.",
            architecture_execution_envs=["x86-64"], implementation_languages=["c"],
            capabilities=["communicates-with-c2", "persists-after-system-reboot",
                          "hides-artifacts"],
            first_seen="2026-01-27T00:00:00.000Z"),
        sdo(*SEIDBREAKER, "airavat-5g", "AMBER", "2026-03-11T13:45", name="SEIDBREAKER",
            is_family=False, malware_types=["ddos"],
            description="Guesses session endpoint ids on N4 and sends PFCP Session Deletion "
                        "Requests in the name of the SMF. Seen at one operator only.",
            capabilities=["compromises-system-availability"]),
        sdo(*C2, "cert-in", "GREEN", "2026-03-06T06:20", name="ECHOLATCH relays",
            infrastructure_types=["command-and-control"],
            description="Rented hosts that answer on UDP 2152 and on 443.",
            first_seen="2026-01-27T00:00:00.000Z"),
        sdo(*STAGING, "nciipc", "AMBER", "2026-03-06T06:25", name="Staging hosts of SLATE HERON",
            infrastructure_types=["staging", "hosting-malware"],
            description="Hosts under a court order; the order is not public."),
        technique("gtpu-c2", "cert-in", "WHITE", "2026-03-04T09:30", "C2 Over GTP-U",
                  "mitre-fight", "FGT1572.502", "command-and-control",
                  "Commands and answers inside GTP-U messages that firewalls between operators "
                  "let through."),
        technique("tunnel-dos", "cert-in", "CLEAR", "2026-03-11T14:00",
                  "DOS A UE Via Established GTP-U Tunnel", "mitre-fight", "FGT1499.504", "impact",
                  "Session deletion on N4 takes the tunnels of chosen subscribers away."),
        technique("trusted-partner", "cert-in", "GREEN", "2026-03-09T10:20",
                  "Trusted Relationship", "mitre-attack", "T1199", "initial-access",
                  "The first foothold is a management host of a roaming exchange partner."),
        sdo("vulnerability", "console", "cert-in", "GREEN", "2026-03-09T10:25",
            name="Management console of a roaming exchange partner, open to all members",
            description="Which product it is: known to the partner, who mends it until July.",
            granular_markings=[{"marking_ref": MARKING["AMBER"], "selectors": ["description"]}]),
        sdo("course-of-action", "drop-echo", "cert-in", "GREEN", "2026-03-12T05:00",
            name="Drop GTP-U echoes that carry more than Recovery",
            description="On N3, N9 and at the roaming border drop GTP-U Echo messages with a "
                        "Private Extension from peers that are not on the list of known nodes."),
    ]


def india_indicators():
    sha512 = digest("sha512", "plugin")
    return [
        # What a scanner can look up, one of each kind.
        indicator("amf-domain", "cert-in", "WHITE", "2026-03-04T09:35", "Domain of the fake AMF "
                  "update site", "[domain-name:value = 'amf-updates.example']",
                  labels=["5g-core", "c2"]),
        indicator("echo-domain", "airavat-5g", "GREEN1", "2026-03-04T09:36", "Relay name in the "
                  "ECHOLATCH configuration", "[domain-name:value = 'gtpu-echo.example.net']",
                  labels=["5g-core", "c2"], also_marked=[STATEMENT]),
        indicator("c2-address", "cert-in", "CLEAR", "2026-03-04T09:37", "First ECHOLATCH relay",
                  "[ipv4-addr:value = '198.51.100.23']", labels=["5g-core", "c2"],
                  confidence=90),
        indicator("relay-range", "cert-in", "GREEN", "2026-03-06T06:21", "Range of the relays",
                  "[ipv4-addr:value ISSUBSET '203.0.113.64/28']", labels=["c2"], confidence=75),
        indicator("staging-range", "nciipc", "AMBER", "2026-03-06T06:26", "Range of the staging "
                  "hosts", "[ipv4-addr:value = '192.0.2.128/27']", labels=["staging"]),
        indicator("c2-address6", "cert-in", "GREEN", "2026-03-18T04:00", "Relay on IPv6",
                  "[ipv6-addr:value = '2001:db8:5e7a::c2']", labels=["c2"]),
        indicator("relay-range6", "nciipc", "AMBER", "2026-03-18T04:05", "Range of the relays on "
                  "IPv6", "[ipv6-addr:value ISSUBSET '3fff:5e7:20::/44']", labels=["c2"]),
        indicator("loader-url", "cert-in", "GREEN", "2026-03-07T12:00", "Download of the loader",
                  "[url:value = 'http://cdn.amf-updates.example/patch/ngap.bin']",
                  labels=["download"], valid_until="2099-12-31T00:00:00.000Z"),
        indicator("beat-url", "airavat-5g", "AMBER1", "2026-03-07T12:10", "Heartbeat of the "
                  "implant over HTTPS",
                  "[url:value = 'https://portal.upf-health.example/api/v2/beat']",
                  labels=["5g-core", "c2"]),
        indicator("clearing-mail", "cert-in", "AMBER", "2026-02-11T08:00", "Sender of mails to "
                  "roaming staff",
                  "[email-addr:value = 'noc-support@ipx-clearing.example']", labels=["phishing"]),
        indicator("loader-md5", "cert-in", "GREEN1", "2026-03-04T10:00", "ECHOLATCH loader (MD5)",
                  f"[file:hashes.MD5 = '{digest('md5', 'loader')}']"),
        indicator("config-sha1", "cert-in", "CLEAR", "2026-03-04T10:01", "ECHOLATCH configuration "
                  "(SHA-1)", f"[file:hashes.'SHA-1' = '{digest('sha1', 'config')}']"),
        indicator("implant-sha256", "cert-in", "GREEN", "2026-03-04T10:02", "ECHOLATCH implant "
                  "(SHA-256)", f"[file:hashes.'SHA-256' = '{digest('sha256', 'implant')}']",
                  confidence=95),
        indicator("plugin-sha512", "airavat-5g", "AMBER", "2026-03-11T13:50", "ECHOLATCH plug-in "
                  "(SHA-512)", f"[file:hashes.'SHA-512' = '{sha512}']"),
        # Several values: OR inside and between observations, IN.
        indicator("mirror-set", "cert-in", "GREEN", "2026-05-22T11:00", "Mirrors of the implant",
                  "[domain-name:value = 'nssf-mirror.example' OR "
                  "domain-name:value = 'pcf-mirror.example'] OR "
                  "[url:value = 'http://198.51.100.61:8088/seid/list.txt']"),
        indicator("dropper-files", "airavat-5g", "AMBER", "2026-03-11T13:48", "SEIDBREAKER dropper",
                  f"[file:hashes.MD5 = '{digest('md5', 'dropper')}' OR "
                  f"file:hashes.'SHA-256' = '{digest('sha256', 'dropper')}']"),
        indicator("scanner-addresses", "nciipc", "AMBER1", "2026-02-02T03:30", "Hosts that scan "
                  "for N4", "[ipv4-addr:value IN ('198.51.100.41', '198.51.100.42', "
                  "'203.0.113.9')]", indicator_types=["anomalous-activity"]),
        # One alternative suffices alone, the other needs an order of events.
        indicator("key-names", "cert-in", "GREEN", "2026-05-22T11:02", "Names asked for by the "
                  "key stealer", "[domain-name:value = 'ausf-keys.example'] OR "
                  "([ipv4-addr:value = '198.51.100.91'] FOLLOWEDBY "
                  "[domain-name:value = 'udm-keys.example'])"),
        # What a look-up of single values must leave alone.
        indicator("nrf-pair", "cert-in", "GREEN", "2026-05-22T11:03", "Fake NRF: this name only "
                  "at this address", "[domain-name:value = 'sync.nrf-cache.example' AND "
                  "domain-name:resolves_to_refs[*].value = '198.51.100.77']"),
        indicator("echo-rule", "cert-in", "GREEN", "2026-03-12T05:10", "GTP-U Echo with a long "
                  "Private Extension", 'alert udp any 2152 -> any 2152 (msg:"GTP-U echo with '
                  'payload"; content:"|32 01|"; depth:2; dsize:>64; sid:9000001; rev:1;)',
                  pattern_type="suricata", pattern_version="7.0.0"),
        indicator("expired-name", "cert-in", "WHITE", "2026-02-11T08:10", "Patch site of the first "
                  "wave, since taken down", "[domain-name:value = 'old-patch.example.org']",
                  valid_until="2026-06-30T00:00:00.000Z"),
        indicator("revoked-address", "cert-in", "GREEN", "2026-03-06T06:22", "Thought a relay; it "
                  "was a mail server", "[ipv4-addr:value = '203.0.113.202']",
                  modified="2026-03-19T09:00", revoked=True),
        indicator("future-name", "cert-in", "GREEN", "2026-06-18T07:30", "Fall-back name that the "
                  "implant will compute in 2099", "[domain-name:value = 'k7q2w9xv.example']",
                  valid_from="2099-01-01T00:00:00.000Z"),
        # What must not leave.
        indicator("home-only", "nciipc", "GREEN", "2026-03-06T07:00", "Relay that is being watched "
                  "at home", "[ipv4-addr:value = '198.51.100.88']", labels=["national-only"]),
        indicator("red-name", "nciipc", "RED", "2026-04-02T10:00", "Operators' own host",
                  "[domain-name:value = 'ops.heron-nest.example']"),
        indicator("strict-host", "airavat-5g", "STRICT", "2026-03-11T15:00", "Abused jump host and "
                  "the tool on it", "[ipv4-addr:value = '192.0.2.66'] OR "
                  f"[file:hashes.'SHA-256' = '{digest('sha256', 'strict')}']",
                  indicator_types=["compromised"]),
        indicator("granular-name", "cert-in", "GREEN", "2026-05-22T11:04", "Beacon name",
                  "[domain-name:value = 'beacon.seid-table.example']",
                  description="Found by a method that the liaison officer may explain.",
                  granular_markings=[{"marking_ref": MARKING["AMBER"],
                                      "selectors": ["description"]}]),
    ]


def india_evidence():
    """What the operator saw, and what came of it."""
    upf = sco("ipv4-addr", "AMBER", value="192.0.2.200")
    relay = sco("ipv4-addr", "GREEN", value="198.51.100.23")
    flow = sco("network-traffic", "AMBER", start="2026-03-03T02:11:09.417Z",
               end="2026-03-03T02:41:09.862Z", is_active=False, src_ref=upf["id"],
               dst_ref=relay["id"], src_port=2152, dst_port=2152,
               protocols=["ipv4", "udp", "gtp-user"], src_byte_count=418220, dst_byte_count=96411)
    implant = sco("file", "GREEN", name="upf-healthd", size=183296, hashes={
        "MD5": digest("md5", "implant"), "SHA-256": digest("sha256", "implant")})
    outage = "2026-03-05T08:45"
    indicators = [("indicator", k) for k in ("amf-domain", "echo-domain", "c2-address",
                  "relay-range", "c2-address6", "loader-url", "loader-md5", "config-sha1",
                  "implant-sha256", "mirror-set", "nrf-pair")]
    return [
        upf, relay, flow, implant,
        sdo("observed-data", "upf-flow", "airavat-5g", "AMBER", "2026-03-03T05:00",
            first_observed="2026-03-03T02:11:09.417Z", last_observed="2026-03-03T02:41:09.862Z",
            number_observed=1, object_refs=[flow["id"], upf["id"], relay["id"], implant["id"]]),
        sdo("sighting", "relay at airavat", "airavat-5g", "AMBER", "2026-03-04T11:00",
            sighting_of_ref=id_of("indicator", "c2-address"),
            where_sighted_refs=[id_of("identity", "airavat-5g")], count=214,
            first_seen="2026-01-27T18:02:00.000Z", last_seen="2026-03-04T10:48:00.000Z"),
        sdo(*INCIDENT, "nciipc", "AMBER", outage, name="Outage of a grid operator's slice",
            description="Sessions of 61 substations dropped twice for eleven minutes.",
            x_himadri_sites=["HG-017", "HG-112", "HG-204"]),
        sdo("report", "slate-heron", "cert-in", "GREEN", "2026-03-12T06:00", "2026-06-18T07:40",
            name="SLATE HERON in 5G user planes", report_types=["threat-report", "intrusion-set"],
            description="What operators can look for, and what to filter.",
            published="2026-06-18T07:40:00.000Z",
            object_refs=[id_of(*o) for o in (SLATE_HERON, ECHOLATCH, C2,
                         ("attack-pattern", "gtpu-c2"), ("attack-pattern", "trusted-partner"),
                         ("course-of-action", "drop-echo"), *indicators)] + [implant["id"]],
            also_marked=[STATEMENT]),
        sdo("report", "attribution", "nciipc", "RED1", "2026-04-02T10:30",
            name="Who SLATE HERON is", report_types=["intrusion-set"],
            published="2026-04-02T10:30:00.000Z",
            description="An assessment for named readers.",
            object_refs=[id_of(*o) for o in (SLATE_HERON, VICTIM, INCIDENT,
                         ("indicator", "red-name"))]),
        relation(SLATE_HERON, "uses", ECHOLATCH, "cert-in", "GREEN", "2026-03-09T10:16"),
        relation(SLATE_HERON, "uses", SEIDBREAKER, "airavat-5g", "AMBER", "2026-03-11T13:46"),
        relation(SLATE_HERON, "uses", ("attack-pattern", "trusted-partner"), "cert-in", "GREEN",
                 "2026-03-09T10:21"),
        relation(ECHOLATCH, "uses", ("attack-pattern", "gtpu-c2"), "cert-in", "GREEN",
                 "2026-03-04T09:31"),
        relation(SEIDBREAKER, "uses", ("attack-pattern", "tunnel-dos"), "airavat-5g", "AMBER",
                 "2026-03-11T14:01"),
        relation(ECHOLATCH, "beacons-to", C2, "cert-in", "GREEN", "2026-03-06T06:23"),
        relation(C2, "consists-of", ("ipv4-addr", relay["id"]), "cert-in", "GREEN",
                 "2026-03-06T06:24"),
        relation(("indicator", "c2-address"), "indicates", ECHOLATCH, "cert-in", "GREEN",
                 "2026-03-04T09:38"),
        relation(("indicator", "amf-domain"), "indicates", SLATE_HERON, "cert-in", "GREEN",
                 "2026-03-09T10:22"),
        relation(("indicator", "staging-range"), "indicates", STAGING, "nciipc", "AMBER",
                 "2026-03-06T06:27"),
        relation(("course-of-action", "drop-echo"), "mitigates", ("attack-pattern", "gtpu-c2"),
                 "cert-in", "GREEN", "2026-03-12T05:01"),
        relation(INCIDENT, "related-to", VICTIM, "nciipc", "AMBER", outage),
        relation(SLATE_HERON, "targets", DISPATCH, "nciipc", "GREEN", "2026-03-09T10:30"),
    ]


def india():
    return bundle("india", india_people() + india_actors() + india_indicators() + india_evidence())


# ---- Japan: phishing of those who run the roaming exchange ----

CAMPAIGN = ("campaign", "paper-invoice")
CRANEFOLD = ("malware", "cranefold")


def japan_indicators():
    return [
        indicator("invoice-domain", "jpcert", "GREEN", "2026-07-07T01:10", "Phishing domain, "
                  "invoices for roaming traffic", "[domain-name:value = 'roaming-invoice.example']",
                  labels=["phishing"]),
        indicator("session-url", "tsubame-5g", "AMBER", "2026-07-07T01:12", "Page that takes the "
                  "session of the clearing portal",
                  "[url:value = 'https://login.roaming-invoice.example/tap3/session']",
                  labels=["phishing"]),
        indicator("settlement-mail", "jpcert", "GREEN1", "2026-07-07T01:14", "Sender of the "
                  "invoices", "[email-addr:value = 'settlement@roaming-invoice.example']",
                  labels=["phishing"]),
        indicator("sender-address", "jpcert", "CLEAR", "2026-07-07T01:16", "Host that sends the "
                  "invoices", "[ipv4-addr:value = '203.0.113.33']", labels=["phishing"]),
        indicator("attachment-sha256", "tsubame-5g", "AMBER1", "2026-07-08T02:00", "CRANEFOLD in a "
                  "disk image", f"[file:hashes.'SHA-256' = '{digest('sha256', 'attachment')}']"),
        indicator("portal-names", "jpcert", "WHITE", "2026-07-09T03:00", "Look-alikes of the IR.21 "
                  "portal", "[domain-name:value IN ('ir21-portal.example', "
                  "'ir21-portal.example.org')]", labels=["phishing"]),
        indicator("airavat-relay", "jpcert", "GREEN", "2026-07-15T05:00", "Host that passed the "
                  "invoices on", "[domain-name:value = 'relay.airavat-5g.example']",
                  description="It belongs to Airavat 5G: abused, and not to be blocked in India.",
                  labels=["phishing"]),
        indicator("admin-name", "nisc", "RED", "2026-07-20T04:00", "Back end of the phishing kit",
                  "[domain-name:value = 'crane-admin.example']"),
        indicator("drop-address", "jpcert", "STRICT", "2026-07-20T04:05", "Where the stolen "
                  "sessions go", "[ipv4-addr:value = '203.0.113.34']"),
    ]


def japan():
    sender = sco("email-addr", "AMBER", value="settlement@roaming-invoice.example")
    staff = sco("email-addr", "AMBER", value="roaming-desk@tsubame-5g.example")
    mail = sco("email-message", "AMBER", is_multipart=False, date="2026-07-06T23:41:00.000Z",
               from_ref=sender["id"], to_refs=[staff["id"]],
               subject="TAP3 statement June, action needed",
               body="Please settle at https://login.roaming-invoice.example/tap3/session")
    return bundle("japan", [
        sdo("identity", "nisc", "nisc", "CLEAR", "2026-01-15T01:00", name="NISC",
            description="National center of Incident readiness and Strategy for Cybersecurity, "
                        "since July 2025 the National Cybersecurity Office. The agency is real, "
                        "this case is invented.",
            identity_class="organization", sectors=["government"]),
        sdo("identity", "jpcert", "jpcert", "CLEAR", "2026-01-15T01:00", name="JPCERT/CC",
            description="Japan Computer Emergency Response Team Coordination Center. It is real, "
                        "this case is invented.", identity_class="organization",
            sectors=["non-profit"]),
        sdo("identity", "tsubame-5g", "tsubame-5g", "GREEN", "2026-01-22T02:00", name="Tsubame 5G",
            description="An invented Japanese operator of 5G networks.",
            identity_class="organization", sectors=["telecommunications"]),
        sdo(*CAMPAIGN, "jpcert", "GREEN", "2026-07-09T03:10", name="Paper Invoice",
            description="Invoices for roaming traffic to the staff who settle it. Whoever answers "
                        "loses the session of the clearing portal.",
            objective="Accounts at roaming exchanges", first_seen="2026-07-06T23:41:00.000Z"),
        sdo(*CRANEFOLD, "tsubame-5g", "AMBER", "2026-07-08T02:05", name="CRANEFOLD",
            is_family=False, malware_types=["downloader"],
            description="Opened from a disk image, fetches the next stage with the user's "
                        "session."),
        technique("invoice-link", "jpcert", "CLEAR", "2026-07-09T03:12",
                  "Phishing for Information: Spearphishing Link", "mitre-attack", "T1598.003",
                  "reconnaissance", "A link to a copy of the clearing portal."),
        *japan_indicators(),
        sender, staff, mail,
        sdo("observed-data", "invoice-mail", "tsubame-5g", "AMBER", "2026-07-07T00:30",
            first_observed="2026-07-06T23:41:00.000Z", last_observed="2026-07-06T23:52:00.000Z",
            number_observed=7, object_refs=[mail["id"], sender["id"], staff["id"]]),
        sdo("sighting", "indian relay at tsubame", "tsubame-5g", "AMBER", "2026-07-10T05:00",
            description="The relay that CERT-In published was asked for by two user plane "
                        "functions.", sighting_of_ref=id_of("indicator", "c2-address"),
            where_sighted_refs=[id_of("identity", "tsubame-5g")], count=3,
            first_seen="2026-07-09T20:15:00.000Z", last_seen="2026-07-10T01:37:00.000Z"),
        sdo("sighting", "indian range at tsubame", "tsubame-5g", "GREEN", "2026-07-10T05:05",
            sighting_of_ref=id_of("indicator", "relay-range"),
            where_sighted_refs=[id_of("identity", "tsubame-5g")], count=1,
            first_seen="2026-07-09T20:17:00.000Z", last_seen="2026-07-09T20:17:00.000Z"),
        relation(CAMPAIGN, "attributed-to", SLATE_HERON, "jpcert", "GREEN", "2026-07-10T06:00",
                 description="Same relay, same hours, same interest in roaming partners.",
                 confidence=60),
        relation(CAMPAIGN, "uses", ("attack-pattern", "invoice-link"), "jpcert", "GREEN",
                 "2026-07-09T03:13"),
        relation(CAMPAIGN, "uses", CRANEFOLD, "tsubame-5g", "AMBER", "2026-07-08T02:06"),
        relation(("indicator", "invoice-domain"), "indicates", CAMPAIGN, "jpcert", "GREEN",
                 "2026-07-09T03:14"),
        sdo("report", "paper-invoice", "jpcert", "GREEN", "2026-07-10T06:30", name="Paper Invoice: "
            "who settles roaming is a target", report_types=["campaign"],
            published="2026-07-10T06:30:00.000Z",
            object_refs=[id_of(*o) for o in (CAMPAIGN, SLATE_HERON,
                         ("attack-pattern", "invoice-link"), ("indicator", "invoice-domain"),
                         ("indicator", "settlement-mail"), ("indicator", "sender-address"),
                         ("indicator", "portal-names"))]),
    ])


# ---- who may read what: the two policy.conf in Python, so that the answers are derived twice ----

PARTIES = {  # organisation: nation, kind
    "cert-in": ("IN", "agency"), "nciipc": ("IN", "agency"), "airavat-5g": ("IN", "operator"),
    "nisc": ("JP", "agency"), "jpcert": ("JP", "agency"), "tsubame-5g": ("JP", "operator"),
}
# Each nation's node signs in at the other's as this agency.
NODE = {"IN": "cert-in", "JP": "nisc"}
OWN = ("airavat-5g.example", "himadri-grid.example")  # India's warning list


def colour(o):
    """Of the whole object: parts have their own."""
    marks = [m for m in o["object_marking_refs"] if m in COLOUR_OF_ID]
    return max((COLOUR_OF_ID[m] for m in marks), key=STRICTNESS.index)


def creator(o):
    """The organisation that made it; None for an SCO."""
    names = {id_of("identity", org): org for org in PARTIES}
    return names.get(o.get("created_by_ref"))


def refusal(o, home, to, tlp=None):
    """Why the node of nation `home` does not show `o` to `to` without an officer's word; None when
    it does. With `tlp`: as if the object had that colour."""
    nation, kind = PARTIES[to]
    tlp, abroad = tlp or colour(o), nation != home
    if to == creator(o):
        return None
    if tlp == "red":
        return "TLP:RED: only by a named approval"
    if tlp == "amber+strict":
        return "TLP:AMBER+STRICT: stays in the organisation"
    if home == "IN":
        if abroad and "national-only" in o.get("labels", []):
            return "label national-only"
        if abroad and kind == "agency" and tlp == "amber" and o["type"] == "incident":
            return "held for two officers"
        if not abroad or tlp in ("clear", "green"):
            return None
        if kind == "agency" and o["type"] in ("indicator", "malware", "sighting"):
            return None
    else:
        if tlp in ("clear", "green"):
            return None
        if abroad and kind == "agency" and o["type"] == "sighting":
            return None
        if not abroad and (kind == "agency" or o["type"] == "indicator"):
            return None
    return f"TLP:AMBER {o['type']}: no rule releases it"


def quarantined(o, nation):
    """Does the node of `nation` keep it from everybody until an officer has looked?"""
    names = values(o) if o["type"] == "indicator" else [o.get("value", "")]
    return nation == "IN" and any(n == own or n.endswith("." + own) for n in names for own in OWN)


def withheld(o, home, to):
    """The same over both nodes: what is abroad reaches `to` through the node of its own nation."""
    nation = PARTIES[to][0]
    if nation == home:
        return refusal(o, home, to)
    if not refusal(o, home, NODE[nation]) and quarantined(o, nation):
        return "quarantined: on the warning list `own`"
    return refusal(o, home, NODE[nation]) or refusal(o, nation, to)


def changes(o, home, to):
    """What of an object that is released to `to` by the node of `home` is not as it was, and why."""
    if to == creator(o):
        return
    for granular in o.get("granular_markings", []):
        tlp = COLOUR_OF_ID[granular["marking_ref"]]
        if refusal(o, home, to, tlp):
            names = ", ".join(f"`{s}`" for s in granular["selectors"])
            yield f"without {names}: TLP:{tlp.upper()} there"
    if home == "IN" and PARTIES[to][0] != "IN":
        if "government-regional" in o.get("sectors", []):
            yield "`name` is \"a government body\", without `description`, `contact_information`"
        if "x_himadri_sites" in o:
            yield "without `x_himadri_sites`"
        if id_of(*DISPATCH) in (o.get("source_ref"), o.get("target_ref")):
            yield "refers to the copy of the government body"


def describe(o, objects):
    """What to call an object in a sentence."""
    names = {x["id"]: x.get("name") or x.get("value") for x in objects}
    if o["type"] == "relationship":
        return f"{names[o['source_ref']]} *{o['relationship_type']}* {names[o['target_ref']]}"
    if o["type"] == "sighting":
        return f"sighting of: {names[o['sighting_of_ref']]}"
    return o.get("name") or o.get("value") or o.get("subject") or o["type"]


def withheld_table():
    """README's table: each object that somebody does not get, from whom, why."""
    yield "| object | what | withheld from | why |"
    yield "|---|---|---|---|"
    documents = (("IN", india()["objects"]), ("JP", japan()["objects"]))
    everything = [o for _, objects in documents for o in objects]
    for home, objects in documents:
        for o in objects:
            why = {to: withheld(o, home, to) for to in PARTIES}
            held = [to for to in PARTIES if why[to]]
            for nation, word in (("IN", "India"), ("JP", "Japan")):
                members = [to for to in PARTIES if PARTIES[to][0] == nation]
                if set(members) <= set(held):
                    held = [to for to in held if to not in members] + [f"all of {word}"]
            if held:
                short = o["id"][:o["id"].index("--") + 10]
                reason = " / ".join(sorted(set(filter(None, why.values()))))
                yield f"| `{short}` | {describe(o, everything)} | {', '.join(held)} | {reason} |"


def redacted_table():
    """README's table: each object that the other nation's node gets as a copy, or would."""
    yield "| object | what | at | how |"
    yield "|---|---|---|---|"
    documents = (("IN", "JP", india()["objects"]), ("JP", "IN", japan()["objects"]))
    everything = [o for _, _, objects in documents for o in objects]
    for home, nation, objects in documents:
        for o in objects:
            how = "; ".join(changes(o, home, NODE[nation]))
            why = refusal(o, home, NODE[nation])
            if how and (why is None or why.startswith("held")):
                how += ", once approved" if why else ""
                short = o["id"][:o["id"].index("--") + 10]
                yield f"| `{short}` | {describe(o, everything)} | {NODE[nation]} | {how} |"


# ---- what a scanner looks up ----


def values(o):
    """The constants of a pattern, those of tests that do not suffice alone included."""
    if o["pattern_type"] != "stix":
        return []
    return re.findall(r"(?:= |ISSUBSET |[(,] ?)'([^']+)'", o["pattern"])
