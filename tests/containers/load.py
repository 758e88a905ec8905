"""Clients that ask for tokens until nobody lets them in. It runs in a container beside the service, and imports nothing of ours."""

import http.client
import json
import os
import socket
import sys
import threading
import time

CLIENTS = 20
PATIENCE_S = 10
LASTS_S = 10  # the engine may start the service again
ENOUGH = 100  # answers, after which the service may be stopped

address = socket.gethostbyname("service")
fields = os.environ["FIELDS"]
fates: dict[str, list[str]] = {"tokens": [], "last_answers": [], "lost": []}
stopped = threading.Event()


def go_on(*, kept: bool) -> None:
    while not stopped.is_set():
        try:
            connected = socket.create_connection((address, 8000), timeout=PATIENCE_S)
        except OSError:  # nothing was asked, so no answer is lost
            return
        connection = http.client.HTTPConnection(address, 8000)
        connection.sock = connected
        try:
            while ask(connection) and kept and not stopped.is_set():
                pass
        except (OSError, http.client.HTTPException) as error:
            fates["lost"].append(repr(error))
        connection.close()


def ask(connection: http.client.HTTPConnection) -> bool:
    """Whether the connection may be used again."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/app/oauth2/token", fields, sent)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status == http.HTTPStatus.OK:
        fates["tokens"].append(json.loads(told)["access_token"])
    else:
        fates["lost"].append(f"{answer.status} {told.decode()}")
    if answer.will_close:
        fates["last_answers"].append(str(answer.status))
    return not answer.will_close


clients = [
    threading.Thread(target=go_on, kwargs={"kept": number % 2 == 0}, daemon=True) for number in range(CLIENTS)
]
for client in clients:
    client.start()
while len(fates["tokens"]) < ENOUGH and any(client.is_alive() for client in clients):
    time.sleep(0.01)
sys.stdout.write("under load\n")
sys.stdout.flush()
threading.Timer(LASTS_S, stopped.set).start()
deadline = time.monotonic() + LASTS_S + 2 * PATIENCE_S
for client in clients:
    client.join(max(0, deadline - time.monotonic()))
    if client.is_alive():
        fates["lost"].append("silence")
sys.stdout.write(json.dumps(fates))
