# SPDX-License-Identifier: Apache-2.0
"""Cards that speak vpcd's protocol, in the USB reader of a virtual machine: the machine's test is
the card, connects to a bridge here, and the bridge puts it into the reader that the test uses. An
answer without a status word becomes an error, as at a reader whose card has said no such thing."""
import socket
import struct
import threading
import time

INIT, ERROR, READER_ADD, _, ATR, CARD_REMOVE, APDU, FLUSH, FLUSH_COMPLETE = range(1, 10)
NO_READER = 0xFFFFFFFF
GENERAL_ERROR = struct.pack(">I", 1)
GET_ATR = b"\x04"
# Seconds between an answer and the card's removal. QEMU drops what the guest has not fetched when the
# card is taken out, and the guest's driver then waits for it without end: no hand is that quick.
HAND = 0.5


def receive(connection, size):
    """Exactly so many bytes; empty when the other side has gone."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


class Cards:
    """Where cards connect, as to vpcd. One at a time is in the reader."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self):
        return self.listener.accept()[0]

    @staticmethod
    def ask(card, message):
        """The card's answer; None when it is taken out instead."""
        try:
            card.sendall(struct.pack(">H", len(message)) + message)
            length = receive(card, 2)
            if not length:
                return None
            size = struct.unpack(">H", length)[0]
            answer = receive(card, size)
            return answer if len(answer) == size else None
        except OSError:
            return None


class Bridge:
    """From the reader of the machine that listens at `port` to one card after the other, on threads
    that end with the process."""

    def __init__(self, cards, port):
        self.cards = cards
        self.reader = NO_READER
        self.card = None
        self.lock = threading.Lock()
        self.asking = threading.Lock()  # what is asked is answered before the card is taken out
        self.answered = 0.0
        self.machine = socket.create_connection(("127.0.0.1", port))
        self.send(INIT, b"VSCD" + struct.pack(">II", 2, 0))
        self.wait_for(INIT)
        self.send(READER_ADD, b"tests")
        self.reader = self.wait_for(ERROR)
        for work in (self.insert, self.answer):
            threading.Thread(target=work, daemon=True).start()

    def send(self, kind, payload=b""):
        with self.lock:
            self.machine.sendall(struct.pack(">III", kind, self.reader, len(payload)) + payload)

    def next(self):
        kind, reader, size = struct.unpack(">III", receive(self.machine, 12) or bytes(12))
        return kind, reader, receive(self.machine, size)

    def wait_for(self, wanted):
        while (message := self.next())[0] != wanted:
            assert message[0] != 0, "the machine hung up"
        return message[1]

    def insert(self):
        while True:
            card = self.cards.accept()
            atr = self.cards.ask(card, GET_ATR)
            if atr is None:
                continue
            self.card = card
            self.send(ATR, atr)
            self.wait_until_gone(card)
            while (left := self.answered + HAND - time.monotonic()) > 0:
                time.sleep(left)
            with self.asking:
                self.card = None
                self.send(CARD_REMOVE)

    @staticmethod
    def wait_until_gone(card):
        """A card says nothing by itself: what can be read is its answer, or its end."""
        while True:
            try:
                if not card.recv(1, socket.MSG_PEEK):
                    return
            except OSError:
                return
            threading.Event().wait(0.005)

    def answer(self):
        while (message := self.next())[0] != 0:
            kind, _, payload = message
            if kind == FLUSH:
                self.send(FLUSH_COMPLETE)
            elif kind == APDU:
                with self.asking:
                    answer = self.cards.ask(self.card, payload) if self.card else None
                    self.send(*((APDU, answer) if answer and len(answer) > 1 else
                                (ERROR, GENERAL_ERROR)))
                    self.answered = time.monotonic()
