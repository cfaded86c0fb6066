/**
 * What no value can tell by itself: names that lead nowhere, two of what there may be one of, addresses outside their
 * network, VLANs that do not fit together.
 *
 * Works on the value as YAML has it, not on the decoded one, so that a file with a misspelt key also gets the issues
 * below. What schema.ts has refused already is passed over here.
 */
import { contains, hostRange, renderAddress, toCidr, toIpAddress, type Cidr } from '../units/cidr.ts';
import { isNicMac, toMac } from '../units/mac.ts';
import { renderVlans, toVlanId, toVlanRange } from '../units/vlan.ts';
import { nicName } from './desired.ts';
import { checkBackends } from './checkbackends.ts';
import { checkDisks } from './checkdisks.ts';
import { found, type Found } from './issues.ts';
import { nearestName } from './nearest.ts';
import {
  entries,
  field,
  list,
  pathOf,
  text,
  type DevicePlace,
  type NicPlace,
  type RawFile,
} from './rawvalue.ts';
import type { Path } from './yaml.ts';

/** Finds all of it, in no particular order. */
export function checkTopology(root: unknown): Found[] {
  const findings: Found[] = [];
  const file: RawFile = {
    bridges: entries(field(root, 'bridges')),
    networks: entries(field(root, 'networks')),
    profiles: entries(field(root, 'profiles')),
    vms: entries(field(root, 'vms')),
    report: (finding) => findings.push(finding),
  };
  const devices = checkBridges(file);
  checkBackends(file, devices);
  checkDisks(file);
  for (const [name, profile] of file.profiles)
    checkVlan(file, field(profile, 'vlan'), ['profiles', name, 'vlan']);
  const networks = new Map(
    [...file.networks].map(([name, network]) => [name, toNetwork(file, name, network)]),
  );
  const macs = new Map<string, NicPlace>();
  for (const [vm, entry] of file.vms) {
    list(field(entry, 'nics')).forEach((nic, index) => {
      const place: NicPlace = { vm, index };
      checkNicVlan(file, nic, place, networks);
      checkMac(file, nic, place, macs);
      checkAddress(file, nic, place, networks);
    });
  }
  return findings;
}

interface Network {
  readonly name: string;
  readonly vlan: number | undefined;
  readonly cidr: Cidr | undefined;
  readonly hosts: { readonly first: bigint; readonly last: bigint };
  /** Given addresses: value → NIC. */
  readonly taken: Map<bigint, NicPlace>;
  /** NICs that have or need an address of it. */
  nicCount: number;
}

/** @returns the devices that the bridges are and have, by name */
function checkBridges(file: RawFile): Map<string, DevicePlace> {
  const devices = new Map<string, DevicePlace>();
  for (const name of file.bridges.keys()) devices.set(name, { path: ['bridges', name], at: 'key' });
  for (const [name, bridge] of file.bridges) {
    for (const [index, uplink] of list(field(bridge, 'uplinks')).entries()) {
      const path: Path = ['bridges', name, 'uplinks', index];
      const device = text(field(uplink, 'device'));
      const before = device === undefined ? undefined : devices.get(device);
      if (device !== undefined && before) {
        file.report(
          found('DEVICE_DUPLICATE', [...path, 'device'], (lineOf) => ({
            device,
            line: lineOf(before.path, before.at),
          })),
        );
      } else if (device !== undefined) {
        devices.set(device, { path: [...path, 'device'], at: 'value' });
      }
      if (field(uplink, 'vlan') !== undefined && field(uplink, 'trunk') !== undefined) {
        file.report(found('VLAN_TWICE', [...path, 'trunk'], { device: device ?? '' }, 'key'));
      }
      checkVlan(file, field(uplink, 'vlan'), [...path, 'vlan']);
    }
  }
  return devices;
}

/** A trunk that contradicts itself. */
function checkVlan(file: RawFile, vlan: unknown, path: Path): void {
  const native = field(vlan, 'native');
  if (native === undefined) {
    if (field(vlan, 'nativeTagged') !== undefined) {
      file.report(found('NATIVE_MISSING', [...path, 'nativeTagged'], { key: 'nativeTagged' }, 'key'));
    }
    return;
  }
  const ids = trunkIds(vlan);
  if (typeof native === 'number' && toVlanId(native) !== undefined && ids && !ids.has(native)) {
    const trunk = renderVlans([...ids]);
    file.report(found('NATIVE_NOT_IN_TRUNK', [...path, 'native'], { native, trunk }));
  }
}

/** The ids of `{ trunk: […] }`; `undefined` where it is none, empty or invalid. */
function trunkIds(vlan: unknown): ReadonlySet<number> | undefined {
  const ids = new Set<number>();
  for (const item of list(field(vlan, 'trunk'))) {
    const range = typeof item === 'number' || typeof item === 'string' ? toVlanRange(item) : undefined;
    if (!range) return undefined;
    for (const id of range) ids.add(id);
  }
  return ids.size > 0 ? ids : undefined;
}

function toNetwork(file: RawFile, name: string, entry: unknown): Network {
  checkName(file, 'bridge', file.bridges, field(entry, 'bridge'), ['networks', name]);
  const vlan = field(entry, 'vlan');
  const cidr = toCidr(text(field(entry, 'cidr')) ?? '');
  return {
    name,
    vlan: typeof vlan === 'number' ? vlan : undefined,
    cidr,
    hosts: cidr ? hostRange(cidr) : { first: 0n, last: 0n },
    taken: new Map(),
    nicCount: 0,
  };
}

function checkName(
  file: RawFile,
  kind: 'bridge' | 'network' | 'profile',
  known: ReadonlyMap<string, unknown>,
  value: unknown,
  owner: Path | NicPlace,
): void {
  const name = text(value);
  if (name === undefined || known.has(name)) return;
  const path = 'vm' in owner ? pathOf(owner, kind) : [...owner, kind];
  file.report(found('NAME_UNKNOWN', path, { kind, name, nearest: nearestName(name, [...known.keys()]) }));
}

function checkNicVlan(
  file: RawFile,
  nic: unknown,
  place: NicPlace,
  networks: ReadonlyMap<string, Network>,
): void {
  checkName(file, 'network', file.networks, field(nic, 'network'), place);
  checkName(file, 'profile', file.profiles, field(nic, 'profile'), place);
  const own = field(nic, 'vlan');
  if (own !== undefined) checkVlan(file, own, pathOf(place, 'vlan'));
  const fromProfile = field(file.profiles.get(text(field(nic, 'profile')) ?? ''), 'vlan');
  const ids = trunkIds(own ?? fromProfile);
  const network = networks.get(text(field(nic, 'network')) ?? '');
  if (ids && network?.vlan !== undefined && !ids.has(network.vlan)) {
    const details = { network: network.name, vlan: network.vlan, trunk: renderVlans([...ids]) };
    file.report(
      found('TRUNK_WITHOUT_NETWORK', pathOf(place, own === undefined ? 'profile' : 'vlan'), details),
    );
  }
}

function checkMac(file: RawFile, nic: unknown, place: NicPlace, macs: Map<string, NicPlace>): void {
  const given = text(field(nic, 'mac'));
  const mac = given === undefined ? undefined : toMac(given);
  if (mac === undefined || !isNicMac(mac)) return;
  const other = macs.get(mac);
  if (!other) {
    macs.set(mac, place);
    return;
  }
  file.report(
    found('MAC_DUPLICATE', pathOf(place, 'mac'), (lineOf) => ({
      mac,
      nic: nicName(place),
      other: nicName(other),
      line: lineOf(pathOf(other, 'mac'), 'value'),
    })),
  );
}

function checkAddress(
  file: RawFile,
  nic: unknown,
  place: NicPlace,
  networks: ReadonlyMap<string, Network>,
): void {
  const network = networks.get(text(field(nic, 'network')) ?? '');
  if (!network) return;
  const given = text(field(nic, 'ip'));
  const { cidr, hosts, name } = network;
  if (!cidr) {
    const hasNone = field(file.networks.get(name), 'cidr') === undefined;
    if (given !== undefined && hasNone)
      file.report(found('IP_WITHOUT_CIDR', pathOf(place, 'ip'), { ip: given, network: name }));
    return;
  }
  const address = given === undefined ? undefined : toIpAddress(given);
  if (given !== undefined && !address) return;
  if (address) {
    const first = renderAddress(hosts.first, cidr.family);
    const last = renderAddress(hosts.last, cidr.family);
    const details = { ip: address.text, network: name, cidr: cidr.text, first, last };
    const isInside = contains(cidr, address);
    if (!isInside || address.value < hosts.first || address.value > hosts.last) {
      file.report(found(isInside ? 'IP_RESERVED' : 'IP_OUTSIDE_NETWORK', pathOf(place, 'ip'), details));
      return;
    }
    const other = network.taken.get(address.value);
    if (other) {
      file.report(
        found('IP_DUPLICATE', pathOf(place, 'ip'), (lineOf) => ({
          ip: address.text,
          nic: nicName(place),
          other: nicName(other),
          line: lineOf(pathOf(other, 'ip'), 'value'),
        })),
      );
      return;
    }
    network.taken.set(address.value, place);
  }
  network.nicCount++;
  const hostCount = hosts.last - hosts.first + 1n;
  if (BigInt(network.nicCount) === hostCount + 1n) {
    file.report(
      found('CIDR_EXHAUSTED', pathOf(place), () => ({
        network: name,
        cidr: cidr.text,
        hosts: String(hostCount),
        nics: network.nicCount,
      })),
    );
  }
}
