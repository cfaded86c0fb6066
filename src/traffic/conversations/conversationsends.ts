/**
 * Who is at the ends of what a bridge exports: by the port, else by the address. Devices are devices.ts's. Holds what it has
 * seen of addresses; no I/O, no clock.
 */
import type { FlowReport, Place } from './collectorformats.ts';
import type { Device } from '../devices.ts';
import type { PairEnd } from '../pairs/pair.ts';

/** A device as this file needs it. */
export interface EndDevice extends Pick<Device, 'name' | 'ofport' | 'mac' | 'end'> {
  /** The kernel's number of it, which sFlow speaks of. */
  readonly ifindex: number | undefined;
}

/** Addresses of NICs to remember: a guest may send from any, and is not to fill our memory with them. */
const MOST_ADDRESSES = 65_536;
/** Of a multicast or broadcast Ethernet address the lowest bit of the first byte is 1. */
const GROUP_MAC = /^.[13579bdf]:/;
/** IPv4: 224.0.0.0/4 (multicast) and 255.255.255.255; IPv6: ff00::/8. */
const GROUP_ADDRESS = /^(22[4-9]|23\d)\.|^255\.255\.255\.255$|^ff[\da-f]{2}:/;

/** The bridge's own port (OFPP_LOCAL); in NetFlow of Open vSwitch also: more than one port, as with a mirror. */
const LOCAL_OR_SEVERAL = 65_534;

/** The ends on one bridge. */
export class BridgeEnds {
  readonly #addresses = new Map<string, PairEnd>();
  #byOfport = new Map<number, PairEnd>();
  #byName = new Map<string, PairEnd>();
  #byIfindex = new Map<number, PairEnd>();
  #byMac = new Map<string, PairEnd>();

  /** The devices that the bridge has from now on. */
  setDevices(devices: readonly EndDevice[]): void {
    this.#byOfport = index(devices, ({ ofport }) => ofport);
    this.#byName = index(devices, ({ name }) => name);
    this.#byIfindex = index(devices, ({ ifindex }) => ifindex);
    this.#byMac = index(devices, ({ mac }) => mac);
  }

  /** Remembers whose the addresses of a report are, as far as it says. */
  learn(report: FlowReport): void {
    const from = this.#at(report.input);
    // Beyond the uplink is whoever is nowhere else.
    if (from !== undefined && from !== 'uplink') this.#remember(report.source, from);
    const to = report.destinationMac === undefined ? undefined : this.#byMac.get(report.destinationMac);
    if (to !== undefined) this.#remember(report.destination, to);
  }

  /** Who sent it. */
  from(report: FlowReport): PairEnd {
    return this.#at(report.input) ?? this.#addresses.get(report.source) ?? 'unknown';
  }

  /**
   * Whom it is for. `undefined` where nobody knows: it was sent to all ports since the switch did not know either, or the
   * format does not say.
   */
  to(report: FlowReport): PairEnd | undefined {
    const { destination, destinationMac: mac, output } = report;
    if (isGroup(destination) || (mac !== undefined && GROUP_MAC.test(mac))) return 'flood';
    const learned = this.addressee(destination);
    if (learned !== undefined && output.at === 'ofport' && output.ofport === LOCAL_OR_SEVERAL) return learned;
    const known = this.#at(output) ?? (mac === undefined ? undefined : this.#byMac.get(mac));
    if (known !== undefined) return known;
    // An address that is nobody's here is beyond the uplink, if there is one.
    if (mac !== undefined) return [...this.#byName.values()].includes('uplink') ? 'uplink' : 'unknown';
    return learned;
  }

  /** Whose this address is, as far as was learnt. */
  addressee(address: string): PairEnd | undefined {
    return this.#addresses.get(address);
  }

  #at(place: Place): PairEnd | undefined {
    switch (place.at) {
      case 'ofport':
        return this.#byOfport.get(place.ofport);
      case 'device':
        return this.#byName.get(place.name);
      case 'ifindex':
        return this.#byIfindex.get(place.ifindex);
      case 'flooded':
      case 'dropped':
      case 'unknown':
        return undefined;
    }
  }

  #remember(address: string, end: PairEnd): void {
    if (isGroup(address)) return;
    if (this.#addresses.size < MOST_ADDRESSES || this.#addresses.has(address))
      this.#addresses.set(address, end);
  }
}

function isGroup(address: string): boolean {
  return GROUP_ADDRESS.test(address);
}

function index<Key>(devices: readonly EndDevice[], keyOf: (device: EndDevice) => Key | undefined) {
  const ends = new Map<Key, PairEnd>();
  for (const device of devices) {
    const key = keyOf(device);
    if (key !== undefined) ends.set(key, device.end);
  }
  return ends;
}
