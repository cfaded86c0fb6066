import { expect } from 'chai';
import { Session } from '../../src/jsonrpc/session.ts';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { codecsOf } from '../../src/ovsdb/replica/codecs.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import {
  fetchSchema,
  MONITOR_METHODS,
  NO_TRANSACTION,
  readUpdate,
  startMonitor,
  type Requester,
} from '../../src/ovsdb/client/monitor.ts';
import { Replica } from '../../src/ovsdb/replica/replica.ts';
import { RowCodec } from '../../src/ovsdb/replica/row.ts';
import type { Uuid } from '../../src/ovsdb/schema/schema.ts';
import { Snapshot } from '../../src/ovsdb/replica/snapshot.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const COLUMNS = {
  Open_vSwitch: ['bridges', 'external_ids'],
  Bridge: [
    'name',
    'ports',
    'mirrors',
    'external_ids',
    'other_config',
    'fail_mode',
    'flood_vlans',
    'stp_enable',
  ],
  Port: ['name', 'interfaces', 'tag', 'trunks', 'qos', 'statistics'],
  Interface: ['name', 'type', 'options', 'mtu_request'],
  Mirror: ['name', 'select_src_port', 'output_port'],
  QoS: ['type', 'queues', 'other_config'],
  Queue: ['dscp', 'other_config'],
} as const;

type Columns = typeof COLUMNS;

/** Any JSON-able view of a row's values, the same for ours and for ovsdb-client's. */
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return [...(value as Map<unknown, unknown>)].map((pair) => pair.map(plain)).sort();
  if (Array.isArray(value)) return value.map(String).sort();
  if (value === undefined) return [];
  return [typeof value === 'string' ? value : (value as bigint | number | boolean).toString()];
}

/** What ovsdb-client prints, which reads the wire by a way of its own. */
async function dump(server: OvsdbServer): Promise<Record<string, Record<string, unknown>>> {
  const tables: Record<string, Record<string, unknown>> = {};
  for (const table of Object.keys(COLUMNS) as (keyof Columns)[]) {
    const columns = ['_uuid', ...COLUMNS[table]];
    const text = await server.client(
      'dump',
      '--format=json',
      server.remote,
      'Open_vSwitch',
      table,
      ...columns,
    );
    const { headings, data } = JSON.parse(text.replace(/(?<![\d"-])\d{16,}/g, '"$&"')) as {
      headings: string[];
      data: unknown[][];
    };
    tables[table] = Object.fromEntries(
      data.map((cells) => {
        const row = Object.fromEntries(headings.map((name, index) => [name, fromWire(cells[index])]));
        return [String((row['_uuid'] as string[])[0]), row];
      }),
    );
  }
  return tables;
}

function fromWire(cell: unknown): unknown {
  if (!Array.isArray(cell)) return [String(cell)];
  const [kind, value] = cell as [string, unknown];
  if (kind === 'uuid') return [value];
  if (kind === 'set') return (value as unknown[]).map((member) => (fromWire(member) as unknown[])[0]).sort();
  return (value as unknown[][]).map((pair) => pair.map(fromWire)).sort();
}

function view(snapshot: Snapshot<OpenVSwitchTables>): Record<string, Record<string, unknown>> {
  const tables: Record<string, Record<string, unknown>> = {};
  for (const table of Object.keys(COLUMNS) as (keyof Columns)[]) {
    const rows: Record<string, unknown> = {};
    for (const [uuid, row] of snapshot.table(table))
      rows[uuid] = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
    tables[table] = rows;
  }
  return tables;
}

/** Numbers that are the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function step(
  snapshot: Snapshot<OpenVSwitchTables>,
  random: (below: number) => number,
  turn: number,
): Transaction<OpenVSwitchTables> {
  const transaction = new Transaction(openVSwitch);
  const pick = (table: keyof Columns): Uuid | undefined => {
    const uuids = [...snapshot.table(table).keys()].sort();
    return uuids[random(Math.max(uuids.length, 1))];
  };
  const [root] = snapshot.table('Open_vSwitch').keys();
  const bridge = pick('Bridge');
  const port = pick('Port');
  const kind = random(10);
  const texts = new Map(
    Array.from({ length: random(3) }, () => [`k${String(random(4))}`, `wert ü ${String(random(3))}`]),
  );
  if (root === undefined) throw new Error('no root');
  if (bridge === undefined || kind === 0) {
    const row = transaction.insert('Bridge', { name: `br${String(turn)}`, external_ids: texts });
    transaction.mutate('Open_vSwitch', root, [['bridges', 'insert', [row]]]);
  } else if (port === undefined || kind <= 3) {
    const count = 1 + random(4);
    const ports = Array.from({ length: count }, (_, index) => {
      const name = `p${String(turn)}-${String(index)}`;
      const link = transaction.insert('Interface', { name, options: texts, type: 'internal' });
      return transaction.insert('Port', {
        name,
        interfaces: [link],
        tag: random(2) === 0 ? undefined : random(4096),
      });
    });
    transaction.mutate('Bridge', bridge, [['ports', 'insert', ports]]);
  } else if (kind === 4) {
    const owner = [...snapshot.table('Bridge').values()].find(({ ports }) => ports.includes(port));
    if (owner) transaction.mutate('Bridge', owner._uuid, [['ports', 'delete', [port]]]);
  } else if (kind === 5) {
    const queue = transaction.insert('Queue', { dscp: random(64), other_config: texts });
    const qos = transaction.insert('QoS', {
      type: 'linux-htb',
      queues: new Map([
        [random(8), queue],
        [8 + random(8), queue],
      ]),
    });
    transaction.update('Port', port, { qos });
  } else if (kind === 6) {
    const mirror = transaction.insert('Mirror', {
      name: `m${String(turn)}`,
      select_src_port: [port],
      output_port: port,
    });
    transaction.mutate('Bridge', bridge, [['mirrors', 'insert', [mirror]]]);
  } else if (kind === 7) {
    transaction.update('Port', port, {
      tag: undefined,
      trunks: Array.from({ length: random(5) }, () => random(4096)),
      statistics: new Map([['rx', 2n ** 62n + BigInt(random(9))]]),
    });
  } else if (kind === 8) {
    transaction.update('Bridge', bridge, {
      external_ids: texts,
      fail_mode: random(2) === 0 ? 'secure' : undefined,
      stp_enable: random(2) === 0,
    });
  } else if (random(4) === 0) {
    transaction.mutate('Open_vSwitch', root, [['bridges', 'delete', [bridge]]]);
  } else {
    transaction.mutate('Bridge', bridge, [
      ['external_ids', 'insert', texts],
      ['other_config', 'delete', ['k1']],
    ]);
    transaction.update('Bridge', bridge, { other_config: texts, flood_vlans: [random(4096)] });
  }
  return transaction;
}

/** A session that follows with one kind of monitor, as if the server did not know the newer ones. */
async function followWith(method: string, server: OvsdbServer) {
  const replica = new Replica();
  const session = await Session.open(
    { method: 'unix', text: server.remote, path: server.socketPath },
    {
      onNotification: (name, params) => {
        const update = readUpdate(name, params);
        if (update) replica.apply(update.updates, update.form);
      },
      onLost: () => undefined,
    },
    {},
  );
  const older: Requester = {
    request: (name, params, options) =>
      name.startsWith('monitor') && name !== method
        ? Promise.resolve({ kind: 'error', text: 'unknown method', error: 'unknown method' })
        : session.request(name, params, options),
  };
  const limits = { timeoutMs: 5000 };
  const present = await fetchSchema(session, 'Open_vSwitch', limits);
  if (!present) throw new Error('no database');
  const request = {
    database: 'Open_vSwitch',
    id: 'followed',
    held: COLUMNS,
    present,
    wheres: new Map(),
    isFollowed: true,
    since: NO_TRANSACTION,
  };
  const codecs = new Map(
    Object.entries(COLUMNS).map(([table, held]) => {
      const codec = codecsOf(openVSwitch).get(table);
      if (!codec) throw new Error(table);
      return [table, new RowCodec(codec, held)] as const;
    }),
  );
  const known = await startMonitor(older, request, limits, ({ updates, form, isDifference }) => {
    expect(isDifference).to.equal(false);
    replica.load(codecs, updates, form);
  });
  expect(known).to.equal(method);
  return { replica, session };
}

describe('ovsdb replica', () => {
  it('equals what the server has after random transactions, with every kind of monitor', async function () {
    this.timeout(60_000);
    await using server = await OvsdbServer.start();
    await using client = await OvsdbClient.connect({
      remote: server.remote,
      schema: openVSwitch,
      columns: COLUMNS,
      connectTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
    });
    const followers = await Promise.all(MONITOR_METHODS.map((method) => followWith(method, server)));
    const random = seeded(20_26);
    for (let turn = 0; turn < 400; turn += 1) {
      const before = client.snapshot();
      const shown = turn % 40 === 0 ? view(before) : undefined;
      const outcome = await client.transact(step(before, random, turn));
      if (outcome.outcome !== 'success' && outcome.outcome !== 'unchanged')
        throw new Error(JSON.stringify(outcome));
      if (shown) {
        expect(view(before), 'an old snapshot').to.deep.equal(shown);
        expect(view(client.snapshot())).to.deep.equal(await dump(server));
      }
    }
    const truth = await dump(server);
    expect(Object.keys(truth['Port'] ?? {}).length).to.be.greaterThan(20);
    expect(view(client.snapshot())).to.deep.equal(truth);
    for (const { replica, session } of followers) {
      // Its answer comes after every update before it.
      await session.request('echo', [], { timeoutMs: 5000 });
      expect(view(new Snapshot(replica.tables))).to.deep.equal(truth);
      await session.close();
    }
    expect(server.log()).to.not.include('bad JSON-RPC message');
  });

  it('shows whole transactions only, and keeps what is unchanged the same', async () => {
    await using server = await OvsdbServer.start();
    await using client = await OvsdbClient.connect({
      remote: server.remote,
      schema: openVSwitch,
      columns: COLUMNS,
      connectTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
    });
    const seen: [number, number][] = [];
    const subscription = client.snapshots$.subscribe((snapshot) => {
      seen.push([snapshot.table('Port').size, snapshot.table('Interface').size]);
    });
    await server.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
    await client.waitFor((snapshot) => (snapshot.table('Port').size === 3 ? true : undefined), {
      timeoutMs: 5000,
    });
    const before = client.snapshot();
    await server.vsctl('set', 'Port', 'p1', 'tag=7');
    await client.waitFor((snapshot) => [...snapshot.table('Port').values()].find(({ tag }) => tag === 7), {
      timeoutMs: 5000,
    });
    subscription.unsubscribe();
    expect(seen).to.deep.equal([
      [0, 0],
      [3, 3],
      [3, 3],
    ]);
    expect(client.snapshot().table('Interface')).to.equal(before.table('Interface'));
    const changed = [...client.snapshot().table('Port')].filter(
      ([uuid, row]) => before.row('Port', uuid) !== row,
    );
    expect(changed.map(([, { name }]) => name)).to.deep.equal(['p1']);
  });
});
