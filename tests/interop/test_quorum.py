#!/usr/bin/python3
"""Two platform officers who must both sign what takes effect.

init names the second officer; an activation waits for the second signature,
one person counts once, and both verifiers find the quorum in the export.
"""
import os
import re
import subprocess
import sys

import harness

SECOND = "18765432-7"


def second_officer(engine):
    """Key and certificate that the officer made; only the second goes along."""
    key, cert = engine.temp("second.key"), engine.temp("second.pem")
    harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                cert, "-days", "900", "-subj", "/CN=Ana Rojas/C=CL")
    return key, cert


def sign(engine, activation, key, cert):
    statement, cms = engine.temp("st"), engine.temp("st.p7s")
    engine.cli("policy", "statement", activation, "--out", statement)
    harness.run("openssl", "cms", "-sign", "-binary", "-in", statement,
                "-signer", cert, "-inkey", key, "-md", "sha256", "-cades",
                "-outform", "DER", "-out", cms)
    return cms


def raised(engine):
    """The policy in its directory with a version that nobody signed yet."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(re.sub(r"version: (\d+)",
                       lambda m: f"version: {int(m[1]) + 1}", text, count=1))
    return path


def in_force(engine):
    return engine.cli("policy", "ls")["items"]


def test_quorum():
    with harness.Engine() as engine:
        key, cert = second_officer(engine)
        officers = engine.temp("officers.txt")
        with open(officers, "w") as f:
            f.write(f"# RUN, certificate, name\n{SECOND} {cert} Ana Rojas\n")
        engine.init("--officers", officers, "--quorum", "2")
        engine.start()
        engine.populate(people=1)
        before = in_force(engine)
        path = raised(engine)
        made = engine.cli("policy", "activate", path, "--as", harness.OFFICER)
        first = engine.sign_as_officer(made["id"], "policy")
        got = engine.cli("policy", "endorse", made["id"], "--cms", first)
        assert got["state"] == "proposed", got
        assert in_force(engine) == before
        # The same person again is nobody new.
        again = engine.sign_as_officer(made["id"], "policy")
        try:
            got = engine.cli("policy", "endorse", made["id"], "--cms", again)
            assert got["state"] == "proposed", got
        except harness.Refused as refused:
            assert "signed" in str(refused), refused
        assert in_force(engine) == before
        got = engine.cli("policy", "endorse", made["id"], "--cms",
                         sign(engine, made["id"], key, cert))
        assert got["state"] == "active", got
        assert in_force(engine) != before
        done = engine.issue(engine.holders[0])
        assert done["policy"] == "funcionario-firma", done
        engine.audit()
        here = os.path.dirname(os.path.abspath(__file__))
        p = subprocess.run(
            [sys.executable, os.path.join(here, "verify_export.py"),
             engine.temp("export.jsonl"), engine.path("ca", "log.pem")],
            capture_output=True, text=True)
        assert p.returncode == 0, p.stdout + p.stderr


def test_appointment():
    """A minister whom two officers must appoint: the first signature changes
    nothing, the same officer counts once, and the signer counts both."""
    with harness.Engine() as engine:
        key, cert = second_officer(engine)
        officers = engine.temp("officers.txt")
        with open(officers, "w") as f:
            f.write(f"{SECOND} {cert} Ana Rojas\n")
        engine.init("--officers", officers, "--quorum", "2")
        with open(engine.path("etc", "signer.yaml"), "a") as f:
            f.write("\nappointment_quorum: 2\n")
        engine.start()
        seen = []

        def both(appointment):
            first = harness.Engine.confirm(engine, appointment)
            seen.append(first["state"])
            try:
                harness.Engine.confirm(engine, appointment)
            except harness.Refused as refused:
                seen.append(refused.problem["id"])
            statement = engine.temp("appointment")
            engine.cli("appointment", "statement", appointment, "--out",
                       statement)
            harness.run("openssl", "cms", "-sign", "-binary", "-in",
                        statement, "-signer", cert, "-inkey", key, "-md",
                        "sha256", "-cades", "-outform", "DER", "-out",
                        statement + ".p7s")
            return engine.cli("appointment", "confirm", appointment, "--as",
                              SECOND, "--cms", statement + ".p7s")
        engine.confirm = both
        engine.populate(people=1)
        assert seen == ["proposed", "confirm-signed"], seen
        done = engine.issue(engine.holders[0])
        assert done["state"] == "valid", done
        engine.audit()


if __name__ == "__main__":
    sys.exit(harness.run_tests([("quorum", test_quorum),
                                ("appointment", test_appointment)]))
