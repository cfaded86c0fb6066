/**
 * Whether QEMU may hand frames with unfinished checksums to a tap (`vnet_hdr`). Pure; tapfacts.ts reads the facts.
 *
 * A virtio guest leaves TCP checksums to the next hop and says so in the virtio-net header of each frame. A switch that
 * does not read that header forwards a wrong checksum: ping works, TCP does not. So the header is used only where the
 * switch has been seen to read it; without it QEMU tells the guest to finish its checksums, which every switch forwards
 * rightly, only slower.
 */

/** What is known of a tap and the switch behind it. */
export interface TapFacts {
  /**
   * The tap is a port of a switch inside the kernel (Open vSwitch's kernel datapath, a Linux bridge): the kernel itself
   * carries unfinished checksums along, and finishes them where they leave.
   */
  readonly inKernelSwitch: boolean;
  /**
   * A packet socket on the tap reads the header (`PACKET_VNET_HDR`, packet(7)): Open vSwitch's userspace datapath does
   * so where `other_config:userspace-tso-enable` was true when ovs-vswitchd started. The setting alone tells nothing,
   * because it may have come later.
   */
  readonly socketReadsHeader: boolean;
}

/** `on` where the switch behind the tap is known to understand the header, else `off`, which is right everywhere. */
export function vnetHeader(facts: TapFacts): 'on' | 'off' {
  return facts.inKernelSwitch || facts.socketReadsHeader ? 'on' : 'off';
}
