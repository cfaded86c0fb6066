/**
 * Packets of VMs as pcapng: a tcpdump at each NIC's device, what they give merged into one stream with the VMs' names.
 * Where it goes is the caller's.
 */
import { fail } from '../errors.ts';
import { renderInterface, renderPacket, renderSectionHeader, renderStatistics } from '../output/pcapng.ts';
import { run } from '../process/run.ts';
import { startStreaming, type StreamingProgram } from '../process/streaming.ts';
import { DEVICE_COLUMNS, findDevices, toDevices, type Device } from '../traffic/devices.ts';
import { PcapStream, type CapturedPacket } from '../traffic/pcapstream.ts';
import type { Mac } from '../units/mac.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

export interface CaptureOptions {
  readonly settings: Settings;
  /** `web1` (all its NICs), `web1:0`, or devices. */
  readonly nics: readonly string[];
  /** In the syntax of pcap-filter(7); `undefined`: every packet. */
  readonly filter?: string | undefined;
  /** Ends after so many packets of all NICs together; `undefined`: no limit. */
  readonly count?: number | undefined;
  /** Ends so many milliseconds after it began; `undefined`: no limit. */
  readonly forMs?: number | undefined;
  /** Bytes kept of each packet. Default: all. */
  readonly snapLength?: number | undefined;
  /** Ends it, with a whole file. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Takes bytes of the file, in order; it may take its time. False: nobody wants more, and the capture ends. The first call
   * comes when all devices are being listened to, or not at all.
   */
  readonly write: (bytes: Buffer) => Promise<boolean>;
  /** Told once, when it has begun. */
  readonly onStart?: (nics: readonly CaptureEnd[]) => void;
}

/** A NIC of a capture. */
export interface CaptureEnd {
  /** `web1:0`; for a device that is no VM's, the device. */
  readonly name: string;
  readonly device: string;
}

/** What a NIC's capture came to. */
export interface CaptureResult extends CaptureEnd {
  readonly packets: number;
  /** Packets that passed the filter and were lost since they were not read in time; `undefined` where tcpdump did not say. */
  readonly dropped: number | undefined;
  /** Why it ended before it should: the VM was stopped, for example. */
  readonly problem: string | undefined;
}

/** libpcap's own (pcap_set_snaplen). */
const WHOLE_PACKET_BYTES = 262_144;
const CHECK_LIMIT_MS = 10_000;
const APPLICATION = 'vswitchboard';

/**
 * Captures until a limit is reached, the signal comes, nobody wants more, or the last device is gone.
 * @throws NIC_UNKNOWN, CAPTURE_FILTER_INVALID, CAPTURE_FAILED where a device cannot be listened to, CAPTURE_GARBLED,
 *   PROGRAM_MISSING, NETNS_MISSING, NOT_PERMITTED, and what connectSwitch and `write` throw
 */
export async function capture(options: CaptureOptions): Promise<readonly CaptureResult[]> {
  await checkFilter(options.filter, options.signal);
  const devices = await findNics(options);
  const taps = devices.map((device, index) => startTap(device, index, options));
  try {
    await Promise.all(taps.map((tap) => tap.listening));
    return await gather(taps, options);
  } finally {
    await Promise.all(taps.map((tap) => tap.program[Symbol.asyncDispose]()));
  }
}

async function checkFilter(filter: string | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (filter === undefined) return;
  const args = ['-y', 'EN10MB', '-d', '--', filter];
  const { status, stderr } = await run('tcpdump', args, { timeoutMs: CHECK_LIMIT_MS, signal });
  if (status !== 0) throw fail('CAPTURE_FILTER_INVALID', { filter, why: lastWords(stderr) });
}

async function findNics({ settings, nics, signal }: CaptureOptions): Promise<readonly Device[]> {
  await using client = await connectSwitch(settings, { columns: DEVICE_COLUMNS, follow: false, signal });
  const devices = toDevices(client.snapshot());
  return [...new Set(nics.flatMap((name) => findDevices(devices, name)))];
}

interface Tap extends CaptureEnd {
  readonly interfaceId: number;
  /** Its 6 bytes. */
  readonly mac: Buffer | undefined;
  readonly program: StreamingProgram;
  /** Rejects where it cannot be listened to. */
  readonly listening: Promise<void>;
}

function startTap({ name: device, end, mac }: Device, interfaceId: number, options: CaptureOptions): Tap {
  const name = typeof end === 'string' ? device : `${end.vm}:${end.nic}`;
  let onListening = (): void => undefined;
  const begun = new Promise<void>((resolve) => (onListening = resolve));
  const program = startStreaming('tcpdump', tcpdumpArguments(device, options), {
    netns: options.settings.netns,
    onErrorLine: (line) => {
      if (line.includes('listening on ')) onListening();
    },
  });
  const failed = program.ended.then(({ stderr }) => {
    throw fail('CAPTURE_FAILED', { nic: name, device, why: lastWords(stderr) });
  });
  const listening = Promise.race([begun, failed]);
  // One that fails is told by the first of them.
  listening.catch(() => undefined);
  return {
    name,
    device,
    interfaceId,
    mac: typeof end === 'string' ? undefined : toBytes(mac),
    program,
    listening,
  };
}

/** tcpdump(8): packets as they come, with nanoseconds, and room for bursts. */
function tcpdumpArguments(device: string, { snapLength, filter }: CaptureOptions): string[] {
  const length = String(snapLength ?? WHOLE_PACKET_BYTES);
  const timing = ['-U', '--immediate-mode', '--time-stamp-precision=nano', '--buffer-size=32768'];
  return ['-i', device, '-w', '-', '-s', length, ...timing, ...(filter === undefined ? [] : ['--', filter])];
}

async function gather(taps: readonly Tap[], options: CaptureOptions): Promise<readonly CaptureResult[]> {
  const { count = Infinity, forMs, signal, write, onStart } = options;
  const startNs = nowNs();
  const stop = new AbortController();
  const stopAll = (): void => {
    stop.abort();
    for (const { program } of taps) program.stop();
  };
  let remaining = count;
  let isWanted = true;
  const put = async (blocks: readonly Buffer[]): Promise<void> => {
    if (isWanted && blocks.length > 0) isWanted = await write(Buffer.concat(blocks));
    if (!isWanted || remaining === 0) stopAll();
  };
  const follow = async (tap: Tap): Promise<CaptureResult> => {
    const stream = new PcapStream();
    let packets = 0;
    for await (const chunk of tap.program.stdout as AsyncIterable<Buffer>) {
      const taken = stream.push(chunk).slice(0, remaining);
      packets += taken.length;
      remaining -= taken.length;
      await put(taken.map((packet) => toBlock(packet, tap)));
    }
    const { stderr } = await tap.program.ended;
    const problem = stop.signal.aborted ? undefined : lastWords(stderr);
    return { name: tap.name, device: tap.device, packets, dropped: droppedOf(stderr), problem };
  };
  const timer = forMs === undefined ? undefined : setTimeout(stopAll, forMs);
  signal?.addEventListener('abort', stopAll, { once: true });
  try {
    if (signal?.aborted === true) stopAll();
    await put([renderSectionHeader(APPLICATION), ...taps.map((tap) => toInterfaceBlock(tap, options))]);
    onStart?.(taps.map(({ name, device }) => ({ name, device })));
    const results = await Promise.all(taps.map(follow));
    const endNs = nowNs();
    await put(
      results.map(({ packets, dropped }, interfaceId) =>
        renderStatistics({ interfaceId, startNs, endNs, accepted: packets + (dropped ?? 0), dropped }),
      ),
    );
    return results;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stopAll);
  }
}

function toInterfaceBlock({ name, device }: Tap, { filter, snapLength }: CaptureOptions): Buffer {
  return renderInterface({ name, description: device, filter, snapLength: snapLength ?? WHOLE_PACKET_BYTES });
}

function toBlock({ atNs, bytes, originalLength }: CapturedPacket, { interfaceId, mac }: Tap): Buffer {
  const direction = mac === undefined ? undefined : isSentBy(mac, bytes) ? 'outbound' : 'inbound';
  return renderPacket({ interfaceId, atNs, bytes, originalLength, direction });
}

/** The source address of an Ethernet frame (IEEE 802.3). */
function isSentBy(mac: Buffer, frame: Buffer): boolean {
  return frame.length >= 12 && mac.compare(frame, 6, 12) === 0;
}

/** `5 packets dropped by kernel`, tcpdump's last line. */
function droppedOf(stderr: string): number | undefined {
  const count = /^(\d+) packets? dropped by kernel$/m.exec(stderr)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** What a program said at last, without its name. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('tcpdump: ') && !line.includes('listening on'));
  return lines.at(-1)?.slice('tcpdump: '.length) ?? (stderr.trim() || 'it gave no reason');
}

function toBytes(mac: Mac | undefined): Buffer | undefined {
  return mac === undefined ? undefined : Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
