#!/usr/bin/env python3
"""./dev bench [NAME] [--json] [--pairs N]: side-by-side comparisons.

Each starts both sides itself, alternates them A B A B after a warm-up, pins
server and load generator to different cores where it measures one server
core, checks what it counts, and prints median, range and the ratio pair by
pair.  Nothing here is a test: figures depend on the machine, ratios less so.
"""
import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import crl  # noqa: E402
import ocsp  # noqa: E402
import presign  # noqa: E402
import start  # noqa: E402
from common import (  # noqa: E402
    BUILD, CONNECTIONS, ROOT, Watch, note, pin, process_time, report)
import harness  # noqa: E402
from rivals import Rivals  # noqa: E402

CERTIFICATES = 10000


# --- Issuance ---------------------------------------------------------------------

def populated(*init, cas=0):
    engine = harness.Engine()
    engine.init(*init)
    # What is measured is not the ceiling on certificates in an hour.
    ceilings = engine.path("etc", "signer.yaml")
    with open(ceilings) as f:
        text = f.read()
    with open(ceilings, "w") as f:
        f.write(re.sub(r"(per_hour\w*): \d+", r"\1: 100000000", text))
    engine.start()
    engine.populate(people=CONNECTIONS)
    if cas > 0:
        assert engine.stop() == 0
        engine.make_cas(cas)
        engine.start_seconds()
    return engine


def role_times(engine):
    """Processor time that each role has used, in seconds."""
    tick = os.sysconf("SC_CLK_TCK")
    roles = {}
    for key, pid in engine.pids.items():
        role = key if isinstance(key, str) else key[0]
        roles[role] = roles.get(role, 0) + process_time([pid]) / tick
    return roles


def note_times(before, after, count):
    """For each certificate: steady where rates are not."""
    each = {r: (after[r] - before.get(r, 0)) / count * 1e6 for r in after}
    busy = [f"{r} {t:.0f}" for r, t in sorted(each.items(), key=lambda x: -x[1])
            if t >= 1]
    note(f"  processor time, us a certificate: {sum(each.values()):.0f} ("
         + ", ".join(busy) + ")")


def issue_rows(engine, count, pairs, issuer="ec-p256", core=-1):
    """core: where raw signatures are made alone; -1: all, and all that a
    certificate needs."""
    argv = [os.path.join(BUILD, "bench", "bench_issue"),
            engine.path("run", "admin.sock"), harness.INSTITUTION, harness.OPERATOR,
            "funcionario-firma", *engine.minister, str(count),
            str(CONNECTIONS), str(pairs), issuer, str(core), *engine.holders]
    client = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    rows = []
    pids = [engine.process.pid, *engine.pids.values(), client.pid]
    before = role_times(engine)
    watch = Watch(pids)
    watch.__enter__()
    for line in client.stdout:
        watch.__exit__()
        row = json.loads(line)
        assert row["failed"] == 0, row
        rows.append((row["rate"], row["allowed"], watch.other))
        note(f"  {row['rate']:,.0f} certificates/s of {row['allowed']:,.0f} "
             f"(sign {row['sign_us']} us, verify {row['verify_us']} us; "
             f"other work {watch.other:.1%})")
        watch.__enter__()
    assert client.wait() == 0, "the load generator failed"
    note_times(before, role_times(engine), count * pairs)
    return rows


def bench_against(options, name, engine, key_type, row_of, value, against,
                  inputs):
    """Pairs with the cost of the cryptography, and in the same run each of
    those that issue too."""
    rows, beside = [], {}
    with contextlib.ExitStack() as stack:
        where = stack.enter_context(tempfile.TemporaryDirectory())
        rivals = Rivals(stack, where, key_type)
        note("warming up")
        row_of(500)
        for _ in range(options.pairs):
            rows += row_of(2000 if key_type == "ec-p256" else 1500)
            for label, who, rate in rivals.sides():
                with Watch([rivals.pid] if rivals.port else []) as watch:
                    theirs = rate()
                beside.setdefault((label, who), []).append(
                    (rows[-1][0], theirs, max(rows[-1][2], watch.other)))
                note(f"  {who}: {theirs:,.0f} certificates/s "
                     f"(other work {watch.other:.1%})")
        engine.audit()
    done = report(options, name, value, against, rows, "certificates/s",
                  inputs)
    for (label, who), pairs in beside.items():
        done &= report(
            options, f"{name}/{label}", value, who, pairs, "certificates/s",
            f"CA keys of {key_type}; they check the request and sign: no "
            "endorsement, no durable log, no status")
    return done


def bench_issue(options):
    with populated() as engine:
        return bench_against(
            options, "issue", engine, "ec-p256",
            lambda count: issue_rows(engine, count, 1),
            "certificates through all nine steps, durable",
            "the sum of their own cryptography",
            "P-256; 64 requests in flight; 2,000 certificates a pair; client "
            "on the same cores; per certificate 3 signatures and 2 "
            "verifications")


def bench_issue_cas(options):
    """What a thousand other CAs cost while the engine runs."""
    with populated(cas=start.CAS) as many, populated() as few:
        rows = []
        for warm in (True, *[False] * options.pairs):
            pair = [issue_rows(e, 500 if warm else 2000, 1)[0]
                    for e in (many, few)]
            if not warm:
                rows.append((pair[0][0], pair[1][0], max(p[2] for p in pair)))
    return report(
        options, "issue-cas", f"certificates beside {start.CAS:,} other CAs",
        "certificates of an engine with one CA", rows, "certificates/s",
        "P-256; 64 requests in flight; 2,000 certificates of each a pair, in "
        "turn; the other engine idle")


def bench_issue_rsa(options):
    """The signer has one thread: one core is given to it, and everything
    else, the client too, has the other."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        note("issue-rsa: needs two cores")
        return False
    own, rest = cores[0], cores[1]
    with populated("--keys", "issuer=rsa-3072") as engine:
        for role, pid in [*engine.pids.items(), ("", engine.process.pid)]:
            pin(pid, own if role[0:1] == ("signer",) else rest)
        return bench_against(
            options, "issue-rsa", engine, "rsa-3072",
            lambda count: issue_rows(engine, count, 1, "rsa-3072", own),
            "certificates through all nine steps, durable",
            "raw RSA-3072 signatures of the signer's core",
            "RSA-3072 issuing CA, P-256 for all other keys; 64 requests in "
            "flight; 1,500 certificates a pair; the signer, which has one "
            "thread, alone on one core, where raw signatures are made too; "
            "the other roles and the client on another")


# --- Policies ----------------------------------------------------------------------------

POLICIES = os.path.join(ROOT, "etc", "policies")


def policy_rows(pairs, *more):
    """One row of microseconds for each pair, and what else ran meanwhile."""
    argv = [os.path.join(BUILD, "bench", "bench_policy"), str(pairs), *more]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    watch = Watch([child.pid])
    watch.__enter__()
    for line in child.stdout:
        watch.__exit__()
        yield json.loads(line), watch.other
        watch.__enter__()
    assert child.wait() == 0, "bench_policy failed"


def bench_policy_eval(options):
    """The slowest of the samples."""
    files = sorted(os.path.join(POLICIES, f) for f in os.listdir(POLICIES)
                   if f.endswith(".yaml"))
    names = [os.path.basename(f).removesuffix(".yaml") for f in files]
    slowest = None
    for name in names:
        rows = []
        for row, other in policy_rows(
                options.pairs, os.path.join(ROOT, "etc", "signer.yaml"), name,
                *files):
            rows.append((1e6 / row["evaluate_us"], 1e6 / row["sign_us"],
                         other))
            note(f"  {name}: {row['evaluate_us']:.1f} us; a signature "
                 f"{row['sign_us']:.1f} us (other work {other:.1%})")
        ratio = statistics.median(a / b for a, b, _ in rows)
        if slowest is None or ratio < slowest[0]:
            slowest = ratio, name, rows
    return report(
        options, "policy-eval", "evaluations of a policy for one request",
        "ECDSA P-256 signatures", slowest[2], "a second",
        f"{slowest[1]}, the slowest of {len(names)} samples; every rule "
        "passes; one arena, reset for each; one core")


# What makes every certificate another one: the dearest that a simulation meets.
CANDIDATE = [
    ("version: 1", "version: 2"),
    ("default: 2y", "default: 1y"),
    ("extended: [emailProtection, clientAuth]", "extended: [clientAuth]"),
]


def candidates(engine, where):
    """The policy as it is but for its version, and one that changes much."""
    with open(engine.path("etc", "policies", "funcionario-firma.yaml")) as f:
        text = f.read()
    names = []
    for name, changes in (("same", CANDIDATE[:1]), ("other", CANDIDATE)):
        new = text
        for old, value in changes:
            assert old in new, old
            new = new.replace(old, value, 1)
        names.append(os.path.join(where, name + ".yaml"))
        with open(names[-1], "w") as f:
            f.write(new)
    return names


def simulate(engine, candidate, *more):
    """Seconds for each request, from start to end of the program."""
    began = time.monotonic()
    p = subprocess.run(
        [os.environ["REFRENDO"], "policy", "simulate", candidate, "--dir",
         engine.dir, "--json", "--limit", "0", *more], capture_output=True,
        text=True, check=True, env=engine.env)
    took = time.monotonic() - began
    counts = json.loads(p.stdout)["counts"]
    assert counts["not_judged"] == 0, counts
    return took / counts["requests"], counts


def bench_policy_simulate(options):
    with populated() as engine, tempfile.TemporaryDirectory() as where:
        note(f"issuing {CERTIFICATES:,} certificates")
        issue_rows(engine, CERTIFICATES, 1)
        export = os.path.join(where, "export.jsonl")
        engine.cli("audit", "export", export)
        engine.stop()
        same, other = candidates(engine, where)
        simulate(engine, same)
        rows = []
        for row, other_work in policy_rows(options.pairs):
            with Watch([]) as watch:
                differ, counts = simulate(engine, other)
                assert counts["differ"] == counts["requests"], counts
                equal, counts = simulate(engine, same)
                assert counts["same"] == counts["requests"], counts
            each = (differ + equal) / 2
            rows.append((1 / each, 1e6 / row["sign_us"],
                         max(other_work, watch.other)))
            lines, _ = simulate(engine, same, "--export", export)
            note(f"  {each * 1e6:.1f} us a request ({differ * 1e6:.1f} where "
                 f"all differ, {equal * 1e6:.1f} where none does, "
                 f"{lines * 1e6:.1f} from an export); a signature "
                 f"{row['sign_us']:.1f} us (other work {watch.other:.1%})")
        requests = counts["requests"]
    return report(
        options, "policy-simulate", "requests judged by another policy",
        "ECDSA P-256 signatures", rows, "a second",
        f"{requests:,} requests of a ledger, from start to end of the "
        "program; half of the runs with certificates that all differ")


def bench_start(options):
    with contextlib.ExitStack() as stack:
        return start.bench(options, stack)


BENCHES = {
    "issue": bench_issue,
    "issue-cas": bench_issue_cas,
    "issue-rsa": bench_issue_rsa,
    "ocsp-get": lambda o: ocsp.bench(o, "get"),
    "ocsp-post": lambda o: ocsp.bench(o, "post"),
    "ocsp-10m": ocsp.bench_growth,
    "crl-1m": crl.bench,
    "presign": presign.bench,
    "policy-eval": bench_policy_eval,
    "policy-simulate": bench_policy_simulate,
    "start": bench_start,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", choices=[*BENCHES, []],
                        help="all when none is named")
    parser.add_argument("--json", action="store_true",
                        help="one object a line: name, value, against, ratio")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    done = [BENCHES[n](options) for n in options.name or BENCHES]
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
