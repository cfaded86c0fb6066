/**
 * A VM as libvirt's domain XML (libvirt.org/formatdomain.html). Pure: what the host decides comes in as arguments. NICs are
 * libvirt-nics.ts's; running it is libvirt.ts's.
 */
import XMLBuilder from 'fast-xml-builder';
import { fail } from '../errors.ts';
import type { DesiredBoot, DesiredDisk, DesiredVm } from '../topology/desired.ts';
import { nicArguments } from './kernel-arguments.ts';
import { interfacesOf, type NicSurroundings, type XmlNode } from './libvirt-nics.ts';

/** Names whose domain it is: `<metadata>` is an application's own, by namespace. */
export const OWNER_NAMESPACE = 'urn:vswitchboard:owner';

export interface DomainSurroundings extends NicSurroundings {
  readonly topology: string;
  /** `kvm`, or `qemu` for emulation. */
  readonly type: 'kvm' | 'qemu';
}

/**
 * The XML of one domain, ready for `virsh define` and `virsh create`.
 * @throws LIBVIRT_UNFIT where a text of the file cannot stand in XML
 */
export function domainXml(vm: DesiredVm, surroundings: DomainSurroundings): string {
  const { topology, type } = surroundings;
  const { interfaces, hostdevs } = interfacesOf(vm.nics, surroundings);
  const isShared = vm.nics.some((nic) => nic.backend.kind === 'vhost-user');
  const domain: XmlNode = {
    '@type': type,
    name: vm.name,
    uuid: vm.uuid,
    metadata: {
      'vsb:owner': { '@xmlns:vsb': OWNER_NAMESPACE, '@topology': topology, '@vm': vm.name },
    },
    memory: { '@unit': 'KiB', '#text': String(Math.ceil(vm.memoryBytes / 1024)) },
    // vhost-user reads and writes the guest's memory from another process.
    ...(isShared ? { memoryBacking: { source: { '@type': 'memfd' }, access: { '@mode': 'shared' } } } : {}),
    vcpu: String(vm.cpus),
    os: osOf(vm),
    // Without ACPI there is neither a power button nor hot-plug.
    features: { acpi: '' },
    cpu: { '@mode': type === 'kvm' ? 'host-passthrough' : 'maximum' },
    clock: { '@offset': 'utc' },
    devices: {
      disk: vm.disks.map(diskOf),
      interface: interfaces,
      hostdev: hostdevs,
      serial: { '@type': 'pty' },
      console: { '@type': 'pty' },
    },
  };
  requireXmlText(vm.name, domain);
  return BUILDER.build({ domain });
}

const BUILDER = new XMLBuilder({
  attributeNamePrefix: '@',
  ignoreAttributes: false,
  suppressBooleanAttributes: false,
  suppressEmptyNode: true,
  format: true,
});

function osOf({ boot, nics, name }: DesiredVm): XmlNode {
  const type = { '@arch': 'x86_64', '@machine': 'pc', '#text': 'hvm' };
  if (boot === undefined) return { type, boot: { '@dev': 'hd' } };
  const cmdline = commandLine(boot, nicArguments(name, nics));
  return {
    type,
    kernel: boot.kernel,
    ...(boot.initrd === undefined ? {} : { initrd: boot.initrd }),
    ...(cmdline === '' ? {} : { cmdline }),
  };
}

function commandLine(boot: DesiredBoot, added: readonly string[]): string {
  return [boot.append, ...added].filter((part) => part !== '').join(' ');
}

function diskOf(disk: DesiredDisk): XmlNode {
  const prefix = disk.bus === 'virtio' ? 'vd' : 'hd';
  return {
    '@type': 'file',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': disk.format },
    source: { '@file': disk.image },
    // What is written out is not looked for: the end of the chain too.
    ...(disk.base === undefined
      ? {}
      : {
          backingStore: {
            '@type': 'file',
            format: { '@type': disk.base.format },
            source: { '@file': disk.base.image },
          },
        }),
    target: { '@dev': `${prefix}${letterOf(disk.index)}`, '@bus': disk.bus },
    ...(disk.readOnly ? { readonly: '' } : {}),
  };
}

/** `a` to `z`, then `aa`: as the kernel names disks (sd_format_disk_name). */
function letterOf(index: number): string {
  const letter = String.fromCharCode('a'.charCodeAt(0) + (index % 26));
  return index < 26 ? letter : `${letterOf(Math.floor(index / 26) - 1)}${letter}`;
}

/** XML 1.0 has no characters below U+0020 but tab and line breaks, not even escaped (§2.2, Char). */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function requireXmlText(vm: string, node: unknown): void {
  if (typeof node === 'string') {
    if (NOT_XML.test(node)) throw fail('LIBVIRT_UNFIT', { vm, text: node });
  } else if (typeof node === 'object' && node !== null) {
    for (const child of Object.values(node)) requireXmlText(vm, child);
  }
}
