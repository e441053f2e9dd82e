"""Metrics, health and the checker: a client of our own status that raises its
state before anything goes stale (INCIDENTS rows 53, 56, 58, 59)."""
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import urllib.request

import foreign
import harness

EVERY = 1


def configure(engine, **more):
    """Adds keys to refrendo.yaml, which init leaves out."""
    with open(engine.path("etc", "refrendo.yaml"), "a") as f:
        for key, value in {"check_every": f"{EVERY}s", **more}.items():
            f.write(f"\n{key}: {value}\n")


def metrics(engine):
    return engine.cli("metrics")


def health(engine):
    """State, and the rows by name."""
    status, body = engine.api("GET", "/health")
    assert status == 200, status
    return body["state"], {r["name"]: r for r in body["checks"]}


def wait_state(engine, *wanted):
    def found():
        state, rows = health(engine)
        return state in wanted and (state, rows)
    return harness.wait_for(f"health {wanted}", found)


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


class Impostor:
    """Listens beside status on the same port and serves what it likes."""

    def __init__(self, engine, body, type="application/pkix-crl"):
        self.body, self.type = body, type
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", engine.port))
        self.socket.listen(16)
        self.ends = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            s, _ = self.socket.accept()
            with s:
                if self.ends:
                    return
                s.settimeout(5)
                try:
                    s.recv(65536)
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                              % len(self.body) + self.body)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.ends = True
        # Some connections go to status: until one comes here.
        while self.thread.is_alive():
            try:
                socket.create_connection(self.socket.getsockname(), 5).close()
            except OSError:
                pass
            self.thread.join(0.05)
        self.socket.close()


class World:
    def __init__(self, engine, metrics_port):
        self.e = engine
        self.metrics_port = metrics_port
        self.base = f"http://127.0.0.1:{metrics_port}"

    def issue(self):
        self.e.populate(people=2)
        self.good = self.e.issue(self.e.holders[0])
        wait_state(self.e, "good")

    # --- metrics ---------------------------------------------------------------

    def local(self):
        for _ in range(3):
            assert self.e.ocsp(self.e.pem(self.good["serial"])) == "good"
        # Core says every five seconds what there is.
        harness.wait_for("samples", lambda: metrics(self.e)[
            'refrendo_checks_total{kind="ocsp"}'] > 0)
        m = metrics(self.e)
        assert m['refrendo_status_requests_total{kind="ocsp_post"}'] >= 3, m
        assert m['refrendo_crl_number{ca="emisora"}'] >= 1, m
        assert m["refrendo_crl_lists"] >= 1, m
        assert m["refrendo_crl_lists_overdue"] == 0, m
        assert 0 < m["refrendo_crl_first_next_update_timestamp_seconds"] <= \
            m['refrendo_crl_next_update_timestamp_seconds{ca="emisora"}'], m
        assert m['refrendo_checked_crl_life_left_percent{ca="root"}'] > 90, m
        assert m['refrendo_checks_failed_total{kind="ocsp"}'] == 0, m
        assert m['refrendo_processes{role="checker"}'] == 1, m
        # No holder, no serial: nothing that tells people apart.
        text = json.dumps(m)
        assert self.good["serial"] not in text
        assert self.e.holders[0][:7] not in text
        status, body = self.e.api("GET", "/metrics")
        for line in body.decode().splitlines():
            assert re.fullmatch(
                r"# (HELP|TYPE) refrendo_[a-z_]+ .+"
                r'|refrendo_[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9]+', line), line
        status, body = self.e.api("POST", "/metrics", {})
        assert status in (404, 405), status

    def listener(self):
        status, headers, text = fetch(self.base + "/metrics")
        assert status == 200 and "version=0.0.4" in headers["Content-Type"]
        assert "refrendo_build_info" in text
        status, headers, text = fetch(self.base + "/health")
        assert status == 200 and json.loads(text)["state"] == "good", text
        for path in ("/", "/api/v1/status", "/api/v1/metrics", "/metrics/x",
                     "/api/v1/institutions", "/../metrics"):
            status, headers, text = fetch(self.base + path)
            assert status == 404, (path, status)
        connection = http.client.HTTPConnection("127.0.0.1",
                                                self.metrics_port)
        for method in ("POST", "PUT", "DELETE"):
            connection.request(method, "/metrics", b"")
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (404, 405), (method, answer.status)
        connection.close()

    def alerts(self):
        """Every number that an alert names is there."""
        rules = os.path.join(os.environ["SOURCE_DIR"], "etc", "alerts",
                             "refrendo.rules.yml")
        with open(rules) as f:
            text = f.read()
        there = {name.split("{")[0] for name in metrics(self.e)}
        named = set(re.findall(r"refrendo_[a-z_]+", text))
        assert len(named) > 8 and named <= there, named - there
        try:
            import yaml
        except ImportError:
            return
        for rule in yaml.safe_load(text)["groups"][0]["rules"]:
            assert rule["expr"] and rule["annotations"]["summary"], rule

    def stats(self):
        a = self.e.cli("ocsp", "stats")
        assert a["requests_post"] >= 3 and a["checker_state"] == 0, a
        assert a["issuers"][0]["crl_number"] >= 1, a
        assert a["waiting_to_be_signed"] == 0, a
        assert self.e.cli("health")["state"] == "good"

    # --- the checker ---------------------------------------------------------------

    def failing(self, what, error):
        """It is said, and is an alarm, for as long as it lasts."""
        since = len(self.e.log)
        with what:
            self.e.wait_log(r"event=check-failed .*id=" + error, since)
            wait_state(self.e, "alarm")
        wait_state(self.e, "good")

    def foreign_list(self):
        ca = foreign.CA(self.e.temp("foreign"))
        with open(ca.crl("x.crl"), "rb") as f:
            body = f.read()
        self.failing(Impostor(self.e, body), "crl-any-issuer")

    def broken_lists(self):
        status, fields, body = self.e.get("/crl/emisora.crl")
        self.failing(Impostor(self.e, body[:-20]), "der-")
        self.failing(Impostor(self.e, body[:-9] + bytes([body[-9] ^ 1])
                              + body[-8:]), "signature-wrong")
        self.failing(Impostor(self.e, b""), "der-")

    def older_list(self):
        status, fields, old = self.e.get("/crl/emisora.crl")
        record = self.e.issue(self.e.holders[1])
        self.e.cli("cert", "revoke", record["serial"], "--as",
                   harness.MINISTER, "--cause", "key-compromise", "--reason",
                   "perdida")
        harness.wait_for("a newer list",
                         lambda: self.e.get("/crl/emisora.crl")[2] != old)
        # The checker has seen the newer one.
        since = len(self.e.log)
        number = metrics(self.e)['refrendo_checks_total{kind="crl"}']
        harness.wait_for("a round", lambda: metrics(self.e)[
            'refrendo_checks_total{kind="crl"}'] > number + 4)
        assert not any("check-failed" in line for line in self.e.log[since:])
        self.failing(Impostor(self.e, old), "check-number")

    def dead_status(self):
        """Status hangs: connections are taken, and nobody answers."""
        hung = [pid for (role, _), pid in self.e.pids.items()
                if role == "status"]
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        try:
            state, rows = wait_state(self.e, "alarm")
            assert rows["crl emisora"]["state"] == "alarm", rows
            assert fetch(self.base + "/health")[0] == 503
            assert self.e_fails("health") == 1
        finally:
            for pid in hung:
                os.kill(pid, signal.SIGCONT)
        wait_state(self.e, "good")

    def e_fails(self, *argv):
        try:
            self.e.cli(*argv)
        except harness.Refused as e:
            return e.status
        return 0

    def silent_core(self):
        """A checker that dies is started again; one that hangs is noticed."""
        self.e.kill("checker")
        wait_state(self.e, "good")

    def doctor(self):
        try:
            report = self.e.cli("doctor")
        except harness.Refused as e:
            report = json.loads(e.text.strip().splitlines()[0])
        rows = [r for r in report["checks"] if r["name"] == "health"]
        assert rows and rows[0]["state"] == "good", report


def before_it_ends():
    """INCIDENTS row 58: the clock of the checker alone runs ahead, as if the
    timer of the lists had stopped: 40 % left is no longer good, 25 % an
    alarm, and both before anything has expired."""
    shim = os.environ.get("CLOCK_SHIM")
    # The list of `init` is for 6 h and 24 h of overlap: 30 h in all.
    for hours, state in ((13, "good"), (19, "look"), (23.5, "alarm")):
        env = {"LD_PRELOAD": shim, "CLOCK_ROLE": "checker",
               "CLOCK_OFFSET": str(int(hours * 3600))}
        with harness.Engine(env=env) as engine:
            engine.init()
            configure(engine)
            engine.start()
            rows = {}

            def found():
                got, seen = health(engine)
                rows.update(seen)
                left = re.match(r"(\d+) %", seen.get(
                    "crl emisora", {}).get("detail", ""))
                return left and seen["crl emisora"]["state"] == state
            harness.wait_for(f"{state} after {hours} h", found)
            assert "check-failed" not in "\n".join(engine.log), \
                engine.tail(20)


def main():
    harness.need("openssl")
    with harness.Engine() as engine:
        engine.init()
        port = harness.free_port()
        configure(engine, metrics=f"127.0.0.1:{port}")
        engine.start()
        w = World(engine, port)
        status = harness.run_tests([
            (name, getattr(w, name)) for name in
            ("issue", "local", "listener", "alerts", "stats", "doctor", "foreign_list",
             "broken_lists", "older_list", "dead_status", "silent_core")])
    if engine.is_sanitized():
        return status  # a preloaded clock and a sanitizer do not mix
    return status | harness.run_tests([("before_it_ends", before_it_ends)])


if __name__ == "__main__":
    sys.exit(main())
