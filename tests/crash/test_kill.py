"""SIGKILL to core and to the signer at every boundary between two steps,
with work in flight: certificates that a minister endorses, renewals under a
mandate, and CAs that are made.  After each restart nothing acknowledged is lost,
no certificate is unrecorded, no renewal is counted twice, no CA is half made, no serial comes twice, a complete CRL with its delta
says what the records say, and audit and replay agree.

INCIDENTS rows 3, 37, 39, 51, 52 and 64; faults F1, F2 and F3.
"""
import os
import random
import re
import subprocess
import sys
import threading
import time

import harness

ROUNDS = int(os.environ.get("REFRENDO_KILL_ROUNDS", "200"))
# Calls to disk and sockets that one issuance makes in a role, about.
SPAN = {"core": 60, "signer": 30}
WORKERS = 3  # the first of them renews
CAS = 8      # made in the course of a sweep
UNAVAILABLE = 8  # exit status: try again with the same key


class Work(threading.Thread):
    """Asks, endorses and revokes until told to stop; remembers what was
    acknowledged.  A call whose answer was lost is repeated with its key, as
    any client would."""

    def __init__(self, engine, holder, number, going):
        super().__init__(daemon=True)
        self.engine, self.holder = engine, holder
        self.going = going  # new work begins only while it is set
        self.number, self.acts = number, 0
        self.acknowledged = {}  # serial -> state
        self.wrong = []
        self.stopping = False

    def insist(self, act):
        self.acts += 1
        key = f"w{self.number}-{self.acts}-{random.getrandbits(32):x}"
        while True:
            try:
                return act(key)
            except harness.Refused as refused:
                if refused.status != UNAVAILABLE:
                    raise
            except subprocess.CalledProcessError as failed:
                if failed.returncode != UNAVAILABLE:
                    raise
            time.sleep(0.05)

    def issued(self, done):
        """Its serial number, once the signer has signed what is committed."""
        number = done["id"]
        while done["state"] == "endorsed":
            time.sleep(0.1)
            done = self.insist(
                lambda key: self.engine.cli("request", "show", number))
        if done["state"] != "issued":
            raise AssertionError(f"endorsed and then {done['state']}")
        self.acknowledged[done["serial"]] = "valid"
        return done["serial"]

    def revoke(self, serial):
        self.insist(lambda key: self.engine.cli(
            "cert", "revoke", serial, "--as", harness.MINISTER, "--cause",
            "office-ended", "--reason", "left", key=key))
        self.acknowledged[serial] = "revoked"

    def endorsed(self):
        _, csr = self.engine.new_key()
        made = self.insist(
            lambda key: self.engine.request(self.holder, csr, key))
        return self.issued(self.insist(
            lambda key: self.engine.endorse(made["id"], key)))

    def issue_one(self):
        serial = self.endorsed()
        if self.acts % 4 == 0:
            self.revoke(serial)

    def run(self):
        try:
            while self.going.wait() and not self.stopping:
                self.issue_one()
        except Exception as error:  # told by the main thread
            self.wrong.append(repr(error))


class Renewals(Work):
    """A mandate, as many renewals as it allows, and an end."""

    ALLOWED = 6

    def issue_one(self):
        serial = self.endorsed()
        until = time.strftime("%Y-%m-%d",
                              time.gmtime(time.time() + 200 * 86400))
        number = self.insist(lambda key: self.engine.cli(
            "mandate", "propose", serial, "--as", harness.OPERATOR, "--until",
            until, "--renewals", self.ALLOWED, key=key))["id"]
        minister = self.engine.minister
        self.insist(lambda key: self.engine.cli(
            "mandate", "endorse", number, "--key", minister[0], "--cert",
            minister[1], key=key))
        for used in range(1, self.ALLOWED + 1):
            self.going.wait()
            serial = self.renewed(serial, number)
            record = self.insist(
                lambda key: self.engine.cli("mandate", "show", number))
            assert record["used"] == used, record
        self.revoke(serial)

    def renewed(self, old, number):
        done = self.insist(lambda key: self.engine.cli(
            "renew", old, "--as", harness.OPERATOR, "--mandate", number,
            key=key))
        serial = self.issued(done)
        record = self.insist(lambda key: self.engine.cli("cert", "show", old))
        assert record["replaced_by"] == serial, record
        return serial


class Authorities(Work):
    """CAs whose keys the signer makes; the root signs beside the engine."""

    def __init__(self, *args):
        super().__init__(*args)
        self.made = []

    def issue_one(self):
        engine, name = self.engine, f"ca-{len(self.made)}"
        self.going.clear()  # the next one in a later round
        if len(self.made) == CAS:
            return
        number = self.insist(lambda key: engine.cli(
            "ca", "create", name, "--as", harness.OFFICER, key=key))["id"]
        cms = self.insist(
            lambda key: engine.sign_as_officer(number, "ceremony"))
        self.insist(lambda key: engine.cli(
            "ceremony", "endorse", number, "--cms", cms, key=key))
        request, answer = engine.temp(name + ".ask"), engine.temp(name + ".ok")
        self.insist(lambda key: engine.cli(
            "ceremony", "export", number, "--out", request))
        p = engine.with_passphrase(
            [harness.REFRENDO, "ceremony", "sign", request, "--key",
             engine.path("keys", "root.key"), "--cert",
             engine.path("ca", "root.pem"), "--out", answer, "--ceilings",
             engine.path("etc", "signer.yaml"), "--yes"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL)
        text, _ = p.communicate()
        assert p.returncode == 0, text.decode()
        got = self.insist(lambda key: engine.cli(
            "ceremony", "import", answer, "--as", harness.OFFICER, key=key))
        assert got["state"] == "completed", got
        self.made.append(name)


def check_cas(engine, made):
    """Who was told that a CA is made finds it, and a list by it."""
    made = list(made)
    there = {row["name"] for row in engine.cli("ca", "ls")["items"]}
    assert there >= set(made), set(made) - there
    for name in made[-1:]:
        harness.wait_for(f"a list by {name}", lambda: engine.get(
            f"/crl/{name}.crl")[0] == 200)


def certificates(engine):
    """Every certificate's record by serial."""
    found, after = {}, []
    while True:
        page = engine.cli("cert", "ls", "--limit", "500", *after)
        for c in page["items"]:
            assert c["serial"] not in found, "a serial came twice"
            if c["issuer"] == "emisora":  # not the minister's own
                found[c["serial"]] = c
        if not page.get("next"):
            return found
        after = ["--after", page["next"]]


def check_nothing_lost(engine, workers):
    """Every act that was acknowledged before now is in the records."""
    acknowledged = {}
    for w in workers:
        assert not w.wrong, w.wrong
        acknowledged.update(w.acknowledged)
    found = certificates(engine)
    for serial, state in acknowledged.items():
        assert serial in found, f"acknowledged, then lost: {serial}"
        now = found[serial]["state"]
        assert now in (state, "revoked"), (serial, state, now)
    return found


def check_status(engine, found, sample):
    """Whatever may have been signed has a status: good or revoked."""
    for serial in random.sample(sorted(found), min(sample, len(found))):
        said = harness.run(
            "openssl", "ocsp", "-issuer", engine.path("ca", "emisora.pem"),
            "-serial", "0x" + serial, "-CAfile",
            engine.path("ca", "root.pem"), "-no_nonce", "-url",
            engine.url + "/ocsp")
        text = (said.stdout + said.stderr).decode()
        assert ": good" in text or ": revoked" in text, text
        if found[serial]["state"] == "revoked":
            assert ": revoked" in text, text


def take_up(engine):
    """Each change of status makes a delta from here on, and mandates count."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    text = re.sub(r"(?m)^version: (\d+)",
                  lambda m: f"version: {int(m.group(1)) + 1}", text, count=1)
    for old, new in (("crl: {", "crl: {delta: 15m, "),
                     ("reuse: forbid", "reuse: same-person"),
                     ("renewal: fresh", "renewal: mandate"),
                     ("default: 2y", "default: 45d")):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with open(path, "w") as f:
        f.write(text)
    since = len(engine.log)
    engine.activate(path)
    engine.wait_log(r"event=crl-published .*base=[1-9]", since)


def served(engine, path):
    """Number, base and reasons by serial of a list, as openssl reads it."""
    file = engine.temp("served.crl")
    harness.run("curl", "-sf", "-o", file, engine.url + path)
    text = harness.run("openssl", "crl", "-inform", "DER", "-in", file,
                       "-noout", "-text").stdout.decode()
    reasons = {}
    for part in text.split("Serial Number: ")[1:]:
        reason = re.search(r"Reason Code: \n\s+(.*)", part)
        reasons[part.split()[0].lower()] = reason and reason.group(1)
    number, base = (re.search(name + r".*\n\s+(\d+)", text) for name in
                    ("CRL Number", "Delta CRL Indicator"))
    return int(number.group(1)), int(base.group(1)) if base else 0, reasons


def check_lists(engine, revoked):
    """A client that combines both knows of every acknowledged revocation."""
    full, _, listed = served(engine, "/crl/emisora.crl")
    delta, base, changed = served(engine, "/crl/emisora/delta.crl")
    if base > full:  # a complete list came in between
        full, _, listed = served(engine, "/crl/emisora.crl")
    assert base <= full, (base, full)
    known = set(listed)
    if delta > full:
        for serial, reason in changed.items():
            (known.discard if reason == "Remove From CRL" else known.add)(
                serial)
    assert revoked <= known, revoked - known


def sweep(role):
    """One engine, killed at the n-th call after arming, ROUNDS times."""
    with harness.Engine(env={"LD_PRELOAD": os.environ["CRASH_SHIM"],
                             "CRASH_ROLE": role}) as engine:
        engine.init()
        with open(engine.path("etc", "signer.yaml"), "a") as f:
            f.write("mandate_max: 1y\n")
        engine.start()
        engine.populate(people=WORKERS)
        take_up(engine)
        going, another_ca = threading.Event(), threading.Event()
        workers = [(Work if i > 0 else Renewals)(
            engine, engine.holders[i], i, going) for i in range(WORKERS)]
        makes_cas = Authorities(engine, None, WORKERS, another_ca)
        for w in (*workers, makes_cas):
            w.start()
        for n in range(ROUNDS):
            if n % max(1, ROUNDS // CAS) == 0:
                another_ca.set()
            pid, ups = engine.pids[role, 0], engine.ups[role]
            going.set()
            engine.arm(role, n % SPAN[role] + 1)
            # Every tenth time the next kill comes while it is starting.
            engine.wait_restart(role, pid, ups=None if n % 10 == 9 else ups)
            going.clear()  # what is in flight goes on under the checks
            found = check_nothing_lost(engine, workers)
            check_status(engine, found, 1)
            assert not makes_cas.wrong, makes_cas.wrong
            check_cas(engine, makes_cas.made)
            check_lists(engine, {s for w in workers
                                 for s, state in list(w.acknowledged.items())
                                 if state == "revoked"})
            engine.audit(journal=False)
        for w in (*workers, makes_cas):
            w.stopping = True
        going.set()
        another_ca.set()
        for w in (*workers, makes_cas):
            w.join(harness.WAIT)
            assert not w.is_alive(), "an act never got its answer"
        found = check_nothing_lost(engine, workers)
        check_status(engine, found, 50)
        assert not makes_cas.wrong, makes_cas.wrong
        check_cas(engine, makes_cas.made)
        report = engine.audit()
        print(f"{role}: {ROUNDS} kills, {len(found)} certificates, "
              f"{len(makes_cas.made)} CAs, "
              f"{report['entries']} entries, all in order")


if __name__ == "__main__":
    if "CRASH_SHIM" not in os.environ:
        print("skipped: the shim was not built")
        sys.exit(77)
    for role in sys.argv[1:] or ("core", "signer"):
        sweep(role)
