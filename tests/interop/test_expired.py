"""What becomes of a certificate's status when it has ended: CRLs and deltas
list it until a periodic list has it (RFC 5280 3.3 and 5.2.4), OCSP keeps it
for as long as the archive cutoff says (RFC 6960 4.4.4).  The wall clock is
moved on from start to start."""
import calendar
import os
import re
import sys
import time

import harness
import wire
from harness import run

HOUR = 3600
OCSP = {"Content-Type": "application/ocsp-request"}
ARCHIVE = bytes.fromhex("06092b0601050507300106")
FULL = "/crl/emisora.crl"


def entries(engine, path):
    """Serials of a list, as hex, and its number."""
    name = engine.temp("list.crl")
    run("curl", "-sf", "-o", name, engine.url + path)
    text = run("openssl", "crl", "-inform", "DER", "-in", name, "-noout",
               "-text").stdout.decode()
    number = int(re.search(r"CRL Number: \n\s+(\d+)", text).group(1))
    return {s.lower() for s in re.findall(r"Serial Number: (\w+)", text)}, \
        number


class Time:
    """An engine whose clock is hours ahead."""

    def __init__(self, engine):
        self.engine, self.hours = engine, 0

    def now(self):
        return time.time() + self.hours * HOUR

    def on(self, hours, kill=False):
        """Stopped, and started again at that hour, with lists made then."""
        e, self.hours = self.engine, hours
        since = len(e.log)
        if kill:
            for pid in set(e.pids.values()) | {e.process.pid}:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            e.process.wait(timeout=30)
        else:
            assert e.stop() == 0
        e.env["CLOCK_OFFSET"] = str(int(hours * HOUR))
        e.start()
        for base in ("base=0 ", "base=[1-9]"):
            for partition in ("0", "1"):
                e.wait_log(rf"event=crl-published .*partition={partition} "
                           rf".*{base}", since)


def policy(engine):
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    version = int(re.search(r"^version: (\d+)", text, re.M).group(1))
    text = text.replace(f"version: {version}", f"version: {version + 1}", 1)
    text = re.sub(r"^status:\n(  .*\n)+|^status: .*\n", "", text, flags=re.M)
    text = text.rstrip("\n") + """
status:
  ocsp: {validity: 4h, archive_cutoff: 12h}
  crl: {every: 6h, overlap: 24h, delta: 15m, partition: 10}
"""
    with open(path, "w") as f:
        f.write(text)
    engine.activate(path)


def issue(engine, holder, validity):
    """Asked again until its partition and delta are there."""
    _, csr = engine.new_key()

    def asked():
        try:
            return engine.cli(
                "request", "new", "--as", harness.OPERATOR, "--rut",
                harness.INSTITUTION, "--run", holder, "--policy",
                "funcionario-firma", "--csr", csr, "--validity", validity)
        except harness.Refused as e:
            if not re.search("partition-not-open|delta-not-open", e.text):
                raise
            return None
    made = harness.wait_for("the lists of a certificate", asked)
    return engine.endorse(made["id"])["serial"]


def revoke(engine, serial):
    engine.cli("cert", "revoke", serial, "--as", harness.MINISTER, "--cause",
               "superseded")


def ocsp(engine, serial):
    """What it says, and the archive cutoff in it."""
    issuer = wire.Issuer(engine.path("ca", "emisora.pem"))
    number = int(serial, 16)
    status, _, body = engine.get("/ocsp", "POST", issuer.request(number), OCSP)
    assert status == 200, status
    said = wire.ocsp_says(body, number)
    at = body.find(ARCHIVE)
    if at < 0:
        return said, None
    text = re.search(rb"\d{14}Z", body[at:]).group(0).decode()
    return said, calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def lists(engine):
    """Full, its delta; partition, its delta."""
    return [entries(engine, path)[0] for path in (
        FULL, "/crl/emisora/delta.crl", "/crl/emisora/1.crl",
        "/crl/emisora/1-delta.crl")]


def story(t):
    e = t.engine
    e.populate()
    policy(e)
    short = issue(e, e.holders[0], "1h")
    held = issue(e, e.holders[1], "1h")
    late = issue(e, e.holders[2], "1h")
    good = issue(e, e.holders[0], "1h")
    long = issue(e, e.holders[1], "365d")
    for serial in (short, long):
        revoke(e, serial)
    e.cli("cert", "suspend", held, "--as", harness.MINISTER, "--cause",
          "key-doubt", "--until",
          time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400)))
    _, _, part, delta = lists(e)
    assert part == set() and delta == {short, held, long}, (part, delta)

    # Ended, and on a complete list for the first time.
    t.on(2)
    full, full_delta, part, delta = lists(e)
    assert full == part == {short, held, long}, (full, part)
    assert full_delta == delta == set()
    # Revoked after its end: told by a delta, hence by the next list too.
    revoke(e, late)
    assert lists(e)[3] == {late}
    said, cutoff = ocsp(e, short)
    assert said == "revoked"
    assert abs(cutoff - (t.now() - 12 * HOUR)) < 600, cutoff
    assert ocsp(e, good)[0] == "good"

    # The first periodic list behind their ends has them all, once more.
    t.on(7)
    full, full_delta, part, delta = lists(e)
    assert full == part == {short, held, late, long}, (full, part)
    assert full_delta == delta == set()

    # And the next one has not, whoever made the last; a kill forgets nothing.
    t.on(7.2, kill=True)
    full, full_delta, part, delta = lists(e)
    assert full == part == {long}, (full, part)
    assert full_delta == delta == set()
    assert ocsp(e, short)[0] == "revoked"

    # Off hold although it is on no list any more: a delta may say so.
    e.cli("cert", "reinstate", held, "--as", harness.MINISTER, "--reason",
          "found")
    assert lists(e)[3] == {held}
    t.on(14)
    assert lists(e) == [{long}, set(), {long}, set()]

    # Past the archive cutoff nothing is said of them.
    for serial in (short, good):
        harness.wait_for("an end of its status", lambda s=serial: ocsp(e, s)[0]
                         not in ("good", "revoked"))
    assert ocsp(e, long)[0] == "revoked"
    e.audit()


def ca_ends():
    with harness.Engine(env={"LD_PRELOAD": os.environ["CLOCK_SHIM"]}) as e:
        e.init()
        e.start()
        near_its_end(e)


def near_its_end(engine):
    """A CA near its end and behind it asks for no responder over and over:
    the signer would take it for an anomaly, and sign nothing for an hour."""
    p = run("openssl", "x509", "-in", engine.path("ca", "emisora.pem"),
            "-noout", "-enddate")
    end = calendar.timegm(time.strptime(
        p.stdout.decode().strip(), "notAfter=%b %d %H:%M:%S %Y GMT"))
    sizes = []
    for seconds in (-1000, -100, HOUR):
        assert engine.stop() == 0
        since = len(engine.log)
        engine.env["CLOCK_OFFSET"] = str(int(end + seconds - time.time()))
        engine.start()
        here = engine.wait_log("event=signer-here", since)
        sizes.append(int(re.search(r"checkpoint=(\d+)", here).group(1)))
        time.sleep(4)
        bad = [line for line in engine.log[since:] if "SIGNER_RESPONDER" in line
               or "read-only" in line]
        assert not bad, bad
    # Its last list and its last responder.
    assert sizes[1] - sizes[0] == 2 and sizes[2] == sizes[1], sizes


def main():
    if "CLOCK_SHIM" not in os.environ:
        print("skipped: the shim was not built")
        return 77
    with harness.Engine(env={"LD_PRELOAD": os.environ["CLOCK_SHIM"]}) as e:
        e.init()
        e.start()
        if e.is_sanitized():
            print("skipped: a preloaded clock and a sanitizer do not mix")
            return 77
        return harness.run_tests([("a CA that ends", ca_ends),
                                  ("expired", lambda: story(Time(e)))])


if __name__ == "__main__":
    sys.exit(main())
