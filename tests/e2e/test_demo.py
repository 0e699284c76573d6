"""`make demo`, after the build: what it tells, and that it leaves nothing behind."""
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from setu_node import ROOT, SETU, indicator


def demo(tmp_path, **more):
    ran = subprocess.run([ROOT / "scripts/demo", Path(SETU).parent], capture_output=True, text=True,
                         timeout=600, env={**os.environ, "TMPDIR": str(tmp_path), **more})
    return ran.returncode, ran.stdout + ran.stderr


def test_demo(tmp_path):
    status, told = demo(tmp_path)
    assert status == 0 and "FAILED" not in told, told
    for part in ('line 40: deny label "national-only"', "0 missing, 0 false", "a government body",
                 "arjun of CERT-In approves the incident: it is approved", "14 withheld, 3 redacted",
                 "by line 31: quarantine from any if warninglist", "newly released to NISC: 1."):
        assert part in told, (part, told)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tlp", [None, "red"])
def test_demo_with_a_bundle(tmp_path, tlp):
    """Also one of which Japan gets nothing."""
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps({"type": "bundle", "id": "bundle--" + indicator()["id"][11:],
                                  "objects": [indicator(n, tlp) for n in range(3)]}))
    status, told = demo(tmp_path, BUNDLE=str(bundle))
    assert status == 0 and "FAILED" not in told, told
    assert f"{0 if tlp else 3} of 3 objects" in told
    assert list(tmp_path.iterdir()) == [bundle]


@pytest.mark.parametrize("text", [None, "nonsense", '{"objects":[]}'])
def test_demo_with_what_is_no_bundle(tmp_path, text):
    bundle = tmp_path / "bundle.json"
    if text:
        bundle.write_text(text)
    status, told = demo(tmp_path, BUNDLE=str(bundle))
    assert status != 0 and str(bundle) in told
    assert len(list(tmp_path.iterdir())) == bool(text)


def test_demo_keeps_its_nodes(tmp_path):
    """They hold on to nothing of the demo's: who reads what it tells comes to its end."""
    ran = subprocess.Popen([ROOT / "scripts/demo", Path(SETU).parent], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True,
                           env={**os.environ, "TMPDIR": str(tmp_path), "KEEP": "1"})
    told = []
    reader = threading.Thread(target=lambda: told.extend(ran.stdout), daemon=True)
    reader.start()
    status = ran.wait(600)
    reader.join(20)
    ended, told = not reader.is_alive(), "".join(told)
    kept = re.search(r"To end them: kill (\d+) (\d+); rm -r (\S+)", told)
    assert status == 0 and kept, told
    for pid in map(int, kept.groups()[:2]):
        os.kill(pid, signal.SIGTERM)
    assert ended and Path(kept[3], "india/setu.db").exists()
    assert len(re.findall(r"^ +\S+ setu_\S+$", told, re.M)) == 4
