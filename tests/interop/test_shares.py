#!/usr/bin/python3
"""The passphrase of the keys in shares, from splitting to a start with them."""
import json
import os
import pty
import stat
import subprocess
import sys

import harness


def split(engine, where, *more):
    p = engine.with_passphrase(
        [harness.REFRENDO, "keys", "split", "--dir", engine.dir, "--to", where,
         *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.wait(), p.stdout.read().decode()


def shares_of(where):
    out = []
    for i in range(len(os.listdir(where))):
        path = os.path.join(where, f"share-{i + 1}")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
        with open(path, "rb") as f:
            out.append(f.read())
    return out


class Opened(harness.Engine):
    """One whose passphrase comes as these octets on the descriptor, or as
    files of a directory of credentials."""

    credentials = None

    def with_passphrase(self, argv, **options):
        if self.credentials:
            env = dict(self.env, CREDENTIALS_DIRECTORY=self.credentials)
            return subprocess.Popen(argv, env=env, **options)
        return super().with_passphrase(argv, **options)


def change(engine, old, fresh, *how, more=None):
    """keys passphrase, with both on descriptors."""
    ends = []
    env = dict(engine.env, **(more or {}))
    for name, text in (("REFRENDO_PASSPHRASE_FD", old),
                       ("REFRENDO_NEW_PASSPHRASE_FD", fresh)):
        r, w = os.pipe()
        os.write(w, text)
        os.close(w)
        ends.append(r)
        env[name] = str(r)
    try:
        p = subprocess.run(
            [harness.REFRENDO, "keys", "passphrase", "--dir", engine.dir,
             *(how or ("--json", "--lang", "en"))], env=env, pass_fds=ends,
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
    finally:
        for r in ends:
            os.close(r)
    return p.returncode, p.stdout + p.stderr


def test_passphrase():
    fresh = b"another one altogether\n"
    with Opened() as engine:
        engine.init()
        engine.start()
        engine.populate(people=2)
        for name in ("una", "otra"):
            engine.cli("ca", "create", name, "--as", harness.OFFICER)
        code, text = change(engine, harness.PASSPHRASE, fresh)
        assert code == 5 and "engine-running" in text, text
        assert engine.stop() == 0
        code, text = change(engine, b"not the passphrase\n", fresh)
        assert code == 4 and "key-passphrase" in text, text
        names = sorted(os.listdir(engine.path("keys")))
        code, text = change(engine, harness.PASSPHRASE, fresh)
        assert code == 0 and json.loads(text) == {
            "cas": 1, "files": len(names)}, text
        assert sorted(os.listdir(engine.path("keys"))) == names
        assert os.listdir(engine.path("signer")).count("cas.new") == 0
        for name in names:
            path = engine.path("keys", name)
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
        code, text = change(engine, harness.PASSPHRASE, fresh)
        assert code == 0 and json.loads(text) == {"cas": 0, "files": 0}, text
        code, text = change(engine, harness.PASSPHRASE, fresh, "--lang", "es")
        assert code == 0 and "no se cambió nada" in text, text
        code, text = change(engine, fresh, fresh)
        assert code == 6 and "cli-passphrase-same" in text, text
        ends_with(engine, "key-passphrase", "passphrase")
        engine.given = fresh
        engine.start()
        # The signer unwraps what it made under the passphrase of before.
        made = engine.cli("ca", "create", "una", "--as", harness.OFFICER)
        assert made["state"] == "proposed", made
        assert engine.issue(engine.holders[0])["state"] == "valid"
        assert engine.stop() == 0
        # One that will never be certified makes room.
        code, said = drop(engine, "otra")
        assert code == 2 and "cli-no-terminal" in said, said
        code, said = drop(engine, "otra", "--yes")
        assert code == 0 and "La llave está destruida." in said, said
        code, said = drop(engine, "otra", "--yes")
        assert code == 0 and "La llave ya estaba destruida." in said, said
        code, said = drop(engine, "otra", "--yes", "--json")
        assert code == 0 and json.loads(said) == {
            "before": 1, "name": "otra"}, said
        code, said = drop(engine, "nadie", "--yes")
        assert code == 3 and "signer-ca-unknown" in said, said
        engine.start()
        try:
            engine.cli("ca", "create", "otra", "--as", harness.OFFICER)
        except harness.Refused as e:
            assert "signer-ca-name-used" in str(e), e
        else:
            raise AssertionError("a key that was dropped")
        engine.audit()


def test_interrupted():
    """Stopped at every rename: what stands then starts under the old one, or
    not at all and says what to do; the same command finishes it."""
    old, fresh = harness.PASSPHRASE, b"another one altogether\n"
    with Opened() as engine:
        engine.init()
        engine.start()
        engine.cli("ca", "create", "una", "--as", harness.OFFICER)
        assert engine.stop() == 0
        # Each key file is written beside, settled, and then cas.
        names = [n for n in os.listdir(engine.path("keys"))
                 if n.endswith(".key")]
        stopped = started = 0
        for point in range(1, 1000):
            code, text = change(engine, old, fresh, more={
                "LD_PRELOAD": os.environ["CRASH_SHIM"],
                "CRASH_RENAME": str(point)})
            if code == 0:
                break
            assert code == -9, text
            stopped += 1
            started += both_passphrases(engine, old, fresh)
            code, text = change(engine, old, fresh)
            assert code == 0, text
            left = os.listdir(engine.path("keys")) + \
                os.listdir(engine.path("signer"))
            assert not [n for n in left
                        if n.endswith((".fresh", ".new"))], left
            old, fresh = fresh, old
        # What is written beside takes its place from a file as well.
        assert stopped == 2 * len(names) + 1, (stopped, names)
        assert 0 < started < stopped, (started, stopped)
        engine.given = fresh
        engine.start()
        made = engine.cli("ca", "create", "una", "--as", harness.OFFICER)
        assert made["state"] == "proposed", made
        engine.audit()


def both_passphrases(engine, old, fresh):
    """Does it start with one of the two?  If not, it says what to do."""
    for given in (old, fresh):
        engine.given = given
        engine.ready.clear()
        try:
            engine.start()
        except AssertionError:
            said = engine.tail(40)
            assert "event=passphrase-half" in said, said
            assert "once more, with the same two" in said, said
            continue
        # All its keys are under this one.
        made = engine.cli("ca", "create", "una", "--as", harness.OFFICER)
        assert made["state"] == "proposed", made
        engine.cli("ceremony", "withdraw", made["id"], "--as",
                   harness.OFFICER)
        assert engine.stop() == 0
        return 1
    return 0


def drop(engine, name, *more):
    p = subprocess.run(
        [harness.REFRENDO, "keys", "drop", name, "--dir", engine.dir, "--lang",
         "es", *more], capture_output=True, text=True, env=engine.env,
        stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout + p.stderr


def ends_with(engine, ident, text):
    """It does not start, and says why."""
    p = engine.with_passphrase(
        [harness.REFRENDO, "serve", "--dir", engine.dir],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = p.communicate(timeout=harness.WAIT)[0].decode()
    assert p.returncode != 0 and ident in said and text in said, said


def test_start():
    with Opened() as engine:
        engine.init()
        where = engine.temp("shares")
        status, said = split(engine, where, "--shares", "3", "--threshold",
                             "4")
        assert status == 2 and "cli-number" in said, said
        status, said = split(engine, where, "--shares", "17", "--threshold",
                             "4")
        assert status == 2 and "2..16" in said, said
        assert not os.path.exists(where)
        status, said = split(engine, where, "--shares", "3", "--threshold",
                             "2")
        assert status == 0, said
        status, again = split(engine, where, "--shares", "3", "--threshold",
                              "2")
        assert status == 5 and "cli-shares-place" in again, again
        one, two, three = shares_of(where)
        for share in (one, two, three):
            assert harness.PASSPHRASE.strip() not in share
            assert share.strip().decode() not in said
        # Fewer, a wrong one, the same twice: each by name.
        for given, ident, text in (
                (one, "shares-few", "1 shares of the passphrase were given "
                                    "and 2 are needed"),
                (one + two[:40] + b"\n", "share-check", "share 2, in the"),
                (one + one, "share-twice", "share 1 was given twice")):
            engine.given = given
            ends_with(engine, ident, text)
        for given in (one + two, three + one):
            engine.given = given
            engine.start()
            engine.cli("status")
            assert engine.stop() == 0
        # As credentials; a third is not needed, and not looked at.
        engine.credentials = engine.temp("credentials")
        os.mkdir(engine.credentials)
        for name, share in (("refrendo-share-2", two),
                            ("refrendo-share-7", three),
                            ("refrendo-share-8", b"not one of them at all")):
            with open(os.path.join(engine.credentials, name), "wb") as f:
                f.write(share)
        engine.start()
        engine.cli("status")
        assert engine.stop() == 0
        os.unlink(os.path.join(engine.credentials, "refrendo-share-7"))
        ends_with(engine, "share-check", "share 2, in the order given")
        # Splitting needs the passphrase that opens the keys.
        engine.credentials, engine.given = None, b"another passphrase\n"
        status, said = split(engine, engine.temp("more"), "--shares", "2",
                             "--threshold", "2")
        assert status != 0 and "key-passphrase" in said, said
        assert not os.path.exists(engine.temp("more"))


def typed(engine, lines):
    """At a terminal: what it asks, with what was typed for it; hidden."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(harness.REFRENDO,
                  [harness.REFRENDO, "keys", "split", "--dir", engine.dir,
                   "--to", engine.temp("typed"), "--shares", "2",
                   "--threshold", "2"], engine.env)
    said = b""
    for question, line in lines:
        while not said.endswith(question):
            said += os.read(fd, 1024)
        os.write(fd, line)
    while True:
        try:
            more = os.read(fd, 1024)
        except OSError:
            break
        if not more:
            break
        said += more
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def test_prompt():
    with Opened() as engine:
        engine.init()
        where = engine.temp("shares")
        status, said = split(engine, where, "--shares", "4", "--threshold",
                             "3")
        assert status == 0, said
        a, b, c, _ = shares_of(where)
        status, said = typed(engine, [
            (b"or a share: ", c), (b"(2 missing): ", a),
            (b"(1 missing): ", b)])
        assert status == 0, said
        for share in (a, b, c):
            assert share.strip() not in said, "what was typed was shown"
        assert len(shares_of(engine.temp("typed"))) == 2


if __name__ == "__main__":
    sys.exit(harness.run_tests([("a start with shares", test_start),
                                ("at a terminal", test_prompt),
                                ("another passphrase", test_passphrase),
                                ("interrupted", test_interrupted)]))
