/** Which Debian package has a program, so that an error can say how to get it. */

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'openvswitch-switch': [
    'ovs-vsctl',
    'ovs-ofctl',
    'ovs-appctl',
    'ovs-dpctl',
    'ovsdb-server',
    'ovsdb-tool',
    'ovsdb-client',
    'ovs-vswitchd',
  ],
  'qemu-system-x86': ['qemu-system-x86_64'],
  'qemu-utils': ['qemu-img', 'qemu-io', 'qemu-nbd'],
  iproute2: ['ip', 'tc', 'bridge', 'ss'],
  'libvirt-clients': ['virsh', 'virt-xml-validate'],
  ethtool: ['ethtool'],
  tcpdump: ['tcpdump'],
  kmod: ['modprobe', 'lsmod', 'depmod'],
};

/** @returns the package's name, or `undefined` for a program that we do not know. */
export function packageOf(program: string): string | undefined {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return Object.entries(PACKAGES).find(([, programs]) => programs.includes(name))?.[0];
}
