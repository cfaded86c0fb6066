/** `node scripts/bench/startup.mjs`, after `npm run build`: `vsb --version` beside `node -e 0`, interleaved. */
import { execFileSync } from 'node:child_process';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 30;
const bare = [];
const version = [];
const help = [];
for (let round = 0; round < ROUNDS; round++) {
  bare.push(time(['-e', '0']));
  version.push(time(['dist/cli/main.js', '--version']));
  help.push(time(['dist/cli/main.js', 'apply', '--help']));
}
console.log(`median of ${ROUNDS} rounds`);
console.log(`  node -e 0         ${median(bare).toFixed(1)} ms`);
console.log(`  vsb --version     ${median(version).toFixed(1)} ms`);
console.log(`  vsb apply --help  ${median(help).toFixed(1)} ms`);
printRatio('vsb --version / node -e 0', median(version), median(bare), '≤ 1.5');
printRatio('vsb apply --help / node -e 0', median(help), median(bare));

function time(args) {
  const start = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - start;
}
