/** The installed QEMU takes what we write for every model and backend: started with -S, and asked over QMP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { openMacvtap } from '../../src/guest/macvtaps.ts';
import { QEMU, qemuArgs } from '../../src/guest/qemu-args.ts';
import { qmp } from '../../src/guest/qmp.ts';
import { findGuests, guestPaths, makeGuestDirectory } from '../../src/guest/run-directory.ts';
import { startGuest } from '../../src/guest/start.ts';
import { guestProcess, readGuestStatus } from '../../src/guest/status.ts';
import { stopGuest } from '../../src/guest/stop.ts';
import { hostDomain } from '../../src/host/domain.ts';
import { isRunning } from '../../src/process/pidfile.ts';
import { runOrFail } from '../../src/process/run.ts';
import type { DesiredDisk, DesiredNic, DesiredVm } from '../../src/topology/desired.ts';
import { macFromHash } from '../../src/units/mac.ts';
import { desiredState, nic } from '../support/desired.ts';

/** QEMU's words of each model, by PCI vendor and device. */
const PCI_IDS = { virtio: '1af4:1000', e1000: '8086:100e', rtl8139: '10ec:8139' } as const;
const LIMIT_MS = 30_000;

/** What a virtio NIC promises that its guest need not do itself. */
const OFFLOADS = [
  ...[
    'csum',
    'guest_csum',
    'gso',
    'host_tso4',
    'host_tso6',
    'host_ecn',
    'guest_tso4',
    'guest_tso6',
    'guest_ecn',
  ],
  ...['host_ufo', 'guest_ufo'],
];

/** What QEMU says of a disk (QMP, query-named-block-nodes). */
interface BlockNode {
  readonly 'node-name': string;
  readonly drv: string;
  readonly ro: boolean;
  readonly file: string;
}

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

  /** One of each format, and of each bus; the one that is read only too. */
  async function makeDisks(vm: string): Promise<DesiredDisk[]> {
    const kinds = [
      { format: 'raw' },
      { format: 'qcow2' },
      { format: 'vmdk' },
      { format: 'vdi' },
      { format: 'vhdx', readOnly: true },
      { format: 'qcow2', bus: 'ide' },
    ] as const satisfies readonly Partial<DesiredDisk>[];
    const disks = kinds.map((kind, index) => ({
      ...{ vm, index, image: join(runDir, `${vm}, ${String(index)}.img`) },
      ...{ sizeBytes: undefined, base: undefined, bus: 'virtio' as const, readOnly: false },
      ...kind,
    }));
    for (const { format, image } of disks)
      await runOrFail('qemu-img', ['create', '-q', '-f', format, image, '8M'], { timeoutMs: LIMIT_MS });
    return disks;
  }

  async function expectProperties(
    socket: string,
    device: string,
    wanted: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const path = `/machine/peripheral/${device}`;
    for (const [property, value] of Object.entries(wanted))
      expect(await qmp(socket, 'qom-get', { path, property }), `${device}: ${property}`).to.equal(value);
  }

  it('takes every model on a tap, in a Linux bridge and on a macvtap, and disks, with all settings', async () => {
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
      disks: await makeDisks('all'),
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
      await expectProperties(
        paths.qmpSocket,
        'net0',
        Object.fromEntries(OFFLOADS.map((name) => [name, true])),
      );
      await expectProperties(paths.qmpSocket, 'net9', {
        ...{ mq: true, vectors: 10, rx_queue_size: 1024, tx_queue_size: 256, host_mtu: 1400 },
        ...Object.fromEntries(OFFLOADS.map((name) => [name, false])),
      });
      await expectProperties(paths.qmpSocket, 'net10', {
        mq: true,
        vectors: 6,
        csum: true,
        host_tso4: false,
      });
      const nodes = (await qmp(paths.qmpSocket, 'query-named-block-nodes')) as BlockNode[];
      expect(
        vm.disks.map(({ index }) => {
          const node = nodes.find((one) => one['node-name'] === `disk${String(index)}`);
          return { format: node?.drv, readOnly: node?.ro, image: node?.file };
        }),
      ).to.deep.equal(vm.disks.map(({ format, readOnly, image }) => ({ format, readOnly, image })));
      await expectProperties(paths.qmpSocket, 'disk0-device', { drive: 'disk0', bootindex: 1 });
      await expectProperties(paths.qmpSocket, 'disk5-device', { drive: 'disk5', type: 'ide-hd' });
      const queues = await ip('-d', '-o', 'link', 'show', 'dev', 'all-9');
      expect(queues, 'QEMU has opened its queues').to.match(/multi_queue numqueues [1-4] /);
    } finally {
      await stopGuest({ topology: 'lab', vm: 'all' }, { runDir, force: true, powerdownMs: 0 });
    }
  });

  it('does not wait for ever for a switch that never calls', async () => {
    const [disk] = await makeDisks('lone');
    const vm: DesiredVm = {
      name: 'lone',
      uuid: '11111111-2222-5333-8444-666666666666',
      memoryBytes: 64 * 2 ** 20,
      cpus: 1,
      boot: undefined,
      disks: disk ? [disk] : [],
      nics: [nic('lone', 0, { backend: { kind: 'vhost-user' } })],
    };
    const name = { topology: 'lab', vm: 'lone' };
    const home = {
      topology: 'lab',
      topologyPath: 'lab.vsb.yaml',
      runDir,
      netns,
      accelerate: () => Promise.resolve({ accelerator: 'tcg', reason: 'as asked for' } as const),
      signal: undefined,
      startTimeoutMs: 3000,
    };
    const starting = startGuest(vm, home).catch((error: unknown) => error);
    const paths = guestPaths(runDir, name);
    while ((await readGuestStatus(paths)).status !== 'running') await delay(20);
    const status = await readGuestStatus(paths);
    const error = await starting;
    expect(error).to.be.instanceOf(VsbError);
    expect((error as VsbError).message)
      .to.include('port lone-0 has not called')
      .and.include('vsb apply lab.vsb.yaml');
    expect((error as VsbError).code).to.equal('GUEST_NOT_STARTED');
    expect(await readGuestStatus(paths)).to.deep.equal({ status: 'absent' });
    expect(await findGuests(runDir, 'lab')).to.deep.equal([]);
    if (status.status !== 'running') throw new Error('QEMU was not seen');
    expect(await isRunning(guestProcess(paths, status.pid)), 'QEMU').to.equal(false);
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
