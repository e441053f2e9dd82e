"""The trust kernel stays small, and links nothing that it does not need.

Counted is code: lines that are neither blank nor comment nor an include.  The
kernel is what judges, remembers and answers in the process that holds CA keys;
the other files of the folder are the codec that core shares, the custody of
keys and roots (loading them, and the file of keys made here), what only the ocsp-signer does, and what reads a journal for audits
(decisions 0037, 0042).
"""
import os
import re
import subprocess
import sys

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
KERNEL_MAX = 2500
FOLDER_MAX = 4500     # code of all files
LINES_MAX = 5320      # of all files, comments and blank lines too
BESIDE = {"messages.c", "setup.c", "cas.c", "cas_file.c", "cas_offline.c",
          "roots.c", "ocsp.c", "past.c"}
LAYERS = {"base", "pkix", "crl", "ocsp", "policy", "audit"}
# Needed by nothing in the folder: loops, databases, HTTP, jansson, TLS.
LIBRARIES = ("libuv", "liblmdb", "libjansson", "libhttp_parser", "libllhttp",
             "libssl", "libseccomp")
SYMBOLS = re.compile(r" U (uv_|mdb_|http_parser_|llhttp_|json_(load|dump|"
                     r"object_get|decref|delete)|SSL_)")


def code_of(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.S)
    return sum(1 for line in text.split("\n")
               if line.strip() and not line.startswith("#include"))


def count(faults):
    kernel = folder = lines = 0
    for name in sorted(os.listdir(os.path.join(SOURCE, "signer"))):
        if not name.endswith(".c"):
            continue
        with open(os.path.join(SOURCE, "signer", name)) as f:
            text = f.read()
        lines += text.count("\n")
        folder += code_of(text)
        kernel += 0 if name in BESIDE else code_of(text)
    for what, n, most in (("the kernel", kernel, KERNEL_MAX),
                          ("signer/", folder, FOLDER_MAX),
                          ("signer/ with comments", lines, LINES_MAX)):
        if n >= most:
            faults.append(f"{what} has {n} lines where {most} is the end: "
                          "take something out")
    return kernel, folder, lines


def layers(faults):
    with open(os.path.join(SOURCE, "layers.txt")) as f:
        granted = re.search(r"^signer:(.*)$", f.read(), re.M)[1].split()
    more = set(granted) - LAYERS
    if more:
        faults.append(f"signer may include {', '.join(sorted(more))}")


def linked(faults):
    """What the folder and all below it need, by a program of nothing else;
    and the main of the role, which is in engine/."""
    refrendo = os.environ.get("REFRENDO", "")
    build = os.path.dirname(refrendo)
    program = os.path.join(build, "tests", "test_hostile_local")
    main = os.path.join(build, "CMakeFiles", "engine.dir", "engine",
                        "role_signer.c.o")
    if not os.path.exists(program) or not os.path.exists(main):
        return "not built: libraries and symbols were not looked at"
    needed = subprocess.run(["readelf", "-d", program], capture_output=True,
                            text=True, check=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.*?)\.so", needed)
    for name in needed:
        if name.startswith(LIBRARIES):
            faults.append(f"signer/ links {name}")
    names = subprocess.run(["nm", "-u", main], capture_output=True, text=True,
                           check=True).stdout
    for line in names.split("\n"):
        if SYMBOLS.search(line):
            faults.append(f"engine/role_signer.c calls {line.split()[-1]}")
    return "links " + ", ".join(sorted(needed))


def main():
    faults = []
    kernel, folder, lines = count(faults)
    layers(faults)
    said = linked(faults)
    for fault in faults:
        print(fault)
    print(f"kernel {kernel} of {KERNEL_MAX}, signer/ {folder}, with comments "
          f"{lines}; {said}; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
