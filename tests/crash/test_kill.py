"""SIGKILL to core and to the signer at every boundary between two steps,
with work in flight; after each restart nothing acknowledged is lost, no
certificate is unrecorded, no serial comes twice, a complete CRL with its delta
says what the records say, and audit and replay agree.

INCIDENTS rows 3, 37, 39, 51, 52 and 64; faults F1, F2 and F3.
"""
import os
import random
import re
import sys
import threading
import time

import harness

ROUNDS = int(os.environ.get("REFRENDO_KILL_ROUNDS", "200"))
# Calls to disk and sockets that one issuance makes in a role, about.
SPAN = {"core": 60, "signer": 30}
WORKERS = 3
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
                time.sleep(0.05)

    def issue_one(self):
        _, csr = self.engine.new_key()
        made = self.insist(
            lambda key: self.engine.request(self.holder, csr, key))
        done = self.insist(
            lambda key: self.engine.endorse(made["id"], key))
        while done["state"] == "endorsed":  # committed, waits for the signer
            time.sleep(0.1)
            done = self.insist(
                lambda key: self.engine.cli("request", "show", made["id"]))
        if done["state"] != "issued":
            self.wrong.append(f"endorsed and then {done['state']}")
            return
        self.acknowledged[done["serial"]] = "valid"
        if self.acts % 4 == 0:
            self.insist(lambda key: self.engine.cli(
                "cert", "revoke", done["serial"], "--as", harness.MINISTER,
                "--cause", "office-ended", "--reason", "left", key=key))
            self.acknowledged[done["serial"]] = "revoked"

    def run(self):
        try:
            while self.going.wait() and not self.stopping:
                self.issue_one()
        except Exception as error:  # told by the main thread
            self.wrong.append(repr(error))


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


def take_up_deltas(engine):
    """Each change of status makes a delta from here on."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    text = re.sub(r"(?m)^version: (\d+)",
                  lambda m: f"version: {int(m.group(1)) + 1}", text, count=1)
    text, n = re.subn(r"crl: \{", "crl: {delta: 15m, ", text)
    assert n == 1, text
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
        engine.start()
        engine.populate(people=WORKERS)
        take_up_deltas(engine)
        going = threading.Event()
        workers = [Work(engine, engine.holders[i], i, going)
                   for i in range(WORKERS)]
        for w in workers:
            w.start()
        for n in range(ROUNDS):
            pid, ups = engine.pids[role, 0], engine.ups[role]
            going.set()
            engine.arm(role, n % SPAN[role] + 1)
            # Every tenth time the next kill comes while it is starting.
            engine.wait_restart(role, pid, ups=None if n % 10 == 9 else ups)
            going.clear()  # what is in flight goes on under the checks
            found = check_nothing_lost(engine, workers)
            check_status(engine, found, 1)
            check_lists(engine, {s for w in workers
                                 for s, state in list(w.acknowledged.items())
                                 if state == "revoked"})
            engine.audit(journal=False)
        for w in workers:
            w.stopping = True
        going.set()
        for w in workers:
            w.join(harness.WAIT)
            assert not w.is_alive(), "an act never got its answer"
        found = check_nothing_lost(engine, workers)
        check_status(engine, found, 50)
        report = engine.audit()
        print(f"{role}: {ROUNDS} kills, {len(found)} certificates, "
              f"{report['entries']} entries, all in order")


if __name__ == "__main__":
    if "CRASH_SHIM" not in os.environ:
        print("skipped: the shim was not built")
        sys.exit(77)
    for role in sys.argv[1:] or ("core", "signer"):
        sweep(role)
