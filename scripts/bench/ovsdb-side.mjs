/**
 * One side of an OVSDB benchmark, in a process of its own that loads no more than it needs:
 * `ovsdb-side.mjs SIDE REMOTE COLUMNS_JSON [COUNT]`. Prints what it used as JSON. `ms` is without the loading of modules.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';

const [, , side, remote, columnsText, count] = process.argv;
const columns = JSON.parse(columnsText);
await { bare, ours, reconnect, updates, add, find }[side](Number(count));

/** A socket, the request for a full copy, one JSON.parse. */
function bare() {
  const start = performance.now();
  const socket = connect(remote.slice('unix:'.length));
  const requests = Object.fromEntries(
    Object.entries(columns).map(([name, names]) => [name, [{ columns: names }]]),
  );
  const params = ['Open_vSwitch', 'bench', requests, '00000000-0000-0000-0000-000000000000'];
  socket.write(JSON.stringify({ id: 1, method: 'monitor_cond_since', params }));
  const chunks = [];
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    // The reply is the only message, and ends like this.
    if (!Buffer.concat(chunks.slice(-2)).subarray(-14).includes('"error":null}')) return;
    const text = Buffer.concat(chunks).toString();
    const parseStart = performance.now();
    const { result } = JSON.parse(text);
    const end = performance.now();
    print({
      ms: end - start,
      parseMs: end - parseStart,
      megabytes: text.length / 1e6,
      rows: sum(Object.values(result[2]).map((rows) => Object.keys(rows).length)),
    });
    socket.destroy();
  });
}

/** A replica, as soon as it is complete. */
async function ours() {
  const open = await prepare();
  const start = performance.now();
  const loop = watchLoop();
  const client = await open();
  print({ ms: performance.now() - start, stallMs: loop.stop(), rows: countRows(client) });
  await client.close();
}

/** The link is cut, nothing differs in the database, and the replica is complete again. */
async function reconnect() {
  const directory = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
  const path = join(directory, 'proxy.sock');
  const sockets = new Set();
  const proxy = createServer((near) => {
    const far = connect(remote.slice('unix:'.length));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  }).listen(path);
  await once(proxy, 'listening');
  const client = await (await prepare())(`unix:${path}`);
  const first = client.metrics().lastResync;
  let changes = 0;
  client.changes$.subscribe(() => (changes += 1));
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => {
    client.status$.subscribe(({ at }) => at === 'live' && client.metrics().reconnects > 0 && resolve());
  });
  print({ firstMs: first.ms, againMs: client.metrics().lastResync.ms, changes });
  await client.close();
  proxy.close();
  rmSync(directory, { recursive: true, force: true });
}

/**
 * Asks for one update after the other; prints what they took after the first half of them, which warm it up. What asking
 * takes, which wakes another process, is left out, here and in ovsdb-idl.py.
 */
async function updates(wanted) {
  const client = await (await prepare())();
  let seen = 0;
  let before = 0;
  let asking = 0;
  const ask = () => {
    const start = cpuMs();
    writeSync(1, 'next\n');
    asking += cpuMs() - start;
  };
  ask();
  await new Promise((resolve) => {
    client.changes$.subscribe(() => {
      seen += 1;
      if (seen === wanted / 2) before = cpuMs() - asking;
      if (seen === wanted) resolve();
      else ask();
    });
  });
  print({ cpuMs: cpuMs() - asking - before });
  await client.close();
}

/** Adds so many ports to br0, one transaction after the other, each awaited: then the replica shows it. */
async function add(wanted) {
  const client = await (await prepare())();
  const { Transaction } = await import('../../dist/ovsdb/transaction/transaction.js');
  const { openVSwitch } = await import('../../dist/ovsdb/generated/vswitch.js');
  const bridge = client.snapshot().get('Bridge', { name: 'br0' });
  const times = [];
  for (let index = 0; index < wanted; index++) {
    const start = performance.now();
    const transaction = new Transaction(openVSwitch);
    const name = `new${process.pid}-${index}`;
    const iface = transaction.insert('Interface', { name });
    const port = transaction.insert('Port', { name, interfaces: [iface] });
    transaction.mutate('Bridge', bridge._uuid, [['ports', 'insert', [port]]]);
    const { outcome } = await client.transact(transaction);
    times.push(performance.now() - start);
    if (outcome !== 'success' || !client.snapshot().get('Port', { name }))
      throw new Error(`not added: ${outcome}`);
  }
  print({ times });
  await client.close();
}

/** Finds rows in a replica of many. Each figure is the median of many times, after some that are not counted. */
async function find(rows) {
  const client = await (await prepare())();
  const { rowIndex } = await import('../../dist/ovsdb/replica/indexes.js');
  const { openVSwitch } = await import('../../dist/ovsdb/generated/vswitch.js');
  const byVm = rowIndex(openVSwitch, 'Interface', ['external_ids', 'vswitchboard-vm']);
  const snapshot = client.snapshot();
  const wanted = (index) => `vm${(index * 7919) % rows}`;
  const scanMs = middle(100, (index) => {
    const vm = wanted(index);
    const found = [];
    for (const row of snapshot.table('Interface').values())
      if (row.external_ids.get('vswitchboard-vm') === vm) found.push(row);
    return found;
  });
  const buildStart = performance.now();
  snapshot.find(byVm, wanted(0));
  const buildMs = performance.now() - buildStart;
  const indexMs =
    middle(1000, (index) => {
      let found;
      for (let more = 0; more < 10; more++) found = snapshot.find(byVm, wanted(index * 10 + more));
      return found;
    }) / 10;
  const uniqueMs =
    middle(1000, (index) => {
      let found;
      for (let more = 0; more < 10; more++)
        found = snapshot.get('Interface', { name: `${wanted(index * 10 + more)}-0` });
      return [found];
    }) / 10;
  print({ scanMs, buildMs, indexMs, uniqueMs });
  await client.close();
}

function middle(times, act) {
  const taken = [];
  for (let index = 0; index < 2 * times; index++) {
    const start = performance.now();
    const found = act(index);
    if (index >= times) taken.push(performance.now() - start);
    if (found.length !== 1 || found[0] === undefined) throw new Error('not found');
  }
  return taken.sort((a, b) => a - b)[times >> 1];
}

/** Loads the client. @returns what opens one */
async function prepare() {
  const { OvsdbClient } = await import('../../dist/ovsdb/client/client.js');
  const { openVSwitch } = await import('../../dist/ovsdb/generated/vswitch.js');
  return (to = remote) =>
    OvsdbClient.connect({
      remote: to,
      schema: openVSwitch,
      columns,
      connectTimeoutMs: 5000,
      requestTimeoutMs: 30_000,
    });
}

function countRows(client) {
  return sum(Object.keys(columns).map((table) => client.snapshot().table(table).size));
}

/** Watches for the longest time in which nothing else could run. @returns what ends it and tells */
function watchLoop() {
  let stallMs = 0;
  let last = performance.now();
  const look = () => {
    stallMs = Math.max(stallMs, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 1);
  return {
    stop() {
      clearInterval(timer);
      look();
      return stallMs;
    },
  };
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function print(figures) {
  console.log(JSON.stringify(figures));
}
