"""Start of an engine with a thousand issuing CAs against one with one."""
import os
import statistics

from common import BUSY, Watch, note, report
import harness

CAS = 1000
STARTS = 4  # of each, for each pair that was asked for


def installation(stack, cas):
    """A stopped one, whose lists and responders were made before."""
    engine = stack.enter_context(harness.Engine())
    engine.init()
    engine.start()
    engine.populate(people=1)
    assert engine.stop() == 0
    if cas > 0:
        engine.make_cas(cas)
    engine.start_seconds()
    assert engine.stop() == 0
    return engine


def start(engine):
    """Milliseconds."""
    since = len(engine.log)
    seconds = engine.start_seconds()
    assert engine.stop() == 0
    assert not any("crl-published" in line for line in engine.log[since:])
    return seconds * 1000


def bench(options, stack):
    note(f"making {CAS:,} CAs")
    few, many = installation(stack, 0), installation(stack, CAS)
    rows = []
    for _ in range(options.pairs * STARTS):
        with Watch([os.getpid()]) as watch:
            one = start(few)
            all_ = start(many)
        rows.append((all_, one, watch.other))
        note(f"  {all_:.0f} ms, with one CA {one:.0f} ms "
             f"(other work {watch.other:.1%})")
    done = report(
        options, "start", f"start with {CAS + 1:,} issuing CAs",
        "start with 1", rows, "ms",
        "`refrendo serve` until it is ready and the signer has told core what "
        f"it has; {len(rows)} starts of each, in turn; keys of files, each "
        "behind 600,000 rounds of PBKDF2; lists and responders made before")
    if done and not options.json:
        more = statistics.median(a - b for a, b, other in rows
                                 if other <= BUSY)
        print(f"  difference: median {more:+.1f} ms, "
              f"{more * 1000 / CAS:+.0f} us a CA", flush=True)
    return done
