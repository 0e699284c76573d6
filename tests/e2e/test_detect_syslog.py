"""setu detect --syslog: messages over UDP and TCP, in both framings, and a slow reader of alerts."""
import json
import re
import signal
import socket
import subprocess
import threading

import pytest

from setu_node import wait_for
from test_detect import SETU, made, run


def values(count):
    return [f"10.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(count)]


class Listener:
    """`setu detect --syslog`; alerts go to a file, or to a pipe that nobody reads yet."""

    def __init__(self, tmp_path, *addresses, pipe=False, count=300, words=()):
        self.out, self.err = tmp_path / "alerts", tmp_path / "err"
        syslog = [w for a in addresses for w in ("--syslog", a)]
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [SETU, "detect", "-i", made(tmp_path / "set", "\n".join(values(count))), *syslog, *words],
                stdout=subprocess.PIPE if pipe else out, stderr=err)
        wait_for(lambda: len(self.names()) == len(addresses), "the addresses")
        self.name = self.names()[0]
        self.ports = [int(n.rsplit(":", 1)[1]) for n in self.names()]

    def names(self):
        return re.findall(r"listening on (\S+)\n", self.err.read_text())

    def alerts(self):
        text = self.out.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]

    def wait(self, count):
        wait_for(lambda: self.out.read_bytes().count(b"\n") >= count, f"{count} alerts")
        return self.alerts()

    def end(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == status, self.err.read_text()
        return self.err.read_text()


def connect(port, host="127.0.0.1"):
    return socket.create_connection((host, port))


def test_datagrams(tmp_path):
    f = Listener(tmp_path, "udp:127.0.0.1:0")
    one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for s, text in ((one, b"<34>1 2026-11-24T02:14:17Z host app - - - to 10.0.0.1"),
                    (two, b"<13>Nov 24 02:14:17 h a: two\nlines 10.0.0.2\n"),
                    (one, b"x" * 60000 + b" 10.0.0.3"), (two, b"10.0.0.4")):
        s.sendto(text, ("127.0.0.1", f.ports[0]))
    alerts = f.wait(4)
    sender = [f"127.0.0.1:{s.getsockname()[1]}" for s in (one, two)]
    assert [(a["observable"], a["line"], a["sender"]) for a in alerts] == [
        ("10.0.0.1", 1, sender[0]), ("10.0.0.2", 2, sender[1]), ("10.0.0.3", 3, sender[0]), ("10.0.0.4", 4, sender[1])]
    assert [a["offset"] for a in alerts] == [45, 54 + 35, 54 + 45 + 60001, 54 + 45 + 60010]
    assert {a["input"] for a in alerts} == {f.name} and f.name.startswith("udp:127.0.0.1:")
    assert "4 messages, 0 connections, 0 dropped" in f.end()


def test_many_datagrams_at_once_have_their_senders(tmp_path):
    f = Listener(tmp_path, "udp:127.0.0.1:0")
    f.process.send_signal(signal.SIGSTOP)
    senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(40)]
    for n, s in enumerate(senders):
        s.sendto(f"from {n}: 10.0.0.{n}".encode(), ("127.0.0.1", f.ports[0]))
    f.process.send_signal(signal.SIGCONT)
    alerts = f.wait(40)
    assert [(a["observable"], a["sender"]) for a in alerts] == [
        (f"10.0.0.{n}", f"127.0.0.1:{s.getsockname()[1]}") for n, s in enumerate(senders)]
    f.end()


def counted(text):
    return str(len(text)).encode() + b" " + text


def test_both_framings_cut_anywhere(tmp_path):
    """The stream is sent byte by byte, and in every pair of pieces."""
    f = Listener(tmp_path, "tcp:127.0.0.1:0")
    stream = (counted(b"<1>1 first\nsecond 10.0.0.1") + counted(b"<2>10.0.0.2") + b"\n<3>10.0.0.3\r\n" + b"12 apples 10.0.0.4\n" +
              b"99999999 <10.0.0.5>\n" + counted(b"<4>10.0.0.6\n") + b"\n\n10.0.0.7")
    wanted = [(f"10.0.0.{n}", line) for n, line in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7))]
    done = 0
    for cut in [None, *range(1, len(stream))]:
        with connect(f.ports[0]) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in [stream[i:i + 1] for i in range(len(stream))] if cut is None else (stream[:cut], stream[cut:]):
                s.sendall(part)
            sender = f"127.0.0.1:{s.getsockname()[1]}"
        alerts = f.wait(done + 7)[done:]
        assert [(a["observable"], a["line"] - done) for a in alerts] == wanted, cut
        assert {a["sender"] for a in alerts} == {sender}
        done += 7
    assert f"{done} messages, {len(stream)} connections" in f.end()


def test_a_message_longer_than_any_limit(tmp_path):
    """Looked at in pieces: what stands across their borders is found once."""
    f = Listener(tmp_path, "tcp:127.0.0.1:0", "tcp:[::1]:0", count=60000)
    text = b"<1>" + b" ".join(v.encode() for v in values(60000))
    assert len(text) > 2.5 * 256 * 1024
    with connect(f.ports[0]) as s:
        s.sendall(counted(text))
        alerts = f.wait(60000)
    with connect(f.ports[1], "::1") as s:
        s.sendall(text + b"\n")
        alerts = f.wait(120000)
        assert alerts[-1]["sender"].startswith("[::1]:") and alerts[-1]["input"].startswith("tcp:[::1]:")
    for part in (alerts[:60000], alerts[60000:]):
        assert [a["observable"] for a in part] == values(60000)
        assert [text[a["offset"]:a["offset"] + len(a["seen"])].decode() for a in part] == values(60000)
    f.end()


def test_senders_wait_for_a_slow_reader_and_nothing_is_lost(tmp_path):
    f = Listener(tmp_path, "tcp:127.0.0.1:0", pipe=True)
    total, sent = 400000, []

    def send():
        with connect(f.ports[0]) as s:
            for n in range(0, total, 100):
                s.sendall(b"".join(b"%d 10.0.0.1\n" % k for k in range(n, n + 100)))
                sent.append(n)

    sender = threading.Thread(target=send)
    sender.start()
    held = -1
    while held != len(sent):  # until nothing more is taken
        held = len(sent)
        sender.join(1)
    assert 0 < held < total // 100
    seen = [json.loads(f.process.stdout.readline())["line"] for _ in range(total)]
    sender.join()
    assert seen == list(range(1, total + 1))
    f.end()
    f.process.stdout.close()


def test_what_the_kernel_drops_is_told(tmp_path):
    f = Listener(tmp_path, "udp:127.0.0.1:0")
    f.process.send_signal(signal.SIGSTOP)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(2000):
        s.sendto(b"x" * 30000 + b" 10.0.0.1", ("127.0.0.1", f.ports[0]))
    f.process.send_signal(signal.SIGCONT)
    wait_for(lambda: "the system dropped some" in f.err.read_text(), "the warning")
    error = f.end(3)
    messages, dropped = map(int, re.search(r"(\d+) messages, 0 connections, (\d+) dropped", error).groups())
    assert dropped > 0 and messages + dropped == 2000 and len(f.alerts()) == messages


def test_what_had_arrived_at_the_end_is_looked_at(tmp_path):
    f = Listener(tmp_path, "tcp:127.0.0.1:0", "udp:127.0.0.1:0")
    tcp, udp = connect(f.ports[0]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp.sendall(b"10.0.0.1\n")
    f.wait(1)
    f.process.send_signal(signal.SIGSTOP)
    tcp.sendall(b"10.0.0.2\nand 10.0.0.3")
    udp.sendto(b"10.0.0.4", ("127.0.0.1", f.ports[1]))
    f.process.send_signal(signal.SIGTERM)
    f.process.send_signal(signal.SIGCONT)
    f.end()
    assert sorted(a["observable"] for a in f.alerts()) == [f"10.0.0.{n}" for n in range(1, 5)]


def test_more_connections_than_the_limit_wait(tmp_path):
    f = Listener(tmp_path, "tcp:127.0.0.1:0")
    many = [connect(f.ports[0]) for _ in range(256)]
    for s in many:
        s.sendall(b"10.0.0.1\n")
    f.wait(256)
    late = connect(f.ports[0])
    late.sendall(b"10.0.0.2\n")
    many[0].sendall(b"10.0.0.3\n")  # who has a place is served
    assert f.wait(257)[256]["observable"] == "10.0.0.3"
    many[7].close()
    assert f.wait(258)[257]["observable"] == "10.0.0.2"
    for s in [late, *many]:
        s.close()
    f.end()


def test_inputs_come_first(tmp_path):
    log = made(tmp_path / "log", "10.0.0.1\n")
    f = Listener(tmp_path, "udp:127.0.0.1:0", words=[log])
    assert [a["input"] for a in f.wait(1)] == [log]
    assert "sender" not in f.alerts()[0]
    f.end()


@pytest.mark.parametrize("words, status, says", [
    (["--syslog", "127.0.0.1:514"], 2, "udp:HOST:PORT or tcp:HOST:PORT"),
    (["--syslog", "udp:127.0.0.1"], 2, "udp:HOST:PORT"),
    (["--syslog", "tcp:::1:514"], 2, "udp:HOST:PORT"),
    (["--syslog", "tcp::514"], 2, "udp:HOST:PORT"),
    (["--syslog", "udp:127.0.0.1:65536"], 2, "up to 65535"),
    (["--syslog", "tcp:127.0.0.1:4294967297"], 2, "up to 65535"),
    (["--syslog", "tcp:127.0.0.1:-1"], 2, "up to 65535"),
    (["--syslog", "udp:127.0.0.1:http-no"], 3, "udp:127.0.0.1:http-no"),
    (["--syslog", "tcp:192.0.2.1:514"], 3, "cannot listen on tcp:192.0.2.1:514"),
    (["--syslog", "udp:127.0.0.1:0", "-f", "x"], 2, "--syslog"),
    (["--syslog", "udp:127.0.0.1:0", "--interface", "lo"], 2, "--syslog"),
    (["--syslog", "udp:127.0.0.1:0"] * 17, 2, "at most 16"),
])
def test_what_is_no_address(tmp_path, words, status, says):
    got, out, error = run("detect", "-i", made(tmp_path / "set", "10.0.0.1"), *words)
    assert (got, out) == (status, b"") and says in error
