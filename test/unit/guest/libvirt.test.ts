import { expect } from 'chai';
import { readDomains } from '../../../src/guest/libvirt-domains.ts';
import type { NicSurroundings } from '../../../src/guest/libvirt-nics.ts';
import { domainXml } from '../../../src/guest/libvirt-xml.ts';
import type { DesiredNic, DesiredVm } from '../../../src/topology/desired.ts';
import { toBitsPerSecond } from '../../../src/units/bitrate.ts';
import { nic } from '../../support/desired.ts';

function xmlOf(vm: Partial<DesiredVm>, surroundings: Partial<NicSurroundings> = {}): string {
  return domainXml(
    {
      name: 'web1',
      uuid: '11111111-2222-5333-8444-555555555555',
      memoryBytes: 2 ** 28,
      cpus: 1,
      boot: undefined,
      disks: [],
      nics: [],
      ...vm,
    },
    {
      topology: 'lab',
      type: 'qemu',
      ports: 'libvirt',
      vhostSocket: ({ device }) => `/run/${device}.sock`,
      vnetHeader: () => 'on',
      ...surroundings,
    },
  );
}

function nicXml(settings: Partial<DesiredNic>, surroundings?: Partial<NicSurroundings>): string {
  return xmlOf({ nics: [nic('web1', 0, settings)] }, surroundings);
}

describe('libvirt: the XML of a VM', () => {
  it('is read back as what it is', () => {
    expect(readDomains(nicXml({ model: 'e1000' }) + xmlOf({ name: 'b' }))).to.deep.equal([
      {
        name: 'web1',
        uuid: '11111111-2222-5333-8444-555555555555',
        isRunning: false,
        owner: { topology: 'lab', vm: 'web1' },
        emulated: true,
        nics: [{ mac: '52:54:00:10:00:01', device: 'web1-0', on: 'br0', type: 'bridge', model: 'e1000' }],
      },
      {
        name: 'b',
        uuid: '11111111-2222-5333-8444-555555555555',
        isRunning: false,
        owner: { topology: 'lab', vm: 'b' },
        emulated: true,
        nics: [],
      },
    ]);
  });

  it('caps what a limit caps', () => {
    const [sent, received] = [toBitsPerSecond('500M'), toBitsPerSecond('1G')];
    const xml = nicXml({ limit: { sent, received } });
    expect(xml).to.include('<inbound average="125000" peak="125000"/>');
    expect(xml).to.include('<outbound average="62500" burst="6250"/>');
    expect(nicXml({ limit: { sent: toBitsPerSecond('1k'), received: undefined } })).to.include(
      '<outbound average="1" burst="125"/>',
    );
  });

  it('leaves checksums to nobody who would not finish them', () => {
    expect(nicXml({})).to.not.include('<host');
    const off = nicXml({}, { vnetHeader: () => 'off' });
    expect(off).to.include('<host csum="off" gso="off" tso4="off" tso6="off" ecn="off" ufo="off"/>');
    expect(off).to.include('<guest csum="off" tso4="off" tso6="off" ecn="off" ufo="off"/>');
    expect(nicXml({ model: 'e1000' }, { vnetHeader: () => 'off' })).to.not.include('<driver');
  });

  it('has texts as they are, and refuses those that XML has not', () => {
    const boot = { kernel: `/a&b<'">`, initrd: undefined, append: '' };
    expect(xmlOf({ boot })).to.include('<kernel>/a&amp;b&lt;&apos;&quot;&gt;</kernel>');
    expect(() => xmlOf({ boot: { ...boot, append: 'a\u0001b' } })).to.throw(
      'no control characters: "a\\u0001b"',
    );
  });

  it('names disks as the kernel does', () => {
    const disk = {
      vm: 'web1',
      format: 'raw',
      sizeBytes: undefined,
      base: undefined,
      bus: 'virtio',
      readOnly: false,
    } as const;
    const disks = [0, 25, 26, 701, 702].map((index) => ({ ...disk, index, image: `/d${String(index)}` }));
    const names = [...xmlOf({ disks }).matchAll(/<target dev="(\w+)"/g)].map(([, name]) => name);
    expect(names).to.deep.equal(['vda', 'vdz', 'vdaa', 'vdzz', 'vdaaa']);
  });
});

describe('libvirt: the domains of others', () => {
  it('have no owner, and NICs as far as their XML tells', () => {
    const xml = `<domain type='kvm' id='7'>
  <name>old</name><uuid>u</uuid>
  <metadata><vsb:owner xmlns:vsb="urn:other" topology="lab" vm="web1"/></metadata>
  <devices><interface type='network'><source network='default' bridge='virbr0'/></interface><interface type='user'/></devices>
</domain>

error: something that virsh said
`;
    expect(readDomains(xml)).to.deep.equal([
      {
        name: 'old',
        uuid: 'u',
        isRunning: true,
        owner: undefined,
        emulated: false,
        nics: [
          { mac: undefined, device: undefined, on: 'virbr0', type: 'network', model: undefined },
          { mac: undefined, device: undefined, on: undefined, type: 'user', model: undefined },
        ],
      },
    ]);
    expect(readDomains('')).to.deep.equal([]);
  });
});
