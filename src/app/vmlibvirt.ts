/** VMs of a topology on libvirt, for the verb `vm`. How, is guest/'s. */
import { VsbError } from '../errors.ts';
import { createDomain, findDomains, type Libvirt } from '../guest/libvirt.ts';
import type { Domain, DomainNic } from '../guest/libvirt-domains.ts';
import { domainXml } from '../guest/libvirt-xml.ts';
import { vnetHeader } from '../guest/offload.ts';
import type { Accelerator } from '../guest/qemu-args.ts';
import { guestPaths, makeGuestDirectory, vhostSocketOf } from '../guest/run-directory.ts';
import { devicesOf, requireBootable, requireTaps, type GuestHome } from '../guest/start.ts';
import { readTapFacts } from '../guest/tapfacts.ts';
import type { DesiredVm } from '../topology/desired.ts';

export type DomainStart =
  | {
      readonly outcome: 'started';
      readonly domain: string;
      readonly accelerator: Accelerator;
      readonly reason: string;
    }
  | { readonly outcome: 'already-running'; readonly domain: string };

/**
 * Starts a VM as a transient domain on the ports that apply made.
 * @throws GUEST_NOT_BOOTABLE, GUEST_BOOT_FILE_MISSING, GUEST_TAP_MISSING, what createDomain and domainXml throw
 */
export async function startDomain(vm: DesiredVm, home: GuestHome, libvirt: Libvirt): Promise<DomainStart> {
  await requireBootable(vm, home.topologyPath);
  const taps = await readTapFacts(devicesOf(vm), home.netns);
  requireTaps(vm, taps, home.topologyPath);
  const choice = await home.accelerate(vm.boot?.kernel);
  const xml = await renderDomain(vm, home, { ports: 'vsb', accelerator: choice.accelerator });
  if (vm.nics.some((nic) => nic.backend.kind === 'vhost-user')) await makeGuestDirectory(pathsOf(vm, home));
  const isNew = await createDomain(libvirt, { name: vm.name, uuid: vm.uuid, xml });
  return isNew
    ? { outcome: 'started', domain: vm.name, ...choice }
    : { outcome: 'already-running', domain: vm.name };
}

/** The XML of a VM here and now. @throws LIBVIRT_UNFIT, GUEST_SOCKET_PATH_TOO_LONG, what `home.accelerate` throws */
export async function renderDomain(
  vm: DesiredVm,
  home: GuestHome,
  how: { readonly ports: 'vsb' | 'libvirt'; readonly accelerator?: Accelerator },
): Promise<string> {
  const [taps, choice] = await Promise.all([
    readTapFacts(devicesOf(vm), home.netns),
    how.accelerator === undefined ? home.accelerate(vm.boot?.kernel) : { accelerator: how.accelerator },
  ]);
  const name = { topology: home.topology, vm: vm.name };
  return domainXml(vm, {
    topology: home.topology,
    type: choice.accelerator === 'kvm' ? 'kvm' : 'qemu',
    ports: how.ports,
    vhostSocket: (nic) => vhostSocketOf(home.runDir, name, nic.device),
    vnetHeader: (nic) =>
      vnetHeader(
        taps.get(nic.device) ?? { inKernelSwitch: nic.linuxBridge !== undefined, socketReadsHeader: false },
      ),
  });
}

/** A domain as `vm list` shows it. */
export interface ListedDomain {
  /** `undefined`: vsb did not make it. */
  readonly topology: string | undefined;
  readonly vm: string;
  readonly status: 'running' | 'stopped';
  readonly accelerator: Accelerator;
  readonly nics: readonly DomainNic[];
}

/** The domains that libvirt has, of one topology or all; none where there is no libvirt. @throws CANCELLED */
export async function listDomains(libvirt: Libvirt, topology: string | undefined): Promise<ListedDomain[]> {
  const domains = await domainsIfAny(libvirt);
  return domains
    .filter(({ owner }) => topology === undefined || owner?.topology === topology)
    .map(({ name, owner, isRunning, emulated, nics }) => ({
      topology: owner?.topology,
      vm: owner?.vm ?? name,
      status: isRunning ? ('running' as const) : ('stopped' as const),
      accelerator: emulated ? ('tcg' as const) : ('kvm' as const),
      nics,
    }))
    .sort((a, b) => (a.vm < b.vm ? -1 : 1));
}

/** The running domains of a topology, by VM. */
export async function runningDomains(
  libvirt: Libvirt,
  topology: string,
): Promise<ReadonlyMap<string, string>> {
  const domains = await domainsIfAny(libvirt);
  return new Map(
    domains.flatMap(({ owner, uuid, isRunning }) =>
      isRunning && owner?.topology === topology ? [[owner.vm, uuid] as const] : [],
    ),
  );
}

/** A host without libvirt, or whose libvirt does not run, has no domains; who asks for one by URI is told. */
async function domainsIfAny(libvirt: Libvirt): Promise<Domain[]> {
  try {
    return await findDomains(libvirt);
  } catch (error) {
    const isAbsent =
      error instanceof VsbError &&
      ['PROGRAM_MISSING', 'LIBVIRT_FAILED', 'PROGRAM_TIMEOUT'].includes(error.code);
    if (isAbsent && libvirt.uri === undefined) return [];
    throw error;
  }
}

function pathsOf(vm: DesiredVm, home: GuestHome): ReturnType<typeof guestPaths> {
  return guestPaths(home.runDir, { topology: home.topology, vm: vm.name });
}
