#!/usr/bin/python3
"""Two platform officers who must both sign what takes effect.

init names the second officer; an activation and the appointment of a minister
wait for the second signature, one person counts once, one alone takes rights
away, and both verifiers find the quorum in the export.
"""
import os
import re
import subprocess
import sys
import time

import harness

SECOND = "18765432-7"
YEAR = time.gmtime().tm_year + 1


def second_officer(engine):
    """Key and certificate that the officer made; only the second goes along."""
    key, cert = engine.temp("second.key"), engine.temp("second.pem")
    harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                cert, "-days", "900", "-subj", "/CN=Ana Rojas/C=CL")
    return key, cert


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


def two_officers(engine):
    """An installation where two must sign; files of the second one."""
    second = second_officer(engine)
    officers = engine.temp("officers.txt")
    with open(officers, "w") as f:
        f.write(f"# RUN, certificate, name\n{SECOND} {second[1]} Ana Rojas\n")
    engine.init("--officers", officers, "--quorum", "2")
    return second


def refused(engine, code, *words):
    try:
        engine.cli(*words)
    except harness.Refused as e:
        assert e.problem.get("id") == code, e
        return
    raise AssertionError(f"not refused with {code}")


def propose_minister(engine, run_number):
    _, csr = engine.new_key("minister-" + run_number)
    return engine.cli(
        "appointment", "propose", "--as", harness.OFFICER, "--rut",
        harness.INSTITUTION, "--run", run_number, "--name", "Nora Nueva",
        "--office", "Secretaria", "--csr", csr, "--act-number", "Decreto 7",
        "--act-date", "2026-11-01", "--until", str(YEAR) + "-06-01")


def verified(engine):
    """By both verifiers, with the signer's journal, and by replay."""
    engine.audit()
    export = engine.temp("export.jsonl")
    here = os.path.dirname(os.path.abspath(__file__))
    p = subprocess.run(
        [sys.executable, os.path.join(here, "verify_export.py"), export,
         engine.path("ca", "log.pem")], capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    return export


def test_ministers():
    with harness.Engine() as engine:
        second = two_officers(engine)
        engine.start()
        engine.more_officers = [second]
        engine.populate(people=1)  # its minister needs both, too
        made = propose_minister(engine, "14-0")
        number = made["id"]
        assert (made["state"], made["needed"]) == ("proposed", 2), made
        one = engine.sign_as_officer(number)
        got = engine.cli("appointment", "confirm", number, "--cms", one)
        assert got["state"] == "proposed", got
        assert got["signed_by"] == harness.OFFICER, got
        # One person twice, a stranger, and another appointment's signature.
        again = engine.sign_as_officer(number)
        refused(engine, "confirm-signed", "appointment", "confirm",
                number, "--cms", again)
        stranger = engine.temp("z.key"), engine.temp("z.pem")
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    stranger[0], "-out", stranger[1], "-days", "9", "-subj",
                    "/CN=Nadie")
        refused(engine, "confirm-not-officer", "appointment", "confirm",
                number, "--cms", engine.sign_as_officer(number, by=stranger))
        other = propose_minister(engine, "30000000-2")["id"]
        refused(engine, "cms-other-content", "appointment", "confirm", number,
                "--cms", engine.sign_as_officer(other, by=second))
        got = engine.cli("appointment", "confirm", number, "--cms",
                         engine.sign_as_officer(number, by=second))
        assert got["state"] == "in-force", got
        assert got["signed_by"] == f"{harness.OFFICER} {SECOND}", got
        # One alone takes it away, and what is not decided yet.
        got = engine.cli("appointment", "end", number, "--as", SECOND)
        assert got["state"] == "ended", got
        got = engine.cli("appointment", "withdraw", other, "--as", SECOND)
        assert got["state"] == "withdrawn", got
        # A lower number in the ceilings is not what the log began with.
        engine.stop()
        path = engine.path("etc", "signer.yaml")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(re.sub(r"(?m)^(\w*)quorum: 2", r"\1quorum: 1", text))
        engine.start()
        third = propose_minister(engine, "50000000-7")
        assert third["needed"] == 2, third
        got = engine.cli("appointment", "confirm", third["id"], "--cms",
                         engine.sign_as_officer(third["id"]))
        assert got["state"] == "proposed", got
        engine.issue(engine.holders[0])
        verified(engine)


def test_quorum():
    with harness.Engine() as engine:
        second = two_officers(engine)
        engine.start()
        engine.more_officers = [second]
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
                         engine.sign_as_officer(made["id"], "policy", second))
        assert got["state"] == "active", got
        assert in_force(engine) != before
        done = engine.issue(engine.holders[0])
        assert done["policy"] == "funcionario-firma", done
        verified(engine)


if __name__ == "__main__":
    sys.exit(harness.run_tests([("policies", test_quorum),
                                ("ministers", test_ministers)]))
