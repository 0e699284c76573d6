"""objects/?wait=N: answered when something is released to the caller, else empty when the time is
up."""
import http.client
import json
import threading
import time

import pytest

from setu_node import error_of, indicator, wait_for

POLICY = """
nation IN "India" { agency home }
nation JP "Japan" { agency nisc, jpcert }
nation US "United States" { agency cisa }
accept from JP
release to IN
release tlp:green to JP
release label "other" to cisa
"""
LONG = 250


@pytest.fixture
def node(nodes):
    node = nodes(policy=POLICY)
    node.c = node.collection("waited", marking="green")
    node.start()
    node.token = node.user("reader", "reader", "nisc", "JP")
    return node


class Waiter:
    """A request on a thread of its own."""

    def __init__(self, node, token, path="objects/", **params):
        self.client = node.client(token)
        self.answer = None
        self.thread = threading.Thread(target=self.ask, args=(node, path, params))
        self.thread.start()

    def ask(self, node, path, params):
        try:
            self.answer = self.client.get(f"collections/{node.c}/{path}", wait=LONG, **params)
        except (OSError, http.client.HTTPException) as e:
            self.answer = e

    def done(self):
        self.thread.join(60)
        assert not self.thread.is_alive(), "it still waits"
        return self.answer


def test_answered_when_released(node):
    last = None
    for n in range(5):
        after = {"added_after": last} if last else {}
        waiters = [Waiter(node, node.token, **after), Waiter(node, node.token, "manifest/", **after),
                   Waiter(node, node.token, **after, **{"match[type]": "indicator"})]
        for w in waiters:
            w.thread.join(0.05)
            assert w.thread.is_alive()
        one = indicator(n)
        node.admin.post(node.c, [one])
        answers = [w.done() for w in waiters]
        assert answers[0].objects == answers[2].objects == [one]
        assert answers[1].ids() == [one["id"]]
        last = answers[0].headers["X-TAXII-Date-Added-Last"]


def test_at_once_where_there_is_something(node):
    one = indicator(1)
    node.admin.post(node.c, [one])
    assert Waiter(node, node.token).done().objects == [one]


def test_empty_when_the_time_is_up(node):
    client = node.client(node.token)
    assert client.get(f"collections/{node.c}/objects/", wait=1).json() == {}
    assert client.get(f"collections/{node.c}/objects/", wait=0).json() == {}


def test_nothing_of_others_wakes(node):
    """What is not released to the caller does not end its wait, nor what its filter leaves out."""
    waiters = [Waiter(node, node.token), Waiter(node, node.token, **{"match[type]": "tool"})]
    seen = [Waiter(node, node.user("us", "reader", "cisa", "US")),
            Waiter(node, node.user("home", "reader"))]
    hidden = indicator("hidden", tlp="amber", labels=["other"])
    node.admin.post(node.c, [hidden])
    assert [w.done().objects for w in seen] == [[hidden], [hidden]]
    other = node.collection("elsewhere", marking="green")
    node.admin.post(other, [indicator("elsewhere")])
    for w in waiters:
        w.thread.join(0.1)
        assert w.thread.is_alive()
    shown = indicator("shown")
    node.admin.post(node.c, [shown])
    assert waiters[0].done().objects == [shown]
    waiters[1].thread.join(0.1)
    assert waiters[1].thread.is_alive()
    tool = {**shown, "type": "tool", "id": shown["id"].replace("indicator", "tool"), "name": "t"}
    for key in ("pattern", "pattern_type", "valid_from"):
        del tool[key]
    node.admin.post(node.c, [tool])
    assert waiters[1].done().objects == [tool]


def test_another_process_and_an_edit_of_the_policy(node):
    first = Waiter(node, node.token)
    lines = node.dir.parent / "one.json"
    one = indicator(1)
    lines.write_text(json.dumps(one))
    node.imported(node.c, lines)
    assert first.done().objects == [one]
    amber = indicator(2, tlp="amber")
    node.admin.post(node.c, [amber])
    last = first.answer.headers["X-TAXII-Date-Added-Last"]
    second = Waiter(node, node.token, added_after=last)
    (node.dir / "new.conf").write_text(POLICY.replace("tlp:green to JP", "tlp:amber to JP"))
    node.cli("policy apply", node.dir / "new.conf")
    assert second.done().objects == [amber]


def test_refused(node):
    client = node.client(node.token)
    for wait in ("", "x", "-1", "1.5", "99999999999999999999999"):
        error_of(client.get(f"collections/{node.c}/objects/", status=None, wait=wait), 400)
    error_of(client.request("GET", f"collections/{node.c}/objects/?wait=0&wait=0"), 400)
    # An object's endpoints do not wait.
    error_of(client.get(f"collections/{node.c}/objects/{indicator(1)['id']}/", status=None,
                        wait=LONG), 404)


def test_coded_and_not_modified(node):
    """What is released is long enough to be compressed."""
    waiting = node.client(node.token)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(waiting.get(
        f"collections/{node.c}/objects/", wait=LONG, headers={"Accept-Encoding": "gzip"})))
    thread.start()
    node.admin.post(node.c, [indicator(1, description=100 * "many words ")])
    thread.join(60)
    assert answers[0].headers["Content-Encoding"] == "gzip"
    again = waiting.get(f"collections/{node.c}/objects/", status=304, wait=LONG,
                        headers={"Accept-Encoding": "gzip",
                                 "If-None-Match": answers[0].headers["ETag"]})
    assert again.body == b""


def test_stopping_answers_who_waits(node):
    waiters = [Waiter(node, node.token) for _ in range(20)]
    wait_for(lambda: all(w.thread.is_alive() for w in waiters), "they wait")
    time.sleep(0.3)
    node.stop()
    assert [w.done().json() for w in waiters] == [{}] * 20


def test_many_waiters_and_those_who_go(node):
    """Waiters whose clients went away are no harm; all others hear of each release."""
    gone = [Waiter(node, node.token) for _ in range(30)]
    stay = [Waiter(node, node.token) for _ in range(100)]
    time.sleep(0.5)
    for w in gone:
        w.client.connection.sock.shutdown(2)
    one = indicator(1)
    node.admin.post(node.c, [one])
    assert all(w.done().objects == [one] for w in stay)
    assert all(isinstance(w.done(), Exception) for w in gone)
    assert node.admin.get(f"collections/{node.c}/objects/").objects == [one]


def test_revoked_while_waiting(node):
    """Who signed in and then waits is given nothing once the token is revoked."""
    token = node.user("leaver", "reader", "nisc", "JP")
    answers = []

    def ask():
        answers.append(node.client(token).request("GET", f"collections/{node.c}/objects/", {"wait": LONG}))
    thread = threading.Thread(target=ask)
    thread.start()
    stays = Waiter(node, node.token)
    time.sleep(1)  # both wait by then; who does not is refused as it signs in
    node.cli("user revoke", "leaver")
    node.admin.post(node.c, [indicator("later")])
    thread.join(60)
    assert not thread.is_alive()
    error_of(answers[0], 401)
    assert len(stays.done().objects) == 1
