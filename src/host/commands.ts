/** Devices in the words of ip-link(8) and ip-tuntap(8). Pure. */
import type { DeviceSpec, UpdateDevice } from './types.ts';

/** Makes the device, puts its mark on, and then gives it the settings that may fail. */
export function createCommands(spec: DeviceSpec): string[] {
  return [makeCommand(spec), `link set dev ${spec.name} alias "${spec.mark}"`, settingsCommand(spec)];
}

function makeCommand(spec: DeviceSpec): string {
  switch (spec.kind) {
    case 'tap':
      return `tuntap add dev ${spec.name} mode tap${spec.vnetHeader ? ' vnet_hdr' : ''}${spec.multiQueue ? ' multi_queue' : ''}`;
    case 'macvtap':
      return `link add link ${spec.lower} name ${spec.name} address ${spec.mac} type macvtap mode ${spec.mode}`;
    case 'bridge':
      // No delay before a new port forwards: 15 s of listening and learning would be a gap for each guest.
      return `link add name ${spec.name} type bridge forward_delay 0`;
  }
}

function settingsCommand(spec: DeviceSpec): string {
  const mtu = spec.mtu === undefined ? '' : ` mtu ${String(spec.mtu)}`;
  const master = spec.kind === 'tap' && spec.linuxBridge !== undefined ? ` master ${spec.linuxBridge}` : '';
  // With passthru the kernel gives the macvtap the address of the device below when it is made; set now, that one takes
  // the NIC's, and has its own again when the macvtap goes.
  const address = spec.kind === 'macvtap' && spec.mode === 'passthru' ? ` address ${spec.mac}` : '';
  return `link set dev ${spec.name} up${address}${mtu}${master}`;
}

/** `type …` and what follows is the last that `ip link set` takes. */
export function updateCommand({ name, set }: UpdateDevice): string {
  const isLast = (words: string): boolean => words.startsWith('type ');
  return `link set dev ${name} ${[...set.filter((words) => !isLast(words)), ...set.filter(isLast)].join(' ')}`;
}
