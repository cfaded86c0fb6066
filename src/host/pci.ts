/**
 * The inventory of PCI functions: who drives them, what they share, which are network devices. Read from sysfs
 * (Documentation/ABI/testing/sysfs-bus-pci, sysfs-class-net); what it means for a guest is passthrough.ts's.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { runOrFail } from '../process/run.ts';

/** One function of a PCI device. */
export interface PciFunction {
  /** `0000:03:00.1` */
  readonly address: string;
  /** Four hex digits each, without `0x`. */
  readonly vendor: string;
  readonly device: string;
  /** Six hex digits; `02….` is a network controller, `06….` a bridge. */
  readonly class: string;
  /** `undefined`: no driver has it. */
  readonly driver: string | undefined;
  /** `undefined`: the kernel has no IOMMU for it. */
  readonly iommuGroup: string | undefined;
  /** Of a virtual function: the address of the physical one. */
  readonly physicalFunction: string | undefined;
  /** Of a physical function: the addresses of its virtual functions, and how many there are and may be. */
  readonly virtualFunctions: readonly string[];
  readonly vfs: { readonly made: number; readonly most: number } | undefined;
  readonly netdevs: readonly PciNetdev[];
}

/** A network device that the host sees on a function. */
export interface PciNetdev {
  readonly name: string;
  /** The kernel's `operstate` (RFC 2863): `up`, `down`, `unknown` … */
  readonly link: string;
  /** The host's default route leaves by it, or by a bridge, bond or VLAN above it. */
  readonly isDefaultRoute: boolean;
}

/** Every PCI function of the host by address: also those that are no network devices, as they share IOMMU groups. */
export type PciInventory = ReadonlyMap<string, PciFunction>;

const TIMEOUT_MS = 10_000;

/**
 * The inventory of this host; the default route is that of the namespace that we run in.
 * @throws PROGRAM_MISSING, PROGRAM_FAILED, PROGRAM_TIMEOUT, CANCELLED
 */
export async function observePci(signal?: AbortSignal): Promise<PciInventory> {
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const [v4, v6] = await Promise.all([
    runOrFail('ip', ['-j', 'route', 'show', 'default'], options),
    runOrFail('ip', ['-j', '-6', 'route', 'show', 'default'], options),
  ]);
  return readPci('/sys', [...decodeDefaultRoutes(v4), ...decodeDefaultRoutes(v6)]);
}

const routesSchema = z.array(
  z.object({
    dev: z.string().optional(),
    nexthops: z.array(z.object({ dev: z.string().optional() })).default([]),
  }),
);

/**
 * The devices that `ip -j route show default` names.
 * @throws INTERNAL where it is something else
 */
export function decodeDefaultRoutes(text: string): string[] {
  // iproute2 prints nothing at all where there is no route.
  const decoded = routesSchema.safeParse(text.trim() === '' ? [] : JSON.parse(text));
  if (!decoded.success)
    throw fail('INTERNAL', { what: `"ip -j route" printed what vsb cannot read: ${decoded.error.message}` });
  return decoded.data.flatMap(({ dev, nexthops }) => [dev, ...nexthops.map((hop) => hop.dev)]).filter(isText);
}

/**
 * Reads the tree of a sysfs; a host without PCI has none.
 * @param sysfs where it is mounted
 * @param routeDevices the devices of the default route
 */
export async function readPci(sysfs: string, routeDevices: readonly string[]): Promise<PciInventory> {
  const devices = join(sysfs, 'bus/pci/devices');
  const [addresses, netdevs] = await Promise.all([listed(devices), readNetdevs(sysfs, routeDevices)]);
  const functions = await Promise.all(
    addresses.sort().map((address) => readFunction(join(devices, address), netdevs.get(address) ?? [])),
  );
  return new Map(functions.map((one) => [one.address, one]));
}

async function readFunction(path: string, netdevs: readonly PciNetdev[]): Promise<PciFunction> {
  const [vendor, device, classCode, driver, iommuGroup, physicalFunction, most, made, names] =
    await Promise.all([
      text(path, 'vendor'),
      text(path, 'device'),
      text(path, 'class'),
      target(path, 'driver'),
      target(path, 'iommu_group'),
      target(path, 'physfn'),
      text(path, 'sriov_totalvfs'),
      text(path, 'sriov_numvfs'),
      listed(path),
    ]);
  const virtualFunctions = await Promise.all(
    names.filter((name) => /^virtfn\d+$/.test(name)).map((name) => target(path, name)),
  );
  return {
    address: basename(path),
    vendor: hexOf(vendor),
    device: hexOf(device),
    class: hexOf(classCode),
    driver,
    iommuGroup,
    physicalFunction,
    virtualFunctions: virtualFunctions.filter(isText).sort(),
    vfs: most === undefined ? undefined : { made: Number(made ?? 0), most: Number(most) },
    netdevs,
  };
}

/** The network devices by the address of the PCI function below them, which may have a virtio device in between. */
async function readNetdevs(
  sysfs: string,
  routeDevices: readonly string[],
): Promise<ReadonlyMap<string, readonly PciNetdev[]>> {
  const classNet = join(sysfs, 'class/net');
  const ofRoute = await withLower(classNet, routeDevices);
  const found = new Map<string, PciNetdev[]>();
  for (const name of (await listed(classNet)).sort()) {
    const path = await realpath(join(classNet, name)).catch(() => '');
    const address = path.match(/[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\/)/g)?.at(-1);
    if (address === undefined) continue;
    const link = (await text(path, 'operstate')) ?? 'unknown';
    const netdev = { name, link, isDefaultRoute: ofRoute.has(name) };
    found.set(address, [...(found.get(address) ?? []), netdev]);
  }
  return found;
}

/** The devices, and all below them: a bridge, a bond and a VLAN have links `lower_NAME`. */
async function withLower(classNet: string, devices: readonly string[]): Promise<ReadonlySet<string>> {
  const all = new Set(devices);
  for (const name of all) {
    for (const entry of await listed(join(classNet, name)))
      if (entry.startsWith('lower_')) all.add(entry.slice('lower_'.length));
  }
  return all;
}

/** Nothing where it is not there: a device may go while it is read. */
async function listed(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

async function text(path: string, name: string): Promise<string | undefined> {
  return readFile(join(path, name), 'utf8').then(
    (content) => content.trim(),
    () => undefined,
  );
}

async function target(path: string, name: string): Promise<string | undefined> {
  return readlink(join(path, name)).then(basename, () => undefined);
}

function hexOf(value: string | undefined): string {
  return (value ?? '').replace(/^0x/, '');
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
