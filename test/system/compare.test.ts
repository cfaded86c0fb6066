/** vsb compare, once and short: two ways and one that cannot be, with real guests, and nothing left behind. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { startRunning, VSB } from '../support/running.ts';

const LIMIT_MS = 180_000;

interface Way {
  readonly way: string;
  readonly unavailable?: string;
  readonly bitsPerSecond?: { readonly median: number };
  readonly packetsPerSecond?: { readonly median: number };
}

describe('vsb compare', function () {
  this.timeout(LIMIT_MS);
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-c'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function leftBehind(): Promise<string[]> {
    const namespaces = await runOrFail('ip', ['netns', 'list'], { timeoutMs: 10_000 });
    return [...(await readdir(directory)), ...namespaces.split('\n')].filter((name) =>
      name.includes('vsb-compare-'),
    );
  }

  it('measures what it can, says why not of the rest, and leaves nothing', async () => {
    const { kernel, initrd } = await guestImage();
    const svg = join(directory, 'bars.svg');
    const args = `--ways virtio/tap/linux-bridge,e1000/tap/ovs,virtio/vhost-user/ovs --rounds 1 --seconds 2 --accel tcg -o json`;
    const { status, stdout, stderr } = await vsb(
      ['compare', ...args.split(' '), '--kernel', kernel, '--initrd', initrd, '--svg', svg],
      { env: { TMPDIR: directory }, timeoutMs: LIMIT_MS },
    );
    expect(status, stderr).to.equal(0);
    const document = JSON.parse(stdout) as {
      formatVersion: string;
      accelerator: string;
      ways: readonly Way[];
    };
    expect(document).to.include({ formatVersion: '1.0', accelerator: 'tcg' });
    const [bridge, ovs, user] = document.ways;
    for (const way of [bridge, ovs]) {
      // Any guest on any machine is faster than that, and what nobody sent is not.
      expect(way?.bitsPerSecond?.median, way?.way).to.be.above(1e6);
      expect(way?.packetsPerSecond?.median, way?.way).to.be.above(500);
    }
    expect(user?.unavailable).to.include('DPDK');
    expect(user).to.not.have.property('bitsPerSecond');
    expect(await readFile(svg, 'utf8')).to.match(/^<svg .*<\/svg>\n$/s);
    expect(await leftBehind()).to.deep.equal([]);
  });

  it('leaves nothing where somebody has had enough', async () => {
    const { kernel, initrd } = await guestImage();
    await using running = startRunning(
      [
        ...VSB,
        'compare',
        '--ways',
        'virtio/tap/ovs',
        '--accel',
        'tcg',
        '--kernel',
        kernel,
        '--initrd',
        initrd,
      ],
      { TMPDIR: directory },
    );
    await running.text('round 1 of 3');
    running.child.kill('SIGINT');
    const { status, output } = await running.end();
    expect(output).to.include('error[CANCELLED]');
    expect(status).to.equal(1);
    expect(await leftBehind()).to.deep.equal([]);
  });

  it('says how to get the guest that measures', async () => {
    const { status, stderr } = await vsb(['compare', '--kernel', '/none', '--initrd', '/none']);
    expect(status).to.equal(1);
    expect(stderr).to.include('error[COMPARE_IMAGE_MISSING]').and.to.include('scripts/guest-image');
    const wrong = await vsb(['compare', '--ways', 'virtio/tab/ovs']);
    expect(wrong.status).to.equal(64);
    expect(wrong.stderr).to.include('"virtio/tab/ovs" is no way');
    expect((await vsb(['compare', '--rounds', '0'])).status).to.equal(64);
  });
});
