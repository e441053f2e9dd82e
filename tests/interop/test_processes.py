"""Several status processes on one port: each serves, one that is killed is
missed by its own clients alone, each knows of a revocation within a second;
and what a process holds in memory with a hundred thousand certificates.
"""
import contextlib
import os
import re
import signal
import socket
import sys
import time

import harness

PROCESSES = 3
CONNECTIONS = 30  # that one of three has none: (2/3)^30
CERTIFICATES = 100000
MEMORY = 64 << 20


class Client:
    """One keep-alive connection to some status process."""

    def __init__(self, engine):
        self.socket = socket.create_connection(("127.0.0.1", engine.port),
                                               timeout=harness.WAIT)
        self.file = self.socket.makefile("rb")

    def ask(self, request):
        """The body, or None once the server has gone."""
        try:
            self.socket.sendall(request)
            status = self.file.readline()
            if not status:
                return None
            assert status.startswith(b"HTTP/1.1 200 "), status
            length = 0
            while (line := self.file.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            return self.file.read(length)
        except ConnectionError:
            return None

    def close(self):
        self.file.close()
        self.socket.close()


CHECKPOINT = b"GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def clients(engine):
    made = [Client(engine) for _ in range(CONNECTIONS)]
    try:
        for c in made:
            assert b"/log\n" in c.ask(CHECKPOINT)
        yield made
    finally:
        for c in made:
            c.close()


def ocsp_request(engine, cert):
    der = engine.temp("ask.der")
    harness.run("openssl", "ocsp", "-issuer",
                engine.path("ca", "emisora.pem"), "-cert", cert, "-no_nonce",
                "-reqout", der)
    with open(der, "rb") as f:
        body = f.read()
    return (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: "
            b"application/ocsp-request\r\nContent-Length: %d\r\n\r\n"
            % len(body)) + body


def says(engine, answer):
    """What openssl reads in an answer; it verifies it too."""
    der = engine.temp("answer.der")
    with open(der, "wb") as f:
        f.write(answer)
    p = harness.run("openssl", "ocsp", "-respin", der, "-CAfile",
                    engine.path("ca", "root.pem"), "-verify_other",
                    engine.path("ca", "emisora.pem"), "-resp_text")
    text = p.stdout.decode() + p.stderr.decode()
    assert "Response verify OK" in text, text
    return re.search(r"Cert Status: (\w+)", text).group(1)


def test_all_serve(engine):
    """While one is stopped its own connections are silent, no others."""
    with clients(engine) as made:
        for index in range(PROCESSES):
            os.kill(engine.pids["status", index], signal.SIGSTOP)
            silent = 0
            for c in made:
                c.socket.settimeout(0.5)
                try:
                    c.socket.sendall(CHECKPOINT)
                    c.socket.recv(65536)
                except TimeoutError:
                    silent += 1
            os.kill(engine.pids["status", index], signal.SIGCONT)
            for c in made:
                c.close()
            assert 0 < silent < CONNECTIONS, (index, silent)
            made[:] = [Client(engine) for _ in range(CONNECTIONS)]


def test_killed(engine):
    """Nobody is refused meanwhile, and nobody waits for long."""
    with clients(engine) as made:
        pid, ups = engine.pids["status", 1], engine.ups["status"]
        os.kill(pid, signal.SIGKILL)
        slowest, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            began = time.monotonic()
            c = Client(engine)  # a refusal would raise
            answer = c.ask(CHECKPOINT)
            c.close()
            # Whoever was in its queue when it died may be cut off, once.
            if answer is not None:
                slowest = max(slowest, time.monotonic() - began)
        engine.wait_restart("status", pid, 1, ups)
        assert slowest < 5, slowest
        gone = sum(c.ask(CHECKPOINT) is None for c in made)
        assert 0 < gone < CONNECTIONS, gone


def test_revoked(engine):
    """A second after the act at most, every process says so."""
    record = engine.issue(engine.holders[0])
    cert = engine.pem(record["serial"])
    request = ocsp_request(engine, cert)
    with clients(engine) as made:
        for c in made:
            assert says(engine, c.ask(request)) == "good"
        engine.cli("cert", "revoke", record["serial"], "--as",
                   harness.MINISTER, "--cause", "key-compromise", "--reason",
                   "perdida")
        time.sleep(1)
        for c in made:
            assert says(engine, c.ask(request)) == "revoked"


def filler():
    path = os.path.join(os.path.dirname(harness.REFRENDO), "bench",
                        "bench_ocsp_fill")
    return path if os.path.exists(path) else None


def test_memory():
    """What one holds beside the map, with a hundred thousand."""
    fill = filler()
    if fill is None:
        print("skipped: bench_ocsp_fill was not built")
        return
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.stop()
        harness.run(fill, engine.dir, "16",
                    harness.PASSPHRASE.decode().strip(), "0",
                    str(CERTIFICATES), "1000")
        engine.start()
        # Number 2,000 is signed, good, and by the formula of bench/.
        serial = f"{((1795514400 + 20) << 28) + 2000:016x}" \
                 "%016x%016x" % (mix(2000), mix(2000 ^ (2**64 - 1)))
        p = harness.run(
            "openssl", "ocsp", "-issuer", engine.path("ca", "emisora.pem"),
            "-serial", "0x" + serial[:40], "-CAfile",
            engine.path("ca", "root.pem"), "-verify_other",
            engine.path("ca", "emisora.pem"), "-no_nonce", "-url",
            engine.url + "/ocsp")
        text = p.stdout.decode() + p.stderr.decode()
        assert "Response verify OK" in text and ": good" in text, text
        with open(f"/proc/{engine.pids['status', 0]}/status") as f:
            held = sum(int(kib) * 1024 for kib in
                       re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", f.read()))
        print(f"status holds {held / 2**20:.1f} MiB beside the map")
        # The sanitizers keep books of their own.
        assert held < MEMORY or engine.is_sanitized(), held


def mix(x):
    m = (1 << 64) - 1
    x = (x + 0x9e3779b97f4a7c15) & m
    x = ((x ^ x >> 30) * 0xbf58476d1ce4e5b9) & m
    x = ((x ^ x >> 27) * 0x94d049bb133111eb) & m
    return x ^ x >> 31


def main():
    harness.need("openssl")
    with harness.Engine() as engine:
        engine.init()
        config = engine.path("etc", "refrendo.yaml")
        with open(config) as f:
            text = f.read()
        changed = re.sub(r"(?m)^processes: .*",
                         f"processes: {{status: {PROCESSES}, front: 1}}", text)
        assert changed != text
        with open(config, "w") as f:
            f.write(changed)
        engine.start()
        assert len([p for p in engine.pids if p[0] == "status"]) == PROCESSES
        engine.populate(people=2)
        failed = harness.run_tests(
            [(t.__name__, lambda t=t: t(engine))
             for t in (test_all_serve, test_killed, test_revoked)])
    failed |= harness.run_tests([(t.__name__, t) for t in (test_memory,)])
    return failed


if __name__ == "__main__":
    sys.exit(main())
