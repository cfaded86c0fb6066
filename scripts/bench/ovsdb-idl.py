"""The python side of the OVSDB benchmarks: ovs.db.idl with the columns that it is given.

ovsdb-idl.py REMOTE COLUMNS_JSON SCHEMA_FILE sync           one full copy
ovsdb-idl.py REMOTE COLUMNS_JSON SCHEMA_FILE updates COUNT  a full copy, then so many updates ("next" asks for each)

Prints what it used as JSON; of updates, in the second half of them.
"""
import json
import resource
import sys

import ovs.db.idl
import ovs.poller

remote, columns, schema, mode = sys.argv[1:5]
helper = ovs.db.idl.SchemaHelper(schema_json=json.load(open(schema)))
for table, names in json.loads(columns).items():
    helper.register_columns(table, list(names))
idl = ovs.db.idl.Idl(remote, helper)


def step():
    poller = ovs.poller.Poller()
    idl.wait(poller)
    poller.block()
    idl.run()


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


while not idl.has_ever_connected():
    step()
if mode == 'updates':
    count = int(sys.argv[5])
    asking = 0
    for seen in range(count):
        if seen == count // 2:
            before = cpu_ms() - asking
        seqno = idl.change_seqno
        start = cpu_ms()
        print('next', flush=True)
        asking += cpu_ms() - start
        while idl.change_seqno == seqno:
            step()
    print(json.dumps({'cpuMs': cpu_ms() - asking - before}))
else:
    print(json.dumps({'rows': sum(len(table.rows) for table in idl.tables.values())}))
