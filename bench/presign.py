"""presign: the ocsp-signer renews the answers of a store, three days on.

The ledger and the published store are filled with certificates that were never
issued, and the engine is started with its clock ahead, so that all of them are
due; those that are not good are renewed first.  A little ahead it renews at its
pace, and serving is measured meanwhile; so far ahead that it is late it renews
as fast as it can, and that is measured then.
"""
import os
import re
import statistics
import subprocess
import threading
import time
import signal

from common import BUILD, Watch, harness, note, pin, report
import ocsp

COUNT = int(os.environ.get("PRESIGN_COUNT", "2000000"))
# bench_ocsp_fill's answers are due after three, over after four.
CALM_DAYS, LATE_DAYS = 3.1, 3.6
TOOL = os.path.join(BUILD, "bench", "bench_presign")
KEYS, REST = 0, 1  # cores: the ocsp-signer's, and everything else's
REVOCATIONS = 40


class Renewing(ocsp.Filled):
    def __init__(self):
        shim = os.path.join(BUILD, "tests", "libclock_shim.so")
        super().__init__("get")
        self.engine.env["LD_PRELOAD"] = shim
        self.engine.start()
        self.engine.populate(people=2)
        self.real = [self.engine.issue(self.engine.holders[0])["serial"]
                     for _ in range(REVOCATIONS)]
        self.engine.stop()
        began = time.monotonic()
        subprocess.run([TOOL, "fill", self.engine.dir, str(COUNT)],
                       check=True)
        note(f"{COUNT:,} certificates: ledger filled in "
             f"{time.monotonic() - began:.1f} s")
        self.fill(COUNT, every=100)
        os.environ.update(LD_PRELOAD=shim)
        self.restart(CALM_DAYS)

    def restart(self, days):
        self.engine.stop()
        self.engine.env["CLOCK_OFFSET"] = str(int(days * 86400))
        # Who verifies answers lives in the same time.
        os.environ["CLOCK_OFFSET"] = self.engine.env["CLOCK_OFFSET"]
        self.engine.start()
        self.began = time.monotonic()
        self.spread()

    def spread(self, core=REST):
        for (role, _), pid in self.engine.pids.items():
            pin(pid, KEYS if role == "ocsp-signer" else core)

    def signed(self):
        return self.engine.cli("status")["answers_signed"]

    def held(self):
        return Held(self.engine.pids["ocsp-signer", 0])


class Held:
    """The ocsp-signer does not run meanwhile."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *error):
        os.kill(self.pid, signal.SIGCONT)


def raw_rate(ms=1500):
    p = subprocess.run(["taskset", "-c", str(KEYS), TOOL, "raw", str(ms)],
                       check=True, capture_output=True, text=True)
    return float(p.stdout)


def renewal_rate(r, seconds=1.5):
    first, began = r.signed(), time.monotonic()
    time.sleep(seconds)
    last, ended = r.signed(), time.monotonic()
    assert last > first, "all is renewed already: a larger PRESIGN_COUNT"
    return (last - first) / (ended - began)


def pairs(options, r, what):
    rows = []
    for _ in range(options.pairs):
        with Watch([r.engine.process.pid, *r.engine.pids.values()]) as watch:
            with r.held():
                raw = raw_rate()
            time.sleep(0.3)
            ours = renewal_rate(r)
        rows.append((ours, raw, watch.other))
        note(f"  {what}: {ours:,.0f} answers/s of {raw:,.0f} raw signatures/s"
             f" (other work {watch.other:.1%})")
    return rows


# --- Serving meanwhile ----------------------------------------------------------------

def serving(options, r):
    """p99 at half load, with the renewal and without."""
    side = r.side()
    half = round(side.load(1)["rate"] / 2)
    rows = []
    for _ in range(options.pairs):
        with Watch([r.engine.process.pid, *r.engine.pids.values()]) as watch:
            with r.held():
                calm = side.load(2, half)
            before = r.signed()
            busy = side.load(2, half)
            renewed = r.signed() - before
        rows.append((1e6 / busy["p99_us"], 1e6 / calm["p99_us"],
                     watch.other))
        note(f"  at {half:,} requests/s: p99 {busy['p99_us']:.0f} us while "
             f"{renewed:,} answers were renewed, {calm['p99_us']:.0f} us "
             "before")
    return report(options, "presign/p99", "p99 while renewing", "p99 at rest",
                  rows, "a second is the inverse of p99",
                  f"open loop at {half:,} requests a second; status and "
                  "client on one core with core, the ocsp-signer on the "
                  "other; renewal keeps its pace", 1)


def revocations(options, r):
    """From the order to the first answer that says revoked, under load."""
    side, stop, took = r.side(), threading.Event(), []

    def load():
        while not stop.is_set():
            side.load(2)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for serial in r.real:
            began = time.monotonic()
            asked = threading.Thread(target=r.engine.cli, args=(
                "cert", "revoke", serial, "--as", harness.MINISTER,
                "--cause", "office-ended", "--reason", "left"))
            asked.start()
            request = ocsp_request(r, serial)
            while True:
                body = r.engine.get("/ocsp", "POST", request, {
                    "Content-Type": "application/ocsp-request"})[2]
                if b"\xa1\x16\x18\x0f" in body or re.search(
                        rb"\xa1[\x11\x16]\x18\x0f", body):
                    break
                assert time.monotonic() - began < 30, "not revoked"
                time.sleep(0.005)
            took.append(time.monotonic() - began)
            asked.join()
    finally:
        stop.set()
        thread.join()
    took.sort()
    worst = took[min(len(took) - 1, int(len(took) * 0.99))]
    note(f"  {len(took)} revocations: median "
         f"{statistics.median(took) * 1e3:.0f} ms, p99 {worst * 1e3:.0f} ms, "
         "the command's own start included")
    return report(options, "presign/revoke-visible",
                  "revocations to the first answer, by p99", "a second",
                  [(1 / worst, 1.0, 0.0)] * 3, "a second is its inverse",
                  f"{len(took)} revocations one after the other by the "
                  "command line, while status serves all it can and answers "
                  "are renewed", 2)


def ocsp_request(r, serial):
    path = r.engine.temp("ask.der")
    harness.run("openssl", "ocsp", "-issuer",
                r.engine.path("ca", "emisora.pem"), "-serial", "0x" + serial,
                "-no_nonce", "-reqout", path)
    with open(path, "rb") as f:
        return f.read()


def bench(options):
    with Renewing() as r:
        late = [serving(options, r)]
        r.restart(LATE_DAYS)
        inputs = (f"{COUNT:,} answers due, a core for the ocsp-signer and one "
                  "for core and the rest; raw: EVP_PKEY_sign in a loop on the "
                  "ocsp-signer's core, in between")
        done = [report(options, "presign", "answers renewed and published",
                       "raw P-256 signatures", pairs(options, r, "two cores"),
                       "a second", inputs)]
        r.spread(KEYS)
        done.append(report(
            options, "presign/one-core", "answers renewed and published",
            "raw P-256 signatures", pairs(options, r, "one core"),
            "a second", "the same, core on the ocsp-signer's core too"))
        r.spread()
        done.append(revocations(options, r))
        note(f"  {r.signed():,} answers renewed in "
             f"{time.monotonic() - r.began:.0f} s since it was late, held for "
             "raw rates included")
    return all(late + done)
