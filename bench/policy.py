"""Makes what bench/run measures the release policy with: policy.py conf RULES RECIPIENTS prints a
policy (of one rule: all stays at home); policy.py split prints one that shows each object to one of
101 recipients; policy.py objects COUNT prints COUNT small indicators as JSON lines."""
import random
import sys
import uuid


def conf(rules, recipients):
    chance = random.Random(1)
    nations = ["IN"] + [a + b for a in "ABCDEFGH" for b in "JKLMNPQRST"][:max(0, recipients // 2 - 1)]
    for n in nations:
        print(f'nation {n} "{n}" {{ agency {n.lower()}-a operator {n.lower()}-b }}'
              .replace("agency in-a", "agency cert-in"))
    types = ["indicator", "malware", "tool", "report", "relationship", "attack-pattern", "campaign"]
    if rules == 1:
        print("release to IN")
        return
    for _ in range(rules - 2):
        who = chance.choice([chance.choice(nations), f"agency of {chance.choice(nations)}",
                             f"{chance.choice(nations[1:] or nations).lower()}-b"])
        what = chance.choice([f"types {chance.choice(types)}", f'label "l{chance.randrange(60)}"',
                              f"tlp:{chance.choice(['clear', 'green', 'amber'])}",
                              f"confidence >= {chance.randrange(100)}",
                              f"tlp:green types {chance.choice(types)}"])
        print(chance.choice(["release", "release", "deny"]), what, "to", who)
    print("release to IN\nrelease tlp:clear to any")


def split():
    print('nation IN "IN" { agency cert-in }\nnation JP "JP" { agency '
          + ", ".join(f"a{n}" for n in range(101)) + " }")
    for n in range(101):
        print(f"release confidence = {n} to a{n}")


def objects(count):
    chance = random.Random(2)
    tlp = ["94868c89-83c2-464b-929b-a1a8aa3c8487", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
           "55d920b0-5e8b-4f79-9ee9-91f868d9b421"]
    for n in range(count):
        u = uuid.UUID(int=chance.getrandbits(128), version=4)
        address = f"198.51.{n >> 8 & 255}.{n & 255}"
        print(f'{{"type":"indicator","spec_version":"2.1","id":"indicator--{u}",'
              f'"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",'
              f'"name":"Host {n} of a list that is long enough to be one","indicator_types":["malicious-activity"],'
              f'"labels":["l{n % 60}"],"confidence":{n % 101},'
              f'"pattern":"[ipv4-addr:value = \'{address}\']","pattern_type":"stix",'
              f'"valid_from":"2026-01-01T00:00:00Z",'
              f'"object_marking_refs":["marking-definition--{tlp[n % 3]}"]}}')


if __name__ == "__main__":
    if sys.argv[1] == "split":
        split()
    elif sys.argv[1] == "conf":
        conf(int(sys.argv[2]), int(sys.argv[3]))
    else:
        objects(int(sys.argv[2]))
