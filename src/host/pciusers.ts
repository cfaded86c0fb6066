/** Which running QEMU has which PCI function: by the command lines in /proc (proc(5)), whoever started them. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toPciAddress } from '../units/pciaddress.ts';

/** A QEMU that runs. */
export interface PciUser {
  readonly pid: number;
  /** By its `-uuid`: vsb and libvirt both give the VM's. */
  readonly uuid: string | undefined;
}

/** By the function's address. */
export type PciUsers = ReadonlyMap<string, PciUser>;

/** @param proc where procfs is mounted; processes that are hidden from us are left out */
export async function observePciUsers(proc = '/proc'): Promise<PciUsers> {
  const users = new Map<string, PciUser>();
  for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
    // Gone meanwhile.
    const text = await readFile(join(proc, pid, 'cmdline'), 'utf8').catch(() => '');
    const [program = '', ...args] = text.split('\0');
    if (!/^(qemu-system-.+|qemu-kvm|kvm)$/.test(basename(program))) continue;
    const uuid = args[args.indexOf('-uuid') + 1];
    const user = { pid: Number(pid), uuid: args.includes('-uuid') ? uuid?.toLowerCase() : undefined };
    for (const address of decodeFunctions(args)) users.set(address, user);
  }
  return users;
}

/** The functions in QEMU's arguments, written as people do (`vfio-pci,host=03:00.1`) or as libvirt does, in JSON. */
export function decodeFunctions(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (!/^vfio-pci\b|"driver":\s*"vfio-pci"/.test(arg)) return [];
    const text = /(?:\bhost=|"host":\s*")([0-9a-fA-F:.]+)/.exec(arg)?.[1];
    return toPciAddress(text ?? '') ?? [];
  });
}
