#!/usr/bin/python3
"""Ceremonies: a root that was never on the host, CAs that officers agreed on.

openssl judges the chains, the name constraints and the root's lists; both
verifiers find the ceremonies in the export.
"""
import contextlib
import calendar
import json
import os
import re
import shutil
import subprocess
import sys
import time

import harness

SECOND = "18765432-7"


def root(engine):
    """On its own machine, which has its own directory."""
    medium = engine.temp("medium")
    p = engine.with_passphrase(
        [harness.REFRENDO, "ceremony", "root", "--to", medium, "--origin",
         "estado.example.org/log", "--algorithm", engine.algorithm],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text, _ = p.communicate()
    assert p.returncode == 0, text.decode()
    return os.path.join(medium, "root.key"), os.path.join(medium, "root.pem")


def sign(engine, request, files, *more):
    """What the root's machine says; the answer is a file."""
    answer = engine.temp("ceremony.answer")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(answer)  # one that is there is not written over
    p = engine.with_passphrase(
        [harness.REFRENDO, "ceremony", "sign", request, "--key", files[0],
         "--cert", files[1], "--out", answer, "--yes", *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL)
    text, _ = p.communicate()
    if p.returncode != 0:
        raise harness.Refused(p.returncode, text.decode())
    return answer


def init_offline(engine, *more):
    files = root(engine)
    engine.init("--root", files[1], *more)
    request = engine.dir + ".new/ceremony/init.request"
    assert not os.path.exists(engine.dir)
    answer = sign(engine, request, files)
    engine.cli("init", "--answer", answer)
    assert not os.path.exists(engine.path("keys", "root.key"))
    return files


def request_ca(engine, name, *more):
    """Keys are made here, under the engine's passphrase."""
    p = engine.with_passphrase(
        [harness.REFRENDO, "ceremony", "request", name, "--as",
         harness.OFFICER, "--dir", engine.dir, "--json", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL)
    out, err = p.communicate()
    if p.returncode != 0:
        raise harness.Refused(p.returncode, out.decode() + err.decode())
    return json.loads(out)


def agree(engine, made):
    got = engine.cli("ceremony", "endorse", made["id"], "--cms",
                     engine.sign_as_officer(made["id"], "ceremony"))
    assert got["state"] == "agreed", got
    request = engine.temp(made["id"] + ".request")
    engine.cli("ceremony", "export", made["id"], "--out", request)
    return request


def complete(engine, made, files):
    answer = sign(engine, agree(engine, made), files, "--ceilings",
                  engine.path("etc", "signer.yaml"))
    got = engine.cli("ceremony", "import", answer, "--as", harness.OFFICER)
    assert got["state"] == "completed", got
    return got


def add_issuer(engine, name):
    """What import says to add, and a start with it."""
    with open(engine.path("etc", "refrendo.yaml"), "a") as f:
        f.write(f"  - name: {name}\n    certificate: ca/{name}.pem\n"
                f"    key: file:keys/{name}.key\n"
                f"    ocsp_key: file:keys/{name}-ocsp.key\n"
                f"    ocsp_certificate: 30d\n")
    assert engine.stop() == 0
    engine.start()


def openssl_verify(engine, root_pem, *more):
    return harness.run("openssl", "verify", "-CAfile", root_pem, *more,
                       check=False)


def both_verifiers(engine):
    engine.audit()
    here = os.path.dirname(os.path.abspath(__file__))
    p = subprocess.run(
        [sys.executable, os.path.join(here, "verify_export.py"),
         engine.temp("export.jsonl"), engine.path("ca", "log.pem")],
        capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr


def published_list(engine):
    der = engine.temp("root.crl")
    status, _, body = engine.get("/crl/root.crl")
    assert status == 200
    with open(der, "wb") as f:
        f.write(body)
    p = harness.run("openssl", "crl", "-inform", "DER", "-in", der, "-noout",
                    "-text", "-CAfile", engine.path("ca", "root.pem"))
    assert b"verify OK" in p.stderr, p.stderr
    text = p.stdout.decode()
    number = int(re.search(r"CRL Number: *\n? *(\d+)", text).group(1))
    return der, number, text


def refused(status, text, call, *args, **named):
    try:
        got = call(*args, **named)
    except harness.Refused as no:
        assert no.status == status and text in no.text, str(no)
        return
    raise AssertionError(f"not refused: {got}")


def test_issuing_ca():
    with harness.Engine() as engine:
        files = init_offline(engine)
        engine.start()
        engine.populate(people=2)
        made = request_ca(engine, "emisora-g2")
        assert made["state"] == "proposed", made
        # Nothing leaves before officers agree, and no name twice.
        refused(5, "officers have not agreed", engine.cli, "ceremony",
                "export", made["id"], "--out", engine.temp("early"))
        refused(5, "there is a CA emisora already", request_ca, engine,
                "emisora")
        refused(6, "is no name of a CA", request_ca, engine, "../../x")
        done = complete(engine, made, files)
        assert done["name"] == "emisora-g2", done
        # The same answer again is no second CA.
        refused(5, "that is completed cannot do this", engine.cli,
                "ceremony", "import", engine.temp("ceremony.answer"), "--as",
                harness.OFFICER)
        new = engine.path("ca", "emisora-g2.pem")
        p = openssl_verify(engine, files[1], "-x509_strict", new)
        assert p.returncode == 0, p.stderr
        text = harness.run("openssl", "x509", "-in", new, "-noout", "-text")
        assert b"CA:TRUE, pathlen:0" in text.stdout
        add_issuer(engine, "emisora-g2")
        names = [ca["name"] for ca in engine.cli("ca", "ls")["items"]]
        assert names == ["emisora", "emisora-g2", "endorser", "root"], names
        # A policy names it: the old CA goes on with its status.
        old = engine.issue(engine.holders[0])
        with_policy(engine, "issuer: emisora", "issuer: emisora-g2")
        _, csr = engine.new_key("renewed")
        renewal = ("renew", old["serial"], "--as", harness.OPERATOR, "--csr",
                   csr)
        refused(6, "can be renewed from", engine.cli, *renewal)
        assert "ca stop emisora" in campaign_said(engine, "en")
        engine.cli("ca", "stop", "emisora", "--as", harness.OFFICER,
                   "--reason", "la reemplaza emisora-g2")
        refused(5, "issues no more", engine.cli, "ca", "stop", "emisora",
                "--as", harness.OFFICER)
        # What the old CA signed moves to the new one, whatever the window.
        left = engine.cli("ca", "campaign", "emisora")
        assert [x["serial"] for x in left["items"]] == [old["serial"]], left
        assert left["institutions"] == [{"institution": harness.INSTITUTION,
                                         "replaced": 0, "waiting": 1}], left
        assert left["ca"]["not_after"] > left["items"][0]["not_after"], left
        assert "renew SERIAL" in campaign_said(engine, "en")
        assert "se pueden renovar hoy" in campaign_said(engine, "es")
        done = engine.endorse(engine.cli(*renewal)["id"])
        assert engine.cli("cert", "show", done["serial"])["issuer"] == \
            "emisora-g2"
        left = engine.cli("ca", "campaign", "emisora")
        assert (left["items"], left["replaced"]) == ([], 1), left
        refused(3, "there is no issuer nadie", engine.cli, "ca", "campaign",
                "nadie")
        fresh = engine.issue(engine.holders[1])
        assert fresh["issuer"] == "emisora-g2", fresh
        pem = engine.pem(fresh["serial"])
        p = openssl_verify(engine, files[1], "-untrusted", new, pem)
        assert p.returncode == 0, p.stderr
        engine.cli("cert", "revoke", old["serial"], "--as", harness.MINISTER,
                   "--cause", "office-ended")
        assert engine.ocsp(engine.pem(old["serial"])) == "revoked"
        both_verifiers(engine)
        destroy_key(engine, "emisora", "emisora-g2", old)


def destroy_key(engine, name, issues, certificate):
    """Agreed on, gone from memory, and from the disk at the next start."""
    key = engine.path("keys", name + ".key")
    with open(key, "rb") as f:
        kept = f.read()
    refused(5, "still issues", engine.cli, "ceremony", "destroy", issues,
            "--as", harness.OFFICER)
    made = engine.cli("ceremony", "destroy", name, "--as", harness.OFFICER)
    assert made["kind"] == "key" and made["state"] == "proposed", made
    got = engine.cli("ceremony", "endorse", made["id"], "--cms",
                     engine.sign_as_officer(made["id"], "ceremony"))
    assert got["state"] == "completed", got
    assert "destroyed" in engine.cli("ca", "show", name)
    refused(5, "was destroyed already", engine.cli, "ceremony", "destroy",
            name, "--as", harness.OFFICER)
    both_verifiers(engine)
    for again in range(2):
        assert engine.stop() == 0
        engine.start()
        assert not os.path.exists(key)
        assert engine.ocsp(engine.pem(certificate["serial"])) == "revoked"
        # Put back from a backup it is no key of this signer's any more.
        if again == 0:
            with open(key, "wb") as f:
                f.write(kept)
    assert engine.issue(engine.holders[0])["issuer"] == issues
    both_verifiers(engine)


def cas_that_end(engine):
    """CAs of which doctor says that they end sooner than what they sign."""
    p = subprocess.run([harness.REFRENDO, "doctor", "--json", "--lang", "en",
                        "--dir", engine.dir], env=engine.env,
                       capture_output=True, text=True)
    return [re.search(r"the CA (\S+) ends on", check["detail"])[1]
            for check in json.loads(p.stdout)["checks"]
            if check["name"] == "ca" and check["state"] == "look"]


def campaign_said(engine, lang):
    p = subprocess.run([harness.REFRENDO, "ca", "campaign", "emisora",
                        "--lang", lang, "--dir", engine.dir], env=engine.env,
                       capture_output=True, text=True, check=True)
    return p.stdout


def with_policy(engine, old, new):
    """The policy of the beginning with another line, in force."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        policy = f.read()
    assert old in policy
    with open(path, "w") as f:
        f.write(re.sub(r"version: (\d+)",
                       lambda m: f"version: {int(m[1]) + 1}",
                       policy.replace(old, new), count=1))
    engine.activate(path)


def leaf_outside(engine, name):
    """What the CA's key signs when nobody judges: another institution's."""
    key, csr = engine.new_key("outside")
    harness.run("openssl", "req", "-new", "-key", key, "-out", csr, "-utf8",
                "-subj", "/C=CL/O=Otra Institución/CN=Nadie")
    out = engine.temp("outside.pem")
    harness.run("openssl", "x509", "-req", "-in", csr, "-CA",
                engine.path("ca", name + ".pem"), "-CAkey",
                engine.path("keys", name + ".key"), "-passin",
                "pass:" + harness.PASSPHRASE.decode().strip(), "-days", "30",
                "-out", out)
    return out


def test_institution_ca():
    other, person, operator = "1000-6", "9999999-3", "7654321-6"
    with harness.Engine() as engine:
        files = init_offline(engine)
        engine.start()
        engine.populate(people=1)
        made = request_ca(engine, "universidad", "--rut", harness.INSTITUTION,
                          "--validity", "400d")
        complete(engine, made, files)
        add_issuer(engine, "universidad")
        assert cas_that_end(engine) == ["universidad"]
        ca = engine.path("ca", "universidad.pem")
        text = harness.run("openssl", "x509", "-in", ca, "-noout",
                           "-text").stdout.decode()
        assert "X509v3 Name Constraints: critical" in text, text
        assert "DirName:C = CL, O = Universidad de Ejemplo" in text \
            or "DirName:C=CL, O=Universidad de Ejemplo" in text, text
        with_policy(engine, "issuer: emisora", "issuer: institution")
        done = engine.issue(engine.holders[0])
        assert done["issuer"] == "universidad", done
        pem = engine.pem(done["serial"])
        chain = ("-x509_strict", "-untrusted", ca)
        p = openssl_verify(engine, files[1], *chain, pem)
        assert p.returncode == 0, p.stderr
        p = openssl_verify(engine, files[1], *chain,
                           leaf_outside(engine, "universidad"))
        assert p.returncode != 0 and b"permitted subtree" in p.stderr, p.stderr
        # The responder's own certificate is within the constraints too.
        p = harness.run("openssl", "ocsp", "-issuer", ca, "-cert", pem,
                        "-CAfile", engine.path("ca", "root.pem"),
                        "-verify_other", ca, "-no_nonce", "-url",
                        engine.url + "/ocsp")
        said = p.stdout + p.stderr
        assert b"Response verify OK" in said and b": good" in said, said
        # Another institution has none of its own, and may not use this one.
        engine.cli("inst", "add", "--as", harness.OFFICER, "--rut", other,
                   "--name", "Otra Institución")
        engine.cli("inst", "enable", other, "--as", harness.OFFICER)
        for run, name, more in ((operator, "Otto Operador", ["--operator"]),
                                (person, "Olga Otra", [])):
            engine.cli("person", "add", "--as", harness.OFFICER, "--rut",
                       other, "--run", run, "--name", name, "--office",
                       "Jefa", "--email", "o@example.org", *more)
        ask = ("request", "new", "--as", operator, "--rut", other, "--run",
               person, "--policy", "funcionario-firma", "--csr")
        refused(6, "has no issuing CA", engine.cli, *ask, engine.new_key()[1])
        with_policy(engine, "issuer: institution", "issuer: universidad")
        refused(6, "is for another institution alone", engine.cli, *ask,
                engine.new_key()[1])
        both_verifiers(engine)


def judge_made(engine, files, name, serial):
    """Chain, responder and CRL of a CA whose key the signer made."""
    pem, ca = engine.pem(serial), engine.temp(name + ".pem")
    engine.cli("ca", "get", name, "--out", ca)
    p = openssl_verify(engine, files[1], "-x509_strict", "-untrusted", ca, pem)
    assert p.returncode == 0, p.stderr
    p = harness.run("openssl", "ocsp", "-issuer", ca, "-cert", pem, "-CAfile",
                    files[1], "-verify_other", ca, "-url",
                    engine.url + "/ocsp")
    said = p.stdout + p.stderr
    assert b"Response verify OK" in said, said
    status, _, der = engine.get(f"/crl/{name}.crl")
    assert status == 200
    crl = engine.temp(name + ".crl")
    with open(crl, "wb") as f:
        f.write(der)
    p = harness.run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout",
                    "-text", "-CAfile", ca)
    assert b"verify OK" in p.stderr, p.stderr
    return said, p.stdout.decode()


def at_once(act):
    """Not as late as an act is answered whose publication lags, 20 s."""
    since = time.monotonic()
    done = act()
    took = time.monotonic() - since
    assert took < 10, took
    return done


def all_lists(engine):
    """How many CRLs of all CAs there are, how many are overdue, which end is
    first; and what health says of them."""
    m = engine.cli("metrics")
    status, body = engine.api("GET", "/health")
    assert status == 200, status
    said = next(r for r in body["checks"] if r["name"] == "lists")
    return (m["refrendo_crl_lists"], m["refrendo_crl_lists_overdue"],
            m["refrendo_crl_first_next_update_timestamp_seconds"], said)


def without_its_key(engine, files):
    """A flipped bit in the wrapped key of the only CA in signer/cas, and a new
    responder that it cannot certify: it waits, and another one works."""
    path = engine.path("signer", "cas")
    request_ca(engine, "aparte")  # for a key of a responder
    assert engine.stop() == 0
    with open(path, "rb") as f:
        whole = f.read()
    at = 15 + 16 + 32 + 32  # the head; then length and body of the key's record
    end = at + 4 + int.from_bytes(whole[at:at + 4], "big")
    with open(path, "r+b") as f:
        f.seek(end - 1)
        f.write(bytes([whole[end - 1] ^ 1]))
    os.replace(engine.path("keys", "aparte-ocsp.key"),
               engine.path("keys", "emisora-ocsp.key"))
    # As after a restore: its CRL would have to be made anew.
    shutil.rmtree(engine.path("public"))
    since = len(engine.log)
    engine.start()
    engine.wait_log('id=cas-key say="the key of the CA universidad does not '
                    'open: ', since)
    n, overdue, _, said = harness.wait_for(
        "a list that cannot be made",
        lambda: (lambda x: x if x[1] > 0 else None)(all_lists(engine)))
    assert said["state"] == "look", said
    assert said["detail"] == f"{overdue} of {n} overdue", said
    refused(8, "signs neither CRL nor responder of the CA universidad",
            engine.request, engine.holders[0])
    with_policy(engine, "issuer: institution", "issuer: emisora")
    engine.wait_log("event=signer-ocsp-responder", since)
    done = at_once(lambda: engine.issue(engine.holders[0]))
    assert done["issuer"] == "emisora", done
    at_once(lambda: engine.cli("cert", "revoke", done["serial"], "--as",
                               harness.MINISTER, "--cause", "office-ended"))
    with_policy(engine, "issuer: emisora", "issuer: institution")
    assert engine.stop() == 0
    with open(path, "wb") as f:
        f.write(whole)
    engine.start()
    done = engine.issue(engine.holders[0])
    assert done["issuer"] == "universidad", done
    _, overdue, first, said = all_lists(engine)
    assert overdue == 0 and said["state"] == "good", said
    ends = [calendar.timegm(time.strptime(row["next_update"],
                                          "%Y-%m-%dT%H:%M:%SZ"))
            for row in engine.cli("crl", "ls")["items"]]
    assert time.time() < first == min(ends), (first, ends)
    said, _ = judge_made(engine, files, "universidad", done["serial"])
    assert b": good" in said, said


def test_made_ca():
    """The signer makes its key: no line of refrendo.yaml, no restart."""
    with harness.Engine() as engine:
        files = init_offline(engine)
        engine.start()
        engine.populate(people=2)
        up = engine.process.pid
        with_policy(engine, "issuer: emisora", "issuer: institution")
        refused(6, "has no issuing CA", engine.request, engine.holders[0])
        for name, status, text in (
                ("emisora", 5, "there is a CA emisora already"),
                ("root", 6, "a CA is called by"),
                ("../../x", 6, "a CA is called by"),
                ("a/b", 6, "a CA is called by"),
                ("A", 6, "a CA is called by"),
                ("x" * 41, 6, "a CA is called by")):
            refused(status, text, engine.cli, "ca", "create", name, "--as",
                    harness.OFFICER)
        refused(6, "a CA has a key of type", engine.cli, "ca", "create", "ed",
                "--key-type", "ed25519", "--as", harness.OFFICER)
        # Who may not make one leaves no key behind.
        refused(4, "is for", engine.cli, "ca", "create", "nobody", "--as",
                harness.MINISTER)
        ask = ("ca", "create", "universidad", "--rut", harness.INSTITUTION,
               "--as", harness.OFFICER)
        made = engine.cli(*ask, key="the-one")
        assert made["state"] == "proposed" and made["held"] == 1, made
        assert engine.cli(*ask, key="the-one")["id"] == made["id"]
        refused(5, "a key of type ec-p256 was made", engine.cli, *ask,
                "--key-type", "ec-p384")
        before = all_lists(engine)[0]
        complete(engine, made, files)
        refused(5, "there is a CA universidad already", engine.cli, *ask)
        engine.wait_log("event=ca-open ca=universidad")
        harness.wait_for("lists of a CA without a label",
                         lambda: all_lists(engine)[0] > before)
        done = engine.issue(engine.holders[0])
        assert done["issuer"] == "universidad", done
        said, crl = judge_made(engine, files, "universidad", done["serial"])
        assert b": good" in said and "No Revoked" in crl, crl
        assert engine.process.pid == up
        with open(engine.path("etc", "refrendo.yaml")) as f:
            assert "universidad" not in f.read()
        assert not os.path.exists(engine.path("keys", "universidad.key"))
        assert os.stat(engine.path("signer", "cas")).st_mode & 0o777 == 0o600
        # Nothing published before is made anew by a start, and all goes on.
        assert engine.stop() == 0
        since = len(engine.log)
        engine.start()
        engine.cli("cert", "revoke", done["serial"], "--as", harness.MINISTER,
                   "--cause", "office-ended")
        said, crl = judge_made(engine, files, "universidad", done["serial"])
        assert b": revoked" in said, said
        assert done["serial"].upper() in crl, crl
        lists = [line for line in engine.log[since:] if "crl-published" in line]
        assert len(lists) == 1, lists
        fresh = engine.issue(engine.holders[1])
        assert fresh["issuer"] == "universidad", fresh
        without_its_key(engine, files)
        engine.cli("ca", "stop", "universidad", "--as", harness.OFFICER)
        refused(6, "has no issuing CA", engine.request, engine.holders[0])
        both_verifiers(engine)


def test_root_list():
    with harness.Engine() as engine:
        files = init_offline(engine)
        engine.start()
        engine.populate(people=1)
        _, number, text = published_list(engine)
        assert number == 1 and "No Revoked" in text, text
        made = engine.cli("ceremony", "crl", "--as", harness.OFFICER)
        complete(engine, made, files)
        _, number, _ = published_list(engine)
        assert number == 2
        # A CA is revoked: its serial, for a reason that a CA can have.
        serial = harness.run(
            "openssl", "x509", "-in", engine.path("ca", "emisora.pem"),
            "-noout", "-serial").stdout.decode().split("=")[1].strip()
        refused(6, "a CA is revoked for", engine.cli, "ceremony", "crl",
                "--as", harness.OFFICER, "--serial", serial, "--cause",
                "death")
        refused(3, "no CA of this installation", engine.cli, "ceremony",
                "crl", "--as", harness.OFFICER, "--serial", "11" * 20,
                "--cause", "superseded")
        made = engine.cli("ceremony", "crl", "--as", harness.OFFICER,
                          "--serial", serial, "--cause", "superseded")
        other = engine.cli("ceremony", "crl", "--as", harness.OFFICER)
        late = sign(engine, agree(engine, other), files)
        os.rename(late, late + ".late")
        complete(engine, made, files)
        der, number, text = published_list(engine)
        assert number == 3 and serial in text and "Superseded" in text, text
        refused(5, "another CRL of the root", engine.cli, "ceremony",
                "import", late + ".late", "--as", harness.OFFICER)
        # openssl refuses the chain, and core issues no more by it.
        pem = engine.temp("root.crl.pem")
        harness.run("openssl", "crl", "-inform", "DER", "-in", der, "-out",
                    pem)
        p = openssl_verify(engine, files[1], "-crl_check", "-CRLfile", pem,
                           engine.path("ca", "emisora.pem"))
        assert p.returncode != 0 and b"revoked" in p.stderr, p.stderr
        ca = engine.cli("ca", "show", "emisora")
        assert "revoked" in ca, ca
        refused(6, "was revoked by the root", engine.request,
                engine.holders[0])
        # Found again after a restart.
        engine.stop()
        engine.start()
        _, number, _ = published_list(engine)
        assert number == 3
        both_verifiers(engine)


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("an issuing CA", test_issuing_ca),
        ("an institution's CA", test_institution_ca),
        ("a CA whose key the signer makes", test_made_ca),
        ("the root's list", test_root_list)]))
