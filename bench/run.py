#!/usr/bin/env python3
"""./dev bench [NAME] [--json] [--pairs N]: side-by-side comparisons.

Each starts both sides itself, alternates them A B A B after a warm-up, pins
server and load generator to different cores where it measures one server
core, checks what it counts, and prints median, range and the ratio pair by
pair.  Nothing here is a test: figures depend on the machine, ratios less so.
"""
import argparse
import base64
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "release")
os.environ.setdefault("REFRENDO", os.path.join(BUILD, "refrendo"))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import harness  # noqa: E402

BUSY = 0.05  # other work on the pinned cores that spoils a pair
CERTIFICATES = 10000
SECONDS = 4
CONNECTIONS = 64


def note(text):
    print(text, file=sys.stderr, flush=True)


# --- The machine ----------------------------------------------------------------

def cpu_times():
    """Busy jiffies of each core, and of this process's children by pid."""
    busy = {}
    for line in open("/proc/stat"):
        if re.match(r"cpu\d", line):
            name, *t = line.split()
            t = list(map(int, t))
            busy[int(name[3:])] = sum(t) - t[3] - t[4]
    return busy


def process_time(pids):
    total = 0
    for pid in pids:
        try:
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


class Watch:
    """How much of all cores went to work that is not ours."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.cores, self.ours = cpu_times(), process_time(self.pids)
        self.kids = sum(os.times()[2:4])
        self.began = time.monotonic()
        return self

    def __exit__(self, *error):
        tick = os.sysconf("SC_CLK_TCK")
        took = time.monotonic() - self.began
        now = cpu_times()
        busy = sum(now[c] - self.cores[c] for c in now) / tick
        ours = (process_time(self.pids) - self.ours) / tick
        ours += sum(os.times()[2:4]) - self.kids
        self.other = max(0.0, (busy - ours) / (took * len(now)))


def pin(pid, core):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {core})


# --- Printing --------------------------------------------------------------------

def report(options, name, value, against, rows, unit, inputs):
    """rows: (ours, theirs, other) for each pair."""
    good = [r for r in rows if r[2] <= BUSY]
    if len(good) < max(3, len(rows) // 2):
        note(f"{name}: other work used more than {BUSY:.0%} of the cores in "
             f"{len(rows) - len(good)} of {len(rows)} pairs; no ratio")
        return False
    ratios = [a / b for a, b, _ in good]
    ours = [a for a, _, _ in good]
    theirs = [b for _, b, _ in good]
    if options.json:
        print(json.dumps({
            "name": name, "value": round(statistics.median(ours), 1),
            "against": round(statistics.median(theirs), 1),
            "ratio": round(statistics.median(ratios), 3)}), flush=True)
        return True
    print(f"{name}: {value} against {against}")
    print(f"  inputs: {inputs}")
    for label, v in ((value, ours), (against, theirs)):
        print(f"  {label}: median {statistics.median(v):,.0f} {unit} "
              f"({min(v):,.0f} to {max(v):,.0f})")
    print(f"  ratio: {statistics.median(ratios):.3f}; pair by pair "
          + " ".join(f"{r:.3f}" for r in ratios), flush=True)
    return True


# --- Issuance ---------------------------------------------------------------------

def populated():
    engine = harness.Engine()
    engine.init()
    # What is measured is not the ceiling on certificates in an hour.
    ceilings = engine.path("etc", "signer.yaml")
    with open(ceilings) as f:
        text = f.read()
    with open(ceilings, "w") as f:
        f.write(re.sub(r"per_hour: \d+", "per_hour: 100000000", text))
    engine.start()
    engine.populate(people=CONNECTIONS)
    return engine


def issue_rows(engine, count, pairs):
    argv = [os.path.join(BUILD, "bench", "bench_issue"),
            engine.path("run", "admin.sock"), harness.INSTITUTION, harness.OPERATOR,
            "funcionario-firma", *engine.minister, str(count),
            str(CONNECTIONS), str(pairs), *engine.holders]
    client = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    rows = []
    pids = [engine.process.pid, *engine.pids.values(), client.pid]
    watch = Watch(pids)
    watch.__enter__()
    for line in client.stdout:
        watch.__exit__()
        row = json.loads(line)
        assert row["failed"] == 0, row
        rows.append((row["rate"], row["allowed"], watch.other))
        note(f"  {row['rate']:,.0f} certificates/s of {row['allowed']:,.0f} "
             f"(sign {row['sign_us']} us, verify {row['verify_us']} us; "
             f"other work {watch.other:.1%})")
        watch.__enter__()
    assert client.wait() == 0, "the load generator failed"
    return rows


def bench_issue(options):
    with populated() as engine:
        note("warming up")
        issue_rows(engine, 500, 1)
        rows = issue_rows(engine, 2000, options.pairs)
        engine.audit()
    return report(
        options, "issue", "certificates through all nine steps, durable",
        "the sum of their own cryptography", rows, "certificates/s",
        "P-256; 64 requests in flight; 2,000 certificates a pair; client on "
        "the same cores; per certificate 3 signatures and 2 verifications")


# --- OCSP ------------------------------------------------------------------------------

WRK = """
local n, paths, bodies = 0, {}, {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local post = %s
if post then
  for i, name in ipairs(paths) do
    local f = io.open(name, "rb"); bodies[i] = f:read("*a"); f:close()
  end
end
request = function()
  local i = math.random(#paths)
  if post then
    return wrk.format("POST", "/ocsp",
      {["Content-Type"] = "application/ocsp-request"}, bodies[i])
  end
  return wrk.format("GET", paths[i])
end
local bad = 0
response = nil
done = function(s, l, r)
  io.stderr:write(string.format("%%d %%d %%d\\n", s.requests, s.duration,
    s.errors.status + s.errors.read + s.errors.write + s.errors.connect))
end
"""


def wrk(core, url, script, seconds):
    p = subprocess.run(
        ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}",
         f"-d{seconds}s", "-s", script, url], capture_output=True, text=True)
    requests, us, errors = map(int, p.stderr.split()[-3:])
    assert errors == 0, p.stdout + p.stderr
    return requests / (us / 1e6)


def ocsp_requests(engine, serials, where):
    """DER requests in files, and their GET paths."""
    issuer = engine.path("ca", "emisora.pem")
    first = os.path.join(where, "q.der")
    harness.run("openssl", "ocsp", "-issuer", issuer, "-serial",
                "0x" + serials[0], "-no_nonce", "-reqout", first)
    der = open(first, "rb").read()
    mark = bytes.fromhex(serials[0])
    assert der.count(mark) == 1
    files, paths = [], []
    for i, serial in enumerate(serials):
        one = der.replace(mark, bytes.fromhex(serial))
        name = os.path.join(where, f"{i}.der")
        with open(name, "wb") as f:
            f.write(one)
        files.append(name)
        paths.append("/ocsp/" + urllib.parse.quote(
            base64.b64encode(one).decode(), safe=""))
    return files, paths


def start_nginx(where, size, core):
    port = harness.free_port()
    os.makedirs(os.path.join(where, "www"), exist_ok=True)
    with open(os.path.join(where, "www", "file"), "wb") as f:
        f.write(os.urandom(size))
    conf = os.path.join(where, "nginx.conf")
    with open(conf, "w") as f:
        # Its worker must be able to read what is ours alone.
        user = "user root;" if os.geteuid() == 0 else ""
        f.write(f"""{user} daemon off; worker_processes 1; pid {where}/pid;
error_log {where}/error.log; worker_cpu_affinity {1 << core:b};
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; sendfile on;
  open_file_cache max=100; tcp_nopush off; types {{ }}
  default_type application/ocsp-response;
  client_body_temp_path {where}/b; proxy_temp_path {where}/p;
  fastcgi_temp_path {where}/f; uwsgi_temp_path {where}/u;
  scgi_temp_path {where}/s;
  server {{ listen 127.0.0.1:{port}; root {where}/www;
    location = /ocsp {{ error_page 405 =200 /file; }} }} }}
""")
    p = subprocess.Popen(["nginx", "-c", conf, "-p", where],
                         stderr=subprocess.DEVNULL)
    harness.wait_for("nginx", lambda: subprocess.run(
        ["curl", "-sf", "-o", "/dev/null", f"http://127.0.0.1:{port}/file"]
    ).returncode == 0)
    return p, f"http://127.0.0.1:{port}"


def bench_ocsp(options, name, post):
    with populated() as engine, tempfile.TemporaryDirectory() as where:
        note(f"issuing {CERTIFICATES:,} certificates")
        issue_rows(engine, CERTIFICATES, 1)
        serials, after = [], []
        while True:
            page = engine.cli("cert", "ls", "--limit", "500", *after)
            serials += [c["serial"] for c in page["items"]
                        if c["issuer"] == "emisora"]
            if not page.get("next"):
                break
            after = ["--after", page["next"]]
        files, paths = ocsp_requests(engine, serials, where)
        # A sample is verified before anything is counted.
        for serial in random.sample(serials, 5):
            assert engine.ocsp(engine.pem(serial)) == "good"
        body = harness.run("curl", "-s", engine.url + paths[0]).stdout
        head = harness.run("curl", "-s", "-D", "-", "-o", "/dev/null",
                           engine.url + paths[0]).stdout
        listed = os.path.join(where, "list")
        with open(listed, "w") as f:
            f.write("\n".join(files if post else paths) + "\n")
        script = os.path.join(where, "ours.lua")
        with open(script, "w") as f:
            f.write(WRK % (listed, "true" if post else "false"))
        # nginx gets the same requests in kind and answers as many octets.
        theirs = os.path.join(where, "theirs.lua")
        with open(theirs, "w") as f:
            f.write('request = function() return wrk.format("GET", "/file")'
                    ' end\n' + WRK[WRK.index("done ="):] % ())
        server, client = 0, 1
        pin(engine.pids["status", 0], server)
        nginx, url = start_nginx(where, len(body), server)
        try:
            rows = []
            wrk(client, engine.url, script, 1)
            wrk(client, url, theirs, 1)
            for _ in range(options.pairs):
                pids = [engine.process.pid, nginx.pid,
                        *engine.pids.values(),
                        *map(int, subprocess.run(
                            ["pgrep", "-P", str(nginx.pid)],
                            capture_output=True, text=True).stdout.split())]
                with Watch(pids) as watch:
                    ours = wrk(client, engine.url, script, SECONDS)
                    file = wrk(client, url, theirs, SECONDS)
                rows.append((ours, file, watch.other))
                note(f"  {ours:,.0f} OCSP answers/s, {file:,.0f} files/s "
                     f"(other work {watch.other:.1%})")
        finally:
            nginx.terminate()
            nginx.wait()
        # What was served is still right.
        for serial in random.sample(serials, 5):
            assert engine.ocsp(engine.pem(serial)) == "good"
    return report(
        options, name, f"OCSP by {'POST' if post else 'GET'} from status",
        "nginx, a static file of the same size", rows, "answers/s",
        f"{len(body)} octets of body, {len(head)} of head; "
        f"{len(serials):,} serials drawn uniformly; {CONNECTIONS} keep-alive "
        f"connections; wrk, one thread; server and client on a core each")


# --- Policies ----------------------------------------------------------------------------

POLICIES = os.path.join(ROOT, "etc", "policies")


def policy_rows(pairs, *more):
    """One row of microseconds for each pair, and what else ran meanwhile."""
    argv = [os.path.join(BUILD, "bench", "bench_policy"), str(pairs), *more]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    watch = Watch([child.pid])
    watch.__enter__()
    for line in child.stdout:
        watch.__exit__()
        yield json.loads(line), watch.other
        watch.__enter__()
    assert child.wait() == 0, "bench_policy failed"


def bench_policy_eval(options):
    """The slowest of the samples."""
    files = sorted(os.path.join(POLICIES, f) for f in os.listdir(POLICIES)
                   if f.endswith(".yaml"))
    names = [os.path.basename(f).removesuffix(".yaml") for f in files]
    slowest = None
    for name in names:
        rows = []
        for row, other in policy_rows(
                options.pairs, os.path.join(ROOT, "etc", "signer.yaml"), name,
                *files):
            rows.append((1e6 / row["evaluate_us"], 1e6 / row["sign_us"],
                         other))
            note(f"  {name}: {row['evaluate_us']:.1f} us; a signature "
                 f"{row['sign_us']:.1f} us (other work {other:.1%})")
        ratio = statistics.median(a / b for a, b, _ in rows)
        if slowest is None or ratio < slowest[0]:
            slowest = ratio, name, rows
    return report(
        options, "policy-eval", "evaluations of a policy for one request",
        "ECDSA P-256 signatures", slowest[2], "a second",
        f"{slowest[1]}, the slowest of {len(names)} samples; every rule "
        "passes; one arena, reset for each; one core")


# What makes every certificate another one: the dearest that a simulation meets.
CANDIDATE = [
    ("version: 1", "version: 2"),
    ("default: 2y", "default: 1y"),
    ("extended: [emailProtection, clientAuth]", "extended: [clientAuth]"),
]


def candidates(engine, where):
    """The policy as it is but for its version, and one that changes much."""
    with open(engine.path("etc", "policies", "funcionario-firma.yaml")) as f:
        text = f.read()
    names = []
    for name, changes in (("same", CANDIDATE[:1]), ("other", CANDIDATE)):
        new = text
        for old, value in changes:
            assert old in new, old
            new = new.replace(old, value, 1)
        names.append(os.path.join(where, name + ".yaml"))
        with open(names[-1], "w") as f:
            f.write(new)
    return names


def simulate(engine, candidate, *more):
    """Seconds for each request, from start to end of the program."""
    began = time.monotonic()
    p = subprocess.run(
        [os.environ["REFRENDO"], "policy", "simulate", candidate, "--dir",
         engine.dir, "--json", "--limit", "0", *more], capture_output=True,
        text=True, check=True, env=engine.env)
    took = time.monotonic() - began
    counts = json.loads(p.stdout)["counts"]
    assert counts["not_judged"] == 0, counts
    return took / counts["requests"], counts


def bench_policy_simulate(options):
    with populated() as engine, tempfile.TemporaryDirectory() as where:
        note(f"issuing {CERTIFICATES:,} certificates")
        issue_rows(engine, CERTIFICATES, 1)
        export = os.path.join(where, "export.jsonl")
        engine.cli("audit", "export", export)
        engine.stop()
        same, other = candidates(engine, where)
        simulate(engine, same)
        rows = []
        for row, other_work in policy_rows(options.pairs):
            with Watch([]) as watch:
                differ, counts = simulate(engine, other)
                assert counts["differ"] == counts["requests"], counts
                equal, counts = simulate(engine, same)
                assert counts["same"] == counts["requests"], counts
            each = (differ + equal) / 2
            rows.append((1 / each, 1e6 / row["sign_us"],
                         max(other_work, watch.other)))
            lines, _ = simulate(engine, same, "--export", export)
            note(f"  {each * 1e6:.1f} us a request ({differ * 1e6:.1f} where "
                 f"all differ, {equal * 1e6:.1f} where none does, "
                 f"{lines * 1e6:.1f} from an export); a signature "
                 f"{row['sign_us']:.1f} us (other work {watch.other:.1%})")
        requests = counts["requests"]
    return report(
        options, "policy-simulate", "requests judged by another policy",
        "ECDSA P-256 signatures", rows, "a second",
        f"{requests:,} requests of a ledger, from start to end of the "
        "program; half of the runs with certificates that all differ")


BENCHES = {
    "issue": bench_issue,
    "ocsp-get": lambda o: bench_ocsp(o, "ocsp-get", False),
    "ocsp-post": lambda o: bench_ocsp(o, "ocsp-post", True),
    "policy-eval": bench_policy_eval,
    "policy-simulate": bench_policy_simulate,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", choices=[*BENCHES, []],
                        help="all when none is named")
    parser.add_argument("--json", action="store_true",
                        help="one object a line: name, value, against, ratio")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    done = [BENCHES[n](options) for n in options.name or BENCHES]
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
