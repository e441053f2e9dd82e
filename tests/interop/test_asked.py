#!/usr/bin/python3
"""A core that was taken over answers with something else than was asked for:
nobody's key signs that, with --yes neither.

A socket of the test's own stands between the command line and the engine. What
it names instead is real, proposed by somebody who has the socket.
"""
import os
import re
import socket
import subprocess
import sys
import threading

import harness
import test_ceremony as ceremony
import test_quorum
from test_ceremony import refused
from test_rollover import officer_key, root_files, whole

OFFICER = harness.OFFICER


class Core:
    """The engine's socket, where answers are changed; their length stays."""

    def __init__(self, engine):
        self.engine, self.changes, self.turned = engine, [], []
        self.path = engine.temp("taken.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(client,),
                             daemon=True).start()

    def answer(self, client):
        with client, self.engine.admin_socket() as real:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            head, body = request.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])
            while len(body) < length:
                body += client.recv(65536)
            for before, after in self.turned:
                head = head.replace(b"GET /api/v1/ceremonies/" + before,
                                    b"GET /api/v1/ceremonies/" + after)
            real.sendall(head + b"\r\n\r\n" + body)
            whole_answer = b""
            while got := real.recv(65536):
                whole_answer += got
            for path, before, after in self.changes:
                assert len(before) == len(after), (before, after)
                if re.search(path, head.split(b"\r\n")[0]):
                    whole_answer = whole_answer.replace(before, after)
            client.sendall(whole_answer)

    def next_is(self, number, path=b""):
        """Of the ceremony proposed next it says another's number."""
        kind, year, n = self.engine.cli("ceremony", "ls")["items"][0][
            "id"].split("-")
        last = max(int(c["id"].split("-")[2])
                   for c in self.engine.cli("ceremony", "ls")["items"])
        self.changes = [(path, f"{kind}-{year}-{last + 1:06}".encode(),
                         number.encode())]

    def whole(self, *words, **more):
        return whole(self.engine, *words, "--socket", self.path, **more)

    def close(self):
        self.listener.close()


def anew():
    """An act of its own, that takes up no ceremony of before."""
    return "--idempotency-key", os.urandom(8).hex()


def states(engine):
    return {c["id"]: c["state"] for c in engine.cli("ceremony", "ls")["items"]}


def request(engine, name, csr, *more):
    return engine.cli("ceremony", "request", name, "--csr", csr, "--as",
                      OFFICER, *more)["id"]


def test_other_ceremony():
    """What the officer and the root would sign is held to what was asked."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        officer_key(engine)
        core = Core(engine)
        csr = engine.new_key("intruder")[1]
        mine = engine.new_key("mine")[1]

        def stays(number, differs, *words):
            core.next_is(number)
            refused(6, f"than was asked for: {differs} differs", core.whole,
                    *words, *anew())
            assert states(engine)[number] == "proposed", states(engine)

        roll = ("ca", "rollover", "emisora")
        stays(request(engine, "intrusa", csr), "name", *roll)
        stays(request(engine, "emisora-g2", csr), "replaces", *roll)
        # A new key for a CA where none was to be replaced.
        stays(request(engine, "nueva", csr, "--replaces", "emisora"),
              "replaces", "ca", "create", "nueva")
        # For all institutions instead of one, or for one instead of all.
        stays(request(engine, "salud", csr), "rut", "ca", "create", "salud",
              "--rut", harness.INSTITUTION)
        stays(request(engine, "todas", csr, "--rut", harness.INSTITUTION),
              "rut", "ca", "create", "todas")
        # Another key than that of the request, another kind of object.
        stays(request(engine, "propia", csr), "key", "ceremony", "request",
              "propia", "--csr", mine)
        stays(engine.cli("ceremony", "crl", "--as", OFFICER)["id"], "kind",
              "ceremony", "request", "propia", "--csr", mine)
        # All is as asked for but the key, which the signer did not make: the
        # officer cannot know, the root's side asks the signer's journal.
        number = request(engine, "emisora-g2", csr, "--replaces", "emisora")
        core.next_is(number)
        refused(6, "journal knows of no such key of the CA emisora-g2",
                core.whole, *roll, *anew())
        assert states(engine)[number] == "agreed", states(engine)
        # Nor does it leave for a root elsewhere, once the signer has a key of
        # this name: core says that it made none.
        core.changes = []
        refused(6, "journal knows of no such key of the CA emisora-g2",
                engine.cli, "ceremony", "export", number, "--out",
                engine.temp("left.request"))
        assert not os.path.exists(engine.temp("left.request"))
        # The officer signs what was asked for, and what is then handed to the
        # root is a ceremony that the officer agreed on at another time.
        core.next_is(number)
        core.turned = [(core.changes[0][1], number.encode())]
        core.changes = []
        refused(6, "than was asked for: name differs", core.whole, "ca",
                "create", "otra")
        core.turned = []
        assert "completed" not in states(engine).values(), states(engine)
        # The hash that the officer signs is that of the object.
        core.changes = [(b"GET", b'"tbs":"MII', b'"tbs":"MIJ')]
        refused(6, "than was asked for: tbs_sha256 differs", core.whole, "ca",
                "create", "octetos")
        # The old key's certificate beside the others has the subject.
        core.changes = []
        old = engine.path("ca", "emisora.pem")
        os.rename(old, old + ".away")
        refused(3, "ca/emisora.pem", core.whole, *roll)
        with open(engine.path("ca", "endorser.pem"), "rb") as f, \
                open(old, "wb") as out:
            out.write(f.read())
        refused(6, "than was asked for: subject differs", core.whole, *roll)
        os.rename(old + ".away", old)
        assert "completed" not in states(engine).values(), states(engine)
        # An honest answer is signed as before.
        assert core.whole(*roll)[0]["state"] == "completed"
        # For ever: the destruction of a key instead of a list.
        stays(engine.cli("ceremony", "destroy", "emisora", "--as",
                         OFFICER)["id"], "kind", "ceremony", "crl")
        # Of a number that was asked for, another one's statement.
        mine = request(engine, "cierta", mine)
        asked = engine.request(engine.holders[0])["id"]
        for number, kind, words in (
                (mine, mine[:3], ("ceremony", "endorse", mine)),
                (asked, asked[:3], ("endorse", asked))):
            core.changes = [(b"/statement", number.encode(),
                             f"{kind}-2026-999999".encode())]
            refused(6, "than was asked for: number differs", core.whole,
                    *words)
        # Other policies than those of the files.
        path = engine.path("etc", "policies", "funcionario-firma.yaml")
        with open(path) as f:
            policy = f.read()
        for n, version in enumerate((2, 3)):
            text = re.sub("version: .*", f"version: {version}", policy)
            with open(engine.temp(f"p{n}.yaml"), "w") as f:
                f.write(text)
        core.changes = []
        other = engine.cli("policy", "activate", engine.temp("p0.yaml"),
                           "--as", OFFICER)["id"]
        core.changes = [(b"", other[:-1].encode() + b"2", other.encode())]
        refused(6, "than was asked for: policies differs", core.whole,
                "policy", "activate", engine.temp("p1.yaml"))
        core.changes = []
        done = core.whole("policy", "activate", engine.temp("p1.yaml"))[0]
        assert done["signatures"] == 1, done
        # Other ceilings than those of the file.
        with open(engine.path("etc", "signer.yaml")) as f:
            text = f.read()
        files = [engine.temp(f"signer{n}.yaml") for n in (1, 2)]
        for n, path in enumerate(files):
            with open(path, "w") as f:
                f.write(text + "#" * (n + 1) + "\n")
        stays(engine.cli("ceremony", "ceilings", files[0], "--as",
                         OFFICER)["id"], "tbs_sha256", "ceremony", "ceilings",
              files[1])
        core.changes = []
        done = core.whole("ceremony", "ceilings", files[1])[0]
        assert done["signatures"] == 1, done
        core.close()


def test_other_list():
    """The root's list and a key that is destroyed: the entries, the cause and
    the validity, and whose key it is."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        officer_key(engine)
        core = Core(engine)
        for name in ("otra-uno", "otra-dos"):
            whole(engine, "ca", "create", name)
        serials = {name: harness.run(
            "openssl", "x509", "-in", engine.path("ca", name + ".pem"),
            "-noout", "-serial").stdout.decode().strip()[7:].lower()
            for name in ("otra-uno", "otra-dos")}

        def crl(*more):
            return "ceremony", "crl", *more

        def of(name, cause):
            return "--serial", serials[name], "--cause", cause

        def stays(differs, asked, given):
            number = engine.cli(*given, "--as", OFFICER)["id"]
            core.next_is(number)
            refused(6, f"than was asked for: {differs} differs", core.whole,
                    *asked)
            assert states(engine)[number] == "proposed", states(engine)

        one = of("otra-uno", "superseded")
        stays("entries", crl(), crl(*one))
        stays("entries", crl(*one), crl())
        stays("entries", crl(*one), crl(*of("otra-dos", "superseded")))
        stays("cause", crl(*one), crl(*of("otra-uno", "key-compromise")))
        stays("validity", crl("--validity", "30d"), crl("--validity", "31d"))
        core.changes = [(b"", b"lista de revocaci", b"lista de invitaci")]
        refused(6, "than was asked for: text_es differs", core.whole, *crl())
        core.changes = []
        done = core.whole(*crl(*one))[0]
        assert done["signatures"] == 1, done
        # Both read what it is about, in their language.
        for lang, words in (("en", "adds that of serial number"),
                            ("es", "agrega la de serie")):
            p = subprocess.run(
                [harness.REFRENDO, "ceremony", "endorse", done["id"], "--as",
                 OFFICER, "--key", engine.officer_key, "--cert",
                 engine.path("officer", "officer.pem"), "--yes", "--lang",
                 lang, "--dir", engine.dir], capture_output=True,
                check=False, stdin=subprocess.DEVNULL)
            said = p.stderr.decode()
            assert f"{words} {serials['otra-uno']} (otra-uno)" in said, said
            assert "superseded" in said, said
        # A list that is held against the one that is published now.
        path = engine.temp("list.request")
        engine.cli("ceremony", "export", done["id"], "--out", path)
        engine.cli("ceremony", "import",
                   ceremony.sign(engine, path, root_files(engine)), "--as",
                   OFFICER)
        stays("entries", crl(), crl(*of("otra-dos", "superseded")))
        assert core.whole(*crl())[0]["signatures"] == 1
        # Another CA's key under the name that was asked for.
        for name in ("otra-uno", "otra-dos"):
            if name == "otra-dos":
                engine.cli("ca", "stop", name, "--as", OFFICER)
        number = engine.cli("ceremony", "destroy", "otra-dos", "--as",
                            OFFICER)["id"]
        core.next_is(number)
        core.changes.append((b"GET", b"otra-dos", b"otra-uno"))
        refused(6, "than was asked for: key differs", core.whole, "ceremony",
                "destroy", "otra-uno")
        assert states(engine)[number] == "proposed", states(engine)
        core.changes = []
        done = core.whole("ceremony", "destroy", "otra-uno")[0]
        assert done["state"] == "completed", done
        core.close()


def test_said_to_be_agreed():
    """Core says that officers agreed: the root counts them itself."""
    with harness.Engine() as engine:
        test_quorum.two_officers(engine)
        engine.start()
        officer_key(engine)
        core = Core(engine)
        core.changes = [(b"", b'"state":"proposed"', b'"state":"agreed"  ')]
        refused(4, "signed by 1 officers of the ceilings where 2", core.whole,
                "ca", "create", "nueva")
        # Without an officer's key nothing comes to the root at all.
        p = engine.with_passphrase(
            [harness.REFRENDO, "ca", "create", "otra", "--as", OFFICER,
             "--yes", "--lang", "en", "--dir", engine.dir, "--socket",
             core.path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL)
        said = p.communicate()[1].decode()
        assert p.returncode == 0 and "then the root:" in said, said
        assert "completed" not in states(engine).values(), states(engine)
        core.close()


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("another ceremony", test_other_ceremony),
        ("another list or key", test_other_list),
        ("said to be agreed", test_said_to_be_agreed)]))
