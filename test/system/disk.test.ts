/** Disk images as a person handles them, with the real qemu-img and a real QEMU that has one open. */
import { mkdtemp, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { run, runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { startRunning, VSB, type Running } from '../support/running.ts';

const LIMIT_MS = 60_000;
const MIB = 1 << 20;

describe('vsb disk', function () {
  this.timeout(LIMIT_MS);
  let directory: string;
  const at = (name: string): string => join(directory, name);
  const disk = (...args: readonly string[]): Promise<RunResult> =>
    vsb(['disk', ...args], { env: {}, timeoutMs: LIMIT_MS });
  async function well(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await disk(...args);
    expect(status, stderr).to.equal(0);
    return stdout;
  }
  async function refused(code: string, ...args: readonly string[]): Promise<string> {
    const { status, stderr } = await disk(...args);
    expect(stderr, stderr).to.include(`error[${code}]`);
    expect(stderr).to.not.match(/\n\s+at /);
    expect(status).to.be.oneOf([1, 64]);
    return stderr;
  }
  const qemuImg = (...args: readonly string[]): Promise<string> =>
    runOrFail('qemu-img', args, { timeoutMs: LIMIT_MS });
  const info = async (name: string): Promise<Record<string, unknown>> =>
    (JSON.parse(await well('info', at(name), '-o', 'json')) as { disk: Record<string, unknown> }).disk;
  /** A raw image with something in it. */
  async function fill(name: string, mebibytes: number): Promise<void> {
    const file = await open(at(name), 'w');
    for (let index = 0; index < mebibytes; index++)
      await file.write(
        Buffer.alloc(MIB, createHash('sha256').update(String(index)).digest()),
        0,
        MIB,
        index * MIB,
      );
    await file.close();
  }
  /** A QEMU that has an image open, and runs nothing. */
  async function openIn(image: string): Promise<Running> {
    const qmp = at('qmp');
    const qemu = startRunning(
      [
        'qemu-system-x86_64',
        ...`-S -name guest=web1 -display none -nodefaults -machine none -m 16`.split(' '),
        '-qmp',
        `unix:${qmp},server=on,wait=off`,
        '-blockdev',
        `driver=qcow2,node-name=d,file.driver=file,file.filename=${image}`,
      ],
      {},
    );
    while (!(await stat(qmp).catch(() => undefined))) await delay(10);
    return qemu;
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-k'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes images of each kind, and says what they are', async () => {
    await well('create', at('a.img'), '--size', '4M');
    const sparse = await info('a.img');
    expect(sparse).to.deep.include({ format: 'raw', virtualBytes: 4 * MIB, fileBytes: 4 * MIB });
    expect(sparse['allocatedBytes']).to.be.below(MIB);
    await well('create', at('full.img'), '--size', '4M', '--preallocate');
    expect((await info('full.img'))['allocatedBytes']).to.be.at.least(4 * MIB);
    await well('create', at('b.qcow2'), '--size', '1G', '--cluster-size', '128k', '--compression', 'zstd');
    expect(await info('b.qcow2')).to.deep.include({
      format: 'qcow2',
      clusterBytes: 128 << 10,
      compression: 'zstd',
    });
    await well('create', at('c.qcow2'), '--base', at('b.qcow2'));
    expect(await info('c.qcow2')).to.deep.include({
      virtualBytes: 1 << 30,
      chain: [{ image: at('b.qcow2'), format: 'qcow2' }],
      users: [],
    });
    const table = await well('info', at('c.qcow2'));
    expect(table)
      .to.match(/^virtual size +1 GiB \(1073741824 bytes\)$/m)
      .and.to.match(/^used by +nobody$/m);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).to.deep.equal([]);
  });

  it('keeps a passphrase out of every command line, and encrypts with it', async () => {
    const made = await vsb(
      ['disk', 'create', at('e.qcow2'), '--size', '4M', '--encrypt', '--secret-file', '-'],
      {
        env: {},
        input: 'open sesame\n',
        timeoutMs: LIMIT_MS,
      },
    );
    expect(made.status, made.stderr).to.equal(0);
    expect(await info('e.qcow2')).to.deep.include({ isEncrypted: true });
    await writeFile(at('secret'), 'open sesame');
    const opened = (file: string): Promise<RunResult> =>
      run(
        'qemu-img',
        [
          'check',
          '--object',
          `secret,id=s,file=${file}`,
          '--image-opts',
          `driver=qcow2,file.filename=${at('e.qcow2')},encrypt.key-secret=s`,
        ],
        { timeoutMs: LIMIT_MS },
      );
    expect((await opened(at('secret'))).status).to.equal(0);
    await writeFile(at('wrong'), 'open sesam');
    expect((await opened(at('wrong'))).stderr).to.include('Invalid password');
    await refused('USAGE', 'create', at('f.qcow2'), '--size', '4M', '--encrypt');
    await refused('DISK_ENCRYPTED', 'convert', at('e.qcow2'), at('g.img'));
  });

  it('converts between all formats and compresses, with the same contents', async () => {
    await fill('a.img', 8);
    const formats = ['qcow2', 'vmdk', 'vdi', 'vhdx'];
    for (const format of formats) {
      await well('convert', at('a.img'), at(`b.${format}`));
      expect(await qemuImg('compare', at('a.img'), at(`b.${format}`))).to.include('identical');
      await well('convert', at(`b.${format}`), at(`back-${format}.img`));
      expect(await qemuImg('compare', at('a.img'), at(`back-${format}.img`))).to.include('identical');
    }
    await well('convert', at('a.img'), at('small.qcow2'), '--compress');
    expect((await stat(at('small.qcow2'))).size).to.be.below(MIB);
    expect(await qemuImg('compare', at('a.img'), at('small.qcow2'))).to.include('identical');
  });

  it('catches what qemu-img lets happen', async () => {
    await fill('a.img', 4);
    await qemuImg('convert', '-O', 'qcow2', at('a.img'), at('a.qcow2'));
    const before = await readFile(at('a.qcow2'));
    await refused('DISK_EXISTS', 'create', at('a.qcow2'), '--size', '1M');
    await refused('DISK_EXISTS', 'convert', at('a.img'), at('a.qcow2'));
    expect(await readFile(at('a.qcow2'))).to.deep.equal(before);
    await refused('DISK_SAME', 'convert', at('a.qcow2'), at('./a.qcow2'));
    await well('convert', at('a.img'), at('a.qcow2'), '--force');

    await writeFile(at('garbage.qcow2'), 'this is no image, whatever its name says');
    await refused('DISK_FORMAT_UNSURE', 'convert', at('garbage.qcow2'), at('x.img'));
    await refused('DISK_FAILED', 'info', at('garbage.qcow2'), '--format', 'qcow2');
    await well('info', at('garbage.qcow2'), '--format', 'raw');

    await truncate(at('a.qcow2'), 2 * MIB);
    await refused('DISK_CORRUPT', 'convert', at('a.qcow2'), at('x.img'));
    const check = await disk('check', at('a.qcow2'));
    expect([check.status, check.stdout]).to.deep.equal([
      1,
      `${at('a.qcow2')}: qcow2, DAMAGED: parts are missing or point nowhere\n`,
    ]);

    await qemuImg('create', '-q', '-f', 'qcow2', at('base.qcow2'), '8M');
    await well('create', at('top.qcow2'), '--base', at('base.qcow2'));
    await rm(at('base.qcow2'));
    for (const args of [['info'], ['check'], ['resize', '16M'], ['convert', at('x.img')]] as const)
      await refused('DISK_BASE_MISSING', args[0], at('top.qcow2'), ...args.slice(1));
    await refused('DISK_MISSING', 'create', at('other.qcow2'), '--base', at('base.qcow2'));
    expect(await stat(at('x.img')).catch(() => 'none')).to.equal('none');

    await refused('DISK_NO_SPACE', 'create', at('huge.img'), '--size', '900T', '--preallocate');
    await refused('DISK_SIZE_MISSING', 'create', at('none.qcow2'));
    await refused('DISK_NEEDS_QCOW2', 'create', at('none.img'), '--size', '1M', '--base', at('a.img'));
    await refused('FILE_UNWRITABLE', 'create', at('no/such/place.qcow2'), '--size', '1M');
    expect((await disk('create', at('a'), '--size', 'many')).status).to.equal(64);
  });

  it('sees to the bases of a source: they are whole, and never its target', async () => {
    await fill('base.raw', 4);
    await qemuImg('convert', '-f', 'raw', '-O', 'qcow2', at('base.raw'), at('base.qcow2'));
    await well('create', at('top.qcow2'), '--base', at('base.qcow2'));
    await symlink('top.qcow2', at('link.qcow2'));
    const before = await readFile(at('base.qcow2'));
    for (const target of ['base.qcow2', 'top.qcow2', 'link.qcow2'])
      await refused('DISK_SAME', 'convert', at('top.qcow2'), at(target), '--force');
    expect(before.equals(await readFile(at('base.qcow2')))).to.equal(true);
    await truncate(at('base.qcow2'), 2 * MIB);
    const said = await refused('DISK_CORRUPT', 'convert', at('top.qcow2'), at('new.qcow2'));
    expect(said).to.include(at('base.qcow2'));
    await refused('DISK_CORRUPT', 'check', at('top.qcow2'));
    expect(await readdir(directory)).to.not.include('new.qcow2');
  });

  it('takes any name, also with spaces, a colon, or a dash first', async () => {
    const images = ['-a b.qcow2', 'nbd:x.qcow2', 'ä,b.qcow2'];
    for (const name of images) {
      const made = await vsb(['disk', 'create', '--size', '1M', '--', name], { env: {}, cwd: directory });
      expect(made.status, made.stderr).to.equal(0);
      const copied = await vsb(['disk', 'convert', '--', name, `copy of ${name}`], {
        env: {},
        cwd: directory,
      });
      expect(copied.status, copied.stderr).to.equal(0);
    }
    expect((await readdir(directory)).sort()).to.deep.equal(
      [...images, ...images.map((name) => `copy of ${name}`)].sort(),
    );
  });

  it('grows, and shrinks only for somebody who typed the name', async () => {
    await well('create', at('a.qcow2'), '--size', '8M');
    await well('resize', at('a.qcow2'), '+8M');
    expect((await info('a.qcow2'))['virtualBytes']).to.equal(16 * MIB);
    const said = await refused('DISK_SHRINKS', 'resize', at('a.qcow2'), '4M');
    expect(said).to.include('--shrink --confirm a.qcow2');
    await refused('DISK_SHRINKS', 'resize', at('a.qcow2'), '4M', '--shrink', '--confirm', 'b.qcow2');
    await refused('DISK_SHRINKS', 'resize', at('a.qcow2'), '4M', '--confirm', 'a.qcow2');
    expect((await info('a.qcow2'))['virtualBytes']).to.equal(16 * MIB);
    await well('resize', at('a.qcow2'), '4M', '--shrink', '--confirm', 'a.qcow2');
    expect((await info('a.qcow2'))['virtualBytes']).to.equal(4 * MIB);
    await well('create', at('a.vdi'), '--size', '8M');
    await refused('DISK_NEEDS_QCOW2', 'resize', at('a.vdi'), '4M', '--shrink', '--confirm', 'a.vdi');
  });

  it('keeps snapshots apart by name, goes back to one, and takes one out', async () => {
    await fill('one.img', 2);
    await qemuImg('convert', '-O', 'qcow2', at('one.img'), at('a.qcow2'));
    await well('snapshot', 'create', at('a.qcow2'), 'first');
    await refused('DISK_SNAPSHOT_EXISTS', 'snapshot', 'create', at('a.qcow2'), 'first');
    await refused('DISK_SNAPSHOT_NAME', 'snapshot', 'create', at('a.qcow2'), '7');
    await runOrFail('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 1M', at('a.qcow2')], {
      timeoutMs: LIMIT_MS,
    });
    expect(await well('snapshot', 'list', at('a.qcow2'))).to.match(/^1 +first +\d{4}-/m);
    await well('snapshot', 'extract', at('a.qcow2'), 'first', at('was.img'));
    expect(await qemuImg('compare', at('one.img'), at('was.img'))).to.include('identical');
    const asked = await disk('snapshot', 'apply', at('a.qcow2'), 'first');
    expect(asked.status).to.equal(1);
    expect(asked.stderr)
      .to.match(/All that was written to \S+ since \S+ is lost\./)
      .and.to.include('nobody to ask');
    await well('snapshot', 'apply', at('a.qcow2'), 'first', '--yes');
    expect(await qemuImg('compare', at('one.img'), at('a.qcow2'))).to.include('identical');
    await refused('DISK_SNAPSHOT_UNKNOWN', 'snapshot', 'apply', at('a.qcow2'), 'second', '--yes');
    await refused('DISK_SNAPSHOT_UNKNOWN', 'convert', at('a.qcow2'), at('x.img'), '--snapshot', 'second');
    await qemuImg('snapshot', '-c', 'first', at('a.qcow2'));
    await refused('DISK_SNAPSHOT_AMBIGUOUS', 'snapshot', 'delete', at('a.qcow2'), 'first');
    const raw = await refused('DISK_NEEDS_QCOW2', 'snapshot', 'create', at('one.img'), 'first');
    expect(raw).to.include('vsb disk convert');
  });

  it('leaves an image alone that a VM has open, and names the VM', async () => {
    await well('create', at('a.qcow2'), '--size', '8M');
    await well('create', at('b.img'), '--size', '8M');
    await using qemu = await openIn(at('a.qcow2'));
    expect(qemu.child.exitCode).to.equal(null);
    expect(await well('info', at('a.qcow2'))).to.match(/^used by +VM "web1" \(pid \d+\)$/m);
    for (const args of [
      ['resize', at('a.qcow2'), '16M'],
      ['snapshot', 'create', at('a.qcow2'), 'now'],
      ['convert', at('a.qcow2'), at('x.img')],
      ['convert', at('b.img'), at('a.qcow2'), '--force'],
      ['check', at('a.qcow2')],
    ])
      expect(await refused('DISK_IN_USE', ...args)).to.include('VM "web1"');
  });

  it('leaves nothing half when it is stopped or killed, and clears away what a killed one left', async () => {
    await fill('a.img', 64);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await using convert = startRunning(
        [...VSB, 'disk', 'convert', at('a.img'), at('b.qcow2'), '--compress'],
        {},
      );
      while (!(await readdir(directory)).some((name) => name.startsWith('.vsb-'))) await delay(2);
      convert.child.kill(signal);
      await convert.end();
      const left = (await readdir(directory)).filter((name) => name !== 'a.img');
      if (signal === 'SIGINT') expect(left).to.deep.equal([]);
      else expect(left.every((name) => name.startsWith('.vsb-'))).to.equal(true);
    }
    await well('convert', at('a.img'), at('b.qcow2'));
    expect((await readdir(directory)).sort()).to.deep.equal(['a.img', 'b.qcow2']);
  });

  it('are made and grown by apply, refused by name where that would lose something, and kept by destroy', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await fill('base.img', 4);
    const file = at('d.vsb.yaml');
    const apply = async (verb: string, ...disks: readonly object[]): Promise<RunResult> => {
      const vms = { web1: { disks } };
      await writeFile(file, JSON.stringify({ version: 1, name: 'd', vms })); // JSON is YAML
      return vsb([verb, file, ...(verb === 'plan' ? [] : ['--yes'])], {
        env: sandbox.env,
        timeoutMs: LIMIT_MS,
      });
    };
    const [root, data] = [
      { image: 'root.qcow2', base: 'base.img', size: '8M' },
      { image: 'data.img', size: '4M' },
    ];
    const made = await apply('apply', root, data);
    expect(made.status, made.stdout + made.stderr).to.equal(0);
    expect(await info('root.qcow2')).to.deep.include({
      virtualBytes: 8 * MIB,
      chain: [{ image: at('base.img'), format: 'raw' }],
    });
    expect((await apply('plan', root, data)).stdout).to.include('nothing to change');
    expect((await apply('apply', { ...root, size: '16M' }, data)).stdout).to.include(
      'size: 8388608 → 16777216',
    );
    expect((await info('root.qcow2'))['virtualBytes']).to.equal(16 * MIB);
    const smaller = await apply('apply', root, data);
    expect(smaller.status).to.equal(1);
    expect(smaller.stdout + smaller.stderr).to.include('[DISK_WOULD_SHRINK]');
    await writeFile(at('junk.qcow2'), 'junk');
    const junk = await apply('plan', { image: 'junk.qcow2', size: '1M' });
    expect(junk.stdout).to.include('[DISK_FORMAT_UNSURE]');
    await using qemu = await openIn(at('root.qcow2'));
    expect(qemu.child.exitCode).to.equal(null);
    expect((await apply('plan', { ...root, size: '32M' })).stdout).to.match(/\[DISK_IN_USE\].*VM "web1"/);
    const destroyed = await apply('destroy', root, data);
    expect(destroyed.status, destroyed.stderr).to.equal(0);
    expect((await readdir(directory)).filter((name) => /qcow2|img/.test(name)).sort()).to.deep.equal([
      'base.img',
      'data.img',
      'junk.qcow2',
      'root.qcow2',
    ]);
  });
});
