"""A signer without its journal signs nothing: it would not know which serials
and appointments it has judged (INCIDENTS row 63)."""
import os

import harness


def main():
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
        try:
            engine.request(engine.holders[0])
            raise AssertionError("a request was taken")
        except harness.Refused as refused:
            assert refused.status == 8, refused
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
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
