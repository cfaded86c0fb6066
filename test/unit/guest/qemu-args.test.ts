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
  return {
    paths,
    accelerator: 'tcg',
    vnetHeader: () => 'off',
    vhostSocket: ({ device }) => `/run/${device}.sock`,
    descriptors: ({ queues }) => Array.from({ length: queues }, (_, queue) => 3 + queue),
    ...settings,
  };
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

  it('reaches the switch by each backend', () => {
    const netdev = (settings: Partial<DesiredNic>) =>
      valuesOf(qemuArgs(bootable({ nics: [nic('web1', 0, settings)] }), surroundings()), '-netdev')[0];
    const tap = 'tap,id=nic0,ifname=web1-0,script=no,downscript=no,vnet_hdr=off';
    expect(netdev({})).to.equal(tap);
    expect(netdev({ queues: 4 })).to.equal(`${tap},queues=4`);
    expect(netdev({ backend: { kind: 'vhost-net' } })).to.equal(`${tap},vhost=on,vhostforce=on`);
    const macvtap = { kind: 'macvtap', device: 'eno2', mode: 'bridge' } as const;
    expect(netdev({ backend: macvtap })).to.equal('tap,id=nic0,fd=3');
    expect(netdev({ backend: macvtap, queues: 2 })).to.equal('tap,id=nic0,fds=3:4');
    expect(netdev({ backend: { kind: 'vhost-user' }, queues: 2 })).to.equal(
      'vhost-user,id=nic0,chardev=nic0-switch,queues=2',
    );
    const shared = qemuArgs(
      bootable({ nics: [nic('web1', 0, { backend: { kind: 'vhost-user' } })] }),
      surroundings({ vhostSocket: () => '/run/a,b.sock' }),
    );
    expect(valuesOf(shared, '-object')).to.deep.equal(['memory-backend-memfd,id=memory,size=256M,share=on']);
    expect(valuesOf(shared, '-chardev')).to.include(
      'socket,id=nic0-switch,path=/run/a,,b.sock,server=on,wait=off',
    );
    const given = qemuArgs(
      bootable({ nics: [nic('web1', 0, { backend: { kind: 'passthrough', address: '0000:03:00.1' } })] }),
      surroundings(),
    );
    expect(valuesOf(given, '-netdev')).to.deep.equal([]);
    expect(valuesOf(given, '-device')).to.deep.equal(['vfio-pci,host=0000:03:00.1,id=net0']);
  });

  it('shows the guest queues, rings, offloads and MTU as they are asked for', () => {
    const properties = (settings: Partial<DesiredNic>, accelerator: 'kvm' | 'tcg' = 'kvm') => {
      const args = qemuArgs(bootable({ nics: [nic('web1', 0, settings)] }), surroundings({ accelerator }));
      return valuesOf(args, '-device')[0]?.replace(/^.*romfile=,?/, '');
    };
    expect(properties({})).to.equal('');
    expect(properties({ queues: 4 })).to.equal('mq=on,vectors=10');
    expect(properties({ ring: { rx: 1024, tx: 512 }, mtu: 9000 })).to.equal(
      'rx_queue_size=1024,tx_queue_size=512,host_mtu=9000',
    );
    expect(properties({ offloads: { csum: false, tso: true, ufo: false } })).to.equal(
      'csum=off,guest_csum=off,host_ufo=off,guest_ufo=off',
    );
    const user = { backend: { kind: 'vhost-user' } } as const;
    expect(properties(user)).to.equal('');
    expect(properties(user, 'tcg')).to.equal('vectors=0');
  });

  it('has disks with their format said, and boots from the first where there is no kernel', () => {
    const disk = { vm: 'web1', sizeBytes: undefined, base: undefined, readOnly: false } as const;
    const disks = [
      { ...disk, index: 0, image: '/a,b.qcow2', format: 'qcow2', bus: 'virtio' },
      { ...disk, index: 1, image: '/c.img', format: 'raw', bus: 'ide', readOnly: true },
    ] as const;
    const args = qemuArgs(bootable({ disks }), surroundings());
    expect(valuesOf(args, '-blockdev')).to.deep.equal([
      'driver=qcow2,node-name=disk0,read-only=off,file.driver=file,file.filename=/a,,b.qcow2',
      'driver=raw,node-name=disk1,read-only=on,file.driver=file,file.filename=/c.img',
    ]);
    expect(valuesOf(args, '-device')).to.deep.equal([
      'virtio-blk-pci,drive=disk0,id=disk0-device',
      'ide-hd,drive=disk1,id=disk1-device',
    ]);
    const booted = qemuArgs({ ...bootable({ disks }), boot: undefined }, surroundings());
    expect(booted).to.not.include('-kernel').and.to.not.include('-append');
    expect(valuesOf(booted, '-device')[0]).to.equal('virtio-blk-pci,drive=disk0,id=disk0-device,bootindex=1');
  });
});
