/** The installed QEMU takes what we write for every model and backend: started with -S, and asked over QMP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openMacvtap } from '../../src/guest/macvtaps.ts';
import { QEMU, qemuArgs } from '../../src/guest/qemu-args.ts';
import { qmp } from '../../src/guest/qmp.ts';
import { guestPaths, makeGuestDirectory } from '../../src/guest/run-directory.ts';
import { stopGuest } from '../../src/guest/stop.ts';
import { hostDomain } from '../../src/host/domain.ts';
import { runOrFail } from '../../src/process/run.ts';
import type { DesiredNic, DesiredVm } from '../../src/topology/desired.ts';
import { macFromHash } from '../../src/units/mac.ts';
import { desiredState, nic } from '../support/desired.ts';

/** QEMU's words of each model, by PCI vendor and device. */
const PCI_IDS = { virtio: '1af4:1000', e1000: '8086:100e', rtl8139: '10ec:8139' } as const;
const LIMIT_MS = 30_000;

interface PciBus {
  readonly devices: readonly {
    readonly qdev_id: string;
    readonly id: { readonly vendor: number; readonly device: number };
  }[];
}

describe('QEMU', function () {
  this.timeout(60_000);
  const netns = `vsb-t${randomBytes(4).toString('hex')}`;
  const ip = (...args: readonly string[]): Promise<string> =>
    runOrFail('ip', args, { timeoutMs: LIMIT_MS, netns });
  let runDir: string;

  before(async () => {
    runDir = await mkdtemp(join(tmpdir(), 'vsb-q'));
    await runOrFail('ip', ['netns', 'add', netns], { timeoutMs: LIMIT_MS });
    await ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    await ip('link', 'set', 'dev', 'eth0', 'up');
  });
  after(async () => {
    await runOrFail('ip', ['netns', 'del', netns], { timeoutMs: LIMIT_MS });
    await rm(runDir, { recursive: true });
  });

  it('takes every model on a tap, in a Linux bridge and on a macvtap, with all settings', async () => {
    const models = ['virtio', 'e1000', 'rtl8139'] as const;
    const macvtap = { kind: 'macvtap', device: 'eth0', mode: 'bridge' } as const;
    const all = { csum: false, tso: false, ufo: false };
    const settings: Partial<DesiredNic>[] = [
      ...models.flatMap((model) => [
        { model },
        { model, bridge: undefined, linuxBridge: 'lan' },
        { model, bridge: undefined, backend: macvtap },
      ]),
      { queues: 4, ring: { rx: 1024, tx: 256 }, offloads: all, mtu: 1400 },
      { queues: 2, bridge: undefined, backend: macvtap, offloads: { ...all, csum: true } },
    ];
    const nics = settings.map((more, index) =>
      nic('all', index, { mac: macFromHash(String(100000 + index)), ...more }),
    );
    const desired = desiredState('lab', [], nics);
    const host = hostDomain({ netns });
    const { changes, refusals } = host.diff(desired, await host.observe(desired));
    expect(refusals).to.deep.equal([]);
    expect((await host.apply(changes, { deadlineMs: LIMIT_MS })).failed).to.deep.equal([]);

    const vm: DesiredVm = {
      name: 'all',
      uuid: '11111111-2222-5333-8444-555555555555',
      memoryBytes: 64 * 2 ** 20,
      cpus: 4,
      boot: undefined,
      disks: [],
      nics,
    };
    const paths = guestPaths(runDir, { topology: 'lab', vm: 'all' });
    await makeGuestDirectory(paths);
    let next = 3;
    const handles = [];
    const descriptors = new Map<number, readonly number[]>();
    for (const { device, queues, index, backend } of nics.filter((one) => one.backend.kind === 'macvtap')) {
      expect(backend.kind).to.equal('macvtap');
      handles.push(...(await openMacvtap({ vm: 'all', device, queues, path: 'lab.vsb.yaml' }, netns)));
      descriptors.set(
        index,
        Array.from({ length: queues }, () => next++),
      );
    }
    const args = qemuArgs(vm, {
      paths,
      accelerator: 'tcg',
      vnetHeader: () => 'on',
      vhostSocket: () => '',
      descriptors: ({ index }) => descriptors.get(index) ?? [],
    });
    await runOrFail(QEMU, ['-S', ...args], {
      timeoutMs: LIMIT_MS,
      netns,
      inherit: handles.map(({ fd }) => fd),
    });
    try {
      await Promise.all(handles.map((handle) => handle.close()));
      expect(await qmp(paths.qmpSocket, 'query-status')).to.deep.include({
        running: false,
        status: 'prelaunch',
      });
      const [bus] = (await qmp(paths.qmpSocket, 'query-pci')) as [PciBus];
      const found = new Map(
        bus.devices.map(({ qdev_id, id }) => [
          qdev_id,
          `${id.vendor.toString(16)}:${id.device.toString(16)}`,
        ]),
      );
      expect(nics.map(({ index }) => found.get(`net${String(index)}`))).to.deep.equal(
        nics.map(({ model }) => PCI_IDS[model]),
      );
      const filters = (await qmp(paths.qmpSocket, 'query-rx-filter')) as { 'main-mac': string }[];
      expect(filters.map((filter) => filter['main-mac'])).to.include.members(
        nics.filter(({ model }) => model === 'virtio').map(({ mac }) => mac),
      );
      const queues = await ip('-d', '-o', 'link', 'show', 'dev', 'all-9');
      expect(queues, 'QEMU has opened its queues').to.match(/multi_queue numqueues [1-4] /);
    } finally {
      await stopGuest({ topology: 'lab', vm: 'all' }, { runDir, force: true, powerdownMs: 0 });
    }
  });

  it('knows each option that is written for what cannot run everywhere: vhost-net, vhost-user, passthrough', async () => {
    const help = (...args: readonly string[]): Promise<string> =>
      runOrFail(QEMU, args, { timeoutMs: LIMIT_MS });
    const [devices, backends] = [await help('-device', 'virtio-net-pci,help'), await help('-netdev', 'help')];
    const nics = [
      nic('web1', 0, {
        queues: 2,
        ring: { rx: 512, tx: 512 },
        mtu: 9000,
        offloads: { csum: false, tso: false, ufo: false },
      }),
      nic('web1', 1, { backend: { kind: 'vhost-net' } }),
      nic('web1', 2, { backend: { kind: 'vhost-user' } }),
      nic('web1', 3, { backend: { kind: 'passthrough', address: '0000:03:00.1' } }),
    ];
    const vm = { name: 'web1', uuid: 'u', memoryBytes: 2 ** 26, cpus: 1, boot: undefined, disks: [], nics };
    const args = qemuArgs(vm, {
      paths: guestPaths('/run/vsb', { topology: 'lab', vm: 'web1' }),
      accelerator: 'tcg',
      vnetHeader: () => 'on',
      vhostSocket: () => '/run/vsb/s.sock',
      descriptors: () => [],
    });
    const properties = args
      .filter((arg) => arg.startsWith('virtio-net-pci,'))
      .flatMap((arg) =>
        arg
          .split(',')
          .slice(1)
          .map((setting) => setting.split('=')[0] ?? ''),
      );
    // `id` is every device's.
    for (const property of new Set(properties.filter((name) => name !== 'id')))
      expect(devices, property).to.match(new RegExp(`^ *${property}=`, 'm'));
    expect(backends)
      .to.match(/^vhost-user$/m)
      .and.to.match(/^tap$/m);
    const vfio = args.find((arg) => arg.startsWith('vfio-pci,'));
    expect(vfio).to.equal('vfio-pci,host=0000:03:00.1,id=net3');
    expect(await help('-device', 'vfio-pci,help')).to.match(/^ *host=/m);
    const tap = await help('-help');
    for (const option of [
      'vhost=on|off',
      'vhostforce=on|off',
      'queues=n',
      'fds=x:y:...:z',
      'vnet_hdr=on|off',
    ])
      expect(tap, option).to.include(option);
  });
});
