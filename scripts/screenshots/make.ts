/**
 * `npx tsx scripts/screenshots/make.ts [NAME…]`: the pictures in docs/images, made from real runs: a private Open vSwitch, VMs
 * whose taps send UDP packets, and the commands on a terminal of their own. Takes a minute; as root.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrFail } from '../../src/process/run.ts';
import { environmentOf } from '../../src/sandbox/daemons.ts';
import { startSandbox, stopSandbox } from '../../src/sandbox/sandbox.ts';
import { vsb } from '../../test/support/cli.ts';
import { startOnTerminal } from '../../test/support/onterminal.ts';
import { renderSvg } from './svg.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NODE = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN] as const;
const HERE = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const IMAGES = new URL('../../docs/images/', import.meta.url);

/** A picture: what is run, what is typed at which second, and when the picture is taken. */
interface Picture {
  readonly name: string;
  readonly title: string;
  readonly size: readonly [columns: number, rows: number];
  readonly args: readonly string[];
  readonly typed: readonly (readonly [atSecond: number, text: string])[];
  readonly atSecond: number;
}

const PICTURES: readonly Picture[] = [
  {
    name: 'top',
    title: 'vsb top: the VMs',
    size: [104, 16],
    args: ['top'],
    typed: [[2, 'j']],
    atSecond: 42,
  },
  {
    name: 'top-pairs',
    title: 'vsb top: the pairs of one VM',
    size: [104, 16],
    args: ['top'],
    typed: [
      [20, '\r'],
      [21, '/rate > 1k\r'],
    ],
    atSecond: 25,
  },
  {
    name: 'top-conversations',
    title: 'vsb top: the conversations of one pair',
    size: [104, 16],
    args: ['top', 'pairs'],
    typed: [[3, '\r']],
    atSecond: 14,
  },
  {
    name: 'matrix',
    title: 'vsb matrix: who sends how much to whom',
    size: [104, 16],
    args: ['matrix'],
    typed: [],
    atSecond: 6,
  },
];

/** From, to, packets a second, bytes of each, seconds of a wave. */
const FLOWS: readonly (readonly [string, string, number, number, number])[] = [
  ['web1', 'app1', 400, 600, 9],
  ['app1', 'web1', 700, 1400, 9],
  ['web2', 'app2', 120, 600, 13],
  ['app2', 'web2', 260, 1400, 13],
  ['app1', 'db1', 300, 200, 7],
  ['db1', 'app1', 500, 1200, 7],
  ['app2', 'db1', 90, 200, 5],
  ['db1', 'app2', 110, 1200, 5],
  ['db1', 'db2', 350, 1500, 17],
  ['db2', 'backup', 900, 1500, 31],
  ['backup', 'db2', 30, 60, 31],
  ['web1', 'internet', 500, 1200, 9],
  ['internet', 'web1', 120, 300, 9],
  ['internet', 'mail', 2, 600, 0],
  ['mail', 'internet', 4, 800, 0],
  ['mail', 'everybody', 1, 60, 0],
];
const BESIDES: Readonly<Record<string, End>> = {
  internet: { mac: '00:00:5e:00:01:01', ip: '192.0.2.10' },
  everybody: { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' },
};

interface End {
  readonly mac: string;
  readonly ip: string;
}

type Environment = Readonly<Record<string, string>>;

const LIMIT = { timeoutMs: 20_000 };

await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<void> {
  const netns = `vsb-pictures-${String(process.pid)}`;
  const directory = mkdtempSync(join(tmpdir(), 'vsb-pictures'));
  const place = { directory, datapath: 'netdev', netns } as const;
  const { sandbox } = await startSandbox(place);
  const env = {
    ...environmentOf(place),
    VSB_REMOTE: sandbox.remote,
    VSB_OVS_RUNDIR: directory,
    VSB_RUN_DIR: sandbox.guestsDirectory,
    VSB_NETNS: netns,
  };
  try {
    const inside = (...args: readonly string[]): Promise<string> =>
      runOrFail('ip', ['-n', netns, ...args], LIMIT);
    await inside('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'wire');
    for (const device of ['up0', 'wire']) await inside('link', 'set', device, 'up');
    const applied = await vsb(['apply', HERE('office.vsb.yaml'), '--yes'], { env });
    if (applied.status !== 0) throw new Error(applied.stdout + applied.stderr);
    await using _guests = await startGuests(netns, env);
    for (const picture of PICTURES) {
      if (names.length === 0 || names.includes(picture.name)) await take(picture, env);
    }
  } finally {
    await stopSandbox(directory, { force: true });
    rmSync(directory, { recursive: true, force: true });
  }
}

async function take({ name, title, size, args, typed, atSecond }: Picture, env: Environment): Promise<void> {
  await using terminal = startOnTerminal([...NODE, ...args], size, { ...env, NO_COLOR: undefined });
  let second = 0;
  for (const [at, text] of [...typed, [atSecond, ''] as const]) {
    await wait(at - second);
    second = at;
    if (text !== '') terminal.type(text);
  }
  writeFileSync(new URL(`${name}.svg`, IMAGES), renderSvg(terminal.screen, title));
  process.stdout.write(`${name}.svg\n${terminal.screen.text}\n`);
}

/** The VMs' ends of their taps, until disposed of. */
async function startGuests(netns: string, env: Environment): Promise<AsyncDisposable> {
  const ends = new Map<string, End>(Object.entries(BESIDES));
  const flows = [];
  const endOf = async (name: string): Promise<End> => {
    const end = ends.get(name) ?? { mac: await macOf(name, env), ip: `10.1.0.${String(ends.size + 10)}` };
    ends.set(name, end);
    return end;
  };
  for (const [from, to, perSecond, bytes, wave] of FLOWS) {
    const both = { from: await endOf(from), to: await endOf(to) };
    // Several conversations each.
    for (const port of [5432, 443, 8080])
      flows.push({
        device: from in BESIDES ? 'wire' : `${from}-0`,
        ...both,
        port,
        bytes,
        perSecond: perSecond / 3,
        wave,
      });
  }
  const args = ['netns', 'exec', netns, 'python3', HERE('guests.py'), JSON.stringify(flows)];
  const child = spawn('ip', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}

async function macOf(vm: string, env: Environment): Promise<string> {
  const args = ['get', 'Interface', `${vm}-0`, 'external_ids:attached-mac'];
  const text = await runOrFail('ovs-vsctl', args, { ...LIMIT, env });
  return text.trim().replaceAll('"', '');
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
}
