/**
 * The QEMU command line of a guest. Pure: what is there on the host comes in as arguments. Every option is one that
 * QEMU 7.2 takes (qemu(1)); starting it is start.ts's.
 */
import type { DesiredBoot, DesiredNic, DesiredVm } from '../topology/desired.ts';
import type { GuestPaths } from './run-directory.ts';
import { nicArguments } from './kernel-arguments.ts';

/** The program. */
export const QEMU = 'qemu-system-x86_64';

export type Accelerator = 'kvm' | 'tcg';

/** What the host decides, not the topology. */
export interface GuestSurroundings {
  readonly paths: GuestPaths;
  readonly accelerator: Accelerator;
  /** Whether QEMU may use the virtio-net header on a NIC's tap (offload.ts). */
  readonly vnetHeader: (nic: DesiredNic) => 'on' | 'off';
}

/** QEMU's name of each model. */
const DEVICES: Readonly<Record<DesiredNic['model'], string>> = {
  virtio: 'virtio-net-pci',
  e1000: 'e1000',
  rtl8139: 'rtl8139',
};

/** The arguments after the program's name. The guest runs on its own (`-daemonize`) until stop.ts ends it. */
export function qemuArgs(
  vm: DesiredVm & { readonly boot: DesiredBoot },
  surroundings: GuestSurroundings,
): string[] {
  const { paths, accelerator } = surroundings;
  return [
    ...['-name', `guest=${value(vm.name)}`],
    ...['-uuid', vm.uuid],
    ...acceleratorArgs(accelerator),
    ...['-m', `${String(Math.ceil(vm.memoryBytes / 2 ** 20))}M`],
    ...['-smp', String(vm.cpus)],
    ...BARE_MACHINE,
    ...bootArgs(vm.boot, nicArguments(vm.name, vm.nics)),
    ...[
      '-chardev',
      `socket,id=console,path=${value(paths.consoleSocket)},server=on,wait=off,logfile=${value(paths.consoleLog)}`,
    ],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${value(paths.qmpSocket)},server=on,wait=off`],
    ...['-pidfile', paths.pidFile],
    ...vm.nics.flatMap((nic) => nicArgs(nic, surroundings.vnetHeader(nic))),
    '-daemonize',
  ];
}

/** No devices, no configuration files and no window but what is asked for. */
export const BARE_MACHINE: readonly string[] = ['-nodefaults', '-no-user-config', '-display', 'none'];

/** KVM gives the guest all that the host's CPU has; QEMU's plain CPU is faster under emulation. */
export function acceleratorArgs(accelerator: Accelerator): string[] {
  return accelerator === 'kvm' ? ['-accel', 'kvm', '-cpu', 'max'] : ['-accel', 'tcg'];
}

function bootArgs(boot: DesiredBoot, added: readonly string[]): string[] {
  const append = [boot.append, ...added].filter((part) => part !== '').join(' ');
  return [
    ...['-kernel', boot.kernel],
    ...(boot.initrd === undefined ? [] : ['-initrd', boot.initrd]),
    ...(append === '' ? [] : ['-append', append]),
  ];
}

function nicArgs(nic: DesiredNic, vnetHeader: 'on' | 'off'): string[] {
  const netdev = `nic${String(nic.index)}`;
  return [
    '-netdev',
    // No scripts: the tap is made, raised and plugged by apply.
    `tap,id=${netdev},ifname=${nic.device},script=no,downscript=no,vnet_hdr=${vnetHeader}`,
    '-device',
    // No boot ROM: the kernel is given, so nothing boots from the network.
    `${DEVICES[nic.model]},netdev=${netdev},mac=${nic.mac},id=net${String(nic.index)},romfile=`,
  ];
}

/** A value inside a list of options: QEMU reads a doubled comma as a comma. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}
