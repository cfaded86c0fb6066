/**
 * The QEMU command line of a guest. Pure: what is there on the host comes in as arguments. Every option is one that
 * QEMU 7.2 takes (qemu(1)); starting it is start.ts's, NICs and disks are in files of their own.
 */
import type { DesiredBoot, DesiredVm } from '../topology/desired.ts';
import { diskArgs } from './disk-args.ts';
import type { GuestPaths } from './run-directory.ts';
import { nicArguments } from './kernel-arguments.ts';
import { memoryArgs, nicArgs, type NicSurroundings } from './nic-args.ts';
import { value } from './option-value.ts';

/** The program. */
export const QEMU = 'qemu-system-x86_64';

export type Accelerator = 'kvm' | 'tcg';

/** What the host decides, not the topology. */
export interface GuestSurroundings extends NicSurroundings {
  readonly paths: GuestPaths;
  readonly accelerator: Accelerator;
}

/** The arguments after the program's name. The guest runs on its own (`-daemonize`) until stop.ts ends it. */
export function qemuArgs(vm: DesiredVm, surroundings: GuestSurroundings): string[] {
  const { paths, accelerator } = surroundings;
  const mebibytes = Math.ceil(vm.memoryBytes / 2 ** 20);
  return [
    ...['-name', `guest=${value(vm.name)}`],
    ...['-uuid', vm.uuid],
    ...acceleratorArgs(accelerator),
    ...['-m', `${String(mebibytes)}M`],
    ...memoryArgs(vm.nics, mebibytes),
    ...['-smp', String(vm.cpus)],
    ...BARE_MACHINE,
    ...(vm.boot === undefined ? [] : bootArgs(vm.boot, nicArguments(vm.name, vm.nics))),
    ...[
      '-chardev',
      `socket,id=console,path=${value(paths.consoleSocket)},server=on,wait=off,logfile=${value(paths.consoleLog)}`,
    ],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${value(paths.qmpSocket)},server=on,wait=off`],
    ...['-pidfile', paths.pidFile],
    ...diskArgs(vm.disks, vm.boot === undefined),
    ...vm.nics.flatMap((nic) => nicArgs(nic, surroundings)),
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
