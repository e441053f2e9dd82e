#!/usr/bin/python3
"""Ceilings, officers and quorums change by the officers who are in force.

Of a file that somebody puts in etc/ only what takes away is in force; two of
two officers agree on wider ceilings and replace one of them; an old file that
is put back is nothing but a file; and root may begin anew where nobody can sign
any more, which both verifiers name.
"""
import hashlib
import os
import re
import signal
import subprocess
import sys
import time

import harness
from test_quorum import SECOND, refused, two_officers, verified

THIRD = "14-0"


def file_of(engine):
    return engine.path("etc", "signer.yaml")


def read(engine):
    with open(file_of(engine)) as f:
        return f.read()


def restart(engine):
    engine.stop()
    engine.start()
    harness.wait_for("the signer",
                     lambda: engine.cli("status")["signer"] == "here")


def put(engine, text, in_force=None):
    """By root's hand, while nothing runs; what is in force then."""
    with open(file_of(engine), "w") as f:
        f.write(text)
    restart(engine)
    wanted = sha256(in_force or text)
    harness.wait_for("the ceilings", lambda: said(engine)["sha256"] == wanted)
    return said(engine)


def said(engine):
    return engine.cli("status")["ceilings"]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def with_line(text, key, value):
    """The file with another value for a key, or one more line."""
    line = f"{key}: {value}"
    if re.search(rf"(?m)^{key}:", text):
        return re.sub(rf"(?m)^{key}:.*$", line, text)
    return text + line + "\n"


def person(engine, name):
    key, cert = engine.temp(name + ".key"), engine.temp(name + ".pem")
    harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                cert, "-days", "900", "-subj", f"/CN={name}/C=CL")
    der = subprocess.run(
        ["openssl", "x509", "-in", cert, "-pubkey", "-noout"],
        capture_output=True, check=True).stdout
    spki = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                          input=der, capture_output=True, check=True).stdout
    return (key, cert), hashlib.sha256(spki).hexdigest()


def agree(engine, text, *by):
    """Officers sign that file; the ceremony after the last of them."""
    path = engine.temp("wanted.yaml")
    with open(path, "w") as f:
        f.write(text)
    made = engine.cli("ceremony", "ceilings", path, "--as", harness.OFFICER,
                      "--reason", "más por hora")
    for one in by:
        made = engine.cli("ceremony", "endorse", made["id"], "--cms",
                          engine.sign_as_officer(made["id"], "ceremony", one))
    return made


def doctor(engine):
    p = subprocess.run([harness.REFRENDO, "doctor", "--dir", engine.dir,
                        "--lang", "en"], env=engine.env, capture_output=True,
                       text=True)
    return p.stdout


def test_by_hand(engine, first):
    """What lies in etc/: less is in force, more is not."""
    now = said(engine)
    assert (now["how"], now["file_differs"]) == ("first", 0), now
    assert now["sha256"] == sha256(first) and now["quorum"] == 2, now
    wide = with_line(first, "mandate_max", "90d")
    now = put(engine, wide, first)
    assert now["file_gives"] == "mandate_max", now
    assert "its mandate_max gives more" in doctor(engine)
    # Neither fewer who must sign, nor somebody else who may.
    now = put(engine, re.sub(r"(?m)^(\w*)quorum: 2", r"\1quorum: 1", first),
              first)
    assert now["file_gives"] == "appointment_quorum", now
    now = put(engine, first.replace(SECOND, THIRD), first)
    assert now["file_gives"] == "officers", now
    less = with_line(first, "per_hour", "500")
    now = put(engine, less)
    assert (now["how"], now["file_differs"]) == ("lessened", 0), now
    # The old one was in force once: put back it is only a file.
    now = put(engine, first, less)
    assert now["file_gives"] == "per_hour", now
    return less


def other_officer(engine, text):
    """Wider, and with another person in the place of the second."""
    third, key = person(engine, "Tercera")
    old = re.search(rf'run: "{SECOND}"\n.*\n.*key_sha256: "(\w+)"', text)
    wanted = text.replace(SECOND, THIRD).replace(old[1], key)
    return third, with_line(wanted, "per_hour", "20000")


def test_agreed(engine, less, second):
    """Two of two: wider, and another person in the place of one of them."""
    third, wanted = other_officer(engine, less)
    refused(engine, "ceremony-ceilings-same", "ceremony", "ceilings",
            write(engine, less), "--as", harness.OFFICER)
    refused(engine, "policy-key-unknown", "ceremony", "ceilings",
            write(engine, less + "techo: 7\n"), "--as", harness.OFFICER)
    # What is in force since the beginning is so by its line alone.
    for key, code in (("policies", "policy"), ("issuers", "issuer")):
        name = re.search(rf"(?m)^{key}:\n  - name: (.*)\n", wanted)[1]
        text = re.sub(rf"(?m)^  - name: {name}\n(    .*\n)+", f"  - name: {name}"
                      f"\n    {'tbs_' if key == 'issuers' else ''}sha256: "
                      f'"{"0" * 64}"\n', wanted)
        refused(engine, "ceremony-ceilings-" + code, "ceremony", "ceilings",
                write(engine, text), "--as", harness.OFFICER)
    late = agree(engine, wanted + "# otro\n", None)
    assert late["state"] == "proposed", late
    made = agree(engine, wanted, None)
    assert (made["state"], made["kind"]) == ("proposed", "ceilings"), made
    assert said(engine)["sha256"] == sha256(less)
    refused(engine, "agreement-signed", "ceremony", "endorse", made["id"],
            "--cms", engine.sign_as_officer(made["id"], "ceremony"))
    refused(engine, "confirm-not-officer", "ceremony", "endorse", made["id"],
            "--cms", engine.sign_as_officer(made["id"], "ceremony", third))
    made = engine.cli("ceremony", "endorse", made["id"], "--cms",
                      engine.sign_as_officer(made["id"], "ceremony", second))
    assert made["state"] == "completed", made
    now = said(engine)
    assert (now["how"], now["sha256"]) == ("agreed", sha256(wanted)), now
    engine.wait_log("event=ceilings-in-force how=agreed")
    # The one who was replaced signs nothing more, and what both began is over.
    refused(engine, "confirm-not-officer", "ceremony", "endorse", late["id"],
            "--cms", engine.sign_as_officer(late["id"], "ceremony", second))
    refused(engine, "agreement-other-officers", "ceremony", "endorse",
            late["id"], "--cms",
            engine.sign_as_officer(late["id"], "ceremony", third))
    # The file in etc/ is still the one of before: that is no act of anybody.
    restart(engine)
    now = said(engine)
    assert (now["sha256"], now["file_differs"]) == (sha256(wanted), 1), now
    assert "etc/signer.yaml is not in force" in doctor(engine)
    now = put(engine, wanted)
    assert (now["how"], now["file_differs"]) == ("agreed", 0), now
    assert f"etc/signer.yaml is in force ({sha256(wanted)})" in doctor(engine)
    # What was in force before does not come back.
    now = put(engine, less, wanted)
    assert now["file_gives"] == "officers", now
    put(engine, wanted)
    return wanted, third


def write(engine, text):
    path = engine.temp("tried.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def test_they_work(engine, third):
    """The new officers appoint and activate; a quorum of them, as the signer
    counts."""
    time.sleep(1)
    engine.more_officers = [third]
    engine.issue(engine.holders[0])
    made = engine.cli("appointment", "propose", "--as", harness.OFFICER,
                      "--rut", harness.INSTITUTION, "--run", "30000000-2",
                      "--name", "Nora Nueva", "--office", "Secretaria",
                      "--csr", engine.new_key("nora")[1], "--act-number",
                      "Decreto 7", "--act-date", "2026-11-01", "--until",
                      time.strftime("%Y-%m-%d",
                                    time.gmtime(time.time() + 200 * 86400)))
    for by in (None, third):
        made = engine.cli("appointment", "confirm", made["id"], "--cms",
                          engine.sign_as_officer(made["id"], by=by))
    assert made["state"] == "in-force", made
    verified(engine)


def test_lost(engine, wanted):
    """Nobody can sign any more: root begins anew, and everybody sees it."""
    one, key = person(engine, "Refundadora")
    text = re.sub(r"(?m)^officers:\n(?:  .*\n)+", "officers:\n  - run: " +
                  f"{SECOND}\n    name: Ana\n    key_sha256: \"{key}\"\n",
                  wanted)
    text = re.sub(r"(?m)^(\w*)quorum: 2", r"\1quorum: 1", text)
    now = put(engine, text + f'refounds: "{"0" * 64}"\n', wanted)
    assert now["file_gives"] == "appointment_quorum", now
    text += f'refounds: "{sha256(wanted)}"\n'
    now = put(engine, text)
    assert now["how"] == "refounded", now
    report = engine.audit()
    assert [f["id"] for f in report["named"]] == ["audit-ceilings-founded"]
    verified(engine)
    # Its own officer widens it.
    time.sleep(1)
    after = with_line(text, "per_hour", "30000")
    made = engine.cli("ceremony", "ceilings", write(engine, after), "--as",
                      SECOND)
    made = engine.cli("ceremony", "endorse", made["id"], "--cms",
                      engine.sign_as_officer(made["id"], "ceremony", one))
    assert made["state"] == "completed", made
    assert put(engine, after)["how"] == "agreed"
    # What founded it does not come back: it names another file.  But what only
    # takes away does, by anybody's hand who owns the directory.
    wide = with_line(text, "per_hour", "40000")
    assert put(engine, wide, after)["file_gives"] == "per_hour"
    verified(engine)


def test_ceilings():
    with harness.Engine() as engine:
        second = two_officers(engine)
        first = read(engine)
        engine.start()
        engine.more_officers = [second]
        engine.populate(people=1)
        less = test_by_hand(engine, first)
        wanted, third = test_agreed(engine, less, second)
        test_they_work(engine, third)
        test_lost(engine, wanted)


def test_unheard():
    """The signer dies before it hears of what was agreed, and a file that only
    takes away lies there when it comes back: less than what it had, more than
    what the log has, which is named and no fault."""
    with harness.Engine() as engine:
        second = two_officers(engine)
        first = read(engine)
        engine.start()
        harness.wait_for("the ceilings", lambda: "ceilings" in
                         engine.cli("status"))
        time.sleep(1)
        os.kill(engine.pids["signer", 0], signal.SIGSTOP)
        made = agree(engine, other_officer(engine, first)[1], None, second)
        assert made["state"] == "completed", made
        killed(engine)
        less = with_line(first, "per_hour", "500")
        now = put(engine, less)
        assert (now["how"], now["file_differs"]) == ("kept", 0), now
        report = engine.audit()
        assert [f["id"] for f in report["named"]] == [
            "journal-agreed-unknown", "audit-ceilings-founded"], report
        # And the next file that takes away from both is only that.
        now = put(engine, with_line(less, "per_hour", "400"))
        assert now["how"] == "lessened", now
        verified(engine)


def test_failed_start():
    """A start with the wrong passphrase puts nothing in force: what root then
    writes is what the first start finds."""
    with harness.Engine() as engine:
        engine.init()
        engine.given = b"not the passphrase\n"
        p = engine.with_passphrase(
            [harness.REFRENDO, "serve", "--dir", engine.dir],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = p.communicate(timeout=harness.WAIT)[0].decode()
        assert p.returncode != 0 and "key-passphrase" in log, log
        assert "ceilings-in-force" not in log, log
        engine.given = harness.PASSPHRASE
        wide = with_line(read(engine), "per_hour", "20000")
        with open(file_of(engine), "w") as f:
            f.write(wide)
        engine.start()
        harness.wait_for("the ceilings", lambda: "ceilings" in
                         engine.cli("status"))
        now = said(engine)
        assert (now["how"], now["file_differs"], now["sha256"]) == (
            "first", 0, sha256(wide)), now


def killed(engine):
    """All of it at once, as by a loss of power."""
    pids = list(engine.pids.values())
    engine.process.kill()
    engine.process.wait()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


if __name__ == "__main__":
    sys.exit(harness.run_tests([("ceilings", test_ceilings),
                                ("unheard", test_unheard),
                                ("a failed start", test_failed_start)]))
