/** Flags that several verbs of `vsb vm` share. */
import { Option } from 'commander';
import type { SettingFlags } from '../app/settings.ts';

export type VmFlags = SettingFlags & { readonly logLevel: string };

export function acceleratorOption(): Option {
  return new Option('--accel <accelerator>', 'auto: KVM where it boots the kernel, else emulation (tcg)')
    .choices(['auto', 'kvm', 'tcg'])
    .default('auto')
    .env('VSB_ACCEL');
}

export function connectOption(): Option {
  return new Option(
    '--connect <uri>',
    "libvirt's URI (default: as virsh chooses; where no libvirt answers, there are no domains)",
  ).env('VSB_CONNECT');
}
