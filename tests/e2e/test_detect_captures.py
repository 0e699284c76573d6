"""Several captures in one run are one network: a tap of N4 and N2 beside one of N3."""

import json
import struct

import pytest

from test_detect import CORPUS, run

FOLDER = CORPUS / "5g"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"no {FOLDER} (SETU_CORPUS)")
WHOLE = [FOLDER / "real" / "5greplay-oai.pcap", *sorted((FOLDER / "derived").glob("*.pcap"))]
GTPU = 2152


def records(data):
    """Header of the file, then each record, of a pcap of little-endian order."""
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    at = 24
    while at < len(data):
        end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:end]
        at = end


def is_user(record, link):
    """A datagram to or from port 2152 over plain IPv4; fragments count as well."""
    packet = record[16 + {1: 14, 113: 16}[link]:]
    if packet[:1] != b"\x45" or packet[9] != 17:
        return False
    return GTPU in struct.unpack_from(">HH", packet, 20) or packet[6:8] not in (b"\0\0", b"\x40\0")


@pytest.fixture
def detect(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("montimage.com\nioc.example\n")

    def run_on(*paths):
        status, out, error = run("detect", "--5g", "--5g-key", str(tmp_path / "key"), "-i",
                                 str(names), *map(str, paths))
        assert status in (0, 1), error
        figures = [line for line in error.splitlines() if " frames" in line]
        return [json.loads(line) for line in out.splitlines()], figures

    return run_on


def split(path, folder):
    """Two captures of one, and where each frame of theirs stands in it."""
    data = path.read_bytes()
    link = struct.unpack_from("<I", data, 20)[0]
    parts = {folder / "n3.pcap": [], folder / "core.pcap": []}
    place = {}
    for number, record in enumerate(records(data), 1):
        part = folder / ("n3.pcap" if is_user(record, link) else "core.pcap")
        parts[part].append(record)
        place[str(part), len(parts[part])] = number
    for part, list_of in parts.items():
        part.write_bytes(data[:24] + b"".join(list_of))
    return list(parts), place


def told(alerts, place):
    """As of the whole capture; what is of one instant has no order."""
    for a in alerts:
        a["frame"] = place[a["input"], a["frame"]]
        del a["input"]
    return sorted(json.dumps(a) for a in alerts)


@pytest.mark.parametrize("path", WHOLE, ids=lambda p: p.name)
def test_two_taps_say_what_one_capture_says(path, detect, tmp_path):
    whole, figures = detect(path)
    parts, place = split(path, tmp_path)
    assert all(p.stat().st_size > 24 for p in parts) or path.name.startswith(("1", "08"))
    expected = told(whole, {(str(path), n): n for n in place.values()})
    for order in (parts, parts[::-1]):
        alerts, together = detect(*order)
        assert told(alerts, place) == expected
        assert [f.split(":", 1)[1] for f in together] == [f.split(":", 1)[1] for f in figures]
        assert together[0].startswith("2 captures: ")


def test_an_alert_names_its_file_and_its_session(detect, tmp_path):
    """Alone the tap of N3 knows no session; the name is asked for in tunnels and, again, outside."""
    parts, _ = split(WHOLE[0], tmp_path)
    assert {a.get("session") for a in detect(parts[0])[0]} == {None}
    alerts, _ = detect(*parts)
    sessions = {a["session"] for a in alerts if a["input"] == str(parts[0])}
    assert len(sessions) == 1 and None not in sessions
    assert {a["input"] for a in alerts} == {str(p) for p in parts}


def test_a_damaged_one_does_not_end_the_others(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("montimage.com\n")
    parts, _ = split(WHOLE[0], tmp_path)
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(WHOLE[0].read_bytes()[:3000])
    status, out, error = run("detect", "-i", str(names), str(damaged), *map(str, parts))
    assert status == 3 and f"{damaged} is damaged behind frame" in error
    assert {json.loads(line)["input"] for line in out.splitlines()} >= {str(p) for p in parts}


def test_what_was_learned_is_forgotten_after_a_day(detect, tmp_path):
    """The same capture two days later is another network."""
    data = WHOLE[0].read_bytes()
    later = tmp_path / "later.pcap"
    later.write_bytes(data[:24] + b"".join(
        struct.pack("<I", struct.unpack_from("<I", r)[0] + 2 * 86400) + r[4:] for r in records(data)))
    alerts, figures = detect(later, WHOLE[0])
    once, figure = detect(WHOLE[0])
    assert len(alerts) == 2 * len(once)
    assert [f.split(":", 1)[1] for f in figures] == 2 * [figure[0].split(":", 1)[1]]
