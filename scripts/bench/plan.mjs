/**
 * `node scripts/bench/plan.mjs`, after `npm run build`: an empty plan of many NICs, from the topology's text to the plan,
 * with the replica there. Each measurement in a process of its own, nothing warmed up.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toSettings } from '../../dist/app/settings.js';
import { connectSwitch } from '../../dist/app/switchclient.js';
import { loadTopology } from '../../dist/app/topology.js';
import { startSandbox, stopSandbox } from '../../dist/sandbox/sandbox.js';
import { diffSwitch } from '../../dist/switch/diff.js';
import { observeSwitch } from '../../dist/switch/observe.js';
import { manyVms, median, printRatio } from './measure.mjs';

const SIZES = [1000, 2000, 3000, 4000, 5000];
const ROUNDS = 5;

const [, , remote, file] = process.argv;
if (file === undefined) await measureAll();
else console.log(String(await measureOne(remote, file)));

async function measureAll() {
  const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
  const medians = new Map();
  try {
    for (const nics of SIZES) {
      const directory = join(scratch, String(nics));
      const path = join(scratch, `${nics}.vsb.yaml`);
      writeFileSync(path, manyVms(nics));
      const { sandbox } = await startSandbox({ directory, datapath: 'none', netns: undefined });
      try {
        run('dist/cli/main.js', 'apply', path, '--yes', '--database-only', '--remote', sandbox.remote);
        const times = Array.from({ length: ROUNDS }, () =>
          Number(run(fileURLToPath(import.meta.url), sandbox.remote, path)),
        );
        medians.set(nics, median(times));
        console.log(`  ${nics} NICs ${median(times).toFixed(0).padStart(6)} ms`);
      } finally {
        await stopSandbox(directory);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  printRatio('5,000 NICs / 0.5 s', medians.get(5000), 500, '≤ 1');
  printRatio('5,000 / 1,000 NICs', medians.get(5000), medians.get(1000), 'linear: ≤ 5');
}

async function measureOne(to, path) {
  const client = await connectSwitch(toSettings({ remote: to }, {}));
  const start = performance.now();
  const desired = await loadTopology(path);
  const { changes } = diffSwitch(desired, observeSwitch(client.snapshot()));
  const ms = performance.now() - start;
  await client.close();
  if (changes.length > 0) throw new Error('the plan is not empty');
  return ms;
}

function run(script, ...args) {
  return execFileSync(process.execPath, [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 });
}
