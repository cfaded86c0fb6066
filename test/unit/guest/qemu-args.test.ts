import { expect } from 'chai';
import { qemuArgs, type GuestSurroundings } from '../../../src/guest/qemu-args.ts';
import { guestPaths } from '../../../src/guest/run-directory.ts';
import type { DesiredBoot, DesiredNic, DesiredVm } from '../../../src/topology/desired.ts';
import { mac, nic } from '../../support/desired.ts';

const paths = guestPaths('/run/vswitchboard', { topology: 'two-tier', vm: 'web1' });

function bootable(settings: Partial<DesiredVm & { boot: DesiredBoot }> = {}): DesiredVm & {
  boot: DesiredBoot;
} {
  return {
    name: 'web1',
    uuid: '11111111-2222-5333-8444-555555555555',
    memoryBytes: 256 * 2 ** 20,
    cpus: 2,
    boot: { kernel: '/images/vmlinux', initrd: '/images/initrd.gz', append: 'console=ttyS0 quiet' },
    disks: [],
    nics: [],
    ...settings,
  };
}

function surroundings(settings: Partial<GuestSurroundings> = {}): GuestSurroundings {
  return { paths, accelerator: 'tcg', vnetHeader: () => 'off', ...settings };
}

/** What follows each occurrence of an option. */
function valuesOf(args: readonly string[], option: string): (string | undefined)[] {
  return args.flatMap((arg, place) => (arg === option ? [args[place + 1]] : []));
}

describe("QEMU's command line", () => {
  it('says who the guest is, and how much it gets', () => {
    const args = qemuArgs(bootable(), surroundings());
    expect(valuesOf(args, '-name')).to.deep.equal(['guest=web1']);
    expect(valuesOf(args, '-uuid')).to.deep.equal(['11111111-2222-5333-8444-555555555555']);
    expect(valuesOf(args, '-m')).to.deep.equal(['256M']);
    expect(valuesOf(args, '-smp')).to.deep.equal(['2']);
  });

  it('rounds memory up to whole MiB', () => {
    const args = qemuArgs(bootable({ memoryBytes: 2 ** 27 + 1 }), surroundings());
    expect(valuesOf(args, '-m')).to.deep.equal(['129M']);
  });

  it('has nothing but what is asked for, and runs on its own', () => {
    const args = qemuArgs(bootable(), surroundings());
    expect(args).to.include.members(['-nodefaults', '-no-user-config', '-display', 'none', '-daemonize']);
    expect(valuesOf(args, '-netdev')).to.deep.equal([]);
  });

  it('keeps sockets, log and pid file in the run directory', () => {
    const args = qemuArgs(bootable(), surroundings());
    const directory = '/run/vswitchboard/two-tier/web1';
    expect(valuesOf(args, '-chardev')).to.deep.equal([
      `socket,id=console,path=${directory}/console.sock,server=on,wait=off,logfile=${directory}/console.log`,
    ]);
    expect(valuesOf(args, '-serial')).to.deep.equal(['chardev:console']);
    expect(valuesOf(args, '-qmp')).to.deep.equal([`unix:${directory}/qmp.sock,server=on,wait=off`]);
    expect(valuesOf(args, '-pidfile')).to.deep.equal([`${directory}/pid`]);
  });

  it('doubles commas in paths, as QEMU reads them', () => {
    const odd = guestPaths('/run/a,b', { topology: 't', vm: 'v' });
    const args = qemuArgs(bootable(), surroundings({ paths: odd }));
    expect(valuesOf(args, '-qmp')).to.deep.equal(['unix:/run/a,,b/t/v/qmp.sock,server=on,wait=off']);
    expect(valuesOf(args, '-pidfile')).to.deep.equal(['/run/a,b/t/v/pid']);
  });

  const devices: readonly (readonly [DesiredNic['model'], string])[] = [
    ['virtio', 'virtio-net-pci'],
    ['e1000', 'e1000'],
    ['rtl8139', 'rtl8139'],
  ];
  for (const [model, device] of devices) {
    it(`gives the guest a ${device} for ${model}`, () => {
      const nics = [nic('web1', 0, { model, mac: mac('52:54:00:10:00:0a') })];
      const args = qemuArgs(bootable({ nics }), surroundings());
      expect(valuesOf(args, '-netdev')).to.deep.equal([
        'tap,id=nic0,ifname=web1-0,script=no,downscript=no,vnet_hdr=off',
      ]);
      expect(valuesOf(args, '-device')).to.deep.equal([
        `${device},netdev=nic0,mac=52:54:00:10:00:0a,id=net0,romfile=`,
      ]);
    });
  }

  it('lets the header through for those taps whose switch reads it', () => {
    const nics = [nic('web1', 0), nic('web1', 1)];
    const vnetHeader = (each: DesiredNic): 'on' | 'off' => (each.index === 1 ? 'on' : 'off');
    const args = qemuArgs(bootable({ nics }), surroundings({ vnetHeader }));
    expect(valuesOf(args, '-netdev').map((value) => value?.split(',').at(-1))).to.deep.equal([
      'vnet_hdr=off',
      'vnet_hdr=on',
    ]);
  });

  it("adds names and addresses of the NICs to the file's kernel arguments", () => {
    const nics = [nic('web1', 0, { mac: mac('52:54:00:10:00:01'), ip: '10.1.0.11/24' })];
    const args = qemuArgs(bootable({ nics }), surroundings());
    expect(valuesOf(args, '-append')).to.deep.equal([
      'console=ttyS0 quiet ifname=eth0:52:54:00:10:00:01 ip=10.1.0.11:::255.255.255.0:web1:eth0:none',
    ]);
  });

  it('leaves out an initrd and kernel arguments that are not there', () => {
    const boot = { kernel: '/images/vmlinux', initrd: undefined, append: '' };
    const args = qemuArgs(bootable({ boot }), surroundings());
    expect(valuesOf(args, '-kernel')).to.deep.equal(['/images/vmlinux']);
    expect(args).to.not.include('-initrd');
    expect(args).to.not.include('-append');
  });

  it("gives the guest the host's CPU with KVM, and QEMU's own without", () => {
    const withKvm = qemuArgs(bootable(), surroundings({ accelerator: 'kvm' }));
    expect(valuesOf(withKvm, '-accel')).to.deep.equal(['kvm']);
    expect(valuesOf(withKvm, '-cpu')).to.deep.equal(['max']);
    const without = qemuArgs(bootable(), surroundings());
    expect(valuesOf(without, '-accel')).to.deep.equal(['tcg']);
    expect(without).to.not.include('-cpu');
  });
});
