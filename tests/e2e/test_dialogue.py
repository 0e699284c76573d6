"""`setu dialogue read`: what it prints, where it reads from, how it ends."""
import json

import pytest

from setu_node import ROOT, setu

GOLDEN = ROOT / "tests/golden/dialogue"


def read(path, status=0):
    ran = setu("dialogue", "read", path, "--json", status=status)
    lines = ran.stdout.splitlines()
    assert len(lines) == 1, ran.stdout
    return json.loads(lines[0])


def test_founding_document():
    got = read(GOLDEN / "founding.txt")
    assert got["round"]["ordinal"] == 4 and got["round"]["date"] == "2022-07-01"
    assert [h["side"] for h in got["round"]["heads"]] == ["IN", "JP"]
    said = {f["rule"]: f["message"] for f in got["findings"]}
    assert said["weekday-date"] == "2022-07-01 was a Friday; the text says Thursday"
    assert "2022-06-30 (a Thursday)" in said["date-register"]
    assert "after a fourth a fifth is due" in said["next-ordinal"]
    assert "Yutaka Arima" in said["head-side-unstated"] and "7G" in said["claim-unsupported"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda p: p.stem)
def test_every_field_is_there_and_people_can_read_it(path):
    status = 1 if path.stem.startswith("none-") else 0
    got = read(path, status)
    assert set(got) == {"round", "findings"} and len(got["round"]) == 18
    for finding in got["findings"]:
        assert set(finding) == {"rule", "message", "evidence"} and finding["message"]
    if status:
        assert set(got["round"].values()) == {None}
        assert [f["rule"] for f in got["findings"]] == ["no-dialogue"]
    lines = setu("dialogue", "read", path, status=status).stdout
    for finding in got["findings"]:
        assert f"{finding['rule']}: " in lines
    for head in got["round"]["heads"] or []:
        assert not head["side"] or head["name"] in lines


def test_standard_input():
    text = (GOLDEN / "in-eu-7.txt").read_text()
    ran = setu("dialogue", "read", "-", "--json", stdin=text)
    assert json.loads(ran.stdout) == read(GOLDEN / "in-eu-7.txt")


def test_carriage_returns_change_nothing(tmp_path):
    text = (GOLDEN / "in-jp-5-official.txt").read_bytes()
    (tmp_path / "dos.txt").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    got, plain = read(tmp_path / "dos.txt"), read(GOLDEN / "in-jp-5-official.txt")
    assert {k: v for k, v in got["round"].items() if k not in ("evidence", "heads", "next_round")} == \
        {k: v for k, v in plain["round"].items() if k not in ("evidence", "heads", "next_round")}


@pytest.mark.parametrize("content, status, words", [
    (None, 3, "No such file"), (b"caf\xe9", 1, "UTF-8"), (b"a " * (1 << 20), 3, "too large"),
])
def test_what_cannot_be_read(tmp_path, content, status, words):
    path = tmp_path / "statement.txt"
    if content is not None:
        path.write_bytes(content)
    ran = setu("dialogue", "read", path, status=status)
    assert ran.stdout == "" and ran.stderr.startswith("setu dialogue read: ")
    assert len(ran.stderr.splitlines()) == 1
    if words != "too large":
        assert words in ran.stderr
