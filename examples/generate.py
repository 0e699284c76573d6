#!/usr/bin/env python3
"""Makes the example bundles, logs and expected alerts; the same bytes on every run.

    python3 examples/generate.py           write the files
    python3 examples/generate.py --check   say which committed files differ; exit 1 if any

The bundles stand in cases.py. Here stand the logs of Tsubame 5G, the invented Japanese operator:
background lines, and planted between them the rows of HITS and NEAR_MISSES. What HITS says is
what `setu detect` must find with the indicators the operator may read; no run of Setu is behind it.
"""
import argparse
import ipaddress
import json
import random
import re
import string
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
import cases  # noqa: E402
from cases import digest  # noqa: E402

HERE = Path(__file__).resolve().parent
READER = "tsubame-5g"
DAY = 1789344000  # 2026-09-14T00:00:00Z

LINES = {  # lines of each log, Zeek's header and footer lines included
    "eve.json": 1600,
    "zeek-conn.log": 2200,
    "zeek-dns.log": 2000,
    "zeek-http.json": 800,
    "nginx-access.log": 1400,
    "bind-query.log": 1000,
    "syslog.log": 1000,
}

# ---- chance: only random() is promised to give the same numbers in every Python ----


class Chance(random.Random):
    def below(self, n):
        return int(self.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def hex(self, digits):
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))


# ---- the operator's quiet day ----

HOSTS = ["www", "cdn", "mail", "img", "api", "login", "static", "ntp1", "updates", "news", "m",
         "portal"]
ZONES = ["example.com", "example.org", "tsubame-5g.example", "handset.test", "roaming-hub.test",
         "city-news.example", "weather.example", "bank.test", "maps.example.net", "video.test",
         "shop.example.com", "school.example"]
PATHS = ["/", "/index.html", "/login", "/img/logo.png", "/css/site.css", "/api/v1/status",
         "/search?q=5g", "/news/2026/09", "/video/playlist.m3u8", "/js/app.js", "/plans",
         "/support/contact"]
AGENTS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
          "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile",
          "curl/8.5.0", "python-requests/2.32.3", "okhttp/4.12.0"]
STAFF = ["hanako", "kenji", "noc", "billing", "roaming-desk", "ayumi"]


def client(r):
    return f"10.{r.below(64)}.{r.below(256)}.{1 + r.below(254)}"


def server(r):
    """Documentation addresses that no indicator names."""
    return r.pick([f"192.0.2.{1 + r.below(60)}", f"198.51.100.{128 + r.below(60)}",
                   f"203.0.113.{128 + r.below(60)}"])


def client6(r):
    return f"2001:db8:c11e:{r.below(4096):x}::{1 + r.below(65535):x}"


def server6(r):
    return f"2001:db8:feed:{r.below(16):x}::{1 + r.below(4096):x}"


def name(r):
    return f"{r.pick(HOSTS)}.{r.pick(ZONES)}"


def url(r):
    return f"{r.pick(['https', 'https', 'http'])}://{name(r)}{r.pick(PATHS)}"


def port(r):
    return 1024 + r.below(64000)


def zeek_id(r, letter="C"):
    return letter + "".join(r.pick(string.ascii_letters + string.digits) for _ in range(17))


# ---- events: (chance, instant, what the row sets) to one line ----


def eve(r, t, kind, proto, dest_port, body, src=None, dst=None):
    """Suricata prints IPv6 without compression and slashes escaped."""
    def spell(address):
        return ipaddress.ip_address(address).exploded
    if src is None and dst is None and r.below(12) == 0:
        src, dst = client6(r), server6(r)
    head = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(t))
        + f"{r.below(10**6):06}+0000",
        "flow_id": r.below(10**15), "in_iface": "n6-tap0", "event_type": kind,
        "src_ip": spell(src or client(r)), "src_port": port(r),
        "dest_ip": spell(dst or server(r)), "dest_port": dest_port, "proto": proto,
    }
    return json.dumps(head | body, separators=(",", ":")).replace("/", "\\/")


def eve_dns(r, t, rrname=None, address=None):
    rrname = rrname or name(r)
    if address is None and r.below(2):
        return eve(r, t, "dns", "UDP", 53, {"dns": {
            "type": "query", "id": r.below(65536), "rrname": rrname, "rrtype": "A", "tx_id": 0,
            "opcode": 0}})
    answer = {"rrname": rrname, "rrtype": "A", "ttl": r.below(3600), "rdata": address or server(r)}
    return eve(r, t, "dns", "UDP", 53, {"dns": {
        "version": 2, "type": "answer", "id": r.below(65536), "flags": "8180", "qr": True,
        "rd": True, "ra": True, "opcode": 0, "rrname": rrname, "rrtype": "A",
        "rcode": "NOERROR", "answers": [answer]}})


def eve_flow(r, t, src=None, dst=None):
    return eve(r, t, "flow", "TCP", 443, {"app_proto": "tls", "flow": {
        "pkts_toserver": r.below(100), "pkts_toclient": r.below(100),
        "bytes_toserver": r.below(10**5), "bytes_toclient": r.below(10**6), "age": r.below(300),
        "state": "closed", "reason": "timeout", "alerted": False}}, src, dst)


def eve_http(r, t, hostname=None, path=None, refer=None):
    return eve(r, t, "http", "TCP", 80, {"tx_id": 0, "http": {
        "hostname": hostname or name(r), "url": path or r.pick(PATHS),
        "http_user_agent": r.pick(AGENTS), "http_content_type": "text/html",
        "http_refer": refer or url(r), "http_method": "GET", "protocol": "HTTP/1.1",
        "status": 200, "length": r.below(10**5)}})


def eve_tls(r, t, sni=None):
    sni = sni or name(r)
    return eve(r, t, "tls", "TCP", 443, {"tls": {
        "issuerdn": "C=JP, O=Example Trust, CN=Example CA 3", "sni": sni, "version": "TLS 1.3",
        "ja3": {"hash": r.hex(32)}}})


def eve_file(r, t, md5=None, sha1=None, sha256=None):
    return eve(r, t, "fileinfo", "TCP", 80, {"app_proto": "http", "fileinfo": {
        "filename": r.pick(PATHS), "gaps": False, "state": "CLOSED", "md5": md5 or r.hex(32),
        "sha1": sha1 or r.hex(40), "sha256": sha256 or r.hex(64), "stored": False,
        "size": r.below(10**6), "tx_id": 0}})


def eve_mail(r, t, sender=None):
    sender = sender or f"{r.pick(STAFF)}@{r.pick(ZONES)}"
    return eve(r, t, "smtp", "TCP", 25, {"tx_id": 0, "smtp": {
        "helo": name(r), "mail_from": f"<{sender}>",
        "rcpt_to": [f"<{r.pick(STAFF)}@tsubame-5g.example>"]}})


def zeek_row(t, r, *fields):
    return "\t".join([f"{t}.{r.below(10**6):06}", *map(str, fields)])


def zeek_conn(r, t, orig=None, resp=None):
    if orig is None and resp is None and r.below(10) == 0:
        orig, resp = client6(r), server6(r)
    service, resp_p = r.pick([("ssl", 443), ("ssl", 443), ("http", 80), ("-", 2152), ("dns", 53)])
    return zeek_row(t, r, zeek_id(r), orig or client(r), port(r), resp or server(r), resp_p,
                    "udp" if resp_p in (53, 2152) else "tcp", service,
                    f"{r.below(90)}.{r.below(10**6):06}", r.below(10**4), r.below(10**6), "SF",
                    "T", "F", 0, "ShADadFf", r.below(100), r.below(10**4), r.below(100),
                    r.below(10**6), "-")


def zeek_dns(r, t, query=None, answers=None):
    if answers is None:
        answers = r.pick(["-", server(r), f"{server(r)},{server(r)}"])
    ttls = ",".join("60.000000" for _ in answers.split(",")) if answers != "-" else "-"
    qtype = r.pick([(1, "A"), (1, "A"), (28, "AAAA")]) if answers == "-" else (1, "A")
    return zeek_row(t, r, zeek_id(r), client(r), port(r), "10.0.0.53", 53, "udp", r.below(65536),
                    f"0.{r.below(10**5):06}", query or name(r), 1, "C_INTERNET", *qtype, 0,
                    "NOERROR", "F", "F", "T", "T", 0, answers, ttls, "F")


def zeek_http(r, t, host=None, uri=None, referrer=None, username=None):
    user = {"username": username} if username else {}
    return json.dumps({
        "ts": float(f"{t}.{r.below(10**6):06}"), "uid": zeek_id(r), "id.orig_h": client(r),
        "id.orig_p": port(r), "id.resp_h": server(r), "id.resp_p": 80, "trans_depth": 1,
        "method": "GET", "host": host or name(r), "uri": uri or r.pick(PATHS),
        "referrer": referrer or url(r), "version": "1.1", "user_agent": r.pick(AGENTS),
        "request_body_len": 0, "response_body_len": r.below(10**6), "status_code": 200,
        "status_msg": "OK", "tags": [], **user, "resp_fuids": [zeek_id(r, "F")],
        "resp_mime_types": ["text/html"]}, separators=(",", ":"))


def nginx(r, t, remote=None, target=None, referrer=None, agent=None):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))
    if remote is None:
        remote = client6(r) if r.below(10) == 0 else client(r)
    return (f'{remote} - - [{stamp}] "{"GET" if r.below(8) else "POST"} '
            f'{target or r.pick(PATHS)} HTTP/1.1" {200 if r.below(10) else 404} '
            f'{r.below(10**6)} "{referrer or r.pick(["-", url(r)])}" "{agent or r.pick(AGENTS)}"')


def bind(r, t, asked=None, who=None):
    """BIND names the question twice on its line."""
    stamp = time.strftime("%d-%b-%Y %H:%M:%S", time.gmtime(t)) + f".{r.below(1000):03}"
    asked = asked or name(r)
    return (f"{stamp} queries: info: client @0x7f{r.hex(10)} {who or client(r)}#{port(r)} "
            f"({asked}): query: {asked} IN {r.pick(['A', 'A', 'AAAA', 'MX'])} +E(0)K (10.0.0.53)")


def syslog(r, t, program=None, text=None):
    stamp = time.strftime("%b %d %H:%M:%S", time.gmtime(t))
    if program is None:
        program, text = r.pick([
            ("sshd[{}]", f"Failed password for invalid user {r.pick(STAFF)} from {server(r)} port "
                         f"{port(r)} ssh2"),
            ("unbound[{}]", f"info: {client(r)} {name(r)}. A IN"),
            ("postfix/qmgr[{}]", f"{r.hex(10).upper()}: from=<{r.pick(STAFF)}@{r.pick(ZONES)}>, "
                                 f"size={r.below(10**5)}, nrcpt=1 (queue active)"),
            ("kernel", f"upf-drop: IN=n6 OUT= SRC={server(r)} DST=10.0.0.{1 + r.below(254)} "
                       f"LEN={r.below(1500)} TTL={r.below(255)} PROTO=TCP SPT={port(r)} DPT=22"),
            ("auditd[{}]", f"exec=/usr/bin/{r.pick(STAFF)} sha256={r.hex(64)} ok"),
            ("upf[{}]", f"GTP-U path to {server(r)}:2152 up, {r.below(4000)} sessions"),
            ("systemd[1]", f"Started session {r.below(10**4)} of user {r.pick(STAFF)}."),
        ])
    return f"{stamp} tsb-core{1 + r.below(6):02} {program.format(r.below(65536))}: {text}"


def ticket(r, t, text):
    """What people write: defanged values in sentences."""
    return syslog(r, t, "soc-ticket[{}]", text)


def tail(r, t, text):
    return syslog(r, t, "fim[{}]", text)


QUIET = {  # background events of each log; one named twice is twice as frequent
    "eve.json": [eve_dns, eve_dns, eve_dns, eve_flow, eve_flow, eve_http, eve_tls, eve_tls,
                 eve_file, eve_mail],
    "zeek-conn.log": [zeek_conn],
    "zeek-dns.log": [zeek_dns],
    "zeek-http.json": [zeek_http],
    "nginx-access.log": [nginx],
    "bind-query.log": [bind],
    "syslog.log": [syslog],
}


def zeek_header(path, fields, types):
    return ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-",
            f"#path\t{path}", "#open\t2026-09-14-00-00-00", "#fields\t" + "\t".join(fields.split()),
            "#types\t" + "\t".join(types.split())]


HEADERS = {
    "zeek-conn.log": zeek_header(
        "conn",
        "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes "
        "resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes "
        "resp_pkts resp_ip_bytes tunnel_parents",
        "time string addr port addr port enum string interval count count string bool bool count "
        "string count count count count set[string]"),
    "zeek-dns.log": zeek_header(
        "dns",
        "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass "
        "qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected",
        "time string addr port addr port enum count interval string count string count string "
        "count string bool bool bool bool count vector[string] vector[interval] bool"),
}
FOOTERS = dict.fromkeys(HEADERS, ["#close\t2026-09-15-00-00-00"])

# ---- what is planted ----


def hit(log, event, sets, *alerts):
    """Each alert: indicator's key, kind, relation, the bytes as they stand on the line."""
    return log, event, sets, [a.split() for a in alerts]


MD5 = digest("md5", "loader")
SHA1 = digest("sha1", "config")
SHA256 = digest("sha256", "implant")
SHA512 = digest("sha512", "plugin")

HITS = [
    # Names: as they are, other case, below the indicator, in every DNS log.
    hit("eve.json", eve_dns, {"rrname": "AMF-Updates.EXAMPLE"},
        "amf-domain domain exact AMF-Updates.EXAMPLE"),
    hit("eve.json", eve_dns, {"rrname": "a7.k2.gtpu-echo.example.net"},
        "echo-domain domain subdomain a7.k2.gtpu-echo.example.net"),
    hit("eve.json", eve_tls, {"sni": "pcf-mirror.example"},
        "mirror-set domain exact pcf-mirror.example"),
    hit("zeek-dns.log", zeek_dns, {"query": "amf-updates.example"},
        "amf-domain domain exact amf-updates.example"),
    hit("zeek-dns.log", zeek_dns, {"query": "gTpU-EcHo.ExAmPlE.nEt"},
        "echo-domain domain exact gTpU-EcHo.ExAmPlE.nEt"),
    hit("zeek-dns.log", zeek_dns, {"query": "t0.x9.nssf-mirror.example"},
        "mirror-set domain subdomain t0.x9.nssf-mirror.example"),
    hit("zeek-dns.log", zeek_dns, {"query": "ausf-keys.example"},
        "key-names domain exact ausf-keys.example"),
    hit("zeek-dns.log", zeek_dns, {"query": "ir21-portal.example"},
        "portal-names domain exact ir21-portal.example"),
    hit("zeek-dns.log", zeek_dns, {"query": "www.ir21-portal.example.org"},
        "portal-names domain subdomain www.ir21-portal.example.org"),
    hit("zeek-dns.log", zeek_dns, {"answers": "edge.pcf-mirror.example,192.0.2.10"},
        "mirror-set domain subdomain edge.pcf-mirror.example"),
    hit("zeek-http.json", zeek_http, {"host": "nssf-mirror.example"},
        "mirror-set domain exact nssf-mirror.example"),
    hit("bind-query.log", bind, {"asked": "amf-updates.example"},
        "amf-domain domain exact amf-updates.example"),
    hit("bind-query.log", bind, {"asked": "ROAMING-INVOICE.EXAMPLE"},
        "invoice-domain domain exact ROAMING-INVOICE.EXAMPLE"),
    hit("bind-query.log", bind, {"asked": "ns1.ausf-keys.example"},
        "key-names domain subdomain ns1.ausf-keys.example"),
    hit("bind-query.log", bind, {"asked": "ir21-portal.example.org"},
        "portal-names domain exact ir21-portal.example.org"),
    hit("bind-query.log", bind, {"asked": "pcf-mirror.example"},
        "mirror-set domain exact pcf-mirror.example"),
    hit("bind-query.log", bind, {"asked": "beacon.seid-table.example"},
        "granular-name domain exact beacon.seid-table.example"),
    hit("syslog.log", syslog, {"program": "unbound[{}]",
                               "text": "info: 10.3.9.17 amf-updates.example. A IN"},
        "amf-domain domain exact amf-updates.example."),
    hit("syslog.log", syslog, {"program": "unbound[{}]",
                               "text": "info: 10.3.9.18 MX1.Roaming-Invoice.example. AAAA IN"},
        "invoice-domain domain subdomain MX1.Roaming-Invoice.example."),
    # IPv4: single, from a list, first and last of a range, behind a port, in IPv6 dress.
    hit("zeek-conn.log", zeek_conn, {"resp": "198.51.100.23"},
        "c2-address ipv4 exact 198.51.100.23"),
    hit("zeek-conn.log", zeek_conn, {"resp": "203.0.113.64"},
        "relay-range ipv4 inside 203.0.113.64"),
    hit("zeek-conn.log", zeek_conn, {"resp": "203.0.113.79"},
        "relay-range ipv4 inside 203.0.113.79"),
    hit("zeek-conn.log", zeek_conn, {"resp": "192.0.2.128"},
        "staging-range ipv4 inside 192.0.2.128"),
    hit("zeek-conn.log", zeek_conn, {"orig": "192.0.2.159"},
        "staging-range ipv4 inside 192.0.2.159"),
    hit("zeek-conn.log", zeek_conn, {"orig": "203.0.113.33"},
        "sender-address ipv4 exact 203.0.113.33"),
    hit("zeek-conn.log", zeek_conn, {"orig": "203.0.113.9"},
        "scanner-addresses ipv4 exact 203.0.113.9"),
    hit("zeek-dns.log", zeek_dns, {"answers": "192.0.2.11,198.51.100.42"},
        "scanner-addresses ipv4 exact 198.51.100.42"),
    hit("eve.json", eve_dns, {"address": "198.51.100.41"},
        "scanner-addresses ipv4 exact 198.51.100.41"),
    hit("eve.json", eve_flow, {"dst": "203.0.113.70"}, "relay-range ipv4 inside 203.0.113.70"),
    hit("zeek-http.json", zeek_http, {"host": "198.51.100.23:8080"},
        "c2-address ipv4 exact 198.51.100.23"),
    hit("nginx-access.log", nginx, {"remote": "203.0.113.33"},
        "sender-address ipv4 exact 203.0.113.33"),
    hit("nginx-access.log", nginx, {"remote": "::ffff:203.0.113.70"},
        "relay-range ipv4 inside ::ffff:203.0.113.70"),
    hit("nginx-access.log", nginx, {"remote": "::ffff:c633:6417"},
        "c2-address ipv4 exact ::ffff:c633:6417"),
    hit("bind-query.log", bind, {"who": "192.0.2.131"}, "staging-range ipv4 inside 192.0.2.131"),
    hit("syslog.log", syslog, {"program": "upf[{}]",
                               "text": "GTP-U path to 198.51.100.23:2152 up, 3 sessions"},
        "c2-address ipv4 exact 198.51.100.23"),
    hit("syslog.log", syslog, {"program": "sshd[{}]",
                               "text": "Connection closed by 203.0.113.33 port 40112 [preauth]"},
        "sender-address ipv4 exact 203.0.113.33"),
    hit("syslog.log", syslog, {"program": "kernel",
                               "text": "upf-drop: IN=n6 SRC=192.0.2.150 DST=10.0.0.8 LEN=60"},
        "staging-range ipv4 inside 192.0.2.150"),
    hit("syslog.log", ticket, {"text": "asked the carrier about 203[.]0[.]113[.]9, no answer yet"},
        "scanner-addresses ipv4 exact 203[.]0[.]113[.]9"),
    # IPv6: compressed, uncompressed, upper case, bracketed, first and last of a range.
    hit("eve.json", eve_flow, {"src": "2001:db8:c11e:1::9", "dst": "2001:db8:5e7a::c2"},
        "c2-address6 ipv6 exact 2001:0db8:5e7a:0000:0000:0000:0000:00c2"),
    hit("eve.json", eve_flow, {"src": "3fff:5e7:27::51", "dst": "2001:db8:c11e:1::a"},
        "relay-range6 ipv6 inside 3fff:05e7:0027:0000:0000:0000:0000:0051"),
    hit("zeek-conn.log", zeek_conn, {"orig": "2001:db8:c11e:1::b", "resp": "2001:db8:5e7a::c2"},
        "c2-address6 ipv6 exact 2001:db8:5e7a::c2"),
    hit("zeek-conn.log", zeek_conn,
        {"orig": "2001:db8:c11e:1::c", "resp": "3fff:5e7:2f:ffff:ffff:ffff:ffff:ffff"},
        "relay-range6 ipv6 inside 3fff:5e7:2f:ffff:ffff:ffff:ffff:ffff"),
    hit("zeek-dns.log", zeek_dns, {"answers": "3fff:5e7:20::1"},
        "relay-range6 ipv6 inside 3fff:5e7:20::1"),
    hit("zeek-http.json", zeek_http, {"host": "[2001:db8:5e7a::c2]"},
        "c2-address6 ipv6 exact 2001:db8:5e7a::c2"),
    hit("nginx-access.log", nginx, {"remote": "3fff:5e7:2a::77"},
        "relay-range6 ipv6 inside 3fff:5e7:2a::77"),
    hit("syslog.log", syslog, {"program": "upf[{}]",
                               "text": "GTP-U path to [3fff:5e7:20::8]:2152 up, 1 sessions"},
        "relay-range6 ipv6 inside 3fff:5e7:20::8"),
    hit("syslog.log", ticket, {"text": "peer is 2001:DB8:5E7A:0:0::C2 according to the partner"},
        "c2-address6 ipv6 exact 2001:DB8:5E7A:0:0::C2"),
    # URLs: escaped, upper-case host, default port, fragment; their hosts raise alerts of their own.
    hit("eve.json", eve_http, {"refer": "http://cdn.amf-updates.example/patch/ngap.bin"},
        r"loader-url url exact http:\/\/cdn.amf-updates.example\/patch\/ngap.bin",
        "amf-domain domain subdomain cdn.amf-updates.example"),
    hit("eve.json", eve_http, {"path": "http://198.51.100.61:8088/seid/list.txt"},
        r"mirror-set url exact http:\/\/198.51.100.61:8088\/seid\/list.txt"),
    hit("zeek-http.json", zeek_http, {"uri": "http://CDN.amf-updates.example:80/patch/ngap.bin"},
        "loader-url url exact http://CDN.amf-updates.example:80/patch/ngap.bin",
        "amf-domain domain subdomain CDN.amf-updates.example"),
    hit("zeek-http.json", zeek_http,
        {"referrer": "https://login.roaming-invoice.example/tap3/session"},
        "session-url url exact https://login.roaming-invoice.example/tap3/session",
        "invoice-domain domain subdomain login.roaming-invoice.example"),
    hit("zeek-http.json", zeek_http,
        {"referrer": "https://portal.upf-health.example:443/api/v2/beat#top"},
        "beat-url url exact https://portal.upf-health.example:443/api/v2/beat#top"),
    hit("nginx-access.log", nginx,
        {"referrer": "HTTPS://Portal.UPF-Health.example/api/v2/beat"},
        "beat-url url exact HTTPS://Portal.UPF-Health.example/api/v2/beat"),
    hit("nginx-access.log", nginx, {"target": "http://198.51.100.61:8088/seid/list.txt"},
        "mirror-set url exact http://198.51.100.61:8088/seid/list.txt"),
    hit("syslog.log", ticket,
        {"text": "user opened hxxp://cdn[.]amf-updates[.]example/patch/ngap.bin at 09:12"},
        "loader-url url exact hxxp://cdn[.]amf-updates[.]example/patch/ngap.bin",
        "amf-domain domain subdomain cdn[.]amf-updates[.]example"),
    hit("syslog.log", ticket,
        {"text": "mail had a link <hxxps://login[.]roaming-invoice[.]example/tap3/session>"},
        "session-url url exact hxxps://login[.]roaming-invoice[.]example/tap3/session",
        "invoice-domain domain subdomain login[.]roaming-invoice[.]example"),
    # Only the host of a URL is known.
    hit("eve.json", eve_http, {"refer": "https://www.gtpu-echo.example.net/peers?page=2"},
        "echo-domain domain subdomain www.gtpu-echo.example.net"),
    hit("zeek-http.json", zeek_http, {"referrer": "http://cdn.amf-updates.example/Patch/NGAP.bin"},
        "amf-domain domain subdomain cdn.amf-updates.example"),
    hit("nginx-access.log", nginx, {"referrer": "http://192.0.2.140/x.js"},
        "staging-range ipv4 inside 192.0.2.140"),
    hit("nginx-access.log", nginx, {"referrer": "http://[3fff:5e7:21::9]:8080/status"},
        "relay-range6 ipv6 inside 3fff:5e7:21::9"),
    hit("nginx-access.log", nginx, {"referrer": "https://roaming-invoice.example/"},
        "invoice-domain domain exact roaming-invoice.example"),
    # Mail addresses: upper-case domain, defanged; the domain raises an alert of its own.
    hit("eve.json", eve_mail, {"sender": "noc-support@ipx-clearing.example"},
        "clearing-mail email exact noc-support@ipx-clearing.example"),
    hit("eve.json", eve_mail, {"sender": "settlement@ROAMING-INVOICE.example"},
        "settlement-mail email exact settlement@ROAMING-INVOICE.example",
        "invoice-domain domain exact ROAMING-INVOICE.example"),
    hit("eve.json", eve_mail, {"sender": "info@bounce.roaming-invoice.example"},
        "invoice-domain domain subdomain bounce.roaming-invoice.example"),
    hit("zeek-http.json", zeek_http, {"username": "settlement@roaming-invoice.example"},
        "settlement-mail email exact settlement@roaming-invoice.example",
        "invoice-domain domain exact roaming-invoice.example"),
    hit("syslog.log", syslog, {"program": "postfix/qmgr[{}]", "text": "8F2A41C07D: "
                               "from=<noc-support@IPX-CLEARING.EXAMPLE>, size=2114, nrcpt=1"},
        "clearing-mail email exact noc-support@IPX-CLEARING.EXAMPLE"),
    hit("syslog.log", ticket, {"text": "sender was noc-support[@]ipx-clearing[.]example again"},
        "clearing-mail email exact noc-support[@]ipx-clearing[.]example"),
    # Hashes: either case.
    hit("eve.json", eve_file, {"md5": MD5.upper()}, f"loader-md5 md5 exact {MD5.upper()}"),
    hit("eve.json", eve_file, {"sha1": SHA1}, f"config-sha1 sha1 exact {SHA1}"),
    hit("eve.json", eve_file, {"sha256": SHA256}, f"implant-sha256 sha256 exact {SHA256}"),
    hit("syslog.log", tail, {"text": f"changed /usr/lib/libseid.so sha512={SHA512}"},
        f"plugin-sha512 sha512 exact {SHA512}"),
    hit("syslog.log", tail, {"text": f"new /tmp/upf-healthd sha256={SHA256.upper()} mode=0755"},
        f"implant-sha256 sha256 exact {SHA256.upper()}"),
    hit("syslog.log", tail, {"text": f"new /tmp/amf-hotfix.sh md5={digest('md5', 'dropper')}"},
        f"dropper-files md5 exact {digest('md5', 'dropper')}"),
    hit("syslog.log", tail, {"text": f"sha256 ({digest('sha256', 'dropper')}) /srv/amf-hotfix.sh"},
        f"dropper-files sha256 exact {digest('sha256', 'dropper')}"),
    hit("syslog.log", tail, {"text": f"attachment sha256={digest('sha256', 'attachment')} held"},
        f"attachment-sha256 sha256 exact {digest('sha256', 'attachment')}"),
    # Other ways people defang.
    hit("syslog.log", ticket, {"text": "names seen: nssf-mirror(dot)example"},
        "mirror-set domain exact nssf-mirror(dot)example"),
    hit("syslog.log", ticket, {"text": "resolver log shows gtpu-echo[dot]example[dot]net twice"},
        "echo-domain domain exact gtpu-echo[dot]example[dot]net"),
]

NEAR_MISSES = [  # log, event, what the row sets, why there must be no alert
    # Names that only look alike.
    ("eve.json", eve_dns, {"rrname": "xamf-updates.example"}, "longer first label"),
    ("eve.json", eve_dns, {"rrname": "amf-updates.example.org"}, "followed by another label"),
    ("eve.json", eve_dns, {"rrname": "amf-updates.example-cdn.test"}, "last label goes on"),
    ("eve.json", eve_dns, {"rrname": "my-gtpu-echo.example.net"}, "longer first label"),
    ("eve.json", eve_dns, {"rrname": "echo.example.net"}, "sibling"),
    ("eve.json", eve_tls, {"sni": "example.net"}, "parent"),
    ("eve.json", eve_tls, {"sni": "amf-updates-example.test"}, "hyphen for dot"),
    ("zeek-dns.log", zeek_dns, {"query": "roaming-invoice.example.com"}, "another label"),
    ("zeek-dns.log", zeek_dns, {"query": "xroaming-invoice.example"}, "longer first label"),
    ("zeek-dns.log", zeek_dns, {"query": "heron-nest.example"}, "parent of a withheld name"),
    ("bind-query.log", bind, {"asked": "pcf-mirror.example.test"}, "another label"),
    ("bind-query.log", bind, {"asked": "the-ausf-keys.example"}, "longer first label"),
    ("bind-query.log", bind, {"asked": "198.51.100.23.in-addr.arpa"}, "address, then labels"),
    ("zeek-http.json", zeek_http, {"uri": "/files/amf-updates.example.html"}, "a file's name"),
    ("syslog.log", ticket, {"text": "is amf-updates dot example ours? no"}, "dot without brackets"),
    ("syslog.log", ticket, {"text": "harmless: amf-updates[.]example[.]org"}, "another label"),
    # Addresses beside the ranges or inside longer numbers.
    ("eve.json", eve_flow, {"dst": "203.0.113.63"}, "just below the range"),
    ("eve.json", eve_flow, {"dst": "203.0.113.80"}, "just above the range"),
    ("zeek-conn.log", zeek_conn, {"resp": "192.0.2.127"}, "just below the range"),
    ("zeek-conn.log", zeek_conn, {"resp": "192.0.2.160"}, "just above the range"),
    ("zeek-conn.log", zeek_conn, {"resp": "198.51.100.2"}, "shorter number"),
    ("zeek-conn.log", zeek_conn, {"resp": "198.51.100.230"}, "longer number"),
    ("nginx-access.log", nginx, {"target": "/release/1198.51.100.23/notes"}, "longer number"),
    ("nginx-access.log", nginx, {"agent": "agent/198.51.100.23.4"}, "five numbers"),
    ("nginx-access.log", nginx, {"agent": "agent/7.203.0.113.33"}, "five numbers"),
    ("nginx-access.log", nginx, {"remote": "::ffff:203.0.113.80"}, "just above the range"),
    ("eve.json", eve_flow, {"src": "2001:db8:c11e:1::d", "dst": "2001:db8:5e7a::c21"},
     "longer group"),
    ("eve.json", eve_flow, {"src": "2001:db8:c11e:1::e", "dst": "3fff:5e7:30::1"},
     "just above the range"),
    ("zeek-conn.log", zeek_conn,
     {"orig": "2001:db8:c11e:1::f", "resp": "3fff:5e7:1f:ffff:ffff:ffff:ffff:ffff"},
     "just below the range"),
    ("syslog.log", ticket, {"text": "not the peer: 2001:db8:5e7a::c2:1"}, "a longer address"),
    # URLs that differ after the host, whose host no indicator names.
    ("eve.json", eve_http, {"refer": "https://portal.upf-health.example/api/v2/beats"},
     "longer path"),
    ("nginx-access.log", nginx, {"referrer": "https://portal.upf-health.example/api/v2/beat/1"},
     "longer path"),
    ("nginx-access.log", nginx, {"referrer": "https://portal.upf-health.example/api/v2/beat?n=1"},
     "a query"),
    ("zeek-http.json", zeek_http, {"referrer": "http://portal.upf-health.example/api/v2/beat"},
     "another scheme"),
    ("zeek-http.json", zeek_http,
     {"referrer": "https://portal.upf-health.example:8443/api/v2/beat"}, "another port"),
    ("zeek-http.json", zeek_http, {"uri": "http://198.51.100.61/seid/list.txt"}, "another port"),
    ("zeek-http.json", zeek_http,
     {"referrer": "https://portal.upf-health.example.org/api/v2/beat"}, "another label"),
    # Mail addresses.
    ("eve.json", eve_mail, {"sender": "a.noc-support@ipx-clearing.example"}, "longer local part"),
    ("eve.json", eve_mail, {"sender": "noc-support@ipx-clearing.example.net"}, "another label"),
    ("syslog.log", syslog, {"program": "postfix/qmgr[{}]", "text": "8F2A41C07E: "
                            "from=<support@ipx-clearing.example>, size=2090"},
     "shorter local part"),
    # Hashes inside longer runs, or cut short.
    ("eve.json", eve_file, {"sha256": MD5 + "0" * 32}, "MD5 at the head of a longer run"),
    ("eve.json", eve_file, {"sha1": "f00dcafe" + MD5}, "MD5 at the tail of a longer run"),
    ("syslog.log", tail, {"text": f"changed /srv/a sha512={SHA256}{'1' * 64}"}, "longer run"),
    ("syslog.log", tail, {"text": f"changed /srv/b sha256={SHA256[:-1]}"}, "one digit short"),
    ("syslog.log", tail, {"text": f"changed /srv/c sha1={SHA1}0"}, "one digit more"),
    # Expired, revoked, not yet valid.
    ("eve.json", eve_dns, {"rrname": "old-patch.example.org"}, "expired"),
    ("zeek-dns.log", zeek_dns, {"query": "www.old-patch.example.org"}, "expired"),
    ("zeek-conn.log", zeek_conn, {"resp": "203.0.113.202"}, "revoked"),
    ("syslog.log", syslog, {"program": "sshd[{}]", "text": "Connection closed by 203.0.113.202 "
                            "port 25 [preauth]"}, "revoked"),
    ("zeek-dns.log", zeek_dns, {"query": "k7q2w9xv.example"}, "not valid before 2099"),
    ("eve.json", eve_tls, {"sni": "k7q2w9xv.example"}, "not valid before 2099"),
    # Half of a pattern that needs both.
    ("zeek-dns.log", zeek_dns, {"query": "sync.nrf-cache.example"}, "AND: the name alone"),
    ("zeek-conn.log", zeek_conn, {"resp": "198.51.100.77"}, "AND: the address alone"),
    ("zeek-conn.log", zeek_conn, {"resp": "198.51.100.91"}, "FOLLOWEDBY: first alone"),
    ("zeek-dns.log", zeek_dns, {"query": "udm-keys.example"}, "FOLLOWEDBY: second alone"),
    # Never released to this operator.
    ("zeek-conn.log", zeek_conn, {"resp": "198.51.100.88"}, "national-only"),
    ("eve.json", eve_flow, {"dst": "198.51.100.88"}, "national-only"),
    ("zeek-dns.log", zeek_dns, {"query": "ops.heron-nest.example"}, "TLP:RED, India's"),
    ("bind-query.log", bind, {"asked": "www.ops.heron-nest.example"}, "TLP:RED, India's"),
    ("zeek-http.json", zeek_http, {"host": "crane-admin.example"}, "TLP:RED, Japan's"),
    ("zeek-conn.log", zeek_conn, {"resp": "192.0.2.66"}, "TLP:AMBER+STRICT, India's"),
    ("syslog.log", tail, {"text": f"new /tmp/jump sha256={digest('sha256', 'strict')}"},
     "TLP:AMBER+STRICT, India's"),
    ("nginx-access.log", nginx, {"remote": "203.0.113.34"}, "TLP:AMBER+STRICT, Japan's"),
]

# ---- normal forms, written once more and apart from the program under test ----


def refang(text):
    text = re.sub(r"\[\.\]|\(dot\)|\[dot\]", ".", text).replace("[@]", "@").replace("\\/", "/")
    return re.sub(r"^hxxp", "http", text)


def normal(kind, seen):
    text = refang(seen)
    if kind in ("ipv4", "ipv6"):
        address = ipaddress.ip_address(text)
        return str(getattr(address, "ipv4_mapped", None) or address)
    if kind == "email":
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower()}"
    if kind == "url":
        scheme, host, rest = re.fullmatch(r"(?i)(https?)://([^/#]+)([^#]*)(?:#.*)?", text).groups()
        default = {"http": ":80", "https": ":443"}[scheme.lower()]
        return f"{scheme.lower()}://{host.lower().removesuffix(default)}{rest}"
    return text.lower().removesuffix(".")


def holds(relation, kind, text, value):
    """Does the normal form stand in that relation to the indicator's value?"""
    if relation == "inside":
        return "/" in value and ipaddress.ip_address(text) in ipaddress.ip_network(value)
    return text.endswith("." + value) if relation == "subdomain" else text == value


def readable_indicators():
    """Key to indicator: those in force on the day of the logs that the operator may read."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(DAY))
    found = {}
    for home, document in (("IN", cases.india()), ("JP", cases.japan())):
        for o in document["objects"]:
            if o["type"] != "indicator" or o.get("revoked") or cases.withheld(o, home, READER):
                continue
            if o["valid_from"] <= now < o.get("valid_until", "9"):
                found[o["id"]] = o
    return found


# ---- putting it together ----


def build_log(log):
    """The lines of one log, and the planted row behind each line that has one."""
    r = Chance("Setu example: " + log)
    head, foot = HEADERS.get(log, []), FOOTERS.get(log, [])
    rows = [row for row in HITS + NEAR_MISSES if row[0] == log]
    for i in range(len(rows) - 1, 0, -1):  # hits and near misses mixed
        j = r.below(i + 1)
        rows[i], rows[j] = rows[j], rows[i]
    count = LINES[log] - len(head) - len(foot)
    gap = count / len(rows)
    place = {int((i + r.random()) * gap): row for i, row in enumerate(rows)}
    lines, planted = list(head), {}
    for i in range(count):
        t = DAY + i * 86400 // count
        if i in place:
            _, event, sets, _ = place[i]
            lines.append(event(r, t, **sets))
            planted[len(lines)] = place[i]
        else:
            lines.append(r.pick(QUIET[log])(r, t))
    return lines + foot, planted


def alerts_of(log, lines, planted, known):
    for number, (_, _, _, expected) in sorted(planted.items()):
        if isinstance(expected, str):
            continue
        line = lines[number - 1]
        for key, kind, relation, seen in sorted(expected, key=lambda a: line.index(a[3])):
            o = known[cases.id_of("indicator", key)]
            text = normal(kind, seen)
            assert any(holds(relation, kind, text, v) for v in cases.values(o)), (key, seen)
            yield {"input": log, "line": number, "kind": kind, "observable": text, "seen": seen,
                   "relation": relation, "indicator": o["id"]}


def with_tables(readme):
    """README.md with the tables between its comments put right."""
    for name, rows in (("withheld", cases.withheld_table()), ("redacted", cases.redacted_table())):
        head, mark, rest = readme.partition(f"<!-- {name}: from generate.py -->\n")
        readme = head + mark + "".join(row + "\n" for row in rows) + rest[rest.index("<!-- end"):]
    return readme


def build():
    """Path to content, of every file this script is responsible for."""
    files = {f"{nation}/case.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"
             for nation, document in (("india", cases.india()), ("japan", cases.japan()))}
    known, alerts = readable_indicators(), []
    for log in LINES:
        lines, planted = build_log(log)
        assert len(lines) == LINES[log] and len(planted) == sum(
            row[0] == log for row in HITS + NEAR_MISSES), log
        files[f"logs/{log}"] = "\n".join(lines) + "\n"
        alerts += alerts_of(log, lines, planted, known)
    files["expected-alerts.jsonl"] = "".join(json.dumps(a) + "\n" for a in alerts)
    files["README.md"] = with_tables((HERE / "README.md").read_text())
    return files


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--check", action="store_true", help="compare, write nothing")
    check = options.parse_args().check
    differing = 0
    for path, content in build().items():
        file, data = HERE / path, content.encode()
        if file.exists() and file.read_bytes() == data:
            continue
        differing += 1
        if check:
            print(f"{path}: not what generate.py makes: run it, or undo the edit", file=sys.stderr)
        else:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)
            print(f"wrote {path}, {len(data)} bytes")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
