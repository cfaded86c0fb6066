/** `npx tsx scripts/bench/startup.ts`: `vsb --version` beside `node -e 0`, the built command, interleaved. */
import { execFileSync } from 'node:child_process';
import { median, printRatio } from './measure.ts';

const ROUNDS = 30;
const bare: number[] = [];
const version: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  bare.push(time(['-e', '0']));
  version.push(time(['dist/cli/main.js', '--version']));
}
console.log(`median of ${String(ROUNDS)} rounds`);
console.log(`  node -e 0      ${median(bare).toFixed(1)} ms`);
console.log(`  vsb --version  ${median(version).toFixed(1)} ms`);
printRatio('vsb --version / node -e 0', median(version), median(bare), '≤ 1.5');

function time(args: readonly string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - start;
}
