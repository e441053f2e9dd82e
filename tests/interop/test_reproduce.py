#!/usr/bin/python3
"""Certificates made again from the log, and requests judged by other policies.

explain, reproduce, verify --deep and simulate, end to end.  A real engine issues under three versions of a policy, a base among them; what
reproduce, verify --deep and simulate say is compared with openssl and with
what was done.  Then an export is tampered with: the certificate is named.
"""
import base64
import hashlib
import json
import os
import re
import subprocess

import harness

NAME = "funcionario-firma"
BASE = """policy: prueba-base
version: 1
base: true
issuer: emisora
subject: {C: CL, O: "{institution.name}", title: "{person.office}",
  serialNumber: "{person.run}", CN: "{person.name}",
  emailAddress: "{person.email}"}
names: {subject_alt: [{email: "{person.email}"}]}
keys: {allowed: [ec-p256, ec-p384]}
validity: {default: 1y, max: 2y}
usage: {key: [digitalSignature], extended: [clientAuth, emailProtection]}
certificate_policies: [{oid: 2.16.152.1.3.9}]
"""
EXTENDS = """policy: cliente
version: 1
extends: prueba-base@1
validity: {max: 1y}
"""


def cli(engine, *argv, code=0):
    done = subprocess.run([harness.REFRENDO, *argv, "--lang", "en"],
                          capture_output=True, text=True, env=engine.env)
    assert done.returncode == code, (argv, done.returncode, done.stdout,
                                     done.stderr)
    return done.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def policy_path(engine, name):
    return engine.path("etc", "policies", name + ".yaml")


def rewrite(engine, version, *changes):
    """The policy with a new version, in force."""
    path = policy_path(engine, NAME)
    with open(path) as f:
        text = f.read()
    text = re.sub(r"^version: \d+", f"version: {version}", text, flags=re.M)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(path, "w") as f:
        f.write(text)
    engine.activate(path)
    return text


def tbs_of(engine, serial):
    """The to-be-signed part, as openssl cuts it out of the certificate."""
    der = subprocess.run(["openssl", "x509", "-outform", "DER"],
                         stdin=open(engine.pem(serial), "rb"),
                         capture_output=True, check=True).stdout
    parsed = subprocess.run(["openssl", "asn1parse", "-inform", "DER"],
                            input=der, capture_output=True,
                            check=True).stdout.decode()
    second = parsed.splitlines()[1]
    at, head, length = (int(n) for n in re.match(
        r"\s*(\d+):d=1\s+hl=(\d+) l=\s*(\d+)", second).groups())
    return der[at:at + head + length]


def check_reproduce(engine, export, serials):
    for serial, version in serials:
        out = os.path.join(engine.base, "tbs.der")
        for source in (["--export", export], ["--dir", engine.dir]):
            said = json.loads(cli(engine, "audit", "reproduce", serial,
                                  "--json", "--out", out, *source))
            assert said["verdict"] == "identical", said
            assert said["policy"]["version"] == version, said
            assert said["facts"]["person"]["office"] == "Directora", said
            with open(out, "rb") as f:
                assert f.read() == tbs_of(engine, serial)
    text = cli(engine, "audit", "reproduce", serials[0][0], "--export", export)
    assert "IDENTICAL" in text, text
    cli(engine, "audit", "reproduce", "00" * 20, "--export", export, code=3)
    minister = engine.cli("cert", "ls", "--all")["items"]
    minister = [c["serial"] for c in minister if c["issuer"] == "endorser"]
    cli(engine, "audit", "reproduce", minister[0], "--export", export, code=6)


def check_deep(engine, export, n):
    log_key = engine.path("ca", "log.pem")
    said = json.loads(cli(engine, "audit", "verify", export, "--deep",
                          "--log-key", log_key, "--json"))
    assert said["verdict"] == "intact", said
    assert (said["rebuilt"], said["not_rebuilt"]) == (n, 0), said
    return log_key


def tampered(export, engine, log_key, serial):
    """A fact that was changed, with its hash made to fit: the tree says so,
    and so does the certificate that it does not make."""
    with open(export) as f:
        all_lines = f.read().splitlines()
    for i, line in enumerate(all_lines):
        entry = json.loads(line)
        leaf = json.loads(entry.get("leaf", "{}"))
        if leaf.get("type") != "request.submitted" or \
                leaf.get("serial") != serial:
            continue
        detail = entry["detail"].replace('"email":"f0@', '"email":"f9@')
        assert detail != entry["detail"]
        leaf["detail"] = hashlib.sha256(
            bytes.fromhex(entry["salt"]) + detail.encode()).hexdigest()
        entry["detail"] = detail
        entry["leaf"] = json.dumps(leaf, sort_keys=True,
                                   separators=(",", ":"))
        all_lines[i] = json.dumps(entry, sort_keys=True, ensure_ascii=False,
                                  separators=(",", ":"))
        index = leaf["index"]
    other = os.path.join(engine.base, "tampered.jsonl")
    with open(other, "w") as f:
        f.write("\n".join(all_lines) + "\n")
    said = json.loads(cli(engine, "audit", "verify", other, "--deep",
                          "--log-key", log_key, "--json", code=7))
    deep = [f["detail"] for f in said["faults"]
            if f["id"] == "cli-deep-differs"]
    assert deep == [
        f"entry {index}: the certificate {serial} is not what its policy "
        "makes of what it was judged by: subject.emailAddress differs"], said
    said = json.loads(cli(engine, "audit", "reproduce", serial, "--export",
                          other, "--json", code=7))
    assert said["verdict"] == "differs", said
    assert {d["field"]: (d["before"], d["after"])
            for d in said["differences"]}["subject.emailAddress"] == \
        ("f0@example.org", "f9@example.org"), said
    # The bytes of the policy are found by their hash, or not at all.
    text = "\n".join(all_lines)
    policy = re.search(r'\\"text\\":\\"([A-Za-z0-9+/=]+)\\",\\"version\\":3',
                       text).group(1)
    changed = base64.b64encode(base64.b64decode(policy).replace(
        b"max: 2y", b"max: 1y")).decode()
    assert changed != policy
    with open(other, "w") as f:
        f.write(text.replace(policy, changed) + "\n")
    p = subprocess.run([harness.REFRENDO, "audit", "verify", other, "--deep",
                        "--log-key", log_key, "--json"], capture_output=True,
                       text=True)
    assert p.returncode == 7 and "in force" in p.stdout, p.stdout


def counts(text):
    return lines(text)[-1]["counts"]


def check_simulate(engine, export, text, serials):
    candidate = os.path.join(engine.base, "candidata.yaml")

    def simulate(*changes, more=()):
        new = re.sub(r"^version: \d+", "version: 9", text, flags=re.M)
        for old, value in changes:
            assert old in new, old
            new = new.replace(old, value)
        with open(candidate, "w") as f:
            f.write(new)
        return cli(engine, "policy", "simulate", candidate, "--dir",
                   engine.dir, "--json", *more)

    # The last version as it is: the older certificates differ, and the one
    # that was refused by version 2 is accepted.
    said = simulate()
    n = counts(said)
    assert n["requests"] == 5 and n["untouched"] == 1, n
    assert (n["same"], n["differ"], n["accepted"]) == (1, 2, 1), n
    found = {f["found"] for f in lines(said)[:-1]}
    assert found == {"differs", "refused-now-accepted"}, said
    fields = {d["field"] for f in lines(said)[:-1]
              for d in f.get("differences", [])}
    assert fields == {"notAfter", "keyUsage"}, fields
    # From an export the same, and nobody else's key is allowed.
    assert simulate(more=["--export", export]) .splitlines()[:-1] == \
        said.splitlines()[:-1]
    n = lines(simulate(("[ec-p256, ec-p384", "[ec-p384")))
    refused = [f for f in n[:-1] if f["found"] == "issued-now-refused"]
    assert [f["serial"] for f in refused] == serials, n
    reason = refused[0]["reasons"][0]
    assert reason["id"] == "policy-key-type", refused
    line = [i for i, row in enumerate(text.splitlines(), 1)
            if "allowed:" in row]
    assert reason["at"] == f"{candidate}:{line[0]}", (reason, line)
    assert n[-1]["counts"]["still_refused"] == 1, n
    # Nothing is as old as that, and what does not load is told in place.
    assert counts(simulate(more=["--since", "2099-01-01"]))["requests"] == 0
    with open(candidate, "w") as f:
        f.write("policy: x\n")
    cli(engine, "policy", "simulate", candidate, "--dir", engine.dir, code=6)


def check_explain(engine, text, first, based):
    """first was issued under version 1, based by a policy with a base."""
    def explain(request, *more):
        return lines(cli(engine, "policy", "explain", request, "--dir",
                         engine.dir, "--json", *more))

    said, = explain(first)
    assert said["policy"]["version"] == 1, said
    assert said["result"] == "accepted", said
    rules = {r["rule"]: r for r in said["rules"]}
    assert rules["keys.allowed"]["fact"] == "ec-p256", rules
    line = [i for i, row in enumerate(text.splitlines(), 1)
            if "allowed:" in row][0]
    assert rules["keys.allowed"]["at"] == f"{NAME}@1:{line}", rules
    assert all(r["verdict"] == "passed" for r in rules.values()), rules
    # What the base says stands in the base.
    said, = explain(based)
    at = {r["rule"]: r["at"] for r in said["rules"]}
    assert at["keys.allowed"].startswith("prueba-base@1:"), at
    # A candidate beside it, and a draft that nobody has submitted.
    candidate = os.path.join(engine.base, "candidata.yaml")
    with open(candidate, "w") as f:
        f.write(re.sub(r"^version: \d+", "version: 9", text, flags=re.M)
                .replace("[ec-p256, ec-p384", "[ec-p384"))
    then, now = explain(first, "--policy", candidate)
    assert then["result"] == "accepted" and now["result"] == "refused", now
    failed, = [r for r in now["rules"] if r["verdict"] == "failed"]
    assert failed["at"] == f"{NAME}@9:{line}", failed
    assert failed["id"] == "policy-key-type", failed
    draft = engine.cli("request", "new", "--as", harness.OPERATOR, "--rut",
                       harness.INSTITUTION, "--run", engine.holders[0],
                       "--policy", NAME, "--validity", "3y", "--csr",
                       engine.new_key()[1], "--draft")["id"]
    said, = explain(draft)
    assert said["policy"]["version"] == 3, said
    failed, = [r for r in said["rules"] if r["verdict"] == "failed"]
    assert failed["rule"] == "validity.max", failed
    spoken = subprocess.run(
        [harness.REFRENDO, "policy", "explain", draft, "--dir", engine.dir,
         "--lang", "es"], capture_output=True, text=True).stdout
    assert "una vigencia de 3y es más larga que los 2y que permite esta política" in \
        spoken, spoken
    assert spoken.endswith("rechazada\n"), spoken
    try:
        engine.cli("policy", "explain", "SOL-2026-999999")
        raise AssertionError("a request that does not exist")
    except harness.Refused as refused:
        assert refused.problem["id"] == "request-unknown", refused.text


def check_flood(engine):
    """Whoever is refused again and again does not fill the log."""
    csr = engine.new_key()[1]
    for _ in range(70):
        try:
            engine.cli("request", "new", "--as", harness.OPERATOR, "--rut",
                       harness.INSTITUTION, "--run", engine.holders[3],
                       "--policy", NAME, "--validity", "3y", "--csr", csr)
            raise AssertionError("three years were accepted")
        except harness.Refused as refused:
            assert refused.problem["id"] == "policy-validity-long", \
                refused.text
    engine.wait_log("event=refusals-not-kept")
    out = os.path.join(engine.base, "flood.jsonl")
    engine.cli("audit", "export", out)
    with open(out) as f:
        kept = sum('act.refused' in line for line in f)
    assert 60 <= kept < 71, kept


def main():
    harness.need("openssl")
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        for name, text in (("prueba-base", BASE), ("cliente", EXTENDS)):
            with open(policy_path(engine, name), "w") as f:
                f.write(text)
        engine.activate(policy_path(engine, "prueba-base"),
                        policy_path(engine, "cliente"))
        engine.populate(people=4)
        one, two, three, four = engine.holders
        serials = [(engine.issue(one)["serial"], 1)]
        rewrite(engine, 2, ("default: 2y", "default: 1y"),
                ("max: 3y", "max: 1y"))
        serials.append((engine.issue(two)["serial"], 2))
        try:
            engine.cli("request", "new", "--as", harness.OPERATOR, "--rut",
                       harness.INSTITUTION, "--run", four, "--policy", NAME,
                       "--validity", "2y", "--csr", engine.new_key()[1])
            raise AssertionError("two years were accepted")
        except harness.Refused as refused:
            assert refused.problem["id"] == "policy-validity-long", \
                refused.text
        text = rewrite(engine, 3, ("max: 1y", "max: 2y"),
                       ("[digitalSignature, nonRepudiation]",
                        "[digitalSignature]"))
        serials.append((engine.issue(three)["serial"], 3))
        based = engine.issue(four, policy="cliente")["serial"]
        export = os.path.join(engine.base, "bitacora.jsonl")
        engine.cli("audit", "export", export)
        check_reproduce(engine, export, serials + [(based, 1)])
        log_key = check_deep(engine, export, 4)
        check_simulate(engine, export, text, [s for s, _ in serials])
        check_explain(engine, text,
                      engine.cli("cert", "show", serials[0][0])["request"],
                      engine.cli("cert", "show", based)["request"])
        tampered(export, engine, log_key, serials[0][0])
        check_flood(engine)
        # What was refused is in the log with its facts, and the state is
        # still what the log leads to.
        engine.audit()
    print("certificates are made again, and other policies are tried")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
