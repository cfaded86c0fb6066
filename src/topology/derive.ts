/**
 * What a file leaves open and must be the same each time: MACs, addresses, device names. Each comes from a hash of the
 * topology's name, the VM's and the NIC's place; what is taken already is passed over. NICs ask in the order of the
 * file, so that one added at its end changes nobody else's. Pure.
 */
import { hash } from 'node:crypto';
import { hostRange, renderAddress, type Cidr } from '../units/cidr.ts';
import { toDeviceName } from '../units/devicename.ts';
import { macFromHash, type Mac } from '../units/mac.ts';
import { uuidFromHash } from '../units/uuid.ts';

/** A NIC's names (topology, VM, place), and their hash, of which each giver uses its own bytes. */
export interface NicSeed {
  readonly names: readonly string[];
  /** 64 hexadecimal digits. Text, not a Buffer: thousands of those make the garbage collector the slowest part. */
  readonly hash: string;
}

/** Where in the hash the address's part begins; the MAC's is at its begin, the UUID's is its second half. */
const ADDRESS_AT = 16;

/** `iface-id` of a NIC. */
export function uuidOfSeed({ hash }: NicSeed): string {
  return uuidFromHash(hash.slice(32));
}

/** The seed of a NIC. No name has a slash (schema.ts), so different names have different hashes. */
export function toSeed(...names: readonly string[]): NicSeed {
  return { names, hash: sha256(names.join('/')) };
}

/** Gives MACs; one that is taken makes way for that of another hash. @param taken those that the file names */
export function macGiver(taken: Iterable<Mac>): (seed: NicSeed) => Mac {
  const used = new Set<Mac>(taken);
  return ({ names, hash }) => {
    let mac = macFromHash(hash);
    for (let attempt = 1; used.has(mac); attempt++) {
      mac = macFromHash(sha256([...names, `#${String(attempt)}`].join('/')));
    }
    used.add(mac);
    return mac;
  };
}

/**
 * Gives host addresses of a network, as `ADDRESS/PREFIX`. The hash picks one (of the first 2^48, where there are more);
 * where it is taken, the next free one follows. There are enough of them: check.ts refuses a network that has too few.
 * @param taken values of those that the file names
 */
export function addressGiver(cidr: Cidr, taken: Iterable<bigint>): (seed: NicSeed) => string {
  const { first, last } = hostRange(cidr);
  const hostCount = Math.min(Number(last - first) + 1, 2 ** 48);
  // Offsets, because numbers are cheaper than bigints, and there are thousands.
  const used = new Set(Array.from(taken, (value) => Number(value - first)));
  return ({ hash }) => {
    let offset = Number.parseInt(hash.slice(ADDRESS_AT, ADDRESS_AT + 12), 16) % hostCount;
    while (used.has(offset)) offset = (offset + 1) % hostCount;
    used.add(offset);
    return renderPrefixed(first + BigInt(offset), cidr);
  };
}

/** `10.1.0.11/24` */
export function renderPrefixed(value: bigint, cidr: Cidr): string {
  return `${renderAddress(value, cidr.family)}/${String(cidr.prefixLength)}`;
}

/** Gives device names of at most 15 bytes. @param taken bridges and uplinks */
export function deviceNameGiver(taken: Iterable<string>): (wanted: string) => string {
  const used = new Set<string>(taken);
  return (wanted) => {
    for (let attempt = 0; ; attempt++) {
      const name = toDeviceName(wanted, attempt);
      if (used.has(name)) continue;
      used.add(name);
      return name;
    }
  };
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}
