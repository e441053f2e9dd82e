#!/usr/bin/env python3
"""More certificates by RSA than core lets the signer have ahead: those that
wait in core are signed too, also when the signer is killed meanwhile."""
import concurrent.futures
import os
import signal

import harness

COUNT = 40  # more than AHEAD_SLOW of core_ask.c


def requests(engine):
    return [engine.request(holder)["id"] for holder in engine.holders]


def all_issued(pool, engine, asked):
    ends = [pool.submit(engine.endorse, request) for request in asked]
    return ends, lambda: [end.result()["state"] for end in ends]


def with_signer_stopped(pool, engine, then):
    """Evidence is checked by core when the signer is silent; so all of them
    wait for a signature when it is let go, or killed."""
    asked = requests(engine)
    pid = engine.pids["signer", 0]
    os.kill(pid, signal.SIGSTOP)
    _, states = all_issued(pool, engine, asked)
    harness.wait_for("all of them to be endorsed", lambda: all(
        engine.cli("request", "show", request)["state"] == "endorsed"
        for request in asked))
    then(pid)
    assert states() == ["issued"] * COUNT


def main():
    with harness.Engine() as engine, \
            concurrent.futures.ThreadPoolExecutor(COUNT) as pool:
        engine.init("--keys", "issuer=rsa-3072")
        engine.start()
        engine.populate(people=COUNT)
        _, states = all_issued(pool, engine, requests(engine))
        assert states() == ["issued"] * COUNT
        with_signer_stopped(
            pool, engine, lambda pid: os.kill(pid, signal.SIGCONT))
        with_signer_stopped(
            pool, engine, lambda pid: engine.kill("signer"))
        engine.audit()


if __name__ == "__main__":
    main()
