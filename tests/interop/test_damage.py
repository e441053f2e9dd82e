"""What is lost or damaged stops issuance with a sentence, never the status
service (INCIDENTS row 63, invariant I9, fault F11)."""
import os

import harness


def refuses_to_issue(engine):
    try:
        engine.request(engine.holders[0])
    except harness.Refused as refused:
        assert refused.status == 8, refused
        return
    raise AssertionError("a request was taken")


def lost_journal():
    """A signer without its journal would not know which serials and
    appointments it has judged."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        issued = engine.issue(engine.holders[0])
        assert engine.stop() == 0
        os.rename(engine.path("signer", "journal"), engine.temp("journal"))
        engine.start()
        why = harness.wait_for(
            "the engine to see it",
            lambda: engine.cli("status").get("read_only"))
        assert "journal does not know the last CRL of emisora" in why, why
        refuses_to_issue(engine)
        # What was published is still served.
        assert engine.ocsp(engine.pem(issued["serial"])) == "good"
        assert engine.stop() == 0
        os.replace(engine.temp("journal"), engine.path("signer", "journal"))
        engine.start()
        harness.wait_for("the signer", lambda: engine.cli("status")[
            "signer"] == "here")
        assert not engine.cli("status").get("read_only")
        engine.issue(engine.holders[0])
        engine.audit()


def damaged_ledger():
    """A ledger that was cut short does not open; status goes on."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        issued = engine.pem(engine.issue(engine.holders[0])["serial"])
        assert engine.stop() == 0
        data = engine.path("ledger", "data.mdb")
        os.truncate(data, os.path.getsize(data) // 2)
        engine.start()
        why = engine.cli("status").get("read_only")
        assert why and "data file is missing, cut" in why, why
        refuses_to_issue(engine)
        assert engine.ocsp(issued) == "good"
        assert engine.stop() == 0


def flipped_entry():
    """An entry of long ago that changed on the disk: a start does not wait for
    all of the log, but nothing is written before it was read (INCIDENTS row
    66)."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        issued = engine.pem(engine.issue(engine.holders[0])["serial"])
        assert engine.stop() == 0
        engine.make_cas(120)
        engine.start_seconds()
        entries = engine.cli("status")["entries"]
        assert entries > 2 * 256, "all of it would be read at the start"
        assert engine.stop() == 0
        data = engine.path("ledger", "data.mdb")
        with open(data, "rb") as f:
            octets = f.read()
        # In details, which are JSON; rows have no quotes around it.
        assert b'"Universidad de Ejemplo"' in octets
        with open(data, "wb") as f:
            f.write(octets.replace(b'"Universidad de Ejemplo"',
                                   b'"Universidad de Ejempla"'))
        engine.start()
        refuses_to_issue(engine)
        why = harness.wait_for(
            "the engine to see it",
            lambda: engine.cli("status").get("read_only"))
        assert "is not what its tree says" in why, why
        assert engine.cli("status")["entries"] == entries
        refuses_to_issue(engine)
        assert engine.ocsp(issued) == "good"
        assert engine.stop() == 0
        with open(data, "wb") as f:
            f.write(octets)
        since = len(engine.log)
        engine.start()
        engine.wait_log(f"event=ledger-verified entries={entries}$", since)
        assert not engine.cli("status").get("read_only")
        engine.issue(engine.holders[0])
        engine.audit()


if __name__ == "__main__":
    tests = (lost_journal, damaged_ledger, flipped_entry)
    for test in tests:
        test()
    print(f"{len(tests)} passed, 0 failed")
