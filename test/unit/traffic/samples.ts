/** Samples, ports and rows for tests, with what matters filled in by the test. */
import type { OfPort } from '../../../src/openflow/ofport.ts';
import { toOfPort } from '../../../src/openflow/ofport.ts';
import type { PortCounters } from '../../../src/openflow/portstats.ts';
import type { Uuid } from '../../../src/ovsdb/schema/schema.ts';
import { toUuid } from '../../../src/ovsdb/schema/schema.ts';
import type { Pair, PairEnd } from '../../../src/traffic/pairs/pair.ts';
import type { PortSample } from '../../../src/traffic/rates.ts';
import type { NicIdentity, SwitchPort } from '../../../src/traffic/switchports.ts';

/** All counters 0. */
const ZERO: PortCounters = {
  rxPackets: 0n,
  txPackets: 0n,
  rxBytes: 0n,
  txBytes: 0n,
  rxDropped: 0n,
  txDropped: 0n,
  rxErrors: 0n,
  txErrors: 0n,
};

/** The nth UUID. */
export function uuid(n: number): Uuid {
  return toUuid(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
}

export function ofPort(n: number): OfPort {
  const ofport = toOfPort(n);
  if (ofport === undefined) throw new RangeError(String(n));
  return ofport;
}

/** A sample of port `p1` on `br0`, read at 0 with all counters 0. */
export function sample(
  changes: Partial<Omit<PortSample, 'counters'>> & { readonly counters?: Partial<PortCounters> } = {},
): PortSample {
  return {
    bridge: 'br0',
    port: 'p1',
    interfaceUuid: uuid(1),
    ofport: ofPort(1),
    session: 1,
    atMs: 0,
    durationMs: (changes.atMs ?? 0) + 10_000,
    ...changes,
    counters: { ...ZERO, ...changes.counters },
  };
}

/** Port number n, `p<n>` on `br0`, with the owner that is given. */
export function switchPort(n: number, owner?: Partial<NicIdentity>): SwitchPort {
  return {
    bridge: 'br0',
    port: `p${String(n)}`,
    interfaceUuid: uuid(n),
    ofport: ofPort(n),
    mac: undefined,
    owner: owner && { vm: 'web1', nic: '0', topology: undefined, network: undefined, ...owner },
  };
}

/** A NIC of a VM of topology `lab`. */
export function nicEnd(vm: string, nic = '0'): NicIdentity {
  return { vm, nic, topology: 'lab', network: 'web' };
}

/** A pair on `br0` that sent one packet of 100 bytes, without a rate. */
export function pair(from: PairEnd, to: PairEnd, changes: Partial<Pair> = {}): Pair {
  return {
    bridge: 'br0',
    from,
    to,
    packets: 1n,
    bytes: 100n,
    packetsPerSecond: undefined,
    bitsPerSecond: undefined,
    quality: 'exact',
    ageMs: 0,
    ...changes,
  };
}
