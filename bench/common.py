"""What the benches share: the machine, how much else it did, and printing."""
import json
import os
import re
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "release")
os.environ.setdefault("REFRENDO", os.path.join(BUILD, "refrendo"))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import harness  # noqa: E402

BUSY = 0.05  # other work on the pinned cores that spoils a pair
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

def report(options, name, value, against, rows, unit, inputs, digits=0):
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
        print(f"  {label}: median {statistics.median(v):,.{digits}f} {unit} "
              f"({min(v):,.{digits}f} to {max(v):,.{digits}f})")
    print(f"  ratio: {statistics.median(ratios):.3f}; pair by pair "
          + " ".join(f"{r:.3f}" for r in ratios), flush=True)
    return True
