"""Status packs: made by the engine's side, read without it by the program and
by a second reader; what is altered, cut, old or another's says nothing."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys

import harness
import read_pack
import test_crl_delta
from harness import run, wait_for
from status_site import Site

EXITS = {"good": 0, "revoked": 10, "held": 10, "unknown": 11}


def check(s, pack, *names, env=None, issuer=None, log_key=None, more=()):
    """Exit status and what is said of each certificate; no installation."""
    p = subprocess.run(
        [harness.REFRENDO, "status", "check", "--pack", pack, "--log-key",
         log_key or s.log_key, "--issuer", issuer or s.issuer, "--json",
         "--lang", "en", *more, *(s.pem[n] for n in names)],
        capture_output=True, env=env or s.engine.env, cwd="/",
        stdin=subprocess.DEVNULL)
    text = p.stdout.decode()
    return p.returncode, (json.loads(text) if text.strip() else
                          p.stderr.decode())


def make(s, lists=1):
    out = s.engine.temp("status.pack")
    done = s.engine.cli("status", "pack", "--out", out)
    assert done["lists"] == lists and done["octets"] == os.path.getsize(out), done
    return out


def both_readers(s, lists=1, want=None):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    pack = make(s, lists)
    with open(s.log_key, "rb") as f:
        log_key = serialization.load_pem_public_key(f.read())
    with open(pack, "rb") as f:
        lists = read_pack.read(f.read(), log_key)
    with open(s.issuer, "rb") as f:
        issuer = x509.load_pem_x509_certificate(f.read())
    for name, state in (want or {n: n for n in (
            "good", "revoked", "held")}).items():
        status, said = check(s, pack, name)
        assert status == EXITS[state], (status, said)
        assert said[0]["status"] == state, said
        assert said[0]["serial"] == s.serial[name], said
        with open(s.pem[name], "rb") as f:
            cert = x509.load_pem_x509_certificate(f.read())
        assert read_pack.status(lists, cert, issuer) == state
    if want:
        return
    status, said = check(s, pack, "good", "revoked", "held")
    assert status == 10 and [x["status"] for x in said] == \
        ["good", "revoked", "held"], said
    assert said[1]["reason"] == "keyCompromise", said
    assert said[2]["reason"] == "certificateHold", said


def later_is_unknown(s):
    """What is issued after the pack was made is not good by it."""
    pack = make(s)
    s.issue("later", s.engine.holders[0])
    status, said = check(s, pack, "later")
    # Within one second of the list the clock does not tell.
    if said[0]["status"] != "good":
        assert (status, said[0]["status"]) == (11, "unknown"), said


def altered(s):
    """Not one octet may change and none may be missing; both readers."""
    from cryptography.hazmat.primitives import serialization
    pack = make(s)
    with open(pack, "rb") as f:
        data = f.read()
    with open(s.log_key, "rb") as f:
        log_key = serialization.load_pem_public_key(f.read())
    dice = random.Random(4)
    bad = s.engine.temp("bad.pack")
    at = range(len(data))
    first = [i for i in at if i < 200]
    cases = [data[:i] + bytes([data[i] ^ 1 << dice.randrange(8)])
             + data[i + 1:] for i in dice.sample(at, 200) + first[::7]]
    cases += [data[:i] for i in dice.sample(range(len(data)), 60)]
    lines = data.split(b"\n")
    cases += [b"\n".join(lines[:i] + lines[i + 1:])
              for i in range(len(lines) - 1)]
    cases += [data + b"\n", data + data, b"", data + b"{}\n"]
    wrong = []
    for i, case in enumerate(cases):
        with open(bad, "wb") as f:
            f.write(case)
        status, said = check(s, bad, "good")
        if status != 7 or isinstance(said, list):
            wrong.append((i, status, said))
    assert not wrong, wrong
    for case in cases:
        try:
            read_pack.read(case, log_key)
        except (read_pack.Bad, ValueError, KeyError):
            continue
        raise AssertionError("the second reader takes what is altered")


def another_log_and_another_ca(s):
    pack = make(s)
    other = s.engine.temp("other.pub")
    run("openssl", "genpkey", "-algorithm", "ED25519", "-out",
        other + ".key")
    run("openssl", "pkey", "-in", other + ".key", "-pubout", "-out", other)
    status, said = check(s, pack, "good", log_key=other)
    assert status == 7 and "checkpoint" in said, said
    status, said = check(s, pack, "good", more=("--origin", "other/log"))
    assert status == 7 and "pack-origin" in said, said
    # A certificate of a CA that the pack has no list of.
    status, said = check(s, pack, "good", issuer=s.root)
    assert status == 7 and "cli-not-issuer" in said, said
    s.pem["issuer"] = s.issuer
    status, said = check(s, pack, "issuer", issuer=s.root)
    assert (status, said[0]["status"]) == (11, "unknown"), said


def too_old(s):
    pack = make(s)
    for days, status in ((0, 0), (40, 7), (-2, 7)):
        env = dict(s.engine.env, LD_PRELOAD=os.environ["CLOCK_SHIM"],
                   CLOCK_OFFSET=str(days * 86400))
        got, said = check(s, pack, "good", env=env)
        assert got == status, (days, said)
        assert status == 0 or "crl-" in said, said
    status, said = check(s, pack, "good", more=("--max-age", "1h"))
    assert status == 0, said
    status, said = check(s, pack, "good", more=("--max-age", "many"))
    assert status == 2, said
    wait_for("a second", lambda: check(
        s, pack, "good", more=("--max-age", "1s"))[0] == 7)


def deltas(s):
    """What changed behind the list is in the pack, and stays true of its time
    when the delta has ended; a delta alone or of another list is no pack."""
    e = s.engine
    since = len(e.log)
    test_crl_delta.policy(e, "every: 6h, delta: 15m")
    test_crl_delta.wait_delta(e, since)
    both_readers(s, 2, {"good": "good", "revoked": "revoked", "held": "held"})
    test_crl_delta.reinstate(e, s.serial["held"])
    test_crl_delta.revoke(e, s.serial["good"])
    both_readers(s, 2, {"good": "revoked", "revoked": "revoked",
                        "held": "good"})
    pack = make(s, 2)
    env = dict(e.env, LD_PRELOAD=os.environ["CLOCK_SHIM"],
               CLOCK_OFFSET=str(3 * 3600))
    status, said = check(s, pack, "good", "held", env=env)
    assert [x["status"] for x in said] == ["revoked", "good"], said
    status, said = check(s, pack, "good", env=dict(
        env, CLOCK_OFFSET=str(40 * 3600)))
    assert status == 7, said
    with open(pack, "rb") as f:
        lines = f.read().split(b"\n")
    bad = e.temp("bad.pack")
    for body in (lines[4:7], lines[4:7] + lines[1:4],
                 lines[1:7] + lines[4:7]):
        text = b"\n".join(lines[:1] + body) + b"\n"
        end = json.dumps({"kind": "end", "lists": len(body) // 3,
                          "sha256": hashlib.sha256(text).hexdigest()},
                         sort_keys=True, separators=(",", ":"))
        with open(bad, "wb") as f:
            f.write(text + end.encode() + b"\n")
        status, said = check(s, bad, "held")
        assert status == 7 and "pack-form" in said, said


def main():
    for program in ("openssl",):
        harness.need(program)
    with Site() as s:
        s.log_key = s.engine.temp("log.pub")
        shutil.copy(s.engine.path("ca", "log.pem"), s.log_key)
        return harness.run_tests([(t.__name__, lambda t=t: t(s)) for t in (
            both_readers, later_is_unknown, altered,
            another_log_and_another_ca, too_old, deltas)])


if __name__ == "__main__":
    sys.exit(main())
