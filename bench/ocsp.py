"""./dev bench ocsp-get | ocsp-post | ocsp-10m: status against other servers.

The published store is filled with answers of certificates that were never
issued (bench_ocsp_fill): real layout, real sizes, serial numbers like the
engine's.  In stores of up to a million each answer is signed; in the largest
one of a hundred, and only those are verified.
"""
import base64
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from common import BUILD, CONNECTIONS, Watch, note, pin, report
import harness

SERVER, CLIENT = 0, 1  # cores
SECONDS = 3
CERTIFICATES = 1000000
FEW, MANY, MANY_SIGNED = 10000, 10000000, 100
MAP_GIB = 64


# --- Sides -------------------------------------------------------------------------

def cpu_ns(pid):
    """What the threads of a process have used, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


class Side:
    """One server under load: what to ask it, and whose time it takes."""

    def __init__(self, name, port, kind, pid, serials=()):
        self.name, self.port, self.kind = name, port, kind
        self.pid, self.serials = pid, serials
        self.rates, self.cpu = [], []

    def load(self, seconds=SECONDS, rate=0, kind=None):
        before = cpu_ns(self.pid)
        kind = kind or self.kind
        # One that takes a connection at a time has a short queue of them.
        connections = 8 if kind.endswith("-close") else CONNECTIONS
        p = subprocess.run(
            ["taskset", "-c", str(CLIENT),
             os.path.join(BUILD, "bench", "bench_status_client"),
             str(self.port), kind, str(connections),
             str(seconds), str(rate), *map(str, self.serials)],
            capture_output=True, text=True)
        assert p.returncode == 0, f"{self.name}: {p.stderr}"
        got = json.loads(p.stdout)
        got["cpu_us"] = (cpu_ns(self.pid) - before) / 1e3 / got["answers"]
        return got


@contextlib.contextmanager
def program(argv, core=SERVER, **more):
    p = subprocess.Popen(["taskset", "-c", str(core), *argv],
                         stderr=subprocess.DEVNULL, **more)
    try:
        yield p
    finally:
        p.terminate()
        p.wait()


@contextlib.contextmanager
def nginx(where, body):
    port = harness.free_port()
    os.makedirs(os.path.join(where, "www"))
    with open(os.path.join(where, "www", "file"), "wb") as f:
        f.write(os.urandom(body))
    conf = os.path.join(where, "nginx.conf")
    # Its worker must be able to read what is ours alone.
    user = "user root;" if os.geteuid() == 0 else ""
    with open(conf, "w") as f:
        f.write(f"""{user} daemon off; worker_processes 1; pid {where}/pid;
error_log {where}/error.log; worker_cpu_affinity {1 << SERVER:b};
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; sendfile on;
  open_file_cache max=100; tcp_nopush off; types {{ }}
  default_type application/ocsp-response;
  client_body_temp_path {where}/b; proxy_temp_path {where}/p;
  fastcgi_temp_path {where}/f; uwsgi_temp_path {where}/u;
  scgi_temp_path {where}/s;
  server {{ listen 127.0.0.1:{port}; root {where}/www; }} }}
""")
    with program(["nginx", "-c", conf, "-p", where]) as p:
        harness.wait_for("nginx", lambda: answers(port, "/file"))
        worker = subprocess.run(["pgrep", "-P", str(p.pid)],
                                capture_output=True, text=True).stdout
        yield Side("nginx, a static file of the same size", port, "file",
                   int(worker.split()[0]))


@contextlib.contextmanager
def bare(head, body):
    argv = [os.path.join(BUILD, "bench", "bench_bare_uv"), str(head),
            str(body)]
    with program(argv, stdout=subprocess.PIPE, text=True) as p:
        yield Side("bare libuv, as many fixed octets without parsing",
                   int(p.stdout.readline()), "file", p.pid)


def answers(port, path):
    return subprocess.run(["curl", "-s", "-o", "/dev/null",
                           f"http://127.0.0.1:{port}{path}"]).returncode == 0


# --- Ours ---------------------------------------------------------------------------

class Filled:
    """An engine that publishes answers of so many certificates."""

    def __init__(self, kind):
        self.engine = harness.Engine()
        self.engine.init()
        config = self.engine.path("etc", "refrendo.yaml")
        with open(config) as f:
            text = f.read()
        text = re.sub(r"processes: .*", "processes: {status: 1}", text)
        with open(config, "w") as f:
            f.write(re.sub(r"maps: .*",
                           f"maps: {{ledger: 1GiB, public: {MAP_GIB}GiB}}",
                           text))
        self.kind, self.count, self.every = kind, 0, 1
        self.engine.start()
        self.engine.stop()
        self.issuer = os.path.join(self.engine.base, "emisora.der")
        harness.run("openssl", "x509", "-in",
                    self.engine.path("ca", "emisora.pem"), "-outform", "DER",
                    "-out", self.issuer)

    def fill(self, count, every=1):
        """Grows to count, each every-th of the new ones signed; serves."""
        self.engine.stop()
        began = time.monotonic()
        harness.run(os.path.join(BUILD, "bench", "bench_ocsp_fill"),
                    self.engine.dir, str(MAP_GIB),
                    harness.PASSPHRASE.decode().strip(), str(self.count),
                    str(count), str(every))
        filled = time.monotonic()
        self.count, self.every = count, max(every, self.every)
        self.engine.start()
        pid = self.engine.pids["status", 0]
        pin(pid, SERVER)
        size = os.path.getsize(self.engine.path("public", "data.mdb"))
        note(f"{count:,} answers: filled in {filled - began:.1f} s, serving "
             f"{time.monotonic() - filled:.1f} s later, "
             f"{size / count:,.0f} octets of file each")
        return self.side()

    def side(self):
        return Side(f"OCSP by {self.kind.upper()} from status",
                    self.engine.port, self.kind,
                    self.engine.pids["status", 0],
                    (self.issuer, self.count, self.every))

    def memory(self):
        """Resident octets of status that are not of a file's map."""
        with open(f"/proc/{self.engine.pids['status', 0]}/status") as f:
            kib = dict(re.findall(r"Rss(Anon|Shmem):\s+(\d+) kB", f.read()))
        return (int(kib["Anon"]) + int(kib["Shmem"])) * 1024

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.engine.__exit__(*error)


# --- Comparisons ------------------------------------------------------------------------

def alternate(options, sides, others, seconds=SECONDS, rate=0):
    """Answers of each side by pair, and what else the machine did."""
    rows = []
    for side in sides:
        side.load(1)
    for _ in range(options.pairs):
        with Watch([s.pid for s in sides] + others) as watch:
            got = [s.load(seconds, rate) for s in sides]
        rows.append((got, watch.other))
        note("  " + ", ".join(
            f"{g['rate']:,.0f}/s at {g['cpu_us']:.2f} us of CPU"
            + (f" (p50 {g['p50_us']:.0f}, p99 {g['p99_us']:.0f} us)"
               if rate else "") for g in got)
             + f" (other work {watch.other:.1%})")
    return rows


def pairs_of(rows, a, b, what=lambda g: g["rate"]):
    return [(what(got[a]), what(got[b]), other) for got, other in rows]


def spent(rows, i):
    return statistics.median(got[i]["cpu_us"] for got, _ in rows)


def bench(options, kind):
    with contextlib.ExitStack() as stack:
        where = stack.enter_context(tempfile.TemporaryDirectory())
        filled = stack.enter_context(Filled(kind))
        ours = filled.fill(CERTIFICATES)
        sample = ours.load(1)
        assert sample["verified"] > 0, sample
        head, body = sample["head"], sample["body"]
        file = stack.enter_context(nginx(where, body))
        plain = stack.enter_context(bare(head, body))
        others = list(filled.engine.pids.values())
        rows = alternate(options, [ours, file, plain], others)
        inputs = (f"{body} octets of body, {head} of head; "
                  f"{CERTIFICATES:,} serials drawn uniformly; {CONNECTIONS} "
                  "keep-alive connections; busy-polling client; server and "
                  "client on a core each; CPU per answer "
                  f"{spent(rows, 0):.2f} us (nginx {spent(rows, 1):.2f}, "
                  f"bare libuv {spent(rows, 2):.2f}); status holds "
                  f"{filled.memory() / 2**20:.1f} MiB beyond the map")
        name = f"ocsp-{kind}"
        done = [report(options, name, ours.name, file.name,
                       pairs_of(rows, 0, 1), "answers/s", inputs),
                report(options, f"{name}/bare", ours.name, plain.name,
                       pairs_of(rows, 0, 2), "answers/s", inputs)]
        half = min(statistics.median(got[i]["rate"] for got, _ in rows)
                   for i in (0, 1)) / 2
        late = alternate(options, [ours, file], others, 2, round(half))
        done.append(report(
            options, f"{name}/p99", ours.name, file.name,
            pairs_of(late, 0, 1, lambda g: 1e6 / g["p99_us"]),
            "a second is the inverse of p99", f"open loop at {half:,.0f} "
            "requests a second, from the intended instant of sending"))
        done.append(bench_others(options, filled, ours, name, where, others))
        return all(done)


def bench_growth(options):
    """Two of the same server, with few and with very many certificates."""
    with Filled("get") as few, Filled("get") as many:
        sides = [many.fill(MANY, MANY_SIGNED), few.fill(FEW)]
        rows = alternate(options, sides, [
            *few.engine.pids.values(), *many.engine.pids.values()])
        inputs = (f"serials drawn uniformly; {CONNECTIONS} keep-alive "
                  f"connections; one answer in {MANY_SIGNED} of the many is "
                  "signed, and those alone are verified; CPU per answer "
                  f"{spent(rows, 0):.2f} and {spent(rows, 1):.2f} us; status "
                  f"holds {many.memory() / 2**20:.1f} and "
                  f"{few.memory() / 2**20:.1f} MiB beyond the map")
    return report(
        options, "ocsp-10m", f"OCSP by GET with {MANY:,} certificates",
        f"with {FEW:,}", pairs_of(rows, 0, 1), "answers/s", inputs)


# --- Other responders ---------------------------------------------------------------------

def bench_others(options, filled, ours, name, where, others):
    """openssl ocsp and CFSSL: written without such care, or for a test."""
    done = []
    for label, start in (("openssl", openssl_ocsp), ("cfssl", cfssl)):
        with contextlib.ExitStack() as stack:
            side = start(stack, filled, where)
            if side is None:
                continue
            kind = side.kind.removesuffix("-root")
            sides = [Side(f"OCSP ({kind}) from status", ours.port, kind,
                          ours.pid, ours.serials), side]
            rows = alternate(options, sides, others, 1)
            done.append(report(
                options, f"{name}/{label}", sides[0].name, side.name,
                pairs_of(rows, 0, 1), "answers/s",
                f"the same requests ({side.kind}), of 1,000 certificates "
                "there"))
    return all(done)


OTHERS_COUNT = 1000


def responder_argv(filled, where):
    """openssl ocsp with our responder's key; it makes its files once."""
    engine = filled.engine
    index = os.path.join(where, "index.txt")
    key = os.path.join(where, "responder.key")
    cert = os.path.join(where, "responder.pem")
    if not os.path.exists(index):
        with open(index, "w") as f:
            for serial in serials(filled, OTHERS_COUNT):
                f.write(f"V\t351231235959Z\t\t{serial.upper()}\tunknown"
                        f"\t/CN={serial}\n")
        harness.run("openssl", "pkey", "-in",
                    engine.path("keys", "emisora-ocsp.key"), "-passin",
                    "pass:" + harness.PASSPHRASE.decode().strip(), "-out", key)
        harness.run("openssl", "x509", "-inform", "DER", "-in",
                    engine.path("bench-responder"), "-out", cert)
    return ["openssl", "ocsp", "-index", index, "-CA",
            engine.path("ca", "emisora.pem"), "-rsigner", cert, "-rkey", key,
            "-nmin", "60"]


def openssl_ocsp(stack, filled, where):
    """Signs each answer, takes one connection for each."""
    port = harness.free_port()
    p = stack.enter_context(program(
        [*responder_argv(filled, where), "-port", str(port), "-ignore_err"],
        stdout=subprocess.DEVNULL))
    harness.wait_for("openssl ocsp", lambda: listening(port))
    return Side("openssl ocsp, a connection each", port,
                "post-close", p.pid,  # it reads GET at the root alone
                (filled.issuer, OTHERS_COUNT, 0))


def cfssl(stack, filled, where):
    """Answers signed ahead of time, in memory; one status in each answer,
    since it reads no more."""
    program_path = shutil.which("cfssl")
    if program_path is None:
        note("cfssl is not installed (golang-cfssl): not compared")
        return None
    responses = os.path.join(where, "responses")
    with open(responses, "wb") as f:
        for serial in serials(filled, OTHERS_COUNT):
            f.write(base64.b64encode(answer_of(filled, where, serial)) + b"\n")
    port = harness.free_port()
    p = stack.enter_context(program(
        [program_path, "ocspserve", "-address", "127.0.0.1", "-port",
         str(port), "-responses", responses, "-loglevel", "5"],
        stdout=subprocess.DEVNULL))
    harness.wait_for("cfssl", lambda: listening(port))
    return Side("CFSSL ocspserve", port,
                "post-root", p.pid,  # Debian 12's takes no GET as others ask
                (filled.issuer, OTHERS_COUNT, 0))


def answer_of(filled, where, serial):
    out = os.path.join(where, "answer.der")
    harness.run(*responder_argv(filled, where), "-issuer",
                filled.engine.path("ca", "emisora.pem"), "-serial",
                "0x" + serial, "-no_nonce", "-noverify", "-respout", out)
    with open(out, "rb") as f:
        return f.read()


def listening(port):
    """Without a connection, which openssl would wait on."""
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name) as f:
            for line in f.readlines()[1:]:
                local, _, state = line.split()[1:4]
                if local.endswith(f":{port:04X}") and state == "0A":
                    return True
    return False


def mix(x):
    m = (1 << 64) - 1
    x = (x + 0x9e3779b97f4a7c15) & m
    x = ((x ^ x >> 30) * 0xbf58476d1ce4e5b9) & m
    x = ((x ^ x >> 27) * 0x94d049bb133111eb) & m
    return x ^ x >> 31


def serials(filled, count):
    """As bench_serial() in ocsp_serial.h."""
    for i in range(min(count, filled.count)):
        prefix = ((1795514400 + i // 100) << 28) + i
        yield (f"{prefix:016x}{mix(i):016x}"
               f"{mix(i ^ ((1 << 64) - 1)):016x}"[:40])
