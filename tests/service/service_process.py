# SPDX-License-Identifier: Apache-2.0
"""tallycard-issuerd in a process of its own, on loopback, and requests to it."""
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import threading


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class ServiceProcess:
    place = "src/service/tallycard-issuerd"

    def __init__(self, build, *words, environment=None):
        self.program = str(pathlib.Path(build) / self.place)
        self.events, self.changed = [], threading.Condition()
        self.process = subprocess.Popen(
            [self.program, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env=(environment or os.environ) | {"TALLYCARD_ISSUER": ""})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.port = self.wait_for("serving")["port"]
        self.url = f"https://127.0.0.1:{self.port}"

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.events.append(line)
                self.changed.notify_all()
        with self.changed:
            self.events.append(None)
            self.changed.notify_all()

    def wait_for(self, event, **fields):
        """The last event of that name with these fields: a JSON object on one line."""
        wanted = [f'"event":"{event}"', *(f'"{name}":"{of}"' for name, of in fields.items())]
        def found():
            lines = [line for line in self.events if line and all(w in line for w in wanted)]
            return lines or [line for line in self.events if line is None]
        with self.changed:
            assert self.changed.wait_for(found, timeout=60), f"never: {event}\n{self.log()}"
            line = found()[-1]
        assert line is not None, f"ended before: {event}\n{self.log()}"
        return json.loads(line)

    def log(self):
        return "".join(line or "" for line in self.events)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        self.process.stderr.close()
        return code

    def connection(self, authority):
        context = ssl.create_default_context(cafile=str(authority))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def request(self, authority, method, path, token=None, body=None):
        connection = self.connection(authority)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return reply


class WitnessProcess(ServiceProcess):
    place = "src/witness/tallycard-witness"
