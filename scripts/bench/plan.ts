/**
 * `npx tsx scripts/bench/plan.ts`: an empty plan of many NICs, from the topology's text to the plan, with the replica
 * there. Each size in a process of its own, nothing warmed up.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, stopSandbox } from '../../src/sandbox/sandbox.ts';
import { manyVms, median, node, printRatio } from './measure.ts';

const SIZES = [1000, 2000, 3000, 4000, 5000];
const ROUNDS = 5;

const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
try {
  const medians = new Map<number, number>();
  for (const nics of SIZES) {
    const directory = join(scratch, String(nics));
    const file = join(scratch, `${String(nics)}.vsb.yaml`);
    writeFileSync(file, manyVms(nics));
    const { sandbox } = await startSandbox({ directory, datapath: 'none', netns: undefined });
    try {
      node('scripts/bench/provision-inner.mjs', 'apply', sandbox.remote, file);
      const times = Array.from({ length: ROUNDS }, () =>
        Number(node('scripts/bench/plan-inner.mjs', sandbox.remote, file)),
      );
      medians.set(nics, median(times));
      console.log(
        `  ${String(nics)} NICs ${median(times).toFixed(0).padStart(6)} ms   (target at 5000: ≤ 500 ms)`,
      );
    } finally {
      await stopSandbox(directory);
    }
  }
  printRatio('5,000 / 1,000 NICs', medians.get(5000), medians.get(1000), 'linear: about 5 or less');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
