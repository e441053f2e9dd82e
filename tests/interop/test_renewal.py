#!/usr/bin/python3
"""Certificates that are renewed: the list of those that are due, with a key of
before or a new one, beside the old one for a while; and requests that several
ministers endorse.  Both verifiers read all of it in the export.
"""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

import harness

DEPUTY = "12000000-4"


def changed(engine, *changes):
    """funcionario-firma with other words, in force as the next version."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    text = re.sub(r"version: (\d+)", lambda m: f"version: {int(m[1]) + 1}",
                  text, count=1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(path, "w") as f:
        f.write(text)
    done = engine.activate(path)
    assert done["state"] == "active", done


def refused(engine, code, *words):
    try:
        engine.cli(*words)
    except harness.Refused as e:
        assert e.problem.get("id") == code, e
        return
    raise AssertionError(f"not refused with {code}")


def verified(engine):
    """By both verifiers, with the signer's journal, and by replay."""
    engine.audit()
    here = os.path.dirname(os.path.abspath(__file__))
    p = subprocess.run(
        [sys.executable, os.path.join(here, "verify_export.py"),
         engine.temp("export.jsonl"), engine.path("ca", "log.pem")],
        capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr


def due(engine):
    return [row["serial"] for row in engine.cli("renew", "--due")["items"]]


def spoken(engine, serial, lang):
    p = subprocess.run([harness.REFRENDO, "cert", "show", serial, "--lang",
                        lang, "--dir", engine.dir], env=engine.env,
                       capture_output=True, text=True, check=True)
    return re.search(r"(?m)^(?:state|estado) +(.*)$", p.stdout)[1]


def one_of_two(act, *of):
    """Both at once: what the one brings that is not told that it is late."""
    def tried(n):
        try:
            return act(n)
        except harness.Refused as e:
            assert e.problem.get("id") == "renew-replaced", e
            return None
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = [d for d in pool.map(tried, of) if d is not None]
    assert len(done) == 1, done
    return done[0]


def short_one(engine, holder):
    """A certificate that is in its window from the beginning."""
    _, csr = engine.new_key()
    made = engine.cli("request", "new", "--as", harness.OPERATOR, "--rut",
                      harness.INSTITUTION, "--run", holder, "--policy",
                      "funcionario-firma", "--validity", "30d", "--csr", csr)
    return engine.endorse(made["id"])["serial"]


def test_due():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=2)
        changed(engine, ("reuse: forbid", "reuse: same-person"),
                ("renew_window: 60d", "renew_window: 60d\n  overlap: 2d"))
        long = engine.issue(engine.holders[0])["serial"]
        first = short_one(engine, engine.holders[0])
        second = short_one(engine, engine.holders[1])
        assert due(engine) == [first, second], due(engine)
        row = engine.cli("renew", "--due")["items"][0]
        assert set(row) == {"serial", "institution", "holder_run", "policy",
                            "not_after", "renew_from"}, row
        refused(engine, "renew-too-early", "renew", long, "--as",
                harness.OPERATOR)
        refused(engine, "cli-missing", "renew")
        refused(engine, "cli-missing", "renew", first)
        # The same key, and nobody asks for another proof that it is theirs.
        made = engine.cli("renew", first, "--as", harness.OPERATOR)
        assert made["state"] == "submitted", made
        # Two requests for one successor: that which is endorsed first.
        other = engine.cli("renew", first, "--as", harness.OPERATOR)
        assert other["state"] == "submitted", other
        done = one_of_two(lambda n: engine.endorse(n["id"]), made, other)
        assert done["state"] == "issued", done
        old = engine.cli("cert", "show", first)
        new = engine.cli("cert", "show", done["serial"])
        assert old["spki_sha256"] == new["spki_sha256"]
        assert old["replaced_by"] == new["serial"], old
        assert old["state"] == "valid" and old["retires"], old
        assert spoken(engine, first, "es") == "reemplazado"
        assert spoken(engine, first, "en") == "replaced"
        assert engine.ocsp(engine.pem(first)) == "good"
        assert first not in due(engine)
        refused(engine, "renew-replaced", "renew", first, "--as",
                harness.OPERATOR)
        verified(engine)
        # What was built is built again from the log, without a PKCS #10.
        engine.cli("audit", "reproduce", new["serial"])


def test_two_ministers():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        changed(engine, ("  required: 1", "  required: 2"))
        deputy = engine.appoint(DEPUTY, "Delia Suplente")
        number = engine.request(engine.holders[0])["id"]
        got = engine.endorse(number)
        assert (got["state"], got["endorsements"], got["needed"]) == (
            "submitted", 1, 2), got
        assert got["endorsed_by"] == harness.MINISTER, got
        refused(engine, "endorse-again", "endorse", number, "--key",
                engine.minister[0], "--cert", engine.minister[1])
        got = engine.cli("endorse", number, "--key", deputy[0], "--cert",
                         deputy[1])
        assert got["state"] == "issued", got
        assert got["endorsed_by"] == f"{harness.MINISTER} {DEPUTY}", got
        verified(engine)


def until(days):
    return time.strftime("%Y-%m-%d",
                         time.gmtime(time.time() + days * 86400))


def test_mandate():
    with harness.Engine() as engine:
        engine.init()
        # Nobody is given that power without having asked for it.
        with open(engine.path("etc", "signer.yaml"), "a") as f:
            f.write("mandate_max: 1y\n")
        engine.start()
        engine.populate(people=1)
        changed(engine, ("reuse: forbid", "reuse: same-person"),
                ("renewal: fresh ", "renewal: mandate"),
                ("default: 2y", "default: 45d"))
        first = engine.issue(engine.holders[0])["serial"]
        made = engine.cli("mandate", "propose", first, "--as",
                          harness.OPERATOR, "--until", until(200),
                          "--renewals", "2")
        number = made["id"]
        assert (made["state"], made["used"]) == ("proposed", 0), made
        signed = engine.cli("mandate", "endorse", number, "--key",
                            engine.minister[0], "--cert", engine.minister[1])
        assert signed["state"] == "in-force", signed
        assert signed["signed_by"] == harness.MINISTER, signed
        # Nobody is asked: all nine steps in one act.
        done = one_of_two(
            lambda as_: engine.cli("renew", first, "--as", as_),
            harness.OPERATOR, harness.OPERATOR)
        assert (done["state"], done["mandate"]) == ("issued", number), done
        used = engine.cli("mandate", "show", number)["used"]
        assert used == 1, used
        second = done["serial"]
        assert engine.cli("cert", "show", first)["replaced_by"] == second
        assert engine.ocsp(engine.pem(second)) == "good"
        verified(engine)
        # The signer was away when it ended: it is told again.
        engine.kill("signer")
        engine.wait_log("signer-away")
        ended = engine.cli("mandate", "end", number, "--as",
                           harness.OFFICER)
        assert ended["state"] == "ended", ended
        refused(engine, "state-mandate", "renew", second, "--as",
                harness.OPERATOR, "--mandate", number)
        waits = engine.cli("renew", second, "--as", harness.OPERATOR)
        assert waits["state"] == "submitted", waits
        done = engine.endorse(waits["id"])
        assert done["state"] == "issued", done
        # Another one that runs out of renewals.
        third = done["serial"]
        made = engine.cli("mandate", "propose", third, "--as",
                          harness.OPERATOR, "--until", until(200),
                          "--renewals", "1")
        engine.cli("mandate", "endorse", made["id"], "--key",
                   engine.minister[0], "--cert", engine.minister[1])
        _, csr = engine.new_key()
        refused(engine, "mandate-key", "renew", third, "--as",
                harness.OPERATOR, "--csr", csr, "--mandate", made["id"])
        done = engine.cli("renew", third, "--as", harness.OPERATOR,
                          "--mandate", made["id"])
        assert done["state"] == "issued", done
        refused(engine, "mandate-used-up", "renew", done["serial"], "--as",
                harness.OPERATOR, "--mandate", made["id"])
        verified(engine)
        engine.cli("audit", "reproduce", done["serial"])


def rekey(engine, serial, mandate, old, new, *more):
    """With a new key, which that of the certificate signs for."""
    return engine.cli("renew", serial, "--as", harness.OPERATOR, "--csr",
                      new[1], "--mandate", mandate, *more, *(
                          () if old is None else
                          ("--key", old[0], "--cert", engine.pem(serial))))


def test_rekey():
    with harness.Engine() as engine:
        engine.init()
        with open(engine.path("etc", "signer.yaml"), "a") as f:
            f.write("mandate_max: 1y\n")
        engine.start()
        engine.populate(people=1)
        # Keys are not used again, and a mandate is possible all the same.
        changed(engine, ("renewal: fresh ", "renewal: mandate-rekey"),
                ("default: 2y", "default: 45d"))
        one, two, three = (engine.new_key() for _ in range(3))
        spare = engine.new_key()
        beside = engine.issue(engine.holders[0], csr=spare[1])["serial"]
        first = engine.issue(engine.holders[0], csr=one[1])["serial"]
        made = engine.cli("mandate", "propose", first, "--as",
                          harness.OPERATOR, "--until", until(200),
                          "--renewals", "3")
        number = made["id"]
        p = subprocess.run([harness.REFRENDO, "mandate", "statement", number,
                            "--dir", engine.dir], env=engine.env,
                           capture_output=True, check=True)
        words = json.loads(p.stdout)
        assert words["mandate"]["rekey_sha256"] == engine.cli(
            "cert", "show", first)["spki_sha256"], words
        assert "con otra que la anterior" in words["text_es"], words
        engine.cli("mandate", "endorse", number, "--key", engine.minister[0],
                   "--cert", engine.minister[1])

        def refused_with(code, old, new, serial=first, *more):
            try:
                rekey(engine, serial, number, old, new, *more)
            except harness.Refused as e:
                assert e.problem.get("id") == code, e
                return
            raise AssertionError(f"not refused with {code}")

        refused_with("mandate-proof", None, two)
        # Of the same person, office and policy, but not what was signed for.
        refused_with("mandate-key-followed", spare, two, beside)
        refused_with("cli-key-of-cert", two, two)
        # The minister's, who may sign much, but not that.
        text = engine.temp("rekey.json")
        engine.cli("renew", first, "--as", harness.OPERATOR, "--csr", two[1],
                   "--mandate", number, "--cert", engine.pem(first), "--out",
                   text)
        proof = engine.temp("rekey.p7s")

        def openssl(key, cert):
            harness.run("openssl", "cms", "-sign", "-binary", "-in", text,
                        "-signer", cert, "-inkey", key, "-md", "sha256",
                        "-cades", "-outform", "DER", "-out", proof)
        openssl(*engine.minister)
        refused_with("mandate-proof-other", None, two, first, "--cms", proof)
        openssl(one[0], engine.pem(first))
        refused_with("cms-other-content", None, three, first, "--cms", proof)
        refused(engine, "mandate-proof-alone", "renew", first, "--as",
                harness.OPERATOR, "--csr", two[1], "--cms", proof)
        done = rekey(engine, first, number, None, two, "--cms", proof)
        assert (done["state"], done["mandate"]) == ("issued", number), done
        second = done["serial"]
        assert engine.ocsp(engine.pem(second)) == "good"
        # Once: it was over with that renewal.
        refused_with("renew-replaced", None, two, first, "--cms", proof)
        # And on, from the key that was certified last, after a restart.
        engine.kill("signer")
        done = rekey(engine, second, number, two, three)
        assert done["state"] == "issued", done
        old, new = (engine.cli("cert", "show", s)
                    for s in (second, done["serial"]))
        assert old["spki_sha256"] != new["spki_sha256"]
        assert engine.cli("mandate", "show", number)["rekey_sha256"] == new[
            "spki_sha256"]
        # A certificate that is taken back takes the mandate with it.
        engine.cli("cert", "revoke", done["serial"], "--as", harness.MINISTER,
                   "--cause", "key-compromise")
        refused_with("state-certificate", three, one, done["serial"])
        assert engine.cli("mandate", "show", number)["state"] == "ended"
        verified(engine)
        engine.cli("audit", "reproduce", second)
        for cause, reason in (
                ("superseded", "its renewal with a new key failed"),
                ("office-ended", "its certificate was revoked")):
            rekey_fails(engine, spare, beside, cause, reason)
        number = mandate_for(engine, beside)
        done = rekey(engine, beside, number, spare, engine.new_key())
        assert done["state"] == "issued", done
        verified(engine)


def rekey_fails(engine, old, serial, cause, reason):
    """Revoked before the signer had it, which dies: who knows what its journal
    says.  The mandate says that it is over, and another can be signed."""
    number, fresh = mandate_for(engine, serial), engine.new_key()
    os.kill(engine.pids["signer", 0], signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(rekey, engine, serial, number, old, fresh)

        def intended():
            rows = engine.cli("request", "ls")["items"]
            return next((r["serial"] for r in rows if r["state"] == "endorsed"),
                        None)
        harness.wait_for("the intent", intended)
        done = engine.cli("cert", "revoke", intended(), "--as",
                          harness.MINISTER, "--cause", cause)
        assert done["state"] == "revoked", done
        over = engine.cli("mandate", "show", number)
        assert (over["state"], over["reason"]) == ("ended", reason), over
        engine.kill("signer")
        assert asked.result()["state"] == "failed", asked.result()


def mandate_for(engine, serial):
    number = engine.cli("mandate", "propose", serial, "--as", harness.OPERATOR,
                        "--until", until(200), "--renewals", "3")["id"]
    engine.cli("mandate", "endorse", number, "--key", engine.minister[0],
               "--cert", engine.minister[1])
    return number


if __name__ == "__main__":
    sys.exit(harness.run_tests([("due", test_due),
                                ("two ministers", test_two_ministers),
                                ("mandate", test_mandate),
                                ("rekey", test_rekey)]))
