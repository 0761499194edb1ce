# SPDX-License-Identifier: Apache-2.0
"""openapi_test.py BUILD: the description of the interface, held against a running service: every
path of it is there, every answer has the form that it says, and nothing is served beside it."""
import hashlib
import pathlib
import re
import secrets
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from program_test import SOURCE, Served  # noqa: E402



class Schema:
    """The part of JSON Schema that the description uses; anything else in it is an error."""
    KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern",
             "minimum", "maximum", "format", "description", "$ref"}

    def __init__(self, description):
        self.schemas = description["components"]["schemas"]

    def check(self, value, schema, at="$"):
        assert set(schema) <= self.KNOWN, f"{at}: {set(schema) - self.KNOWN}"
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            return self.check(value, self.schemas[name], at)
        kind = schema["type"]
        types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
        assert isinstance(value, types[kind]), f"{at}: {value!r} is no {kind}"
        assert kind != "integer" or not isinstance(value, bool), f"{at}: {value!r}"
        if "enum" in schema:
            assert value in schema["enum"], f"{at}: {value!r}"
        if "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{at}: {value!r}"
        if kind == "integer":
            assert schema.get("minimum", value) <= value <= schema.get("maximum", value), at
        if kind == "array":
            for i, item in enumerate(value):
                self.check(item, schema["items"], f"{at}[{i}]")
        if kind == "object":
            assert schema["additionalProperties"] is False, at
            missing = set(schema.get("required", ())) - set(value)
            unknown = set(value) - set(schema["properties"])
            assert not missing and not unknown, f"{at}: {missing} missing, {unknown} unknown"
            for name, item in value.items():
                self.check(item, schema["properties"][name], f"{at}.{name}")


def parts(data):
    """The fields of an object, each as (tag, its bytes with tag and length, its value)."""
    found, at = [], 0
    while at < len(data):
        tag, size, begin = data[at], data[at + 1], at + 2
        if size >= 0x80:
            begin += size & 0x7F
            size = int.from_bytes(data[at + 2:begin], "big")
        found.append((tag, data[at:begin + size], data[begin:begin + size]))
        at = begin + size
    return found


def order_of(entry):
    """The order that an entry of the ledger has, as it was sent."""
    [(_, _, fields)] = parts(bytes.fromhex(entry["object"]))
    record = next(value for tag, _, value in parts(fields) if tag == 0xE8)
    found = {tag: (whole, value) for tag, whole, value in parts(record)}
    return {"order": {"object": found[0xE5][0].hex()}, "owner": found[0x9C][1].hex()}


class Description(Served):
    def setUp(self):
        super().setUp()
        self.add_merchant()
        self.description = self.request("GET", "/v1/openapi.json", None).json()
        self.schema = Schema(self.description)
        self.checked = set()

    def add_merchant(self):
        """A client "merchant-1" for the account SHOP-1."""
        token = secrets.token_urlsafe(32)
        (self.folder / "merchant-1.token").write_text(token + "\n")
        with (self.folder / "clients").open("a") as clients:
            clients.write("\n[client merchant-1]\nroles = merchant\naccounts = SHOP-1\n"
                          f"token-sha256 = {hashlib.sha256(token.encode()).hexdigest()}\n")
        self.service.signal(signal.SIGHUP)
        self.service.wait_for("reloaded")

    def call(self, method, pattern, client, body=None, path=None):
        """One request, and its answer as described; the body, too, is as described."""
        operation = self.description["paths"][pattern][method.lower()]
        if body is not None:
            wanted = operation["requestBody"]["content"]["application/json"]["schema"]
            self.schema.check(body, wanted)
        reply = self.request(method, path or pattern, client, body)
        described = operation["responses"]["200" if reply.status == 200 else "default"]
        if "$ref" in described:
            name = described["$ref"].removeprefix("#/components/responses/")
            described = self.description["components"]["responses"][name]
        kind, content = next(iter(described["content"].items()))
        self.assertEqual(reply.headers["Content-Type"], kind)
        if "$ref" in content["schema"]:
            self.schema.check(reply.json(), content["schema"], pattern)
        if reply.status == 200:
            self.checked.add((method.lower(), pattern))
        return reply

    def test_the_file_is_the_one_that_is_served(self):
        file = SOURCE / "src/service/openapi.json"
        self.assertEqual(self.request("GET", "/v1/openapi.json", None).body, file.read_bytes())

    def test_every_operation_answers_as_it_is_described(self):
        self.issue()
        card = self.call("GET", "/v1/cards", "auditor").json()["cards"][0]
        card_id = card["card_id"]

        def at(pattern, **values):
            return re.sub(r"{(.*?)}", lambda match: values[match[1]], pattern)

        def card_call(method, what, client, body=None):
            pattern = "/v1/cards/{card_id}" + what
            return self.call(method, pattern, client, body, at(pattern, card_id=card_id))

        self.call("GET", "/v1/health", None)
        self.call("GET", "/v1/openapi.json", None)
        self.call("GET", "/v1/issuer", "terminal-1")
        card_call("GET", "", "auditor")
        card_call("GET", "/standing", "terminal-1")
        request = {"id": "ab" * 16, "card_id": card_id, "kind": "top-up", "amount": 500,
                   "terminal": "terminal-1"}
        self.call("POST", "/v1/operations", "terminal-1", request)
        self.assertIn("pending", card_call("GET", "/standing", "terminal-1").json())
        self.call("GET", "/v1/operations/{id}", "terminal-1", None, "/v1/operations/" + "ab" * 16)
        card_call("POST", "/void", "terminal-1", {})
        self.be("terminal-1")
        self.check(self.world.offline("resolve"), 0)
        self.check(self.world.offline("top-up", "5", "--id", "cd" * 16), 0)
        receipt = self.request("GET", "/v1/operations/" + "cd" * 16, "terminal-1").json()["receipt"]
        self.call("POST", "/v1/settlements", "terminal-1",
                  {"receipt": receipt, "terminal": "terminal-1"})
        new_card = {"card_id": card_id, "certificate": card["certificate"],
                    "public_key": card["public_key"],
                    "transport_key_digest": card["transport_key_digest"],
                    "limits": card["limits"], "personalisation": "00"}
        self.assertEqual(self.call("POST", "/v1/cards", "operator", new_card).status, 409)
        self.register_another()
        for what in ("confirm", "deny", "undeny", "lost", "undeny"):
            card_call("POST", "/" + what, "operator", {})
        card_call("GET", "/recoverable", "auditor")
        card_call("GET", "/gaps", "auditor")
        self.call("GET", "/v1/kept", "auditor")
        self.call("POST", "/v1/gaps", "operator", {})
        lines = self.call("GET", "/v1/deny-list", "merchant-1").json()["lines"]
        self.assertEqual(lines, [sign + card_id for sign in "+-+-"])
        self.call("GET", "/v1/transport-keys/{digest}", "operator", None,
                  "/v1/transport-keys/" + card["transport_key_digest"])
        self.open_account()
        self.transfer()
        self.call("GET", "/v1/accounts", "auditor")
        standing = self.call("GET", "/v1/accounts/{...}", "merchant-1", None,
                             "/v1/accounts/SHOP-1").json()
        self.assertEqual((standing["number"], standing["balance"]), (1, 100))
        rows = self.call("GET", "/v1/statement", "merchant-1", None,
                         "/v1/statement?account=associated/SHOP-1").json()["rows"]
        self.assertEqual([row["entry"]["kind"] for row in rows], ["open", "transfer out"])
        balance = self.call("GET", "/v1/balance", "merchant-1", None,
                            "/v1/balance?account=associated/SHOP-1&time=9007199254740991")
        self.assertEqual(balance.json(), {"balance": 100})
        self.call("GET", "/v1/evidence", "auditor")
        self.call("GET", "/v1/ledger/checkpoint", "auditor")
        entries = self.call("GET", "/v1/ledger/entries", "auditor", None,
                            "/v1/ledger/entries?from=0&limit=1").json()["entries"]
        self.assertEqual(len(entries), 1)
        self.call("GET", "/v1/ledger/proofs/inclusion", "auditor", None,
                  f"/v1/ledger/proofs/inclusion?card_id={card_id}&sequence=1")
        self.call("GET", "/v1/ledger/proofs/consistency", "auditor", None,
                  "/v1/ledger/proofs/consistency?from=1")
        self.call("GET", "/tlog/checkpoint", "auditor")
        self.call("GET", "/tlog/tile/{...}", "auditor", None, "/tlog/tile/0/000.p/1")
        self.call("GET", "/tlog/tile/entries/{...}", "auditor", None,
                  "/tlog/tile/entries/000.p/1")
        self.call("GET", "/metrics", "auditor")
        described = {(method, path) for path, methods in self.description["paths"].items()
                     for method in methods}
        self.assertEqual(described - self.checked, set())

    def register_another(self):
        """A card that this issuer's root makes: registered by issuing it, described by asking."""
        self.be("operator")
        image = f"loopback:{self.world.root / 'other'}"
        self.world.write_private("transport-key", "09" * 32)
        reader, self.world.reader = self.world.reader, image
        self.issue()
        self.world.reader = reader
        rows = self.request("GET", "/v1/cards", "auditor").json()["cards"]
        self.assertEqual(len(rows), 2)
        # What 'issue' sent is in the description as well: the service answered it with 200.
        self.schema.check(rows[1], self.description["components"]["schemas"]["Card"])
        self.checked.add(("post", "/v1/cards"))

    def open_account(self):
        """An owner's order comes from the tool; the same one again is answered the same."""
        self.be("operator")
        self.check(self.world.account("open", "SHOP-1"), 0)
        entries = self.call("GET", "/v1/ledger/entries", "auditor").json()["entries"]
        opened = next(entry for entry in entries if entry["kind"] == "open")
        executed = self.call("POST", "/v1/orders", "merchant-1", order_of(opened)).json()
        self.assertEqual(entries[executed["ledger_index"]], opened)
        self.assertEqual(executed["time"], opened["time"])

    def transfer(self):
        """A second instruction comes from a card: the tool sends it, the service answers 200."""
        self.be("terminal-1")
        self.check(self.world.offline("top-up", "5"), 0)
        self.check(self.world.offline("transfer", "1", "--to", "SHOP-1"), 0)
        metrics = self.request("GET", "/metrics", "auditor").body.decode()
        self.assertIn('route="/v1/transfers",status="200"} 1', metrics)
        self.checked.add(("post", "/v1/transfers"))

    def test_nobody_does_what_the_description_reserves_to_others(self):
        roles = {"terminal-1": {"terminal"}, "operator": {"operator", "auditor"},
                 "auditor": {"auditor"}, "merchant-1": {"merchant"}}
        count = 0
        for pattern, methods in self.description["paths"].items():
            path = re.sub(r"{.*?}", "0" * 32, pattern)
            for method, operation in methods.items():
                needed = set(operation["x-roles"])
                body = {} if method == "post" else None
                nobody = self.request(method.upper(), path, None, body)
                self.assertEqual(nobody.status == 401, bool(needed), pattern)
                for client, has in roles.items() if needed else ():
                    reply = self.request(method.upper(), path, client, body)
                    refused = reply.status == 403 and reply.json()["error"]["where"] == "role"
                    self.assertEqual(refused, not has & needed, (pattern, client))
                    self.assertNotEqual(reply.status, 401)
                    count += 1
        self.assertGreater(count, 120)

    def test_what_is_not_described_is_not_there(self):
        text = (SOURCE / "src/service/routes.cpp").read_text()
        routes = set(re.findall(r'{"(GET|POST)", "([^"]+)", ', text))
        described = {(method.upper(), path) for path, methods in self.description["paths"].items()
                     for method in methods}
        self.assertEqual(routes, described)


if __name__ == "__main__":
    unittest.main()
