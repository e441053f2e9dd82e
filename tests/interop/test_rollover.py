#!/usr/bin/python3
"""A CA gets a new key under its name: from then on the new key signs what is
new, and the old one the CRLs and responders of what it signed before.

openssl judges chains, lists and answers of both generations, each by its own
key identifiers; both verifiers and the comparison with the signer's journal
find the switch.
"""
import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import harness
import test_ceremony as ceremony
import test_crl_delta as deltas
import test_quorum
import test_renewal as renewal
from test_ceremony import refused

OFFICER = harness.OFFICER


def root_files(engine):
    return engine.path("keys", "root.key"), engine.path("ca", "root.pem")


def rollover(engine, name, *more):
    made = engine.cli("ca", "rollover", name, "--as", OFFICER, *more)
    assert made["state"] == "proposed" and made["held"] == 1, made
    return made


def complete(engine, made):
    done = ceremony.complete(engine, made, root_files(engine))
    engine.wait_log(f"event=ca-open ca={made['name']}")
    return done


class Generation:
    """What anybody can fetch of a CA's key."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name
        self.pem = engine.temp(name + ".pem")
        engine.cli("ca", "get", name, "--out", self.pem)
        status, _, der = engine.get(f"/ca/{name}.cer")
        again = engine.temp(name + ".cer")
        with open(again, "wb") as f:
            f.write(der)
        fresh = harness.run("openssl", "x509", "-inform", "DER", "-in", again)
        with open(self.pem, "rb") as f:
            assert status == 200 and f.read() == fresh.stdout

    def says(self, *what):
        return harness.run("openssl", "x509", "-in", self.pem, "-noout",
                           *what).stdout.decode()

    def list(self, name=None):
        """The published CRL as PEM, checked with this key."""
        name = name or self.name
        status, _, der = self.engine.get(f"/crl/{name}.crl")
        assert status == 200, (name, status)
        path = self.engine.temp(name.replace("/", "-") + ".crl")
        with open(path, "wb") as f:
            f.write(der)
        p = harness.run("openssl", "crl", "-inform", "DER", "-in", path,
                        "-out", path + ".pem", "-CAfile", self.pem)
        assert b"verify OK" in p.stderr, p.stderr
        return path + ".pem"

    def ocsp(self, pem):
        """The word of openssl, from an answer that verifies."""
        p = harness.run(
            "openssl", "ocsp", "-issuer", self.pem, "-cert", pem, "-CAfile",
            root_files(self.engine)[1], "-verify_other", self.pem, "-url",
            self.engine.url + "/ocsp")
        said = p.stdout.decode() + p.stderr.decode()
        assert "Response verify OK" in said, said
        return said.split(pem + ": ")[1].split()[0]


def verify(engine, pem, cas, lists=()):
    """"OK" or what openssl says, with CRLs if lists are given."""
    bundle = engine.temp("bundle.pem")
    with open(bundle, "wb") as out:
        for ca in cas:
            with open(ca.pem, "rb") as f:
                out.write(f.read())
    args = ["openssl", "verify", "-x509_strict", "-CAfile",
            root_files(engine)[1], "-untrusted", bundle]
    for path in lists:
        args += ["-CRLfile", path]
    p = harness.run(*args, *(["-crl_check"] if lists else []), pem,
                    check=False)
    return "OK" if p.returncode == 0 else p.stderr.decode()


def both_generations(engine, old, new, before, after):
    """Each key's certificate, list and answers, never the other's."""
    assert old.says("-subject") == new.says("-subject")
    assert old.says("-ext", "subjectKeyIdentifier") != \
        new.says("-ext", "subjectKeyIdentifier")
    lists = [old.list(), new.list()]
    pems = engine.pem(before), engine.pem(after)
    for pem in pems:
        for cas in ((old, new), (new, old)):
            assert verify(engine, pem, cas) == "OK"
            assert verify(engine, pem, cas, lists) == "OK"
            assert verify(engine, pem, cas, lists[::-1]) == "OK"
    # The other key's list says nothing of it, and does not pass for its own.
    for pem, cas, other in ((pems[0], (old, new), lists[1]),
                            (pems[1], (old, new), lists[0])):
        assert verify(engine, pem, cas, [other]) != "OK"
    assert verify(engine, pems[0], [new]) != "OK"
    assert verify(engine, pems[1], [old]) != "OK"
    assert (old.ocsp(pems[0]), new.ocsp(pems[1])) == ("good", "good")
    assert (new.ocsp(pems[0]), old.ocsp(pems[1])) == ("unknown", "unknown")


def revoked_apart(engine, old, new, before, after):
    """What is revoked of one key is on its list, and on no other."""
    for serial, mine, other in ((before, old, new), (after, new, old)):
        pem = engine.pem(serial)
        engine.cli("cert", "revoke", serial, "--as", harness.MINISTER,
                   "--cause", "office-ended")
        assert mine.ocsp(pem) == "revoked"
        lists = [old.list(), new.list()]
        assert "revoked" in verify(engine, pem, (new, old), lists)
        for ca in (mine, other):
            text = harness.run("openssl", "crl", "-in", ca.list(), "-noout",
                               "-text").stdout.decode()
            assert (serial.upper() in text) == (ca is mine), text


def test_configured_ca():
    """The CA of the beginning, whose lines stay in refrendo.yaml."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=6)
        before = [engine.issue(engine.holders[n])["serial"] for n in (0, 1)]
        waiting = engine.request(engine.holders[2])
        refused(3, "there is no issuer nadie", rollover, engine, "nadie")
        refused(6, "is no issuing CA", rollover, engine, "endorser")
        refused(6, "is no issuing CA", rollover, engine, "root")
        refused(6, "leave the RUT out", rollover, engine, "emisora", "--rut",
                harness.INSTITUTION)
        made = rollover(engine, "emisora")
        assert (made["name"], made["replaces"]) == ("emisora-g2", "emisora")
        # Until the root signed it nothing changes.
        also = engine.issue(engine.holders[3])["serial"]
        late = engine.cli("ca", "create", "otra", "--replaces", "emisora",
                          "--as", OFFICER)
        answer = ceremony.sign(engine, ceremony.agree(engine, late),
                               root_files(engine))
        os.rename(answer, answer + ".late")
        complete(engine, made)
        rows = {ca["name"]: ca for ca in engine.cli("ca", "ls")["items"]}
        assert rows["emisora"]["replaced_by"] == "emisora-g2", rows
        assert rows["emisora-g2"]["replaces"] == "emisora", rows
        assert "stopped" in rows["emisora"] and \
            "stopped" not in rows["emisora-g2"], rows
        # Another ceremony for the same key comes too late, and no new one.
        refused(5, "was replaced already, by emisora-g2", engine.cli,
                "ceremony", "import", answer + ".late", "--as", OFFICER)
        refused(5, "was replaced already, by emisora-g2", engine.cli, "ca",
                "create", "otra", "--replaces", "emisora", "--as", OFFICER)
        # What was made for the old key is not signed any more: made anew it
        # is, under the policy of before, which names the CA.
        refused(6, "emisora-g2 took its place", engine.endorse, waiting["id"])
        engine.cli("request", "withdraw", waiting["id"], "--as",
                   harness.OPERATOR)
        after = engine.issue(engine.holders[2])
        assert after["issuer"] == "emisora-g2", after
        old, new = (Generation(engine, n) for n in ("emisora", "emisora-g2"))
        both_generations(engine, old, new, before[0], after["serial"])
        ceremony.both_verifiers(engine)
        # The campaign moves what is left, at any time.
        left = engine.cli("ca", "campaign", "emisora")
        assert {x["serial"] for x in left["items"]} == {*before, also}, left
        assert "emisora-g2 has its name" in ceremony.campaign_said(engine,
                                                                   "en")
        _, csr = engine.new_key("renewed")
        done = engine.endorse(engine.cli(
            "renew", before[1], "--as", harness.OPERATOR, "--csr", csr)["id"])
        assert engine.cli("cert", "show", done["serial"])["issuer"] == \
            "emisora-g2"
        # After a restart, and for the generation after the next.
        assert engine.stop() == 0
        engine.start()
        revoked_apart(engine, old, new, before[0], after["serial"])
        third = rollover(engine, "emisora")
        assert (third["name"], third["replaces"]) == \
            ("emisora-g3", "emisora-g2"), third
        complete(engine, third)
        last = engine.issue(engine.holders[4])
        assert last["issuer"] == "emisora-g3", last
        both_generations(engine, old, Generation(engine, "emisora-g3"), also,
                         last["serial"])
        refused(5, "issues no more", engine.cli, "ca", "stop", "emisora",
                "--as", OFFICER)
        assert engine.stop() == 0
        engine.start()
        assert engine.issue(engine.holders[5])["issuer"] == "emisora-g3"
        # The files that a web server serves have each key's.
        out = engine.temp("site")
        engine.cli("publish", "--to", out)
        for name in ("emisora", "emisora-g2", "emisora-g3"):
            for file in (f"crl/{name}.crl", f"ca/{name}.cer"):
                assert os.path.exists(os.path.join(out, file)), file
        ceremony.both_verifiers(engine)
        engine.cli("audit", "verify", engine.temp("export.jsonl"),
                   "--log-key", engine.path("ca", "log.pem"), "--deep")


def test_institution_ca():
    """One that the signer made, constrained to its institution's names."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=3)
        made = engine.cli("ca", "create", "universidad", "--rut",
                          harness.INSTITUTION, "--as", OFFICER)
        complete(engine, made)
        ceremony.with_policy(engine, "issuer: emisora", "issuer: institution")
        before = engine.issue(engine.holders[0])
        assert before["issuer"] == "universidad", before
        made = rollover(engine, "universidad", "--key-type", "ec-p384")
        assert made["institution"] == harness.INSTITUTION, made
        complete(engine, made)
        after = engine.issue(engine.holders[1])
        assert after["issuer"] == "universidad-g2", after
        old, new = (Generation(engine, n)
                    for n in ("universidad", "universidad-g2"))
        constraints = old.says("-ext", "nameConstraints")
        assert "Universidad de Ejemplo" in constraints
        assert new.says("-ext", "nameConstraints") == constraints
        both_generations(engine, old, new, before["serial"], after["serial"])
        revoked_apart(engine, old, new, before["serial"], after["serial"])
        # A policy that names the first generation means the newest.
        ceremony.with_policy(engine, "issuer: institution",
                             "issuer: universidad")
        assert engine.issue(engine.holders[2])["issuer"] == "universidad-g2"
        # The key of the old one is destroyed as any that issues no more.
        refused(5, "still issues", engine.cli, "ceremony", "destroy",
                "universidad-g2", "--as", OFFICER)
        gone = engine.cli("ceremony", "destroy", "universidad", "--as",
                          OFFICER)
        got = engine.cli("ceremony", "endorse", gone["id"], "--cms",
                         engine.sign_as_officer(gone["id"], "ceremony"))
        assert got["state"] == "completed", got
        assert old.ocsp(engine.pem(before["serial"])) == "revoked"
        ceremony.both_verifiers(engine)


def issued_soon(engine, holder):
    """Asked again until the lists that it will name are there."""
    end = time.monotonic() + harness.WAIT
    while True:
        try:
            return engine.issue(holder)
        except harness.Refused as e:
            assert e.problem.get("id") in ("partition-not-open",
                                           "delta-not-open"), e
            assert time.monotonic() < end, e
        time.sleep(.2)


def places(pem):
    """The list that a certificate names, and the deltas of that."""
    text = harness.run("openssl", "x509", "-in", pem, "-noout",
                       "-text").stdout.decode()
    return [re.search(rf"{what}:.*?URI:(\S+)", text, re.S)[1]
            for what in ("CRL Distribution Points", "Freshest CRL")]


def test_terms_of_lists():
    """Partitions, deltas, period and overlap are those of the policy that
    names the first key, whichever key signs."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=4)
        deltas.policy(engine, "every: 30m, overlap: 48h, partition: 10, "
                      "delta: 15m")
        issued, life = {}, 48.5 * 3600
        for n, name in enumerate(("emisora", "emisora-g2", "emisora-g3")):
            if n > 0:
                complete(engine, rollover(engine, "emisora"))
            got = issued_soon(engine, engine.holders[n])
            assert got["issuer"] == name, got
            issued[name] = got["serial"]
        # A start knows which key came of which.
        assert engine.stop() == 0
        engine.start()
        got = issued_soon(engine, engine.holders[3])
        assert got["issuer"] == "emisora-g3", got
        for name, serial in issued.items():
            pem = engine.pem(serial)
            part, delta = f"/crl/{name}/1.crl", f"/crl/{name}/1-delta.crl"
            assert places(pem) == [engine.url + part, engine.url + delta]
            full = deltas.List(engine, f"/crl/{name}.crl")
            assert full.next - full.this == life, full.text
            assert full.freshest == [f"{engine.url}/crl/{name}/delta.crl"]
            engine.cli("cert", "revoke", serial, "--as", harness.MINISTER,
                       "--cause", "office-ended")
            base, more = (deltas.List(engine, p) for p in (part, delta))
            assert base.next - base.this == life, base.text
            assert more.base == base.number, (base.text, more.text)
            assert (list(base.entries), list(more.entries)) == (
                [], [serial]), (base.text, more.text)
            Generation(engine, name).list(f"{name}/1-delta")
        ceremony.both_verifiers(engine)


def mandate_for(engine, serial):
    return engine.cli("mandate", "propose", serial, "--as", harness.OPERATOR,
                      "--until", renewal.until(200), "--renewals", "5")["id"]


def signed_mandate(engine, number):
    return engine.cli("mandate", "endorse", number, "--key",
                      engine.minister[0], "--cert", engine.minister[1])


def test_mandates():
    """One serves no longer than the key that it names issues, and is then in
    nobody's way."""
    with harness.Engine() as engine:
        engine.init()
        with open(engine.path("etc", "signer.yaml"), "a") as f:
            f.write("mandate_max: 1y\n")
        engine.start()
        engine.populate(people=2)
        renewal.changed(engine, ("reuse: forbid", "reuse: same-person"),
                        ("renewal: fresh ", "renewal: mandate"),
                        ("default: 2y", "default: 45d"))
        first, second = (engine.issue(engine.holders[n])["serial"]
                         for n in (0, 1))
        old, late = (mandate_for(engine, s) for s in (first, second))
        assert signed_mandate(engine, old)["state"] == "in-force"
        complete(engine, rollover(engine, "emisora"))
        as_ = ("--as", harness.OPERATOR)

        def no(*words):
            renewal.refused(engine, "mandate-issuer", *words)
        no("renew", first, *as_, "--mandate", old)
        no("mandate", "propose", second, *as_, "--until", renewal.until(200),
           "--renewals", "5")
        no("mandate", "endorse", late, "--key", engine.minister[0], "--cert",
           engine.minister[1])
        assert engine.cli("mandate", "show", late)["signatures"] == 0
        shown = engine.cli("mandate", "show", old)
        assert (shown["state"], shown["reason"]) == (
            "expired", "its CA issues no more"), shown
        # With an endorsement, and from there under a mandate of its own.
        done = engine.endorse(engine.cli("renew", first, *as_)["id"])
        shown = engine.cli("mandate", "show", old)
        assert (shown["state"], shown["reason"]) == (
            "expired", "its CA issues no more"), shown
        new = signed_mandate(engine, mandate_for(engine, done["serial"]))
        assert new["state"] == "in-force", new
        shown = engine.cli("mandate", "show", old)
        assert (shown["state"], shown["reason"]) == (
            "ended", f"the mandate {new['id']} took its place"), shown
        rows = {m["id"]: m for m in engine.cli("mandate", "ls")["items"]}
        assert rows[old] == shown and "reason" not in rows[new["id"]], rows
        renewal.refused(engine, "mandate-another", "mandate", "endorse",
                        mandate_for(engine, done["serial"]), "--key",
                        engine.minister[0], "--cert", engine.minister[1])
        done = engine.cli("renew", done["serial"], *as_)
        assert (done["state"], done["mandate"]) == ("issued", new["id"]), done
        assert engine.cli("cert", "show", done["serial"])["issuer"] == \
            "emisora-g2"
        # It is the one that a revocation takes along.
        engine.cli("cert", "revoke", done["serial"], "--as", harness.MINISTER,
                   "--cause", "key-compromise")
        assert engine.cli("mandate", "show", new["id"])["state"] == "ended"
        ceremony.both_verifiers(engine)


def test_policy_check():
    """It is the newest key that a policy's certificates may not outlive."""
    with harness.Engine() as engine:
        engine.init()

        def certificate(name, days, cn="Emisora"):
            harness.run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                engine.temp("unused.key"), "-subj", f"/C=CL/O=e/CN={cn}",
                "-days", str(days), "-out", engine.path("ca", name + ".pem"))

        def outlived():
            found = engine.cli("policy", "check")["findings"]
            return "policy-outlives" in [one["code"] for one in found]
        assert not outlived()
        certificate("emisora", 30)
        assert outlived()
        # A second later each: the one that begins last is the newest.
        time.sleep(1.1)
        certificate("otra", 3650, "Otra")
        assert outlived()
        certificate("emisora-g2", 3650)
        assert not outlived()
        time.sleep(1.1)
        certificate("emisora-g3", 40)
        assert outlived()


def test_types_and_names():
    """What the new key is like and called, where nobody says."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        made = engine.cli("ca", "create", "grande", "--key-type", "ec-p384",
                          "--as", OFFICER)
        complete(engine, made)
        made = rollover(engine, "grande")
        complete(engine, made)
        text = Generation(engine, "grande-g2").says("-text")
        assert "secp384r1" in text, text
        # A key of another type, for a ceremony that was withdrawn, keeps its
        # name; the next one is free, and that one for its own type.
        made = rollover(engine, "emisora", "--key-type", "ec-p384")
        assert made["name"] == "emisora-g2", made
        engine.cli("ceremony", "withdraw", made["id"], "--as", OFFICER)
        assert rollover(engine, "emisora")["name"] == "emisora-g3"
        made = rollover(engine, "emisora", "--key-type", "ec-p384")
        assert made["name"] == "emisora-g2", made
        # One refusal is one document, and says what is wrong.
        for words, status, says in (
                (("root",), 6, "is no issuing CA"),
                (("emisora", "--replaces", "root"), 2, "replaces"),
                (("emisora", "--key-type", "ed25519"), 6, "key of type")):
            try:
                rollover(engine, *words)
            except harness.Refused as no:
                assert no.status == status and says in no.text, no
                assert len(no.text.strip().splitlines()) == 1 and \
                    no.text.count('"status"') <= 1, no
            else:
                raise AssertionError(f"not refused: {words}")
        # There is no room for "-g2" behind 38 characters.
        long = "a" * 38
        made = engine.cli("ca", "create", long, "--as", OFFICER)
        complete(engine, made)
        refused(6, f"{long} leaves no room for another generation", rollover,
                engine, long)
        made = engine.cli("ca", "create", "corta", "--replaces", long, "--as",
                          OFFICER)
        assert made["replaces"] == long, made
        complete(engine, made)
        assert rollover(engine, long)["name"] == "corta-g2"


def whole(engine, *words, key=None, json_=True):
    """One command with the officer's key, and the root's among the others'."""
    p = engine.with_passphrase(
        [harness.REFRENDO, *words, "--as", OFFICER, "--key",
         key or engine.officer_key, "--cert",
         engine.path("officer", "officer.pem"), "--yes", "--lang", "en",
         "--dir", engine.dir, *(["--json"] if json_ else [])],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL)
    out, err = p.communicate()
    if p.returncode != 0:
        raise harness.Refused(p.returncode, out.decode() + err.decode())
    return json.loads(out) if json_ else out.decode(), err.decode()


def officer_key(engine):
    """As init leaves it, encrypted: a line for it, and one for the root's."""
    engine.officer_key = engine.path("officer", "officer.key")
    engine.given = 2 * harness.PASSPHRASE


def test_one_command():
    """The root's key is on the host, as init leaves it; one officer is
    enough: nothing else is to be done."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=2)
        officer_key(engine)
        done, said = whole(engine, "ca", "create", "universidad", "--rut",
                           harness.INSTITUTION)
        assert done["state"] == "completed", done
        assert "the CA works from now on" in said, said
        engine.wait_log("event=ca-open ca=universidad")
        ceremony.with_policy(engine, "issuer: emisora", "issuer: institution")
        assert engine.issue(engine.holders[0])["issuer"] == "universidad"
        text, said = whole(engine, "ca", "rollover", "universidad",
                           json_=False)
        # The root's side is shown as on a machine of its own.
        assert "Request of the ceremony" in said and \
            "of the CA universidad" in said, said
        assert "completed" in text, text
        engine.wait_log("event=ca-open ca=universidad-g2")
        assert engine.issue(engine.holders[1])["issuer"] == "universidad-g2"
        # A stranger's key: nothing is agreed on, and nothing signed.
        stranger = engine.new_key()[0]
        refused(6, "", whole, engine, "ca", "create", "otra", key=stranger)
        left = engine.cli("ceremony", "ls")["items"]
        assert [c["state"] for c in left].count("completed") == 2, left
        assert [c["state"] for c in left].count("agreed") == 0, left
        # With the root elsewhere it says what is left.
        os.rename(engine.path("keys", "root.key"), engine.temp("root.key"))
        done, said = whole(engine, "ca", "create", "lejana")
        assert done["state"] == "agreed", done
        assert f"ceremony export {done['id']}" in said and \
            "officers signed" not in said, said
        # Another root's key in its place signs nothing.
        other = ceremony.root(engine)[0]
        with open(other, "rb") as f, \
                open(engine.path("keys", "root.key"), "wb") as out:
            out.write(f.read())
        refused(6, "is not that of the certificate", whole, engine, "ca",
                "create", "ajena")
        os.rename(engine.temp("root.key"), engine.path("keys", "root.key"))
        # What stopped on the way goes on with the single commands.
        answer = ceremony.sign(engine, exported(engine, done["id"]),
                               root_files(engine))
        # No checkpoint covers its entry yet: then the export has no
        # certificate of it either.
        signer = engine.pids["signer", 0]
        os.kill(signer, signal.SIGSTOP)
        try:
            got = engine.cli("ceremony", "import", answer, "--as", OFFICER)
            assert got["state"] == "completed", got
            engine.cli("audit", "export", engine.temp("export.jsonl"))
        finally:
            os.kill(signer, signal.SIGCONT)
        with open(engine.temp("export.jsonl")) as f:
            assert "lejana" not in f.readline() + f.read().split(
                '"kind":"entry"')[0]
        engine.cli("audit", "verify", engine.temp("export.jsonl"),
                   "--log-key", engine.path("ca", "log.pem"))
        engine.wait_log("event=ca-open ca=lejana")
        ceremony.both_verifiers(engine)


def on_terminal(engine, words, lines):
    """What somebody types after each question; what was on the screen."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(harness.REFRENDO, [harness.REFRENDO, *words], engine.env)
    said = b""
    with contextlib.suppress(OSError):  # that is how a terminal ends
        for question, line in lines:
            while not said.endswith(question.encode()):
                more = os.read(fd, 1024)
                if not more:
                    break
                said += more
            os.write(fd, line.encode() + b"\n")
        while more := os.read(fd, 1024):
            said += more
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def test_half_way():
    """A command that failed on the way says where it is, and goes on when it is
    given once more: with its idempotency key, and without."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        officer_key(engine)

        def states():
            return [c["state"] for c in engine.cli("ceremony", "ls")["items"]]

        def words(*more, lang="es"):
            return ["ca", "create", "zeta", "--as", OFFICER, "--key",
                    engine.officer_key, "--cert",
                    engine.path("officer", "officer.pem"), "--dir",
                    engine.dir, "--lang", lang, *more]

        # Nobody signs: it stays, and the screen says so.
        number = time.strftime("CER-%Y-000001", time.gmtime())
        status, said = on_terminal(engine, words(lang="en"),
                                   [("Sign? [y/N] ", "n")])
        assert status == 4 and f"{number} stays proposed: refrendo ceremony " \
            f"endorse {number}" in said and "nothing was" not in said, said
        # Each key is named, in the language of who types.
        status, said = on_terminal(engine, words(), [
            ("¿Firmar? [s/N] ", "s"),
            (f"Frase de paso de la llave {engine.officer_key}: ",
             harness.PASSPHRASE.decode().strip()),
            ("¿Firmar? [s/N] ", "s"),
            ("Frase de paso de la llave keys/root.key: ", "no es la frase")])
        assert status == 4 and f"se sigue con {number}" in said and \
            f"{number} queda acordada" in said, said
        assert states() == ["agreed"], states()
        # The officer's signature is there already: a line for the root's key.
        engine.given = harness.PASSPHRASE
        done = whole(engine, "ca", "create", "zeta")[0]
        assert done["state"] == "completed", done
        # One line, and two keys are asked for.
        again = ("ca", "create", "eta", "--idempotency-key", "k1")
        try:
            whole(engine, *again)
            raise AssertionError("a key that nobody opened")
        except harness.Refused as e:
            assert e.status == 4 and "keys/root.key" in e.text and \
                "stays agreed" in e.text, e
        done = whole(engine, *again)[0]
        assert done["state"] == "completed", done
        assert states() == ["completed"] * 2, states()
        # What is done is done.
        done = whole(engine, *again)[0]
        assert done["state"] == "completed", done
        # Likewise a new key.
        refused(4, "keys/root.key", whole, engine, "ca", "rollover", "eta")
        done = whole(engine, "ca", "rollover", "eta")[0]
        assert done["state"] == "completed", done
        assert states() == ["completed"] * 3, states()
        # Keys in keys/ first, then the officer's.
        refused(4, f"for the key {engine.officer_key}", whole, engine,
                "ceremony", "request", "theta")
        engine.given *= 2
        done = whole(engine, "ceremony", "request", "theta")[0]
        assert done["state"] == "agreed", done
        ceremony.both_verifiers(engine)


def exported(engine, number):
    request = engine.temp(number + ".request")
    engine.cli("ceremony", "export", number, "--out", request)
    return request


def test_two_must_sign():
    """With a quorum of two the command says whose signature is missing."""
    with harness.Engine() as engine:
        second = test_quorum.two_officers(engine)
        engine.start()
        officer_key(engine)
        done, said = whole(engine, "ca", "create", "nueva")
        assert (done["state"], done["signatures"]) == ("proposed", 1), done
        assert "1 of 2 officers signed" in said and \
            f"ceremony endorse {done['id']}" in said, said
        got = engine.cli("ceremony", "endorse", done["id"], "--cms",
                         engine.sign_as_officer(done["id"], "ceremony",
                                                by=second))
        assert got["state"] == "agreed", got
        answer = ceremony.sign(engine, exported(engine, done["id"]),
                               root_files(engine))
        got = engine.cli("ceremony", "import", answer, "--as", OFFICER)
        assert got["state"] == "completed", got


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("one command", test_one_command),
        ("half way", test_half_way),
        ("two must sign", test_two_must_sign),
        ("types and names", test_types_and_names),
        ("a configured CA", test_configured_ca),
        ("terms of lists", test_terms_of_lists),
        ("mandates", test_mandates),
        ("policy check", test_policy_check),
        ("an institution's CA", test_institution_ca)]))
