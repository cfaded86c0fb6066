/**
 * NICs and networks whose settings do not fit their backend or their switch: what needs virtio, what needs Open vSwitch,
 * a network without a switch, a device or PCI function that two would have for themselves.
 */
import { toPciAddress } from '../units/pciaddress.ts';
import { nicName } from './desired.ts';
import { found } from './issues.ts';
import { NIC_DEFAULTS } from './nicschema.ts';
import { field, list, pathOf, text, type DevicePlace, type NicPlace, type RawFile } from './rawvalue.ts';
import type { Path } from './yaml.ts';

/** @param devices bridges and uplinks by name */
export function checkBackends(file: RawFile, devices: ReadonlyMap<string, DevicePlace>): void {
  const nics = [...file.vms].flatMap(([vm, entry]) =>
    list(field(entry, 'nics')).map((raw, index) => toNic(file, raw, { vm, index })),
  );
  for (const [name, network] of file.networks) {
    checkNetwork(file, name, network, nics, devices);
  }
  const users: Users = { macvtaps: new Map(), functions: new Map() };
  for (const nic of nics) {
    checkVirtio(file, nic);
    checkSwitch(file, nic);
    checkRing(file, nic);
    if (nic.backend === 'macvtap') checkMacvtap(file, nic, devices, users);
    if (nic.backend === 'passthrough') checkPassthrough(file, nic, users);
  }
}

/** A NIC with what its profile says, as far as the file is well. */
interface Nic {
  readonly place: NicPlace;
  readonly model: string;
  /** Its kind. */
  readonly backend: string;
  readonly network: unknown;
  readonly networkName: string;
  /** A value of the NIC or of its profile, and where the NIC says so. */
  readonly setting: (key: string) => { readonly value: unknown; readonly path: Path } | undefined;
}

/** Who has what only one may have. */
interface Users {
  readonly macvtaps: Map<string, { readonly nic: Nic; readonly isExclusive: boolean }>;
  readonly functions: Map<string, Nic>;
}

function toNic(file: RawFile, raw: unknown, place: NicPlace): Nic {
  const profile = file.profiles.get(text(field(raw, 'profile')) ?? '');
  const setting = (key: string): ReturnType<Nic['setting']> => {
    const own = field(raw, key);
    if (own !== undefined) return { value: own, path: pathOf(place, key) };
    const shared = field(profile, key);
    return shared === undefined ? undefined : { value: shared, path: pathOf(place, 'profile') };
  };
  const networkName = text(field(raw, 'network')) ?? '';
  return {
    place,
    model: text(setting('model')?.value) ?? NIC_DEFAULTS.model,
    backend: kindOf(setting('backend')?.value),
    network: file.networks.get(networkName),
    networkName,
    setting,
  };
}

function kindOf(backend: unknown): string {
  if (field(backend, 'passthrough') !== undefined) return 'passthrough';
  if (field(backend, 'macvtap') !== undefined) return 'macvtap';
  return text(backend) ?? NIC_DEFAULTS.backend.kind;
}

function passesByEverySwitch({ backend }: Nic): boolean {
  return backend === 'macvtap' || backend === 'passthrough';
}

function checkNetwork(
  file: RawFile,
  name: string,
  network: unknown,
  nics: readonly Nic[],
  devices: ReadonlyMap<string, DevicePlace>,
): void {
  const path: Path = ['networks', name];
  const [bridge, linuxBridge] = [field(network, 'bridge'), text(field(network, 'linuxBridge'))];
  if (bridge !== undefined && linuxBridge !== undefined) {
    file.report(found('NETWORK_ON_TWO_BRIDGES', [...path, 'linuxBridge'], { network: name }, 'key'));
  } else if (bridge === undefined && linuxBridge === undefined) {
    const users = nics.filter(({ networkName }) => networkName === name);
    const nic = users.find((one) => !passesByEverySwitch(one));
    if (users.length === 0 || nic) {
      const details = { network: name, nic: nic && nicName(nic.place) };
      file.report(found('NETWORK_WITHOUT_BRIDGE', path, details, 'key'));
    }
  }
  if (linuxBridge === undefined) return;
  const place = devices.get(linuxBridge);
  if (place) {
    file.report(
      found('DEVICE_DUPLICATE', [...path, 'linuxBridge'], (lineOf) => ({
        device: linuxBridge,
        line: lineOf(place.path, place.at),
      })),
    );
  }
  const vlan = field(network, 'vlan');
  if (vlan !== undefined && vlan !== 0) {
    const details = { key: 'vlan', of: `network "${name}"`, why: 'it is on a plain Linux bridge' };
    file.report(found('NEEDS_OPEN_VSWITCH', [...path, 'vlan'], details));
  }
}

/** A backend or setting that only virtio has. */
function checkVirtio(file: RawFile, nic: Nic): void {
  const { model, backend, place } = nic;
  const report = (key: string, what: string): void => {
    const path = nic.setting(key)?.path ?? pathOf(place);
    if (backend === 'passthrough')
      file.report(found('NOT_WITH_PASSTHROUGH', path, { key, nic: nicName(place) }));
    else file.report(found('NEEDS_VIRTIO', path, { what, nic: nicName(place), model }));
  };
  if (backend === 'passthrough' && nic.setting('model')) report('model', '');
  if (model === 'virtio' && backend !== 'passthrough') return;
  if (backend === 'vhost-net' || backend === 'vhost-user') report('backend', `backend ${backend}`);
  for (const key of ['queues', 'ring', 'offloads']) {
    const value = nic.setting(key)?.value;
    if (value !== undefined && value !== NIC_DEFAULTS.queues) report(key, `"${key}"`);
  }
}

/** What only a port of Open vSwitch can do. */
function checkSwitch(file: RawFile, nic: Nic): void {
  const { backend, network, place } = nic;
  const isOnLinuxBridge = field(network, 'linuxBridge') !== undefined;
  const bridge = file.bridges.get(text(field(network, 'bridge')) ?? '');
  if (backend === 'vhost-user' && (isOnLinuxBridge || field(bridge, 'datapath') === 'system')) {
    const path = nic.setting('backend')?.path ?? pathOf(place);
    const why = isOnLinuxBridge
      ? `network "${nic.networkName}" is on a plain Linux bridge`
      : 'its bridge has the kernel’s datapath ("datapath: system")';
    file.report(found('VHOST_USER_NEEDS_DPDK', path, { nic: nicName(place), why }));
  }
  const limit = nic.setting('limit');
  if (backend === 'vhost-user' && limit) {
    file.report(found('NOT_WITH_VHOST_USER', limit.path, { key: 'limit', nic: nicName(place) }));
    return;
  }
  if (!passesByEverySwitch(nic) && !isOnLinuxBridge) return;
  const why = passesByEverySwitch(nic)
    ? `with ${backend} its packets pass by every switch`
    : `network "${nic.networkName}" is on a plain Linux bridge`;
  for (const key of ['vlan', 'limit']) {
    const setting = nic.setting(key);
    if (!setting || setting.value === 0) continue;
    file.report(found('NEEDS_OPEN_VSWITCH', setting.path, { key, of: `NIC ${nicName(place)}`, why }));
  }
}

/** QEMU takes a longer ring of sent frames from vhost-user only (virtio_net_tx_queue_size in hw/net/virtio-net.c). */
function checkRing(file: RawFile, nic: Nic): void {
  const ring = nic.setting('ring');
  const tx = field(ring?.value, 'tx');
  if (!ring || nic.backend === 'vhost-user' || typeof tx !== 'number' || tx <= 256) return;
  file.report(found('RING_TX_NEEDS_VHOST_USER', ring.path, { nic: nicName(nic.place), tx }));
}

function checkMacvtap(
  file: RawFile,
  nic: Nic,
  devices: ReadonlyMap<string, DevicePlace>,
  { macvtaps }: Users,
): void {
  const backend = nic.setting('backend');
  const device = text(field(backend?.value, 'macvtap'));
  if (!backend || device === undefined) return;
  const place = devices.get(device);
  if (place) {
    const details = (lineOf: (path: Path, at: DevicePlace['at']) => number) => ({
      device,
      line: lineOf(place.path, place.at),
    });
    file.report(found('DEVICE_DUPLICATE', backend.path, details));
  }
  const isExclusive = field(backend.value, 'mode') === 'passthru';
  const other = macvtaps.get(device);
  if (!other) macvtaps.set(device, { nic, isExclusive });
  else if (isExclusive || other.isExclusive) {
    file.report(
      found('MACVTAP_EXCLUSIVE', backend.path, (lineOf) => ({
        device,
        nic: nicName(nic.place),
        other: nicName(other.nic.place),
        line: lineOf(pathOf(other.nic.place), 'value'),
      })),
    );
  }
}

function checkPassthrough(file: RawFile, nic: Nic, { functions }: Users): void {
  const backend = nic.setting('backend');
  const address = toPciAddress(text(field(backend?.value, 'passthrough')) ?? '');
  if (!backend || address === undefined) return;
  const other = functions.get(address);
  if (!other) functions.set(address, nic);
  else {
    file.report(
      found('PCI_DUPLICATE', backend.path, (lineOf) => ({
        address,
        nic: nicName(nic.place),
        other: nicName(other.place),
        line: lineOf(pathOf(other.place), 'value'),
      })),
    );
  }
}
