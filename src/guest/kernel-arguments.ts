/** What a guest's kernel is told of its NICs, in the words of dracut.cmdline(7). Pure. */
import type { DesiredNic } from '../topology/desired.ts';

/**
 * The arguments that name each NIC by its MAC and give it its address:
 * `ifname=eth0:52:54:00:10:00:01 ip=10.1.0.11:::255.255.255.0:web1:eth0:none`.
 * A NIC without an address is only named. NICs are eth0, eth1 … in the order of the file.
 */
export function nicArguments(vmName: string, nics: readonly DesiredNic[]): string[] {
  return nics.flatMap((nic) => {
    const name = `eth${String(nic.index)}`;
    const naming = `ifname=${name}:${nic.mac}`;
    return nic.ip === undefined ? [naming] : [naming, addressArgument(vmName, name, nic.ip)];
  });
}

/** `ip=CLIENT:PEER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:none`; IPv6 stands in brackets, with a prefix length. */
function addressArgument(vmName: string, device: string, ip: string): string {
  const [address = ip, prefixText = ''] = ip.split('/');
  const ipv6 = address.includes(':');
  const client = ipv6 ? `[${address}]` : address;
  const netmask = ipv6 ? prefixText : netmaskOf(Number(prefixText));
  return `ip=${client}:::${netmask}:${vmName}:${device}:none`;
}

/** The dotted netmask of an IPv4 prefix length. */
function netmaskOf(prefixLength: number): string {
  // A shift by 32 would be one by 0.
  const mask = prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
  return [24, 16, 8, 0].map((shift) => String((mask >>> shift) & 0xff)).join('.');
}
