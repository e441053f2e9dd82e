"""An engine of a test's own: its directory, port and processes, and its end.

Every test makes what it needs, waits for conditions instead of sleeping, and
leaves nothing behind.
"""
import contextlib
import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

REFRENDO = os.environ.get("REFRENDO", "")
PASSPHRASE = b"a passphrase of the tests\n"
OFFICER = "11111111-1"
OPERATOR = "22222222-2"
MINISTER = "33333333-3"
INSTITUTION = "60910000-1"
WAIT = 60


class Refused(Exception):
    """The command line said no: status and what it printed."""

    def __init__(self, status, text):
        super().__init__(f"exit {status}: {text}")
        self.status = status
        self.text = text
        try:
            self.problem = json.loads(text.strip().splitlines()[-1])
        except (ValueError, IndexError):
            self.problem = {}


def need(program):
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(77)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=WAIT):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def run(*argv, data=None, check=True):
    p = subprocess.run(argv, input=data, capture_output=True)
    if check and p.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: {p.returncode}\n"
                             f"{p.stdout.decode()}{p.stderr.decode()}")
    return p


class Engine:
    given = PASSPHRASE  # on the descriptor, a line for each key

    def __init__(self, algorithm="ec", env=None):
        if not REFRENDO:
            print("skipped: the program was not built")
            sys.exit(77)
        self.base = tempfile.mkdtemp(prefix="refrendo-test-")
        self.dir = os.path.join(self.base, "ca")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
        # A report ends the role, and close() finds it in the log.  Roles are
        # not dumpable, so that the leak sanitizer cannot look at them.
        self.env.setdefault("TSAN_OPTIONS", "halt_on_error=1 exitcode=66")
        self.env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        self.process = None
        self.reader = None
        self.log = []
        self.pids = {}
        self.ups = {}  # how often each role has come up
        self.last = {}  # when each event was read last
        self.ready = threading.Event()
        self.algorithm = algorithm
        self.more_officers = []  # (key, certificate) of those who must sign
        self._new_key = threading.Lock()
        self._keys = 0

    # --- life ---------------------------------------------------------------

    def with_passphrase(self, argv, **options):
        r, w = os.pipe()
        os.write(w, self.given)
        os.close(w)
        env = dict(self.env, REFRENDO_PASSPHRASE_FD=str(r))
        try:
            return subprocess.Popen(argv, env=env, pass_fds=[r], **options)
        finally:
            os.close(r)

    def init(self, *more):
        p = self.with_passphrase(
            [REFRENDO, "init", "--dir", self.dir, "--public-url", self.url,
             "--listen", f"127.0.0.1:{self.port}", "--algorithm",
             self.algorithm, "--officer-run", OFFICER, "--officer-name",
             "Olga Plataforma", *more],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text, _ = p.communicate()
        assert p.returncode == 0, text.decode()
        return text.decode()

    def start(self):
        self.ready.clear()
        self.process = self.with_passphrase(
            [REFRENDO, "serve", "--dir", self.dir],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self._read_log,
                                       args=(self.process,), daemon=True)
        self.reader.start()
        wait_for("the engine", lambda: self.ready.is_set()
                 or self.process.poll() is not None)
        if not self.ready.is_set():
            raise AssertionError("the engine ended:\n" + self.tail(40))

    def _read_log(self, process):
        for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip("\n")
            self.log.append(line)
            event = re.search(r" event=(\S+)", line)
            if event:
                self.last[event.group(1)] = time.monotonic()
            started = re.search(
                r"event=role-started .*started=(\S+) index=(\d+) pid=(\d+)",
                line)
            if started:
                role, index, pid = started.groups()
                self.pids[role, int(index)] = int(pid)
            up = re.search(r"role=(\S+) event=role-ready", line)
            if up:
                self.ups[up.group(1)] = self.ups.get(up.group(1), 0) + 1
            if "event=engine-ready" in line:
                self.ready.set()

    def tail(self, n):
        return "\n".join(self.log[-n:])

    def is_sanitized(self):
        """Built with a sanitizer: such roles run without seccomp."""
        return any("seccomp=no (sanitizer)" in line for line in self.log)

    def wait_log(self, pattern, since=0, seconds=WAIT):
        """The first line from index since on that matches."""
        def found():
            return next((line for line in self.log[since:]
                         if re.search(pattern, line)), None)
        return wait_for(f"a log line like {pattern}", found, seconds)

    def check_sanitizers(self):
        """No role may have been reported by a sanitizer."""
        for i, line in enumerate(self.log):
            if re.search(r"WARNING: ThreadSanitizer|ERROR: AddressSanitizer|"
                         r": runtime error: ", line):
                raise AssertionError("a sanitizer reported:\n"
                                     + "\n".join(self.log[i:i + 60]))

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the engine did not stop:\n" + self.tail(40))

    def kill(self, role, index=0):
        """SIGKILL; returns once the parent has started it again."""
        pid = self.pids[role, index]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.wait_restart(role, pid, index)

    def arm(self, role, n, index=0):
        """It will be killed at its n-th write to a disk or socket from now
        on (fake/crash_shim.c)."""
        value = ctypes.c_void_p(n)  # union sigval
        ctypes.CDLL(None).sigqueue(self.pids[role, index], signal.SIGUSR2,
                                   value)

    def wait_restart(self, role, pid, index=0, ups=None):
        """Started again; with ups, the count before, also ready again."""
        wait_for(f"{role} to be started again",
                 lambda: self.pids[role, index] != pid)
        if ups is not None:
            wait_for(f"{role} to be ready again",
                     lambda: self.ups[role] > ups)

    def close(self):
        try:
            self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
            shutil.rmtree(self.base, ignore_errors=True)
        if self.reader is not None:
            self.reader.join(5)
        self.check_sanitizers()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print("--- the engine's log:\n" + self.tail(60), file=sys.stderr)
        self.close()

    # --- the command line ------------------------------------------------------

    def cli(self, *argv, key=None):
        """Runs a verb; its JSON, or Refused."""
        command = [REFRENDO, *map(str, argv), "--dir", self.dir, "--json",
                   "--lang", "en"]
        if key is not None:
            command += ["--idempotency-key", key]
        if "--key" in argv and "--yes" not in argv:
            command.append("--yes")  # no terminal is here to ask at
        p = subprocess.run(command, env=self.env, capture_output=True,
                           stdin=subprocess.DEVNULL)
        if p.returncode != 0:
            raise Refused(p.returncode, p.stdout.decode() + p.stderr.decode())
        text = p.stdout.decode()
        return json.loads(text) if text.strip() else {}

    def admin_socket(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT)
        s.connect(self.path("run", "admin.sock"))
        return s

    def api(self, method, path, body=None, key=None, fields=None):
        """One request to the JSON API: status and body, a dict if JSON."""
        connection = http.client.HTTPConnection("localhost", timeout=WAIT)
        connection.sock = self.admin_socket()
        headers = dict(fields or {})
        if method == "POST":
            headers.setdefault("Content-Type", "application/json")
            headers.setdefault("Idempotency-Key",
                               key or os.urandom(16).hex())
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        with contextlib.closing(connection):
            connection.request(method, "/api/v1" + path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            if "json" in (answer.getheader("Content-Type") or ""):
                data = json.loads(data)
            return answer.status, data

    def get(self, path, method="GET", body=None, fields=None):
        """One request to the status port: status, header and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=WAIT)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(fields or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def log_size(self):
        return self.cli("status")["entries"]

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def temp(self, *parts):
        return os.path.join(self.base, *parts)

    def new_key(self, name=None, algorithm=("-algorithm", "EC", "-pkeyopt",
                                            "ec_paramgen_curve:P-256")):
        """Files of a new key and of a request for it."""
        with self._new_key:
            self._keys += 1
            name = name or f"key{self._keys}"
        key, csr = self.temp(name + ".key"), self.temp(name + ".csr")
        run("openssl", "genpkey", *algorithm, "-out", key)
        run("openssl", "req", "-new", "-key", key, "-subj", "/CN=ignored",
            "-out", csr)
        return key, csr

    def activate(self, *files, at=None):
        """Policies in force, or at that time, by the officer's signature."""
        made = self.cli("policy", "activate", *files, "--as", OFFICER,
                        *(("--from", at) if at else ()))
        return self.cli("policy", "endorse", made["id"], "--cms",
                        self.sign_as_officer(made["id"], "policy"))

    def sign_as_officer(self, appointment, noun="appointment", by=None):
        """openssl signs the statement with the key of the first officer, or
        that of by: files of a key and a certificate."""
        key, cert = by or (self.path("officer", "officer.key"),
                           self.path("officer", "officer.pem"))
        statement = self.temp(appointment + ".statement")
        p = subprocess.run(
            [REFRENDO, noun, "statement", appointment, "--dir",
             self.dir], env=self.env, capture_output=True, check=True)
        with open(statement, "wb") as f:
            f.write(p.stdout)
        cms = self.temp(appointment + ".p7s")
        run("openssl", "cms", "-sign", "-binary", "-in", statement,
            "-signer", cert, "-inkey", key, "-passin",
            "pass:" + PASSPHRASE.decode().strip(), "-md", "sha256", "-cades",
            "-outform", "DER", "-out", cms)
        return cms

    def appoint(self, run_number, name, institution=INSTITUTION, until="1y"):
        """A minister in force: files of key and certificate."""
        key, csr = self.new_key("minister-" + run_number)
        day = 86400
        now = int(time.time())
        made = self.cli(
            "appointment", "propose", "--as", OFFICER, "--rut", institution,
            "--run", run_number, "--name", name, "--office",
            "Secretaria Municipal", "--csr", csr, "--act-number",
            "Decreto 100", "--act-date", "2026-11-01", "--from",
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60)),
            "--until",
            time.strftime("%Y-%m-%dT%H:%M:%SZ",
                          time.gmtime(now + 300 * day)))
        done = self.cli("appointment", "confirm", made["id"], "--as", OFFICER,
                        "--cms", self.sign_as_officer(made["id"]))
        for by in self.more_officers:
            assert done["state"] == "proposed", done
            done = self.cli("appointment", "confirm", made["id"], "--cms",
                            self.sign_as_officer(made["id"], by=by))
        assert done["state"] == "in-force", done
        cert = self.temp("minister-" + run_number + ".pem")
        full = self.cli("appointment", "show", made["id"], "--blobs")
        with open(cert, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
            text = full["certificate"]
            for i in range(0, len(text), 64):
                f.write(text[i:i + 64] + "\n")
            f.write("-----END CERTIFICATE-----\n")
        return key, cert

    def make_cas(self, count):
        """Issuing CAs of a stopped engine, as `refrendo ca create` and a
        ceremony for each would make them; what that took, in words."""
        program = os.path.join(os.path.dirname(REFRENDO), "bench",
                               "bench_cas_fill")
        p = run(program, self.dir, PASSPHRASE.decode().strip(),
                self.path("officer", "officer.key"),
                self.path("officer", "officer.pem"), str(count))
        return p.stdout.decode()

    def start_seconds(self):
        """Starts; how long until it is ready, which it is with a CRL and a
        responder for each CA, and the signer has told core what it has."""
        since, begin = len(self.log), time.monotonic()
        self.start()
        self.wait_log("event=signer-here", since)
        return max(self.last["engine-ready"],
                   self.last["signer-here"]) - begin

    def populate(self, people=3):
        """One institution with an operator, a minister and officials."""
        self.cli("inst", "add", "--as", OFFICER, "--rut", INSTITUTION,
                 "--name", "Universidad de Ejemplo")
        self.cli("inst", "enable", INSTITUTION, "--as", OFFICER)
        self.cli("person", "add", "--as", OFFICER, "--rut", INSTITUTION,
                 "--run", OPERATOR, "--name", "Omar Operador", "--office",
                 "Jefe de Personal", "--email", "omar@example.org",
                 "--operator")
        self.minister = self.appoint(MINISTER, "Marta Ministra")
        self.holders = []
        for i in range(people):
            holder = with_digit(7000000 + i)
            self.cli("person", "add", "--as", OPERATOR, "--rut", INSTITUTION,
                     "--run", holder, "--name", f"Funcionaria Número {i}",
                     "--office", "Directora", "--email",
                     f"f{i}@example.org")
            self.holders.append(holder)

    def request(self, holder, csr=None, key=None, policy="funcionario-firma"):
        if csr is None:
            _, csr = self.new_key()
        return self.cli("request", "new", "--as", OPERATOR, "--rut",
                        INSTITUTION, "--run", holder, "--policy", policy,
                        "--csr", csr, key=key)

    def endorse(self, request, key=None):
        return self.cli("endorse", request, "--key", self.minister[0],
                        "--cert", self.minister[1], key=key)

    def issue(self, holder, **request):
        """The certificate's record, from request to issue."""
        done = self.endorse(self.request(holder, **request)["id"])
        assert done["state"] == "issued", done
        return self.cli("cert", "show", done["serial"])

    def pem(self, serial):
        """Its certificate in a file."""
        path = self.temp(serial + ".pem")
        p = subprocess.run([REFRENDO, "cert", "get", serial, "--dir",
                            self.dir], env=self.env, capture_output=True,
                           check=True)
        with open(path, "wb") as f:
            f.write(p.stdout)
        return path

    def ocsp(self, cert, *more):
        """What openssl says of it: good, revoked, unknown."""
        p = run("openssl", "ocsp", "-issuer", self.path("ca", "emisora.pem"),
                "-cert", cert, "-CAfile", self.path("ca", "root.pem"),
                "-verify_other", self.path("ca", "emisora.pem"),
                "-no_nonce", "-url", self.url + "/ocsp", *more)
        text = p.stdout.decode() + p.stderr.decode()
        assert "Response verify OK" in text, text
        found = re.search(re.escape(cert) + r": (\w+)", text)
        return found.group(1) if found else text

    def audit(self, journal=True):
        """Export and offline verification, beside the signer's journal, and
        replay; all must be clean.  While acts are under way the journal is
        ahead of the export."""
        out = self.temp("export.jsonl")
        self.cli("audit", "export", out)
        assert os.stat(out).st_mode & 0o077 == 0, "details are private"
        beside = ["--journal", self.path("signer", "journal")]
        report = self.cli("audit", "verify", out, "--log-key",
                          self.path("ca", "log.pem"),
                          *(beside if journal else []))
        self.cli("audit", "replay")
        return report


def run_tests(tests):
    """Calls each, says which one and how long; the exit status."""
    failed = 0
    for name, test in tests:
        begin = time.monotonic()
        try:
            test()
            result = "ok"
        except Exception:  # the next test runs all the same
            traceback.print_exc()
            failed += 1
            result = "FAILED"
        print(f"{name}: {result} ({time.monotonic() - begin:.1f} s)",
              flush=True)
    return 1 if failed else 0


def with_digit(number):
    """A RUN with its check digit, modulo 11."""
    total, weight = 0, 2
    for digit in reversed(str(number)):
        total += int(digit) * weight
        weight = 2 if weight == 7 else weight + 1
    rest = 11 - total % 11
    return f"{number}-{'0' if rest == 11 else 'K' if rest == 10 else rest}"
