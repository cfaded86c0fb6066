/**
 * Measures ways of a packet against each other, here and now: two guests on a private Open vSwitch, with a NIC of each way in
 * both; one TCP stream, then 64-byte frames, way after way and round after round. What counts is what the kernel says
 * has reached the receiver's device, not what the sender says it sent.
 */
import { access } from 'node:fs/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, VsbError } from '../errors.ts';
import { runOnConsole } from '../guest/consolecommand.ts';
import type { Accelerator } from '../guest/qemu-args.ts';
import { guestPaths } from '../guest/run-directory.ts';
import { runOrFail } from '../process/run.ts';
import { startSandbox, stopSandbox } from '../sandbox/sandbox.ts';
import type { DesiredState } from '../topology/desired.ts';
import { apply } from './apply.ts';
import {
  addressOf,
  LOWER,
  obstacleTo,
  RECEIVER,
  SENDER,
  spreadOf,
  topologyOf,
  toWay,
  type Way,
} from './comparisonways.ts';
import { toSettings, type Settings } from './settings.ts';
import { loadTopology } from './topology.ts';
import { startVms, stopVms } from './vm.ts';

export interface CompareOptions {
  /** Names as comparisonways.ts has them. */
  readonly ways: readonly string[];
  readonly rounds: number;
  /** How long each measurement takes. */
  readonly seconds: number;
  readonly accelerator: Accelerator | 'auto';
  /** Of the small guest that scripts/guest-image builds. */
  readonly kernel: string;
  readonly initrd: string;
  /** What is going on, for people. */
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface MeasuredWay {
  readonly way: string;
  /** Why it was not measured. */
  readonly unavailable: string | undefined;
  readonly bitsPerSecond: Spread | undefined;
  /** 64-byte frames that reached the receiver's device. */
  readonly packetsPerSecond: Spread | undefined;
}

export interface Comparison {
  readonly rounds: number;
  readonly seconds: number;
  readonly accelerator: string;
  readonly ways: readonly MeasuredWay[];
}

const BOOT_MS = 180_000;
/** A stream, and pktgen, need a moment to be at their speed. */
const WARM_UP_MS = 700;
const GRACE_MS = 20_000;

/**
 * Everything that it makes is gone when it ends, also where it is interrupted.
 * @throws USAGE, COMPARE_IMAGE_MISSING, CANCELLED, what startSandbox, apply and startVms throw
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const ways = await Promise.all(
    options.ways.map(toWay).map(async (way) => ({ way, unavailable: await obstacleTo(way) })),
  );
  for (const path of [options.kernel, options.initrd])
    await access(path).catch((cause: unknown) => {
      throw fail('COMPARE_IMAGE_MISSING', { path }, { cause });
    });
  const measurable = ways.flatMap(({ way, unavailable }) => (unavailable === undefined ? way : []));
  const directory = await mkdtemp(join(tmpdir(), 'vsb-compare-'));
  const sandboxDirectory = join(directory, 'ovs');
  const settings = toSettings({
    remote: `unix:${join(sandboxDirectory, 'db.sock')}`,
    ovsRundir: sandboxDirectory,
    netns: basename(directory),
    runDir: join(directory, 'run'),
  });
  const file = join(directory, 'compare.vsb.yaml');
  try {
    const { accelerator, results } =
      measurable.length === 0
        ? { accelerator: 'none', results: new Map<Way, { bits: number[]; packets: number[] }>() }
        : await measureAll(measurable, { options, settings, file, sandboxDirectory });
    return {
      rounds: options.rounds,
      seconds: options.seconds,
      accelerator,
      ways: ways.map(({ way, unavailable }) => {
        const result = results.get(way);
        return {
          way: way.name,
          unavailable,
          bitsPerSecond: result && spreadOf(result.bits),
          packetsPerSecond: result && spreadOf(result.packets),
        };
      }),
    };
  } finally {
    await stopVms(settings, file, { vms: [], force: true, timeoutMs: 0, libvirt: { uri: undefined } }).catch(
      () => undefined,
    );
    await stopSandbox(sandboxDirectory, { force: true });
    await rm(directory, { recursive: true, force: true });
  }
}

interface Lab {
  readonly options: CompareOptions;
  readonly settings: Settings;
  readonly file: string;
  readonly sandboxDirectory: string;
}

async function measureAll(
  ways: readonly Way[],
  lab: Lab,
): Promise<{ accelerator: string; results: ReadonlyMap<Way, { bits: number[]; packets: number[] }> }> {
  const { options, settings, file, sandboxDirectory } = lab;
  const { rounds, seconds, signal, onProgress } = options;
  onProgress?.(`starting a private Open vSwitch and two guests with ${String(ways.length)} NICs each`);
  await startSandbox({ directory: sandboxDirectory, datapath: 'netdev', netns: settings.netns, signal });
  const ip = (...args: readonly string[]): Promise<string> =>
    runOrFail('ip', args, { timeoutMs: GRACE_MS, netns: settings.netns });
  await ip('link', 'add', LOWER, 'type', 'veth', 'peer', 'name', `${LOWER}p`);
  for (const device of [LOWER, `${LOWER}p`]) await ip('link', 'set', 'dev', device, 'up');
  await writeFile(file, JSON.stringify(topologyOf(ways, options))); // JSON is YAML
  await applyAll(file, settings, signal);
  const started = await startVms(settings, file, {
    vms: [],
    accelerator: options.accelerator,
    with: 'qemu',
    libvirt: { uri: undefined },
    waitFor: 'GUEST-UP',
    timeoutMs: BOOT_MS,
    ...(signal ? { signal } : {}),
  });
  for (const { result } of started) if (result instanceof VsbError) throw result;
  const [first] = started;
  const accelerator =
    first && !(first.result instanceof VsbError) && first.result.outcome === 'started'
      ? first.result.accelerator
      : 'unknown';
  const desired = await loadTopology(file);
  const results = new Map(ways.map((way) => [way, { bits: [] as number[], packets: [] as number[] }]));
  await command(lab, RECEIVER, 'vsb-sink', 'VSB-SINK');
  for (let round = 1; round <= rounds; round++) {
    for (const [index, way] of ways.entries()) {
      onProgress?.(`round ${String(round)} of ${String(rounds)}: ${way.name}`);
      const device = nicOf(desired, index).device;
      const { mac } = nicOf(desired, index);
      const length = String(seconds + 1);
      const stream = await measure(lab, `vsb-tcp ${addressOf(index)} ${length}`, device);
      const frames = await measure(lab, `vsb-frames eth${String(index)} ${mac} ${length}`, device);
      results.get(way)?.bits.push(stream.bitsPerSecond);
      results.get(way)?.packets.push(frames.packetsPerSecond);
    }
  }
  return { accelerator, results };
}

async function applyAll(file: string, settings: Settings, signal: AbortSignal | undefined): Promise<void> {
  const report = await apply(file, {
    settings,
    databaseOnly: false,
    deadlineMs: GRACE_MS,
    confirm: () => Promise.resolve(true),
    ...(signal ? { signal } : {}),
  });
  const [failure] = report.failed;
  if (failure) throw failure.error;
  const [finding] = report.findings;
  if (finding) throw fail('INTERNAL', { what: finding.message });
}

/** Sends for a while, and counts in the middle of it. */
async function measure(
  lab: Lab,
  line: string,
  device: string,
): Promise<{ bitsPerSecond: number; packetsPerSecond: number }> {
  const sending = command(lab, SENDER, line, 'VSB-OVER');
  // Its failure is told when it is waited for.
  sending.catch(() => undefined);
  await delay(WARM_UP_MS, undefined, { signal: lab.options.signal }).catch(() => undefined);
  const before = await readCounters(lab.settings, device);
  await delay(lab.options.seconds * 1000 - WARM_UP_MS, undefined, { signal: lab.options.signal }).catch(
    () => undefined,
  );
  const after = await readCounters(lab.settings, device);
  await sending;
  const seconds = (after.atMs - before.atMs) / 1000;
  return {
    bitsPerSecond: ((after.bytes - before.bytes) * 8) / seconds,
    packetsPerSecond: (after.packets - before.packets) / seconds,
  };
}

interface Counters {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
}

/** Towards the guest: what a tap has sent, what a macvtap has received. */
async function readCounters({ netns }: Settings, device: string): Promise<Counters> {
  const text = await runOrFail('ip', ['-j', '-s', 'link', 'show', 'dev', device], {
    timeoutMs: GRACE_MS,
    netns,
  });
  const [link] = JSON.parse(text) as readonly [
    { stats64: Record<'rx' | 'tx', { bytes: number; packets: number }>; link?: string },
  ];
  const { bytes, packets } = link.stats64[link.link === undefined ? 'tx' : 'rx'];
  return { atMs: performance.now(), bytes, packets };
}

function command({ settings, options }: Lab, vm: string, line: string, word: string): Promise<void> {
  const paths = guestPaths(settings.runDir, { topology: 'compare', vm });
  const timeoutMs = options.seconds * 1000 + GRACE_MS;
  return runOnConsole(vm, paths, { command: line, word, timeoutMs, signal: options.signal });
}

/** The receiver's NIC by a way. */
function nicOf(desired: DesiredState, index: number): { readonly device: string; readonly mac: string } {
  const nic = desired.vms.find(({ name }) => name === RECEIVER)?.nics[index];
  if (!nic) throw fail('INTERNAL', { what: `the receiver has no NIC ${String(index)}` });
  return nic;
}
