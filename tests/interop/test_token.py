#!/usr/bin/python3
"""Keys of an installation in a token: SoftHSM by PKCS #11.

The whole way with them; a token that goes away in the middle stops issuance
with a sentence and is found again by itself; a wrong PIN is tried once; no
other process than the signers has a private key or a secret in its memory.
"""
import json
import os
import re
import subprocess
import sys

import harness

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
MODULE = os.environ.get("TOKEN_SHIM", "")  # SoftHSM, and can be pulled out
PIN = "47114711"


def need_token():
    harness.need("softhsm2-util")
    modules = harness.run("openssl", "version", "-m").stdout.decode()
    provider = re.search(r'"(.*)"', modules)[1] + "/pkcs11.so"
    if not os.path.exists(SOFTHSM) or not os.path.exists(provider):
        print("skipped: SoftHSM or pkcs11-provider is not here")
        sys.exit(77)


def decrypt(path, plain):
    r, w = os.pipe()
    os.write(w, harness.PASSPHRASE)
    os.close(w)
    subprocess.run(["openssl", "pkcs8", "-in", path, "-out", plain,
                    "-passin", f"fd:{r}"], pass_fds=[r], check=True)
    os.close(r)


def private_octets(path, plain):
    """Of an encrypted key file, which is also left in plain."""
    decrypt(path, plain)
    text = harness.run("openssl", "ec", "-in", plain, "-noout",
                       "-text").stdout.decode()
    octets = re.search(r"priv:([\s0-9a-f:]+)pub:", text)[1]
    return bytes.fromhex(re.sub(r"[\s:]", "", octets))[-32:]


class Token:
    """An engine whose keys, or those named, were moved into a token."""

    def __init__(self, keys=("key", "ocsp_key"), types="issuer=ec-p256"):
        self.engine = harness.Engine()
        self.store = self.engine.temp("tokens")
        os.mkdir(self.store)
        conf = self.engine.temp("softhsm2.conf")
        with open(conf, "w") as f:
            f.write(f"directories.tokendir = {self.store}\n"
                    "objectstore.backend = file\nlog.level = ERROR\n")
        self.engine.env["SOFTHSM2_CONF"] = conf
        self.away = os.path.join(self.store, "away")
        self.engine.env["TOKEN_AWAY"] = self.away
        self.engine.init("--keys", types)
        self.softhsm("--init-token", "--free", "--label", "ca", "--so-pin",
                     "12345678", "--pin", PIN)
        self.config = self.engine.path("etc", "refrendo.yaml")
        with open(self.config) as f:
            text = f.read()
        for n, word in enumerate(keys):
            text = self.move(text, word, n + 1)
        text += (f"pkcs11:\n  module: {MODULE}\n  paths:\n"
                 f"    - \"{self.store}\"\n")
        with open(self.config, "w") as f:
            f.write(text)
        self.pin(PIN)

    def softhsm(self, *argv):
        subprocess.run(["softhsm2-util", *argv], env=self.engine.env,
                       check=True, capture_output=True)

    def move(self, text, word, number):
        """The key of that name into the token; its file is gone."""
        found = re.search(rf"\b{word}: \"?file:([^\s,\"}}]+)\"?", text)
        path = self.engine.path(found[1])
        plain = self.engine.temp("plain.pem")
        decrypt(path, plain)
        self.softhsm("--import", plain, "--token", "ca", "--label", word,
                     "--id", f"0{number}", "--pin", PIN)
        os.unlink(plain)
        os.unlink(path)
        return text.replace(
            found[0], f"{word}: \"pkcs11:token=ca;object={word};type=private\"")

    def pin(self, value):
        path = self.engine.path("pin")
        with open(path, "w") as f:
            f.write(value + "\n")
        os.chmod(path, 0o600)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.engine.__exit__(*error)


def memory(pid):
    """What the process has in memory that it can write."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as m:
        for line in maps:
            at, mode, _ = line.split(None, 2)
            start, end = (int(x, 16) for x in at.split("-"))
            if not mode.startswith("rw") or end - start > 1 << 30:
                continue
            try:
                m.seek(start)
                yield m.read(end - start)
            except (OSError, ValueError):
                continue


def holds(pid, secret):
    """As octets, or as a number of OpenSSL: the words turned about."""
    forms = (secret, secret[::-1])
    return any(form in part for part in memory(pid) for form in forms)


def test_life():
    life(Token())


def test_whole():
    """No key is in a file but the root's and the officer's."""
    every = ("key", "ocsp_key", "endorser", "log")
    for types in ("issuer=ec-p384,responder=rsa-3072,endorser=rsa-4096",
                  "issuer=rsa-3072,responder=ec-p384,endorser=ec-p384"):
        life(Token(every, types))


def life(token):
    with token as t:
        e = t.engine
        e.start()
        e.populate(people=2)
        cert = e.issue(e.holders[0])
        pem = e.pem(cert["serial"])
        assert e.ocsp(pem) == "good"
        e.cli("cert", "revoke", cert["serial"], "--cause", "court-decision", "--as",
              harness.OFFICER)
        harness.wait_for("the revocation", lambda: e.ocsp(pem) == "revoked")
        e.audit()


def test_goes_away():
    with Token() as t:
        e = t.engine
        e.start()
        e.populate(people=2)
        first = e.issue(e.holders[0])["serial"]
        asked = e.request(e.holders[1])
        since = len(e.log)
        with open(t.away, "w"):
            pass
        # The endorsement is kept; the certificate waits for its key.
        assert e.endorse(asked["id"])["state"] == "endorsed"
        e.wait_log(r"event=token-lost .*no longer signs", since)
        e.wait_log(r"event=signer-away waits=issuance", since)
        # The responder's key is lost too, which its next answer shows.
        e.cli("cert", "revoke", first, "--cause", "court-decision", "--as",
              harness.OFFICER)
        e.wait_log(r"role=ocsp-signer event=token-lost", since)
        os.unlink(t.away)
        harness.wait_for(
            "the certificate", lambda:
            e.cli("request", "show", asked["id"])["state"] == "issued", 60)
        pem = e.pem(first)
        harness.wait_for("the revocation",
                         lambda: e.ocsp(pem) == "revoked", 60)
        e.audit()


def test_away_at_start():
    """A machine that starts without its token serves what was signed."""
    with Token() as t:
        e = t.engine
        e.start()
        e.populate(people=2)
        pem = e.pem(e.issue(e.holders[0])["serial"])
        assert e.stop() == 0
        with open(t.away, "w"):
            pass
        since = len(e.log)
        e.start()
        e.wait_log(r"role=signer event=signer-start .*id=token-module", since)
        assert e.ocsp(pem) == "good"
        signers = next(c for c in doctor(e) if c["name"] == "signers")
        assert signers["state"] == "wrong" and "the token connected?" in \
            signers["detail"], signers
        os.unlink(t.away)
        e.wait_log(r"event=signer-here", since)
        e.issue(e.holders[1])
        e.audit()


def doctor(engine):
    p = subprocess.run([harness.REFRENDO, "doctor", "--dir", engine.dir,
                        "--json", "--lang", "en"], env=engine.env,
                       capture_output=True, text=True)
    return json.loads(p.stdout)["checks"]


def ends(token):
    """How a start ends that cannot come up."""
    p = token.engine.with_passphrase(
        [harness.REFRENDO, "serve", "--dir", token.engine.dir],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL)
    try:
        _, text = p.communicate(timeout=60)
    finally:
        p.kill()
    assert p.returncode in (1, 3, 4, 6), (p.returncode, text.decode())
    return text.decode()


def test_states():
    """Each has a sentence of its own, and none is told as a wrong PIN."""
    with Token() as t:
        with open(t.config) as f:
            good = f.read()

        def says(old, new, want):
            assert old in good, good
            with open(t.config, "w") as f:
                f.write(good.replace(old, new))
            text = ends(t)
            assert want in text and "token-pin" not in text, (want, text)

        says("object=key;", "object=none;", "id=token-key-missing")
        says("object=ocsp_key;", "object=none;", "id=token-key-missing")
        says(MODULE, "/usr/lib/none.so", "id=token-module-missing")
        # A second key of that name.
        plain = t.engine.temp("plain.pem")
        harness.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", plain)
        t.softhsm("--import", plain, "--token", "ca", "--label", "ocsp_key",
                  "--id", "09", "--pin", PIN)
        says("object=key;", "object=key;", "id=token-key-many")
        with open(t.config, "w") as f:
            f.write(good.replace("object=ocsp_key;", "object=ocsp_key;id=%02;"))
        t.engine.start()


def test_wrong_pin():
    with Token() as t:
        t.pin("00000000")
        text = ends(t)
        assert "id=token-pin" in text, text
        # Each signer tried it once: a token locks itself after a few.
        assert text.count("event=signer-start") <= 2, text
        os.unlink(t.engine.path("pin"))
        text = ends(t)
        assert "refrendo-pin" in text, text


def test_memory():
    """Of key files, for a token's key never leaves it; and its PIN."""
    if os.geteuid() != 0:
        print("skipped: only root reads another process's memory")
        return
    with harness.Engine() as e:
        e.init()
        secret = private_octets(e.path("keys", "emisora.key"),
                                e.temp("plain.pem"))
        e.start()
        e.populate(people=1)
        e.issue(e.holders[0])
        word = harness.PASSPHRASE.strip()
        for (role, index), pid in e.pids.items():
            if role in ("signer", "ocsp-signer"):
                continue
            assert not holds(pid, secret), f"{role} {index} has the CA's key"
            assert not any(word in part for part in memory(pid)), \
                f"{role} {index} has the passphrase"
        # The scan does find it where it is.
        assert holds(e.pids["signer", 0], secret)
    with Token() as t:
        e = t.engine
        e.start()
        e.populate(people=1)
        e.issue(e.holders[0])
        for (role, index), pid in e.pids.items():
            assert role in ("signer", "ocsp-signer") or \
                not holds(pid, PIN.encode()), f"{role} {index} has the PIN"


if __name__ == "__main__":
    need_token()
    sys.exit(harness.run_tests([
        ("life", test_life), ("whole", test_whole), ("goes_away", test_goes_away),
        ("away_at_start", test_away_at_start), ("states", test_states),
        ("wrong_pin", test_wrong_pin), ("memory", test_memory)]))
