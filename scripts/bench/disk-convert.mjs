/**
 * `node scripts/bench/disk-convert.mjs [MEGABYTES]`, after `npm run build`: what `vsb disk convert` costs beside plain
 * `qemu-img convert` of the same image, raw → qcow2, as it is and compressed. Both as whole processes, in turns; medians. The
 * plain one is followed by sync(1) of its file, since vsb too has the image on the disk when it ends; and measured as it is,
 * for which the time that the disk takes afterwards is not counted.
 */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 5;
const VSB = join(import.meta.dirname, '../../dist/cli/main.js');
/** Large enough for the start of node not to decide. */
const megabytes = Number(process.argv[2] ?? 4096);

const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
try {
  const raw = join(scratch, 'a.img');
  fill(raw, megabytes);
  compare(`raw → qcow2, ${megabytes} MB`, raw, 'raw', join(scratch, 'b.qcow2'), 'qcow2');
  const part = join(scratch, 'c.img');
  fill(part, megabytes / 8);
  const compressed = `raw → qcow2, compressed, ${megabytes / 8} MB`;
  compare(compressed, part, 'raw', join(scratch, 'b.qcow2'), 'qcow2', {
    vsb: ['--compress'],
    qemuImg: ['-c'],
  });
} finally {
  rmSync(scratch, { recursive: true });
}

function compare(title, source, from, target, to, { vsb = [], qemuImg = [] } = {}) {
  const plain = ['convert', ...qemuImg, '-f', from, '-O', to];
  const sides = {
    'vsb disk convert': () =>
      execFileSync(process.execPath, [VSB, 'disk', 'convert', ...vsb, source, target], { stdio: 'ignore' }),
    'qemu-img, and sync of the file': () => {
      execFileSync('qemu-img', [...plain, source, target]);
      execFileSync('sync', [target]);
    },
    'qemu-img': () => execFileSync('qemu-img', [...plain, source, target]),
  };
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(sides)) {
      rmSync(target, { force: true });
      execFileSync('sync');
      const start = performance.now();
      run();
      times[name].push(performance.now() - start);
    }
  const [ours, synced, bare] = Object.values(times).map(median);
  console.log(`${title} of random data, median of ${ROUNDS} rounds`);
  for (const [name, all] of Object.entries(times))
    console.log(`  ${name.padEnd(31)} ${median(all).toFixed(0)} ms`);
  printRatio('vsb / qemu-img, both on the disk at the end', ours, synced, '≤ 1.03');
  printRatio('vsb / qemu-img, whose data may still be in memory', ours, bare);
}

function fill(path, megabytes) {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(1 << 20);
  for (let index = 0; index < megabytes; index++) writeSync(file, randomFillSync(block));
  closeSync(file);
}
