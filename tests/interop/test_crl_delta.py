"""Delta CRLs, as other people's programs read them: what changed behind the
complete list, and nothing else (RFC 5280 5.2.4).  INCIDENTS rows 47, 58, 60,
62 and 63."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402
from harness import Engine, Refused, run  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FINE, REVOKED = 0, 10
FULL, DELTA = "/crl/emisora.crl", "/crl/emisora/delta.crl"


def policy(engine, crl):
    """The sample policy under the next version, with this status.crl."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    version = int(re.search(r"^version: (\d+)", text, re.M).group(1))
    text = text.replace(f"version: {version}", f"version: {version + 1}", 1)
    text, n = re.subn(r"crl: \{[^}]*\}", f"crl: {{{crl}}}", text)
    if n == 0:
        text = text.rstrip("\n") + f"\nstatus: {{crl: {{{crl}}}}}\n"
    with open(path, "w") as f:
        f.write(text)
    engine.activate(path)


class List:
    """One CRL as openssl prints it."""
    fetched = 0

    def __init__(self, engine, path):
        List.fetched += 1
        self.url = engine.url + path
        self.file = engine.temp(f"fetched-{List.fetched}.crl")
        run("curl", "-sf", "-o", self.file, self.url)
        self.text = run("openssl", "crl", "-inform", "DER", "-in", self.file,
                        "-noout", "-text").stdout.decode()
        self.number = self.int(r"X509v3 CRL Number: \n\s+(\d+)")
        self.base = self.int(r"Delta CRL Indicator: critical\n\s+(\d+)")
        self.freshest = re.findall(
            r"X509v3 Freshest CRL: \n\s+Full Name:\n\s+URI:(\S+)", self.text)
        self.scope = re.findall(r"Issuing Distribution Point: critical\n"
                                r"\s+Full Name:\n\s+URI:(\S+)", self.text)
        self.entries = {}
        for part in self.text.split("Serial Number: ")[1:]:
            reason = re.search(r"Reason Code: \n\s+(.*)", part)
            self.entries[part.split()[0].lower()] = \
                reason.group(1) if reason else ""
        self.this, self.next = (
            time.mktime(time.strptime(re.search(
                name + r" Update: (.*) GMT", self.text).group(1),
                "%b %d %H:%M:%S %Y")) for name in ("Last", "Next"))

    def int(self, pattern):
        found = re.search(pattern, self.text)
        return int(found.group(1)) if found else 0

    def pem(self):
        path = self.file + ".pem"
        run("openssl", "crl", "-inform", "DER", "-in", self.file, "-out", path)
        return path


def wait_delta(engine, since, partition=0):
    """Until there is a delta that rests on the newest complete list."""
    def settled():
        base = {}
        for line in engine.log[since:]:
            m = re.search(r"event=crl-published .*partition=(\d+) "
                          r"number=(\d+) base=(\d+)", line)
            if m and int(m.group(1)) == partition:
                if m.group(3) == "0":
                    base = {"number": m.group(2)}
                elif base.get("number") == m.group(3):
                    return True
        return False
    harness.wait_for("a delta of the newest list", settled)


def openssl(engine, pem, *lists, deltas=True):
    """"OK" or openssl's complaint about a certificate, by these lists."""
    argv = ["openssl", "verify", "-crl_check_all", "-x509_strict",
            "-ignore_critical", "-CAfile", engine.path("ca", "root.pem"),
            "-untrusted", engine.path("ca", "emisora.pem"), "-CRLfile",
            List(engine, "/crl/root.crl").pem()]
    for one in lists:
        argv += ["-CRLfile", one.pem()]
    # Without -extended_crl openssl 3 takes a delta for the complete list.
    if deltas:
        argv += ["-use_deltas", "-extended_crl"]
    p = subprocess.run([*argv, pem], capture_output=True, text=True)
    text = p.stdout + p.stderr
    found = re.search(r"lookup: (.*)", text)
    return "OK" if p.returncode == 0 else found.group(1) if found else text


def ours(engine, pem, delta, base):
    """refrendo crl verify: its status and the verdict on the certificate."""
    p = subprocess.run(
        [harness.REFRENDO, "crl", "verify", delta.file, pem, "--issuer",
         engine.path("ca", "emisora.pem"), "--base", base.file, "--lang", "en",
         "--json"], capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


def issue(engine, holder, name="funcionario-firma"):
    """Asked again until the delta that it will name is there."""
    request = None
    end = time.monotonic() + harness.WAIT
    while request is None:
        try:
            request = engine.request(holder, policy=name)
        except Refused as e:
            if "delta-not-open" not in e.text or time.monotonic() > end:
                raise
            time.sleep(0.1)
    done = engine.endorse(request["id"])
    return done["serial"], engine.pem(done["serial"])


def suspend(engine, serial):
    soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))
    engine.cli("cert", "suspend", serial, "--as", harness.MINISTER, "--cause",
               "key-doubt", "--until", soon)


def reinstate(engine, serial):
    engine.cli("cert", "reinstate", serial, "--as", harness.MINISTER,
               "--reason", "found")


def revoke(engine, serial, cause="superseded"):
    engine.cli("cert", "revoke", serial, "--as", harness.MINISTER, "--cause",
               cause)


def restarted(engine):
    since = len(engine.log)
    assert engine.stop() == 0
    engine.start()
    wait_delta(engine, since)


def freshest(pem):
    text = run("openssl", "x509", "-in", pem, "-noout", "-text").stdout.decode()
    assert "Freshest CRL: critical" not in text
    return re.findall(r"X509v3 Freshest CRL: \n\s+Full Name:\n\s+URI:(\S+)",
                      text)


class Story:
    def __init__(self, engine):
        self.engine = engine
        self.old, self.old_pem = issue(engine, engine.holders[0])
        assert freshest(self.old_pem) == []
        assert List(engine, FULL).freshest == []

    def begin(self):
        """A policy takes deltas up: a list that names them, and they."""
        e = self.engine
        since = len(e.log)
        policy(e, "every: 6h, overlap: 24h, delta: 15m")
        wait_delta(e, since)
        full, delta = List(e, FULL), List(e, DELTA)
        assert full.freshest == [e.url + DELTA] and full.base == 0, full.text
        assert delta.base == full.number < delta.number, delta.text
        assert delta.freshest == delta.scope == [] == list(delta.entries)
        # Another moment, hence another number; a short life.
        assert full.this < delta.this, (full.text, delta.text)
        assert delta.next - delta.this == 1800, delta.text
        self.certs = [issue(e, e.holders[i % 3]) for i in range(6)]
        for _, pem in self.certs:
            assert freshest(pem) == [e.url + DELTA], pem

    def change(self):
        """A change makes a delta and no complete list; the answer to the act
        finds it there."""
        e = self.engine
        full = List(e, FULL)
        (held, held_pem), (back, back_pem), (gone, gone_pem) = self.certs[:3]
        suspend(e, held)
        one = List(e, DELTA)
        assert one.entries == {held: "Certificate Hold"}, one.text
        suspend(e, back)
        revoke(e, gone, "key-compromise")
        reinstate(e, back)
        two = List(e, DELTA)
        assert List(e, FULL).number == full.number == one.base == two.base
        assert full.number < one.number < two.number
        # On hold behind the base and off it again: told all the same.
        want = {held: "Certificate Hold", back: "Remove From CRL",
                gone: "Key Compromise"}
        assert two.entries == want, two.text
        assert openssl(e, held_pem, full, deltas=False) == "OK"
        assert openssl(e, held_pem, full, two) == "certificate revoked"
        assert openssl(e, gone_pem, full, two) == "certificate revoked"
        assert openssl(e, back_pem, full, two) == "OK"
        assert openssl(e, self.certs[3][1], full, two) == "OK"
        for pem, status in ((held_pem, REVOKED), (gone_pem, REVOKED),
                            (back_pem, FINE), (self.certs[3][1], FINE)):
            got, text = ours(e, pem, two, full)
            assert got == status, (got, text)
        # A certificate of before deltas: its list names them.
        revoke(e, self.old)
        assert self.old in List(e, DELTA).entries
        assert e.ocsp(gone_pem) == "revoked"

    def tools(self):
        """The same delta through other parsers."""
        e = self.engine
        full, delta = List(e, FULL), List(e, DELTA)
        p = run(harness.REFRENDO, "crl", "show", delta.file, "--lang", "en")
        assert "delta" in p.stdout.decode(), p.stdout
        p = subprocess.run([harness.REFRENDO, "crl", "diff", full.file,
                            delta.file, "--lang", "en"], capture_output=True)
        assert p.returncode == FINE, p
        p = subprocess.run([harness.REFRENDO, "lint", full.file, delta.file,
                            "--lang", "en"], capture_output=True, text=True)
        assert p.returncode == FINE, p
        from cryptography import x509
        with open(delta.file, "rb") as f:
            read = x509.load_der_x509_crl(f.read())
        base = read.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
        assert base.critical and base.value.crl_number == full.number
        assert len(read) == len(delta.entries)
        with open(full.file, "rb") as f:
            read = x509.load_der_x509_crl(f.read())
        points = read.extensions.get_extension_for_class(x509.FreshestCRL)
        assert not points.critical
        assert points.value[0].full_name[0].value == e.url + DELTA
        text = run("certtool", "--crl-info", "--inder", "--infile",
                   delta.file).stdout.decode()
        assert f"Revoked certificates ({len(delta.entries)})" in text, text
        head = run("curl", "-sI", e.url + DELTA).stdout.decode()
        tag = re.search(r'ETag: ("\w+")', head).group(1)
        got = run("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H",
                  f"If-None-Match: {tag}", e.url + DELTA).stdout.decode()
        assert got == "304" and "application/pkix-crl" in head, (got, head)

    def next_base(self):
        """The next complete list has it all, and its delta is empty; who was
        on hold there and is not any more is taken off."""
        e = self.engine
        before = List(e, DELTA)
        restarted(e)
        full, delta = List(e, FULL), List(e, DELTA)
        (held, held_pem), (back, _), (gone, _) = self.certs[:3]
        assert before.number < full.number == delta.base < delta.number
        assert set(full.entries) == {held, gone, self.old}, full.text
        assert delta.entries == {}, delta.text
        assert openssl(e, held_pem, full, deltas=False) == \
            "certificate revoked"
        assert openssl(e, held_pem, full, delta) == "certificate revoked"
        # An old delta beside a newer list changes nothing.
        assert openssl(e, held_pem, full, before) == "certificate revoked"
        reinstate(e, held)
        delta = List(e, DELTA)
        assert delta.entries == {held: "Remove From CRL"}, delta.text
        assert openssl(e, held_pem, full, deltas=False) == \
            "certificate revoked"
        assert openssl(e, held_pem, full, delta) == "OK"
        got, text = ours(e, held_pem, delta, full)
        assert got == FINE, text
        # Revoked for good after all.
        revoke(e, held)
        delta = List(e, DELTA)
        assert delta.entries == {held: "Superseded"}, delta.text
        assert openssl(e, held_pem, full, delta) == "certificate revoked"

    def killed(self):
        """SIGKILL of core: its successor's lists say the same."""
        e = self.engine
        fourth, pem = self.certs[3]
        suspend(e, fourth)
        before = List(e, DELTA)
        since = len(e.log)
        e.kill("core")
        wait_delta(e, since)
        full, delta = List(e, FULL), List(e, DELTA)
        assert full.number > before.number and fourth in full.entries
        assert delta.base == full.number and delta.entries == {}, delta.text
        reinstate(e, fourth)
        assert List(e, DELTA).entries == {fourth: "Remove From CRL"}
        assert openssl(e, pem, full, List(e, DELTA)) == "OK"

    def verified(self):
        """Offline, by both verifiers, and by replay."""
        e = self.engine
        e.audit()
        p = subprocess.run(
            [sys.executable, os.path.join(HERE, "verify_export.py"),
             e.temp("export.jsonl"), e.path("ca", "log.pem")],
            capture_output=True, text=True)
        assert p.returncode == 0, p.stdout + p.stderr

    def explained(self):
        """A certificate that names deltas follows from the log and the policy
        of then, and a policy without them would have made another."""
        e = self.engine
        serial = self.certs[0][0]
        said = e.cli("audit", "reproduce", serial)
        assert said["verdict"] == "identical", said
        said = e.cli("policy", "explain", said["request"])
        assert said["result"] == "accepted", said
        with open(e.path("etc", "policies", "funcionario-firma.yaml")) as f:
            text = f.read()
        plain = e.temp("plain.yaml")
        with open(plain, "w") as f:
            f.write(text.replace(", delta: 15m", ""))
        p = subprocess.run(
            [harness.REFRENDO, "policy", "simulate", plain, "--since", "1d",
             "--dir", e.dir, "--json", "--lang", "en"], env=e.env,
            capture_output=True, text=True)
        differs = [line for line in p.stdout.splitlines()
                   if '"freshestCRL"' in line]
        assert len(differs) >= len(self.certs), p.stdout + p.stderr

    def exported(self):
        e = self.engine
        out = e.temp("site")
        e.cli("publish", "--to", out)
        with open(os.path.join(out, DELTA[1:]), "rb") as f, \
                open(List(e, DELTA).file, "rb") as g:
            assert f.read() == g.read()

    def partitions(self):
        """Each partition has deltas of its own, in its scope."""
        e = self.engine
        since = len(e.log)
        policy(e, "every: 6h, delta: 10m, partition: 10")
        wait_delta(e, since, partition=1)
        serial, pem = issue(e, e.holders[1])
        # The first that is in use opens the second: what of it came behind a
        # snapshot of restored() the signer would miss.
        wait_delta(e, since, partition=2)
        at = e.url + "/crl/emisora/1-delta.crl"
        assert freshest(pem) == [at], freshest(pem)
        part = List(e, "/crl/emisora/1.crl")
        delta = List(e, "/crl/emisora/1-delta.crl")
        full, all_ = List(e, FULL), List(e, DELTA)
        assert part.freshest == [at] and delta.scope == part.scope == \
            [part.url], (part.text, delta.text)
        revoke(e, serial)
        after = List(e, "/crl/emisora/1-delta.crl")
        assert after.entries == {serial: "Superseded"}, after.text
        assert after.base == part.number == List(
            e, "/crl/emisora/1.crl").number
        # The full list and its delta follow by their periods.
        assert List(e, FULL).number == full.number
        assert List(e, DELTA).number == all_.number
        assert openssl(e, pem, part, after) == "certificate revoked"
        assert openssl(e, pem, part, delta) == "OK"
        # The delta of another scope says nothing.
        assert openssl(e, pem, part, all_) == "OK"
        # A certificate that names the full list is on that one's delta.
        fifth = self.certs[4][0]
        revoke(e, fifth)
        assert fifth in List(e, DELTA).entries
        assert List(e, "/crl/emisora/1-delta.crl").number == after.number

    def restored(self):
        """A snapshot in the place of a ledger that was lost, and public/ made
        anew (doc/start.md): the same lists under higher numbers, changes
        behind them told by deltas, the next certificate in its partition."""
        e = self.engine
        paths = [FULL, DELTA, "/crl/emisora/1.crl", "/crl/emisora/1-delta.crl"]
        serial, pem = issue(e, e.holders[0])
        revoke(e, serial)
        before = [List(e, path) for path in paths]
        assert serial in before[3].entries
        status, _ = e.api("POST", "/snapshots", {"name": "copia"})
        assert status in (200, 201), status
        assert e.stop() == 0
        for name in ("ledger", "public"):
            shutil.rmtree(e.path(name))
        shutil.move(e.path("snapshots", "copia", "ledger"), e.path("ledger"))
        since = len(e.log)
        e.start()
        for partition in (0, 1):
            wait_delta(e, since, partition)
        after = [List(e, path) for path in paths]
        most = max(one.number for one in before)
        for one in after:
            assert one.number > most, (one.url, one.number, most)
        assert set(after[2].entries) == {*before[2].entries,
                                         *before[3].entries}
        assert after[3].entries == {} and after[3].base == after[2].number
        assert openssl(e, pem, after[2]) == "certificate revoked"
        serial, pem = issue(e, e.holders[1])
        assert freshest(pem) == [e.url + paths[3]]
        revoke(e, serial)
        assert List(e, paths[3]).entries == {serial: "Superseded"}
        assert openssl(e, pem, after[2], List(e, paths[3])) == \
            "certificate revoked"

    def ended(self):
        """A policy without deltas: lists that name none, and none is served;
        revocations make complete lists again."""
        e = self.engine
        since = len(e.log)
        policy(e, "every: 6h")
        harness.wait_for("lists that name no deltas", lambda: not List(
            e, FULL).freshest and not List(e, "/crl/emisora/1.crl").freshest)
        for path in (DELTA, "/crl/emisora/1-delta.crl"):
            assert e.get(path)[0] == 404, path
        serial, pem = issue(e, e.holders[2])
        assert freshest(pem) == []
        before = List(e, FULL)
        revoke(e, serial)
        after = List(e, FULL)
        assert after.number > before.number and serial in after.entries
        assert not any("base=" in line and "base=0" not in line
                       for line in e.log[since:] if "crl-published" in line)
        # And taken up again.
        since = len(e.log)
        policy(e, "every: 6h, delta: 5m")
        wait_delta(e, since)
        revoke(e, self.certs[5][0])
        assert List(e, DELTA).entries == {self.certs[5][0]: "Superseded"}

    def mixed(self):
        """A policy without deltas beside one that has them: its certificates
        name none, and their revocations make complete lists as before."""
        e = self.engine
        path = e.path("etc", "policies", "funcionario-firma.yaml")
        other = e.path("etc", "policies", "firma-sin-delta.yaml")
        with open(path) as f:
            text = f.read()
        text = text.replace("policy: funcionario-firma",
                            "policy: firma-sin-delta", 1)
        text, n = re.subn(r"crl: \{[^}]*\}", "crl: {every: 6h}", text)
        assert n == 1, text
        with open(other, "w") as f:
            f.write(text)
        e.activate(other)
        serial, pem = issue(e, e.holders[0], "firma-sin-delta")
        assert freshest(pem) == []
        before, since = List(e, FULL), len(e.log)
        revoke(e, serial)
        after = List(e, FULL)
        assert after.number > before.number and serial in after.entries
        assert after.freshest == [e.url + DELTA]
        wait_delta(e, since)
        assert List(e, DELTA).base == after.number
        # The other's still make deltas.
        serial, _ = issue(e, e.holders[1])
        revoke(e, serial)
        assert List(e, FULL).number == after.number
        assert List(e, DELTA).entries == {serial: "Superseded"}

    def periodic(self):
        """on_revoke: false leaves it to the next periodic delta, which here is
        the one on the lists of a start."""
        e = self.engine
        policy(e, "every: 6h, delta: 5m, on_revoke: false")
        serial, pem = issue(e, e.holders[2])
        full, delta = List(e, FULL), List(e, DELTA)
        revoke(e, serial)
        assert List(e, FULL).number == full.number
        assert List(e, DELTA).number == delta.number
        assert e.ocsp(pem) == "revoked"
        restarted(e)
        assert serial in List(e, FULL).entries


def before_it_ends():
    """The clock of the checker alone runs ahead: a delta of half an hour that
    nobody renews is an alarm before it has ended (INCIDENTS row 58)."""
    for minutes, state in ((10, "good"), (25, "alarm")):
        env = {"LD_PRELOAD": os.environ["CLOCK_SHIM"], "CLOCK_ROLE": "checker",
               "CLOCK_OFFSET": str(minutes * 60)}
        with Engine(env=env) as e:
            e.init()
            with open(e.path("etc", "refrendo.yaml"), "a") as f:
                f.write("\ncheck_every: 1s\n")
            e.start()
            since = len(e.log)
            policy(e, "every: 6h, delta: 15m")
            wait_delta(e, since)

            def found():
                rows = {r["name"]: r for r in
                        e.api("GET", "/health")[1]["checks"]}
                row = rows.get("crl emisora", {})
                left = re.match(r"(\d+) %", row.get("detail", ""))
                # Not the complete list's, which has days.
                return left and int(left.group(1)) < 80 and \
                    row["state"] == state
            harness.wait_for(f"{state} after {minutes} minutes", found)
            assert not any("check-failed" in line and "delta" in line
                           for line in e.log), e.tail(20)


def main():
    harness.need("certtool")
    with Engine() as engine:
        engine.init()
        engine.start()
        engine.populate()
        story = Story(engine)
        status = harness.run_tests(
            (name, getattr(story, name)) for name in
            ("begin", "change", "tools", "next_base", "killed", "verified",
             "explained", "exported", "partitions", "restored", "verified", "ended",
             "mixed", "periodic", "verified"))
    if engine.is_sanitized() or "CLOCK_SHIM" not in os.environ:
        return status  # a preloaded clock and a sanitizer do not mix
    return status | harness.run_tests([("before_it_ends", before_it_ends)])


if __name__ == "__main__":
    sys.exit(main())
