"""The real processes: start, confinement, deaths, signals, and what strangers
see of status and log.

REFRENDO_QUICK=1 leaves out what only waits: for builds with a sanitizer.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

import harness
import wire

QUICK = os.environ.get("REFRENDO_QUICK") == "1"
ROLES = ("signer", "ocsp-signer", "core", "front", "status")
DOWN = 8  # exit status of the command line: repeat with the same key
OCSP = {"Content-Type": "application/ocsp-request"}


def insist(act, key):
    """As any client: what was lost is repeated with its key."""
    end = time.monotonic() + harness.WAIT
    while True:
        try:
            return act(key)
        except harness.Refused as refused:
            if refused.status != DOWN or time.monotonic() > end:
                raise
            time.sleep(0.02)


def ask(engine, issuer, serial):
    status, fields, body = engine.get("/ocsp", "POST", issuer.request(serial),
                                      OCSP)
    assert status == 200, status
    return wire.ocsp_says(body, serial), fields


class Poller(threading.Thread):
    """Asks status all the time; what went wrong is kept."""

    def __init__(self, engine, serial):
        super().__init__(daemon=True)
        self.engine, self.serial = engine, serial
        self.issuer = wire.Issuer(engine.path("ca", "emisora.pem"))
        self.asked, self.wrong, self.stopping = 0, [], False

    def run(self):
        while not self.stopping:
            try:
                said, _ = ask(self.engine, self.issuer, self.serial)
                if said != "good":
                    self.wrong.append(said)
            except Exception as error:
                self.wrong.append(repr(error))
            self.asked += 1

    def finish(self):
        self.stopping = True
        self.join(harness.WAIT)
        assert not self.wrong, self.wrong[:3]
        assert self.asked > 0


# --- What is there after a start ---------------------------------------------

def proc_status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.split(":\t", 1) for line in f.read().splitlines()
                    if ":\t" in line)


def test_confined(engine):
    """Every role says so, and the kernel agrees."""
    reports = {}
    for line in engine.log:
        found = re.search(r"role=(\S+) event=role-ready sandbox=\"(.*)\"",
                          line)
        if found:
            reports[found.group(1)] = found.group(2)
    for role in ROLES:
        assert role in reports, f"{role} did not say what confines it"
        facts = proc_status(engine.pids[role, 0])
        assert facts["NoNewPrivs"].strip() == "1", role
        if "seccomp=yes" in reports[role]:
            assert facts["Seccomp"].strip() == "2", (role, facts["Seccomp"])
        if engine.is_sanitized():
            assert "seccomp=no (sanitizer)" in reports[role], reports[role]


def sockets_of(pid):
    """Inodes of the sockets that a process has open."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            found.add(target[8:-1])
    return found


def test_sockets(engine):
    """Only status has TCP, only core has the ledger."""
    tcp = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as f:
            tcp |= {line.split()[9] for line in f.read().splitlines()[1:]}
    for role in ROLES:
        pid = engine.pids[role, 0]
        try:
            has_tcp = bool(sockets_of(pid) & tcp)
            with open(f"/proc/{pid}/maps") as f:
                maps = f.read()
        except PermissionError:
            continue  # not root: a role is not dumpable
        assert has_tcp == (role == "status"), (role, has_tcp)
        assert ("/ledger/" in maps) == (role == "core"), role
        assert ("/public/" in maps) == (role in ("core", "status")), role


# --- Status, as openssl and a stranger see it ----------------------------------

def crl_of(engine):
    path = engine.temp("now.crl")
    status, _, body = engine.get("/crl/emisora.crl")
    assert status == 200, status
    with open(path, "wb") as f:
        f.write(body)
    text = harness.run("openssl", "crl", "-inform", "DER", "-in", path,
                       "-CAfile", engine.path("ca", "emisora.pem"),
                       "-text", "-noout")
    assert b"verify OK" in text.stderr, text.stderr
    return path, text.stdout.decode()


def test_openssl(engine):
    """openssl accepts certificate, answer and CRL; a revocation shows in both
    within a second of its acknowledgement."""
    issuer = wire.Issuer(engine.path("ca", "emisora.pem"))
    record = engine.issue(engine.holders[0])
    cert, serial = engine.pem(record["serial"]), int(record["serial"], 16)
    assert engine.ocsp(cert) == "good"
    text = harness.run("openssl", "ocsp", "-sha256", "-issuer",
                       engine.path("ca", "emisora.pem"), "-cert", cert,
                       "-CAfile", engine.path("ca", "root.pem"),
                       "-no_nonce", "-url", engine.url + "/ocsp").stdout
    assert cert.encode() + b": good" in text, text
    crl, text = crl_of(engine)
    pem = crl + ".pem"
    harness.run("openssl", "crl", "-inform", "DER", "-in", crl, "-out", pem)
    harness.run("openssl", "verify", "-x509_strict", "-CAfile",
                engine.path("ca", "root.pem"), "-untrusted",
                engine.path("ca", "emisora.pem"), "-crl_check", "-CRLfile",
                pem, cert)
    number = int(re.search(r"CRL Number: *\n *(\w+)", text).group(1), 0)
    done = engine.cli("cert", "revoke", record["serial"], "--as",
                      harness.MINISTER, "--cause", "key-compromise",
                      "--reason", "left in a taxi")
    begin = time.monotonic()
    assert done["state"] == "revoked", done
    said, fields = ask(engine, issuer, serial)
    _, text = crl_of(engine)
    elapsed = time.monotonic() - begin
    assert said == "revoked", said
    assert "no-store" not in fields["Cache-Control"], fields
    assert record["serial"].upper() in text, text
    assert "Key Compromise" in text, text
    assert int(re.search(r"CRL Number: *\n *(\w+)", text).group(1), 0) \
        > number
    assert elapsed < 1 or engine.is_sanitized(), elapsed
    assert engine.ocsp(cert) == "revoked"


def test_conditional(engine):
    """A cache asks again and is told that nothing changed."""
    status, fields, body = engine.get("/crl/emisora.crl")
    assert status == 200 and body
    tag = {"If-None-Match": fields["ETag"]}
    status, again, body = engine.get("/crl/emisora.crl", fields=tag)
    assert (status, body) == (304, b""), status
    assert again["ETag"] == fields["ETag"]
    status, head, body = engine.get("/crl/emisora.crl", "HEAD")
    assert (status, body) == (200, b"")
    assert head["Content-Length"] == fields["Content-Length"]


def test_try_later(engine):
    """Without its signer status still answers: what is signed ahead as ever,
    and tryLater, at once or after five seconds, where it would have to ask."""
    issuer = wire.Issuer(engine.path("ca", "emisora.pem"))
    record = engine.issue(engine.holders[1])
    pid = engine.pids["ocsp-signer", 0]
    os.kill(pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        said, fields = ask(engine, issuer, 0x1234)
        assert said == "tryLater", said
        assert fields["Cache-Control"] == "no-store", fields
        assert time.monotonic() - begin < 15
        assert ask(engine, issuer, int(record["serial"], 16))[0] == "good"
    finally:
        os.kill(pid, signal.SIGCONT)
    harness.wait_for("unknown to be signed again",
                     lambda: ask(engine, issuer, 0x1234)[0] == "unknown")


def test_tiles(engine):
    """A reader of C2SP tiles gets the checkpoint's root, past and present."""
    log = wire.Log(lambda path: _file(engine, path))
    old = _file(engine, "/checkpoint").decode()
    # More than a tile, so that full ones and a second level exist.
    for i in range(20 if QUICK else 270):
        status, body = engine.api("POST", "/people", {
            "as": harness.OPERATOR, "rut": harness.INSTITUTION,
            "run": harness.with_digit(9000000 + i), "name": f"Ana {i}",
            "office": "Directora", "email": f"a{i}@example.org"})
        assert status == 200, body
    size = engine.log_size()
    note = harness.wait_for("a checkpoint over all", lambda: _sealed(
        engine, size))
    wire.check_note(note, engine.path("ca", "log.pem"), engine.temp("note"))
    _, size, root = wire.checkpoint_of(note)
    leaves = log.verify(size, root)
    # The old checkpoint is a prefix: nothing before it changed.
    _, old_size, old_root = wire.checkpoint_of(old)
    assert wire.root_of(log.hashes(size)[:old_size]) == old_root
    # No name, RUN or office is in what everybody may read.
    for leaf in leaves:
        for private in (b"Ana ", b"Directora", b"example.org", b"Marta"):
            assert private not in leaf, leaf
    # The proof of an entry is to be had too.
    status, proof = engine.api("GET", "/log/proof?index=3")
    assert status == 200 and proof.startswith(b"c2sp.org/tlog-proof@v1\n")


def _file(engine, path):
    status, _, body = engine.get(path)
    assert status == 200, (path, status)
    return body


def _sealed(engine, size):
    note = _file(engine, "/checkpoint").decode()
    return note if wire.checkpoint_of(note)[1] >= size else None


# --- Deaths -------------------------------------------------------------------------

def test_kill_each(engine):
    """A role that dies is started again; the others and status go on."""
    record = engine.issue(engine.holders[0])
    serial = int(record["serial"], 16)
    for role in ROLES:
        before = dict(engine.pids)
        poller = None
        if role != "status":
            poller = Poller(engine, serial)
            poller.start()
        seen = len(engine.log)
        engine.kill(role)
        engine.wait_log(rf"role={role} event=role-ready", seen)
        ended = engine.wait_log("event=role-ended", seen)
        assert f"ended={role} " in ended and "signal=9" in ended, ended
        key = f"kill-{role}-{os.getpid()}"
        _, csr = engine.new_key()
        made = insist(lambda k: engine.request(engine.holders[1], csr, k),
                      key + "-r")
        done = insist(lambda k: engine.endorse(made["id"], k), key + "-e")
        assert done["state"] == "issued", done
        if poller:
            poller.finish()
        changed = {who for who in before if engine.pids[who] != before[who]}
        assert changed == {(role, 0)}, changed
    harness.wait_for("everybody", lambda: engine.cli("status")["signer"]
                     == engine.cli("status")["ocsp_signer"] == "here")


def test_backoff(engine):
    """Who dies again and again is started later and later."""
    waits = []
    for _ in range(4):
        begin = time.monotonic()
        engine.kill("ocsp-signer")
        waits.append(time.monotonic() - begin)
    # It died once before: 0.2, 0.4, 0.8, 1.6 s.
    assert waits[3] > 0.75 and waits[3] > waits[0], waits
    harness.wait_for("the ocsp-signer", lambda: engine.cli("status")
                     ["ocsp_signer"] == "here")


def test_signer_killed(engine):
    """An endorsement whose signer dies is finished when it is back."""
    made = engine.request(engine.holders[2])
    pid = engine.pids["signer", 0]
    os.kill(pid, signal.SIGSTOP)
    said = {}
    key = f"endorse-{os.getpid()}"
    thread = threading.Thread(target=lambda: said.update(
        insist(lambda k: engine.endorse(made["id"], k), key)))
    thread.start()
    harness.wait_for("the endorsement to be stored", lambda: engine.cli(
        "request", "show", made["id"])["state"] == "endorsed")
    # From the intent on it may exist: it has a status and can be revoked.
    record = engine.cli("cert", "show", made["serial"])
    assert record["state"] == "intended", record
    for _ in range(2):
        os.kill(engine.pids["signer", 0], signal.SIGKILL)
        engine.wait_restart("signer", pid)
        pid = engine.pids["signer", 0]
    thread.join(harness.WAIT)
    assert said.get("state") == "issued", said
    record = engine.cli("cert", "show", made["serial"])
    assert record["state"] == "valid", record


def test_signer_stopped(engine):
    """While the signer hangs, an endorsement is answered with its state, and
    becomes a certificate when the signer goes on."""
    made = engine.request(engine.holders[3])
    pid = engine.pids["signer", 0]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = engine.endorse(made["id"])
        assert done["state"] == "endorsed", done
    finally:
        os.kill(pid, signal.SIGCONT)
    harness.wait_for("the certificate", lambda: engine.cli(
        "request", "show", made["id"])["state"] == "issued")


def test_tiles_after_a_gap(engine):
    """The log grows by more than a tile while the signer hangs, and core
    dies: no tile is missing once both are back."""
    made = engine.request(engine.holders[3])
    issuer = wire.Issuer(engine.path("ca", "emisora.pem"))
    pid = engine.pids["signer", 0]
    os.kill(pid, signal.SIGSTOP)
    try:
        for i in range(300):
            status, body = engine.api("POST", "/people", {
                "as": harness.OPERATOR, "rut": harness.INSTITUTION,
                "run": harness.with_digit(9100000 + i), "name": f"Eva {i}",
                "office": "Directora", "email": f"e{i}@example.org"})
            assert status == 200, body
        said = {}
        thread = threading.Thread(target=lambda: said.update(insist(
            lambda k: engine.endorse(made["id"], k), f"gap-{pid}")))
        thread.start()
        # Its answer is published, with all before it but the tiles.
        harness.wait_for("its answer", lambda: ask(
            engine, issuer, int(made["serial"], 16))[0] == "good", 10)
        engine.kill("core")
    finally:
        os.kill(pid, signal.SIGCONT)
    thread.join(harness.WAIT)
    assert said["state"] == "issued", said
    size = engine.log_size()
    note = harness.wait_for("a checkpoint", lambda: _sealed(engine, size))
    _, size, root = wire.checkpoint_of(note)
    wire.Log(lambda path: _file(engine, path)).verify(size, root)


# --- Signals ---------------------------------------------------------------------------

def policy_file(engine):
    return engine.path("etc", "policies", "funcionario-firma.yaml")


def in_force(engine):
    return {p["name"]: (p["version"], p["sha256"])
            for p in engine.cli("policy", "ls")["items"]}


def reload_with(engine, text, event):
    seen = len(engine.log)
    with open(policy_file(engine), "w") as f:
        f.write(text)
    engine.process.send_signal(signal.SIGHUP)
    return engine.wait_log(event, seen)


def test_reload(engine):
    """SIGHUP compares: what takes effect, officers have signed."""
    with open(policy_file(engine)) as f:
        good = f.read()
    old, size = in_force(engine), engine.log_size()
    two = good.replace("version: 1 ", "version: 2 ") \
        .replace("default: 2y", "default: 1y")
    assert two != good
    rows = (
        ("a syntax error", good + "\n  x: [\n", "policies-refused"),
        ("an unknown key", good + "\ncolour: red\n", "policies-refused"),
        # Which ceilings are in force a file does not say: core judges by
        # them when officers are to sign.
        ("a longer life than the ceilings allow",
         good.replace("max: 3y", "max: 4y"), "policy-not-in-force"),
        ("SHA-1", good.replace("rsa-4096]", "rsa-4096, sha1]"),
         "policies-refused"),
        ("version 0", good.replace("version: 1 ", "version: 0 "),
         "policies-refused"),
        ("other bytes, the same version", good + "# changed\n",
         "policy-not-in-force"),
        ("a version that nobody signed", two, "policy-not-in-force"),
    )
    for name, text, event in rows:
        line = reload_with(engine, text, "event=" + event)
        assert line, name
        assert in_force(engine) == old, name
        assert engine.log_size() == size, name
    assert "refrendo policy activate" in line, line
    assert engine.cli("status")["policy_files_differ"] == 1
    done = engine.activate(policy_file(engine))
    assert done["state"] == "active", done
    assert done["signed_by"] == harness.OFFICER, done
    assert engine.cli("status")["policy_files_differ"] == 0
    new = in_force(engine)
    assert new["funcionario-firma"][0] == 2, new
    assert new["autoridad-firma"] == old["autoridad-firma"]
    assert engine.log_size() == size + 3
    leaf = _last_leaf(engine)
    assert b'"type":"policy.activated"' in leaf, leaf
    assert new["funcionario-firma"][1].encode() in leaf, leaf
    with open(policy_file(engine), "w") as f:
        f.write(good)
    try:
        engine.activate(policy_file(engine))
        raise AssertionError("a version went back")
    except harness.Refused as e:
        assert e.problem["id"] == "policy-version-behind", e
    assert in_force(engine) == new
    # What is issued now is issued under the new one; also by a core, a
    # signer and an engine that start again, whatever lies in the file.
    record = engine.issue(engine.holders[0])
    assert record["policy_sha256"] == new["funcionario-firma"][1], record
    for name, restart in (("core", lambda: engine.kill("core")),
                          ("signer", lambda: engine.kill("signer")),
                          ("engine", lambda: (engine.stop(),
                                              engine.start()))):
        restart()
        _, csr = engine.new_key()
        made = insist(lambda k: engine.request(engine.holders[0], csr, k),
                      f"policy-{name}-{os.getpid()}")
        assert made["policy_sha256"] == new["funcionario-firma"][1], name
        done = insist(lambda k: engine.endorse(made["id"], key=k),
                      f"endorse-{name}-{os.getpid()}")
        assert done["state"] == "issued", (name, done)
        assert in_force(engine) == new, name
    _scheduled(engine, two)
    history = engine.cli("policy", "history", "funcionario-firma")
    assert [h["version"] for h in history] == [1, 2, 3], history
    assert history[0]["until"] == history[1]["activated"], history
    text = engine.temp("v2.yaml")
    engine.cli("policy", "history", "funcionario-firma", "--version", 2,
               "--out", text)
    with open(text) as f:
        assert f.read() == two


def _scheduled(engine, two):
    """At its time, also where core was started anew in between."""
    three = two.replace("version: 2 ", "version: 3 ")
    with open(policy_file(engine), "w") as f:
        f.write(three)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6))
    done = engine.activate(policy_file(engine), at=at)
    assert done["state"] == "scheduled" and done["effective"] == at, done
    assert in_force(engine)["funcionario-firma"][0] == 2
    engine.kill("core")
    harness.wait_for("its time", lambda: insist(
        lambda k: in_force(engine), "x")["funcionario-firma"][0] == 3)
    done = engine.cli("policy", "activation", done["id"])
    assert done["state"] == "active" and done["closed"] >= at, done
    assert engine.issue(engine.holders[0])["policy_sha256"] == \
        in_force(engine)["funcionario-firma"][1]
    # Taken back before its time: it never takes effect.
    with open(policy_file(engine), "w") as f:
        f.write(three.replace("version: 3 ", "version: 4 "))
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    done = engine.activate(policy_file(engine), at=at)
    done = engine.cli("policy", "withdraw", done["id"], "--as",
                      harness.OFFICER)
    assert done["state"] == "withdrawn", done
    with open(policy_file(engine), "w") as f:
        f.write(three)


def _last_leaf(engine):
    size = engine.log_size()
    harness.wait_for("its checkpoint", lambda: _sealed(engine, size))
    return wire.Log(lambda path: _file(engine, path)).entries(size)[-1]


def test_second_engine(engine):
    """A second engine on the same directory is refused and disturbs
    nothing."""
    before = dict(engine.pids)
    p = engine.with_passphrase([harness.REFRENDO, "serve", "--dir",
                                engine.dir], stderr=subprocess.PIPE)
    _, text = p.communicate(timeout=harness.WAIT)
    assert p.returncode == 5, p.returncode
    assert b"another engine runs on" in text and b"stop it first" in text, \
        text
    assert engine.pids == before
    engine.issue(engine.holders[1])


def test_sigterm():
    """What was acknowledged is there after a stop in the middle of work."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=3)
        acknowledged, wrong = [], []

        def work(holder):
            try:
                while True:
                    done = engine.endorse(engine.request(holder)["id"])
                    acknowledged.append((done["serial"], done["state"]))
            except harness.Refused as refused:
                if refused.status != DOWN:
                    wrong.append(str(refused))

        threads = [threading.Thread(target=work, args=(h,))
                   for h in engine.holders]
        for t in threads:
            t.start()
        harness.wait_for("some work", lambda: len(acknowledged) >= 6)
        assert engine.stop() == 0
        for t in threads:
            t.join(harness.WAIT)
        assert not wrong, wrong
        engine.start()
        for serial, state in acknowledged:
            assert state == "issued", (serial, state)
            record = engine.cli("cert", "show", serial)
            assert record["state"] == "valid", record
        engine.audit()
        assert engine.stop() == 0


# --- Starts that must not succeed ----------------------------------------------------

def refused_start(engine, passphrase, status, *sentences, more=()):
    r, w = os.pipe()
    os.write(w, passphrase)
    os.close(w)
    p = subprocess.run([harness.REFRENDO, "serve", "--dir", engine.dir, *more],
                       env=dict(engine.env, REFRENDO_PASSPHRASE_FD=str(r)),
                       pass_fds=[r], stderr=subprocess.PIPE,
                       timeout=harness.WAIT)
    os.close(r)
    text = p.stderr.decode()
    assert p.returncode == status, (p.returncode, text)
    for sentence in sentences:
        assert sentence in text, text


def test_wrong_passphrase():
    with harness.Engine() as engine:
        engine.init()
        wrong = b"not the passphrase\n"
        refused_start(engine, wrong, 4,
                      "refrendo: the passphrase does not open the key ",
                      "[key-passphrase]")
        # Whoever typed it reads why, in the language that was asked for.
        refused_start(engine, wrong, 4, "refrendo: la frase no abre la llave ",
                      more=("--lang", "es"))
        refused_start(engine, wrong, 4, '"id":"key-passphrase"',
                      more=("--json",))
        # A mistake does no harm: the right one starts.
        engine.start()
        assert engine.stop() == 0


def test_no_installation():
    with harness.Engine() as engine:
        os.mkdir(engine.dir)
        refused_start(engine, harness.PASSPHRASE, 3, "refrendo init")


def test_broken_configuration():
    """Every mistake of every policy at once, with its line; nothing starts."""
    with harness.Engine() as engine:
        engine.init()
        lines = []
        for name in os.listdir(engine.path("etc", "policies")):
            with open(engine.path("etc", "policies", name), "a+") as f:
                f.write("colour: red\n")
                f.seek(0)
                lines.append(f"etc/policies/{name}:{len(f.readlines())}:1: "
                             "colour: there is no key colour here")
        assert len(lines) == 2
        refused_start(engine, harness.PASSPHRASE, 6, *lines,
                      "the configuration has errors; nothing was started")


def main():
    harness.need("openssl")
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=4)
        shared = [test_confined, test_sockets, test_openssl,
                  test_conditional, test_try_later, test_tiles,
                  test_second_engine, test_reload, test_kill_each,
                  test_signer_killed]
        if not QUICK:
            shared += [test_backoff, test_signer_stopped,
                       test_tiles_after_a_gap]
        failed = harness.run_tests([(t.__name__, lambda t=t: t(engine))
                                    for t in shared])
        if failed:
            print(engine.tail(80), file=sys.stderr)
        engine.audit()
    own = [test_sigterm, test_wrong_passphrase]
    if not QUICK:
        own += [test_no_installation, test_broken_configuration]
    failed |= harness.run_tests([(t.__name__, t) for t in own])
    return failed


if __name__ == "__main__":
    sys.exit(main())
