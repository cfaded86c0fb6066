/**
 * What a file leaves open and must be the same each time: MACs, addresses, device names. Each comes from a hash of the
 * topology's name, the VM's and the NIC's place; what is taken already is passed over. NICs ask in the order of the
 * file, so that one added at its end changes nobody else's. Pure.
 */
import { createHash } from 'node:crypto';
import { hostRange, renderAddress, type Cidr } from '../units/cidr.ts';
import { toDeviceName } from '../units/devicename.ts';
import { macFromHash, type Mac } from '../units/mac.ts';

/** A hash of names that is not that of other names, nor of the same ones at another attempt. */
export function hashOf(names: readonly string[], attempt: number): Buffer {
  // No name has a slash (schema.ts).
  return createHash('sha256')
    .update([...names, ...(attempt > 0 ? [`#${String(attempt)}`] : [])].join('/'))
    .digest();
}

/** Gives MACs. @param taken those that the file names */
export function macGiver(taken: Iterable<Mac>): (names: readonly string[]) => Mac {
  const used = new Set<Mac>(taken);
  return (names) => {
    for (let attempt = 0; ; attempt++) {
      const mac = macFromHash(hashOf(names, attempt));
      if (used.has(mac)) continue;
      used.add(mac);
      return mac;
    }
  };
}

/**
 * Gives host addresses of a network, as `ADDRESS/PREFIX`. A hash picks one; where it is taken, the next free one follows.
 * There are enough of them: check.ts refuses a network that has too few.
 * @param taken values of those that the file names
 */
export function addressGiver(cidr: Cidr, taken: Iterable<bigint>): (names: readonly string[]) => string {
  const used = new Set<bigint>(taken);
  const { first, last } = hostRange(cidr);
  const hostCount = last - first + 1n;
  return (names) => {
    let value = first + (hashOf(names, 0).readBigUInt64BE(8) % hostCount);
    while (used.has(value)) value = value === last ? first : value + 1n;
    used.add(value);
    return renderPrefixed(value, cidr);
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
