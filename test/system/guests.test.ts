/** Guests of a topology over a real Open vSwitch, as a person starts, watches and stops them. */
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { listGuests, type ListedGuest } from '../../src/guest/status.ts';
import { isRunning } from '../../src/process/pidfile.ts';
import { runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

/** A guest boots in 3 to 15 s under emulation, six of them on two busy cores in up to a minute. */
const BOOT_LIMIT = '120s';
const SUITE_LIMIT_MS = 180_000;
/** What a guest serves (scripts/guest-init). */
const PAYLOAD_BYTES = 1_048_576;

interface Guest {
  readonly name: string;
  readonly ip: string;
  readonly model: string;
  /** Whom it pings, and fetches a file from. */
  readonly talksTo: readonly string[];
}

/** A topology file, its run directory and the switch under it. */
interface Lab extends AsyncDisposable {
  readonly file: string;
  readonly runDir: string;
  readonly sandbox: TestSandbox;
  vsb(args: readonly string[], more?: { env?: Record<string, string>; input?: string }): Promise<RunResult>;
  list(): Promise<ListedGuest[]>;
  /** The console of a guest so far. */
  console(name: string): Promise<string>;
  /** Waits until a guest has told that it reached a peer by ping and by TCP. */
  talked(name: string, peer: string): Promise<void>;
}

async function startLab(guests: readonly Guest[]): Promise<Lab> {
  const image = await guestImage();
  const sandbox = await startTestSandbox({
    netns: true,
    // A guest that ends takes its tap's carrier away in the middle of a frame.
    announced: [/error (sending|receiving) Ethernet packet on/],
  });
  const directory = await mkdtemp(join(tmpdir(), 'vsb-g'));
  const runDir = join(directory, 'run');
  const file = join(directory, 'lab.vsb.yaml');
  const vms = guests.map((guest) => [
    guest.name,
    {
      memory: '128M',
      boot: { ...image, append: `console=ttyS0 quiet vsb.talk=${guest.talksTo.join(',')}` },
      nics: [{ network: 'lan', model: guest.model, ip: guest.ip }],
    },
  ]);
  const topology = {
    version: 1,
    name: 'lab',
    bridges: { br0: { datapath: 'netdev' } },
    networks: { lan: { bridge: 'br0', cidr: '10.9.0.0/24' } },
    vms: Object.fromEntries(vms) as unknown,
  };
  await writeFile(file, JSON.stringify(topology)); // JSON is YAML
  const lab: Lab = {
    file,
    runDir,
    sandbox,
    vsb: (args, more = {}) =>
      vsb(args, {
        env: { ...sandbox.env, VSB_RUN_DIR: runDir, ...more.env },
        ...(more.input === undefined ? {} : { input: more.input }),
        timeoutMs: SUITE_LIMIT_MS,
      }),
    list: () => listGuests(runDir, 'lab'),
    console: (name) => readFile(join(runDir, 'lab', name, 'console.log'), 'utf8'),
    async talked(name, peer) {
      while (!(await lab.console(name)).includes(`GUEST-TALK ${peer} ping=ok tcp=1048576`)) await delay(50);
    },
    async [Symbol.asyncDispose]() {
      try {
        await lab.vsb(['vm', 'stop', file, '--force']);
      } finally {
        await rm(directory, { recursive: true });
        await sandbox[Symbol.asyncDispose]();
      }
    },
  };
  return lab;
}

describe('guests of a topology', function () {
  this.timeout(SUITE_LIMIT_MS);
  const models = ['virtio', 'e1000', 'rtl8139'] as const;
  const guests: readonly Guest[] = models.flatMap((model, place) => {
    const [first, second] = [`10.9.0.${String(2 * place + 1)}`, `10.9.0.${String(2 * place + 2)}`];
    return [
      // And to the first virtio guest, whose frames come unfinished, from those that do not know such frames.
      { name: `${model}-a`, ip: first, model, talksTo: place === 0 ? [second] : [second, '10.9.0.1'] },
      // One way is enough: an answer is a frame of its sender, too. And emulated guests share few cores.
      { name: `${model}-b`, ip: second, model, talksTo: [] },
    ];
  });
  let lab: Lab;

  before(async () => {
    lab = await startLab(guests);
  });
  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  it('do not start before their taps are there: apply makes them', async () => {
    const { status, stderr } = await lab.vsb(['vm', 'start', lab.file, 'virtio-a', '--accel', 'tcg']);
    expect(status).to.equal(1);
    expect(stderr).to.include('error[GUEST_TAP_MISSING]').and.include(`vsb apply ${lab.file}`);
    expect(existsSync(join(lab.runDir, 'lab'))).to.equal(false);
  });

  it('start, and outlive the command that started them', async () => {
    const applied = await lab.vsb(['apply', lab.file, '--yes']);
    expect(applied.stderr).to.not.include('error');
    expect(applied.status).to.equal(0);
    const command = await lab.vsb(['vm', 'qemu-args', lab.file, 'virtio-a', '--accel', 'tcg']);
    expect(command.stdout).to.include('vnet_hdr=on');
    const started = await lab.vsb(['vm', 'start', lab.file, '--wait', 'GUEST-UP', '--timeout', BOOT_LIMIT]);
    expect(started.stderr).to.include('virtio-a: started, pid');
    expect(started.status).to.equal(0);
    const listed = await lab.vsb(['vm', 'list', lab.file, '-o', 'json']);
    const found = JSON.parse(listed.stdout) as { guests: ListedGuest[] };
    expect(found.guests.map(({ vm, status }) => `${vm} ${status}`)).to.have.members(
      guests.map(({ name }) => `${name} running`),
    );
  });

  for (const model of models) {
    it(`reach each other by ping and TCP with ${model}`, async () => {
      for (const guest of guests.filter((each) => each.model === model)) {
        for (const peer of guest.talksTo) await lab.talked(guest.name, peer);
      }
    });
  }

  it('are named and addressed as the topology says', async () => {
    const command = 'hostname; ifconfig eth0 | head -n 2';
    const { stdout } = await lab.vsb(['vm', 'console', lab.file, 'e1000-a'], { input: `${command}\n` });
    expect(stdout).to.match(/^e1000-a\r$/m);
    expect(stdout).to.include('inet addr:10.9.0.3').and.include('Mask:255.255.255.0');
  });

  it('are seen by vsb watch with what they have fetched, each NIC by its name', async () => {
    const args = ['watch', 'vms', '-o', 'ndjson', '--every', '100ms', '--for', '100ms'];
    const { status, stdout, stderr } = await lab.vsb(args);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const { name, talksTo } of guests) {
      const [vm, nic] = ['vm', 'nic'].map((kind) =>
        lines.findLast((line) => line['kind'] === kind && line['vm'] === name),
      );
      expect(nic, name).to.include({ topology: 'lab', nic: '0', network: 'lan', port: `${name}-0` });
      expect(vm?.['receivedBytes'], 'the sum of one NIC').to.equal(nic?.['receivedBytes']);
      // Who fetched a file received it; who has nobody to talk to has served one.
      const moved = nic?.[talksTo.length > 0 ? 'receivedBytes' : 'sentBytes'];
      expect(moved, name).to.be.above(PAYLOAD_BYTES * Math.max(1, talksTo.length));
    }
  });

  it('are not started twice', async () => {
    const [first] = await lab.list();
    const { status, stderr } = await lab.vsb(['vm', 'start', lab.file, first?.vm ?? '']);
    expect(status).to.equal(0);
    expect(stderr).to.equal(`${String(first?.vm)}: already running, pid ${String(first?.pid)}\n`);
  });

  it('are called crashed when QEMU was killed, and start again', async () => {
    const victim = (await lab.list()).find(({ vm }) => vm === 'rtl8139-b');
    expect(victim?.pid).to.be.a('number');
    process.kill(Number(victim?.pid), 'SIGKILL');
    while (await isAlive(Number(victim?.pid))) await delay(20);
    expect((await lab.list()).find(({ vm }) => vm === 'rtl8139-b')?.status).to.equal('crashed');
    const { stderr } = await lab.vsb(['vm', 'start', lab.file, 'rtl8139-b']);
    expect(stderr).to.include('rtl8139-b: started');
    expect((await lab.list()).find(({ vm }) => vm === 'rtl8139-b')?.status).to.equal('running');
    // It does not listen for its power button yet.
    const stopped = await lab.vsb(['vm', 'stop', lab.file, 'rtl8139-b', '--force']);
    expect(stopped.stderr).to.equal('rtl8139-b: stopped, without its power button\n');
  });

  it('are powered down by stop, which leaves nothing', async () => {
    const pids = (await lab.list()).map(({ pid }) => Number(pid));
    expect(pids).to.have.length(guests.length - 1);
    const { status, stderr } = await lab.vsb(['vm', 'stop', lab.file]);
    expect(status).to.equal(0);
    expect(stderr.match(/: stopped$/gm)).to.have.length(guests.length - 1);
    expect(await Promise.all(pids.map(isAlive))).to.not.include(true);
    expect(existsSync(join(lab.runDir, 'lab'))).to.equal(false);
    expect(await lab.list()).to.deep.equal([]);
  });

  it('say which package has QEMU where it is missing', async () => {
    const bin = join(lab.runDir, 'bin');
    await mkdir(bin);
    for (const program of ['env', 'ip', 'ss']) {
      const path = (await runOrFail('which', [program], { timeoutMs: 5000 })).trim();
      await symlink(path, join(bin, program));
    }
    const args = ['vm', 'start', lab.file, 'virtio-a', '--accel', 'tcg'];
    const { status, stderr } = await lab.vsb(args, { env: { PATH: bin } });
    expect(status).to.equal(1);
    expect(stderr).to.include('error[PROGRAM_MISSING]').and.include('apt-get install qemu-system-x86');
  });

  it("show QEMU's own complaint where it does not start", async () => {
    const topology = (await readFile(lab.file, 'utf8')).replaceAll('"memory":"128M"', '"memory":"1M"');
    const file = join(lab.runDir, 'small.vsb.yaml');
    await writeFile(file, topology);
    const { status, stderr } = await lab.vsb(['vm', 'start', file, 'virtio-a', '--accel', 'tcg']);
    expect(status).to.equal(1);
    expect(stderr).to.include('error[GUEST_NOT_STARTED]').and.include('initrd is too large');
    expect(existsSync(join(lab.runDir, 'lab'))).to.equal(false);
  });
});

describe('guests on a switch that does not read the virtio-net header', function () {
  this.timeout(SUITE_LIMIT_MS);

  it('pass TCP all the same, since QEMU is told to keep the header', async () => {
    await using lab = await startLab([
      { name: 'a', ip: '10.9.0.1', model: 'virtio', talksTo: ['10.9.0.2'] },
      { name: 'b', ip: '10.9.0.2', model: 'virtio', talksTo: [] },
    ]);
    const { sandbox } = lab;
    await sandbox.vsctl('remove', 'Open_vSwitch', '.', 'other_config', 'userspace-tso-enable');
    await sandbox.kill('ovs-vswitchd');
    await sandbox.restart('ovs-vswitchd');
    expect((await lab.vsb(['apply', lab.file, '--yes'])).status).to.equal(0);
    const { stdout } = await lab.vsb(['vm', 'qemu-args', lab.file, '--accel', 'tcg']);
    expect(stdout).to.include('vnet_hdr=off').and.not.include('vnet_hdr=on');
    const started = await lab.vsb(['vm', 'start', lab.file, '--accel', 'tcg']);
    expect(started.status).to.equal(0);
    await lab.talked('a', '10.9.0.2');
  });
});

/** A process that has ended counts as gone, even while nobody has asked for its status. */
function isAlive(pid: number): Promise<boolean> {
  return isRunning({ pid, program: 'qemu-system-x86_64' });
}
