"""Replicas of python's ovs.db.idl, for who compares: one JSON text a line on stdin and on stdout.

  {"id", "open": NAME, "remote", "schema": {...}, "leaderOnly"}   makes a replica
  {"id", "dump": NAME, "table", "column", "until": N}             answers once the column of the table's one row has N
  {"id", "close": NAME}

Atoms come as text that loses nothing: integers in full, reals by repr().
"""
import json
import os
import sys

import ovs.db.data
import ovs.db.idl
import ovs.db.types
import ovs.poller
import ovs.vlog

REPLICAS = {}
WAITING = []
COMPLAINTS = {}
RUNNING = [""]


def atom_text(atom):
    if isinstance(atom.value, ovs.db.data.Atom):
        # Its defaults are an Atom in an Atom.
        return atom_text(atom.value)
    if atom.type == ovs.db.types.IntegerType:
        return str(atom.value)
    if atom.type == ovs.db.types.RealType:
        return repr(float(atom.value))
    if atom.type == ovs.db.types.BooleanType:
        return "true" if atom.value else "false"
    if atom.type == ovs.db.types.UuidType:
        return "uuid " + str(atom.value)
    return atom.value


def content(idl):
    tables = {}
    for name, table in idl.tables.items():
        rows = tables[name] = {}
        for uuid, row in table.rows.items():
            rows[str(uuid)] = {
                column: [
                    [atom_text(key)] if value is None else [atom_text(key), atom_text(value)]
                    for key, value in row._data[column].values.items()
                ]
                for column in table.columns
            }
    return tables


def counter(idl, table, column):
    for row in idl.tables[table].rows.values():
        for atom in row._data[column].values:
            return atom.value
    return None


def answer(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def handle(request):
    if "open" in request:
        helper = ovs.db.idl.SchemaHelper(schema_json=request["schema"])
        helper.register_all()
        idl = ovs.db.idl.Idl(request["remote"], helper, leader_only=request.get("leaderOnly", False))
        # Its setter does not go below a second.
        idl._session.reconnect.min_backoff = 20
        idl._session.reconnect.max_backoff = 200
        REPLICAS[request["open"]] = idl
        answer({"id": request["id"]})
    elif "close" in request:
        REPLICAS.pop(request["close"]).close()
        # Where a step failed, nobody waits for its answer any more.
        WAITING[:] = [waiting for waiting in WAITING if waiting["dump"] != request["close"]]
        answer({"id": request["id"]})
    else:
        WAITING.append(request)


def settle():
    for request in list(WAITING):
        idl = REPLICAS[request["dump"]]
        if counter(idl, request["table"], request["column"]) == request["until"]:
            WAITING.remove(request)
            answer({"id": request["id"], "content": content(idl), "complaints": COMPLAINTS.pop(request["dump"], [])})


def complain(message, *_rest):
    """What the IDL says when it does not take an update; it goes on without it."""
    COMPLAINTS.setdefault(RUNNING[0], []).append(message)


def main():
    ovs.db.idl.vlog.warn = complain
    ovs.db.idl.vlog.err = complain
    os.set_blocking(0, False)
    pending = b""
    while True:
        try:
            chunk = os.read(0, 1 << 20)
            if not chunk:
                return
            pending += chunk
            *lines, pending = pending.split(b"\n")
            for line in lines:
                handle(json.loads(line))
        except BlockingIOError:
            pass
        for name, idl in REPLICAS.items():
            RUNNING[0] = name
            idl.run()
        settle()
        poller = ovs.poller.Poller()
        poller.fd_wait(0, ovs.poller.POLLIN)
        for idl in REPLICAS.values():
            idl.wait(poller)
        poller.block()


main()
