/** Real guests by other ways than a tap on Open vSwitch: a plain Linux bridge, macvtap; and one that boots from a disk. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { qmp } from '../../src/guest/qmp.ts';
import { guestPaths } from '../../src/guest/run-directory.ts';
import { vhostNetObstacle } from '../../src/host/vhostnet.ts';
import { runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const SUITE_LIMIT_MS = 180_000;

describe('guests by every way that runs here', function () {
  this.timeout(SUITE_LIMIT_MS);
  let sandbox: TestSandbox;
  let directory: string;
  let file: string;

  function run(...args: readonly string[]): Promise<RunResult> {
    const env = { ...sandbox.env, VSB_RUN_DIR: join(directory, 'run'), VSB_ACCEL: 'tcg' };
    return vsb(args, { env, timeoutMs: SUITE_LIMIT_MS });
  }
  async function runWell(...args: readonly string[]): Promise<RunResult> {
    const result = await run(...args);
    expect(result.status, result.stderr).to.equal(0);
    return result;
  }
  const console = (vm: string): Promise<string> =>
    readFile(join(directory, 'run/ways', vm, 'console.log'), 'utf8');

  before(async () => {
    sandbox = await startTestSandbox({ netns: true });
    directory = await mkdtemp(join(tmpdir(), 'vsb-w'));
    const image = await guestImage();
    await sandbox.inside('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    for (const device of ['eth0', 'peer0']) await sandbox.inside('ip', 'link', 'set', device, 'up');
    const models = ['virtio', 'e1000', 'rtl8139'];
    const guest = (model: string, place: number): [string, unknown] => [
      model,
      {
        memory: '128M',
        boot: {
          ...image,
          append: `console=ttyS0 quiet vsb.talk=${models
            .flatMap((_, other) =>
              other === place ? [] : [`10.8.0.${String(other + 1)}`, `10.9.0.${String(other + 1)}`],
            )
            .join(',')}`,
        },
        nics: [
          { network: 'lan', model, ip: `10.8.0.${String(place + 1)}` },
          {
            network: 'out',
            model,
            ip: `10.9.0.${String(place + 1)}`,
            backend: { macvtap: 'eth0', mode: 'bridge' },
            ...(model === 'virtio' ? { queues: 2 } : {}),
          },
        ],
      },
    ];
    file = join(directory, 'ways.vsb.yaml');
    await writeFile(join(directory, 'boot.img'), bootSector('DISK-BOOTED'));
    const topology = {
      version: 1,
      name: 'ways',
      networks: {
        lan: { linuxBridge: 'lbr0', cidr: '10.8.0.0/24' },
        out: { cidr: '10.9.0.0/24' },
      },
      vms: {
        ...Object.fromEntries(models.map(guest)),
        disk: { memory: '64M', disks: [{ image: 'boot.img' }] },
      },
    };
    await writeFile(file, JSON.stringify(topology)); // JSON is YAML
  });
  after(async () => {
    await run('vm', 'stop', file, '--force');
    await rm(directory, { recursive: true });
    await sandbox[Symbol.asyncDispose]();
  });

  it('are planned with what the way hides, and applied', async () => {
    const { stdout } = await runWell('plan', file);
    expect(stdout).to.include('virtio:1, e1000:1, rtl8139:1: no switch sees this traffic');
    expect(stdout).to.include('e1000:0, e1000:1, rtl8139:0, rtl8139:1: e1000 and rtl8139 are emulated');
    await runWell('apply', file, '--yes');
    expect((await runWell('plan', file)).stdout).to.include('nothing to change');
  });

  it('say how to start them by hand, macvtaps included', async () => {
    const { stdout } = await runWell('vm', 'qemu-args', file, 'virtio');
    expect(stdout)
      .to.include('fds=3:4')
      .and.to.match(/ 3<>\/dev\/\$\(ip netns exec \S+ ls \S+ \| grep \^tap\) 4<>\S+/);
    await runOrFail('sh', ['-c', stdout], { timeoutMs: SUITE_LIMIT_MS });
    expect((await runWell('vm', 'list', file)).stdout).to.match(/virtio +running/);
    await runWell('vm', 'stop', file, 'virtio', '--force');
  });

  it('boot, and reach each other through the bridge and through the macvtaps', async () => {
    await runWell(
      'vm',
      'start',
      file,
      '--wait',
      'GUEST-UP',
      '--timeout',
      '120s',
      'virtio',
      'e1000',
      'rtl8139',
    );
    for (const [vm, place] of [
      ['virtio', 1],
      ['e1000', 2],
      ['rtl8139', 3],
    ] as const)
      for (const network of ['10.8.0', '10.9.0'])
        for (const other of [1, 2, 3].filter((each) => each !== place))
          while (!(await console(vm)).includes(`GUEST-TALK ${network}.${String(other)} ping=ok tcp=1048576`))
            await delay(100);
    const counted = JSON.parse(await sandbox.inside('ip', '-j', '-s', 'link', 'show', 'dev', 'virtio-1')) as [
      { stats64: { rx: { bytes: number } } },
    ];
    expect(counted[0].stats64.rx.bytes).to.be.above(1_048_576);
  });

  it('boot from a disk', async () => {
    await runWell('vm', 'start', file, 'disk', '--wait', 'DISK-BOOTED');
    const { qmpSocket } = guestPaths(join(directory, 'run'), { topology: 'ways', vm: 'disk' });
    expect(JSON.stringify(await qmp(qmpSocket, 'query-named-block-nodes'))).to.include('boot.img');
    await runWell('vm', 'stop', file, 'disk', '--force');
    await rm(join(directory, 'boot.img'));
    const { stderr, status } = await run('vm', 'start', file, 'disk');
    expect(status).to.equal(1);
    expect(stderr).to.match(/error\[GUEST_DISK_MISSING\].*boot\.img.*it is not there/);
  });

  it('are refused where the host has no vhost-net, or not the PCI function, with what to do', async () => {
    const disk = { image: 'v.img', format: 'raw', readOnly: true };
    const topology = {
      version: 1,
      name: 'fast',
      networks: { lan: { linuxBridge: 'lbr0', cidr: '10.8.0.0/24' }, out: {} },
      vms: {
        v: { disks: [disk], nics: [{ network: 'lan', backend: 'vhost-net' }] },
        p: { disks: [disk], nics: [{ network: 'out', backend: { passthrough: 'ffff:1f:1f.7' } }] },
      },
    };
    const fast = join(directory, 'fast.vsb.yaml');
    await writeFile(fast, JSON.stringify(topology));
    await writeFile(join(directory, 'v.img'), bootSector(''));
    const { status, stderr } = await run('vm', 'start', fast, 'v');
    expect(status).to.equal(1);
    if ((await vhostNetObstacle()) === undefined) expect(stderr).to.include('error[GUEST_TAP_MISSING]');
    else
      expect(stderr).to.match(/error\[VHOST_NET_UNAVAILABLE\]: NIC v:0 .*(modprobe vhost_net|Run as root)/);
    for (const runner of ['qemu', 'libvirt']) {
      const passed = await run('vm', 'start', fast, 'p', '--with', runner);
      expect(passed.status).to.equal(1);
      expect(passed.stderr).to.match(/error\[PCI_MISSING\].*ffff:1f:1f\.7/);
    }
  });

  it('are gone afterwards, with everything that was made for them', async () => {
    await runWell('vm', 'stop', file, '--force');
    await runWell('destroy', file, '--yes');
    const links = await sandbox.inside('ip', '-o', 'link', 'show');
    expect(links).to.not.match(/lbr0|virtio-|e1000-|rtl8139-/);
    const early = await run('vm', 'start', file, 'virtio');
    expect(early.status).to.equal(1);
    expect(early.stderr).to.include('error[GUEST_TAP_MISSING]');
  });
});

/** A disk whose first sector prints a text on the first serial port (16-bit code; mov dx,0x3f8; lodsb; out dx,al). */
function bootSector(text: string): Buffer {
  const sector = Buffer.alloc(1 << 20);
  sector.set([
    0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x20, 0x7c, 0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb,
    0xf8, 0xf4, 0xeb, 0xfd,
  ]);
  sector.write(`${text}\n`, 0x20, 'latin1');
  sector.set([0x55, 0xaa], 510);
  return sector;
}
