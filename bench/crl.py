"""crl-1m: a full CRL of a million entries, from the ledger's cursor to
public/, against hashing and writing the same octets."""
import os
import re
import subprocess
import tempfile
import threading
import time

from common import BUILD, Watch, harness, note, report

ENTRIES = 1000000
TOOL = os.path.join(BUILD, "bench", "bench_crl")
LIMIT_KB = 32 * 1024
DELTAS = 5


class Peak:
    """The largest RssAnon of a process while it is watched, in KiB."""

    def __init__(self, pid):
        self.path, self.most, self.least = f"/proc/{pid}/status", 0, 1 << 40
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ends.is_set():
            with open(self.path) as f:
                found = re.search(r"RssAnon:\s+(\d+) kB", f.read())
            self.most = max(self.most, int(found.group(1)))
            self.least = min(self.least, int(found.group(1)))
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ends.set()
        self.thread.join()


def filled(pairs):
    engine = harness.Engine()
    engine.init()
    engine.start()
    engine.populate(people=1)
    certificates = []
    for _ in range(pairs + 1 + DELTAS):
        certificates.append(engine.issue(engine.holders[0])["serial"])
    engine.stop()
    note(f"filling the ledger with {ENTRIES:,} revoked certificates")
    subprocess.run([TOOL, "fill", engine.dir, "emisora", str(ENTRIES)],
                   check=True)
    engine.start()
    return engine, certificates


def published(engine, since):
    line = engine.wait_log(r"event=crl-published .*entries=1\d{6}", since, 60)
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)\b", line)}


def bare_us(engine, crl):
    out = engine.temp("bare.out")
    took = subprocess.run([TOOL, "bare", crl, out], check=True,
                          capture_output=True, text=True).stdout.split()
    os.unlink(out)
    return int(took[0]), int(took[1])


def fetch(engine):
    crl = engine.temp("full.crl")
    subprocess.run(["curl", "-sf", "-o", crl,
                    engine.url + "/crl/emisora.crl"], check=True)
    return crl


def checked(engine, crl, entries):
    """OpenSSL's word on the last one: signature, and every entry there."""
    p = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-in", crl, "-noout",
         "-CAfile", engine.path("ca", "emisora.pem")],
        capture_output=True, text=True, check=True)
    assert "verify OK" in p.stdout + p.stderr
    with open(crl, "rb") as f:
        count = f.read().count(b"\x06\x03\x55\x1d\x15\x04\x03\x0a\x01")
    assert count == entries, (count, entries)


def gencrl_s(engine):
    """`openssl ca -gencrl` over the same entries: once, it is slow."""
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([TOOL, "index", os.path.join(d, "index.txt"),
                        str(ENTRIES)], check=True)
        with open(os.path.join(d, "ca.cnf"), "w") as f:
            f.write("[ca]\ndefault_ca=d\n[d]\n"
                    f"database={d}/index.txt\ncrlnumber={d}/number\n"
                    "default_md=sha256\ndefault_crl_days=1\n")
        with open(os.path.join(d, "number"), "w") as f:
            f.write("01\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=Bench", "-keyout", f"{d}/key.pem",
                        "-out", f"{d}/ca.pem"], check=True,
                       capture_output=True)
        began = time.monotonic()
        subprocess.run(["openssl", "ca", "-gencrl", "-config", f"{d}/ca.cnf",
                        "-keyfile", f"{d}/key.pem", "-cert", f"{d}/ca.pem",
                        "-out", f"{d}/crl.pem"], check=True,
                       capture_output=True)
        return time.monotonic() - began


def revoke(engine, serial):
    engine.cli("cert", "revoke", serial, "--as", harness.MINISTER, "--cause",
               "superseded")


def deltas_s(engine, certificates):
    """A revocation makes a delta once a policy has them: seconds of each."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    text = re.sub(r"(?m)^version: (\d+)",
                  lambda m: f"version: {int(m.group(1)) + 1}", text, count=1)
    with open(path, "w") as f:
        f.write(text.replace("crl: {", "crl: {delta: 15m, ", 1))
    since, took = len(engine.log), []
    engine.activate(path)
    engine.wait_log(r"event=crl-published .*base=[1-9]", since)
    for serial in certificates:
        since = len(engine.log)
        revoke(engine, serial)
        line = engine.wait_log(r"event=crl-published .*base=[1-9]", since)
        took.append(int(re.search(r"ms=(\d+)", line).group(1)) / 1000 or 1e-3)
        note(f"  delta: {line.split('entries=')[1]}")
    return took


def bench(options):
    engine, certificates = filled(options.pairs)
    rows, took, peaks = [], [], {"core": [], "signer": []}
    with engine:
        published(engine, 0)
        time.sleep(1)
        for serial in certificates[:-DELTAS]:
            crl = fetch(engine)
            roles = {r: engine.pids[r, 0] for r in peaks}
            since = len(engine.log)
            # Looking at memory takes time: once, outside of what is timed.
            if serial == certificates[0]:
                with Peak(roles["core"]) as core, \
                        Peak(roles["signer"]) as signer:
                    revoke(engine, serial)
                    published(engine, since)
                peaks["core"].append((core.least, core.most))
                peaks["signer"].append((signer.least, signer.most))
                note(f"  RssAnon core {core.most // 1024} MiB, signer "
                     f"{signer.most // 1024} MiB")
                continue
            with Watch([os.getpid(), engine.process.pid,
                        *engine.pids.values()]) as watch:
                bare, octets = bare_us(engine, crl)
                revoke(engine, serial)
                done = published(engine, since)
            ours = done["ms"] * 1000
            rows.append((octets / ours, octets / bare, watch.other))
            took.append(ours / 1e6)
            note(f"  {done['ms']} ms for {done['entries']:,} entries, "
                 f"{octets / 1e6:.1f} MB; bare {bare / 1000:.0f} ms (other "
                 f"work {watch.other:.1%})")
        checked(engine, fetch(engine), done["entries"])
        slow = gencrl_s(engine)
        deltas = deltas_s(engine, certificates[-DELTAS:])
    good = report(
        options, "crl-1m", "octets of a CRL, from the ledger to public/",
        "hashed and written, nothing else", rows, "MB/s",
        f"{ENTRIES:,} entries with reasons, signed by the signer, with the "
        "entry in the log synced; ledger filled by a tool")
    fast = sorted(took)[len(took) // 2]
    good &= report(options, "crl-1m/openssl", "CRLs", "openssl ca -gencrl",
                   [(60 / fast, 60 / slow, 0)] * 3, "a minute",
                   f"the same entries, once: {slow:.1f} s", digits=1)
    good &= report(options, "crl-1m/delta", "deltas beside that list",
                   "the list itself", [(60 / s, 60 / fast, 0) for s in deltas],
                   "a minute", "a revocation each, the deltas of 1 to "
                   f"{DELTAS} entries")
    for role, sizes in peaks.items():
        most = max(s[1] for s in sizes)
        good &= report(options, f"crl-1m/{role}", f"RssAnon of {role}, peak",
                       "the limit of 32 MiB", [(most, LIMIT_KB, 0)] * 3, "KiB",
                       f"at rest {min(s[0] for s in sizes):,} KiB")
    return good
