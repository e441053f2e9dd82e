"""The systemd unit is accepted by systemd itself, stays hardened, and says
what doc/start.md and the engine rely on.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(ROOT, "etc", "systemd", "refrendo.service")
EXPOSURE = 30  # of 100, as systemd-analyze security counts it

# What other parts of the project count on; each with who does.
NEEDED = {
    "Type=notify": "engine/parent.c sends READY=1 once",
    "KillMode=mixed": "the parent stops the roles in their order",
    "LoadCredential=refrendo-passphrase:": "engine/passphrase.c",
    "ExecReload=kill -HUP $MAINPID": "policies are read again at SIGHUP",
    "ExecStart=/usr/bin/refrendo serve --dir": "doc/start.md",
}


def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def main():
    wrong = []
    with open(UNIT, encoding="utf-8") as f:
        text = f.read()
    for line, who in NEEDED.items():
        if not re.search("^" + re.escape(line), text, re.M):
            wrong.append(f"{line} is not in the unit: {who}")
    print("\n".join(wrong) or "the unit says what is relied on")
    if wrong:
        return 1
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze here: the unit was not verified")
        return 77
    with tempfile.TemporaryDirectory() as where:
        copy = os.path.join(where, "refrendo.service")
        # verify wants a program that is there.
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text.replace("/usr/bin/refrendo", "/bin/true"))
        code, said = run("systemd-analyze", "verify", "--man=no", copy)
        if "Failed to initialize manager" in said:
            print("systemd-analyze cannot run here:", said.strip())
            return 77
        # It warns about a word that it does not know and still ends with 0.
        about = [x for x in said.splitlines() if "refrendo.service" in x]
        if code != 0 or about:
            wrong.append("systemd-analyze verify:\n" + said)
        code, said = run("systemd-analyze", "security", "--offline=true",
                         f"--threshold={EXPOSURE}", copy)
        if code != 0:
            wrong.append("systemd-analyze security:\n" + said[-400:])
    print("\n".join(wrong) or "systemd accepts the unit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
