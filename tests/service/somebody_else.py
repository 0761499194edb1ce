# SPDX-License-Identifier: Apache-2.0
"""A log and a witness that are not ours: Python and OpenSSL, written from C2SP's texts."""
import base64
import hashlib
import http.server
import re
import ssl
import struct
import subprocess
import threading

LOG, WITNESS = 1, 4


def openssl(*words, data=None):
    return subprocess.run(["openssl", *map(str, words)], check=True, input=data,
                          capture_output=True).stdout


class Key:
    """An Ed25519 key of somebody else's program."""

    def __init__(self, folder, name, kind):
        self.name, self.kind, self.file = name, kind, folder / f"{name.replace('/', '-')}.pem"
        self.message = folder / f"{self.file.stem}.message"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        self.public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        material = bytes([kind]) + self.public
        self.id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(material).decode()}"

    def sign(self, message):
        self.message.write_bytes(message)
        return openssl("pkeyutl", "-sign", "-inkey", self.file, "-rawin", "-in", self.message)

    def line(self, signature):
        return f"\u2014 {self.name} {base64.b64encode(self.id + signature).decode()}\n"

    def cosign(self, text, time):
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        return self.line(struct.pack(">Q", time) + self.sign(message))


def verifies(folder, vkey, line, text):
    """Whether the owner of `vkey` cosigned the text with this line."""
    name, key_id, material = vkey.split("+", 2)
    match = re.fullmatch("\u2014 (\\S+) (\\S+)\n", line)
    blob = base64.b64decode(match[2])
    time = struct.unpack(">Q", blob[4:12])[0]
    prefix = bytes.fromhex("302a300506032b6570032100")
    for file, content in (("pub", prefix + base64.b64decode(material)[1:]),
                          ("sig", blob[12:]),
                          ("msg", f"cosignature/v1\ntime {time}\n{text}".encode())):
        (folder / file).write_bytes(content)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                           folder / "pub", "-rawin", "-sigfile", folder / "sig", "-in",
                           folder / "msg"], capture_output=True)
    return match[1] == name and blob[:4].hex() == key_id and done.returncode == 0


class ForeignWitness:
    """Keeps the size alone: what it has to say is how the protocol goes."""

    def __init__(self, folder):
        self.key, self.size, self.requests = Key(folder, "foreign.example", WITNESS), 0, 0
        certificate = folder / "foreign.crt"
        openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", folder / "foreign.key",
                "-out", certificate, "-days", "2", "-subj", "/CN=foreign",
                "-addext", "subjectAltName=IP:127.0.0.1")
        self.certificate = certificate
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, kind, text = outer.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, folder / "foreign.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/tally"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, path, body):
        self.requests += 1
        if path != "/tally/add-checkpoint":
            return 404, "text/plain", "no such path\n"
        head, note = body.split("\n\n", 1)
        old = int(re.match(r"old (\d+)(\n|$)", head)[1])
        text = note[:note.rindex("\n\n") + 1]
        if old != self.size:
            return 409, "text/x.tlog.size", f"{self.size}\n"
        self.size = int(text.split("\n")[1])
        # Beside its own a line of a key that nobody knows here, as C2SP allows.
        return 200, "text/plain", "\u2014 other.example AAAAAAAA\n" + self.key.cosign(text, 1000)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class ForeignLog:
    def __init__(self, folder, name):
        self.key, self.leaves = Key(folder, name, LOG), []

    def grow(self, size):
        while len(self.leaves) < size:
            self.leaves.append(hashlib.sha256(b"\0" + str(len(self.leaves)).encode()).digest())

    @staticmethod
    def middle(count):
        return 1 << ((count - 1).bit_length() - 1)

    def root(self, leaves):
        if len(leaves) < 2:
            return leaves[0] if leaves else hashlib.sha256(b"").digest()
        k = self.middle(len(leaves))
        return hashlib.sha256(b"\1" + self.root(leaves[:k]) + self.root(leaves[k:])).digest()

    def proof(self, old, leaves, whole=True):
        if old == len(leaves):
            return [] if whole else [self.root(leaves)]
        k = self.middle(len(leaves))
        if old <= k:
            return [*self.proof(old, leaves[:k], whole), self.root(leaves[k:])]
        return [*self.proof(old - k, leaves[k:], False), self.root(leaves[:k])]

    def text(self, size):
        root = base64.b64encode(self.root(self.leaves[:size])).decode()
        return f"{self.key.name}\n{size}\n{root}\nan extension of this log\n"

    def request(self, old, size):
        self.grow(size)
        proof = self.proof(old, self.leaves[:size]) if old else []
        lines = "".join(base64.b64encode(each).decode() + "\n" for each in proof)
        text = self.text(size)
        return f"old {old}\n{lines}\n{text}\n{self.key.line(self.key.sign(text.encode()))}"
