/**
 * The NICs on a running QEMU's command line, whoever wrote it: `-netdev`, `-device`, `-nic` and `-chardev`, as keys and
 * values or as JSON (qemu(1); libvirt writes JSON since 7.1). A NIC that was plugged in later is not on it. Pure.
 */

/** What carries a NIC's packets on the host's side, as QEMU was told. */
export type QemuBackend =
  /** `ifname`, or the descriptors that QEMU was handed: of a tap, or of a macvtap. */
  | {
      readonly kind: 'tap';
      readonly ifname: string | undefined;
      readonly descriptors: readonly number[];
      readonly vhost: boolean;
    }
  | { readonly kind: 'vhost-user'; readonly socket: string | undefined }
  | { readonly kind: 'passthrough'; readonly address: string }
  /** Any other, in QEMU's word: user, socket, bridge … `none`: nothing is behind the NIC. */
  | { readonly kind: 'other'; readonly type: string };

export interface QemuNic {
  /** In the order of the command line, from 0. */
  readonly index: number;
  /** QEMU's name of the device, such as virtio-net-pci, e1000 or vfio-pci. */
  readonly model: string;
  readonly mac: string | undefined;
  readonly backend: QemuBackend;
}

export interface QemuGuest {
  /** `-name guest=NAME`; `undefined`: it was given none. */
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  readonly nics: readonly QemuNic[];
}

type Properties = Readonly<Record<string, string>>;

const NIC_MODEL = /^(?:virtio-net|e1000|rtl8139|vmxnet3|ne2k|pcnet|i8255|tulip|usb-net|igb)/;

/** Reads the arguments of a QEMU, its own name left out or not. */
export function readQemuGuest(args: readonly string[]): QemuGuest {
  const of = (flag: string, implied: string): Properties[] =>
    args.flatMap((arg, place) => {
      const value = args[place + 1];
      return (arg === `-${flag}` || arg === `--${flag}`) && value !== undefined
        ? [readProperties(value, implied)]
        : [];
    });
  const chardevs = byId(of('chardev', 'backend'));
  const netdevs = byId(of('netdev', 'type'));
  const nics = [
    ...of('device', 'driver').flatMap((device) => toNic(device, netdevs, chardevs)),
    ...of('nic', 'type').flatMap((nic) => toShortNic(nic, chardevs)),
  ];
  const name = of('name', 'guest').at(-1)?.['guest'];
  const uuid = of('uuid', 'uuid').at(-1)?.['uuid'];
  return { name, uuid, nics: nics.map((nic, index) => ({ index, ...nic })) };
}

/** `a,key=value,…`, in which a comma in a value stands twice, or a JSON object. */
function readProperties(text: string, implied: string): Properties {
  if (text.startsWith('{')) return fromJson(text);
  const parts = text.split(/(?<!,)((?:,,)*),(?!,)/);
  const properties: Record<string, string> = Object.create(null) as Record<string, string>;
  // The pattern's group, an even number of commas, belongs to the part before it.
  for (let place = 0; place < parts.length; place += 2) {
    const part = `${parts[place] ?? ''}${parts[place + 1] ?? ''}`.replaceAll(',,', ',');
    const equals = part.indexOf('=');
    if (equals >= 0) properties[part.slice(0, equals)] = part.slice(equals + 1);
    else if (place === 0) properties[implied] = part;
    else properties[part] = 'on';
  }
  return properties;
}

function fromJson(text: string): Properties {
  try {
    const object = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(object).map(([key, value]) => [
        key,
        typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value),
      ]),
    );
  } catch {
    return {};
  }
}

function byId(all: readonly Properties[]): ReadonlyMap<string | undefined, Properties> {
  return new Map(all.map((one) => [one['id'], one]));
}

type Found = Omit<QemuNic, 'index'>;
type ById = ReadonlyMap<string | undefined, Properties>;

function toNic(device: Properties, netdevs: ById, chardevs: ById): Found[] {
  const model = device['driver'] ?? '';
  const address = device['host'];
  if (model === 'vfio-pci' && address !== undefined)
    return [{ model, mac: undefined, backend: { kind: 'passthrough', address: withDomain(address) } }];
  if (device['netdev'] === undefined && !NIC_MODEL.test(model)) return [];
  return [{ model, mac: device['mac'], backend: toBackend(netdevs.get(device['netdev']), chardevs) }];
}

function toShortNic(nic: Properties, chardevs: ById): Found[] {
  if (nic['type'] === 'none') return [];
  return [{ model: nic['model'] ?? 'default model', mac: nic['mac'], backend: toBackend(nic, chardevs) }];
}

function toBackend(netdev: Properties | undefined, chardevs: ById): QemuBackend {
  const type = netdev?.['type'] ?? 'none';
  if (netdev && type === 'tap') {
    const { ifname, fd, fds, vhost, vhostforce } = netdev;
    const descriptors = (fds ?? fd ?? '').split(':').filter((one) => /^\d+$/.test(one));
    const isVhost = vhost === 'on' || (vhost === undefined && vhostforce === 'on');
    return { kind: 'tap', ifname, descriptors: descriptors.map(Number), vhost: isVhost };
  }
  if (netdev && type === 'vhost-user')
    return { kind: 'vhost-user', socket: chardevs.get(netdev['chardev'])?.['path'] };
  return { kind: 'other', type };
}

function withDomain(address: string): string {
  return /^[^:]+:[^:]+:/.test(address) ? address : `0000:${address}`;
}
