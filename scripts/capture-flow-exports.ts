/**
 * `npx tsx scripts/capture-flow-exports.ts`: has a private ovs-vswitchd (dummy datapath) forward the packets of
 * test/support/sentpackets.ts with all its exporters on, and writes what they sent to test/fixtures/{netflow,ipfix,sflow},
 * one datagram a line, in hexadecimal digits.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runOrFail } from '../src/process/run.ts';
import { environmentOf } from '../src/sandbox/daemons.ts';
import { startSandbox, stopSandbox } from '../src/sandbox/sandbox.ts';
import { MANY, renderFlow, SENT, type SentPackets } from '../test/support/sentpackets.ts';

/** So long nothing comes when all is said; the exporters' timeouts are 1 s. */
const QUIET_MS = 4000;

class Collector {
  readonly #socket: Socket = createSocket('udp4');
  #datagrams: Buffer[] = [];

  async listen(): Promise<string> {
    this.#socket.on('message', (datagram) => this.#datagrams.push(datagram));
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `"127.0.0.1:${String(this.#socket.address().port)}"`;
  }

  async drain(): Promise<Buffer[]> {
    for (let seen = -1; seen !== this.#datagrams.length;) {
      seen = this.#datagrams.length;
      await delay(QUIET_MS);
    }
    const drained = this.#datagrams;
    this.#datagrams = [];
    return drained;
  }

  close(): void {
    this.#socket.close();
  }
}

const directory = await mkdtemp(join(tmpdir(), 'vsb-capture'));
const place = { directory, datapath: 'dummy', netns: undefined } as const;
const limits = { timeoutMs: 15_000, env: environmentOf(place) };
const vsctl = (...args: string[]): Promise<string> => runOrFail('ovs-vsctl', args, limits);
const appctl = (...args: string[]): Promise<string> => runOrFail('ovs-appctl', args, limits);
const collectors = { netflow: new Collector(), ipfix: new Collector(), sflow: new Collector() };

try {
  await startSandbox(place);
  const version = /\d+\.\d+\.\d+/.exec(await runOrFail('ovs-vswitchd', ['--version'], limits))?.[0] ?? '';
  await makeBridge();
  await addExporters();
  for (const packets of SENT) await send(packets);
  await write('netflow', version, 'flows', await collectors.netflow.drain());
  // Counter samples come for as long as the exporter is there.
  await vsctl('clear', 'Bridge', 'br0', 'sflow', 'ipfix');
  await write('ipfix', version, 'flows', await collectors.ipfix.drain());
  await write('sflow', version, 'samples', await collectors.sflow.drain());
  for (const packets of MANY) await send(packets);
  await write('netflow', version, 'many', await collectors.netflow.drain());
} finally {
  for (const collector of Object.values(collectors)) collector.close();
  await stopSandbox(directory, { force: true });
  await rm(directory, { recursive: true, force: true });
}

/** p1 and p2 are trunks with an ifindex; p3 is in VLAN 20 and has none, as a vhost-user port. */
async function makeBridge(): Promise<void> {
  const ports = [
    ['p1', 'ofport_request=1', 'options:ifindex=101'],
    ['p2', 'ofport_request=2', 'options:ifindex=102'],
    ['p3', 'ofport_request=3'],
  ].flatMap(([name = '', ...settings]) => [
    '--',
    'add-port',
    'br0',
    name,
    '--',
    'set',
    'Interface',
    name,
    ...settings,
  ]);
  await vsctl('add-br', 'br0', ...ports, '--', 'set', 'Port', 'p3', 'tag=20');
  // The address that sFlow's agent gives for its own.
  await appctl('netdev-dummy/ip4addr', 'br0', '192.0.2.1/24');
}

async function addExporters(): Promise<void> {
  const rows = {
    netflow: [
      'active_timeout=1',
      'engine_type=3',
      'engine_id=7',
      `targets=${await collectors.netflow.listen()}`,
    ],
    ipfix: [
      ...[
        'sampling=1',
        'obs_domain_id=123',
        'obs_point_id=456',
        'cache_active_timeout=1',
        'cache_max_flows=128',
      ],
      ...['other_config:virtual_obs_id=host1', `targets=${await collectors.ipfix.listen()}`],
    ],
    sflow: [
      'agent=br0',
      'header=128',
      'sampling=1',
      'polling=1',
      `targets=${await collectors.sflow.listen()}`,
    ],
  };
  for (const [table, columns] of Object.entries(rows)) {
    await vsctl(
      '--',
      '--id=@row',
      'create',
      table,
      ...columns,
      '--',
      'set',
      'Bridge',
      'br0',
      `${table}=@row`,
    );
  }
}

async function send(packets: SentPackets): Promise<void> {
  for (let sent = 0; sent < packets.count; sent++) {
    await appctl(
      'netdev-dummy/receive',
      packets.port,
      renderFlow(packets),
      '--len',
      String(packets.frameBytes),
    );
  }
}

async function write(room: string, version: string, name: string, datagrams: Buffer[]): Promise<void> {
  const path = `test/fixtures/${room}/ovs-${version}-${name}.hex`;
  await writeFile(path, datagrams.map((datagram) => `${datagram.toString('hex')}\n`).join(''));
  console.log(`${path}: ${String(datagrams.length)} datagrams`);
}
