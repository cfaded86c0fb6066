/** Reads what is known of taps from the kernel: `ip -j link` and `ss -0 -e`. What follows from it is offload.ts's. */
import { run } from '../process/run.ts';
import { fail } from '../errors.ts';
import type { TapFacts } from './offload.ts';

/** Both programs answer in milliseconds; only a stuck machine needs longer. */
const TIMEOUT_MS = 10_000;

/**
 * The facts of each tap that is there; a device that is missing is missing in the map.
 * @throws PROGRAM_MISSING, PROGRAM_FAILED, NETNS_MISSING, NOT_PERMITTED
 */
export async function readTapFacts(
  devices: readonly string[],
  netns: string | undefined,
): Promise<ReadonlyMap<string, TapFacts>> {
  if (devices.length === 0) return new Map();
  const options = { timeoutMs: TIMEOUT_MS, netns };
  const [links, sockets] = await Promise.all([
    run('ip', ['-j', 'link', 'show'], options),
    run('ss', ['-0', '-e', '-n', '-H'], options),
  ]);
  const masters = decodeLinks(links.stdout);
  // A kernel without packet_diag shows no flags: the header then counts as unread, which is right everywhere.
  const readers = sockets.status === 0 ? decodeHeaderReaders(sockets.stdout) : new Set<string>();
  const facts = new Map<string, TapFacts>();
  for (const device of devices) {
    const master = masters.get(device);
    if (master === undefined) continue;
    facts.set(device, { inKernelSwitch: master !== null, socketReadsHeader: readers.has(device) });
  }
  return facts;
}

/** Device → its master, or null where it has none. */
export function decodeLinks(json: string): Map<string, string | null> {
  const links: unknown = JSON.parse(json);
  if (!Array.isArray(links)) throw fail('INTERNAL', { what: '"ip -j link show" printed no JSON array' });
  const masters = new Map<string, string | null>();
  for (const link of links as readonly Readonly<Record<string, unknown>>[]) {
    const name = link['ifname'];
    const master = link['master'];
    if (typeof name === 'string') masters.set(name, typeof master === 'string' ? master : null);
  }
  return masters;
}

/** The devices with a packet socket whose flags have `vnethdr` (ss(8): one line per socket, then its details). */
export function decodeHeaderReaders(text: string): Set<string> {
  const devices = new Set<string>();
  let device: string | undefined;
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) device = /\s\*:(\S+)\s/.exec(line)?.[1];
    if (device !== undefined && /flags\([^)]*\bvnethdr\b/.test(line)) devices.add(device);
  }
  return devices;
}
