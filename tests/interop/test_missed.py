#!/usr/bin/python3
"""What the signer missed is told in the order of the log, and what officers
agreed on stays.

While it stands still the officers of before confirm an appointment and change
the ceilings, those of after change them once more and activate a policy; it
dies without having read any of it, and comes back.  A policy for later takes
effect on its day.  A file of ceilings that was laid in etc/ between two changes
undoes none of them at the next start.
"""
import os
import re
import signal
import sys
import threading
import time

import harness
from test_ceilings import (agree, file_of, other_officer, put, read, restart,
                           said, sha256, with_line)
from test_quorum import propose_minister, raised, two_officers, verified


def begin(engine):
    second = two_officers(engine)
    first = read(engine)
    engine.start()
    engine.more_officers = [second]
    engine.populate(people=1)
    harness.wait_for("the ceilings", lambda: "ceilings" in
                     engine.cli("status"))
    return second, first


def appointed(engine, *by):
    """The last confirmation waits for the signer: in a thread of its own."""
    made = propose_minister(engine, "30000000-2")
    engine.cli("appointment", "confirm", made["id"], "--cms",
               engine.sign_as_officer(made["id"], by=by[0]))
    evidence = engine.sign_as_officer(made["id"], by=by[1])

    def confirm():
        try:
            engine.cli("appointment", "confirm", made["id"], "--cms", evidence)
        except harness.Refused:
            pass  # it waits for the signer no longer

    threading.Thread(target=confirm, daemon=True).start()
    state_is(engine, made["id"], "confirmed")
    return made["id"]


def activated(engine, *by, at=None):
    made = engine.cli("policy", "activate", raised(engine), "--as",
                      harness.OFFICER, *(("--from", at) if at else ()))
    for one in by:
        done = engine.cli("policy", "endorse", made["id"], "--cms",
                          engine.sign_as_officer(made["id"], "policy", one))
    return done


def state_is(engine, appointment, state):
    harness.wait_for(f"an appointment that is {state}", lambda: engine.cli(
        "appointment", "show", appointment)["state"] == state)


def test_order():
    with harness.Engine() as engine:
        second, first = begin(engine)
        time.sleep(1)
        pid = engine.pids["signer", 0]
        os.kill(pid, signal.SIGSTOP)
        appointment = appointed(engine, None, second)
        third, one = other_officer(engine, first)
        assert agree(engine, one, None, second)["state"] == "completed"
        time.sleep(1)  # what is proposed in its second was proposed before
        two = with_line(one, "per_hour", "30000")
        assert agree(engine, two, None, third)["state"] == "completed"
        time.sleep(1)
        assert activated(engine, None, third)["state"] == "active"
        os.kill(pid, signal.SIGKILL)
        engine.wait_restart("signer", pid)
        state_is(engine, appointment, "in-force")
        now = said(engine)
        assert (now["how"], now["sha256"]) == ("agreed", sha256(two)), now
        engine.issue(engine.holders[0])
        report = engine.audit()
        assert report["named"] == [], report
        verified(engine)
        # The signer's own word: nothing is recorded at its next start.
        restart(engine)
        time.sleep(1)
        assert said(engine) == {**now, "file_differs": 1}, said(engine)
        assert engine.audit()["named"] == []


def test_on_its_day():
    with harness.Engine() as engine:
        second, _ = begin(engine)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                           time.gmtime(time.time() + 15))
        made = activated(engine, None, second, at=at)
        assert made["state"] == "scheduled", made
        before = engine.issue(engine.holders[0])
        harness.wait_for("its day", lambda: engine.cli(
            "policy", "activation", made["id"])["state"] == "active")
        after = engine.issue(engine.holders[0])
        assert before["policy_sha256"] != after["policy_sha256"]
        assert engine.audit()["named"] == []
        verified(engine)


def test_laid_between():
    with harness.Engine() as engine:
        second, first = begin(engine)
        one = with_line(first, "per_hour", "20000")
        assert agree(engine, one, None, second)["state"] == "completed"
        with open(file_of(engine), "w") as f:
            f.write(one)
        time.sleep(1)
        two = with_line(first, "per_hour", "30000")
        assert agree(engine, two, None, second)["state"] == "completed"
        restart(engine)
        time.sleep(1)
        now = said(engine)
        assert (now["how"], now["sha256"]) == ("agreed", sha256(two)), now
        assert engine.audit()["named"] == []
        verified(engine)


def test_line_gone():
    """Root takes the line of a policy of the beginning away: what the signer
    would refuse core takes no more."""
    with harness.Engine() as engine:
        _, first = begin(engine)
        text, n = re.subn("(?m)^  - name: funcionario-firma\n    .*\n", "",
                          first)
        assert n == 1 and put(engine, text)["how"] == "lessened"
        try:
            engine.request(engine.holders[0])
            raise AssertionError("core took it")
        except harness.Refused as refusal:
            assert "policy-not-in-ceilings" in str(refusal), refusal


if __name__ == "__main__":
    sys.exit(harness.run_tests([("order", test_order),
                                ("on its day", test_on_its_day),
                                ("laid between", test_laid_between),
                                ("line gone", test_line_gone)]))
