/** Devices as a database might have them. */
import { toOfPort, type OfPort } from '../../../src/openflow/ofport.ts';
import type { Device } from '../../../src/traffic/devices.ts';
import type { PairEnd } from '../../../src/traffic/pairs/pair.ts';

/** A device that is attached to br0, with access to a VLAN. */
export function device(name: string, end: PairEnd, untaggedVlan = 10): Device & { readonly ofport: OfPort } {
  const ofport = toOfPort(7);
  if (ofport === undefined) throw new Error('7 is a port');
  return { bridge: 'br0', name, ofport, end, mac: undefined, untaggedVlan, taggedVlans: [] };
}

/** The first NIC of a VM. */
export function nic(vm: string): PairEnd {
  return { vm, nic: '0', topology: 'lab', network: 'web' };
}
