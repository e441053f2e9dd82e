#!/usr/bin/python3
"""A thousand issuing CAs: the start does not wait for them, and each works.

bench_cas_fill makes them as `refrendo ca create` and a ceremony for each would.
Start times are printed, and compared with those of an installation with one CA.
"""
import os
import re
import subprocess
import sys

import harness
from harness import run

MANY = 200 if os.environ.get("REFRENDO_QUICK") else 1000
NAMES = ("institucion-0001", f"institucion-{MANY // 2:04}",
         f"institucion-{MANY:04}")


def start(engine):
    """How long it took, and how many lists it made."""
    since = len(engine.log)
    return engine.start_seconds(), len(
        [line for line in engine.log[since:] if "crl-published" in line])


def best(engine, times=3):
    """Of a few starts the shortest, and the lists that any of them made."""
    seconds, lists = [], 0
    for _ in range(times):
        took, made = start(engine)
        seconds.append(took)
        lists += made
        assert engine.stop() == 0
    return min(seconds), lists


def policy_of(engine, name, n):
    """One of its own for a CA, by its name."""
    with open(engine.path("etc", "policies", "funcionario-firma.yaml")) as f:
        text = f.read()
    text = re.sub(r"^policy: .*$", f"policy: p{n}", text, flags=re.M)
    text = re.sub(r"^issuer: .*$", f"issuer: {name}", text, flags=re.M)
    text = re.sub(r"^version: .*$", "version: 1", text, flags=re.M)
    path = engine.path("etc", "policies", f"p{n}.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def works(engine, name, n):
    """Issues, answers, revokes, and its CRL says so."""
    ca = engine.temp(name + ".pem")
    engine.cli("ca", "get", name, "--out", ca)
    root = engine.path("ca", "root.pem")
    done = engine.issue(engine.holders[n], policy=f"p{n}")
    assert done["issuer"] == name, done
    pem = engine.pem(done["serial"])
    run("openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted",
        ca, pem)

    def said():
        p = run("openssl", "ocsp", "-issuer", ca, "-cert", pem, "-CAfile",
                root, "-verify_other", ca, "-url", engine.url + "/ocsp")
        text = (p.stdout + p.stderr).decode()
        assert "Response verify OK" in text, text
        return text

    assert ": good" in said()
    engine.cli("cert", "revoke", done["serial"], "--as", harness.MINISTER,
               "--cause", "office-ended")
    assert ": revoked" in said()
    status, _, der = engine.get(f"/crl/{name}.crl")
    assert status == 200
    crl = engine.temp(name + ".crl")
    with open(crl, "wb") as f:
        f.write(der)
    p = run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-text",
            "-CAfile", ca)
    assert b"verify OK" in p.stderr, p.stderr
    assert done["serial"].upper().encode() in p.stdout


def test_many():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=len(NAMES))
        assert engine.stop() == 0
        few, _ = best(engine)
        print(engine.make_cas(MANY), end="")
        first, lists = start(engine)
        print(f"first start: {first * 1000:.0f} ms, {lists} lists made")
        engine.activate(*(policy_of(engine, name, n)
                          for n, name in enumerate(NAMES)))
        for n, name in enumerate(NAMES):
            works(engine, name, n)
        assert engine.stop() == 0
        many, lists = best(engine)
        print(f"start with 1 CA {few * 1000:.0f} ms, with {MANY + 1} "
              f"{many * 1000:.0f} ms; {lists} lists made anew")
        assert lists == 0, lists
        # Far from each other's noise, and far below a key's PBKDF2 for each.
        assert many < few + 1, (few, many)
        start(engine)
        items = engine.cli("ca", "ls", "--all")["items"]
        assert len(items) == MANY + 3, len(items)
        engine.audit()


if __name__ == "__main__":
    sys.exit(harness.run_tests([("a thousand CAs", test_many)]))
