/**
 * The owner mark of a device. The kernel has no external_ids, but each device has an alias (ip-link(8)):
 * `vswitchboard:TOPOLOGY:VM:NIC`, with `:adopted` behind it where the device was there before us and therefore outlives
 * us, and `vswitchboard:TOPOLOGY:bridge` for a Linux bridge. The only file that decides whose a device is. Pure.
 */
import { createHash } from 'node:crypto';
import { nicName, type DesiredNic } from '../topology/desired.ts';

const PREFIX = 'vswitchboard';
const ADOPTED = 'adopted';
const BRIDGE = 'bridge';
/** An alias is at most 255 bytes (IFALIASZ); two names of this size fit, with the rest. */
const MAX_NAME_BYTES = 100;

/** What a mark says. */
export interface Mark {
  /** The topology's name, shortened as in the mark. */
  readonly topology: string;
  /** The NIC as people name it, `web1:0`; `undefined` on a bridge. */
  readonly nic: string | undefined;
  readonly isAdopted: boolean;
}

/** The alias of a NIC's device: at most 255 bytes, always the same for the same names. */
export function markOf(
  topologyName: string,
  nic: Pick<DesiredNic, 'vm' | 'index'>,
  isAdopted: boolean,
): string {
  const owner = `${PREFIX}:${shortened(topologyName)}:${nicName({ vm: shortened(nic.vm), index: nic.index })}`;
  return isAdopted ? `${owner}:${ADOPTED}` : owner;
}

/** The alias of a Linux bridge that we made. */
export function markOfBridge(topologyName: string): string {
  return `${PREFIX}:${shortened(topologyName)}:${BRIDGE}`;
}

/** @returns what an alias says, or `undefined` where it is no mark of ours */
export function readMark(alias: string | undefined): Mark | undefined {
  const [prefix, topology, vm, index, adopted, ...rest] = alias?.split(':') ?? [];
  if (prefix !== PREFIX || topology === undefined || vm === undefined) return undefined;
  if (vm === BRIDGE && index === undefined) return { topology, nic: undefined, isAdopted: false };
  if (index === undefined) return undefined;
  if ((adopted !== undefined && adopted !== ADOPTED) || rest.length > 0) return undefined;
  return { topology, nic: `${vm}:${index}`, isAdopted: adopted !== undefined };
}

/** The mark of an alias where it is this topology's, else `undefined`. */
export function markFor(topologyName: string, alias: string | undefined): Mark | undefined {
  const mark = readMark(alias);
  return mark?.topology === shortened(topologyName) ? mark : undefined;
}

/** Names hold no `~` (topology/schema.ts), so a shortened name is never another's full name. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  let head = name;
  while (Buffer.byteLength(head) > MAX_NAME_BYTES - 1 - hash.length) head = head.slice(0, -1);
  return `${head}~${hash}`;
}
