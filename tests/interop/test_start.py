"""doc/start.md is true: its commands, as they stand there, lead from init to
a certificate that openssl accepts, to its revocation and to an intact log.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import harness

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECTIONS = range(3, 10)
# What openssl must have said at the end of a command that begins so.
SAYS = {"openssl verify": "maria.pem: OK", "openssl ocsp": "maria.pem: good",
        "refrendo audit verify": "VERDICT: INTACT"}


def commands(text):
    """(section, command) of the indented blocks; a backslash goes on."""
    section = 0
    for line in text.replace("\\\n", " ").splitlines():
        heading = re.match(r"## (\d+)\. ", line)
        if heading:
            section = int(heading.group(1))
        elif line.startswith("    ") and section in SECTIONS:
            yield section, re.sub(r"\s+", " ", line.split(" # ")[0].strip())


class Guide:
    def __init__(self, where):
        self.where = where
        self.dir = os.path.join(where, "ca")
        self.port = harness.free_port()
        self.serial = "SERIAL"
        self.engine = None
        self.ran = 0
        bin_dir = os.path.join(where, "bin")
        os.mkdir(bin_dir)
        os.symlink(harness.REFRENDO, os.path.join(bin_dir, "refrendo"))
        self.passphrase = os.path.join(where, "pass")
        with open(self.passphrase, "w", encoding="ascii") as f:
            f.write("a passphrase of this guide\n")
        self.env = dict(os.environ, REFRENDO_DIR=self.dir, LANG="C.UTF-8",
                        REFRENDO_PASSPHRASE_FD="9",
                        PATH=bin_dir + ":" + os.environ["PATH"])
        self.env.pop("LC_ALL", None)

    def shell(self, command, **more):
        return ["bash", "-c", command + " 9<" + self.passphrase], dict(
            cwd=self.where, env=self.env, stdin=subprocess.DEVNULL, **more)

    def run(self, command):
        if command.startswith("export REFRENDO_DIR"):
            return
        line = command.replace("8080", str(self.port))
        line = line.replace("SERIAL", self.serial)
        if line.startswith("refrendo init"):
            line += f" --listen 127.0.0.1:{self.port}"
        if line.startswith("openssl cms"):
            line += " -passin file:" + self.passphrase
        if line.startswith("openssl req"):
            line += " -passout file:" + self.passphrase
        if "--key " in line:
            line += " --yes"  # nobody is at a terminal to be asked
        if line == "refrendo serve":
            self.serve(line)
            return
        argv, more = self.shell(line)
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=120, **more)
        self.ran += 1
        said = [say for start, say in SAYS.items() if line.startswith(start)]
        # Its signature came before: the guide shows two ways for one act.
        again = line.startswith("refrendo endorse") and "--cms" in line
        if done.returncode != (5 if again else 0) or \
                any(say not in done.stdout for say in said):
            raise AssertionError(f"$ {line}\n{done.stdout}"
                                 f"exit status {done.returncode}")
        self.after(line, done.stdout)

    def serve(self, line):
        argv, more = self.shell("exec " + line)
        with open(os.path.join(self.where, "log"), "w",
                  encoding="utf-8") as log:
            self.engine = subprocess.Popen(argv, stderr=log, **more)
        harness.wait_for("both signers", lambda: subprocess.run(
            [harness.REFRENDO, "doctor", "--dir", self.dir], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self.env).returncode == 0)

    def after(self, line, said):
        """What the guide says in words: files that people are given."""
        if line.startswith("refrendo init"):
            for part in ("ca", "officer"):
                for name in os.listdir(os.path.join(self.dir, part)):
                    shutil.copy(os.path.join(self.dir, part, name),
                                self.where)
        if line.startswith("refrendo endorse") and "--key" in line:
            self.serial = re.search(r"^serial +([0-9a-f]+)$", said,
                                    re.M).group(1)

    def stop(self):
        if self.engine:
            self.engine.send_signal(signal.SIGTERM)
            self.engine.wait(60)


def main():
    if not harness.REFRENDO:
        print("skipped: no program was built")
        return 77
    for program in ("bash", "openssl", "curl"):
        harness.need(program)
    with open(os.path.join(ROOT, "doc", "start.md"), encoding="utf-8") as f:
        todo = list(commands(f.read()))
    assert len(todo) > 20, "the guide has too few commands to mean anything"
    with tempfile.TemporaryDirectory() as where:
        guide = Guide(where)
        try:
            for _, command in todo:
                guide.run(command)
        except AssertionError as wrong:
            print(wrong)
            return 1
        finally:
            guide.stop()
        print(f"{guide.ran} commands of doc/start.md did what it says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
