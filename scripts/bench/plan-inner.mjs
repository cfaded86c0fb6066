/** One measurement of plan.ts, of the built code, alone in its process: prints milliseconds. */
import { toSettings } from '../../dist/app/settings.js';
import { connectSwitch } from '../../dist/app/switchclient.js';
import { loadTopology } from '../../dist/app/topology.js';
import { diffSwitch } from '../../dist/switch/diff.js';
import { observeSwitch } from '../../dist/switch/observe.js';

const [, , remote, file] = process.argv;
if (remote === undefined || file === undefined) throw new Error('usage: plan-inner.mjs REMOTE FILE');
await using client = await connectSwitch(toSettings({ remote }, {}));

const start = performance.now();
const desired = await loadTopology(file);
const { changes } = diffSwitch(desired, observeSwitch(client.snapshot()));
const ms = performance.now() - start;
if (changes.length > 0) throw new Error('the plan is not empty');
console.log(String(ms));
